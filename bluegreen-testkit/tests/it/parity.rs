//! Which differences of the colours are intended, and why.

use bluegreen_core::model::{
    Actions, Capacity, GroupTag, LaunchConfigurationName, LaunchSource, LaunchTemplateName,
    ListenerKey, LoadBalancerName, Opaque, Process, RouteKey, ScalingGroupName, TargetGroupName,
    TemplateVersion,
};
use bluegreen_core::operation::compare;
use bluegreen_testkit::World;
use bluegreen_testkit::fake::{ScalingGroupState, template};
use serde_json::{Value, json};

use crate::stage::{Scene, Verb};

const BLUE: &str = "nginx-live";
const GREEN: &str = "nginx-live-green";
const SIZE: Option<&str> = Some("each colour has its own size");
const VERSION: Option<&str> = Some("each colour has its own version");
const OURS: Option<&str> = Some("written by bluegreen");
const HELD: Option<&str> = Some("held while it is idle");

fn group<'a>(world: &'a mut World, name: &str) -> &'a mut ScalingGroupState {
    world.scaling_groups.get_mut(&ScalingGroupName::new(name)).expect("it is there")
}

fn launch(world: &mut World, blue: LaunchSource, green: LaunchSource) {
    group(world, BLUE).launch = blue;
    group(world, GREEN).launch = green;
}

fn detail(world: &mut World, key: &str, blue: Value, green: Value) {
    for (name, value) in [(BLUE, blue), (GREEN, green)] {
        let group = group(world, name);
        let mut details = group.details.value().clone();
        details[key] = value;
        group.details = Opaque::new(details);
    }
}

fn mixed(version: u64, kind: &str) -> LaunchSource {
    LaunchSource::Mixed {
        template: LaunchTemplateName::new("nginx"),
        version: TemplateVersion::Number(version),
        policy: Opaque::new(json!({"overrides": [{"type": kind}]})),
    }
}

fn configuration(name: &str) -> LaunchSource {
    LaunchSource::Configuration(LaunchConfigurationName::new(name))
}

fn split(world: &mut World) {
    let listener = ListenerKey::new(LoadBalancerName::new(BLUE), 80);
    let actions = world.actions_mut(&RouteKey::default_of(listener)).expect("it is there");
    *actions = Actions::forward_to(TargetGroupName::new("nginx-http-green"));
}

/// What somebody does to the colours, the field in which they differ then, and why they may.
type Row = (fn(&mut World), &'static str, Option<&'static str>);

/// Blue serves, and green is held.
const ROWS: [Row; 18] = [
    (|world| group(world, GREEN).capacity = Capacity::new(1, 1, 9), "size.max", SIZE),
    (
        |world| launch(world, template("nginx", 1), template("nginx", 2)),
        "launch.template.version.number",
        VERSION,
    ),
    (
        |world| launch(world, template("nginx", 1), template("other", 1)),
        "launch.template.template",
        None,
    ),
    (|world| launch(world, mixed(1, "a"), mixed(2, "a")), "launch.mixed.version.number", VERSION),
    (
        |world| launch(world, mixed(1, "a"), mixed(1, "b")),
        "launch.mixed.policy.overrides.0.type",
        None,
    ),
    (
        |world| launch(world, configuration("a"), configuration("b")),
        "launch.configuration",
        VERSION,
    ),
    (
        |world| detail(world, "version", json!({"number": 1}), json!({"number": 2})),
        "settings.version.number",
        None,
    ),
    (|world| detail(world, "version", json!(1), json!(2)), "settings.version", None),
    (|world| detail(world, "grace_seconds", json!(1), json!(2)), "settings.grace_seconds", None),
    (
        |world| {
            let tag = GroupTag { value: "gold".to_owned(), propagate: false };
            group(world, GREEN).tags.insert("bluegreen:metal".to_owned(), tag);
        },
        "tags.bluegreen:metal.value",
        OURS,
    ),
    (
        |world| {
            let tag = GroupTag { value: "gold".to_owned(), propagate: false };
            group(world, GREEN).tags.insert("metal".to_owned(), tag);
        },
        "tags.metal.value",
        None,
    ),
    (|_| {}, "suspended.AlarmNotification", HELD),
    (|_| {}, "suspended.ScheduledActions", HELD),
    (
        |world| {
            group(world, GREEN).suspended.insert(Process::Launch);
        },
        "suspended.Launch",
        None,
    ),
    (
        |world| {
            group(world, BLUE).suspended = [Process::AlarmNotification].into();
            group(world, GREEN).suspended = [].into();
        },
        "suspended.AlarmNotification",
        None,
    ),
    (split, "suspended.AlarmNotification", None),
    (
        |world| {
            group(world, BLUE).suspended.insert(Process::Launch);
        },
        "suspended.Launch",
        None,
    ),
    (|_| {}, "target groups", Some("named after its colour")),
];

#[tokio::test(start_paused = true)]
async fn a_difference_is_intended_only_where_the_colours_must_differ() {
    for (nth, (touch, field, intended)) in ROWS.into_iter().enumerate() {
        let scene = Scene::before(Verb::Switch).await;
        scene.cloud.edit(touch);
        let environment = scene.environment().await;
        let found = compare(&scene.cloud, &scene.spec, &environment).await.expect("readable");
        let fields: Vec<&str> = found.iter().map(|one| one.field.as_str()).collect();
        let row = found.iter().find(|one| one.field == field);
        let row = row.unwrap_or_else(|| panic!("row {nth}: {field} is not in {fields:?}"));
        assert_eq!(row.intended, intended, "row {nth}: {row:?}");
        assert_ne!(row.blue, row.green, "row {nth}");
    }
}

/// Once green serves, it is blue that is held.
#[tokio::test(start_paused = true)]
async fn what_is_held_is_the_colour_that_does_not_serve() {
    let scene = Scene::before(Verb::Scaledown).await;
    let environment = scene.environment().await;
    let found = compare(&scene.cloud, &scene.spec, &environment).await.expect("readable");
    let held: Vec<_> = found.iter().filter(|one| one.field.starts_with("suspended.")).collect();
    assert_eq!(held.len(), Process::HELD_ON_IDLE.len(), "{held:?}");
    for one in held {
        assert_eq!((one.intended, one.green.as_ref()), (HELD, None), "{one:?}");
        assert!(one.blue.is_some(), "{one:?}");
    }
}
