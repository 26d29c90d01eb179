//! Taking a committed run back later.

mod gates;
mod planned;
mod serving;

use bluegreen_core::model::{Capacity, ScalingGroupName, tag_key};
use bluegreen_core::operation::{Done, OperationErrorKind};
use bluegreen_core::transaction::{Ending, Event, EventKind};
use bluegreen_testkit::invariant::every_route_has_a_healthy_target;

use crate::stage::{Scene, Verb, calm};

fn committed(end: &Result<Done, bluegreen_core::operation::OperationError>) -> bool {
    matches!(end, Ok(Done::Ran(outcome)) if outcome.ending == Ending::Committed)
}

fn green() -> ScalingGroupName {
    ScalingGroupName::new("nginx-live-green")
}

#[tokio::test(start_paused = true)]
async fn an_undone_run_leaves_everything_as_it_was_before() {
    for verb in Verb::ALL {
        let scene = Scene::before(verb).await;
        let before = scene.world();
        scene.must(verb).await;
        assert_ne!(scene.world(), before, "{verb:?}");
        let end = scene.undo_last().await;
        assert!(committed(&end), "{verb:?}: {end:?}");
        calm().await;
        assert_eq!(scene.world(), before, "{verb:?}");
        assert_eq!(every_route_has_a_healthy_target(&scene.cloud.history()), Ok(()), "{verb:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_undone_undo_is_the_run_again() {
    for verb in [Verb::Deploy, Verb::Switch, Verb::Scaledown] {
        let scene = Scene::before(verb).await;
        scene.must(verb).await;
        let sizes = |scene: &Scene| -> Vec<Capacity> {
            scene.world().scaling_groups.values().map(|group| group.capacity).collect()
        };
        let (after, live) = (sizes(&scene), scene.live().await);
        let end = scene.undo_last().await;
        assert!(committed(&end), "{verb:?}: {end:?}");
        let end = scene.undo_last().await;
        assert!(committed(&end), "{verb:?}: {end:?}");
        assert_eq!((sizes(&scene), scene.live().await), (after, live), "{verb:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_taken_back_already_is_nothing_to_do() {
    let scene = Scene::before(Verb::Switch).await;
    scene.must(Verb::Switch).await;
    let switch = scene.bluegreen().log().await.unwrap()[0].run.clone();
    scene.must(Verb::Switch).await;
    let end = scene.undo(switch).await;
    assert!(matches!(&end, Ok(Done::Nothing(why)) if why.contains("already")), "{end:?}");
}

#[tokio::test(start_paused = true)]
async fn what_others_changed_since_stops_an_undo_and_is_named_three_ways() {
    let scene = Scene::before(Verb::Deploy).await;
    scene.must(Verb::Deploy).await;
    scene.cloud.edit(|world| {
        if let Some(group) = world.scaling_groups.get_mut(&green()) {
            group.capacity = Capacity::new(2, 4, 9);
        }
    });
    let before = scene.world();
    let error = scene.undo_last().await.expect_err("somebody changed the size");
    assert_eq!(error.kind(), OperationErrorKind::NotStarted);
    let said: Vec<String> = error.overtaken().iter().map(ToString::to_string).collect();
    let max = "capacity of nginx-live-green, max: the run left 6, it is 9, before it was 0";
    assert!(said.iter().any(|line| line == max), "{said:?}");
    assert_eq!(scene.world(), before);
}

#[tokio::test(start_paused = true)]
async fn an_undo_never_takes_anything_from_the_colour_that_serves() {
    let scene = Scene::before(Verb::Switch).await;
    let deploy = scene.bluegreen().log().await.unwrap()[0].run.clone();
    let upgrade = scene.bluegreen().log().await.unwrap()[1].run.clone();
    scene.must(Verb::Switch).await;
    let before = scene.world();
    for run in [deploy, upgrade] {
        let error = scene.undo(run).await.expect_err("green serves");
        assert_eq!(error.kind(), OperationErrorKind::NotStarted, "{error}");
        assert_eq!(scene.world(), before);
    }
    assert_eq!(every_route_has_a_healthy_target(&scene.cloud.history()), Ok(()));
}

#[tokio::test(start_paused = true)]
async fn a_switch_is_not_undone_to_a_colour_that_was_stopped() {
    let scene = Scene::before(Verb::Scaledown).await;
    let switch = scene.bluegreen().log().await.unwrap()[0].run.clone();
    scene.must(Verb::Scaledown).await;
    let before = scene.world();
    let error = scene.undo(switch).await.expect_err("blue has no machines");
    assert_eq!(error.kind(), OperationErrorKind::NotStarted, "{error}");
    assert!(error.to_string().contains("healthy"), "{error}");
    assert_eq!(scene.world(), before);
}

#[tokio::test(start_paused = true)]
async fn only_what_is_committed_can_be_undone() {
    let scene = Scene::before(Verb::Deploy).await;
    scene.cloud.fault_at_write(0, bluegreen_testkit::Fault::Refuse);
    scene.operate(Verb::Deploy).await.expect_err("a change was refused");
    let error = scene.undo_last().await.expect_err("it was rolled back");
    assert!(error.to_string().contains("rolled-back"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_failed_undo_of_an_upgrade_makes_again_what_it_deleted_and_says_so() {
    let scene = Scene::before(Verb::Deploy).await;
    let before = scene.world();
    let kept = |world: &bluegreen_testkit::World| {
        (world.target_groups.clone(), world.load_balancers.clone(), world.alarms.clone())
    };
    // Everything but the tags has been taken back when this one is refused.
    let reference = Scene::before(Verb::Deploy).await;
    assert!(committed(&reference.undo_last().await));
    let writes = reference.cloud.calls().iter().filter(|call| call.mutating).count();
    scene.cloud.fault_at_write(writes - 1, bluegreen_testkit::Fault::Refuse);
    let error = scene.undo_last().await.expect_err("a change was refused");
    assert_eq!(error.kind(), OperationErrorKind::RolledBack, "{error}");
    assert_eq!(kept(&scene.world()), kept(&before));
    let green = &scene.world().scaling_groups[&green()];
    assert_eq!(green.tags[tag_key::COLOR].value, "green");
    assert!(
        error.remade().iter().any(|thing| thing == "scaling group nginx-live-green"),
        "{:?}",
        error.remade()
    );
}

#[tokio::test(start_paused = true)]
async fn what_was_not_deleted_is_not_said_to_be_made_again() {
    for verb in Verb::ALL {
        let reference = Scene::before(verb).await;
        reference.must(verb).await;
        let mut undone = 0;
        for call in 0..reference.cloud.calls().len() {
            let scene = Scene::before(verb).await;
            let cancel = scene.cancel.clone();
            scene.cloud.before_call(call, move |_| cancel.request());
            let Err(error) = scene.operate(verb).await else { continue };
            assert_eq!(error.remade(), [""; 0], "{verb:?}, cancelled at call {call}");
            let is_undone = |event: &Event| matches!(event.event, EventKind::Undone { .. });
            undone += scene.events.events().iter().filter(|event| is_undone(event)).count();
        }
        assert!(undone > 0, "nothing of {verb:?} was taken back");
    }
}
