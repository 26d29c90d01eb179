//! What people and programs see: results on stdout, progress and errors on stderr.

mod doctor;
mod error;
mod handover;
mod lists;
mod lock;
mod log;
mod orphans;
mod out;
mod plan;
mod progress;
mod recovery;
mod result;
mod show;
mod status;
mod table;
mod text;

pub(crate) use doctor::{DoctorReport, doctor};
pub(crate) use error::failure;
pub(crate) use handover::{Handover, ssm, tfvars};
pub(crate) use lock::{LockReport, lock, lock_broken, lock_held};
pub(crate) use log::log;
pub(crate) use orphans::{Deletion, OrphansReport, Place, orphans};
pub(crate) use out::{Out, problem, width};
pub(crate) use plan::Outline;
pub(crate) use progress::{Everyone, Progress, Skews, events, progress};
pub(crate) use recovery::recovery;
pub(crate) use result::Report;
pub(crate) use show::{Details, details};
pub(crate) use status::{StatusReport, status};
pub(crate) use table::Table;
