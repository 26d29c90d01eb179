use futures_util::stream::{self, StreamExt as _};
use serde::Serialize;

use super::OperationError;
use crate::change::CloudChange;
use crate::gate::CloudGate;
use crate::model::{EnvironmentName, RunId, Timestamp};
use crate::transaction::{
    Change as _, DecodeError, Ending, Entry, Ledger, Record, StepId, StepState, Store, Work, decode,
};

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
    /// How it stands; one that ended and is dirty was left so by a person's decision.
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
    /// Something could not be taken back.
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

/// One run, step by step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RunDetails {
    /// The run in a line.
    pub summary: RunSummary,
    /// Why it went back, if it did.
    pub cause: Option<String>,
    /// Its changes and gates in order.
    pub steps: Vec<StepDetails>,
}

/// One change or gate of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StepDetails {
    /// Its place in the plan.
    pub step: StepId,
    /// What its stage is for.
    pub stage: String,
    /// The change or the gate, in words.
    pub what: String,
    /// What takes it back, in words; nothing for a gate.
    pub inverse: Option<String>,
    /// How well it can be taken back; nothing for a gate.
    pub reversibility: Option<String>,
    /// How it stands.
    pub state: String,
    /// When it began, and when it last came to another state.
    pub began: Option<Timestamp>,
    /// When it last came to another state.
    pub ended: Option<Timestamp>,
    /// What went wrong with it, if anything did.
    pub error: Option<String>,
}

/// Reads the entries of a run and folds them.
pub(super) fn replay(lines: &[String]) -> Result<(Vec<CloudEntry>, CloudLedger), JournalError> {
    let entries = decode(lines).map_err(JournalError::Decode)?;
    let records = entries.iter().map(|entry: &CloudEntry| entry.record.clone());
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

pub(super) fn details(entries: &[CloudEntry], ledger: &CloudLedger) -> RunDetails {
    let stages = ledger.plan().stages();
    let steps = ledger
        .plan()
        .steps()
        .map(|(step, stage, work)| {
            let (began, ended, error) = timeline(entries, step);
            StepDetails {
                step,
                stage: stages[stage].title.clone(),
                what: work.map_or_else(ToString::to_string, ToString::to_string),
                inverse: work.ok().map(|change| change.inverse().to_string()),
                reversibility: work.ok().map(|change| change.reversibility().to_string()),
                state: state_name(ledger.state(step), &stages[stage].work).to_owned(),
                began,
                ended,
                error,
            }
        })
        .collect();
    let cause = ledger.cause().map(str::to_owned);
    RunDetails { summary: summary(entries, ledger), cause, steps }
}

fn state_name<C, G>(state: StepState, work: &Work<C, G>) -> &'static str {
    match (state, work) {
        (StepState::Pending, _) => "not begun",
        (StepState::Started, _) => "in doubt",
        (StepState::Applied, Work::Changes(_)) => "applied",
        (StepState::Applied, Work::Gate(_)) => "passed",
        (StepState::Undone, _) => "undone",
        (StepState::Stuck, _) => "stuck",
        (StepState::Skipped, _) => "left",
    }
}

/// Finds when a step began, when it last came to another state, and what went wrong.
fn timeline(
    entries: &[CloudEntry],
    wanted: StepId,
) -> (Option<Timestamp>, Option<Timestamp>, Option<String>) {
    let (mut began, mut ended, mut trouble) = (None, None, None);
    for entry in entries {
        match &entry.record {
            Record::Intended { step, .. } if *step == wanted => began = Some(entry.at),
            Record::Failed { step, error, .. } if *step == wanted => {
                ended = Some(entry.at);
                trouble = Some(error.clone());
            }
            Record::Stuck { step, reason, .. } if *step == wanted => {
                ended = Some(entry.at);
                trouble = Some(reason.clone());
            }
            Record::Applied { step }
            | Record::Passed { step }
            | Record::Undone { step, .. }
            | Record::Skipped { step, .. }
            | Record::Resurfaced { step }
                if *step == wanted =>
            {
                ended = Some(entry.at);
            }
            _ => {}
        }
    }
    (began, ended, trouble)
}
