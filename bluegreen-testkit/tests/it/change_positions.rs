//! Where a change finds the world: one difference is enough for somebody else to have been there.

use bluegreen_core::change::{CloudChange, Edit};
use bluegreen_core::cloud::{CloudErrorKind, ReadScalingPolicies as _};
use bluegreen_core::model::{
    Actions, Capacity, DimensionValue, Fitting, FittingKey, GroupTag, HealthStrategy, Hold, Opaque,
    PolicyKey, Process, RunId, ScalingGroupName, TargetGroupName, tag_key,
};
use bluegreen_core::operation::Operation;
use bluegreen_core::plan::{Decision, UpgradeOptions};
use bluegreen_core::transaction::{Change as _, Position};
use bluegreen_testkit::{Fault, World};
use serde_json::json;

use crate::stage::{Scene, Verb};

type Touch = fn(&mut World);

async fn position(scene: &Scene, change: &CloudChange) -> Position {
    let found = CloudChange::observe(&[change], &scene.cloud).await;
    found.into_iter().next().expect("one for each").expect("it can be read")
}

/// Upgrades, and returns the changes that were made.
async fn upgraded(health: HealthStrategy) -> (Scene, Vec<CloudChange>) {
    let mut scene = Scene::example();
    scene.spec.health = health;
    let bluegreen = scene.bluegreen();
    let upgrade = Operation::Upgrade(UpgradeOptions::default());
    let prepared = bluegreen.prepare(&scene.spec, &upgrade).await.expect("it can be planned");
    let Decision::Run(plan) = prepared.decision() else { panic!("there is something to do") };
    let changes = plan.changes().map(|(_, change)| change.clone()).collect();
    let _done = bluegreen.execute(prepared).await.expect("nothing goes wrong");
    (scene, changes)
}

/// Checks where one change finds the world after each touch, alone.
async fn check(
    scene: &Scene,
    changes: &[CloudChange],
    is_it: fn(&CloudChange) -> bool,
    touches: &[(Touch, Position)],
) {
    let change = changes.iter().find(|one| is_it(one)).expect("it was made");
    assert_eq!(position(scene, change).await, Position::After, "{change}");
    let as_made = scene.world();
    for (number, (touch, wanted)) in touches.iter().enumerate() {
        scene.cloud.edit(touch);
        assert_ne!(scene.world(), as_made, "touch {number} changes nothing");
        assert_eq!(position(scene, change).await, *wanted, "{change}, touch {number}");
        scene.cloud.edit(|world| *world = as_made.clone());
    }
}

fn target_group(world: &mut World) -> &mut bluegreen_core::model::TargetGroupSettings {
    world.target_groups.get_mut(&TargetGroupName::new("nginx-http-green")).expect("it was made")
}

#[tokio::test(start_paused = true)]
async fn a_target_group_with_other_settings_is_half_made_and_one_of_another_run_is_not_ours() {
    let (scene, changes) = upgraded(HealthStrategy::default()).await;
    let is_it = |change: &CloudChange| matches!(change, CloudChange::TargetGroup(edit) if edit.of.as_str() == "nginx-http-green");
    let other_run = |world: &mut World| {
        target_group(world).tags.insert(tag_key::RUN.to_owned(), "another".to_owned());
    };
    check(
        &scene,
        &changes,
        is_it,
        &[
            (|world| target_group(world).details = Opaque::new(json!({})), Position::Partial),
            (|world| target_group(world).deregistration_delay *= 2, Position::Partial),
            (|world| target_group(world).port += 1, Position::Drifted),
            (|world| "HTTPS".clone_into(&mut target_group(world).protocol), Position::Drifted),
            (|world| drop(target_group(world).tags.remove(tag_key::RUN)), Position::Drifted),
            (other_run, Position::Drifted),
        ],
    )
    .await;
}

fn by_path() -> Opaque {
    Opaque::new(json!([{"Field": "path-pattern", "PathPatternConfig": {"Values": ["/api/*"]}}]))
}

fn rule(world: &mut World) -> &mut bluegreen_testkit::fake::RuleState {
    let balancers = world.load_balancers.values_mut();
    let mut rules =
        balancers.flat_map(|one| one.listeners.values_mut()).flat_map(|one| one.rules.values_mut());
    rules.find(|rule| rule.is_test()).expect("it was made")
}

#[tokio::test(start_paused = true)]
async fn a_test_rule_that_differs_in_one_thing_is_somebody_elses() {
    let (scene, changes) = upgraded(HealthStrategy::TestRule { sources: vec![] }).await;
    let elsewhere = |world: &mut World| {
        rule(world).actions = Actions::forward_to(TargetGroupName::new("nginx-https"));
    };
    let takes_others = |world: &mut World| {
        let text = rule(world).conditions.value().to_string();
        let text = text.replace("\"Values\":[\"", "\"Values\":[\"other-");
        rule(world).conditions = Opaque::new(serde_json::from_str(&text).expect("still JSON"));
    };
    check(
        &scene,
        &changes,
        |change| matches!(change, CloudChange::Rule(_)),
        &[
            (elsewhere, Position::Drifted),
            (takes_others, Position::Drifted),
            // One that takes other requests than those with a header, at the priority of ours.
            (|world| rule(world).conditions = by_path(), Position::Drifted),
            (|world| drop(rule(world).tags.remove(tag_key::RUN)), Position::Drifted),
        ],
    )
    .await;
}

fn listener(world: &mut World) -> &mut bluegreen_testkit::fake::ListenerState {
    let mut listeners =
        world.load_balancers.values_mut().flat_map(|one| one.listeners.values_mut());
    listeners.find(|one| one.tags.contains_key(tag_key::COLOR)).expect("it was made")
}

#[tokio::test(start_paused = true)]
async fn an_idle_listener_that_differs_in_one_thing_is_somebody_elses() {
    let (scene, changes) = upgraded(HealthStrategy::default()).await;
    let elsewhere = |world: &mut World| {
        listener(world).actions = Actions::forward_to(TargetGroupName::new("nginx-https"));
    };
    let other_run = |world: &mut World| {
        listener(world).tags.insert(tag_key::RUN.to_owned(), "another".to_owned());
    };
    check(
        &scene,
        &changes,
        |change| matches!(change, CloudChange::Listener(_)),
        &[
            (elsewhere, Position::Drifted),
            (|world| "HTTPS".clone_into(&mut listener(world).protocol), Position::Drifted),
            (other_run, Position::Drifted),
        ],
    )
    .await;
}

fn policy(world: &mut World) -> &mut bluegreen_core::model::Policy {
    let mut policies = green(world).policies.values_mut();
    policies.find(|policy| policy.counts_requests_of.is_some()).expect("it was made")
}

#[tokio::test(start_paused = true)]
async fn a_policy_that_differs_in_one_thing_is_somebody_elses() {
    let (scene, changes) = upgraded(HealthStrategy::default()).await;
    let counts = |change: &CloudChange| match change {
        CloudChange::Policy(edit) => {
            edit.after.as_ref().is_some_and(|policy| policy.counts_requests_of.is_some())
        }
        _ => false,
    };
    check(
        &scene,
        &changes,
        counts,
        &[
            (|world| policy(world).counts_requests_of = None, Position::Drifted),
            (|world| policy(world).details = Opaque::new(json!({"target": 1})), Position::Drifted),
        ],
    )
    .await;
}

fn alarm(world: &mut World) -> &mut bluegreen_core::model::Alarm {
    let mut alarms = world.alarms.values_mut();
    alarms.find(|alarm| alarm.name.as_str().ends_with("-green")).expect("it was made")
}

#[tokio::test(start_paused = true)]
async fn an_alarm_that_differs_in_one_thing_is_somebody_elses() {
    let (scene, changes) = upgraded(HealthStrategy::default()).await;
    let measures_another = |world: &mut World| {
        alarm(world).dimensions[0].value =
            DimensionValue::ScalingGroup(ScalingGroupName::new("another"));
    };
    check(
        &scene,
        &changes,
        |change| matches!(change, CloudChange::Alarm(_)),
        &[
            (measures_another, Position::Drifted),
            (|world| alarm(world).sets_off.clear(), Position::Drifted),
            (
                |world| alarm(world).details = Opaque::new(json!({"threshold": 1})),
                Position::Drifted,
            ),
        ],
    )
    .await;
}

fn green(world: &mut World) -> &mut bluegreen_testkit::fake::ScalingGroupState {
    let name = ScalingGroupName::new("nginx-live-green");
    world.scaling_groups.get_mut(&name).expect("it was made")
}

fn tag(world: &mut World, key: &str, value: String) {
    green(world).tags.insert(key.to_owned(), GroupTag { value, propagate: false });
}

#[tokio::test(start_paused = true)]
async fn a_scaling_group_that_differs_in_one_thing_is_somebody_elses() {
    let (scene, changes) = upgraded(HealthStrategy::default()).await;
    let launches_another = |world: &mut World| {
        green(world).launch = bluegreen_testkit::fake::template("nginx", 9);
    };
    check(
        &scene,
        &changes,
        |change| matches!(change, CloudChange::ScalingGroup(_)),
        &[
            (|world| tag(world, tag_key::RUN, "another".to_owned()), Position::Drifted),
            (|world| drop(green(world).tags.remove(tag_key::RUN)), Position::Drifted),
            (launches_another, Position::Drifted),
            (|world| drop(green(world).target_groups.pop_first()), Position::Drifted),
        ],
    )
    .await;
}

/// The name of a run that nobody began.
const LATER: &str = "01m89gmv70405aw4430kc9sy2w";

fn held(world: &mut World, run: &str, kept: &[Process]) {
    let hold = Hold { run: RunId::new(run), kept: kept.iter().copied().collect() };
    tag(world, tag_key::HOLD, hold.to_string());
}

#[tokio::test(start_paused = true)]
async fn a_hold_of_a_later_run_is_as_good_and_one_of_nobody_is_not() {
    let (scene, changes) = upgraded(HealthStrategy::default()).await;
    check(
        &scene,
        &changes,
        |change| matches!(change, CloudChange::Hold(_)),
        &[
            (|world| held(world, LATER, &[]), Position::After),
            (|world| held(world, LATER, &[Process::AlarmNotification]), Position::Drifted),
            (|world| held(world, "somebody", &[]), Position::Drifted),
            (|world| held(world, "01m89gmv70405aw4430kc9sy-w", &[]), Position::Drifted),
            (|world| drop(green(world).tags.remove(tag_key::HOLD)), Position::Before),
        ],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn what_scaling_chose_within_the_old_bounds_is_kept_within_the_new_ones() {
    let scene = Scene::before(Verb::Scaledown).await;
    let name = ScalingGroupName::new("nginx-live");
    let set = |capacity: Capacity| {
        scene.cloud.edit(|world| {
            world.scaling_groups.get_mut(&name).expect("it is there").capacity = capacity;
        });
    };
    let (before, after) = (Capacity::new(1, 3, 6), Capacity::new(2, 4, 8));
    for (found, wanted) in [(5, 5), (1, 2), (3, 4)] {
        set(Capacity::new(1, found, 6));
        let change = CloudChange::Capacity(Edit::new(name.clone(), before, after));
        change.apply(&scene.cloud).await.expect("nothing serves here");
        assert_eq!(scene.world().scaling_groups[&name].capacity, Capacity::new(2, wanted, 8));
    }
}

#[tokio::test(start_paused = true)]
async fn a_size_within_the_same_bounds_is_somebody_elses_where_the_size_alone_is_changed() {
    let scene = Scene::before(Verb::Deploy).await;
    let name = ScalingGroupName::new("nginx-live");
    let of = |before, after| CloudChange::Capacity(Edit::new(name.clone(), before, after));
    let set = |capacity: Capacity| {
        scene.cloud.edit(|world| {
            world.scaling_groups.get_mut(&name).expect("it is there").capacity = capacity;
        });
    };
    let (three, five) = (Capacity::new(1, 3, 6), Capacity::new(1, 5, 6));
    let (stop, grow) = (of(three, Capacity::ZERO), of(three, five));
    set(Capacity::new(1, 4, 6));
    assert_eq!(position(&scene, &grow).await, Position::Drifted);
    // It scaled by itself, and is still to be stopped.
    assert_eq!(position(&scene, &stop).await, Position::Before);
    set(Capacity::new(2, 4, 6));
    assert_eq!(position(&scene, &stop).await, Position::Drifted);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_read_is_not_taken_for_absent() {
    let scene = Scene::before(Verb::Deploy).await;
    let green = ScalingGroupName::new("nginx-live-green");
    let policies = scene.cloud.policies(&green).await.expect("they can be read");
    let policy = PolicyKey { group: green.clone(), policy: policies[0].name.clone() };
    let schedules = scene.cloud.schedules(&green).await.expect("they can be read");
    let schedule = (green.clone(), schedules[0].name.clone());
    let pool = FittingKey { group: green.clone(), fitting: Fitting::WarmPool };
    let made = Opaque::new(json!({"MinSize": "1"}));
    for (method, change) in [
        ("policies", CloudChange::Policy(Edit::delete(policy, policies[0].clone()))),
        ("schedules", CloudChange::Schedule(Edit::delete(schedule, schedules[0].clone()))),
        ("fittings", CloudChange::Fitting(Edit::create(pool, made))),
    ] {
        scene.cloud.fault_on(method, 0, Fault::Deny);
        let found = CloudChange::observe(&[&change], &scene.cloud).await.remove(0);
        let error = found.expect_err("nobody may look");
        assert_eq!(error.kind(), CloudErrorKind::Denied, "{change}");
        let inverse = change.inverse();
        scene.cloud.fault_on(method, 0, Fault::Deny);
        assert!(CloudChange::observe(&[&inverse], &scene.cloud).await.remove(0).is_err());
    }
    let nobody = ScalingGroupName::new("nobody");
    let policy = PolicyKey { group: nobody.clone(), policy: policies[0].name.clone() };
    let schedule = (nobody, schedules[0].name.clone());
    for delete in [
        CloudChange::Policy(Edit::delete(policy, policies[0].clone())),
        CloudChange::Schedule(Edit::delete(schedule, schedules[0].clone())),
    ] {
        assert_eq!(position(&scene, &delete).await, Position::After, "{delete}, of no group");
        assert_eq!(position(&scene, &delete.inverse()).await, Position::Before);
    }
    let gone = FittingKey { group: ScalingGroupName::new("nobody"), fitting: Fitting::WarmPool };
    let change = CloudChange::Fitting(Edit::delete(gone, Opaque::new(json!({"MinSize": "1"}))));
    assert_eq!(position(&scene, &change).await, Position::After, "no group, no warm pool");
}
