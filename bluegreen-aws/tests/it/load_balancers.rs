//! Listeners, rules, target groups and their tags.

use std::collections::BTreeMap;
use std::time::Duration;

use bluegreen_core::cloud::{
    CloudErrorKind, ReadIdentity, ReadLoadBalancers, ReadNetwork, ReadTags, ReadTargetGroups,
    WriteLoadBalancers, WriteTags, WriteTargetGroups,
};
use bluegreen_core::model::{
    Action, Actions, Forward, HealthState, ListenerKey, ListenerSettings, LoadBalancerKind,
    LoadBalancerName, PortRange, ResourceKey, RouteKey, Stickiness, TargetGroupName,
};
use bluegreen_testkit::emulator::Fault;

use crate::world::World;

fn web() -> LoadBalancerName {
    LoadBalancerName::new("web")
}

fn listener(port: u16) -> ListenerKey {
    ListenerKey::new(web(), port)
}

fn group(name: &str) -> TargetGroupName {
    TargetGroupName::new(name)
}

#[tokio::test]
async fn a_service_is_read_in_few_calls() {
    let world = World::new().await;
    assert_eq!(world.cloud.account().await.unwrap().as_str(), world.stack.account);
    world.calls();

    let groups = world.cloud.target_groups(&[group("web-http"), group("nobody")]).await.unwrap();
    assert_eq!(groups.len(), 1);
    assert_eq!((groups[0].port, groups[0].protocol.as_str()), (8080, "HTTP"));
    assert_eq!(groups[0].load_balancers, [web()].into());
    world.calls();

    // A target group's ARNs have told that of the load balancer.
    let listeners = world.cloud.listeners(&web()).await.unwrap();
    assert_eq!(world.calls(), ["DescribeListeners"]);
    let ports: Vec<_> = listeners.iter().map(|one| (one.key.port, one.protocol.as_str())).collect();
    assert_eq!(ports, [(80, "HTTP"), (443, "HTTPS")]);
    assert_eq!(listeners[0].actions, Actions::forward_to(group("web-http")));

    let rules = world.cloud.rules(&listener(80)).await.unwrap();
    assert_eq!(world.calls(), ["DescribeRules"]);
    let priorities: Vec<_> = rules.iter().filter_map(|rule| rule.key.priority).collect();
    assert_eq!(priorities, [10, 20]);
    assert_eq!(rules[0].actions, Actions::forward_to(group("web-http")));
    assert!(matches!(rules[1].actions.as_slice(), [Action::Other(_)]));

    let mut keys: Vec<_> = rules.into_iter().map(|rule| rule.key).collect();
    keys.extend(listeners.into_iter().map(|one| RouteKey::default_of(one.key)));
    keys.push(RouteKey::rule(listener(8080), 1));
    let routes = world.cloud.routes(&keys[..4]).await.unwrap();
    assert_eq!(routes.len(), 4);
    let mut calls = world.calls();
    calls.sort();
    assert_eq!(calls, ["DescribeListeners", "DescribeRules"]);
    assert_eq!(world.cloud.routes(&keys).await.unwrap(), routes);
}

#[tokio::test]
async fn load_balancers_that_do_not_exist_are_left_out() {
    let world = World::new().await;
    let names = [LoadBalancerName::new("nobody"), web()];
    let found = world.cloud.load_balancers(&names).await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!((&found[0].name, found[0].kind), (&web(), LoadBalancerKind::Application));
    assert!(!found[0].deletion_protection);
    world.cloud.set_deletion_protection(&web(), true).await.unwrap();
    assert!(world.cloud.load_balancers(&[web()]).await.unwrap()[0].deletion_protection);
    assert!(world.cloud.load_balancers(&[]).await.unwrap().is_empty());

    let error = world.cloud.listeners(&names[0]).await.unwrap_err();
    assert_eq!(error.kind(), CloudErrorKind::NotFound);
    let error = world.cloud.rules(&listener(8080)).await.unwrap_err();
    assert_eq!(error.kind(), CloudErrorKind::NotFound);
}

#[tokio::test]
async fn only_the_forward_part_of_a_route_changes() {
    let world = World::new().await;
    let rules = world.cloud.rules(&listener(80)).await.unwrap();
    let (forwarding, redirecting) = (&rules[0], &rules[1]);
    let settings = world.cloud.target_group_settings(&group("web-http")).await.unwrap().unwrap();
    world.cloud.create_target_group(&group("web-green"), &settings).await.unwrap();

    let weights = BTreeMap::from([(group("web-http"), 100), (group("web-green"), 0)]);
    let sticky = Some(Stickiness { seconds: Some(60) });
    let shared = Actions::new(vec![Action::Forward(Forward::new(weights, sticky).unwrap())]);
    let default = RouteKey::default_of(listener(80));
    let keys = [default, forwarding.key.clone(), redirecting.key.clone()];
    world.calls();
    for key in &keys[..2] {
        world.cloud.set_route(key, &shared).await.unwrap();
    }
    // One call each, since all the ARNs are known.
    assert_eq!(world.calls().last().map(String::as_str), Some("ModifyRule"));

    let found = world.cloud.routes(&keys).await.unwrap();
    assert_eq!(found[&keys[0]], shared);
    assert_eq!(found[&keys[1]], shared);
    assert_eq!(found[&keys[2]], redirecting.actions);
    // Twice is once, and what is no forward goes back as it came.
    world.cloud.set_route(&keys[1], &shared).await.unwrap();
    world.cloud.set_route(&keys[2], &redirecting.actions).await.unwrap();
    assert_eq!(world.cloud.routes(&keys).await.unwrap(), found);
}

#[tokio::test]
async fn a_route_that_is_not_there_cannot_be_set() {
    let world = World::new().await;
    let actions = Actions::forward_to(group("web-http"));
    for key in [RouteKey::default_of(listener(8080)), RouteKey::rule(listener(80), 99)] {
        let error = world.cloud.set_route(&key, &actions).await.unwrap_err();
        assert_eq!(error.kind(), CloudErrorKind::NotFound, "{key}");
    }
    let nowhere = Actions::forward_to(group("nobody"));
    let key = RouteKey::default_of(listener(80));
    let error = world.cloud.set_route(&key, &nowhere).await.unwrap_err();
    assert_eq!(error.kind(), CloudErrorKind::Rejected);
}

#[tokio::test]
async fn a_lost_answer_is_not_taken_for_a_refusal() {
    let world = World::new().await;
    let key = RouteKey::default_of(listener(80));
    let before = world.cloud.routes(std::slice::from_ref(&key)).await.unwrap();
    let after = Actions::forward_to(group("web-https"));
    for attempt in 0..3 {
        world.proxy.fail_action("ModifyListener", attempt, Fault::LoseReply);
    }
    let error = world.cloud.set_route(&key, &after).await.unwrap_err();
    assert_eq!(error.kind(), CloudErrorKind::OutcomeUnknown);
    assert_eq!(error.operation(), "ModifyListener");
    world.proxy.heal();
    assert_eq!(world.cloud.routes(std::slice::from_ref(&key)).await.unwrap()[&key], after);
    world.cloud.set_route(&key, &before[&key]).await.unwrap();
    assert_eq!(world.cloud.routes(std::slice::from_ref(&key)).await.unwrap(), before);
}

#[tokio::test]
async fn a_throttle_is_waited_out() {
    let world = World::new().await;
    world.proxy.fail_action("DescribeTargetHealth", 0, Fault::Throttle);
    let health = world.cloud.target_health(&group("web-http")).await.unwrap();
    assert_eq!(health.len(), 2);
    assert!(health.iter().all(|one| one.state == HealthState::Healthy && one.port == 8080));
    let error = world.cloud.target_health(&group("nobody")).await.unwrap_err();
    assert_eq!(error.kind(), CloudErrorKind::NotFound);
}

#[tokio::test]
async fn a_stale_arn_is_resolved_anew() {
    let world = World::new().await;
    let (old, key) = (group("web-idle"), listener(18_080));
    let settings = world.cloud.target_group_settings(&group("web-http")).await.unwrap().unwrap();
    let idle = ListenerSettings {
        protocol: "HTTP".to_owned(),
        actions: Actions::forward_to(old.clone()),
        tags: [("bluegreen:run".to_owned(), "r1".to_owned())].into(),
        tls: bluegreen_core::model::Opaque::default(),
    };
    world.cloud.create_target_group(&old, &settings).await.unwrap();
    world.cloud.create_listener(&key, &idle).await.unwrap();

    // Somebody else makes both again: the names stay, the ARNs do not.
    let other = bluegreen_aws::AwsCloud::new(&crate::world::config(&world.proxy.url()).await);
    let other = other.unwrap();
    other.delete_listener(&key).await.unwrap();
    other.delete_target_group(&old).await.unwrap();
    other.create_target_group(&old, &settings).await.unwrap();
    other.create_listener(&key, &idle).await.unwrap();

    let route = RouteKey::default_of(key.clone());
    assert_eq!(world.cloud.target_health(&old).await.unwrap(), []);
    assert_eq!(
        world.cloud.routes(std::slice::from_ref(&route)).await.unwrap()[&route],
        idle.actions
    );
    world.cloud.set_route(&route, &idle.actions).await.unwrap();
    assert_eq!(world.cloud.listener_settings(&key).await.unwrap().as_ref(), Some(&idle));
    world.cloud.delete_listener(&key).await.unwrap();
    assert_eq!(world.cloud.listener_settings(&key).await.unwrap(), None);
}

#[tokio::test]
async fn a_listener_is_made_once_and_with_its_tags() {
    let world = World::new().await;
    let key = listener(18_080);
    let settings = ListenerSettings {
        protocol: "HTTP".to_owned(),
        actions: Actions::forward_to(group("web-http")),
        tags: [("bluegreen:environment".to_owned(), "web".to_owned())].into(),
        tls: bluegreen_core::model::Opaque::default(),
    };
    world.cloud.create_listener(&key, &settings).await.unwrap();
    world.cloud.create_listener(&key, &settings).await.unwrap();
    assert_eq!(world.cloud.listeners(&web()).await.unwrap().len(), 3);
    assert_eq!(world.cloud.listener_settings(&key).await.unwrap().as_ref(), Some(&settings));

    let other = ListenerSettings { tags: [].into(), ..settings.clone() };
    let error = world.cloud.create_listener(&key, &other).await.unwrap_err();
    assert_eq!(error.kind(), CloudErrorKind::Rejected);

    world.cloud.delete_listener(&key).await.unwrap();
    world.cloud.delete_listener(&key).await.unwrap();
    assert_eq!(world.cloud.listener_settings(&key).await.unwrap(), None);
}

#[tokio::test]
async fn a_target_group_is_cloned() {
    let world = World::new().await;
    let name = group("web-green");
    let mut settings =
        world.cloud.target_group_settings(&group("web-http")).await.unwrap().unwrap();
    assert_eq!(settings.deregistration_delay, Duration::from_secs(2));
    assert_eq!(settings.tags["team"], "search");
    settings.tags.insert("bluegreen:color".to_owned(), "green".to_owned());
    world.cloud.create_target_group(&name, &settings).await.unwrap();
    assert_eq!(world.cloud.target_group_settings(&name).await.unwrap().as_ref(), Some(&settings));
    world.cloud.create_target_group(&name, &settings).await.unwrap();

    // A stranger's group, however alike, is not adopted; one that is half made is finished.
    let stranger =
        bluegreen_core::model::TargetGroupSettings { tags: [].into(), ..settings.clone() };
    let error = world.cloud.create_target_group(&name, &stranger).await.unwrap_err();
    assert_eq!(error.kind(), CloudErrorKind::Rejected);
    settings.deregistration_delay = Duration::from_secs(30);
    world.cloud.create_target_group(&name, &settings).await.unwrap();
    assert_eq!(world.cloud.target_group_settings(&name).await.unwrap().as_ref(), Some(&settings));

    let error = world.cloud.delete_target_group(&group("web-http")).await.unwrap_err();
    assert_eq!(error.kind(), CloudErrorKind::Busy);
    world.cloud.delete_target_group(&name).await.unwrap();
    world.cloud.delete_target_group(&name).await.unwrap();
    assert_eq!(world.cloud.target_group_settings(&name).await.unwrap(), None);
}

#[tokio::test]
async fn tags_are_set_and_removed_one_by_one() {
    let world = World::new().await;
    for resource in [
        ResourceKey::LoadBalancer(web()),
        ResourceKey::Listener(listener(443)),
        ResourceKey::TargetGroup(group("web-http")),
    ] {
        let before = world.cloud.tags(&resource).await.unwrap().unwrap();
        let change =
            [("a".to_owned(), Some("1".to_owned())), ("b".to_owned(), Some(String::new()))];
        world.cloud.set_tags(&resource, &change.into()).await.unwrap();
        let mut expected = before.clone();
        expected.extend([("a".to_owned(), "1".to_owned()), ("b".to_owned(), String::new())]);
        assert_eq!(world.cloud.tags(&resource).await.unwrap(), Some(expected));
        let back = [("a".to_owned(), None), ("b".to_owned(), None)].into();
        world.cloud.set_tags(&resource, &back).await.unwrap();
        assert_eq!(world.cloud.tags(&resource).await.unwrap(), Some(before));
    }
    let nobody = ResourceKey::TargetGroup(group("nobody"));
    assert_eq!(world.cloud.tags(&nobody).await.unwrap(), None);
}

#[tokio::test]
async fn only_what_the_security_group_opens_is_open() {
    let world = World::new().await;
    let open = |first, last| {
        let ports = PortRange::new(first, last).unwrap();
        let cloud = &world.cloud;
        async move { cloud.open_ports(&web(), ports).await.unwrap() }
    };
    assert!(open(18_080, 18_099).await.is_empty());
    let found = open(79, 81).await;
    assert_eq!(found.keys().collect::<Vec<_>>(), [&80]);
    assert!(found[&80].contains(&world.stack.security_group) && found[&80].contains("0.0.0.0/0"));
}
