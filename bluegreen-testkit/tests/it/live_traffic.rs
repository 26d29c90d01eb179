//! Nothing that serves is stopped or deleted: neither by a plan, nor on the way back.

use std::time::Duration;

use bluegreen_core::change::{CloudChange, Edit};
use bluegreen_core::cloud::{
    CloudErrorKind, ReadScalingGroups as _, ReadTargetGroups as _, WriteLoadBalancers as _,
};
use bluegreen_core::model::{
    Actions, Capacity, Color, ImageId, ListenerKey, LoadBalancerName, Quiet, RouteKey,
    ScalingGroupName, TargetGroupName, tag_key,
};
use bluegreen_core::operation::OperationErrorKind;
use bluegreen_core::plan::{ScaledownOptions, Waits};
use bluegreen_core::transaction::Change as _;
use tokio::time::Instant;

use crate::stage::{Scene, Verb, live};

const WINDOW: Duration = Duration::from_mins(20);

fn green() -> ScalingGroupName {
    ScalingGroupName::new("nginx-live-green")
}

fn blue_targets() -> TargetGroupName {
    TargetGroupName::new("nginx-http")
}

fn route() -> RouteKey {
    RouteKey::default_of(ListenerKey::new(LoadBalancerName::new("nginx-live"), 80))
}

fn with_quiet(mut scene: Scene, quiet: Quiet) -> Scene {
    scene.spec = scene.spec.with_quiet(quiet);
    scene
}

/// Longer than the deregistration delay of the example: only the measure can make it wait.
fn long_window(scene: Scene) -> Scene {
    with_quiet(scene, Quiet { window: WINDOW, unmeasured: false })
}

fn patient() -> Waits {
    Waits { timeout: WINDOW * 2, ..Waits::default() }
}

/// PAINS 3: the old side is scaled down while it still carries traffic.
#[tokio::test(start_paused = true)]
async fn a_colour_that_had_requests_lately_is_not_stopped() {
    let scene = long_window(Scene::before(Verb::Scaledown).await);
    let begin = Instant::now();
    let options = ScaledownOptions::default().with_waits(patient());
    let done = scene.bluegreen().scaledown(&scene.spec, options).await;
    let _done = done.expect("it is quiet in the end");
    assert!(begin.elapsed() >= WINDOW, "stopped after {:?}", begin.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_deploy_waits_for_the_old_colour_as_a_scaledown_does() {
    let scene = Scene::before(Verb::Scaledown).await;
    let begin = Instant::now();
    scene.must(Verb::Deploy).await;
    let quiet = scene.spec.quiet.window;
    assert!(begin.elapsed() >= quiet, "the old version was stopped after {:?}", begin.elapsed());
}

#[tokio::test(start_paused = true)]
async fn what_nobody_measures_counts_as_traffic() {
    let scene = Scene::before(Verb::Scaledown).await;
    scene.cloud.unmeasure(&blue_targets());
    let before = scene.world();
    let error = scene.operate(Verb::Scaledown).await.expect_err("it may have any traffic");
    assert_eq!(error.kind(), OperationErrorKind::NotStarted, "{error}");
    assert!(error.to_string().contains("no measure of the requests to nginx-http"), "{error}");
    assert_eq!(scene.world(), before);
}

#[tokio::test(start_paused = true)]
async fn what_nobody_measures_is_stopped_if_somebody_takes_it_for_quiet() {
    let scene = Scene::before(Verb::Scaledown).await;
    scene.cloud.unmeasure(&blue_targets());
    let quiet = Quiet { unmeasured: true, ..Quiet::default() };
    with_quiet(scene, quiet).must(Verb::Scaledown).await;
}

/// PAINS 8: the rollback destroys the healthy side.
#[tokio::test(start_paused = true)]
async fn a_rollback_does_not_stop_what_somebody_made_live_meanwhile() {
    let scene = Scene::before(Verb::Deploy).await;
    scene.cloud.break_image(&ImageId::new("ami-0b"));
    let (cloud, before) = (scene.cloud.clone(), scene.cloud.world());
    let to_green = Actions::forward_to(TargetGroupName::new("nginx-http-green"));
    let switch = to_green.clone();
    let colleague = tokio::spawn(async move {
        while cloud.instances(&green()).is_empty() {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        cloud.set_route(&route(), &switch).await.expect("the route is there");
    });
    let error = scene.operate(Verb::Deploy).await.expect_err("it never gets healthy");
    colleague.await.expect("nothing was in the way of the colleague");
    assert_eq!(error.kind(), OperationErrorKind::Dirty, "{error}");
    assert_eq!(scene.cloud.instances(&green()).len(), 3, "what serves was stopped");
    let text = format!("{error:?}");
    assert!(text.contains("it serves: live route nginx-live:80"), "{text}");
    // As soon as the traffic is back where it was, the run can be taken back whole.
    let back = before.actions(&route()).expect("it is there").clone();
    scene.cloud.set_route(&route(), &back).await.expect("the route is there");
    for ended in scene.recover().await {
        let _done = ended.expect("nothing is in the way any more");
    }
    assert_eq!(scene.world(), before);
    assert_eq!(scene.live().await, live(Color::Blue));
}

#[tokio::test(start_paused = true)]
async fn no_change_stops_or_deletes_what_a_live_route_reaches() {
    let scene = Scene::before(Verb::Switch).await;
    let world = scene.world();
    let name = ScalingGroupName::new("nginx-live");
    let group = &world.scaling_groups[&name];
    let stop = Edit::new(name.clone(), group.capacity, Capacity::ZERO);
    let settings = &world.target_groups[&blue_targets()];
    let delete = Edit::create(blue_targets(), settings.clone());
    let changes = [CloudChange::Capacity(stop), CloudChange::TargetGroup(delete).inverse()];
    for change in changes {
        let error = change.apply(&scene.cloud).await.expect_err("it serves");
        assert_eq!(error.kind(), CloudErrorKind::Rejected, "{change}: {error}");
        assert_eq!(scene.world(), world, "{change}");
    }
    // The idle colour is reached by its idle listener only, and more machines harm nobody.
    let idle = world.scaling_groups[&green()].capacity;
    let stop = CloudChange::Capacity(Edit::new(green(), idle, Capacity::ZERO));
    stop.apply(&scene.cloud).await.expect("nothing live reaches it");
    let more = Capacity::new(2, 4, 6);
    let more = CloudChange::Capacity(Edit::new(name, group.capacity, more));
    more.apply(&scene.cloud).await.expect("a live group may grow");
}

#[tokio::test(start_paused = true)]
async fn a_listener_without_a_tag_that_an_idle_one_has_is_live() {
    let scene = Scene::before(Verb::Switch).await;
    let before = scene.world().scaling_groups[&green()].capacity;
    let stop = CloudChange::Capacity(Edit::new(green(), before, Capacity::ZERO));
    let as_made = scene.world();
    for tag in [tag_key::RUN, tag_key::COLOR] {
        scene.cloud.edit(|world| {
            for balancer in world.load_balancers.values_mut() {
                for listener in balancer.listeners.values_mut() {
                    listener.tags.remove(tag);
                }
            }
        });
        let error = stop.apply(&scene.cloud).await.expect_err("it may serve");
        assert_eq!(error.kind(), CloudErrorKind::Rejected, "without {tag}: {error}");
        scene.cloud.edit(|world| *world = as_made.clone());
    }
    stop.apply(&scene.cloud).await.expect("only idle listeners reach it");
}

#[tokio::test(start_paused = true)]
async fn what_serves_is_neither_stopped_nor_deleted_by_a_change_alone() {
    let scene = Scene::before(Verb::Deploy).await;
    let name = ScalingGroupName::new("nginx-live");
    let settings = scene.cloud.scaling_group_settings(&name).await.expect("it can be read");
    let target_group = scene.cloud.target_group_settings(&blue_targets()).await;
    let target_group = target_group.expect("it can be read").expect("it is there");
    let size = scene.world().scaling_groups[&name].capacity;
    let sized = |size: Capacity, after| Edit::new(name.clone(), size, after);
    let before = scene.world();
    for change in [
        CloudChange::Capacity(sized(size, Capacity::ZERO)),
        CloudChange::ScalingGroup(Edit::delete(name.clone(), settings.expect("it is there"))),
        CloudChange::TargetGroup(Edit::delete(blue_targets(), target_group)),
    ] {
        let error = change.apply(&scene.cloud).await.expect_err("it serves");
        assert!(format!("{error:?}").contains("it serves: live route"), "{change}: {error:?}");
        assert_eq!(scene.world(), before);
    }
    let bounds = Capacity::new(size.min, size.desired, size.max + 1);
    CloudChange::Capacity(sized(size, bounds))
        .apply(&scene.cloud)
        .await
        .expect("no machine is stopped by wider bounds");
}
