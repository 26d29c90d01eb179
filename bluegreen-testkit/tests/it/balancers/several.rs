//! Several load balancers per environment, and load balancers that several environments share.

use std::collections::BTreeSet;

use bluegreen_core::cloud::ReadLoadBalancers as _;
use bluegreen_core::model::{
    Action, Actions, BalancerLimits, Color, Forward, HealthStrategy, Limits, ListenerKey,
    LoadBalancerName, RouteKey, TargetGroupName,
};
use bluegreen_core::operation::OperationErrorKind;
use bluegreen_testkit::fake::FakeCall;
use bluegreen_testkit::invariant::every_route_has_a_healthy_target;
use bluegreen_testkit::{FakeCloud, Fault, World};
use proptest::prelude::*;

use super::{INSIDE, NAME, back, on_two, to};
use crate::refusals::told;
use crate::stage::{Scene, Verb, live, on_virtual_time};

fn routes_written(calls: &[FakeCall]) -> BTreeSet<String> {
    let written = calls.iter().filter(|call| call.method == "set_route");
    written.map(|call| call.resource.clone()).collect()
}

#[tokio::test(start_paused = true)]
async fn an_upgrade_keeps_both_colours_checked_on_each_load_balancer() {
    let scene = Scene::new(FakeCloud::new(on_two()));
    scene.must(Verb::Upgrade).await;
    for balancer in [NAME, INSIDE].map(LoadBalancerName::new) {
        let listeners = scene.cloud.listeners(&balancer).await.expect("they can be read");
        let idle = listeners.iter().filter(|one| scene.spec.idle_ports.contains(one.key.port));
        assert_eq!(idle.count(), 2, "one for each colour on {balancer}");
        let found = scene.cloud.load_balancers(&[balancer]).await.expect("it can be read");
        assert!(found[0].deletion_protection);
    }
}

#[tokio::test(start_paused = true)]
async fn each_load_balancer_has_quotas_of_its_own() {
    let none = BalancerLimits::default;
    let test_rule = || HealthStrategy::TestRule { sources: vec![] };
    let weight_zero = || HealthStrategy::WeightZero { cuts_connections: false };
    let idle = || HealthStrategy::IdleListener;
    // What each of them has already and what comes, no more and no less.
    for (least, health, what) in [
        (BalancerLimits { listeners: Some(3), ..none() }, idle(), "1 listeners"),
        (BalancerLimits { rules: Some(3), ..none() }, test_rule(), "1 rules"),
        (BalancerLimits { target_groups: Some(2), ..none() }, idle(), "1 target groups"),
        (BalancerLimits { target_groups: Some(2), ..none() }, test_rule(), "1 target groups"),
        (BalancerLimits { target_groups: Some(2), ..none() }, weight_zero(), "1 target groups"),
    ] {
        let scene = |application: BalancerLimits| {
            let limits = Limits { application, network: none() };
            let mut scene = Scene::new(FakeCloud::new(on_two()).with_limits(limits));
            scene.spec.health = health.clone();
            scene
        };
        scene(least).must(Verb::Upgrade).await;
        let less = |limit: Option<u32>| limit.map(|limit| limit - 1);
        let (listeners, rules) = (less(least.listeners), less(least.rules));
        let target_groups = less(least.target_groups);
        let scene = scene(BalancerLimits { listeners, rules, target_groups, ..none() });
        let error = scene.operate(Verb::Upgrade).await.expect_err("one too many");
        assert!(told(&error).contains(what), "{health}: {}", told(&error));
        assert_eq!(scene.world(), on_two());
    }
}

/// Row 11 of what users suffer: several listeners and target groups are not switched together.
#[tokio::test(start_paused = true)]
async fn the_routes_of_all_load_balancers_are_switched_in_one_stage() {
    let scene = Scene::new(FakeCloud::new(on_two()));
    for earlier in [Verb::Upgrade, Verb::Deploy] {
        scene.must(earlier).await;
    }
    scene.cloud.forget_calls();
    scene.must(Verb::Switch).await;
    let calls = scene.cloud.calls();
    let all = ["nginx-live:80", "nginx-live:80 rule 10", "nginx-inside:8081"].map(str::to_owned);
    assert_eq!(routes_written(&calls), all.into());
    // Nothing else is written between the first route and the last.
    let at = |call: &FakeCall| call.method == "set_route";
    let (first, last) = (calls.iter().position(at), calls.iter().rposition(at));
    let between = &calls[first.expect("a route")..=last.expect("a route")];
    assert!(between.iter().all(at), "{between:?}");
    assert_eq!(scene.live().await, live(Color::Green));
}

/// Row 11, the other half: revert all if any fails.
#[tokio::test(start_paused = true)]
async fn all_routes_go_back_if_that_of_one_load_balancer_cannot_be_set() {
    for nth in 0..3 {
        let scene = Scene::new(FakeCloud::new(on_two()));
        for earlier in [Verb::Upgrade, Verb::Deploy] {
            scene.must(earlier).await;
        }
        let before = scene.world();
        scene.cloud.fault_on("set_route", nth, Fault::Deny);
        let error = scene.operate(Verb::Switch).await.expect_err("one is denied");
        assert_eq!(error.kind(), OperationErrorKind::RolledBack, "{error}");
        assert_eq!(scene.world(), before);
    }
}

/// Row 12: weights that somebody changed by hand are noticed before the shift.
#[tokio::test(start_paused = true)]
async fn weights_that_were_changed_by_hand_meanwhile_stop_a_switch() {
    let scene = Scene::new(FakeCloud::new(on_two()));
    for earlier in [Verb::Upgrade, Verb::Deploy] {
        scene.must(earlier).await;
    }
    let key = RouteKey::default_of(ListenerKey::new(LoadBalancerName::new(NAME), 80));
    let name = |text| TargetGroupName::new(text);
    let weights = [(name("nginx-http"), 50), (name("nginx-http-green"), 50)];
    let forward = Forward::new(weights.into(), None).expect("half and half");
    let theirs = Actions::new(vec![Action::Forward(forward)]);
    // After the plan was made, and before the routes are written.
    scene.cloud.forget_calls();
    let _nothing = scene.operate(Verb::Upgrade).await.expect("there is nothing to do");
    let reads = scene.cloud.calls().len();
    let (at, set) = (key.clone(), theirs.clone());
    scene.cloud.before_call(reads, move |cloud| {
        cloud.edit(|world| *world.actions_mut(&at).expect("it is there") = set.clone());
    });
    let before = scene.world();
    let error = scene.operate(Verb::Switch).await.expect_err("somebody was there");
    assert_ne!(error.kind(), OperationErrorKind::Dirty, "{error}");
    let world = scene.world();
    assert_eq!(world.actions(&key), Some(&theirs), "their weights are not overwritten");
    for (route, actions) in before.routes().filter(|(route, _)| *route != key) {
        assert_eq!(world.actions(&route), Some(actions), "{route} is not as before");
    }
}

#[tokio::test(start_paused = true)]
async fn a_scaledown_waits_for_the_routes_of_every_load_balancer() {
    let scene = Scene::new(FakeCloud::new(on_two()));
    for verb in [Verb::Upgrade, Verb::Deploy, Verb::Switch, Verb::Scaledown] {
        scene.must(verb).await;
    }
    assert_eq!(every_route_has_a_healthy_target(&scene.cloud.history()), Ok(()));
    // A rule of the other load balancer goes back by hand: nothing is stopped any more.
    let scene = Scene::new(FakeCloud::new(on_two()));
    for verb in [Verb::Upgrade, Verb::Deploy, Verb::Switch] {
        scene.must(verb).await;
    }
    let inside = ListenerKey::new(LoadBalancerName::new(INSIDE), 8081);
    scene.cloud.edit(|world| {
        world.listener_mut(&inside).expect("it is there").actions = to("nginx-inside");
    });
    let before = scene.world();
    let error = scene.operate(Verb::Scaledown).await.expect_err("it is split");
    assert_eq!(error.kind(), OperationErrorKind::NotStarted, "{error}");
    assert_eq!(scene.world(), before);
}

/// What another environment has on the same load balancer.
#[derive(Clone, Debug)]
struct Neighbour {
    port: u16,
    rules: Vec<u32>,
    idle: bool,
}

fn any_neighbours() -> impl Strategy<Value = Vec<Neighbour>> {
    let one = (8000..8100u16, prop::collection::btree_set(1..200u32, 0..3), any::<bool>());
    let one = one.prop_map(|(port, rules, idle)| Neighbour {
        port,
        rules: rules.into_iter().collect(),
        idle,
    });
    prop::collection::vec(one, 0..4)
}

/// A load balancer that is shared: with other listeners, rules on ours, idle listeners of others.
fn shared(neighbours: &[Neighbour]) -> World {
    let world = back(&["nginx-http"]).with_target_group("nginx-http", 80).with_listener(
        NAME,
        80,
        "HTTP",
        to("nginx-http"),
    );
    neighbours.iter().enumerate().fold(world, |world, (nth, neighbour)| {
        let name = format!("other-{nth}");
        let idle = 18090 + u16::try_from(nth).unwrap_or_default();
        let world = world.with_target_group(&name, 8080);
        let world = if world.listener(&listener(neighbour.port)).is_some() {
            world
        } else {
            world.with_listener(NAME, neighbour.port, "HTTP", to(&name))
        };
        let ours = |world: World, rule: &u32| {
            if world.actions(&RouteKey::rule(listener(80), *rule)).is_some() {
                return world;
            }
            world.with_rule(NAME, 80, *rule, to(&name))
        };
        let world = neighbour.rules.iter().fold(world, ours);
        if neighbour.idle { world.with_listener(NAME, idle, "HTTP", to(&name)) } else { world }
    })
}

fn listener(port: u16) -> ListenerKey {
    ListenerKey::new(LoadBalancerName::new(NAME), port)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn what_others_have_on_a_shared_load_balancer_is_not_ours(
        neighbours in any_neighbours(),
        broken in any::<bool>(),
    ) {
        on_virtual_time(async {
            let world = shared(&neighbours);
            let theirs: Vec<_> = world
                .routes()
                .filter(|(key, _)| key.listener.port != 80 || key.priority.is_some())
                .map(|(key, actions)| (key, actions.clone()))
                .collect();
            let scene = Scene::new(FakeCloud::new(world));
            for verb in [Verb::Upgrade, Verb::Deploy, Verb::Switch, Verb::Scaledown] {
                if broken && verb == Verb::Switch {
                    scene.cloud.fault_on("set_route", 0, Fault::Deny);
                    let _error = scene.operate(verb).await.expect_err("it is denied");
                }
                scene.must(verb).await;
                let environment = scene.environment().await;
                prop_assert_eq!(environment.routes.len(), 1, "only the default route is ours");
                let now = scene.world();
                for (key, actions) in &theirs {
                    prop_assert_eq!(now.actions(key), Some(actions), "{:?}: {}", verb, key);
                }
            }
            Ok(())
        })?;
    }
}
