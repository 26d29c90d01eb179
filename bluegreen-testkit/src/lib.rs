//! Under construction.

pub mod clock;
pub mod conformance;
#[cfg(feature = "emulator")]
pub mod emulator;
pub mod event_log;
pub mod fake;
pub mod fault;
pub mod flags;
pub mod invariant;
pub mod journal;
pub mod mock;
pub mod strategy;

pub use fake::{FakeCloud, World};
pub use fault::{Fault, Meddle};
pub use journal::MemoryStore;
