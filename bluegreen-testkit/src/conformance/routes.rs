use bluegreen_core::cloud::{Cloud, CloudErrorKind};
use bluegreen_core::model::{
    Action, Actions, Forward, ListenerKey, LoadBalancerName, RouteKey, TargetGroupName,
};

use super::arrange::{self, refusal};
use super::{Clause, Fixture, clauses};

pub(super) const CLAUSES: &[(&str, Clause)] = clauses![
    load_balancers_are_those_that_exist,
    listeners_come_by_port,
    rules_come_by_priority_without_the_default_action,
    routes_are_those_that_exist,
    an_unknown_load_balancer_has_no_listeners_and_no_rules,
    a_route_that_was_set_is_the_route_that_is_read,
    setting_a_route_leaves_the_others_alone,
    an_action_that_is_not_understood_is_carried,
    an_unknown_route_cannot_be_set,
    deletion_protection_is_turned_on_and_off,
];

/// Returns those of the names that exist.
pub async fn load_balancers_are_those_that_exist(cloud: &dyn Cloud, fixture: &Fixture) {
    let names = [fixture.load_balancer.clone(), LoadBalancerName::new("no-such-balancer")];
    let found = cloud.load_balancers(&names).await.expect("an unknown name is no error");
    let found: Vec<_> = found.into_iter().map(|balancer| balancer.name).collect();
    assert_eq!(found, names[..1], "only the load balancer that exists is told");
}

/// Returns every listener of a load balancer, by port.
pub async fn listeners_come_by_port(cloud: &dyn Cloud, fixture: &Fixture) {
    let found = cloud.listeners(&fixture.load_balancer).await.expect("listeners can be read");
    assert!(found.is_sorted_by_key(|listener| listener.key.port), "listeners come by port");
    let listener = found.iter().find(|listener| listener.key == fixture.route.listener);
    let actions = listener.map(|listener| &listener.actions);
    let forward = actions.and_then(Actions::forward).expect("the fixture's listener forwards");
    assert_eq!(*forward, Forward::to(fixture.target_group.clone()), "to the fixture's group");
}

/// Returns every rule of a listener but its default action, by priority.
pub async fn rules_come_by_priority_without_the_default_action(
    cloud: &dyn Cloud,
    fixture: &Fixture,
) {
    let found = cloud.rules(&fixture.rule.listener).await.expect("rules can be read");
    let keys: Vec<_> = found.into_iter().map(|rule| rule.key).collect();
    assert!(keys.is_sorted(), "rules come by priority");
    assert!(keys.iter().all(|key| key.priority.is_some()), "the default action is no rule");
    for rule in [&fixture.rule, &fixture.opaque_rule] {
        assert!(keys.contains(rule), "`{rule}` is among the rules");
    }
}

/// Returns what those of the keys that exist do now.
pub async fn routes_are_those_that_exist(cloud: &dyn Cloud, fixture: &Fixture) {
    let known = [&fixture.route, &fixture.rule, &fixture.opaque_rule];
    let elsewhere = ListenerKey::new(LoadBalancerName::new("no-such-balancer"), 80);
    let unknown = [
        RouteKey::default_of(arrange::free_listener(fixture)),
        RouteKey::rule(fixture.rule.listener.clone(), 49_999),
        RouteKey::default_of(elsewhere),
    ];
    let keys: Vec<_> = known.into_iter().chain(&unknown).cloned().collect();
    let found = cloud.routes(&keys).await.expect("an unknown route is no error");
    assert_eq!(found.len(), known.len(), "only the routes that exist are told");
    let forward = Some(Forward::to(fixture.target_group.clone()));
    assert_eq!(found[&fixture.route].forward(), forward.as_ref(), "the default action forwards");
    assert_eq!(found[&fixture.rule].forward(), forward.as_ref(), "the rule forwards");
    assert_eq!(found[&fixture.opaque_rule].forward(), None, "the other rule does not");
}

/// `NotFound` if there is no such load balancer, or no such listener.
pub async fn an_unknown_load_balancer_has_no_listeners_and_no_rules(
    cloud: &dyn Cloud,
    fixture: &Fixture,
) {
    let unknown = LoadBalancerName::new("no-such-balancer");
    let listeners = cloud.listeners(&unknown).await;
    let kind = refusal(listeners, "reading the listeners of an unknown load balancer");
    assert_eq!(kind, CloudErrorKind::NotFound, "there is no such load balancer");
    let rules = cloud.rules(&arrange::free_listener(fixture)).await;
    let kind = refusal(rules, "reading the rules of an unknown listener");
    assert_eq!(kind, CloudErrorKind::NotFound, "there is no such listener");
}

/// Replaces what a route does, in one call; repeating a write is harmless; never answers from a
/// cache.
pub async fn a_route_that_was_set_is_the_route_that_is_read(cloud: &dyn Cloud, fixture: &Fixture) {
    let second = arrange::target_group(cloud, fixture, "route").await;
    for key in [&fixture.route, &fixture.rule] {
        let before = arrange::actions(cloud, key).await.expect("the fixture's route exists");
        for weights in [(100, 0), (50, 50), (0, 1)] {
            let wanted = before.with_forward(&weighted(fixture, &second, weights));
            for _ in 0..2 {
                cloud.set_route(key, &wanted).await.expect("the route accepts the weights");
                let found = arrange::actions(cloud, key).await;
                assert_eq!(found.as_ref(), Some(&wanted), "what was written is what is read");
            }
        }
        cloud.set_route(key, &before).await.expect("the route accepts what it had");
        let found = arrange::actions(cloud, key).await;
        assert_eq!(found, Some(before), "the route is as it was");
    }
    arrange::delete_target_group(cloud, fixture, &second).await;
}

/// Leaves settings alone that it does not name: the other routes, and the listener's own.
pub async fn setting_a_route_leaves_the_others_alone(cloud: &dyn Cloud, fixture: &Fixture) {
    let second = arrange::target_group(cloud, fixture, "others").await;
    let settings = cloud.listener_settings(&fixture.rule.listener).await;
    let settings = settings.expect("listeners can be read");
    let mut rules = cloud.rules(&fixture.rule.listener).await.expect("rules can be read");

    let before = arrange::actions(cloud, &fixture.rule).await.expect("the fixture's rule exists");
    let wanted = before.with_forward(&Forward::to(second.clone()));
    cloud.set_route(&fixture.rule, &wanted).await.expect("the rule accepts another target group");

    let after = cloud.listener_settings(&fixture.rule.listener).await;
    assert_eq!(after.expect("listeners can be read"), settings, "the listener is as it was");
    for rule in rules.iter_mut().filter(|rule| rule.key == fixture.rule) {
        rule.actions = wanted.clone();
    }
    let found = cloud.rules(&fixture.rule.listener).await.expect("rules can be read");
    assert_eq!(found, rules, "the other rules are as they were");

    cloud.set_route(&fixture.rule, &before).await.expect("the rule accepts what it had");
    arrange::delete_target_group(cloud, fixture, &second).await;
}

/// Whatever else is in the list of actions is carried through untouched.
pub async fn an_action_that_is_not_understood_is_carried(cloud: &dyn Cloud, fixture: &Fixture) {
    let key = &fixture.opaque_rule;
    let before = arrange::actions(cloud, key).await.expect("the fixture's rule exists");
    assert!(
        before.as_slice().iter().all(|action| matches!(action, Action::Other(_))),
        "the fixture's rule does not forward"
    );
    cloud.set_route(key, &before).await.expect("a rule accepts what it has");
    let found = arrange::actions(cloud, key).await;
    assert_eq!(found, Some(before), "the rule does what it did");
}

/// `NotFound` if there is no such route.
pub async fn an_unknown_route_cannot_be_set(cloud: &dyn Cloud, fixture: &Fixture) {
    let actions = Actions::forward_to(fixture.target_group.clone());
    for key in [
        RouteKey::default_of(arrange::free_listener(fixture)),
        RouteKey::rule(fixture.rule.listener.clone(), 49_999),
    ] {
        let kind = refusal(cloud.set_route(&key, &actions).await, "setting an unknown route");
        assert_eq!(kind, CloudErrorKind::NotFound, "there is no `{key}`");
    }
}

/// Turns deletion protection on or off.
pub async fn deletion_protection_is_turned_on_and_off(cloud: &dyn Cloud, fixture: &Fixture) {
    let names = [fixture.load_balancer.clone()];
    let found = cloud.load_balancers(&names).await.expect("load balancers can be read");
    let before = found[0].deletion_protection;
    for on in [!before, !before, before] {
        let set = cloud.set_deletion_protection(&names[0], on).await;
        set.expect("deletion protection can be changed");
        let found = cloud.load_balancers(&names).await.expect("load balancers can be read");
        assert_eq!(found[0].deletion_protection, on, "what was written is what is read");
    }
}

fn weighted(fixture: &Fixture, second: &TargetGroupName, weights: (u32, u32)) -> Forward {
    let first = fixture.target_group.clone();
    let weights = [(first, weights.0), (second.clone(), weights.1)];
    Forward::new(weights.into(), None).expect("some weight is above zero")
}
