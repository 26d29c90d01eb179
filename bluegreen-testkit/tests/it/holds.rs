//! Holds that nobody came to release.

use std::collections::BTreeSet;

use bluegreen_core::change::CloudChange;
use bluegreen_core::model::{
    Actions, Color, GroupTag, Hold, Process, RunId, ScalingGroupName, TargetGroupName, tag_key,
};
use bluegreen_core::operation::Operation;
use bluegreen_core::plan::{Decision, SwitchOptions, expired_hold};

use crate::stage::{Scene, Verb};

const BLUE: &str = "nginx-live";

/// Holds the blue group, of which these processes had been suspended before.
fn hold(scene: &Scene, kept: &[Process], suspended: &[Process]) {
    let hold = Hold { run: RunId::new("01a"), kept: kept.iter().copied().collect() };
    let tag = GroupTag { value: hold.to_string(), propagate: false };
    scene.cloud.edit(|world| {
        let group = world.scaling_groups.get_mut(&ScalingGroupName::new(BLUE)).expect("blue");
        group.tags.insert(tag_key::HOLD.to_owned(), tag);
        group.suspended = suspended.iter().copied().collect();
    });
}

#[tokio::test(start_paused = true)]
async fn a_lone_colour_is_never_to_be_held_wherever_the_routes_go() {
    let scene = Scene::example();
    hold(&scene, &[], &Process::HELD_ON_IDLE);
    let mut environment = scene.environment().await;
    for to in ["nginx-http", "nginx-http-green", "somebody-else"] {
        for route in &mut environment.routes {
            route.actions = Actions::forward_to(TargetGroupName::new(to));
        }
        let expired = expired_hold(&environment).map(|one| (one.color, one.group));
        assert_eq!(expired, Some((Color::Blue, ScalingGroupName::new(BLUE))), "{to}");
    }
}

/// What a switch resumes of the live group, before anything else.
async fn resumed(scene: &Scene) -> BTreeSet<Process> {
    let operation = Operation::Switch(SwitchOptions::default());
    let (_, decision) = scene.bluegreen().plan(&scene.spec, &operation).await.expect("a plan");
    let Decision::Run(plan) = decision else { panic!("there is something to do") };
    let first = plan.changes().find_map(|(_, change)| match change {
        CloudChange::Processes(edit) if edit.of.as_str() == BLUE => Some(edit.clone()),
        _ => None,
    });
    let resumed = first.map(|edit| {
        let was_suspended = |process: &Process| edit.before[process] && !edit.after[process];
        edit.after.keys().copied().filter(was_suspended).collect()
    });
    resumed.unwrap_or_default()
}

#[tokio::test(start_paused = true)]
async fn only_what_a_hold_suspended_is_resumed_with_it() {
    use Process::{AlarmNotification, ScheduledActions};
    let both = [AlarmNotification, ScheduledActions];
    for (kept, suspended, wanted) in [
        (&[][..], &both[..], &both[..]),
        (&[AlarmNotification], &both, &[ScheduledActions]),
        (&[], &[AlarmNotification], &[AlarmNotification]),
        // Its owner suspended both, and both stay so.
        (&both, &both, &[]),
        (&[], &[], &[]),
    ] {
        let scene = Scene::before(Verb::Switch).await;
        hold(&scene, kept, suspended);
        let wanted: BTreeSet<_> = wanted.iter().copied().collect();
        assert_eq!(resumed(&scene).await, wanted, "kept {kept:?}, suspended {suspended:?}");
        // In the end it is idle, and held as such.
        scene.must(Verb::Switch).await;
        let blue = &scene.world().scaling_groups[&ScalingGroupName::new(BLUE)];
        assert!(both.iter().all(|process| blue.suspended.contains(process)), "kept {kept:?}");
        let kept_still = blue.tags.get(tag_key::HOLD).and_then(|tag| Hold::read(&tag.value));
        let kept: BTreeSet<_> = kept.iter().copied().collect();
        assert!(kept_still.is_none_or(|hold| hold.kept == kept), "kept {kept:?}");
    }
}
