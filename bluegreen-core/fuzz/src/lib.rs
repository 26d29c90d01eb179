//! What journals must hold out against: each module's `check` takes any bytes, and panics if
//! something does not hold that should.
//!
//! The fuzzer calls them with what it makes up, and the core's own tests with a little of the same.

pub mod journal;
pub mod ledger;
pub mod lines;
mod toy;
mod walk;
