use bluegreen_core::cloud::{Cloud, CloudErrorKind};
use bluegreen_core::model::{Policy, PolicyKey, PolicyName, ScalingGroupName, Schedule};

use super::arrange::{self, refusal};
use super::{Clause, Fixture, clauses};

pub(super) const CLAUSES: &[(&str, Clause)] = clauses![
    policies_come_by_name,
    a_policy_is_put_replaced_and_deleted,
    a_policy_counts_the_requests_of_an_attached_target_group,
    a_policy_that_cannot_be_carried_is_refused,
    a_scheduled_action_is_put_and_deleted,
    policies_and_schedules_that_are_absent_are_deleted_at_once,
];

/// Returns every policy and every scheduled action of a group, by name.
pub async fn policies_come_by_name(cloud: &dyn Cloud, fixture: &Fixture) {
    let group = &fixture.scaling_group;
    let policies = cloud.policies(group).await.expect("policies can be read");
    assert!(policies.is_sorted_by_key(|policy| policy.name.clone()), "policies come by name");
    for name in fixture.policy.iter().chain(&fixture.counting_policy) {
        assert!(policies.iter().any(|policy| policy.name == *name), "`{name}` is a policy");
    }
    let schedules = cloud.schedules(group).await.expect("schedules can be read");
    assert!(schedules.is_sorted_by_key(|one| one.name.clone()), "scheduled actions come by name");
}

/// Makes a policy or replaces the one of its name.
pub async fn a_policy_is_put_replaced_and_deleted(cloud: &dyn Cloud, fixture: &Fixture) {
    let Some(policy) = policy(cloud, fixture, fixture.policy.as_ref()).await else { return };
    let group = arrange::scaling_group(cloud, fixture, "policy").await;
    let wanted = Policy { alarms: vec![], ..policy };
    for _ in 0..2 {
        cloud.put_policy(&group, &wanted).await.expect("a policy can be put and put again");
        let found = cloud.policies(&group).await.expect("policies can be read");
        assert_eq!(found, std::slice::from_ref(&wanted), "what was put is what is read");
    }
    let key = PolicyKey { group: group.clone(), policy: wanted.name };
    cloud.delete_policy(&key).await.expect("a policy can be deleted");
    let found = cloud.policies(&group).await.expect("policies can be read");
    assert_eq!(found, [], "the policy is gone");
    arrange::delete_scaling_group(cloud, fixture, &group).await;
}

/// A target group whose requests it counts must be attached to the group.
pub async fn a_policy_counts_the_requests_of_an_attached_target_group(
    cloud: &dyn Cloud,
    fixture: &Fixture,
) {
    let counting = fixture.counting_policy.as_ref();
    let Some(policy) = policy(cloud, fixture, counting).await else { return };
    let counted = (fixture.load_balancer.clone(), fixture.target_group.clone());
    assert_eq!(policy.counts_requests_of, Some(counted), "what is counted is told by name");
    let group = arrange::scaling_group(cloud, fixture, "counting").await;
    cloud.put_policy(&group, &policy).await.expect("an attached target group can be counted");
    let found = cloud.policies(&group).await.expect("policies can be read");
    let found = found.first().and_then(|found| found.counts_requests_of.clone());
    assert_eq!(found, policy.counts_requests_of, "what was put is what is read");
    if fixture.strict {
        let stranger = arrange::target_group(cloud, fixture, "stranger").await;
        let counted = (fixture.load_balancer.clone(), stranger.clone());
        let wrong = Policy { counts_requests_of: Some(counted), ..policy.clone() };
        let put = cloud.put_policy(&group, &wrong).await;
        let kind = refusal(put, "counting the requests of a target group that is not attached");
        assert_eq!(kind, CloudErrorKind::Rejected, "it is not attached");
        arrange::delete_target_group(cloud, fixture, &stranger).await;
    }
    let key = PolicyKey { group: group.clone(), policy: policy.name };
    cloud.delete_policy(&key).await.expect("a policy can be deleted");
    arrange::delete_scaling_group(cloud, fixture, &group).await;
}

/// Why a clone cannot carry it yet, if so: a put refuses it.
pub async fn a_policy_that_cannot_be_carried_is_refused(cloud: &dyn Cloud, fixture: &Fixture) {
    let Some(policy) = policy(cloud, fixture, fixture.policy.as_ref()).await else { return };
    let uncarried = Some("something that is new to everybody".to_owned());
    let policy = Policy { uncarried, ..policy };
    let put = cloud.put_policy(&fixture.scaling_group, &policy).await;
    let kind = refusal(put, "putting a policy that would lack something");
    assert_eq!(kind, CloudErrorKind::Rejected, "something cannot be carried");
}

/// Makes a scheduled action or replaces the one of its name; deletes it.
pub async fn a_scheduled_action_is_put_and_deleted(cloud: &dyn Cloud, fixture: &Fixture) {
    let Some(name) = &fixture.schedule else { return };
    let schedules = cloud.schedules(&fixture.scaling_group).await.expect("schedules can be read");
    let wanted: Schedule = schedules
        .into_iter()
        .find(|schedule| schedule.name == *name)
        .expect("the fixture's scheduled action exists");
    let group = arrange::scaling_group(cloud, fixture, "schedule").await;
    for _ in 0..2 {
        cloud.put_schedule(&group, &wanted).await.expect("a schedule can be put and put again");
        let found = cloud.schedules(&group).await.expect("schedules can be read");
        assert_eq!(found, std::slice::from_ref(&wanted), "what was put is what is read");
    }
    cloud.delete_schedule(&group, name).await.expect("a scheduled action can be deleted");
    let found = cloud.schedules(&group).await.expect("schedules can be read");
    assert_eq!(found, [], "the scheduled action is gone");
    arrange::delete_scaling_group(cloud, fixture, &group).await;
}

/// A delete of what is absent succeeds; what belongs to no group is left out.
pub async fn policies_and_schedules_that_are_absent_are_deleted_at_once(
    cloud: &dyn Cloud,
    fixture: &Fixture,
) {
    let policy = PolicyName::new(format!("{}-absent", fixture.prefix));
    let schedule = bluegreen_core::model::ScheduleName::new(policy.as_str());
    let group = fixture.scaling_group.clone();
    let key = PolicyKey { group: group.clone(), policy };
    cloud.delete_policy(&key).await.expect("deleting what is absent succeeds");
    let deleted = cloud.delete_schedule(&group, &schedule).await;
    deleted.expect("deleting what is absent succeeds");
    if fixture.strict {
        let unknown = ScalingGroupName::new(format!("{}-absent", fixture.prefix));
        let found = cloud.policies(&unknown).await.expect("an unknown group is no error");
        assert_eq!(found, [], "an unknown group has no policies");
    }
}

/// Returns a policy of the fixture's group.
pub(super) async fn policy(
    cloud: &dyn Cloud,
    fixture: &Fixture,
    name: Option<&PolicyName>,
) -> Option<Policy> {
    let name = name?;
    let policies = cloud.policies(&fixture.scaling_group).await.expect("policies can be read");
    let found = policies.into_iter().find(|policy| policy.name == *name);
    Some(found.expect("the fixture's policy exists"))
}
