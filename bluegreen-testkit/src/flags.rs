//! The smallest world that the engine can change: flags with numbers.
//!
//! Shows that the engine needs no cloud, and is what its own properties are
//! tested on: thousands of runs a second, with every fault of the alphabet.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bluegreen_core::transaction::{
    Change, Failure, Fields, NoGate, Plan, Position, Reversibility, Severity, fields,
};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::fault::Fault;

/// A plan of changes of flags.
pub type FlagPlan = Plan<FlagChange, NoGate<Flags>>;

/// Flags by name; one that is absent has no value. Clones share them.
#[derive(Clone, Default)]
pub struct Flags {
    state: Arc<Mutex<State>>,
}

/// Is told what is about to be written.
type Witness = Box<dyn Fn(&FlagChange) + Send>;

#[derive(Default)]
struct State {
    values: BTreeMap<String, i64>,
    script: VecDeque<Fault>,
    late: Vec<(Instant, String, Option<i64>)>,
    stale: BTreeMap<String, (Instant, Option<i64>)>,
    writes: Vec<FlagChange>,
    meddled: BTreeMap<String, Option<i64>>,
    /// After how many writes somebody else writes what.
    meddling: Option<(usize, String, i64)>,
    witness: Option<Witness>,
}

impl fmt::Debug for Flags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Flags").field("values", &self.values()).finish()
    }
}

impl Flags {
    /// Makes a world with these values.
    pub fn new(values: BTreeMap<String, i64>) -> Self {
        let state = State { values, ..State::default() };
        Self { state: Arc::new(Mutex::new(state)) }
    }

    /// Says what happens to the writes to come, one fault each; replaces what was said before.
    pub fn script(&self, faults: impl IntoIterator<Item = Fault>) {
        self.lock().script = faults.into_iter().collect();
    }

    /// Says that somebody else gives `flag` a value as soon as `writes` writes took effect.
    pub fn meddle_after(&self, writes: usize, flag: &str, value: i64) {
        let mut state = self.lock();
        state.meddling = Some((writes, flag.to_owned(), value));
        state.meddle();
    }

    /// Calls `witness` before every write, with what is about to be written.
    pub fn witness(&self, witness: impl Fn(&FlagChange) + Send + 'static) {
        self.lock().witness = Some(Box::new(witness));
    }

    /// Returns the values as they really are.
    pub fn values(&self) -> BTreeMap<String, i64> {
        self.lock().values.clone()
    }

    /// Returns every write that took effect by the engine's hand, in order.
    pub fn writes(&self) -> Vec<FlagChange> {
        self.lock().writes.clone()
    }

    /// Returns what somebody else wrote, by flag.
    pub fn meddled(&self) -> BTreeMap<String, Option<i64>> {
        self.lock().meddled.clone()
    }

    /// Returns the state, with everything in place that has landed by now.
    fn lock(&self) -> MutexGuard<'_, State> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.land(Instant::now());
        state
    }
}

impl State {
    fn land(&mut self, now: Instant) {
        let (due, late): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.late).into_iter().partition(|(at, ..)| *at <= now);
        self.late = late;
        for (_, flag, value) in due {
            self.set(&flag, value);
        }
    }

    fn set(&mut self, flag: &str, value: Option<i64>) {
        match value {
            Some(value) => self.values.insert(flag.to_owned(), value),
            None => self.values.remove(flag),
        };
    }

    fn read(&self, flag: &str) -> Option<i64> {
        match self.stale.get(flag) {
            Some((until, value)) if *until > Instant::now() => *value,
            _ => self.values.get(flag).copied(),
        }
    }

    fn write(&mut self, change: &FlagChange) {
        self.set(&change.flag, change.after);
        self.writes.push(change.clone());
        self.meddle();
    }

    fn meddle(&mut self) {
        let writes = self.writes.len();
        if let Some((_, flag, value)) = self.meddling.take_if(|(after, ..)| *after <= writes) {
            self.set(&flag, Some(value));
            self.meddled.insert(flag, Some(value));
        }
    }

    fn apply(&mut self, change: &FlagChange) -> Result<(), FlagError> {
        if let Some(witness) = &self.witness {
            witness(change);
        }
        let fail = |severity| Err(FlagError { flag: change.flag.clone(), severity });
        match self.script.pop_front().unwrap_or_default() {
            Fault::None | Fault::Hang | Fault::TimeOut(_) | Fault::Silence(_) => {
                self.write(change);
                Ok(())
            }
            Fault::Refuse | Fault::Deny => fail(Severity::Refused),
            Fault::Credentials => fail(Severity::Hopeless),
            Fault::Throttle => fail(Severity::Busy),
            // A flag is written in one call: there is no half.
            Fault::LoseReply | Fault::HalfLand => {
                self.write(change);
                fail(Severity::Unknown)
            }
            Fault::LandLate(after) => {
                self.late.push((Instant::now() + after, change.flag.clone(), change.after));
                fail(Severity::Unknown)
            }
            Fault::StaleRead(time) => {
                let old = self.values.get(&change.flag).copied();
                self.stale.insert(change.flag.clone(), (Instant::now() + time, old));
                self.write(change);
                Ok(())
            }
            Fault::ErrorAfter => {
                self.write(change);
                fail(Severity::Refused)
            }
            Fault::Meddle(_) | Fault::MeddleAfter(_) => {
                // Somebody else comes right after: nothing could have kept them from it.
                self.write(change);
                let theirs = Some(-1);
                self.set(&change.flag, theirs);
                self.meddled.insert(change.flag.clone(), theirs);
                Ok(())
            }
        }
    }
}

/// Gives a flag another value, or takes it away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlagChange {
    /// The flag.
    pub flag: String,
    /// The value that is replaced.
    pub before: Option<i64>,
    /// The value that is brought.
    pub after: Option<i64>,
}

impl fmt::Display for FlagChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {:?} → {:?}", self.flag, self.before, self.after)
    }
}

#[async_trait]
impl Change for FlagChange {
    type World = Flags;
    type Error = FlagError;

    fn resource(&self) -> String {
        self.flag.clone()
    }

    fn inverse(&self) -> Self {
        Self { flag: self.flag.clone(), before: self.after, after: self.before }
    }

    fn follows(&self, earlier: &Self) -> bool {
        self.before == earlier.after
    }

    fn reversibility(&self) -> Reversibility {
        Reversibility::Exact
    }

    fn undo_time(&self) -> Duration {
        Duration::ZERO
    }

    fn before(&self) -> Fields {
        fields(&self.before)
    }

    fn after(&self) -> Fields {
        fields(&self.after)
    }

    fn redacted(&self) -> Self {
        self.clone()
    }

    async fn find(&self, flags: &Flags) -> Result<Fields, FlagError> {
        Ok(fields(&flags.lock().read(&self.flag)))
    }

    async fn observe(changes: &[&Self], flags: &Flags) -> Vec<Result<Position, FlagError>> {
        let state = flags.lock();
        let position = |change: &&Self| match state.read(&change.flag) {
            found if found == change.after => Position::After,
            found if found == change.before => Position::Before,
            _ => Position::Drifted,
        };
        changes.iter().map(|change| Ok(position(change))).collect()
    }

    async fn apply(&self, flags: &Flags) -> Result<(), FlagError> {
        flags.lock().apply(self)
    }
}

/// Says that a flag could not be written.
#[derive(Debug, thiserror::Error)]
#[error("flag `{flag}` could not be written")]
pub struct FlagError {
    flag: String,
    severity: Severity,
}

impl Failure for FlagError {
    fn severity(&self) -> Severity {
        self.severity
    }
}
