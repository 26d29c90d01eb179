use std::collections::BTreeSet;

use async_trait::async_trait;
use bluegreen_core::cloud::{CloudError, ReadScalingPolicies, WriteScalingPolicies};
use bluegreen_core::model::{
    AlarmName, DimensionValue, Policy, PolicyKey, PolicyName, ScalingGroupName, Schedule,
    ScheduleName,
};

use super::FakeCloud;
use super::piece::Piece;
use super::refusal::{not_found, rejected};
use super::state::State;

#[async_trait]
impl ReadScalingPolicies for FakeCloud {
    async fn policies(&self, group: &ScalingGroupName) -> Result<Vec<Policy>, CloudError> {
        self.read("policies", group.to_string(), |state| {
            let found = state.world.scaling_groups.get(group);
            let policies = found.into_iter().flat_map(|found| found.policies.values());
            Ok(policies.map(|policy| state.with_alarms(group, policy)).collect())
        })
        .await
    }

    async fn schedules(&self, group: &ScalingGroupName) -> Result<Vec<Schedule>, CloudError> {
        self.read("schedules", group.to_string(), |state| {
            let found = state.world.scaling_groups.get(group);
            Ok(found.into_iter().flat_map(|found| found.schedules.values()).cloned().collect())
        })
        .await
    }
}

#[async_trait]
impl WriteScalingPolicies for FakeCloud {
    async fn put_policy(
        &self,
        group: &ScalingGroupName,
        policy: &Policy,
    ) -> Result<(), CloudError> {
        let key = PolicyKey { group: group.clone(), policy: policy.name.clone() };
        let policy = policy.clone();
        self.write("put_policy", Piece::Policy(key.clone()), move |state| {
            state.put_policy(&key, policy)
        })
        .await
    }

    async fn delete_policy(&self, policy: &PolicyKey) -> Result<(), CloudError> {
        let key = policy.clone();
        self.write("delete_policy", Piece::Policy(key.clone()), move |state| {
            if state.world.policy(&key).is_none() {
                return Ok(());
            }
            state.group_to_change("delete_policy", &key.group)?.policies.remove(&key.policy);
            state.forget_policies(&key.group, &[key.policy].into(), false);
            Ok(())
        })
        .await
    }

    async fn put_schedule(
        &self,
        group: &ScalingGroupName,
        schedule: &Schedule,
    ) -> Result<(), CloudError> {
        let (group, schedule) = (group.clone(), schedule.clone());
        let piece = Piece::Schedule(group.clone(), schedule.name.clone());
        self.write("put_schedule", piece, move |state| {
            let group = state.group_to_change("put_schedule", &group)?;
            group.schedules.insert(schedule.name.clone(), schedule);
            Ok(())
        })
        .await
    }

    async fn delete_schedule(
        &self,
        group: &ScalingGroupName,
        schedule: &ScheduleName,
    ) -> Result<(), CloudError> {
        let (group, name) = (group.clone(), schedule.clone());
        let piece = Piece::Schedule(group.clone(), name.clone());
        self.write("delete_schedule", piece, move |state| {
            if !state.world.scaling_groups.contains_key(&group) {
                return Ok(());
            }
            state.group_to_change("delete_schedule", &group)?.schedules.remove(&name);
            Ok(())
        })
        .await
    }
}

impl State {
    /// Takes deleted policies out of the alarms that set them off.
    ///
    /// The deletion of a whole group takes the alarms with it that have nothing left to do.
    pub(super) fn forget_policies(
        &mut self,
        group: &ScalingGroupName,
        gone: &BTreeSet<PolicyName>,
        orphans_too: bool,
    ) {
        let is_gone = |key: &PolicyKey| key.group == *group && gone.contains(&key.policy);
        self.world.alarms.retain(|_, alarm| {
            let concerned = alarm.sets_off.iter().any(is_gone);
            alarm.sets_off.retain(|key| !is_gone(key));
            !(orphans_too && concerned && alarm.sets_off.is_empty())
        });
    }

    fn with_alarms(&self, group: &ScalingGroupName, policy: &Policy) -> Policy {
        Policy { alarms: self.alarms_of(group, &policy.name), ..policy.clone() }
    }

    fn alarms_of(&self, group: &ScalingGroupName, policy: &PolicyName) -> Vec<AlarmName> {
        let names = |key: &PolicyKey| key.group == *group && key.policy == *policy;
        let alarms = self.world.alarms.values().filter(|alarm| alarm.sets_off.iter().any(names));
        alarms.map(|alarm| alarm.name.clone()).collect()
    }

    pub(super) fn put_policy(&mut self, key: &PolicyKey, policy: Policy) -> Result<(), CloudError> {
        const METHOD: &str = "put_policy";
        if let Some(why) = &policy.uncarried {
            return Err(rejected(METHOD, key, why));
        }
        if let Some((load_balancer, _)) = &policy.counts_requests_of
            && !self.world.load_balancers.contains_key(load_balancer)
        {
            return Err(not_found(METHOD, load_balancer));
        }
        for name in policy.details.names() {
            let is_there = match &name {
                DimensionValue::Requests(balancer, _) | DimensionValue::LoadBalancer(balancer) => {
                    self.world.load_balancers.contains_key(balancer)
                }
                DimensionValue::TargetGroup(name) => self.world.target_groups.contains_key(name),
                _ => true,
            };
            if !is_there {
                return Err(not_found(METHOD, key));
            }
        }
        let group = self.group_to_change(METHOD, &key.group)?;
        let is_stranger = |name: &DimensionValue| match name {
            DimensionValue::Requests(_, counted) => !group.target_groups.contains(counted),
            _ => false,
        };
        if policy.details.names().iter().any(is_stranger) {
            return Err(rejected(METHOD, key, "the target group is not attached to the group"));
        }
        if let Some((_, counted)) = &policy.counts_requests_of
            && !group.target_groups.contains(counted)
        {
            return Err(rejected(METHOD, key, "the target group is not attached to the group"));
        }
        let policy = Policy { alarms: vec![], ..policy };
        group.policies.insert(key.policy.clone(), policy);
        Ok(())
    }
}
