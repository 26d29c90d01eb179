//! What a downgrade refuses to delete before it changes anything.

use bluegreen_core::model::{
    Actions, HealthStrategy, ListenerKey, LoadBalancerName, ScalingGroupName, TargetGroupName,
};
use bluegreen_core::operation::OperationErrorKind;
use bluegreen_core::plan::DowngradeOptions;
use bluegreen_testkit::World;

use crate::refusals::told;
use crate::stage::{Scene, Verb};

const GREEN: &str = "nginx-live-green";

fn port(number: u16) -> ListenerKey {
    ListenerKey::new(LoadBalancerName::new("nginx-live"), number)
}

fn untagged(world: &mut World) {
    let group = world.scaling_groups.get_mut(&ScalingGroupName::new(GREEN)).expect("green");
    group.tags.remove("bluegreen:run");
}

#[tokio::test(start_paused = true)]
async fn what_is_not_ours_or_could_not_be_made_again_stops_a_downgrade_before_it_begins() {
    type Row = (HealthStrategy, fn(&mut World), &'static str);
    let idle = HealthStrategy::IdleListener;
    let test_rule = HealthStrategy::TestRule { sources: vec![] };
    let rows: [Row; 6] = [
        (idle.clone(), untagged, "scaling group nginx-live-green"),
        (
            idle.clone(),
            |world| {
                let name = TargetGroupName::new("nginx-https-green");
                let settings = world.target_groups.get_mut(&name).expect("it is there");
                settings.tags.remove("bluegreen:run");
            },
            "target group nginx-https-green",
        ),
        (
            idle.clone(),
            |world| {
                let listener = world.listener_mut(&port(18081)).expect("it is there");
                listener.tags.remove("bluegreen:run");
            },
            "listener nginx-live:18081",
        ),
        (
            idle.clone(),
            |world| {
                let to = Actions::forward_to(TargetGroupName::new("nginx-http"));
                *world = world.clone().with_rule("nginx-live", 18081, 1, to);
            },
            "has rules",
        ),
        (
            idle,
            |world| {
                let name = ScalingGroupName::new(GREEN);
                let group = world.scaling_groups.get_mut(&name).expect("green");
                group.uncarried.push("a mood".to_owned());
            },
            "a mood",
        ),
        (
            test_rule,
            |world| {
                let listener = world.listener_mut(&port(80)).expect("it is there");
                listener.rules.values_mut().for_each(|rule| {
                    rule.tags.remove("bluegreen:run");
                });
            },
            "rule nginx-live:80 rule",
        ),
    ];
    for (health, touch, word) in rows {
        let mut scene = Scene::example();
        scene.spec.health = health;
        scene.must(Verb::Upgrade).await;
        scene.cloud.edit(touch);
        scene.cloud.forget_calls();
        let before = scene.world();
        let options = DowngradeOptions::default();
        let error = scene.bluegreen().downgrade(&scene.spec, options).await.expect_err(word);
        assert_eq!(error.kind(), OperationErrorKind::NotStarted, "{word}: {error}");
        assert!(told(&error).contains(word), "{word}: {}", told(&error));
        assert!(scene.cloud.calls().iter().all(|call| !call.mutating), "{word}");
        assert_eq!(scene.world(), before, "{word}");
    }
}
