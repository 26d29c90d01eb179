//! The time of a test.

use bluegreen_core::model::Timestamp;
use bluegreen_core::transaction::Clock;
use tokio::time::Instant;

/// A clock that goes with tokio's: on paused time it moves only when the test waits.
#[derive(Clone, Copy, Debug)]
pub struct VirtualClock {
    began: Instant,
}

impl VirtualClock {
    /// The moment that every virtual clock starts at: 2026-01-01T00:00:00Z.
    pub const START: Timestamp = Timestamp::from_millis(1_767_225_600_000);

    /// Starts a clock. Must be called within a tokio runtime.
    pub fn start() -> Self {
        Self { began: Instant::now() }
    }
}

impl Clock for VirtualClock {
    fn now(&self) -> Timestamp {
        let passed = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        Timestamp::from_millis(Self::START.as_millis().saturating_add(passed))
    }
}
