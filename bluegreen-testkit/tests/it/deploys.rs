//! What a deploy, or a scaledown, plans for the colour that does not serve.

use std::time::Duration;

use bluegreen_core::change::CloudChange;
use bluegreen_core::gate::CloudGate;
use bluegreen_core::model::{
    Capacity, Color, Environment, GroupTag, ImageId, LaunchSource, Quiet, RunId, tag_key,
};
use bluegreen_core::plan::{
    CloudPlan, Decision, DeployFacts, DeployOptions, DeploySource, Refusal, ScaledownFacts,
    ScaledownOptions, Waits, deploy, scaledown,
};
use bluegreen_core::transaction::Work;
use bluegreen_testkit::fake::template;

use crate::stage::{Scene, Verb};

fn drain(seconds: u64) -> ScaledownFacts {
    let deregistration_delay = Duration::from_secs(seconds);
    ScaledownFacts { deregistration_delay, idle_for: Duration::ZERO, quiet: Quiet::default() }
}

fn planned(
    environment: &Environment,
    source: DeploySource,
    live: LaunchSource,
    image: Option<&str>,
) -> Result<CloudPlan, Refusal> {
    let image = image.map(ImageId::new);
    let facts = DeployFacts { run: RunId::new("01a"), live_launch: live, image, drain: drain(0) };
    match deploy(environment, &DeployOptions::new(source), &facts)? {
        Decision::Run(plan) => Ok(plan),
        Decision::Nothing(why) => panic!("there is something to do: {why}"),
    }
}

/// Blue is live, and green, which is stopped, launches version 2.
async fn upgraded() -> Environment {
    let mut environment = Scene::before(Verb::Deploy).await.environment().await;
    environment.green.as_mut().expect("it is upgraded").group.launch = template("nginx", 2);
    environment
}

fn drains(plan: &CloudPlan) -> Vec<bool> {
    let is_drained = |work: &Work<_, _>| matches!(work, Work::Gate(CloudGate::Drained { .. }));
    plan.stages().iter().map(|stage| is_drained(&stage.work)).collect()
}

#[tokio::test(start_paused = true)]
async fn only_machines_that_are_there_are_drained_and_that_comes_first() {
    let mut environment = upgraded().await;
    let plan = |environment: &Environment| {
        let from = DeploySource::From(Color::Blue);
        planned(environment, from, template("nginx", 1), None).expect("a plan")
    };
    assert!(!drains(&plan(&environment)).contains(&true));
    let blue = environment.blue.group.instances.clone();
    environment.green.as_mut().expect("green").group.instances = blue;
    let drained = drains(&plan(&environment));
    assert!(drained[0] && !drained[1..].contains(&true), "{drained:?}");
}

#[tokio::test(start_paused = true)]
async fn a_colour_launches_what_it_is_told_and_the_image_is_noted_where_it_changes() {
    let environment = upgraded().await;
    let of = |source, image, note: Option<&str>| {
        let mut environment = environment.clone();
        let tags = &mut environment.green.as_mut().expect("green").group.tags;
        tags.remove(tag_key::IMAGE);
        if let Some(note) = note {
            let tag = GroupTag { value: note.to_owned(), propagate: false };
            tags.insert(tag_key::IMAGE.to_owned(), tag);
        }
        let plan = planned(&environment, source, template("nginx", 7), image).expect("a plan");
        let changes = || plan.changes().map(|(_, change)| change.clone());
        let launch = changes().find_map(|change| match change {
            CloudChange::Launch(edit) => Some(edit.after),
            _ => None,
        });
        (launch, changes().any(|change| matches!(change, CloudChange::Image(_))))
    };
    let (live, idle) = (DeploySource::From(Color::Blue), DeploySource::From(Color::Green));
    // The number that a floating version of the live colour means.
    assert_eq!(of(live.clone(), None, None), (Some(template("nginx", 7)), false));
    assert_eq!(of(live.clone(), Some("ami-0b"), None), (Some(template("nginx", 7)), true));
    assert!(!of(live, Some("ami-0b"), Some("7 ami-0b")).1);
    assert_eq!(of(idle.clone(), None, None), (None, false));
    assert_eq!(of(idle.clone(), Some("ami-0b"), Some("2 ami-0b")), (None, false));
    for (image, note) in [
        (Some("ami-0b"), Some("2 ami-0a")),
        (Some("ami-0b"), Some("1 ami-0b")),
        (Some("ami-0b"), None),
        (None, Some("2 ami-0b")),
    ] {
        assert_eq!(of(idle.clone(), image, note), (None, true), "{image:?} {note:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_size_is_taken_from_the_live_colour_and_must_be_given_where_that_has_none() {
    let mut environment = upgraded().await;
    let plan = |environment: &Environment| {
        planned(environment, DeploySource::From(Color::Green), template("nginx", 1), None)
    };
    let started = plan(&environment).expect("a plan").changes().any(|(_, change)| {
        matches!(change, CloudChange::Capacity(edit) if edit.after == Capacity::new(2, 3, 6))
    });
    assert!(started);
    environment.blue.group.capacity = Capacity::new(0, 0, 6);
    assert_eq!(plan(&environment).expect_err("no size"), Refusal::NoSize);
}

#[tokio::test(start_paused = true)]
async fn a_scaledown_waits_for_the_rest_of_the_drain_beside_its_patience_and_notes_the_size() {
    let environment = Scene::before(Verb::Scaledown).await.environment().await;
    let waits = Waits { timeout: Duration::from_secs(100), poll: Duration::from_secs(1) };
    let options = ScaledownOptions::default().with_waits(waits);
    let plan = |environment: &Environment| match scaledown(environment, &options, drain(30)) {
        Ok(Decision::Run(plan)) => plan,
        other => panic!("there is something to stop: {other:?}"),
    };
    let first = plan(&environment).stages()[0].work.clone();
    let Work::Gate(CloudGate::Drained { rest, patience, .. }) = first else {
        panic!("it is drained first: {first:?}")
    };
    assert_eq!((rest.as_secs(), patience.timeout.as_secs()), (30, 130));
    let noted = |environment: &Environment| {
        plan(environment).changes().any(|(_, change)| matches!(change, CloudChange::Tags(_)))
    };
    assert!(noted(&environment));
    let with = |capacity, note: Option<&str>| {
        let mut environment = environment.clone();
        let group = &mut environment.blue.group;
        group.capacity = capacity;
        if let Some(note) = note {
            let tag = GroupTag { value: note.to_owned(), propagate: false };
            group.tags.insert(tag_key::CAPACITY.to_owned(), tag);
        }
        noted(&environment)
    };
    assert!(with(Capacity::new(1, 2, 3), Some("1/1/1")));
    assert!(!with(Capacity::new(1, 2, 3), Some("1/2/3")), "it is noted already");
    assert!(!with(Capacity::ZERO, Some("1/2/3")), "what was noted is not lost");
    assert!(!with(Capacity::ZERO, None), "there is no size to note");
}
