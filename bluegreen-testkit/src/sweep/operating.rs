use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bluegreen_core::change::CloudChange;
use bluegreen_core::gate::CloudGate;
use bluegreen_core::model::{
    ImageId, LaunchTemplateName, RuleSettings, RunId, TestMatch, UserData,
};
use bluegreen_core::operation::{
    Bluegreen, Done, EnvironmentSpec, Operation, OperationError, OperationErrorKind,
    RecoverOptions, RunSummary,
};
use bluegreen_core::plan::{
    DeployOptions, DeploySource, DowngradeOptions, ScaledownOptions, SwitchOptions, UndoOptions,
    UpgradeOptions,
};
use bluegreen_core::transaction::{
    Cancel, Change as _, Ending, Ledger, StepId, StepState, Store as _, decode,
};
use futures_util::FutureExt as _;

use super::judge::on_virtual_time;
use super::secrets::MARKER;
use super::subject::{Act, End, EndKind, How, Stage, Subject};
use super::worlds;
use crate::event_log::EventLog;
use crate::fake::{FakeCall, FakeCloud, RuleState, World};
use crate::fault::{Fault, Meddle};
use crate::invariant::{
    every_route_has_a_healthy_target, is_sound, what_serves_keeps_its_machines,
};
use crate::journal::MemoryStore;

/// A world with an environment in it, at some time of its life.
#[derive(Clone, Debug)]
pub struct Life {
    name: String,
    spec: EnvironmentSpec,
    cloud: FakeCloud,
    store: MemoryStore,
    steps: Vec<Step>,
    pairs: bool,
}

/// What can be done with an environment, without any choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Step {
    /// Give it its second colour.
    Upgrade,
    /// Put another image and other user data on the idle colour.
    Deploy,
    /// The same, from a launch template that is made of the launch configuration.
    Migrate,
    /// Send all traffic to the other colour.
    Switch,
    /// Stop the idle colour.
    Scaledown,
    /// Go back to one colour.
    Downgrade,
    /// Take back what was done last.
    Undo,
}

impl Life {
    /// Begins with a world that has the environment of the [worlds](super::worlds): a scaling group
    /// `nginx-live`, of an account `123456789012`, with closed ports from 18080 to 18099 and the
    /// images `ami-0a` (launched) and `ami-0b`.
    pub fn of(name: &str, world: World) -> Self {
        let spec = worlds::spec();
        let cloud = FakeCloud::new(world).with_account(spec.account.as_str());
        let store = MemoryStore::new();
        Self { name: name.to_owned(), spec, cloud, store, steps: Vec::new(), pairs: true }
    }

    /// Leaves out the pairs of faults, which are most of the work.
    #[must_use]
    pub fn without_pairs(self) -> Self {
        Self { pairs: false, ..self }
    }

    /// Configures the environment in another way.
    #[must_use]
    pub fn configured(
        mut self,
        configure: impl FnOnce(EnvironmentSpec) -> EnvironmentSpec,
    ) -> Self {
        self.spec = configure(self.spec);
        self
    }

    /// Lives on, undisturbed.
    ///
    /// # Panics
    ///
    /// If a step does not succeed.
    #[must_use]
    pub fn after(&self, steps: &[Step]) -> Self {
        let mut life = Self { cloud: self.cloud.fork(), ..self.clone() };
        for step in steps {
            (life.cloud, life.store) = on_virtual_time(life.live(*step));
            life.steps.push(*step);
        }
        life
    }

    /// Does one step, and keeps its journal alone.
    async fn live(&self, step: Step) -> (FakeCloud, MemoryStore) {
        let scene = self.scene(&self.act(step), Arc::default());
        let end = scene.run().await;
        assert_eq!(end.kind, EndKind::Committed, "{} {step:?}: {}", self.name, end.said);
        tokio::time::sleep(Duration::from_hours(2)).await;
        // Whatever was under way comes to its end when somebody looks.
        let _rest = scene.cloud.world();
        (scene.cloud, scene.store)
    }

    /// Returns the next step as something to be swept.
    ///
    /// # Panics
    ///
    /// If the step, undisturbed, does not succeed.
    pub fn then(&self, step: Step) -> Operating {
        let what = self.name_of(step);
        let act = self.act(step);
        let scene = self.scene(&act, Arc::default());
        let planning = self.scene(&act, Arc::default());
        let planned_after = on_virtual_time(async {
            let planned = planning.bluegreen().plan(&planning.spec, &act).await;
            assert!(planned.is_ok(), "{} {what}: {planned:?}", self.name);
            planning.cloud.calls().len()
        });
        let calls = on_virtual_time(async {
            let end = scene.run().await;
            assert_eq!(end.kind, EndKind::Committed, "{} {what}: {}", self.name, end.said);
            scene.cloud.calls()
        });
        let name = format!("{what}, {}", self.name);
        let (life, reference) = (self.clone(), Arc::new(calls));
        Operating { name, life, act, reference, planned_after }
    }

    /// Returns whether there is a launch configuration to leave behind.
    pub(super) fn can_migrate(&self) -> bool {
        !self.cloud.world().configurations.is_empty()
    }

    /// Says what a step is at this time: which deployment, and which colour it is about.
    fn name_of(&self, step: Step) -> String {
        let done = |wanted| self.steps.iter().filter(|earlier| **earlier == wanted).count();
        let idle = if done(Step::Switch) % 2 == 0 { "green" } else { "blue" };
        let last = self.steps.last().map(|last| format!("{last:?}").to_lowercase());
        match step {
            Step::Upgrade => "upgrade".to_owned(),
            Step::Deploy => format!("deploy {} on {idle}", done(Step::Deploy) + 1),
            Step::Migrate => format!("deploy from a new template on {idle}"),
            Step::Switch => format!("switch to {idle}"),
            Step::Scaledown => format!("scaledown of {idle}"),
            Step::Downgrade => "downgrade".to_owned(),
            Step::Undo => format!("undo {}", last.unwrap_or_default()),
        }
    }

    fn scene(&self, act: &Operation, reference: Arc<Vec<FakeCall>>) -> Scene {
        let cloud = self.cloud.fork();
        // What was done before is read again and again: it is there only for those who need it.
        let needs_journals = matches!(act, Operation::Undo(_) | Operation::Downgrade(_));
        let store = if needs_journals { self.store.survive() } else { MemoryStore::new() };
        Scene {
            first: Arc::new(cloud.world()),
            cloud,
            store,
            events: EventLog::new(),
            cancel: Cancel::new(),
            spec: self.spec.clone(),
            act: act.clone(),
            reference,
            planned_after: 0,
        }
    }

    fn act(&self, step: Step) -> Operation {
        match step {
            Step::Upgrade => Operation::Upgrade(UpgradeOptions::default()),
            Step::Deploy | Step::Migrate => {
                let count = self.steps.iter().filter(|earlier| **earlier == Step::Deploy).count();
                let image = if count % 2 == 0 { "ami-0b" } else { "ami-0a" };
                let script = format!("#!/bin/sh\nexport PASSWORD={MARKER}\n");
                let deploy = DeployOptions::new(DeploySource::Edit {
                    image: Some(ImageId::new(image)),
                    user_data: Some(UserData::new(script.into_bytes())),
                });
                let template = LaunchTemplateName::new("web");
                Operation::Deploy(match step {
                    Step::Migrate => deploy.with_template(template),
                    _ => deploy,
                })
            }
            Step::Switch => Operation::Switch(SwitchOptions::default()),
            Step::Scaledown => Operation::Scaledown(ScaledownOptions::default()),
            Step::Downgrade => Operation::Downgrade(DowngradeOptions::default()),
            Step::Undo => {
                let last = self.store.lines().into_keys().next_back();
                Operation::Undo(UndoOptions::new(last.unwrap_or_else(|| RunId::new("none"))))
            }
        }
    }
}

/// An operation at some time of a life, to be swept.
#[derive(Clone, Debug)]
pub struct Operating {
    name: String,
    life: Life,
    act: Operation,
    /// What the undisturbed operation calls.
    reference: Arc<Vec<FakeCall>>,
    planned_after: usize,
}

impl Subject for Operating {
    type Stage = Scene;

    fn name(&self) -> String {
        self.name.clone()
    }

    fn stage(&self) -> Scene {
        let scene = self.life.scene(&self.act, Arc::clone(&self.reference));
        Scene { planned_after: self.planned_after, ..scene }
    }

    fn has_pairs(&self) -> bool {
        self.life.pairs
    }
}

/// A fake cloud and a store, and the operation that is done with them.
#[derive(Clone, Debug)]
pub struct Scene {
    cloud: FakeCloud,
    store: MemoryStore,
    events: EventLog,
    cancel: Cancel,
    spec: EnvironmentSpec,
    act: Operation,
    /// The world at the beginning.
    first: Arc<World>,
    reference: Arc<Vec<FakeCall>>,
    planned_after: usize,
}

type CloudLedger = Ledger<CloudChange, CloudGate>;

impl Scene {
    fn bluegreen(&self) -> Bluegreen {
        Bluegreen::new(self.cloud.clone(), self.store.clone())
            .with_clock(Arc::new(self.cloud.clone()))
            .with_sink(Arc::new(self.events.clone()))
            .with_cancel(self.cancel.clone())
    }

    fn end(&self, result: Result<Done, OperationError>) -> End {
        let mut remade = false;
        let (kind, said) = match result {
            Ok(Done::Ran(outcome)) => {
                remade = !outcome.remade.is_empty();
                (ended(outcome.ending), outcome.ending.to_string())
            }
            Ok(other) => (EndKind::Nothing, format!("{other:?}")),
            Err(error) => {
                remade = !error.remade().is_empty();
                let kind = match error.kind() {
                    OperationErrorKind::NotStarted => EndKind::NotStarted,
                    OperationErrorKind::RolledBack | OperationErrorKind::Cancelled => {
                        EndKind::RolledBack
                    }
                    _ => EndKind::Open,
                };
                let why = std::error::Error::source(&error).map(ToString::to_string);
                (kind, format!("{error} {}", why.unwrap_or_default()))
            }
        };
        // Whoever closes a run leaves nothing stuck, and to read the journal takes a while.
        let is_open = kind == EndKind::Open;
        let stuck = if is_open { self.in_state(StepState::Stuck) } else { Vec::new() };
        End { kind, stuck, remade, said }
    }

    /// Returns the ledger of the newest run of this operation.
    fn ledger(&self) -> Option<Result<CloudLedger, String>> {
        let (_, lines) = self.store.lines().into_iter().next_back()?;
        if lines.is_empty() {
            return None;
        }
        let entries = decode(&lines).map_err(|error| error.to_string());
        Some(entries.and_then(|entries| {
            let records = entries.into_iter().map(|entry| entry.record);
            CloudLedger::replay(records).map_err(|error| error.to_string())
        }))
    }

    fn in_state(&self, wanted: StepState) -> Vec<StepId> {
        let Some(Ok(ledger)) = self.ledger() else { return Vec::new() };
        let steps = ledger.plan().steps().map(|(step, ..)| step);
        steps.filter(|step| ledger.state(*step) == wanted).collect()
    }

    /// Returns what is wrong with the journals: a sequence that cannot be, or a secret.
    fn journal_violation(&self) -> Option<String> {
        if let Some(Err(error)) = self.ledger() {
            return Some(format!("a journal cannot be read: {error}"));
        }
        let lines = self.store.lines().into_values().flatten().collect::<Vec<_>>();
        if lines.iter().any(|line| line.contains(MARKER)) {
            return Some("a secret is in a journal".to_owned());
        }
        // Sealed it may be, where a replay needs it.
        let sealed = |line: &&String| line.contains("sealed") && !line.contains("\"begun\"");
        lines.iter().find(sealed).map(|line| format!("more is sealed than needed: {line}"))
    }

    /// Returns the first changing call that was about something that the operation is not about.
    fn stray(&self) -> Option<String> {
        if self.reference.is_empty() {
            return None;
        }
        let thing = |call: &FakeCall| without_runs(&call.resource);
        let ours: BTreeSet<String> =
            self.reference.iter().filter(|call| call.mutating).map(thing).collect();
        let calls = self.cloud.calls();
        let stray = calls.iter().find(|call| call.mutating && !ours.contains(&thing(call)));
        stray.map(|call| format!("{} touches `{}`", call.method, call.resource))
    }
}

#[async_trait]
impl Stage for Scene {
    async fn run(&self) -> End {
        self.end(self.bluegreen().run(&self.spec, &self.act).await)
    }

    async fn recover(&self, how: &How) -> End {
        let bluegreen = self.bluegreen();
        let runs = match bluegreen.log().await {
            Ok(runs) => runs,
            Err(error) => return self.end(Err(error)),
        };
        let Some(open) = runs.iter().find(|run| RunSummary::is_open(run)) else {
            return End::of(EndKind::Nothing, "no run is open");
        };
        let options = RecoverOptions::default()
            .with_forward(how.forward && may_go_on(self))
            .with_skip(how.skip.iter().copied());
        let spec = self.spec.clone();
        self.end(bluegreen.recover(&open.run, &options, |_| Some(spec)).await)
    }

    fn survive(&self) -> Self {
        Self { store: self.store.survive(), cancel: Cancel::new(), ..self.clone() }
    }

    fn store(&self) -> &MemoryStore {
        &self.store
    }

    fn cancel(&self) -> &Cancel {
        &self.cancel
    }

    fn world_but(&self, calls: &[usize]) -> String {
        let touched = calls.iter().filter_map(|call| self.reference.get(*call));
        let mut world = self.cloud.world_but(touched, &self.first);
        forget_test_values(&mut world);
        let text = serde_json::to_string_pretty(&world).expect("a world is plain data");
        // A run has another id every time.
        let runs = self.store.lines().into_keys();
        runs.fold(text, |text, run| text.replace(run.as_str(), "RUN"))
    }

    /// A version of a template that is made again has another number.
    fn without_identities(world: &str) -> String {
        let is_number = |line: &&str| {
            let line = line.trim_start();
            let is_key = line.strip_prefix('"').is_some_and(|rest| {
                rest.trim_start_matches(|c: char| c.is_ascii_digit()).starts_with("\": {")
            });
            is_key || line.starts_with("\"number\":") || line.contains(" ami-")
        };
        let lines = world.lines().filter(|line| !is_number(line));
        lines.collect::<Vec<_>>().join("\n")
    }

    fn overwritten(&self) -> Option<String> {
        self.cloud.overwritten()
    }

    fn ending(&self) -> Option<EndKind> {
        match self.ledger() {
            Some(Ok(ledger)) => ledger.ending().map(ended),
            _ => None,
        }
    }

    fn planned_after(&self) -> usize {
        self.planned_after
    }

    fn calls(&self) -> Vec<bool> {
        self.cloud.calls().iter().map(|call| call.mutating).collect()
    }

    fn call(&self, number: usize) -> String {
        let calls = self.cloud.calls();
        calls
            .get(number)
            .map_or_else(String::new, |call| format!("{} {}", call.method, call.resource))
    }

    fn alphabets(&self) -> Vec<Vec<Fault>> {
        self.cloud.calls().iter().map(alphabet).collect()
    }

    fn has_others(&self) -> bool {
        true
    }

    fn fault(&self, call: usize, fault: Fault) {
        self.cloud.fault_at_call(call, fault);
    }

    fn before_call(&self, call: usize, act: Act) {
        self.cloud.before_call(call, move |_| act());
    }

    fn meddle(&self, meddle: Meddle, of: usize) {
        if let Some(call) = self.reference.get(of) {
            self.cloud.meddle(meddle, call);
        }
    }

    fn renumbers(&self, call: usize) -> bool {
        self.reference.get(call).is_some_and(|call| call.method.contains("template_version"))
    }

    fn break_lock(&self) {
        let (name, now) =
            (self.spec.name.clone(), bluegreen_core::transaction::Clock::now(&self.cloud));
        let breaking = async { self.store.break_lock(&name, "somebody", now).await };
        let broken = breaking.now_or_never().expect("a store in memory waits for nothing");
        drop(broken.expect("a store in memory does not fail"));
    }

    fn heal(&self) {
        self.cloud.script([]);
    }

    fn skipped(&self) -> Vec<usize> {
        let Some(Ok(ledger)) = self.ledger() else { return Vec::new() };
        let skipped = self.in_state(StepState::Skipped);
        let things: Vec<String> =
            skipped.iter().filter_map(|step| Some(ledger.change(*step)?.resource())).collect();
        let is_about = |call: &FakeCall| {
            things.iter().any(|thing| {
                thing.ends_with(&call.resource)
                    || thing.starts_with(&format!("version of {} ", call.resource))
            })
        };
        let calls = self.reference.iter().enumerate();
        calls.filter(|(_, call)| call.mutating && is_about(call)).map(|(at, _)| at).collect()
    }

    fn violations(&self) -> Vec<String> {
        let history = self.cloud.history();
        let checks = [
            every_route_has_a_healthy_target(&history),
            what_serves_keeps_its_machines(&history),
            is_sound(&self.cloud.world()),
        ];
        let mut found: Vec<String> =
            checks.into_iter().filter_map(Result::err).map(|one| one.to_string()).collect();
        found.extend(self.journal_violation());
        found.extend(self.stray());
        let events = serde_json::to_string(&self.events.events()).expect("events are plain data");
        if events.contains(MARKER) {
            found.push("a secret is in an event".to_owned());
        }
        found
    }
}

/// Makes the headers of test rules alike, which are made up from the id of a run.
fn forget_test_values(world: &mut World) {
    let listeners = world.load_balancers.values_mut().flat_map(|one| one.listeners.values_mut());
    for rule in listeners.flat_map(|listener| listener.rules.values_mut()) {
        if let Some(takes) = rule.takes().filter(TestMatch::is_ours) {
            let takes = TestMatch { value: "VALUE".to_owned(), ..takes };
            let (actions, tags) = (rule.actions.clone(), rule.tags.clone());
            *rule = RuleState::of(RuleSettings { takes, actions, tags });
        }
    }
}

/// Returns what can go wrong with a call. What lands late does so within what a run waits for.
fn alphabet(call: &FakeCall) -> Vec<Fault> {
    let late = Fault::LandLate(Duration::from_secs(20));
    let stale = Fault::StaleRead(Duration::from_secs(5));
    let time_out = Fault::TimeOut(Duration::from_mins(1));
    let both = [Fault::Refuse, Fault::Throttle, Fault::LoseReply, stale, time_out];
    let mut faults = [&both[..], &[Fault::Credentials]].concat();
    if call.mutating {
        faults.extend([Fault::ErrorAfter, late]);
    }
    if call.method == "create_target_group" {
        faults.push(Fault::HalfLand);
    }
    faults
}

/// Takes the ids of runs out of a name: every run has another one.
fn without_runs(name: &str) -> String {
    const LENGTH: usize = 26;
    let parts = name.split('-').map(|part| if part.len() == LENGTH { "RUN" } else { part });
    parts.collect::<Vec<_>>().join("-")
}

fn ended(ending: Ending) -> EndKind {
    match ending {
        Ending::Committed => EndKind::Committed,
        Ending::RolledBack => EndKind::RolledBack,
        Ending::Abandoned => EndKind::Abandoned,
    }
}

/// Returns whether the open run has not turned round.
fn may_go_on(scene: &Scene) -> bool {
    let has_turned = |lines: &Vec<String>| lines.iter().any(|line| line.contains("\"unwinding\""));
    scene.store.lines().values().next_back().is_some_and(|lines| !has_turned(lines))
}
