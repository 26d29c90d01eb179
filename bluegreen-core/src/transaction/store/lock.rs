use std::fmt::{self, Debug};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::StoreError;
use crate::model::{RunId, Timestamp};

/// The exclusive right to change an environment.
///
/// Ends when it is released; one that is only dropped ends when the store finds that its holder is
/// gone.
#[async_trait]
pub trait Lock: Debug + Send + Sync {
    /// Looks whether the lock is still held; [`Lost`](super::StoreErrorKind::Lost) if it is not.
    async fn check(&self) -> Result<(), StoreError>;

    /// Holds the lock until `deadline`; [`Lost`](super::StoreErrorKind::Lost) if it is not held any
    /// more.
    ///
    /// A renewal whose answer was lost is recognised as one's own when it is repeated.
    async fn renew(&self, deadline: Timestamp) -> Result<(), StoreError>;

    /// Gives the lock back. One that was lost is left to whoever has it.
    async fn release(&self) -> Result<(), StoreError>;
}

/// Who holds a lock, and for what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// The person or the service.
    pub owner: String,
    /// The machine.
    pub host: String,
    /// The number of the process on that machine.
    pub process: u32,
    /// What they are doing.
    pub operation: String,
    /// In which run.
    pub run: RunId,
    /// Since when, by the holder's clock.
    pub since: Timestamp,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { owner, host, process, operation, run, since } = self;
        write!(
            f,
            "{owner}@{host} (process {process}), doing {operation} in run {run} since {since}"
        )
    }
}

/// A lock that somebody holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// Who.
    #[serde(flatten)]
    pub holder: Holder,
    /// Until when, unless it is renewed; by the holder's clock.
    pub deadline: Timestamp,
}

impl fmt::Display for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.holder, f)
    }
}

/// The lock of an environment, as it stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LockState {
    /// Who holds it, if anybody does.
    pub held: Option<Held>,
    /// Who broke it last, if anybody ever did.
    pub broken: Option<Break>,
}

/// A lock that was taken from its holder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Break {
    /// Who took it.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// From whom.
    pub holder: Holder,
}
