mod details;
mod timeline;

use futures_util::stream::{self, StreamExt as _};
use serde::Serialize;

use super::OperationError;
use crate::change::CloudChange;
use crate::gate::CloudGate;
use crate::model::{EnvironmentName, RunId, Timestamp};
use crate::transaction::{DecodeError, Ending, Entry, Ledger, StepState, Store, decode};

pub use details::{Milestone, MilestoneKind, RunDetails, StepDetails, Way};
pub(super) use details::{details, way};

pub(super) type CloudEntry = Entry<CloudChange, CloudGate>;
pub(super) type CloudLedger = Ledger<CloudChange, CloudGate>;

/// How many journals are read at once: in a bucket each one costs a round trip.
const AT_ONCE: usize = 16;

/// One run, in a line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RunSummary {
    /// The run.
    pub run: RunId,
    /// The operation.
    pub operation: String,
    /// The environment.
    pub environment: EnvironmentName,
    /// Who ran it, and where.
    pub actor: String,
    /// When it began.
    pub started: Timestamp,
    /// When it ended, if it did.
    pub ended: Option<Timestamp>,
    /// How it stands; one that is dirty and has ended was left so by a person's decision.
    pub state: RunState,
    /// How many changes it made, in place or not.
    pub changes: usize,
}

/// How a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RunState {
    /// Under way, or left by a process that is gone.
    Open,
    /// Everything is in place.
    Committed,
    /// Everything is as before.
    RolledBack,
    /// Something could not be taken back. A run that has ended like that is closed: a person decided
    /// to leave it.
    Dirty,
}

impl RunSummary {
    /// Returns whether a recovery has something to do.
    pub fn is_open(&self) -> bool {
        self.ended.is_none()
    }
}

impl RunState {
    /// Returns the state as it is written in `log`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Committed => "committed",
            Self::RolledBack => "rolled-back",
            Self::Dirty => "dirty",
        }
    }
}

/// Reads the entries of a run and folds them.
pub(super) fn replay(lines: &[String]) -> Result<(Vec<CloudEntry>, CloudLedger), JournalError> {
    let entries = decode(lines).map_err(JournalError::Decode)?;
    let records = entries.iter().map(|entry: &CloudEntry| &entry.record);
    let ledger = CloudLedger::replay(records).map_err(JournalError::Illegal)?;
    Ok((entries, ledger))
}

/// Says why a journal could not be understood.
#[derive(Debug, thiserror::Error)]
pub(super) enum JournalError {
    #[error(transparent)]
    Decode(DecodeError),
    #[error(transparent)]
    Illegal(crate::transaction::IllegalRecord),
}

impl JournalError {
    /// Returns whether a later version of the program wrote it.
    pub(super) fn is_too_new(&self) -> bool {
        matches!(self, Self::Decode(DecodeError::TooNew { .. }))
    }

    /// Returns whether the process died before its first record: then it changed nothing.
    pub(super) fn is_empty(&self) -> bool {
        matches!(self, Self::Decode(DecodeError::Empty))
    }
}

/// Reads a journal's lines, or says that they cannot be read.
pub(super) fn understood(
    run: &RunId,
    lines: &[String],
) -> Result<(Vec<CloudEntry>, CloudLedger), OperationError> {
    replay(lines).map_err(|error| OperationError::unreadable(run, error))
}

/// Reads one run of a store, step by step; needs no cloud.
pub async fn run_details(store: &dyn Store, run: &RunId) -> Result<RunDetails, OperationError> {
    let (entries, ledger) = understood(run, &store.read(run).await?)?;
    Ok(details(&entries, &ledger))
}

/// Reads every run of a store, newest first; needs no cloud.
///
/// A journal that cannot be understood is an error: its run may be open.
pub async fn runs(store: &dyn Store) -> Result<Vec<RunSummary>, OperationError> {
    let reads = store.runs().await?.into_iter().rev().map(|run| async move {
        let lines = store.read(&run).await;
        (run, lines)
    });
    let mut reads = stream::iter(reads).buffered(AT_ONCE);
    let mut runs = Vec::new();
    while let Some((run, lines)) = reads.next().await {
        let lines = lines?;
        match replay(&lines) {
            Ok((entries, ledger)) => runs.push(summary(&entries, &ledger)),
            Err(error) if error.is_empty() => {}
            Err(error) => return Err(OperationError::unreadable(&run, error)),
        }
    }
    Ok(runs)
}

pub(super) fn summary(entries: &[CloudEntry], ledger: &CloudLedger) -> RunSummary {
    let header = ledger.header();
    let is_stuck = ledger.touched().any(|(.., state)| state == StepState::Stuck);
    let state = match ledger.ending() {
        Some(Ending::Committed) => RunState::Committed,
        Some(Ending::RolledBack) => RunState::RolledBack,
        Some(Ending::Abandoned) => RunState::Dirty,
        None if is_stuck => RunState::Dirty,
        None => RunState::Open,
    };
    let last = entries.last().map(|entry| entry.at);
    RunSummary {
        run: header.run.clone(),
        operation: header.operation.clone(),
        environment: header.environment.clone(),
        actor: header.actor.clone(),
        started: entries.first().map_or(Timestamp::from_millis(0), |entry| entry.at),
        ended: last.filter(|_| ledger.ending().is_some()),
        state,
        changes: ledger.touched().count(),
    }
}
