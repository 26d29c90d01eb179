//! Who holds an idle colour, and letting go of what nobody holds any more.

use std::collections::{BTreeMap, BTreeSet};

use super::{CloudStage, Decision, Refusal, checked, processes};
use crate::change::{CloudChange, Edit};
use crate::model::{
    Color, Environment, Hold, Liveness, Process, RunId, ScalingGroup, ScalingGroupName, tag_key,
};
use crate::transaction::{Stage, Work};

/// A hold on the colour that serves: whoever made it did not come to release it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpiredHold {
    /// The colour.
    pub color: Color,
    /// The group.
    pub group: ScalingGroupName,
    /// The hold.
    pub hold: Hold,
}

/// Returns the hold on the colour that serves, if there is one.
///
/// The idle colour is held for as long as it is idle, by whatever run made it so.
pub fn expired_hold(environment: &Environment) -> Option<ExpiredHold> {
    let color = match environment.liveness() {
        _ if !environment.is_upgraded() => Color::Blue,
        Liveness::Live(color) => color,
        Liveness::Split => return None,
    };
    let group = &environment.side(color)?.group;
    let hold = group.hold()?;
    Some(ExpiredHold { color, group: group.name.clone(), hold })
}

/// Plans to let go of an expired hold; returns the environment as it is then.
pub(crate) fn sweep(environment: &Environment) -> (Environment, Option<CloudStage>) {
    let mut swept = environment.clone();
    let Some(ExpiredHold { color, hold, .. }) = expired_hold(environment) else {
        return (swept, None);
    };
    let side = match color {
        Color::Blue => Some(&mut swept.blue),
        Color::Green => swept.green.as_mut(),
    };
    let Some(group) = side.map(|side| &mut side.group) else { return (swept, None) };
    group.tags.remove(tag_key::HOLD);
    let note = Edit::delete(group.name.clone(), hold.clone());
    let mut changes = vec![CloudChange::Hold(note)];
    // Names whatever could be held, as every change does that holds a group or lets go of it: they
    // may follow on each other.
    let is_theirs = |process: &Process| hold.kept.contains(process);
    let release = processes(group, |one| group.suspended.contains(&one) && is_theirs(&one));
    if let Some(release) = release {
        changes.push(release);
        group.suspended.retain(|one| !Process::HELD_ON_IDLE.contains(one) || is_theirs(one));
    }
    let title = format!("let go of {color}, which run {} still holds", hold.run);
    (swept, Some(Stage::changes(title, changes)))
}

/// Notes next to every change that holds a group, or lets go of it, who does.
///
/// `first` comes before everything else.
pub(crate) fn signed(
    decision: Decision,
    environment: &Environment,
    run: &RunId,
    first: Option<CloudStage>,
) -> Result<Decision, Refusal> {
    let stages = match (decision, &first) {
        (Decision::Run(plan), _) => plan.into_stages(),
        (Decision::Nothing(_), Some(_)) => Vec::new(),
        (nothing, None) => return Ok(nothing),
    };
    let mut notes: BTreeMap<ScalingGroupName, Option<Hold>> = BTreeMap::new();
    let sign = |mut stage: CloudStage| {
        if let Work::Changes(changes) = &mut stage.work {
            let signed: Vec<CloudChange> =
                changes.iter().filter_map(|one| note(one, environment, run, &mut notes)).collect();
            changes.extend(signed);
        }
        stage
    };
    let stages: Vec<CloudStage> = stages.into_iter().map(sign).collect();
    checked(first.into_iter().chain(stages).collect())
}

/// Returns the note that goes with a change, if it holds a group or lets go of it.
fn note(
    change: &CloudChange,
    environment: &Environment,
    run: &RunId,
    notes: &mut BTreeMap<ScalingGroupName, Option<Hold>>,
) -> Option<CloudChange> {
    let CloudChange::Processes(edit) = change else { return None };
    let group = group(environment, &edit.of);
    let found = || group.and_then(ScalingGroup::hold);
    let before = notes.get(&edit.of).cloned().unwrap_or_else(found);
    let is_held = Process::HELD_ON_IDLE.iter().all(|one| edit.after.get(one) == Some(&true));
    let after = match (&before, is_held) {
        (Some(note), true) => Some(note.clone()),
        (None, true) => {
            let suspended = |one: &Process| edit.before.get(one) == Some(&true);
            let kept = match group {
                Some(_) => Process::HELD_ON_IDLE.into_iter().filter(suspended).collect(),
                // A clone, whose original says what is not ours.
                None => kept_by(&environment.blue.group),
            };
            Some(Hold { run: run.clone(), kept })
        }
        (_, false) => None,
    };
    notes.insert(edit.of.clone(), after.clone());
    (before != after).then(|| CloudChange::Hold(Edit::new(edit.of.clone(), before, after)))
}

fn kept_by(original: &ScalingGroup) -> BTreeSet<Process> {
    let held = Process::HELD_ON_IDLE.into_iter();
    held.filter(|process| original.suspended.contains(process)).collect()
}

fn group<'a>(environment: &'a Environment, name: &ScalingGroupName) -> Option<&'a ScalingGroup> {
    environment.sides().map(|(_, side)| &side.group).find(|group| group.name == *name)
}
