//! What carries a tag, and what it costs to list it.

use bluegreen_core::cloud::{ReadTags, ReadTargetGroups, WriteLoadBalancers, WriteTargetGroups};
use bluegreen_core::model::{
    AccountId, Actions, EnvironmentName, ListenerKey, ListenerSettings, LoadBalancerName,
    ResourceKey, ScalingGroupName, TargetGroupName, TargetGroupSettings, tag_key,
};
use bluegreen_core::operation::{Bluegreen, Done, EnvironmentSpec};
use bluegreen_core::plan::UpgradeOptions;
use bluegreen_testkit::MemoryStore;
use bluegreen_testkit::emulator::Fault;

use crate::world::World;

fn count(calls: &[String], action: &str) -> usize {
    calls.iter().filter(|call| *call == action).count()
}

/// Gives the service its second colour: two more target groups, four idle listeners, a group.
async fn upgrade(world: &World) {
    let spec = EnvironmentSpec::new(
        EnvironmentName::new("D-WEB"),
        AccountId::new(&world.stack.account),
        ScalingGroupName::new(&world.stack.scaling_group),
        "18080-18099".parse().expect("a range"),
    );
    let bluegreen = Bluegreen::new(world.cloud.clone(), MemoryStore::new());
    let end = bluegreen.upgrade(&spec, UpgradeOptions::default()).await;
    assert!(matches!(end, Ok(Done::Ran(_))), "{end:?}");
}

#[tokio::test]
async fn what_a_run_made_is_listed_in_five_calls() {
    let world = World::new().await;
    assert_eq!(world.cloud.tagged(tag_key::RUN).await.unwrap(), []);
    upgrade(&world).await;
    world.calls();

    // One load balancer, four target groups, six listeners, two groups.
    let found = world.cloud.tagged(tag_key::RUN).await.unwrap();
    let mut calls = world.calls();
    calls.sort();
    assert_eq!(
        calls,
        [
            "DescribeAutoScalingGroups",
            "DescribeListeners",
            "DescribeLoadBalancers",
            "DescribeTags",
            "DescribeTargetGroups",
        ]
    );
    let names: Vec<String> = found.iter().map(|(key, _)| key.to_string()).collect();
    assert_eq!(
        names,
        [
            "listener web:18080",
            "listener web:18081",
            "listener web:18082",
            "listener web:18083",
            "target group web-http-green",
            "target group web-https-green",
            "scaling group web-green",
        ]
    );
    for (key, tags) in &found {
        assert_eq!(world.cloud.tags(key).await.unwrap().as_ref(), Some(tags), "{key}");
        assert_eq!(tags[tag_key::ENVIRONMENT], "D-WEB", "{key}");
    }
}

/// Makes target groups that no route names, with a tag of the test's.
async fn more_target_groups(world: &World, count: usize) -> Vec<TargetGroupName> {
    let like = TargetGroupName::new(&world.stack.http);
    let settings = world.cloud.target_group_settings(&like).await.expect("it can be read");
    let settings = settings.expect("it is there");
    let tags = [("one-of-many".to_owned(), String::new())].into();
    let settings = TargetGroupSettings { tags, ..settings };
    let mut names = Vec::new();
    for number in 10..10 + count {
        let name = TargetGroupName::new(format!("many-{number}"));
        world.cloud.create_target_group(&name, &settings).await.expect("it can be made");
        names.push(name);
    }
    names
}

#[tokio::test(flavor = "multi_thread")]
async fn many_are_asked_about_twenty_at_a_time() {
    let world = World::new().await;
    let names = more_target_groups(&world, 19).await;
    let wanted: Vec<_> = names.iter().cloned().map(ResourceKey::TargetGroup).collect();
    world.calls();

    // With those of the service: two listeners and twenty-one target groups.
    let found = world.cloud.tagged("one-of-many").await.unwrap();
    let calls = world.calls();
    assert_eq!(count(&calls, "DescribeTags"), 2);
    assert_eq!(calls.len(), 6, "{calls:?}");
    assert_eq!(found.into_iter().map(|(key, _)| key).collect::<Vec<_>>(), wanted);
}

#[tokio::test]
async fn what_goes_away_meanwhile_is_left_out_and_the_others_are_not() {
    let world = World::new().await;
    let names = more_target_groups(&world, 2).await;
    let key = ListenerKey::new(LoadBalancerName::new(&world.stack.load_balancer), 18_080);
    let settings = ListenerSettings {
        protocol: "HTTP".to_owned(),
        actions: Actions::forward_to(names[0].clone()),
        tags: [("one-of-many".to_owned(), "1".to_owned())].into(),
        tls: bluegreen_core::model::Opaque::default(),
    };
    world.cloud.create_listener(&key, &settings).await.unwrap();
    world.calls();
    world.proxy.fail_action(
        "DescribeTags",
        0,
        Fault::refuse(400, "TargetGroupNotFound", "One or more target groups not found"),
    );
    let found = world.cloud.tagged("one-of-many").await.unwrap();
    let calls = world.calls();
    // The first one was in vain; then one for each.
    assert_eq!(count(&calls, "DescribeTags"), 1 + 7, "{calls:?}");
    assert_eq!(found.len(), 3);
}
