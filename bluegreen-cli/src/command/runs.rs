use bluegreen_core::model::RunId;
use bluegreen_core::operation::OperationError;
use bluegreen_core::transaction::Store;

use crate::failure::Failure;

/// Finds the one run whose id begins like that.
pub(super) async fn find(store: &dyn Store, beginning: &str) -> Result<RunId, Failure> {
    let beginning = beginning.to_lowercase();
    let all = store.runs().await.map_err(OperationError::from)?;
    let mut found: Vec<RunId> =
        all.into_iter().filter(|run| run.as_str().starts_with(&beginning)).collect();
    match (found.pop(), found.len()) {
        (None, _) => Err(Failure::usage(format!("there is no run `{beginning}`"))
            .with_hint("`bluegreen log` lists the runs")),
        (Some(run), 0) => Ok(run),
        (Some(run), more) => Err(Failure::usage(format!(
            "`{beginning}` is the beginning of {} runs, such as {run} and {}",
            more + 1,
            found[0]
        ))
        .with_hint("give more of it")),
    }
}
