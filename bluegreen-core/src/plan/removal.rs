use std::collections::BTreeMap;

use super::CloudStage;
use crate::change::{CloudChange, Edit};
use crate::model::{
    Alarm, Fitting, FittingKey, ListenerKey, ListenerSettings, Opaque, Policy, PolicyKey, Process,
    RouteKey, RuleSettings, ScalingGroup, ScalingGroupName, ScalingGroupSettings, Schedule,
    TargetGroupName, TargetGroupSettings,
};
use crate::transaction::Stage;

/// What would make a scaling group again, with all that scales it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Making {
    /// Its settings.
    pub settings: ScalingGroupSettings,
    /// Its policies.
    pub policies: Vec<Policy>,
    /// Its scheduled actions.
    pub schedules: Vec<Schedule>,
    /// The alarms that set off its policies.
    pub alarms: Vec<Alarm>,
    /// What it is fitted with.
    pub fittings: BTreeMap<Fitting, Opaque>,
    /// Whether what it launches from exists.
    pub can_launch: bool,
}

impl Making {
    /// Names everything about it that nothing could make again.
    pub(super) fn uncarried(&self) -> Vec<String> {
        let policies = self.policies.iter().filter_map(|policy| {
            policy.uncarried.as_ref().map(|why| format!("scaling policy {} ({why})", policy.name))
        });
        let alarms = self.alarms.iter().filter_map(|alarm| {
            alarm.uncarried.as_ref().map(|why| format!("alarm {} ({why})", alarm.name))
        });
        let settings = self.settings.uncarried.iter().chain(&self.settings.unknown);
        settings.cloned().chain(policies).chain(alarms).collect()
    }
}

/// Things to be deleted, each after what names it.
///
/// What would vanish with a scaling group is deleted before it by changes of its own: only what a
/// change deletes can its inverse make again.
#[derive(Debug, Default)]
pub(super) struct Removal<'a> {
    pub(super) makings: Vec<(&'a ScalingGroup, &'a Making)>,
    pub(super) listeners: Vec<(&'a ListenerKey, &'a ListenerSettings)>,
    pub(super) rules: Vec<(&'a RouteKey, &'a RuleSettings)>,
    pub(super) target_groups: Vec<(&'a TargetGroupName, &'a TargetGroupSettings)>,
    /// What is deleted, in a word.
    pub(super) what: &'static str,
}

impl Removal<'_> {
    /// Returns the stages, in order.
    pub(super) fn stages(&self) -> Vec<CloudStage> {
        let what = self.what;
        let stage = |title: String, changes| Stage::changes(title, changes);
        vec![
            stage(format!("delete the alarms of {what} scaling groups"), self.alarms()),
            stage("delete what scales them".to_owned(), self.policies()),
            stage("take off what they are fitted with".to_owned(), self.fittings()),
            stage("let go of what is held".to_owned(), self.processes()),
            stage(
                if self.rules.is_empty() {
                    format!("delete {what} listeners")
                } else {
                    format!("delete {what} listeners and rules")
                },
                self.listeners(),
            ),
            stage(format!("delete {what} scaling groups"), self.groups()),
            stage(
                format!("delete {what} target groups, which nothing names any more"),
                self.target_groups(),
            ),
        ]
    }

    fn alarms(&self) -> Vec<CloudChange> {
        let alarms = self.makings.iter().flat_map(|(_, making)| &making.alarms);
        let delete =
            |alarm: &Alarm| CloudChange::Alarm(Edit::delete(alarm.name.clone(), alarm.clone()));
        alarms.map(delete).collect()
    }

    fn policies(&self) -> Vec<CloudChange> {
        let of = |(group, making): &(&ScalingGroup, &Making)| {
            let name: &ScalingGroupName = &group.name;
            let policies = making.policies.iter().map(|policy| {
                let of = PolicyKey { group: name.clone(), policy: policy.name.clone() };
                CloudChange::Policy(Edit::delete(of, policy.clone()))
            });
            let schedules = making.schedules.iter().map(|schedule| {
                let of = (name.clone(), schedule.name.clone());
                CloudChange::Schedule(Edit::delete(of, schedule.clone()))
            });
            policies.chain(schedules).collect::<Vec<_>>()
        };
        self.makings.iter().flat_map(of).collect()
    }

    fn fittings(&self) -> Vec<CloudChange> {
        let of = |(group, making): &(&ScalingGroup, &Making)| {
            let fittings = making.fittings.iter().map(|(fitting, value)| {
                let of = FittingKey { group: group.name.clone(), fitting: fitting.clone() };
                CloudChange::Fitting(Edit::delete(of, value.clone()))
            });
            fittings.collect::<Vec<_>>()
        };
        self.makings.iter().flat_map(of).collect()
    }

    /// Resumes what is suspended, after all is gone that it could set off: a group that is made
    /// again has nothing suspended, and the way back must suspend it.
    fn processes(&self) -> Vec<CloudChange> {
        let groups = self.makings.iter().map(|(group, _)| group);
        let held = groups.filter(|group| !group.suspended.is_empty());
        held.map(|group| {
            let all = |suspended: bool| -> BTreeMap<Process, bool> {
                group.suspended.iter().map(|process| (*process, suspended)).collect()
            };
            CloudChange::Processes(Edit::new(group.name.clone(), all(true), all(false)))
        })
        .collect()
    }

    fn listeners(&self) -> Vec<CloudChange> {
        let delete = |(key, settings): &(&ListenerKey, &ListenerSettings)| {
            CloudChange::Listener(Edit::delete((*key).clone(), (*settings).clone()))
        };
        let delete_rule = |(key, settings): &(&RouteKey, &RuleSettings)| {
            CloudChange::Rule(Edit::delete((*key).clone(), (*settings).clone()))
        };
        let listeners = self.listeners.iter().map(delete);
        listeners.chain(self.rules.iter().map(delete_rule)).collect()
    }

    fn groups(&self) -> Vec<CloudChange> {
        let delete = |(group, making): &(&ScalingGroup, &Making)| {
            CloudChange::ScalingGroup(Edit::delete(group.name.clone(), making.settings.clone()))
        };
        self.makings.iter().map(delete).collect()
    }

    fn target_groups(&self) -> Vec<CloudChange> {
        let delete = |(name, settings): &(&TargetGroupName, &TargetGroupSettings)| {
            CloudChange::TargetGroup(Edit::delete((*name).clone(), (*settings).clone()))
        };
        self.target_groups.iter().map(delete).collect()
    }
}
