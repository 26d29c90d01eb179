//! Target groups that only a listener which speaks TLS can name: HTTP2 and gRPC.

use bluegreen_core::cloud::ReadLoadBalancers as _;
use bluegreen_core::model::{ListenerKey, LoadBalancerName, Opaque};
use bluegreen_testkit::fake::target_group;
use bluegreen_testkit::{FakeCloud, World};
use serde_json::json;

use super::{NAME, back, to};
use crate::refusals::told;
use crate::stage::{Scene, Verb};

fn world(version: &str) -> World {
    let mut settings = target_group(443, "HTTPS");
    settings.details = Opaque::new(json!({"target_type": "instance", "protocol_version": version}));
    back(&["nginx-new"])
        .with_opening(NAME, 443, "0.0.0.0/0")
        .with_target_group_settings("nginx-new", settings)
        .with_target_group("other", 80)
        .with_listener(NAME, 80, "HTTP", to("other"))
        .with_listener(NAME, 443, "HTTPS", to("nginx-new"))
}

#[tokio::test(start_paused = true)]
async fn http2_and_grpc_have_idle_listeners_with_the_certificate_of_the_live_one() {
    for version in ["HTTP2", "GRPC"] {
        let scene = Scene::new(FakeCloud::new(world(version)));
        for verb in [Verb::Upgrade, Verb::Deploy, Verb::Switch] {
            scene.must(verb).await;
        }
        let key = |port| ListenerKey::new(LoadBalancerName::new(NAME), port);
        let live = scene.cloud.listener_settings(&key(443)).await.expect("it can be read");
        let idle = scene.cloud.listener_settings(&key(18_080)).await.expect("it can be read");
        let (live, idle) = (live.expect("it is there"), idle.expect("it is there"));
        assert_eq!((idle.protocol.as_str(), &idle.tls), ("HTTPS", &live.tls), "{version}");
        assert!(!idle.tls.is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn without_a_certificate_to_borrow_they_are_refused() {
    let mut world = world("GRPC");
    let key = ListenerKey::new(LoadBalancerName::new(NAME), 443);
    world.listener_mut(&key).expect("it is there").tls = Opaque::default();
    let scene = Scene::new(FakeCloud::new(world));
    let before = scene.world();
    let error = scene.operate(Verb::Upgrade).await.expect_err("there is no certificate");
    let text = told(&error);
    assert!(text.contains("nginx-new") && text.contains("HTTPS"), "{text}");
    assert_eq!(scene.world(), before);
}

#[tokio::test(start_paused = true)]
async fn the_certificate_is_that_of_the_listener_that_sends_to_the_target_group() {
    let mut world = world("HTTP2").with_listener(NAME, 442, "HTTPS", to("other"));
    let key = |port| ListenerKey::new(LoadBalancerName::new(NAME), port);
    let theirs = Opaque::new(json!({"certificate": "of somebody else"}));
    world.listener_mut(&key(442)).expect("it is there").tls = theirs;
    let scene = Scene::new(FakeCloud::new(world));
    scene.must(Verb::Upgrade).await;
    let world = scene.world();
    let tls = |port| &world.listener(&key(port)).expect("it is there").tls;
    assert_eq!(tls(18_080), tls(443));
}
