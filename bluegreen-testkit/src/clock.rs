//! The time of a test.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

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

/// A virtual clock that can be put forward and back, as that of a machine that was asleep, or that
/// was told the right time. Clones are the same clock.
#[derive(Clone, Debug)]
pub struct UnsteadyClock {
    steady: VirtualClock,
    /// By how many milliseconds it is ahead.
    ahead: Arc<AtomicI64>,
}

impl UnsteadyClock {
    /// Starts a clock. Must be called within a tokio runtime.
    pub fn start() -> Self {
        Self { steady: VirtualClock::start(), ahead: Arc::default() }
    }

    /// Puts the clock forward by so many milliseconds, or back.
    pub fn step(&self, milliseconds: i64) {
        self.ahead.fetch_add(milliseconds, Ordering::Relaxed);
    }
}

impl Clock for UnsteadyClock {
    fn now(&self) -> Timestamp {
        let ahead = self.ahead.load(Ordering::Relaxed);
        Timestamp::from_millis(self.steady.now().as_millis().saturating_add_signed(ahead))
    }
}
