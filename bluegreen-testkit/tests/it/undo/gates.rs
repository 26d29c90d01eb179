//! What an undo waits for, before and after the changes that it makes.

use std::collections::BTreeMap;

use bluegreen_core::change::{CloudChange, Edit};
use bluegreen_core::gate::CloudGate;
use bluegreen_core::model::{
    Action, Actions, Capacity, Environment, Forward, ListenerKey, LoadBalancerName, ResourceKey,
    RouteKey, ScalingGroupName, TargetGroupName,
};
use bluegreen_core::plan::{CloudPlan, Decision, Refusal, Standing, standings};
use bluegreen_core::transaction::{Stage, Work};

use super::planned::take_all_back;
use crate::stage::{Scene, Verb};

const BLUE: &str = "nginx-live";
const GREEN: &str = "nginx-live-green";

fn shape(gate: &CloudGate) -> String {
    match gate {
        CloudGate::Healthy { side, than: Some(than), patience } => {
            assert!(patience.timeout.is_zero(), "it is true now, or nothing is begun");
            format!("{} is healthy, as large as {}", side.group, than.group)
        }
        CloudGate::Healthy { side, patience, .. } if patience.timeout.is_zero() => {
            format!("{} stays healthy", side.group)
        }
        CloudGate::Healthy { side, .. } => format!("{} becomes healthy", side.group),
        CloudGate::Empty { group, .. } => format!("{group} becomes empty"),
        CloudGate::Drained { target_groups, .. } => {
            let names: Vec<String> = target_groups.iter().map(ToString::to_string).collect();
            format!("{} drained", names.join(" and "))
        }
        other => panic!("nobody waits for {other:?}"),
    }
}

/// Returns what is done and waited for, in order.
fn steps(environment: &Environment, changes: Vec<CloudChange>) -> Vec<String> {
    let decision = take_all_back(environment, changes, BTreeMap::new());
    let Ok(Decision::Run(plan)) = decision else { panic!("it is planned: {decision:?}") };
    let steps = plan.stages().iter().map(|stage| match &stage.work {
        Work::Gate(gate) => shape(gate),
        Work::Changes(changes) => {
            let kinds = changes.iter().map(|change| match change {
                CloudChange::Route(_) => "routes",
                CloudChange::Capacity(_) => "size",
                CloudChange::Tags(_) => "tags",
                other => panic!("nobody changes {other}"),
            });
            kinds.collect::<Vec<_>>().join(" and ")
        }
    });
    steps.collect()
}

fn resize(before: Capacity, after: Capacity) -> CloudChange {
    CloudChange::Capacity(Edit::new(ScalingGroupName::new(GREEN), before, after))
}

fn tag(value: &str, other: &str) -> CloudChange {
    let resource = ResourceKey::ScalingGroup(ScalingGroupName::new(BLUE));
    let one = |value: &str| BTreeMap::from([("metal".to_owned(), Some(value.to_owned()))]);
    CloudChange::Tags(Edit::new(resource, one(value), one(other)))
}

fn weighted(weights: &[(&str, u32)]) -> Actions {
    let weights = weights.iter().map(|(name, weight)| (TargetGroupName::new(*name), *weight));
    let forward = Forward::new(weights.collect(), None).expect("there are weights");
    Actions::new(vec![Action::Forward(forward)])
}

fn route(port: u16, before: &[(&str, u32)], after: &[(&str, u32)]) -> CloudChange {
    let listener = ListenerKey::new(LoadBalancerName::new(BLUE), port);
    let of = RouteKey::default_of(listener);
    CloudChange::Route(Edit::new(of, weighted(before), weighted(after)))
}

#[tokio::test(start_paused = true)]
async fn what_shrinks_is_drained_before_and_what_changes_size_is_waited_for_after() {
    const DRAINED: &str = "nginx-http-green and nginx-https-green drained";
    const HEALTHY: &str = "nginx-live-green becomes healthy";
    const EMPTY: &str = "nginx-live-green becomes empty";
    let environment = Scene::before(Verb::Switch).await.environment().await;
    let of = Capacity::new;
    for (before, after, wanted) in [
        (Capacity::ZERO, of(2, 3, 6), vec![DRAINED, "size", EMPTY]),
        (of(1, 1, 6), of(2, 3, 6), vec![DRAINED, "size", HEALTHY]),
        (of(2, 3, 6), of(1, 1, 6), vec!["size", HEALTHY]),
        (of(2, 3, 6), Capacity::ZERO, vec!["size", HEALTHY]),
        (of(1, 3, 3), of(2, 3, 6), vec!["size", HEALTHY]),
        (of(0, 0, 6), Capacity::ZERO, vec!["size", EMPTY]),
    ] {
        let steps = steps(&environment, vec![resize(before, after)]);
        assert_eq!(steps, wanted, "the run left {after}, before it was {before}");
    }
}

#[tokio::test(start_paused = true)]
async fn requests_go_back_to_what_is_healthy_then_and_stays_so() {
    const NOW: &str = "nginx-live is healthy, as large as nginx-live-green";
    const STAYS: &str = "nginx-live stays healthy";
    let environment = Scene::before(Verb::Scaledown).await.environment().await;
    let (blue, green) = ([("nginx-http", 1)], [("nginx-http-green", 1)]);
    let switched = || route(80, &blue, &green);
    assert_eq!(steps(&environment, vec![switched()]), [NOW, "routes", STAYS]);
    // What is bound to fail is not even begun.
    let changes = vec![switched(), tag("a", "b")];
    assert_eq!(steps(&environment, changes), [NOW, "tags", NOW, "routes", STAYS]);
    let changes = vec![tag("a", "b"), switched()];
    assert_eq!(steps(&environment, changes), [NOW, "routes", STAYS, "tags"]);
    // What has a weight of 0 comes and goes without anybody noticing.
    let kept = [("nginx-http", 1), ("nginx-http-green", 0)];
    assert_eq!(steps(&environment, vec![route(80, &blue, &kept)]), ["routes"]);
    let other = [("nginx-http", 0), ("nginx-http-green", 1)];
    assert_eq!(steps(&environment, vec![route(80, &kept, &other)]), [NOW, "routes", STAYS]);
    let back = vec![route(80, &green, &blue)];
    let wanted = [
        "nginx-live-green is healthy, as large as nginx-live",
        "routes",
        "nginx-live-green stays healthy",
    ];
    assert_eq!(steps(&environment, back), wanted);
}

#[tokio::test(start_paused = true)]
async fn requests_are_not_divided_between_the_colours_again() {
    let environment = Scene::before(Verb::Scaledown).await.environment().await;
    let both = [("nginx-http", 1), ("nginx-http-green", 1)];
    let neither = [("somebody-else", 1)];
    for before in [&both[..], &neither] {
        let changes = vec![route(80, before, &[("nginx-http-green", 1)])];
        let decision = take_all_back(&environment, changes, BTreeMap::new());
        assert!(matches!(decision, Err(Refusal::SplitBefore(_))), "{decision:?}");
    }
}

#[test]
fn a_thing_stands_where_its_newest_change_stands_that_is_not_taken_back() {
    use Standing::{InPlace, TakenBack};
    let stages = [tag("a", "b"), tag("b", "c"), tag("c", "d")];
    let stages = stages.map(|change| Stage::changes("a change", vec![change]));
    let plan = CloudPlan::new(stages.into()).expect("a plan");
    let overtaken = || Standing::Changed(vec![]);
    for (looks, wanted) in [
        // What an older change left is not there any more, for the newer one started from it.
        ([overtaken(), overtaken(), InPlace], [InPlace, InPlace, InPlace]),
        ([overtaken(), InPlace, TakenBack], [InPlace, InPlace, TakenBack]),
        ([InPlace, TakenBack, TakenBack], [InPlace, TakenBack, TakenBack]),
        ([TakenBack, TakenBack, TakenBack], [TakenBack, TakenBack, TakenBack]),
        ([overtaken(), TakenBack, TakenBack], [overtaken(), TakenBack, TakenBack]),
        ([TakenBack, TakenBack, overtaken()], [InPlace, InPlace, overtaken()]),
    ] {
        let steps = || plan.changes().map(|(step, _)| step);
        let found = standings(&plan, steps().zip(looks.clone()).collect());
        assert_eq!(found, steps().zip(wanted).collect(), "{looks:?}");
    }
}
