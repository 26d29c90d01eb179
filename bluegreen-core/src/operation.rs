//! The facade that programs call: guard, lock, observe, plan, execute, verify.

mod actor;
mod bluegreen;
mod circumstances;
mod doctor;
mod downgrading;
mod error;
mod history;
mod locks;
mod making;
mod observe;
mod orphans;
mod prepare;
mod prepared;
mod recover;
mod spec;
mod standing;
mod survey;

pub use actor::Actor;
pub use bluegreen::{Bluegreen, Done};
pub use circumstances::Circumstances;
pub use error::{OperationError, OperationErrorKind};
pub use history::{
    Milestone, MilestoneKind, RunDetails, RunState, RunSummary, StepDetails, Way, run_details, runs,
};
pub use observe::observe;
pub use orphans::{Orphans, PreparedOrphans};
pub use prepare::{Operation, prepare};
pub use prepared::Prepared;
pub use recover::{RecoverOptions, recovery};
pub use spec::EnvironmentSpec;
