use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use bluegreen_core::transaction::{Gate, Patience, Progress, Verdict};
use serde::{Deserialize, Serialize};

use super::{FlagError, Flags};

/// Wants a flag to have a value before a run goes on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlagGate {
    /// The flag.
    pub flag: String,
    /// The value that it must have.
    pub value: Option<i64>,
    /// For how long it is waited for.
    pub patience: Patience,
}

impl FlagGate {
    /// Makes a gate that looks every five seconds, and gives up after `timeout`.
    pub fn new(flag: impl Into<String>, value: Option<i64>, timeout: Duration) -> Self {
        let patience = Patience { timeout, poll: Duration::from_secs(5), readings: 1 };
        Self { flag: flag.into(), value, patience }
    }
}

impl fmt::Display for FlagGate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "flag `{}` is {:?}", self.flag, self.value)
    }
}

#[async_trait]
impl Gate for FlagGate {
    type World = Flags;
    type Error = FlagError;

    fn patience(&self) -> Patience {
        self.patience
    }

    async fn look(&self, flags: &Flags, _: Duration) -> Result<Verdict, FlagError> {
        let failed = |severity| FlagError { flag: self.flag.clone(), severity };
        flags.travel().await.map_err(failed)?;
        let found = flags.lock().read(&self.flag);
        let progress = Progress { done: 0, wanted: 0, what: format!("it is {found:?}") };
        Ok(if found == self.value { Verdict::Pass(progress) } else { Verdict::Wait(progress) })
    }
}
