//! One account, one store, and everything that happens to them.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bluegreen_core::change::CloudChange;
use bluegreen_core::gate::CloudGate;
use bluegreen_core::model::{
    AccountId, Color, EnvironmentName, ImageId, RunId, ScalingGroupName, UserData,
};
use bluegreen_core::operation::{
    Bluegreen, Done, EnvironmentSpec, Operation, OperationError, OperationErrorKind, RecoverOptions,
};
use bluegreen_core::plan::{
    DeployOptions, DeploySource, ScaledownOptions, SwitchOptions, UndoOptions, UpgradeOptions,
};
use bluegreen_core::transaction::{
    Cancel, Change as _, Ending, Ledger, LocalStore, StepId, StepState, Store, decode,
};
use bluegreen_testkit::brittle::BrittleStore;
use bluegreen_testkit::fake::FakeCall;
use bluegreen_testkit::fault::Meddle;
use bluegreen_testkit::invariant::{
    every_route_has_a_healthy_target, is_sound, what_serves_keeps_its_machines,
};
use bluegreen_testkit::strategy::any_faults;
use bluegreen_testkit::sweep::{Scene, Stage as _};
use bluegreen_testkit::{FakeCloud, Fault, MemoryStore, World};
use tokio::sync::Notify;

use crate::dice::Dice;
use crate::trouble::Trouble;

type CloudLedger = Ledger<CloudChange, CloudGate>;

/// After so many operations everything is taken back, one after the other.
const HEIGHT: usize = 8;

/// How often a run that is left open is recovered before that is given up.
const PATIENCE: usize = 8;

/// What happened so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) operations: usize,
    pub(crate) committed: usize,
    pub(crate) rolled_back: usize,
    /// Left open by a process, and finished by another one.
    pub(crate) recovered: usize,
    /// Ended with something left by a person's decision.
    pub(crate) skipped: usize,
    /// Nothing to do, or refused before anything was begun.
    pub(crate) not_started: usize,
    /// How often everything was taken back, to the very beginning.
    pub(crate) circles: usize,
    /// How often a person had to put the account back: something that is in place was touched.
    pub(crate) reset: usize,
    /// How often something could not be taken back, undisturbed, and somebody had to do that too.
    pub(crate) vetoed: usize,
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { operations, committed, rolled_back, recovered, skipped, .. } = self;
        let Self { not_started, circles, reset, vetoed, .. } = self;
        write!(
            f,
            "{operations} operations: {committed} committed, {rolled_back} rolled back, \
             {not_started} not started; {recovered} of them recovered, {skipped} skipped; \
             all taken back {circles} times, put back by hand {reset} times, and {vetoed} times \
             after an undo was refused"
        )
    }
}

/// What an operation does when nothing goes wrong.
struct Rehearsal {
    /// Whether it has anything to do.
    runs: bool,
    said: String,
    cloud: FakeCloud,
    calls: Vec<FakeCall>,
    records: usize,
}

/// How an operation came out.
struct End {
    /// What the journal says; nothing if there is none.
    ending: Option<Ending>,
    run: Option<RunId>,
    remade: bool,
    recovered: bool,
    said: String,
}

/// Where journals and locks are kept for the whole life.
#[derive(Clone, Debug)]
pub(crate) enum Keeping {
    /// In memory: the same life every time.
    Memory(MemoryStore),
    /// In a folder, whose files are written by threads of their own: a little different every time.
    Folder(PathBuf),
}

impl Keeping {
    fn store(&self) -> BrittleStore {
        match self {
            Self::Memory(store) => BrittleStore::around(store.clone()),
            Self::Folder(folder) => BrittleStore::around(LocalStore::new(folder)),
        }
    }

    /// Takes a journal away, as somebody does who tidies up.
    fn remove(&self, run: &RunId) {
        match self {
            Self::Memory(store) => store.remove(run),
            Self::Folder(folder) => {
                let file = folder.join("runs").join(format!("{run}.journal"));
                std::fs::remove_file(file).expect("it is there");
            }
        }
    }
}

pub(crate) struct Life {
    dice: Dice,
    cloud: FakeCloud,
    keeping: Keeping,
    store: BrittleStore,
    spec: EnvironmentSpec,
    original: World,
    /// What was committed and not taken back yet.
    stack: Vec<RunId>,
    going_down: bool,
    pub(crate) tally: Tally,
}

impl Life {
    pub(crate) fn new(seed: u64, keeping: Keeping) -> Self {
        let account = AccountId::new("123456789012");
        let cloud = FakeCloud::example().with_account(account.as_str());
        let spec = EnvironmentSpec::new(
            EnvironmentName::new("IE-L-NGINX"),
            account,
            ScalingGroupName::new("nginx-live"),
            "18080-18099".parse().expect("it is a range"),
        );
        Self {
            dice: Dice::new(seed),
            original: cloud.world(),
            cloud,
            store: keeping.store(),
            keeping,
            spec,
            stack: Vec::new(),
            going_down: false,
            tally: Tally::default(),
        }
    }

    /// Does one operation, and judges what came of it.
    pub(crate) async fn live(&mut self) {
        self.tally.operations += 1;
        let (operation, undone) = self.choose();
        let before = self.cloud.world();
        let rehearsal = self.rehearse(&operation).await;
        let trouble = Trouble::any(&mut self.dice, &rehearsal.calls, rehearsal.records);
        self.cloud.forget_calls();
        self.cloud.forget_history();
        let end = self.act(&operation, &trouble).await;
        calm(&self.cloud).await;
        let what = format!(
            "operation {}, {operation:?} with {trouble:?}, ended {:?} ({})",
            self.tally.operations, end.ending, end.said
        );
        if std::env::var_os("SOAK_LOG").is_some() {
            println!("{:?}: {what}", self.cloud.elapsed());
        }
        self.judge(&before, &rehearsal, &trouble, &end, &what).await;
        self.note(&end, undone, &trouble, before, &rehearsal);
        self.tidy_up().await;
        self.check_bounds(&what);
    }

    fn choose(&mut self) -> (Operation, bool) {
        if self.stack.is_empty() {
            self.going_down = false;
        } else if self.stack.len() >= HEIGHT || self.dice.one_in(25) {
            self.going_down = true;
        }
        let undo = |stack: &[RunId]| {
            let last = stack.last().expect("there is one").clone();
            (Operation::Undo(UndoOptions::new(last)), true)
        };
        if self.going_down {
            return undo(&self.stack);
        }
        let chance = if self.stack.is_empty() { self.dice.below(6) } else { self.dice.below(20) };
        let operation = match chance {
            0..=4 if self.stack.is_empty() => Operation::Upgrade(UpgradeOptions::default()),
            0..=6 => Operation::Deploy(self.any_deploy()),
            7..=12 => Operation::Switch(SwitchOptions::default()),
            13..=15 => Operation::Scaledown(ScaledownOptions::default()),
            16 => Operation::Upgrade(UpgradeOptions::default()),
            _ => return undo(&self.stack),
        };
        (operation, false)
    }

    fn any_deploy(&mut self) -> DeployOptions {
        let image = ImageId::new(self.dice.one_of(&["ami-0a", "ami-0b"]));
        let number = self.dice.below(1000);
        let script = || UserData::new(format!("#!/bin/sh\necho {number}\n").into_bytes());
        let source = match self.dice.below(5) {
            0 => DeploySource::From(self.dice.one_of(&[Color::Blue, Color::Green])),
            1 => DeploySource::Edit { image: None, user_data: Some(script()) },
            2 => DeploySource::Edit { image: Some(image), user_data: Some(script()) },
            _ => DeploySource::Edit { image: Some(image), user_data: None },
        };
        let options = DeployOptions::new(source);
        if self.dice.one_in(6) { options.with_size(4) } else { options }
    }

    /// Does it on a copy of the account, where nothing goes wrong.
    async fn rehearse(&self, operation: &Operation) -> Rehearsal {
        let (cloud, store) = (self.cloud.fork(), MemoryStore::new());
        for run in self.store.runs().await.expect("the store is healthy") {
            let lines = self.store.read(&run).await.expect("the store is healthy");
            store.insert(run, lines);
        }
        let bluegreen =
            Bluegreen::new(cloud.clone(), store.clone()).with_clock(Arc::new(cloud.clone()));
        let end = bluegreen.run(&self.spec, operation).await;
        let runs = match &end {
            Ok(Done::Ran(_)) => true,
            Ok(_) => false,
            Err(error) => {
                let kind = error.kind();
                assert!(
                    matches!(kind, OperationErrorKind::NotStarted | OperationErrorKind::RolledBack),
                    "undisturbed, {operation:?} goes wrong: {error}"
                );
                false
            }
        };
        let (calls, said) = (cloud.calls(), said(Some(&end)));
        calm(&cloud).await;
        Rehearsal { runs, said, cloud, calls, records: store.records() }
    }

    fn bluegreen(&self, cancel: &Cancel) -> Bluegreen {
        Bluegreen::new(self.cloud.clone(), self.store.clone())
            .with_clock(Arc::new(self.cloud.clone()))
            .with_cancel(cancel.clone())
    }

    /// Does it, and finishes what it leaves open.
    async fn act(&mut self, operation: &Operation, trouble: &Trouble) -> End {
        let (cancel, gone) = (Cancel::new(), Arc::new(Notify::new()));
        let known = self.store.runs().await.expect("the store is healthy");
        trouble.plan(&self.cloud, &self.store, &cancel, &gone);
        let bluegreen = self.bluegreen(&cancel);
        let first = tokio::select! {
            biased;
            end = bluegreen.run(&self.spec, operation) => Some(end),
            () = gone.notified() => None,
        };
        self.heal().await;
        let runs = self.store.runs().await.expect("the store is healthy");
        let run = runs.into_iter().find(|run| !known.contains(run));
        let mut end = End {
            ending: None,
            run: run.clone(),
            remade: first.as_ref().is_some_and(was_remade),
            recovered: false,
            said: said(first.as_ref()),
        };
        let Some(run) = run else { return end };
        for round in 0..PATIENCE {
            let Some(ledger) = self.ledger(&run).await else { break };
            end.ending = ledger.ending();
            if end.ending.is_some() {
                break;
            }
            end.recovered = true;
            assert!(
                round == 0 || trouble.met.is_some() || round < 3,
                "operation {}: it cannot be recovered: {}",
                self.tally.operations,
                end.said
            );
            let again = self.recover(&run, &ledger, round).await;
            end.remade |= again.as_ref().is_some_and(was_remade);
            end.said = format!("{}; then: {}", end.said, said(again.as_ref()));
            self.heal().await;
        }
        end
    }

    /// Recovers as another process does, which may not live long either.
    async fn recover(
        &mut self,
        run: &RunId,
        ledger: &CloudLedger,
        round: usize,
    ) -> Option<Result<Done, OperationError>> {
        if round < 2 && self.dice.one_in(4) {
            self.store.die_after(self.dice.below(12));
        }
        if round < 2 && self.dice.one_in(4) {
            self.cloud.script(self.dice.any(&any_faults(12)));
        }
        let gone = Arc::new(Notify::new());
        if round < 2 && self.dice.one_in(6) {
            let (call, gone) = (self.dice.below(20), Arc::clone(&gone));
            self.cloud.fault_at_call(call, Fault::Hang);
            self.cloud.before_call(call, move |_| gone.notify_one());
        }
        let stuck: Vec<StepId> = in_state(ledger, StepState::Stuck);
        // What is stuck for want of an answer need not be skipped: only somebody's hand is.
        let skip = if round > 1 { stuck } else { Vec::new() };
        let forward = ledger.may_go_on() && self.dice.one_in(2);
        let options = RecoverOptions::default().with_forward(forward).with_skip(skip);
        let spec = self.spec.clone();
        let bluegreen = self.bluegreen(&Cancel::new());
        tokio::select! {
            biased;
            end = bluegreen.recover(run, &options, |_| Some(spec)) => Some(end),
            () = gone.notified() => None,
        }
    }

    async fn heal(&self) {
        // Whoever is gone lets go of locks and files.
        tokio::time::sleep(Duration::from_millis(1)).await;
        self.store.heal();
        self.cloud.script([]);
    }

    async fn ledger(&self, run: &RunId) -> Option<CloudLedger> {
        let lines = self.store.read(run).await.expect("the store is healthy");
        if lines.is_empty() {
            return None;
        }
        let entries = decode(&lines).expect("every line is a record");
        let records = entries.into_iter().map(|entry| entry.record);
        Some(CloudLedger::replay(records).expect("no illegal sequence is ever written"))
    }

    /// Says whether the world is as the run says that it is.
    async fn judge(
        &self,
        before: &World,
        rehearsal: &Rehearsal,
        trouble: &Trouble,
        end: &End,
        what: &str,
    ) {
        let mut left = self.skipped(end, rehearsal).await;
        left.extend(trouble.met.iter().map(|(_, with, _)| with.clone()));
        let found = self.cloud.world_but(&left, before);
        let (expected, is_renumbered) = match end.ending {
            Some(Ending::Committed) => {
                assert!(rehearsal.runs, "{what}: undisturbed it does nothing");
                let versions = |call: &FakeCall| call.method.contains("template_version");
                let met = trouble.met.as_ref().is_some_and(|(_, with, _)| versions(with));
                (rehearsal.cloud.world_but(&left, before), met)
            }
            _ => (before.clone(), false),
        };
        if !is_renumbered {
            let (mut expected, mut found) = (text(&expected), text(&found));
            if end.remade {
                expected = Scene::without_identities(&expected);
                found = Scene::without_identities(&found);
            }
            assert_same(&expected, &found, what);
        }
        assert_eq!(self.cloud.overwritten(), None, "{what}");
        if trouble.met.as_ref().is_none_or(|(.., meddle)| *meddle != Meddle::Delete) {
            let history = self.cloud.history();
            let checks = [
                every_route_has_a_healthy_target(&history),
                what_serves_keeps_its_machines(&history),
                is_sound(&self.cloud.world()),
            ];
            for check in checks {
                assert_eq!(check, Ok(()), "{what}");
            }
        }
    }

    /// Returns the calls that were about things that a person decided to leave.
    async fn skipped(&self, end: &End, rehearsal: &Rehearsal) -> Vec<FakeCall> {
        let Some(run) = &end.run else { return Vec::new() };
        let Some(ledger) = self.ledger(run).await else { return Vec::new() };
        let skipped = in_state(&ledger, StepState::Skipped);
        let things: Vec<String> =
            skipped.iter().filter_map(|step| Some(ledger.change(*step)?.resource())).collect();
        let is_about = |call: &&FakeCall| {
            things.iter().any(|thing| {
                thing.ends_with(&call.resource)
                    || thing.starts_with(&format!("version of {} ", call.resource))
            })
        };
        let writes = rehearsal.calls.iter().filter(|call| call.mutating);
        writes.filter(is_about).cloned().collect()
    }

    /// Counts, and lets a person put right what somebody else did.
    fn note(
        &mut self,
        end: &End,
        undone: bool,
        trouble: &Trouble,
        before: World,
        rehearsal: &Rehearsal,
    ) {
        let tally = &mut self.tally;
        tally.recovered += usize::from(end.recovered);
        let is_met = trouble.met.is_some() && text(&self.cloud.world()) != text(&before);
        match (end.ending, end.run.clone()) {
            (Some(Ending::Committed), Some(run)) => {
                tally.committed += 1;
                if undone {
                    self.stack.pop();
                } else {
                    self.stack.push(run);
                }
                // What else was done to what is in place now, nobody can tell any more.
                if is_met && text(&self.cloud.world()) != text(&rehearsal.cloud.world()) {
                    self.tally.reset += 1;
                    self.reset();
                }
            }
            (Some(ending), _) => {
                tally.rolled_back += 1;
                tally.skipped += usize::from(ending == Ending::Abandoned);
                if is_met || ending == Ending::Abandoned {
                    self.cloud.edit(|world| *world = before);
                }
            }
            (None, _) => {
                tally.not_started += 1;
                if is_met {
                    self.cloud.edit(|world| *world = before);
                }
                if undone && !rehearsal.runs {
                    // A colour that is smaller than the one that serves is not switched back to.
                    let said = &rehearsal.said;
                    assert!(said.contains("they are as many as"), "it cannot be undone: {said}");
                    self.tally.vetoed += 1;
                    self.reset();
                }
            }
        }
        if self.stack.is_empty() && text(&self.cloud.world()) == text(&self.original) {
            self.tally.circles += usize::from(undone);
        }
    }

    /// Lets a person put everything back.
    fn reset(&mut self) {
        self.stack.clear();
        self.cloud.edit(|world| *world = self.original.clone());
    }

    /// Takes away the journals that nobody needs any more, as people do now and then.
    async fn tidy_up(&mut self) {
        self.cloud.settle();
        calm(&self.cloud).await;
        let is_due = self.dice.one_in(10);
        for run in self.store.runs().await.expect("the store is healthy") {
            let is_needed = self.stack.contains(&run);
            let is_empty = self.ledger(&run).await.is_none();
            if is_empty || (is_due && !is_needed) {
                self.keeping.remove(&run);
            }
        }
    }

    /// Nothing becomes more and more.
    fn check_bounds(&self, what: &str) {
        let (first, now) = (&self.original, self.cloud.world());
        assert_eq!(now.load_balancers.len(), first.load_balancers.len(), "{what}");
        assert!(now.target_groups.len() <= first.target_groups.len() * 2, "{what}");
        assert!(now.scaling_groups.len() <= first.scaling_groups.len() * 2, "{what}");
        assert!(now.alarms.len() <= first.alarms.len() * 2, "{what}");
        let listeners = |world: &World| -> usize {
            world.load_balancers.values().map(|one| one.listeners.len()).sum()
        };
        let idle = 2 * first.target_groups.len();
        assert!(listeners(&now) <= listeners(first) + idle, "{what}");
        let versions = |world: &World| -> usize {
            world.templates.values().map(|one| one.versions.len()).sum()
        };
        assert!(versions(&now) <= versions(first) + self.stack.len(), "{what}: {}", text(&now));
        if self.stack.is_empty() {
            assert_same(&text(first), &text(&now), what);
        }
    }
}

/// Lets everything land and finish that is still on its way.
async fn calm(cloud: &FakeCloud) {
    tokio::time::sleep(Duration::from_hours(1)).await;
    let _seen = cloud.world();
}

fn in_state(ledger: &CloudLedger, wanted: StepState) -> Vec<StepId> {
    let steps = ledger.plan().steps().map(|(step, ..)| step);
    steps.filter(|step| ledger.state(*step) == wanted).collect()
}

fn was_remade(end: &Result<Done, OperationError>) -> bool {
    match end {
        Ok(Done::Ran(outcome)) => !outcome.remade.is_empty(),
        Ok(_) => false,
        Err(error) => !error.remade().is_empty(),
    }
}

fn said(end: Option<&Result<Done, OperationError>>) -> String {
    match end {
        None => "the process was gone".to_owned(),
        Some(Ok(Done::Ran(outcome))) => outcome.ending.to_string(),
        Some(Ok(other)) => format!("{other:?}"),
        Some(Err(error)) => {
            let why = std::error::Error::source(error).map(ToString::to_string);
            format!("{error} {}", why.unwrap_or_default())
        }
    }
}

/// Writes a world, whatever the ids of the runs that made it.
fn text(world: &World) -> String {
    let text = serde_json::to_string_pretty(world).expect("a world is plain data");
    let is_run = |word: &str| word.len() == 26 && word.starts_with('0');
    let words = text.split_inclusive(|letter: char| !letter.is_ascii_alphanumeric());
    words.map(|word| if is_run(&word[..word.len() - 1]) { "RUN\"" } else { word }).collect()
}

fn assert_same(expected: &str, found: &str, what: &str) {
    let (mut was, mut is) = (expected.lines(), found.lines());
    loop {
        match (was.next(), is.next()) {
            (None, None) => return,
            (was, is) => assert_eq!(was, is, "{what}"),
        }
    }
}
