//! What an undo leaves alone: all that the colour that serves stands on, change by change.

use std::collections::BTreeMap;

use bluegreen_core::change::{CloudChange, Edit};
use bluegreen_core::model::{
    Actions, Capacity, Color, LaunchSource, LaunchTemplateName, ListenerKey, ListenerSettings,
    LoadBalancerName, ResourceKey, RouteKey, ScalingGroupName, ScalingGroupSettings, Side,
    TargetGroupName, TemplateVersion,
};
use bluegreen_core::operation::OperationErrorKind;
use bluegreen_core::plan::{Decision, Refusal};
use bluegreen_testkit::World;
use bluegreen_testkit::fake::template;

use super::planned::take_back;
use crate::stage::{Scene, Verb};

fn settings(world: &World, name: &ScalingGroupName) -> ScalingGroupSettings {
    let group = world.scaling_groups[name].clone();
    ScalingGroupSettings {
        launch: group.launch,
        capacity: Capacity::ZERO,
        target_groups: group.target_groups,
        tags: group.tags,
        details: group.details,
        uncarried: vec![],
        unknown: vec![],
    }
}

fn listener(world: &World, port: u16) -> CloudChange {
    let key = ListenerKey::new(LoadBalancerName::new("nginx-live"), port);
    let found = world.listener(&key).expect("it is there").clone();
    let settings = ListenerSettings {
        protocol: found.protocol,
        actions: found.actions,
        tags: found.tags,
        tls: found.tls,
    };
    CloudChange::Listener(Edit::create(key, settings))
}

/// Everything that a run could do to a colour and that would cost it something if taken back.
fn standing_on(world: &World, side: &Side) -> Vec<CloudChange> {
    let name = &side.group.name;
    let capacity = Edit::new(name.clone(), Capacity::ZERO, Capacity::new(1, 2, 3));
    let launch = Edit::new(name.clone(), template("nginx", 1), template("nginx", 2));
    let mut changes = vec![
        CloudChange::Capacity(capacity),
        CloudChange::Capacity(Edit::new(name.clone(), Capacity::new(2, 3, 4), Capacity::ZERO)),
        CloudChange::ScalingGroup(Edit::create(name.clone(), settings(world, name))),
        CloudChange::Launch(launch),
    ];
    changes.extend(side.members.iter().map(|member| {
        let name = &member.target_group.name;
        CloudChange::TargetGroup(Edit::create(name.clone(), world.target_groups[name].clone()))
    }));
    changes
}

/// Both colours serving in turn, the other one with its machines.
async fn both_ways() -> Vec<(Scene, Color)> {
    vec![
        (Scene::before(Verb::Switch).await, Color::Blue),
        (Scene::before(Verb::Scaledown).await, Color::Green),
    ]
}

#[track_caller]
fn refused_as_live(decision: &Result<Decision, Refusal>, live: Color, what: &str) {
    let is_live = |color: &Color| *color == live;
    assert!(
        matches!(decision, Err(Refusal::IsLive { color, .. }) if is_live(color)),
        "{live} serves, {what}: {decision:?}"
    );
}

#[track_caller]
fn planned(decision: &Result<Decision, Refusal>, what: &str) {
    assert!(matches!(decision, Ok(Decision::Run(_))), "{what}: {decision:?}");
}

#[tokio::test(start_paused = true)]
async fn nothing_is_taken_from_the_colour_that_serves_and_all_may_be_from_the_other() {
    for (scene, live) in both_ways().await {
        let (environment, world) = (scene.environment().await, scene.world());
        let side = |color| environment.side(color).expect("both are there");
        let take_back = |change| take_back(&environment, change, BTreeMap::new());
        for change in standing_on(&world, side(live)) {
            let what = change.to_string();
            refused_as_live(&take_back(change), live, &what);
        }
        for change in standing_on(&world, side(live.other())) {
            let what = change.to_string();
            planned(&take_back(change), &what);
        }
        for port in [80, 443] {
            refused_as_live(&take_back(listener(&world, port)), live, "a live listener");
        }
        planned(&take_back(listener(&world, 18080)), "an idle listener");
    }
}

#[tokio::test(start_paused = true)]
async fn what_gives_the_colour_that_serves_something_is_taken_back() {
    for (scene, live) in both_ways().await {
        let (environment, world) = (scene.environment().await, scene.world());
        let side = environment.side(live).expect("it is there");
        let name = &side.members[0].target_group.name;
        let settings = world.target_groups[name].clone();
        let deleted = CloudChange::TargetGroup(Edit::delete(name.clone(), settings));
        let CloudChange::Listener(Edit { of, after: Some(settings), .. }) = listener(&world, 80)
        else {
            panic!("a listener is made")
        };
        let unheard = CloudChange::Listener(Edit::delete(of, settings));
        let resource = ResourceKey::ScalingGroup(side.group.name.clone());
        let tag = |value: &str| BTreeMap::from([("a".to_owned(), Some(value.to_owned()))]);
        let tagged = CloudChange::Tags(Edit::new(resource, tag("b"), tag("c")));
        for change in [deleted, unheard, tagged] {
            let what = change.to_string();
            planned(&take_back(&environment, change, BTreeMap::new()), &what);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_serves_follows_a_floating_version_again_only_if_that_means_what_it_runs() {
    let floating =
        |version| LaunchSource::Template { template: LaunchTemplateName::new("nginx"), version };
    for (scene, live) in both_ways().await {
        let environment = scene.environment().await;
        let name = environment.side(live).expect("it is there").group.name.clone();
        for version in [TemplateVersion::Latest, TemplateVersion::Default] {
            let pin = || {
                let before = floating(version.clone());
                CloudChange::Launch(Edit::new(name.clone(), before, template("nginx", 7)))
            };
            let take_back = |floats: &[(&ScalingGroupName, u64)]| {
                let floats = floats.iter().map(|(name, number)| ((*name).clone(), *number));
                take_back(&environment, pin(), floats.collect())
            };
            planned(&take_back(&[(&name, 7)]), "it means the same");
            let other = ScalingGroupName::new("another");
            for floats in [&[(&name, 8)][..], &[], &[(&other, 7)]] {
                let decision = take_back(floats);
                assert!(
                    matches!(&decision, Err(Refusal::FloatMoved { pinned: 7, group, .. })
                        if *group == name),
                    "{floats:?}: {decision:?}"
                );
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn before_an_upgrade_blue_is_what_serves_wherever_the_routes_go() {
    let scene = Scene::before(Verb::Switch).await;
    let world = scene.world();
    let mut environment = scene.environment().await;
    environment.green = None;
    for to in ["nginx-http", "nginx-http-green", "somebody-else"] {
        for route in &mut environment.routes {
            route.actions = Actions::forward_to(TargetGroupName::new(to));
        }
        let blue = &environment.blue.group.name;
        let made = CloudChange::ScalingGroup(Edit::create(blue.clone(), settings(&world, blue)));
        let decision = take_back(&environment, made, BTreeMap::new());
        refused_as_live(&decision, Color::Blue, to);
        // What requests reach stays, whichever colour it is of.
        if let Some(settings) = world.target_groups.get(&TargetGroupName::new(to)) {
            let made = Edit::create(TargetGroupName::new(to), settings.clone());
            let made = CloudChange::TargetGroup(made);
            refused_as_live(&take_back(&environment, made, BTreeMap::new()), Color::Blue, to);
        }
    }
}

/// Sends all requests to green, as somebody would in a console.
fn send_to_green(world: &mut World) {
    for (port, priority, to) in [(80, None, "http"), (80, Some(10), "http"), (443, None, "https")] {
        let listener = ListenerKey::new(LoadBalancerName::new("nginx-live"), port);
        let actions = world.actions_mut(&RouteKey { listener, priority }).expect("it is there");
        *actions = Actions::forward_to(TargetGroupName::new(format!("nginx-{to}-green")));
    }
}

#[tokio::test(start_paused = true)]
async fn no_run_is_taken_back_on_which_green_stands_since_somebody_sent_the_traffic_there() {
    for last in [Verb::Upgrade, Verb::Deploy] {
        let scene = Scene::before(last).await;
        scene.must(last).await;
        scene.cloud.edit(send_to_green);
        scene.cloud.forget_calls();
        let before = scene.world();
        let error = scene.undo_last().await.expect_err("green serves");
        assert_eq!(error.kind(), OperationErrorKind::NotStarted, "{last:?}: {error}");
        assert!(error.to_string().contains("green is the live colour"), "{last:?}: {error}");
        assert_eq!(scene.world(), before);
        assert!(scene.cloud.calls().iter().all(|call| !call.mutating), "something was tried");
    }
}

#[tokio::test(start_paused = true)]
async fn while_the_colours_share_the_traffic_nothing_is_taken_back() {
    let scene = Scene::before(Verb::Switch).await;
    scene.cloud.edit(|world| {
        let listener = ListenerKey::new(LoadBalancerName::new("nginx-live"), 80);
        let actions = world.actions_mut(&RouteKey::default_of(listener)).expect("it is there");
        *actions = Actions::forward_to(TargetGroupName::new("nginx-http-green"));
    });
    let before = scene.world();
    let error = scene.undo_last().await.expect_err("it is split");
    assert_eq!(error.kind(), OperationErrorKind::NotStarted, "{error}");
    assert!(error.to_string().contains("is split"), "{error}");
    assert_eq!(scene.world(), before);
}
