//! What is refused before anything is changed: by name, with a way out, and nothing touched.

use bluegreen_core::model::{
    Actions, Color, Dimension, DimensionValue, LaunchSource, LoadBalancerKind, Opaque,
    ScalingGroupName, TargetGroupName,
};
use bluegreen_core::operation::{OperationError, OperationErrorKind};
use bluegreen_core::plan::{DeployOptions, DeploySource};
use bluegreen_testkit::fake::target_group;
use bluegreen_testkit::{FakeCloud, Fault, World};

use crate::stage::{Scene, Verb, image};

/// Checks that an operation is refused, changes nothing and says these words.
async fn refused(scene: &Scene, verb: Verb, words: &[&str]) {
    let before = scene.world();
    let error = scene.operate(verb).await.expect_err("it should be refused");
    check(&error, words);
    assert_eq!(scene.world(), before);
    assert!(scene.cloud.calls().iter().all(|call| !call.mutating), "something was tried");
}

fn check(error: &OperationError, words: &[&str]) {
    assert_eq!(error.kind(), OperationErrorKind::NotStarted, "{error}");
    assert!(error.hint().is_some(), "no way out: {error}");
    let text = told(error);
    for word in words {
        assert!(text.contains(word), "`{word}` is not in: {text}");
    }
}

/// Returns everything that an error says, with its causes.
pub(crate) fn told(error: &OperationError) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}

fn scene(edit: impl FnOnce(&mut World)) -> Scene {
    let mut world = World::example();
    edit(&mut world);
    Scene::new(FakeCloud::new(world))
}

fn blue() -> ScalingGroupName {
    ScalingGroupName::new("nginx-live")
}

#[tokio::test(start_paused = true)]
async fn an_unknown_group_is_named() {
    let mut scene = Scene::example();
    scene.spec.scaling_group = ScalingGroupName::new("nginx-life");
    refused(&scene, Verb::Upgrade, &["nginx-life", "IE-L-NGINX"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_group_without_target_groups_is_named() {
    let scene = scene(|world| {
        let group = world.scaling_groups.get_mut(&blue()).expect("it is there");
        group.target_groups.clear();
        group.policies.clear();
    });
    refused(&scene, Verb::Upgrade, &["nginx-live", "no target groups"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_target_group_on_no_listener_is_named() {
    let scene = scene(|world| {
        let settings = target_group(8080, "HTTP");
        world.target_groups.insert(TargetGroupName::new("lonely"), settings);
        let group = world.scaling_groups.get_mut(&blue()).expect("it is there");
        group.target_groups.insert(TargetGroupName::new("lonely"));
    });
    refused(&scene, Verb::Upgrade, &["lonely", "on no listener"]).await;
}

#[tokio::test(start_paused = true)]
async fn what_is_not_upgraded_is_told_to_be() {
    for verb in [Verb::Deploy, Verb::Switch, Verb::Scaledown] {
        refused(&Scene::example(), verb, &["IE-L-NGINX", "not upgraded"]).await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_image_that_does_not_exist_is_named() {
    let scene = Scene::before(Verb::Deploy).await;
    let before = scene.world();
    let error = scene.bluegreen().deploy(&scene.spec, image("ami-nope")).await;
    check(&error.expect_err("there is no such image"), &["ami-nope"]);
    let version = DeployOptions::new(DeploySource::TemplateVersion(77));
    let error = scene.bluegreen().deploy(&scene.spec, version).await;
    check(&error.expect_err("there is no such version"), &["nginx", "77"]);
    assert_eq!(scene.world(), before);
}

#[tokio::test(start_paused = true)]
async fn idle_ports_that_are_taken_or_open_are_told() {
    let mut taken = Scene::example();
    taken.spec.idle_ports = "18080-18082".parse().expect("a range");
    refused(&taken, Verb::Upgrade, &["nginx-live", "4 free and closed ports", "18080-18082"]).await;
    let mut open =
        Scene::new(FakeCloud::new(World::example().with_opening("nginx-live", 18082, "0.0.0.0/0")));
    open.spec.idle_ports = "18080-18083".parse().expect("a range");
    refused(&open, Verb::Upgrade, &["18082", "0.0.0.0/0", "from outside"]).await;
    // What a security group opens, a network ACL may shut.
    open.cloud.edit(|world| *world = world.clone().with_shut_port("nginx-live", 18082));
    open.must(Verb::Upgrade).await;
}

#[tokio::test(start_paused = true)]
async fn a_port_that_is_taken_is_not_told_as_one_that_somebody_must_close() {
    let to = Actions::forward_to(TargetGroupName::new("nginx-http"));
    let world = World::example().with_listener("nginx-live", 18080, "HTTP", to).with_opening(
        "nginx-live",
        18080,
        "0.0.0.0/0",
    );
    let mut scene = Scene::new(FakeCloud::new(world));
    scene.spec.idle_ports = "18080-18083".parse().expect("a range");
    let before = scene.world();
    let error = scene.operate(Verb::Upgrade).await.expect_err("3 ports are left");
    check(&error, &["4 free and closed ports", "1 have a listener"]);
    assert!(!told(&error).contains("from outside"), "{}", told(&error));
    assert_eq!(scene.world(), before);
}

#[tokio::test(start_paused = true)]
async fn an_alarm_that_names_the_group_in_a_dimension_of_its_own_making_is_refused() {
    for (text, refused_by) in [("nginx-live", "nginx-live"), ("a nginx-https b", "nginx-https")] {
        let scene = scene(|world| {
            let alarm = world.alarms.values_mut().next().expect("there is one");
            let value = DimensionValue::Literal(text.to_owned());
            alarm.dimensions.push(Dimension { name: "Fleet".to_owned(), value });
        });
        let words = ["alarm nginx-live-busy", &format!("`Fleet` names `{refused_by}`")];
        refused(&scene, Verb::Upgrade, &words).await;
    }
    let scene = scene(|world| {
        let alarm = world.alarms.values_mut().next().expect("there is one");
        let value = DimensionValue::Literal("nginx-live-2".to_owned());
        alarm.dimensions.push(Dimension { name: "Fleet".to_owned(), value });
    });
    scene.must(Verb::Upgrade).await;
}

#[tokio::test(start_paused = true)]
async fn a_name_that_would_be_too_long_is_told_before_anything_is_made() {
    let mut scene = Scene::example();
    scene.spec.green_suffix = "-the-green-one-of-this-service".to_owned();
    refused(&scene, Verb::Upgrade, &["nginx-http-the-green-one", "32 are allowed"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_green_name_of_somebody_else_is_told() {
    let scene = scene(|world| {
        let settings = target_group(8080, "HTTP");
        world.target_groups.insert(TargetGroupName::new("nginx-http-green"), settings);
    });
    refused(&scene, Verb::Upgrade, &["nginx-http-green", "not of this environment"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_group_that_a_service_manages_is_left_to_it() {
    let scene = scene(|world| {
        let group = world.scaling_groups.get_mut(&blue()).expect("it is there");
        group.operator = Some("eks.amazonaws.com".to_owned());
    });
    refused(&scene, Verb::Upgrade, &["nginx-live", "eks.amazonaws.com"]).await;
}

#[tokio::test(start_paused = true)]
async fn an_instance_refresh_is_not_interfered_with() {
    for verb in Verb::ALL {
        let scene = Scene::before(verb).await;
        scene.cloud.set_instance_refresh(&blue(), Some("InProgress"));
        refused(&scene, verb, &["nginx-live", "InProgress"]).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_gateway_load_balancer_is_refused_by_name() {
    let scene = scene(|world| {
        for balancer in world.load_balancers.values_mut() {
            balancer.kind = LoadBalancerKind::Gateway;
        }
    });
    refused(&scene, Verb::Upgrade, &["nginx-live", "a gateway load balancer"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_launch_source_that_cannot_be_deployed_to_is_refused_by_name() {
    let scene = scene(|world| {
        let group = world.scaling_groups.get_mut(&blue()).expect("it is there");
        group.launch = LaunchSource::Unsupported("a mixed instances policy".to_owned());
    });
    refused(&scene, Verb::Upgrade, &["nginx-live", "a mixed instances policy"]).await;
}

#[tokio::test(start_paused = true)]
async fn credentials_that_are_not_accepted_start_nothing() {
    for verb in Verb::ALL {
        let scene = Scene::before(verb).await;
        scene.cloud.fault_at_call(0, Fault::Credentials);
        refused(&scene, verb, &["credentials were not accepted"]).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_switch_without_idle_listeners_is_refused() {
    let scene = Scene::before(Verb::Switch).await;
    scene.cloud.edit(|world| {
        for balancer in world.load_balancers.values_mut() {
            balancer.listeners.retain(|port, _| *port < 18080);
        }
    });
    refused(&scene, Verb::Switch, &["no idle listener"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_run_under_way_elsewhere_is_named() {
    let scene = Scene::before(Verb::Deploy).await;
    let lines = scene.store.lines().into_values().next().expect("an upgrade");
    let open = lines[..lines.len() - 1].to_vec();
    scene.store.insert(bluegreen_core::model::RunId::new("01open"), open);
    let error = scene.operate(Verb::Deploy).await.expect_err("one is open");
    check(&error, &["must be finished first"]);
    let broken = vec!["{}".to_owned()];
    scene.store.insert(bluegreen_core::model::RunId::new("02broken"), broken);
    let error = scene.operate(Verb::Deploy).await.expect_err("one cannot be read");
    check(&error, &["02broken", "cannot be read"]);
}

#[tokio::test(start_paused = true)]
async fn a_name_that_just_fits_is_taken() {
    let mut scene = Scene::example();
    // Of 21 letters, with the 11 of `nginx-https`.
    scene.spec.green_suffix = "-the-green-one-of-two".to_owned();
    scene.must(Verb::Upgrade).await;
    let mut scene = Scene::example();
    scene.spec.green_suffix = "-the-green-one-of-many".to_owned();
    refused(&scene, Verb::Upgrade, &["would have 33 characters", "32 are allowed"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_target_group_of_anything_but_instances_is_refused_with_what_it_has() {
    for (kind, word) in [
        ("ip", "addresses"),
        ("lambda", "functions"),
        ("alb", "load balancers"),
        ("moon", "not known to this version"),
    ] {
        let scene = scene(|world| {
            let name = TargetGroupName::new("nginx-http");
            let settings = world.target_groups.get_mut(&name).expect("it is there");
            let mut details = settings.details.value().clone();
            details["target_type"] = kind.into();
            settings.details = Opaque::new(details);
        });
        refused(&scene, Verb::Upgrade, &["nginx-http", kind, word]).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_deploy_from_a_colour_that_nothing_can_be_deployed_from_names_that_colour() {
    let scene = Scene::before(Verb::Deploy).await;
    scene.cloud.edit(|world| {
        let group = world.scaling_groups.get_mut(&blue()).expect("it is there");
        group.launch = LaunchSource::Unsupported("a spell".to_owned());
    });
    let options = DeployOptions::new(DeploySource::From(Color::Blue));
    let error = scene.bluegreen().deploy(&scene.spec, options).await;
    check(&error.expect_err("it is refused"), &["`nginx-live` launches from a spell"]);
}
