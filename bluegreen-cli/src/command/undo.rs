use bluegreen_core::operation::{Operation, run_details};
use bluegreen_core::plan::UndoOptions;

use super::operate::Request;
use super::{Session, runs};
use crate::args::Undo;
use crate::failure::Failure;

/// Takes a committed run back; its journal says in which environment.
pub(super) async fn request(session: &Session, options: &Undo) -> Result<Request, Failure> {
    let store = session.store().await?;
    let run = runs::find(&*store, &options.run).await?;
    let undone = run_details(&*store, &run).await?;
    let operation = Operation::Undo(UndoOptions::new(run).with_waits(options.waiting.waits()));
    let environment = undone.summary.environment.clone();
    Ok(Request::new(environment.as_str(), operation, options.settle).with_undone(undone))
}
