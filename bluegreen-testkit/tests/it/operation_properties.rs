//! What the operations promise, over worlds, faults, crashes and other people's hands.

use bluegreen_core::model::{HealthStrategy, ScalingGroupName, TargetGroupName};
use bluegreen_core::operation::{Done, OperationError, OperationErrorKind};
use bluegreen_core::plan::Decision;
use bluegreen_core::transaction::{Change as _, Ending};
use bluegreen_testkit::invariant::{
    both_colors_stay_checked, every_route_has_a_healthy_target, is_sound,
    nothing_of_others_is_deleted,
};
use bluegreen_testkit::strategy::{STACK, any_faults, any_meddle, any_world};
use bluegreen_testkit::{FakeCloud, Fault, MemoryStore, World};
use proptest::prelude::*;

use crate::stage::{Scene, Verb, calm, on_virtual_time};

fn any_verb() -> impl Strategy<Value = Verb> {
    prop::sample::select(Verb::ALL.to_vec())
}

/// Any way to keep both colours checked.
fn any_health() -> impl Strategy<Value = HealthStrategy> {
    prop_oneof![
        2 => Just(HealthStrategy::IdleListener),
        1 => Just(HealthStrategy::WeightZero { cuts_connections: false }),
        1 => Just(HealthStrategy::TestRule { sources: vec![] }),
    ]
}

/// Any world on which everything has been done that comes before `verb`, in any way that fits it:
/// sticky clients are moved by no weight.
async fn scene_before(world: World, verb: Verb, health: HealthStrategy) -> Scene {
    let is_sticky = world.routes().any(|(_, actions)| {
        actions.forward().is_some_and(|forward| forward.stickiness().is_some())
    });
    let mut scene = Scene::new(FakeCloud::new(world));
    scene.spec.health = match health {
        HealthStrategy::WeightZero { .. } if is_sticky => HealthStrategy::IdleListener,
        health => health,
    };
    scene.spec.scaling_group = ScalingGroupName::new(STACK);
    for earlier in Verb::ALL.into_iter().take_while(|earlier| *earlier != verb) {
        scene.must(earlier).await;
    }
    scene
}

fn committed(end: &Result<Done, OperationError>) -> bool {
    matches!(end, Ok(Done::Ran(outcome)) if outcome.ending == Ending::Committed)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(700))]

    #[test]
    fn an_operation_is_all_or_nothing(
        world in any_world(),
        verb in any_verb(),
        health in any_health(),
        faults in any_faults(12),
        room in 0..60usize,
    ) {
        on_virtual_time(async {
            let scene = scene_before(world, verb, health).await;
            let before = scene.world();
            scene.cloud.script(faults);
            let scene = scene.with_store(MemoryStore::dying_after(room));
            let first = scene.operate(verb).await;
            scene.cloud.script([]);
            let second = scene.of_another_process();
            let ends = second.recover().await;
            calm().await;
            let is_in_place = committed(&first) || ends.iter().any(committed);
            prop_assert!(ends.iter().all(Result::is_ok), "{first:?} {ends:?}");
            prop_assert_eq!(scene.world() != before, is_in_place, "{:?} {:?}", first, ends);
            prop_assert_eq!(every_route_has_a_healthy_target(&scene.cloud.history()), Ok(()));
            prop_assert_eq!(nothing_of_others_is_deleted(&before, &scene.world()), Ok(()));
            prop_assert_eq!(is_sound(&scene.world()), Ok(()));
            Ok(())
        })?;
    }

    #[test]
    fn other_people_are_left_alone_and_said_so(
        world in any_world(),
        verb in any_verb(),
        health in any_health(),
        nth in 0..12usize,
        meddle in any_meddle(),
    ) {
        on_virtual_time(async {
            let scene = scene_before(world, verb, health).await;
            scene.cloud.fault_at_write(nth, Fault::Meddle(meddle));
            let end = scene.operate(verb).await;
            calm().await;
            match &end {
                Ok(_) => {}
                Err(error) => prop_assert!(
                    error.kind() != OperationErrorKind::Dirty || !error.left().is_empty(),
                    "{:?} says nothing about what is left", error
                ),
            }
            Ok(())
        })?;
    }

    #[test]
    fn both_colours_stay_checked_through_a_switch(
        world in any_world(),
        health in any_health(),
        faults in any_faults(8),
    ) {
        on_virtual_time(async {
            let scene = scene_before(world, Verb::Switch, health).await;
            let environment = scene.environment().await;
            let names: std::collections::BTreeSet<TargetGroupName> = environment
                .pairs
                .iter()
                .flat_map(|pair| [pair.blue.clone(), pair.green.clone()])
                .collect();
            let from = scene.cloud.history().len();
            scene.cloud.script(faults);
            let _end = scene.operate(Verb::Switch).await;
            let history = scene.cloud.history().split_off(from);
            prop_assert_eq!(both_colors_stay_checked(&history, &names), Ok(()));
            Ok(())
        })?;
    }

    #[test]
    fn a_plan_is_made_of_changes_that_can_be_taken_back(
        world in any_world(),
        verb in any_verb(),
        health in any_health(),
    ) {
        on_virtual_time(async {
            let scene = scene_before(world, verb, health).await;
            let (_, decision) =
                scene.bluegreen().plan(&scene.spec, &Scene::operation(verb)).await.expect("a plan");
            let Decision::Run(plan) = decision else { return Ok(()) };
            for (_, change) in plan.changes() {
                let inverse = change.inverse();
                prop_assert_eq!(&inverse.inverse(), change);
                prop_assert!(change.follows(&inverse) && inverse.follows(change));
                let text = serde_json::to_string(change).expect("a change is plain data");
                let back: bluegreen_core::change::CloudChange =
                    serde_json::from_str(&text).expect("what was written can be read");
                prop_assert_eq!(&back, change);
            }
            Ok(())
        })?;
    }
}
