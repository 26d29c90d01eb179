use std::collections::BTreeMap;

use super::{Findings, Making, Orphan};
use crate::change::{CloudChange, Edit};
use crate::model::{
    EnvironmentName, FittingKey, PolicyKey, Process, ResourceKey, ScalingGroupName,
};
use crate::plan::{CloudStage, Decision, Refusal, checked};
use crate::transaction::Stage;

/// Plans to delete those orphans of an environment that may be deleted, each after what names it.
///
/// What would vanish with a scaling group is deleted before it by changes of its own: only what a
/// change deletes can its inverse make again.
pub fn delete_orphans(
    environment: &EnvironmentName,
    orphans: &[Orphan],
    findings: &Findings,
) -> Result<Decision, Refusal> {
    let ours: Vec<&Orphan> =
        orphans.iter().filter(|one| one.environment.as_ref() == Some(environment)).collect();
    let deletion = Deletion {
        findings,
        orphans: ours.iter().filter(|one| one.is_deletable()).copied().collect(),
    };
    if deletion.orphans.is_empty() {
        let why = if ours.is_empty() {
            "there are no orphans of it"
        } else {
            "none of its orphans may be deleted"
        };
        return Ok(Decision::Nothing(why.to_owned()));
    }
    checked(vec![
        Stage::changes("delete the alarms of orphaned scaling groups", deletion.alarms()),
        Stage::changes("delete what scales them", deletion.policies()),
        Stage::changes("take off what they are fitted with", deletion.fittings()),
        Stage::changes("let go of what is held", deletion.processes()),
        deletion.listeners(),
        deletion.groups(),
        deletion.target_groups(),
    ])
}

struct Deletion<'a> {
    findings: &'a Findings,
    orphans: Vec<&'a Orphan>,
}

impl Deletion<'_> {
    fn alarms(&self) -> Vec<CloudChange> {
        let alarms = self.makings().flat_map(|(_, making)| &making.alarms);
        alarms
            .map(|alarm| CloudChange::Alarm(Edit::delete(alarm.name.clone(), alarm.clone())))
            .collect()
    }

    fn policies(&self) -> Vec<CloudChange> {
        let of = |(group, making): (&ScalingGroupName, &Making)| {
            let policies = making.policies.iter().map(|policy| {
                let of = PolicyKey { group: group.clone(), policy: policy.name.clone() };
                CloudChange::Policy(Edit::delete(of, policy.clone()))
            });
            let schedules = making.schedules.iter().map(|schedule| {
                let of = (group.clone(), schedule.name.clone());
                CloudChange::Schedule(Edit::delete(of, schedule.clone()))
            });
            policies.chain(schedules).collect::<Vec<_>>()
        };
        self.makings().flat_map(of).collect()
    }

    fn fittings(&self) -> Vec<CloudChange> {
        let of = |(group, making): (&ScalingGroupName, &Making)| {
            let fittings = making.fittings.iter().map(|(fitting, value)| {
                let of = FittingKey { group: group.clone(), fitting: fitting.clone() };
                CloudChange::Fitting(Edit::delete(of, value.clone()))
            });
            fittings.collect::<Vec<_>>()
        };
        self.makings().flat_map(of).collect()
    }

    /// Resumes what is suspended, after all is gone that it could set off: a group that is made
    /// again has nothing suspended, and the way back must suspend it.
    fn processes(&self) -> Vec<CloudChange> {
        let held = self.findings.groups.iter().filter(|group| {
            !group.suspended.is_empty() && self.makings().any(|(name, _)| *name == group.name)
        });
        held.map(|group| {
            let all = |suspended: bool| -> BTreeMap<Process, bool> {
                group.suspended.iter().map(|process| (*process, suspended)).collect()
            };
            CloudChange::Processes(Edit::new(group.name.clone(), all(true), all(false)))
        })
        .collect()
    }

    fn listeners(&self) -> CloudStage {
        let changes = self.orphans.iter().filter_map(|orphan| match &orphan.resource {
            ResourceKey::Listener(key) => {
                let (settings, _) = self.findings.listeners.get(key)?;
                Some(CloudChange::Listener(Edit::delete(key.clone(), settings.clone())))
            }
            _ => None,
        });
        Stage::changes("delete orphaned listeners", changes.collect())
    }

    fn groups(&self) -> CloudStage {
        let changes = self.makings().map(|(name, making)| {
            CloudChange::ScalingGroup(Edit::delete(name.clone(), making.settings.clone()))
        });
        Stage::changes("delete orphaned scaling groups", changes.collect())
    }

    fn target_groups(&self) -> CloudStage {
        let changes = self.orphans.iter().filter_map(|orphan| match &orphan.resource {
            ResourceKey::TargetGroup(name) => {
                let (settings, _) = self.findings.target_groups.get(name)?;
                Some(CloudChange::TargetGroup(Edit::delete(name.clone(), settings.clone())))
            }
            _ => None,
        });
        Stage::changes(
            "delete orphaned target groups, which nothing names any more",
            changes.collect(),
        )
    }

    /// Returns the scaling groups that are to be deleted.
    fn makings(&self) -> impl Iterator<Item = (&ScalingGroupName, &Making)> {
        self.orphans.iter().filter_map(|orphan| match &orphan.resource {
            ResourceKey::ScalingGroup(name) => self.findings.makings.get_key_value(name),
            _ => None,
        })
    }
}
