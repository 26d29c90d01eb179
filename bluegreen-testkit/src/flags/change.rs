use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use bluegreen_core::transaction::{
    Change, Failure, Fields, Position, Reversibility, Severity, fields,
};
use serde::{Deserialize, Serialize};

use super::Flags;

/// Gives a flag another value, or takes it away.
///
/// A flag whose name ends with `!` is one of those that nobody can set back, as a machine that was
/// terminated: its changes are irreversible.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlagChange {
    /// The flag.
    pub flag: String,
    /// The value that is replaced.
    pub before: Option<i64>,
    /// The value that is brought.
    pub after: Option<i64>,
}

impl FlagChange {
    /// Makes a change of `flag`.
    pub fn new(flag: impl Into<String>, before: Option<i64>, after: Option<i64>) -> Self {
        Self { flag: flag.into(), before, after }
    }

    fn failed(&self, severity: Severity) -> FlagError {
        FlagError { flag: self.flag.clone(), severity }
    }
}

impl fmt::Display for FlagChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {:?} → {:?}", self.flag, self.before, self.after)
    }
}

#[async_trait]
impl Change for FlagChange {
    type World = Flags;
    type Error = FlagError;

    fn resource(&self) -> String {
        self.flag.clone()
    }

    fn inverse(&self) -> Self {
        Self { flag: self.flag.clone(), before: self.after, after: self.before }
    }

    fn follows(&self, earlier: &Self) -> bool {
        self.before == earlier.after
    }

    fn reversibility(&self) -> Reversibility {
        if self.flag.ends_with('!') { Reversibility::Irreversible } else { Reversibility::Exact }
    }

    fn undo_time(&self) -> Duration {
        Duration::from_secs(1)
    }

    fn before(&self) -> Fields {
        fields(&self.before)
    }

    fn after(&self) -> Fields {
        fields(&self.after)
    }

    fn redacted(&self) -> Self {
        self.clone()
    }

    async fn find(&self, flags: &Flags) -> Result<Fields, FlagError> {
        flags.travel().await.map_err(|severity| self.failed(severity))?;
        Ok(fields(&flags.lock().read(&self.flag)))
    }

    async fn observe(changes: &[&Self], flags: &Flags) -> Vec<Result<Position, FlagError>> {
        if let Err(severity) = flags.travel().await {
            return changes.iter().map(|change| Err(change.failed(severity))).collect();
        }
        let state = flags.lock();
        let position = |change: &&Self| match state.read(&change.flag) {
            found if found == change.after => Position::After,
            found if found == change.before => Position::Before,
            _ => Position::Drifted,
        };
        changes.iter().map(|change| Ok(position(change))).collect()
    }

    async fn apply(&self, flags: &Flags) -> Result<(), FlagError> {
        let answer = flags.lock().apply(self);
        answer.wait().await.map_err(|severity| self.failed(severity))
    }
}

/// Says that a flag could not be read or written.
#[derive(Debug, thiserror::Error)]
#[error("flag `{flag}` could not be read or written")]
pub struct FlagError {
    pub(super) flag: String,
    pub(super) severity: Severity,
}

impl Failure for FlagError {
    fn severity(&self) -> Severity {
        self.severity
    }
}
