//! Machines that somebody keeps from coming, serving or going: nothing is waited for in vain.

use bluegreen_core::model::{Process, ScalingGroupName};
use bluegreen_core::operation::OperationErrorKind;

use crate::refusals::told;
use crate::stage::{Scene, Verb};

fn green() -> ScalingGroupName {
    ScalingGroupName::new("nginx-live-green")
}

/// Checks that an operation is refused at once, with these words in the error and in the way out.
async fn refused(scene: &Scene, verb: Verb, words: &str, way_out: &str) {
    let (before, began) = (scene.world(), scene.cloud.elapsed());
    let error = scene.operate(verb).await.expect_err("it would wait in vain");
    assert_eq!(error.kind(), OperationErrorKind::NotStarted, "{error:?}");
    assert!(told(&error).contains(words), "`{words}` is not in: {}", told(&error));
    let hint = error.hint().unwrap_or_default();
    assert!(hint.contains(way_out), "`{way_out}` is not in: {hint}");
    assert_eq!(scene.world(), before);
    assert!(scene.cloud.elapsed() < began + std::time::Duration::from_mins(1), "it waited");
}

fn suspend(scene: &Scene, group: &ScalingGroupName, process: Process) {
    scene.cloud.edit(|world| {
        world.scaling_groups.get_mut(group).expect("it is there").suspended.insert(process);
    });
}

#[tokio::test(start_paused = true)]
async fn a_deploy_is_refused_where_no_machine_would_start_or_be_registered() {
    for process in [Process::Launch, Process::AddToLoadBalancer] {
        let scene = Scene::before(Verb::Deploy).await;
        suspend(&scene, &green(), process);
        let words = format!("{process} of scaling group `nginx-live-green` is suspended");
        let way_out = format!(
            "resume-processes --auto-scaling-group-name nginx-live-green --scaling-processes {process}"
        );
        refused(&scene, Verb::Deploy, &words, &way_out).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_colour_whose_machines_would_not_end_is_not_stopped() {
    let scene = Scene::before(Verb::Scaledown).await;
    let blue = ScalingGroupName::new("nginx-live");
    suspend(&scene, &blue, Process::Terminate);
    let words = "Terminate of scaling group `nginx-live` is suspended";
    refused(&scene, Verb::Scaledown, words, "resume-processes").await;
    refused(&scene, Verb::Deploy, words, "resume-processes").await;
}

#[tokio::test(start_paused = true)]
async fn a_colour_with_machines_that_are_protected_from_scale_in_is_not_stopped() {
    let scene = Scene::before(Verb::Scaledown).await;
    let kept = scene.cloud.instances(&ScalingGroupName::new("nginx-live"))[0].id.clone();
    scene.cloud.protect_instance(&kept, true);
    let way_out = format!(
        "set-instance-protection --no-protected-from-scale-in --auto-scaling-group-name nginx-live \
         --instance-ids {kept}`"
    );
    for verb in [Verb::Scaledown, Verb::Deploy] {
        refused(&scene, verb, &format!("{kept} protected from scale-in"), &way_out).await;
    }
    scene.cloud.protect_instance(&kept, false);
    scene.must(Verb::Scaledown).await;
}

#[tokio::test(start_paused = true)]
async fn what_is_suspended_on_a_colour_without_machines_does_not_stop_a_scaledown() {
    let scene = Scene::before(Verb::Scaledown).await;
    scene.must(Verb::Scaledown).await;
    suspend(&scene, &ScalingGroupName::new("nginx-live"), Process::Terminate);
    let end = scene.operate(Verb::Scaledown).await;
    assert!(matches!(end, Ok(bluegreen_core::operation::Done::Nothing(_))), "{end:?}");
}
