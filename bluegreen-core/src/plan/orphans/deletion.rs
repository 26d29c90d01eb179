use super::{Findings, Orphan};
use crate::model::{EnvironmentName, ResourceKey};
use crate::plan::removal::Removal;
use crate::plan::{Decision, Refusal, checked};

/// Plans to delete those orphans of an environment that may be deleted, each after what names it.
pub fn delete_orphans(
    environment: &EnvironmentName,
    orphans: &[Orphan],
    findings: &Findings,
) -> Result<Decision, Refusal> {
    let ours: Vec<&Orphan> =
        orphans.iter().filter(|one| one.environment.as_ref() == Some(environment)).collect();
    if !ours.iter().any(|one| one.is_deletable()) {
        let why = if ours.is_empty() {
            "there are no orphans of it"
        } else {
            "none of its orphans may be deleted"
        };
        return Ok(Decision::Nothing(why.to_owned()));
    }
    let mut removal = Removal { what: "orphaned", ..Removal::default() };
    for orphan in ours.iter().filter(|one| one.is_deletable()) {
        match &orphan.resource {
            ResourceKey::Listener(key) => {
                let found = findings.listeners.get_key_value(key);
                removal.listeners.extend(found.map(|(key, (settings, _))| (key, settings)));
            }
            ResourceKey::TargetGroup(name) => {
                let found = findings.target_groups.get_key_value(name);
                removal.target_groups.extend(found.map(|(name, (settings, _))| (name, settings)));
            }
            ResourceKey::ScalingGroup(name) => {
                let group = findings.groups.iter().find(|group| group.name == *name);
                removal.makings.extend(group.zip(findings.makings.get(name)));
            }
            ResourceKey::LoadBalancer(_) => {}
        }
    }
    checked(removal.stages())
}
