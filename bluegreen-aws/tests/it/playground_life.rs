//! The same operations in memory and over the wire: both end in the same state.
//!
//! One world is made at a playground, over the wire. A copy of it lives in a [`FakeCloud`] on
//! virtual time, which is operated on directly; the other one is operated on by the adapter, with
//! real machines that are checked for real. After every operation both must have answered the same
//! and be configured the same.
//!
//! Run ids are made anew each time, and stand in tags and in the marks of template versions: the
//! nth run of either side is called `run-n` before they are compared. How a forward was spelled,
//! as one ARN or as a list with weights, is a matter of the wire: it is left out. Nothing else may
//! differ.
//!
//! Of the worlds that [`any_world`] makes, what the wire can say is taken: sizes and launch
//! sources. What conditions, policies and groups are like in detail is text of a test there.

use std::sync::Arc;
use std::time::Duration;

use bluegreen_core::cloud::Cloud;
use bluegreen_core::model::{
    AccountId, Capacity, EnvironmentName, HealthStrategy, ImageId, LaunchConfigurationName,
    LaunchSource, LaunchTemplateName, Quiet, ScalingGroupName,
};
use bluegreen_core::operation::{Bluegreen, Done, EnvironmentSpec, Operation, OperationErrorKind};
use bluegreen_core::plan::{
    DeployOptions, DeploySource, DowngradeOptions, ScaledownOptions, SwitchOptions, UndoOptions,
    UpgradeOptions, Waits,
};
use bluegreen_core::transaction::{Clock, Ending, Policy, SystemClock};
use bluegreen_testkit::strategy::{STACK, any_world};
use bluegreen_testkit::{FakeCloud, MemoryStore, World};
use proptest::prelude::*;
use serde_json::Value;

use crate::playground_world::PlaygroundWorld;

const WAITS: Waits = Waits { timeout: Duration::from_mins(1), poll: Duration::from_millis(200) };

/// What is done to the environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verb {
    Upgrade,
    Deploy,
    Switch,
    Scaledown,
    /// Goes back to one colour.
    Downgrade,
    /// Takes back what was done last.
    Undo,
}

/// How an operation ended, and what it left.
#[derive(Debug, PartialEq)]
struct End {
    answer: Answer,
    world: Value,
}

#[derive(Debug, PartialEq, Eq)]
enum Answer {
    Ran { ending: Ending, changes: usize },
    Nothing(String),
    Failed { kind: OperationErrorKind, message: String },
}

/// One side: a cloud, and what has run on it.
struct Side {
    cloud: Arc<dyn Cloud>,
    clock: Arc<dyn Clock>,
    store: MemoryStore,
    /// The state machine behind the cloud.
    fake: FakeCloud,
    spec: EnvironmentSpec,
    image: ImageId,
}

impl Side {
    async fn operate(&self, verb: Verb) -> End {
        // Runs are told apart, and put in order, by when they began.
        tokio::time::sleep(Duration::from_millis(2)).await;
        let bluegreen = self.bluegreen();
        let answer = match self.operation(verb).await {
            None => Answer::Nothing("there is no run to take back".to_owned()),
            Some(operation) => match bluegreen.run(&self.spec, &operation).await {
                Ok(Done::Ran(outcome)) => {
                    Answer::Ran { ending: outcome.ending, changes: outcome.changes }
                }
                Ok(Done::Nothing(why)) => Answer::Nothing(self.anonymous(&why).await),
                Ok(other) => panic!("{other:?} is new"),
                Err(error) => {
                    let message = self.anonymous(&error.to_string()).await;
                    Answer::Failed { kind: error.kind(), message }
                }
            },
        };
        let world = serde_json::to_string(&self.fake.world()).expect("a world is plain data");
        let world = self.anonymous(&world).await;
        let mut world = serde_json::from_str(&world).expect("it is still a world");
        leave_spelling_out(&mut world);
        End { answer, world }
    }

    async fn operation(&self, verb: Verb) -> Option<Operation> {
        Some(match verb {
            Verb::Upgrade => Operation::Upgrade(UpgradeOptions::default()),
            Verb::Deploy => {
                let image = Some(self.image.clone());
                let source = DeploySource::Edit { image, user_data: None };
                Operation::Deploy(DeployOptions::new(source).with_waits(WAITS))
            }
            Verb::Switch => Operation::Switch(SwitchOptions::default().with_waits(WAITS)),
            Verb::Scaledown => Operation::Scaledown(ScaledownOptions::default().with_waits(WAITS)),
            Verb::Downgrade => Operation::Downgrade(DowngradeOptions::default().with_waits(WAITS)),
            Verb::Undo => {
                let runs = self.bluegreen().log().await.expect("the journals can be read");
                let last = runs.first()?.run.clone();
                Operation::Undo(UndoOptions::new(last).with_waits(WAITS))
            }
        })
    }

    fn bluegreen(&self) -> Bluegreen {
        let policy = Policy {
            settle: Duration::from_secs(1),
            reread: Duration::from_secs(2),
            ..Policy::default()
        };
        Bluegreen::of(Arc::clone(&self.cloud), Arc::new(self.store.clone()))
            .with_clock(Arc::clone(&self.clock))
            .with_policy(policy)
    }

    /// Names runs by their order.
    async fn anonymous(&self, text: &str) -> String {
        let runs = self.bluegreen().log().await.expect("the journals can be read");
        let oldest_first = runs.iter().rev().enumerate();
        oldest_first.fold(text.to_owned(), |text, (nth, run)| {
            text.replace(run.run.as_str(), &format!("run-{nth}"))
        })
    }
}

fn spec(world: &PlaygroundWorld) -> EnvironmentSpec {
    EnvironmentSpec::new(
        EnvironmentName::new("PLAY"),
        AccountId::new(&world.stack.account),
        ScalingGroupName::new(&world.stack.scaling_group),
        "18080-18099".parse().expect("a range"),
    )
    .with_quiet(Quiet { window: Duration::from_secs(2), unmeasured: false })
}

/// Operates on a copy of a world, on virtual time.
fn in_memory(world: World, spec: EnvironmentSpec, image: ImageId, verbs: &[Verb]) -> Vec<End> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime needs nothing");
    runtime.block_on(async {
        let fake = FakeCloud::new(world).with_account(spec.account.as_str());
        let (cloud, clock) = (Arc::new(fake.clone()), Arc::new(fake.clone()));
        let side = Side { cloud, clock, store: MemoryStore::new(), fake, spec, image };
        let mut ends = Vec::new();
        for verb in verbs {
            ends.push(side.operate(*verb).await);
        }
        ends
    })
}

/// Operates on both sides, and compares them after every operation; returns how it ended.
async fn both_end_alike(world: PlaygroundWorld, verbs: Vec<Verb>) -> Vec<End> {
    let spec = spec(&world);
    both_end_alike_with(world, spec, verbs).await
}

/// The same, of an environment that is configured in some way.
async fn both_end_alike_with(
    world: PlaygroundWorld,
    spec: EnvironmentSpec,
    verbs: Vec<Verb>,
) -> Vec<End> {
    let fake = world.fake();
    let image = ImageId::new(&world.stack.images[0]);
    let (copy, of_copy) = (fake.world(), (spec.clone(), image.clone(), verbs.clone()));
    let remembered = tokio::task::spawn_blocking(move || {
        let (spec, image, verbs) = of_copy;
        in_memory(copy, spec, image, &verbs)
    });
    let remembered = remembered.await.expect("it does not panic");
    let (cloud, clock) = (Arc::new(world.cloud.clone()), Arc::new(SystemClock));
    let side = Side { cloud, clock, store: MemoryStore::new(), fake, spec, image };
    let mut ends = Vec::new();
    for (nth, (verb, expected)) in verbs.iter().zip(remembered).enumerate() {
        let end = side.operate(*verb).await;
        assert_eq!(end.answer, expected.answer, "{verb:?}, the {nth}th of {verbs:?}");
        let difference = difference(&end.world, &expected.world, "world");
        assert_eq!(difference, Vec::<String>::new(), "{verb:?}, the {nth}th of {verbs:?}");
        ends.push(end);
    }
    ends
}

/// Takes away how forwards were spelled, and what is made up from the id of a run.
fn leave_spelling_out(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            if let Some(header) = fields.get_mut("HttpHeaderConfig").and_then(Value::as_object_mut)
            {
                header.remove("Values");
            }
            if let Some(forward) = fields.get_mut("forward").and_then(Value::as_object_mut) {
                forward.remove("form");
            }
            fields.values_mut().for_each(leave_spelling_out);
        }
        Value::Array(items) => items.iter_mut().for_each(leave_spelling_out),
        _ => {}
    }
}

/// Lists where two worlds differ: what is there over the wire, and what in memory.
fn difference(wire: &Value, memory: &Value, at: &str) -> Vec<String> {
    match (wire, memory) {
        (Value::Object(one), Value::Object(other)) => {
            let mut keys: Vec<&String> = one.keys().chain(other.keys()).collect();
            keys.sort_unstable();
            keys.dedup();
            let differ = keys.into_iter().flat_map(|key| {
                difference(&wire[key.as_str()], &memory[key.as_str()], &format!("{at}.{key}"))
            });
            differ.collect()
        }
        _ if wire == memory => vec![],
        _ => vec![format!("{at}: {wire} over the wire, {memory} in memory")],
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_life_ends_the_same_in_memory_and_over_the_wire() {
    let life = [Verb::Upgrade, Verb::Deploy, Verb::Switch, Verb::Scaledown, Verb::Undo];
    both_end_alike(PlaygroundWorld::new().await, life.to_vec()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upgrade_and_a_downgrade_leave_a_stack_as_it_was() {
    let world = PlaygroundWorld::new().await;
    let mut before = serde_json::to_value(world.fake().world()).expect("a world is plain data");
    leave_spelling_out(&mut before);
    let ends = both_end_alike(world, vec![Verb::Upgrade, Verb::Downgrade]).await;
    assert_ne!(ends[0].world, before);
    let difference = difference(&ends[1].world, &before, "world");
    assert_eq!(difference, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn both_colours_are_kept_checked_over_the_wire_in_every_way() {
    let life = [Verb::Upgrade, Verb::Deploy, Verb::Switch, Verb::Undo, Verb::Downgrade];
    for health in [
        HealthStrategy::WeightZero { cuts_connections: false },
        HealthStrategy::TestRule { sources: vec!["127.0.0.0/8".to_owned()] },
    ] {
        let world = PlaygroundWorld::new().await;
        let before = world.fake().world();
        let spec = spec(&world).with_health(health);
        let fake = world.fake();
        let ends = both_end_alike_with(world, spec, life.to_vec()).await;
        assert!(ends.iter().all(|end| matches!(end.answer, Answer::Ran { .. })), "{ends:?}");
        assert!(fake.world().load_balancers == before.load_balancers, "it is as it was");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_load_balancer_is_switched_over_the_wire_as_in_memory() {
    let life = [Verb::Upgrade, Verb::Deploy, Verb::Switch, Verb::Undo];
    let world = PlaygroundWorld::new().await;
    world.add_a_network_service().await;
    let mut spec = spec(&world);
    spec.scaling_group = ScalingGroupName::new("flows");
    spec.quiet.unmeasured = true;
    let ends = both_end_alike_with(world, spec, life.to_vec()).await;
    assert!(ends.iter().all(|end| matches!(end.answer, Answer::Ran { .. })), "{ends:?}");
}

fn any_verbs() -> impl Strategy<Value = Vec<Verb>> {
    let all =
        [Verb::Upgrade, Verb::Deploy, Verb::Switch, Verb::Scaledown, Verb::Downgrade, Verb::Undo];
    let random = prop::collection::vec(prop::sample::select(all.to_vec()), 1..=4);
    // Most of what may be done in any order is refused before an upgrade.
    (any::<bool>(), random).prop_map(|(upgraded, random)| {
        let upgrade = upgraded.then_some(Verb::Upgrade);
        upgrade.into_iter().chain(random).collect()
    })
}

/// Makes sizes and launch sources as they are in any world.
fn any_group() -> impl Strategy<Value = (Capacity, LaunchSource)> {
    any_world().prop_map(|world| {
        let group = world.scaling_groups.get(&ScalingGroupName::new(STACK));
        let group = group.expect("every world has one");
        let launch = match &group.launch {
            LaunchSource::Template { version, .. } => LaunchSource::Template {
                template: LaunchTemplateName::new("web"),
                version: version.clone(),
            },
            _ => LaunchSource::Configuration(LaunchConfigurationName::new("web")),
        };
        (group.capacity, launch)
    })
}

proptest! {
    // Machines really boot, and calls are really spaced: few cases are enough for a minute.
    #![proptest_config(ProptestConfig { cases: 3, max_shrink_iters: 4, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_done_ends_the_same_in_memory_and_over_the_wire(
        group in any_group(),
        verbs in any_verbs(),
    ) {
        let (capacity, launch) = group;
        let runtime = tokio::runtime::Runtime::new().expect("it can be made");
        runtime.block_on(async {
            let world = PlaygroundWorld::new().await;
            world.set_group(capacity, launch).await;
            both_end_alike(world, verbs).await;
        });
    }
}
