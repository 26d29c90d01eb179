//! What changes show of themselves, for every change of every operation on every kind of world.
//!
//! Certification compares what a change finds with what it brought, and an undo names what others
//! changed, field by field: a change that finds nothing, or always the same, would see nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bluegreen_core::change::{CloudChange, Edit};
use bluegreen_core::model::{
    Fitting, HealthStrategy, LaunchConfigurationName, LaunchSource, LaunchTemplateName, Opaque,
    ScalingGroupName,
};
use bluegreen_core::operation::{Done, Operation};
use bluegreen_core::plan::{
    Decision, DeployOptions, DowngradeOptions, ScaledownOptions, SwitchOptions, UpgradeOptions,
};
use bluegreen_core::transaction::{Change as _, Ending, Fields};
use bluegreen_testkit::{FakeCloud, World};
use serde_json::json;

use crate::stage::{Scene, image};

/// A change, and what it finds before and after the run that makes it.
struct Seen {
    change: CloudChange,
    found: (Fields, Fields),
}

async fn seen(scene: &Scene, operation: Operation) -> Vec<Seen> {
    tokio::time::sleep(Duration::from_millis(1)).await;
    let (bluegreen, before) = (scene.bluegreen(), scene.cloud.fork());
    let prepared = bluegreen.prepare(&scene.spec, &operation).await.expect("it can be planned");
    let Decision::Run(plan) = prepared.decision() else {
        panic!("{operation:?} has nothing to do")
    };
    let changes: Vec<CloudChange> = plan.changes().map(|(_, change)| change.clone()).collect();
    match bluegreen.execute(prepared).await {
        Ok(Done::Ran(outcome)) => assert_eq!(outcome.ending, Ending::Committed),
        other => panic!("{operation:?}: {other:?}"),
    }
    let mut all = Vec::new();
    for change in changes {
        let was = change.find(&before).await.expect("it can be read");
        let is = change.find(&scene.cloud).await.expect("it can be read");
        all.push(Seen { change, found: (was, is) });
    }
    all
}

/// A group with a launch configuration, policies, alarms, schedules and fittings, whose pairs are
/// kept checked in some way.
async fn life(health: HealthStrategy) -> Vec<Seen> {
    let name = ScalingGroupName::new("nginx-live");
    let mut world = World::example().with_launch_configuration("nginx-1", "ami-0a").with_fitting(
        "nginx-live",
        Fitting::WarmPool,
        Opaque::new(json!({"MinSize": "1"})),
    );
    let blue = world.scaling_groups.get_mut(&name).expect("it is there");
    blue.launch = LaunchSource::Configuration(LaunchConfigurationName::new("nginx-1"));
    let mut scene = Scene::new(FakeCloud::new(world));
    scene.spec.health = health;
    let deploy = |name: &str| Operation::Deploy(image(name));
    let migrate: DeployOptions = image("ami-0b").with_template(LaunchTemplateName::new("web"));
    let mut all = Vec::new();
    for operation in [
        Operation::Upgrade(UpgradeOptions::default()),
        deploy("ami-0b"),
        Operation::Switch(SwitchOptions::default()),
        Operation::Deploy(migrate),
        Operation::Switch(SwitchOptions::default()),
        Operation::Scaledown(ScaledownOptions::default()),
        deploy("ami-0a"),
        Operation::Downgrade(DowngradeOptions::default()),
    ] {
        all.extend(seen(&scene, operation).await);
    }
    all
}

async fn every_life() -> Vec<Seen> {
    let mut all = Vec::new();
    for health in [
        HealthStrategy::default(),
        HealthStrategy::WeightZero { cuts_connections: false },
        HealthStrategy::TestRule { sources: vec![] },
    ] {
        all.extend(life(health).await);
    }
    all
}

/// Names the kind of a change as a journal does.
fn kind(change: &CloudChange) -> String {
    let value = serde_json::to_value(change).expect("a change is JSON");
    value.as_object().and_then(|it| it.keys().next()).expect("it has a kind").clone()
}

#[tokio::test(start_paused = true)]
async fn what_a_change_finds_is_what_it_says_it_replaces_and_brings() {
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    for Seen { change, found: (was, is) } in every_life().await {
        let kind = kind(&change);
        // What has no number before it is made is known by its mark, and is shown with its number;
        // sizes and processes may be changed more than once within a run, and launches with them.
        let exact =
            !matches!(kind.as_str(), "launch" | "capacity" | "processes" | "image" | "tags");
        if exact {
            assert_eq!(was, change.before(), "before {change}");
            assert_eq!(is, change.after(), "after {change}");
        }
        assert_ne!(change.before(), change.after(), "{change} changes nothing");
        assert!(!(was.is_empty() && is.is_empty()), "{change} finds nothing, ever");
        *kinds.entry(kind).or_default() += 1;
    }
    let all = [
        "alarm",
        "capacity",
        "deletion_protection",
        "fitting",
        "hold",
        "image",
        "launch",
        "launch_configuration",
        "launch_template",
        "listener",
        "policy",
        "processes",
        "route",
        "rule",
        "scaling_group",
        "schedule",
        "tags",
        "target_group",
        "template_version",
    ];
    let seen: BTreeSet<&str> = kinds.keys().map(String::as_str).collect();
    assert_eq!(seen, BTreeSet::from(all), "every kind of change was seen");
}

#[tokio::test(start_paused = true)]
async fn every_change_names_its_resource_and_itself() {
    let mut names: BTreeMap<String, String> = BTreeMap::new();
    for Seen { change, .. } in life(HealthStrategy::default()).await {
        let (resource, text) = (change.resource(), change.to_string());
        assert!(resource.contains(' ') && resource.len() > 8, "{text} is about `{resource}`");
        assert!(!text.is_empty() && !text.contains("xyzzy"));
        let kind = kind(&change);
        let other = names.insert(resource.clone(), kind.clone());
        assert!(other.is_none_or(|other| other == kind), "{resource} is of two kinds");
    }
}

#[tokio::test(start_paused = true)]
async fn a_change_is_followed_by_its_inverse_and_by_no_change_of_another_kind() {
    let all = every_life().await;
    for Seen { change, .. } in &all {
        let inverse = change.inverse();
        assert!(inverse.follows(change) && change.follows(&inverse), "{change}");
        assert!(!change.follows(change), "{change} does not begin where it ends");
        assert_eq!((inverse.before(), inverse.after()), (change.after(), change.before()));
        assert_eq!(inverse.inverse(), *change);
        for other in all.iter().filter(|other| kind(&other.change) != kind(change)) {
            assert!(!change.follows(&other.change), "{change} after {}", other.change);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_made_can_be_taken_back_exactly_and_what_is_deleted_only_under_another_identity() {
    use bluegreen_core::transaction::Reversibility::{Equivalent, Exact};
    let numbered = [
        "launch_configuration",
        "launch_template",
        "listener",
        "policy",
        "rule",
        "scaling_group",
        "target_group",
        "template_version",
    ];
    for Seen { change, .. } in every_life().await {
        let kind = kind(&change);
        let deletes = change.after().is_empty() && !change.before().is_empty();
        for (change, deletes) in [(change.inverse(), !deletes), (change, deletes)] {
            match &change {
                CloudChange::Capacity(Edit { before, after, .. }) => {
                    let is_less = after.desired < before.desired;
                    let wanted = if is_less { Equivalent } else { Exact };
                    assert_eq!(change.reversibility(), wanted, "{change}");
                }
                _ if numbered.contains(&kind.as_str()) => {
                    let wanted = if deletes { Equivalent } else { Exact };
                    assert_eq!(change.reversibility(), wanted, "{change}");
                }
                _ => assert_eq!(change.reversibility(), Exact, "{change}"),
            }
        }
    }
}

/// What people read in a plan.
#[tokio::test(start_paused = true)]
async fn every_change_is_told_in_words() {
    let mut told: Vec<String> = Vec::new();
    for Seen { change, .. } in every_life().await {
        let text = change.to_string();
        // Runs have names of their own.
        let text = text
            .split_whitespace()
            .map(|word| if word.contains("01") && word.len() > 24 { "RUN" } else { word });
        told.push(text.collect::<Vec<_>>().join(" "));
    }
    told.sort();
    told.dedup();
    let wanted = include_str!("change_texts.txt");
    assert_eq!(told.join("\n"), wanted.trim_end());
}
