use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{Difference, Plan, StepId};
use crate::model::{EnvironmentName, RunId, Timestamp};

/// The version of the journal's format that this build writes, and the newest that it reads.
pub const FORMAT: u32 = 2;

/// One line of a journal: a record and when it was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry<C, G> {
    /// When.
    pub at: Timestamp,
    /// What.
    pub record: Record<C, G>,
}

/// What happened, for machines: the ledger folds these into what is next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Record<C, G> {
    /// A run began. Always the first record and never another one.
    Begun(Box<Header<C, G>>),
    /// A change is about to be made. Durable before the call leaves.
    Intended {
        /// Its place in the plan.
        step: StepId,
        /// The change.
        change: C,
        /// What takes it back.
        inverse: C,
    },
    /// A change was seen to be in place.
    Applied {
        /// Its place in the plan.
        step: StepId,
    },
    /// A change was not seen to be in place; it may be all the same.
    Failed {
        /// Its place in the plan.
        step: StepId,
        /// Why.
        error: String,
        /// Whether its call may still land.
        in_doubt: bool,
    },
    /// A gate held.
    Passed {
        /// Its place in the plan.
        step: StepId,
    },
    /// The run turned round.
    Unwinding {
        /// Why.
        cause: String,
        /// Whether somebody asked for it.
        asked: bool,
    },
    /// A change was seen not to be in place any more.
    Undone {
        /// Its place in the plan.
        step: StepId,
        /// Whether what it had taken away was made again, and so has another identity now.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        remade: bool,
    },
    /// A change that had been undone was seen in place again: a call landed late.
    Resurfaced {
        /// Its place in the plan.
        step: StepId,
    },
    /// A step can go neither way; a person must look.
    Stuck {
        /// Its place in the plan.
        step: StepId,
        /// Why.
        reason: String,
        /// In what the thing is not as it should be.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        differences: Vec<Difference>,
    },
    /// A person decided to leave a stuck change as it is.
    Skipped {
        /// Its place in the plan.
        step: StepId,
        /// Who decided.
        actor: String,
    },
    /// Another process took over.
    Resumed {
        /// Who.
        actor: String,
        /// Whether it goes on with the plan, instead of back.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        forward: bool,
    },
    /// Everything is in place.
    Committed,
    /// Everything was seen to be as before.
    RolledBack,
    /// Everything was seen to be as before but what a person decided to leave.
    Abandoned,
}

impl<C, G> Record<C, G> {
    /// Returns the name of the record as it is written, and the step that it is about.
    pub fn name(&self) -> (&'static str, Option<StepId>) {
        match self {
            Self::Begun(_) => ("begun", None),
            Self::Intended { step, .. } => ("intended", Some(*step)),
            Self::Applied { step } => ("applied", Some(*step)),
            Self::Failed { step, .. } => ("failed", Some(*step)),
            Self::Passed { step } => ("passed", Some(*step)),
            Self::Unwinding { .. } => ("unwinding", None),
            Self::Undone { step, .. } => ("undone", Some(*step)),
            Self::Resurfaced { step } => ("resurfaced", Some(*step)),
            Self::Stuck { step, .. } => ("stuck", Some(*step)),
            Self::Skipped { step, .. } => ("skipped", Some(*step)),
            Self::Resumed { .. } => ("resumed", None),
            Self::Committed => ("committed", None),
            Self::RolledBack => ("rolled_back", None),
            Self::Abandoned => ("abandoned", None),
        }
    }
}

/// The first record of a journal: who does what, and the whole plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header<C, G> {
    /// The version of the format of all records.
    pub format: u32,
    /// The version of the program that wrote it.
    pub version: String,
    /// The run.
    pub run: RunId,
    /// The operation, such as `switch`.
    pub operation: String,
    /// The environment that is changed.
    pub environment: EnvironmentName,
    /// Who runs it, and where.
    pub actor: String,
    /// The earlier run that this one takes back, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undoes: Option<RunId>,
    /// What is to be done.
    pub plan: Plan<C, G>,
}

impl<C, G> Header<C, G> {
    /// Begins a run of `plan`, written by this version of the program.
    pub fn new(
        run: RunId,
        operation: impl Into<String>,
        environment: EnvironmentName,
        actor: impl Into<String>,
        plan: Plan<C, G>,
    ) -> Self {
        Self {
            format: FORMAT,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            run,
            operation: operation.into(),
            environment,
            actor: actor.into(),
            undoes: None,
            plan,
        }
    }
}

/// Says why a journal cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// There is no record at all: the process died before its first.
    #[error("the journal is empty")]
    Empty,
    /// A later version of the program wrote it.
    #[error(
        "the journal has format {format}, written by bluegreen {version}; \
         this version reads up to format {FORMAT}"
    )]
    TooNew {
        /// Its format.
        format: u32,
        /// The version that wrote it.
        version: String,
    },
    /// A record does not read as one.
    #[error("record {number} of the journal does not read as one")]
    Malformed {
        /// Its number, counted from 1.
        number: usize,
        /// What is wrong with it.
        #[source]
        source: serde_json::Error,
    },
}

/// Writes an entry as one line of text.
///
/// # Panics
///
/// If a change or a gate cannot be written as JSON, which is a mistake in its type.
pub fn encode<C: Serialize, G: Serialize>(entry: &Entry<C, G>) -> String {
    serde_json::to_string(entry).expect("records have string keys and no failing serializers")
}

/// Reads the lines of a journal.
pub fn decode<C, G>(lines: &[String]) -> Result<Vec<Entry<C, G>>, DecodeError>
where
    C: DeserializeOwned,
    G: DeserializeOwned,
{
    check_format(lines.first().ok_or(DecodeError::Empty)?)?;
    let parse = |(at, line): (usize, &String)| {
        serde_json::from_str(line)
            .map_err(|source| DecodeError::Malformed { number: at + 1, source })
    };
    lines.iter().enumerate().map(parse).collect()
}

/// Refuses a journal from a later version before anything else about it is believed.
fn check_format(first: &str) -> Result<(), DecodeError> {
    #[derive(Deserialize)]
    struct Head {
        record: Begun,
    }
    #[derive(Deserialize)]
    struct Begun {
        begun: Format,
    }
    #[derive(Deserialize)]
    struct Format {
        format: u32,
        version: String,
    }
    let head: Head = serde_json::from_str(first)
        .map_err(|source| DecodeError::Malformed { number: 1, source })?;
    let Format { format, version } = head.record.begun;
    if format > FORMAT { Err(DecodeError::TooNew { format, version }) } else { Ok(()) }
}
