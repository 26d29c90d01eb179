use std::time::Duration;

use super::outcome::chain;
use super::{Change, Engine, Failure, Gate, Position, Severity, Verdict};

/// Why a call to the world did not do what it was made for: in words, and what to do about it.
#[derive(Clone, Debug)]
pub(super) struct Trouble {
    pub(super) text: String,
    pub(super) severity: Severity,
}

impl Trouble {
    fn of(error: &impl Failure) -> Self {
        Self { text: chain(error), severity: error.severity() }
    }

    fn silence(limit: Duration) -> Self {
        let text = format!("there was no answer within {} s", limit.as_secs());
        Self { text, severity: Severity::Unknown }
    }

    /// Returns whether nothing makes sense any more but to stop.
    pub(super) fn is_hopeless(&self) -> bool {
        self.severity == Severity::Hopeless
    }
}

/// Every call to the world, none of which may take for ever.
impl<C: Change, G: Gate<World = C::World>> Engine<C, G> {
    pub(super) async fn apply(&self, change: &C) -> Result<(), Trouble> {
        match tokio::time::timeout(self.policy.call, change.apply(&self.world)).await {
            Ok(result) => result.map_err(|error| Trouble::of(&error)),
            Err(_) => Err(Trouble::silence(self.policy.call)),
        }
    }

    /// Looks at all of `changes`; there is an answer for each.
    pub(super) async fn observe(&self, changes: &[&C]) -> Vec<Result<Position, Trouble>> {
        let look = C::observe(changes, &self.world);
        match tokio::time::timeout(self.policy.call, look).await {
            Ok(seen) => {
                debug_assert_eq!(seen.len(), changes.len(), "one answer a change");
                let seen = seen.into_iter().map(|one| one.map_err(|error| Trouble::of(&error)));
                // Without an answer nothing is known, and nothing may be done.
                seen.chain(std::iter::repeat_with(|| Ok(Position::Drifted)))
                    .take(changes.len())
                    .collect()
            }
            Err(_) => changes.iter().map(|_| Err(Trouble::silence(self.policy.call))).collect(),
        }
    }

    pub(super) async fn look_at(&self, gate: &G, waited: Duration) -> Result<Verdict, Trouble> {
        match tokio::time::timeout(self.policy.call, gate.look(&self.world, waited)).await {
            Ok(result) => result.map_err(|error| Trouble::of(&error)),
            Err(_) => Err(Trouble::silence(self.policy.call)),
        }
    }

    /// Says in what a thing is not as wanted, as far as that can be told: a courtesy to people.
    pub(super) async fn differences(
        &self,
        change: &C,
        wanted: &super::Fields,
    ) -> Vec<super::Difference> {
        match tokio::time::timeout(self.policy.call, change.find(&self.world)).await {
            Ok(Ok(found)) => super::differences(wanted, &found),
            _ => Vec::new(),
        }
    }
}
