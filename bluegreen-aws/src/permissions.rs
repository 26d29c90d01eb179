//! What AWS must allow for each operation, and the policy that allows that and no more.

mod document;
mod need;
mod policy;
mod scope;
mod table;
mod task;
mod verdict;

pub use policy::{Effect, IamPolicy, Statement};
pub use scope::{Bucket, Scope};
pub use task::Task;

pub(crate) use need::{Need, Only, Place, Way};
