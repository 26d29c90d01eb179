//! The facade that programs call: guard, lock, observe, plan, execute, verify.

mod actor;
mod bluegreen;
mod error;
mod history;
mod observe;
mod prepare;
mod prepared;
mod spec;
mod survey;

pub use actor::Actor;
pub use bluegreen::{Bluegreen, Done};
pub use error::{OperationError, OperationErrorKind};
pub use history::{RunDetails, RunState, RunSummary, StepDetails, run_details, runs};
pub use observe::observe;
pub use prepare::{Circumstances, Operation, prepare};
pub use prepared::Prepared;
pub use spec::EnvironmentSpec;
