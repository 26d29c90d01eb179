//! The engine: changes that are saved with their inverse before they are made,
//! and taken back if anything fails. Knows nothing of clouds.
//!
//! A [`Plan`] is data: stages of [changes](Change) that run concurrently, and
//! [gates](Gate) that must pass. The [`Engine`] runs it. For every change it
//! looks at the world, writes the intent with the inverse to a durable
//! [`Journal`], makes the change, looks again, and writes the outcome. On any
//! failure it goes back, newest stage first, believing only what it sees.
//!
//! One pure [`Ledger`] folds the journal's records and says what is next, so a
//! fresh run, a rollback and a recovery are the same loop.

mod cancel;
mod change;
mod clock;
mod engine;
mod event;
mod fields;
mod forward;
mod gate;
mod lease;
mod ledger;
mod outcome;
mod patience;
mod plan;
mod record;
mod recovery;
mod run;
mod store;
mod trouble;
mod unwind;
mod wait;

pub use cancel::Cancel;
pub use change::{Change, Failure, Position, Reversibility, Severity};
pub use clock::{Clock, SystemClock};
pub use engine::Engine;
pub use event::{Event, EventKind, EventSink, NoSink};
pub use fields::{Difference, Fields, differences, fields};
pub use gate::{Gate, NoGate, Progress, Verdict};
pub use lease::{Lease, LeaseError};
pub use ledger::{IllegalRecord, Ledger, Next, Obstacle, StepState};
pub(crate) use outcome::chain;
pub use outcome::{Ending, Left, Outcome, RunError, RunErrorKind};
pub use patience::{Backoff, Patience, Policy};
pub use plan::{Plan, PlanError, Stage, StepId, Work};
pub use record::{DecodeError, Entry, FORMAT, Header, Record, decode, encode};
pub use recovery::Recovery;
pub use store::{
    Break, Condition, Held, Holder, Journal, LocalStore, Lock, LockState, Object, ObjectStore,
    Objects, Put, Store, StoreError, StoreErrorKind,
};
