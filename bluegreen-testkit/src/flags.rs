//! The smallest world that the engine can change: flags with numbers.
//!
//! Shows that the engine needs no cloud, and is what its own properties are
//! tested on: thousands of runs a second, with every fault of the alphabet.

mod change;
mod gate;

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::future::pending;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bluegreen_core::transaction::{NoGate, Plan, Severity};
use tokio::time::Instant;

use crate::fault::Fault;

pub use change::{FlagChange, FlagError};
pub use gate::FlagGate;

/// A plan of changes of flags.
pub type FlagPlan = Plan<FlagChange, NoGate<Flags>>;

/// A plan of changes of flags that waits for flags in between.
pub type GatedPlan = Plan<FlagChange, FlagGate>;

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
    /// What happens to the looks to come.
    looks: VecDeque<Fault>,
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

    /// Says what happens to the looks to come, one fault each, whoever looks for what; replaces what
    /// was said before.
    ///
    /// A fault that is of writes only is none.
    pub fn script_looks(&self, faults: impl IntoIterator<Item = Fault>) {
        self.lock().looks = faults.into_iter().collect();
    }

    /// Gives `flag` a value behind everybody's back, or takes it away.
    pub fn set(&self, flag: &str, value: Option<i64>) {
        self.lock().set(flag, value);
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

    /// Lets a look travel; an error if it does not come back with anything.
    async fn travel(&self) -> Result<(), Severity> {
        let fault = self.lock().looks.pop_front().unwrap_or_default();
        match fault {
            Fault::Hang | Fault::Silence(_) => pending().await,
            Fault::TimeOut(time) => {
                tokio::time::sleep(time).await;
                Err(Severity::Unknown)
            }
            Fault::LoseReply => Err(Severity::Unknown),
            Fault::Throttle => Err(Severity::Busy),
            Fault::Refuse | Fault::Deny => Err(Severity::Refused),
            Fault::Credentials => Err(Severity::Hopeless),
            _ => Ok(()),
        }
    }

    /// Returns the state, with everything in place that has landed by now.
    fn lock(&self) -> MutexGuard<'_, State> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.land(Instant::now());
        state
    }
}

/// How a write is answered.
enum Answer {
    Given(Result<(), Severity>),
    LostAfter(Duration),
    Never,
}

impl Answer {
    async fn wait(self) -> Result<(), Severity> {
        match self {
            Self::Given(answer) => answer,
            Self::LostAfter(time) => {
                tokio::time::sleep(time).await;
                Err(Severity::Unknown)
            }
            Self::Never => pending().await,
        }
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

    fn late(&mut self, after: Duration, change: &FlagChange) {
        self.late.push((Instant::now() + after, change.flag.clone(), change.after));
    }

    fn apply(&mut self, change: &FlagChange) -> Answer {
        if let Some(witness) = &self.witness {
            witness(change);
        }
        let fail = |severity| Answer::Given(Err(severity));
        match self.script.pop_front().unwrap_or_default() {
            Fault::None => {
                self.write(change);
                Answer::Given(Ok(()))
            }
            Fault::Hang => Answer::Never,
            Fault::TimeOut(time) => Answer::LostAfter(time),
            Fault::Silence(after) => {
                self.late(after, change);
                Answer::Never
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
                self.late(after, change);
                fail(Severity::Unknown)
            }
            Fault::StaleRead(time) => {
                let old = self.values.get(&change.flag).copied();
                self.stale.insert(change.flag.clone(), (Instant::now() + time, old));
                self.write(change);
                Answer::Given(Ok(()))
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
                Answer::Given(Ok(()))
            }
        }
    }
}
