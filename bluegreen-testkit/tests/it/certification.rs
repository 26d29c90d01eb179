//! What a rollback says of things that are not as before: field by field, and no field too many.

use std::time::Duration;

use bluegreen_core::model::{
    Actions, Capacity, Forward, ImageId, ListenerKey, LoadBalancerName, Process, RouteKey,
    ScalingGroupName, Stickiness, TargetGroupName,
};
use bluegreen_core::operation::{OperationError, OperationErrorKind};
use bluegreen_core::plan::{SwitchOptions, Waits};
use bluegreen_core::transaction::{Ending, Recovery, RunErrorKind};
use bluegreen_testkit::World;
use bluegreen_testkit::fault::Fault;
use bluegreen_testkit::flags::{FlagChange, Flags};
use bluegreen_testkit::journal::MemoryStore;

use crate::gated::{GatedStage, Play, plan, values};
use crate::stage::{Scene, Verb};

fn green() -> ScalingGroupName {
    ScalingGroupName::new("nginx-live-green")
}

/// What is left, with every difference in words.
fn said(error: &OperationError) -> Vec<(String, Vec<String>)> {
    let left = error.left().iter().filter(|left| !left.differences.is_empty());
    left.map(|left| {
        let differences = left.differences.iter().map(ToString::to_string).collect();
        (left.change.clone(), differences)
    })
    .collect()
}

/// Deploys a sick version, and lets somebody edit the world once `is_time`.
async fn deploy_meanwhile(
    scene: &Scene,
    is_time: impl Fn(&World) -> bool,
    edit: impl Fn(&mut World),
) -> OperationError {
    scene.cloud.break_image(&ImageId::new("ami-0b"));
    let cloud = scene.cloud.clone();
    let meddles = async move {
        while !is_time(&cloud.world()) {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        tokio::time::sleep(Duration::from_secs(30)).await;
        cloud.edit(|world| edit(world));
    };
    let (end, ()) = tokio::join!(scene.operate(Verb::Deploy), meddles);
    end.expect_err("it never gets healthy")
}

fn is_started(world: &World) -> bool {
    world.scaling_groups[&green()].capacity != Capacity::ZERO
}

#[tokio::test(start_paused = true)]
async fn every_bound_that_differs_is_listed_and_no_other() {
    let cases: [(Capacity, &[&str]); 5] = [
        (Capacity::new(0, 0, 9), &["max should be 0, is 9"]),
        (Capacity::new(0, 2, 9), &["desired should be 0, is 2", "max should be 0, is 9"]),
        (
            Capacity::new(1, 1, 1),
            &["desired should be 0, is 1", "max should be 0, is 1", "min should be 0, is 1"],
        ),
        (
            Capacity::new(2, 3, 7),
            &["desired should be 0, is 3", "max should be 0, is 7", "min should be 0, is 2"],
        ),
        (
            Capacity::new(3, 3, 6),
            &["desired should be 0, is 3", "max should be 0, is 6", "min should be 0, is 3"],
        ),
    ];
    for (theirs, differences) in cases {
        let scene = Scene::before(Verb::Deploy).await;
        let resize = |world: &mut World| {
            world.scaling_groups.get_mut(&green()).unwrap().capacity = theirs;
        };
        let error = deploy_meanwhile(&scene, is_started, resize).await;
        assert_eq!(error.kind(), OperationErrorKind::Dirty, "{theirs:?}: {error}");
        let said = said(&error);
        assert_eq!(said.len(), 1, "{said:?}");
        assert!(said[0].0.contains("size of nginx-live-green"), "{said:?}");
        assert_eq!(said[0].1, differences, "{theirs:?}");
        assert_eq!(scene.world().scaling_groups[&green()].capacity, theirs, "it is left alone");
    }
}

#[tokio::test(start_paused = true)]
async fn a_size_within_the_same_bounds_is_nothing_that_somebody_did() {
    // That is what scaling policies are for.
    let scene = Scene::before(Verb::Deploy).await;
    let before = scene.world();
    let grow = |world: &mut World| {
        world.scaling_groups.get_mut(&green()).unwrap().capacity.desired = 5;
    };
    let error = deploy_meanwhile(&scene, is_started, grow).await;
    assert_eq!(error.kind(), OperationErrorKind::RolledBack, "{error}");
    assert_eq!(scene.world(), before);
}

#[tokio::test(start_paused = true)]
async fn what_is_gone_is_one_difference() {
    let scene = Scene::before(Verb::Deploy).await;
    let delete = |world: &mut World| drop(world.scaling_groups.remove(&green()));
    let error = deploy_meanwhile(&scene, is_started, delete).await;
    assert_eq!(error.kind(), OperationErrorKind::Dirty, "{error}");
    let said = said(&error);
    assert!(!said.is_empty(), "{error:?}");
    for (change, differences) in said {
        assert_eq!(differences, ["should be there, is absent"], "{change}");
    }
}

/// Switches, and lets somebody edit the world as soon as every route is switched; then green may
/// get sick.
async fn switch_meanwhile(
    scene: &Scene,
    gets_sick: bool,
    edit: impl Fn(&mut World),
) -> OperationError {
    let before = scene.world();
    let cloud = scene.cloud.clone();
    let meddles = async move {
        while routes_of(&cloud.world(), "nginx-http-green") < 3 {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        cloud.edit(|world| edit(world));
        for instance in cloud.instances(&green()).iter().filter(|_| gets_sick) {
            cloud.break_instance(&instance.id, true);
        }
    };
    let waits = Waits { poll: Duration::from_secs(30), ..Waits::default() };
    let bluegreen = scene.bluegreen();
    let switch = bluegreen.switch(&scene.spec, SwitchOptions::default().with_waits(waits));
    let (end, ()) = tokio::join!(switch, meddles);
    assert_ne!(scene.world(), before);
    end.expect_err("somebody was there")
}

/// How many routes send anything to a target group, its idle listener counted.
fn routes_of(world: &World, name: &str) -> usize {
    let name = TargetGroupName::new(name);
    let sends = |actions: &Actions| {
        actions.forward().is_some_and(|forward| forward.weights().contains_key(&name))
    };
    world.routes().filter(|(_, actions)| sends(actions)).count()
}

#[tokio::test(start_paused = true)]
async fn every_weight_and_setting_of_a_route_that_differs_is_listed() {
    let scene = Scene::before(Verb::Switch).await;
    let route = RouteKey {
        listener: ListenerKey::new(LoadBalancerName::new("nginx-live"), 80),
        priority: None,
    };
    let key = route.clone();
    let split = move |world: &mut World| {
        let weights = [("nginx-http", 30), ("nginx-http-green", 70)]
            .map(|(name, weight)| (TargetGroupName::new(name), weight));
        let sticky = Some(Stickiness { seconds: Some(90) });
        let forward = Forward::new(weights.into(), sticky).expect("it sends somewhere");
        let actions = world.actions_mut(&key).expect("it is there");
        *actions = actions.with_forward(&forward);
    };
    let error = switch_meanwhile(&scene, true, split).await;
    assert_eq!(error.kind(), OperationErrorKind::Dirty, "{error}");
    let said = said(&error);
    assert_eq!(said.len(), 1, "{said:?}");
    let mut fields: Vec<&str> =
        said[0].1.iter().filter_map(|text| Some(text.split_once(" should be ")?.0)).collect();
    fields.sort_unstable();
    // The weights of both, and the stickiness: nothing of the listener's other settings.
    assert_eq!(fields.len(), 3, "{said:?}");
    assert!(fields.iter().any(|field| field.ends_with("nginx-http-green")), "{said:?}");
    assert!(fields.iter().any(|field| field.ends_with("nginx-http")), "{said:?}");
    assert!(fields.iter().any(|field| field.contains("stickiness")), "{said:?}");
    assert_eq!(
        scene.world().actions(&route).unwrap().forward().unwrap().weights().values().sum::<u32>(),
        100,
        "it is left alone"
    );
}

#[tokio::test(start_paused = true)]
async fn only_the_process_that_somebody_held_is_listed() {
    let scene = Scene::before(Verb::Switch).await;
    let hold = |world: &mut World| {
        let group = world.scaling_groups.get_mut(&ScalingGroupName::new("nginx-live")).unwrap();
        group.suspended = [Process::AlarmNotification].into();
    };
    let error = switch_meanwhile(&scene, false, hold).await;
    assert_eq!(error.kind(), OperationErrorKind::RolledBack, "{error}");
    assert!(error.to_string().contains("(AlarmNotification should be false, is true)"), "{error}");
    assert_eq!(said(&error), []);
}

#[tokio::test(start_paused = true)]
async fn what_changes_between_the_way_back_and_the_last_look_is_found_and_listed() {
    let (flags, store) = (Flags::new(values(&[("a", 3), ("b", 4)])), MemoryStore::new());
    // The answer to an inverse is lost: the last look comes after a pause.
    flags.script([Fault::None, Fault::Refuse, Fault::LoseReply]);
    let change =
        |flag: &str, old| GatedStage::changes("set", vec![FlagChange::new(flag, Some(old), None)]);
    let play = Play::new(&flags, &store);
    let of = flags.clone();
    let meddles = async move {
        while of.values().get("a") != Some(&3) || of.writes().len() < 2 {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        tokio::time::sleep(Duration::from_secs(20)).await;
        of.set("a", Some(8));
    };
    let (end, ()) = tokio::join!(play.run(plan(vec![change("a", 3), change("b", 4)])), meddles);
    let error = end.expect_err("it is not as before");
    assert_eq!(error.kind(), RunErrorKind::Dirty, "{error}");
    let [left] = error.left() else { panic!("one thing is left: {error:?}") };
    let differences: Vec<_> = left.differences.iter().map(ToString::to_string).collect();
    assert_eq!(differences, ["value should be 3, is 8"]);
    // A person puts it right.
    flags.set("a", Some(3));
    let second = Play::new(&flags, &store);
    assert_eq!(second.recovered(Recovery::by("second")).await, Ending::RolledBack);
}
