use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::super::nonce;
use crate::model::Timestamp;
use crate::transaction::store::{Break, Held, Holder};

/// What the object of a lock says; no two that are put are the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Slip {
    pub(super) state: State,
    /// Who holds it, or held it last.
    pub(super) holder: Holder,
    /// Until when, by the holder's clock; for people.
    pub(super) deadline: Timestamp,
    /// For how long after it was put it is held.
    pub(super) term_ms: u64,
    /// Tells this holding from all others.
    pub(super) nonce: String,
    /// How often the holder tried to put it again.
    pub(super) renewals: u64,
    /// Who broke the lock last, whoever held it since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) broken: Option<Break>,
}

/// How a lock stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum State {
    /// Held, unless its term has passed.
    Held,
    /// Given back.
    Released,
    /// Taken from its holder.
    Broken,
}

impl Slip {
    /// Makes one that says that `holder` has it from now on.
    pub(super) fn of(holder: Holder, term: Duration, broken: Option<Break>) -> Self {
        Self {
            state: State::Held,
            deadline: holder.since.plus(term),
            holder,
            term_ms: u64::try_from(term.as_millis()).unwrap_or(u64::MAX),
            nonce: nonce(),
            renewals: 0,
            broken,
        }
    }

    pub(super) fn write(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("a holder is plain text")
    }

    pub(super) fn read(body: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(body)
    }

    /// Returns whether it is held so long after it was put.
    pub(super) fn is_held(&self, age: Duration) -> bool {
        self.state == State::Held && age < Duration::from_millis(self.term_ms)
    }

    /// Returns whether `other` is of the same holding, and has not ended it.
    pub(super) fn is_held_as(&self, other: &Self) -> bool {
        other.nonce == self.nonce && other.state == State::Held
    }

    pub(super) fn held(&self) -> Held {
        Held { holder: self.holder.clone(), deadline: self.deadline }
    }
}
