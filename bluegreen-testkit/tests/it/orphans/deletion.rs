//! The deletion of orphans as a run: whole or not at all, and undone like any other.

use std::time::Duration;

use bluegreen_core::operation::OperationErrorKind;
use bluegreen_core::plan::{Decision, UndoOptions};
use bluegreen_core::transaction::{Change as _, Reversibility};
use bluegreen_testkit::invariant::{
    every_route_has_a_healthy_target, is_sound, nothing_of_others_is_deleted,
};
use bluegreen_testkit::journal::RecordFault;
use bluegreen_testkit::{Fault, World};

use super::{committed, dead_before_the_group, delete, found, nginx, renamed, unadopted};
use crate::stage::{Scene, Verb, calm};

#[tokio::test(start_paused = true)]
async fn a_colour_that_was_stopped_goes_with_all_that_scales_it_and_comes_back_whole() {
    let scene = Scene::before(Verb::Deploy).await;
    let (before, configured) = (scene.world(), [renamed(&scene)]);
    let (_, decision) = scene.bluegreen().plan_orphans(&configured, &nginx()).await.unwrap();
    let Decision::Run(plan) = decision else { panic!("there is something to do") };
    let titles: Vec<_> = plan.stages().iter().map(|stage| &*stage.title).collect();
    assert_eq!(
        titles,
        [
            "delete the alarms of orphaned scaling groups",
            "delete what scales them",
            "let go of what is held",
            "delete orphaned listeners",
            "delete orphaned scaling groups",
            "delete orphaned target groups, which nothing names any more",
        ]
    );
    for (_, change) in plan.changes().filter(|(_, one)| one.resource().contains("group ")) {
        assert_eq!(change.reversibility(), Reversibility::Equivalent, "{change}");
    }

    committed(&delete(&scene, &configured, &nginx()).await);
    calm().await;
    let after = scene.world();
    assert_eq!(unadopted(after.clone()), World::example());
    assert_eq!(nothing_of_others_is_deleted(&before, &after), Ok(()));
    assert_eq!(is_sound(&after), Ok(()));
    assert_eq!(found(&scene, &configured).await.found, []);

    let run = scene.bluegreen().log().await.unwrap()[0].clone();
    assert_eq!((&*run.operation, &run.environment), ("orphans", &nginx()));
    committed(&scene.bluegreen().undo(&configured[0], UndoOptions::new(run.run)).await);
    calm().await;
    assert_eq!(scene.world(), before);
    assert_eq!(every_route_has_a_healthy_target(&scene.cloud.history()), Ok(()));
}

#[tokio::test(start_paused = true)]
async fn what_was_deleted_by_mistake_is_undone() {
    let scene = dead_before_the_group(World::example()).await;
    let before = scene.world();
    committed(&delete(&scene, std::slice::from_ref(&scene.spec), &nginx()).await);
    assert_ne!(scene.world(), before);
    committed(&scene.undo_last().await);
    calm().await;
    assert_eq!(scene.world(), before);
}

#[tokio::test(start_paused = true)]
async fn a_fault_at_any_change_of_a_deletion_rolls_back() {
    let reference = Scene::before(Verb::Deploy).await;
    committed(&delete(&reference, &[renamed(&reference)], &nginx()).await);
    let writes = reference.cloud.calls().iter().filter(|call| call.mutating).count();
    assert!(writes >= 12, "only {writes} writes");
    for nth in 0..writes {
        let scene = Scene::before(Verb::Deploy).await;
        let (before, configured) = (scene.world(), [renamed(&scene)]);
        scene.cloud.fault_at_write(nth, Fault::Refuse);
        let error = delete(&scene, &configured, &nginx()).await.expect_err("a change was refused");
        calm().await;
        let kind = error.kind();
        assert!(
            matches!(kind, OperationErrorKind::RolledBack | OperationErrorKind::NotStarted),
            "write {nth}: {kind:?} {error}"
        );
        assert_eq!(scene.world(), before, "write {nth}: {error}");
        assert_eq!(every_route_has_a_healthy_target(&scene.cloud.history()), Ok(()), "{nth}");
    }
}

#[tokio::test(start_paused = true)]
async fn whatever_goes_wrong_with_a_deletion_it_ends_as_before_or_as_planned() {
    const FAULTS: [Fault; 5] = [
        Fault::Deny,
        Fault::Throttle,
        Fault::LoseReply,
        Fault::LandLate(Duration::from_secs(20)),
        Fault::StaleRead(Duration::from_secs(5)),
    ];
    let reference = Scene::before(Verb::Deploy).await;
    committed(&delete(&reference, &[renamed(&reference)], &nginx()).await);
    let (after, calls) = (reference.world(), reference.cloud.calls());
    let writes = calls.iter().filter(|call| call.mutating).count();
    for nth in 0..writes {
        for fault in FAULTS {
            let scene = Scene::before(Verb::Deploy).await;
            let (before, configured) = (scene.world(), [renamed(&scene)]);
            scene.cloud.fault_at_write(nth, fault);
            let end = delete(&scene, &configured, &nginx()).await;
            calm().await;
            let wanted = if end.is_ok() { &after } else { &before };
            assert_eq!(&scene.world(), wanted, "write {nth}, {fault:?}: {end:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_deletion_that_dies_is_recovered() {
    let reference = Scene::before(Verb::Deploy).await;
    let earlier = reference.store.records();
    committed(&delete(&reference, &[renamed(&reference)], &nginx()).await);
    let records = reference.store.records() - earlier;
    for room in 1..records {
        let scene = Scene::before(Verb::Deploy).await;
        let (before, configured) = (scene.world(), [renamed(&scene)]);
        scene.store.fail_after(room, RecordFault::CrashBefore);
        delete(&scene, &configured, &nginx()).await.expect_err("the process dies");
        calm().await;
        let scene = scene.of_another_process();
        let orphans = found(&scene, &configured).await;
        // A recovery makes again what is gone, or deletes the rest.
        assert_eq!(orphans.found, [], "{room} records");
        for end in scene.recover().await {
            assert!(end.is_ok(), "{room}: {end:?}");
        }
        calm().await;
        let world = scene.world();
        assert!(world == before || world == reference.world(), "{room} records");
    }
}
