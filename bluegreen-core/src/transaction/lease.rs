use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::outcome::chain;
use super::{Clock, Lock, StoreError, StoreErrorKind};
use crate::model::Timestamp;

/// How many beats a term has. A renewal is tried at each but the last, at which it would be too
/// late: two may fail, or never be answered, before the lease is over.
const BEATS: u32 = 4;

/// A lock that is kept by renewing it, and the answer to whether it is still ours.
///
/// A run asks before every change. The answer is no, for good, as soon as the lock is somebody
/// else's, or could not be renewed for a whole term, or the clock jumped: then the machine may have
/// been asleep, and who knows what happened meanwhile.
#[derive(Debug)]
pub struct Lease {
    lock: Arc<dyn Lock>,
    clock: Arc<dyn Clock>,
    term: Duration,
    state: Arc<Mutex<State>>,
    heartbeat: JoinHandle<()>,
}

/// Says why a lease is worth nothing any more.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LeaseError {
    /// Somebody else has the lock, or it was broken, or the store does not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It could not be renewed in time.
    #[error("the lock could not be renewed for {} s, and may be somebody else's by now", age.as_secs())]
    Lapsed {
        /// For how long.
        age: Duration,
    },
    /// The store does not say whether it is still held.
    #[error("the store did not say within {} s whether the lock is still held", within.as_secs())]
    Silence {
        /// For how long it was waited for.
        within: Duration,
    },
    /// The clock of the machine jumped.
    #[error(
        "the clock of this machine jumped by {} s: it may have been asleep, and the lock may be \
         somebody else's by now",
        by.as_secs()
    )]
    ClockJumped {
        /// By how much, forward or back.
        by: Duration,
    },
}

impl LeaseError {
    /// Returns whether it will never be worth anything again; else the store may only be unwell.
    pub fn is_for_good(&self) -> bool {
        match self {
            Self::Store(error) => matches!(error.kind(), StoreErrorKind::Lost(_)),
            Self::Silence { .. } => false,
            Self::Lapsed { .. } | Self::ClockJumped { .. } => true,
        }
    }
}

#[derive(Debug)]
struct State {
    renewed: Instant,
    /// One moment by both clocks.
    pace: (Instant, Timestamp),
    over: Option<Over>,
}

/// Why it is over; said again and again.
#[derive(Clone, Debug)]
enum Over {
    Lost(StoreErrorKind, String),
    Lapsed(Duration),
    ClockJumped(Duration),
}

impl From<Over> for LeaseError {
    fn from(over: Over) -> Self {
        match over {
            Over::Lost(kind, what) => Self::Store(StoreError::new(kind, what)),
            Over::Lapsed(age) => Self::Lapsed { age },
            Over::ClockJumped(by) => Self::ClockJumped { by },
        }
    }
}

impl Lease {
    /// How long a lock is held without being renewed, unless somebody wants it otherwise.
    pub const TERM: Duration = Duration::from_secs(30);

    /// Keeps a lock that was just taken for `term`. Must be called within a tokio runtime.
    pub fn keep(lock: Box<dyn Lock>, clock: Arc<dyn Clock>, term: Duration) -> Self {
        let now = Instant::now();
        let lock: Arc<dyn Lock> = lock.into();
        let state = State { renewed: now, pace: (now, clock.now()), over: None };
        let state = Arc::new(Mutex::new(state));
        let beat = Heartbeat {
            lock: Arc::clone(&lock),
            clock: Arc::clone(&clock),
            term,
            state: Arc::clone(&state),
        };
        let heartbeat = tokio::spawn(beat.go_on());
        Self { lock, clock, term, state, heartbeat }
    }

    /// Asks whether anything may still be changed.
    pub async fn check(&self) -> Result<(), LeaseError> {
        self.locked().judge(&*self.clock, self.term)?;
        let within = self.term / BEATS;
        match tokio::time::timeout(within, self.lock.check()).await {
            Ok(Ok(())) => Ok(self.locked().judge(&*self.clock, self.term)?),
            Ok(Err(error)) => {
                self.locked().note(&error);
                Err(error.into())
            }
            Err(_) => Err(LeaseError::Silence { within }),
        }
    }

    /// Gives the lock back. Where that fails, the lock ends with its term.
    pub async fn release(&self) {
        self.heartbeat.abort();
        if let Err(error) = self.lock.release().await {
            tracing::warn!("a lock could not be given back: {}", chain(&error));
        }
    }

    fn locked(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.heartbeat.abort();
    }
}

impl State {
    /// Judges by this machine's clocks alone.
    fn judge(&mut self, clock: &dyn Clock, term: Duration) -> Result<(), Over> {
        let now = (Instant::now(), clock.now());
        let (then, stamp) = std::mem::replace(&mut self.pace, now);
        let passed = now.0 - then;
        let jump = if now.1 < stamp {
            stamp.since(now.1) + passed
        } else {
            // A wall clock that merely lags proves nothing: the one of a test stands still.
            now.1.since(stamp).saturating_sub(passed)
        };
        if self.over.is_none() {
            let age = now.0 - self.renewed;
            if jump > term / 2 {
                self.over = Some(Over::ClockJumped(jump));
            } else if age >= term {
                self.over = Some(Over::Lapsed(age));
            }
        }
        self.over.clone().map_or(Ok(()), Err)
    }

    fn note(&mut self, error: &StoreError) {
        if let kind @ StoreErrorKind::Lost(_) = error.kind() {
            self.over.get_or_insert(Over::Lost(kind.clone(), error.what().to_owned()));
        }
    }
}

/// Renews a lock until it is lost.
struct Heartbeat {
    lock: Arc<dyn Lock>,
    clock: Arc<dyn Clock>,
    term: Duration,
    state: Arc<Mutex<State>>,
}

impl Heartbeat {
    async fn go_on(self) {
        let beat = self.term / BEATS;
        let mut next = Instant::now();
        loop {
            next += beat;
            tokio::time::sleep_until(next).await;
            if self.locked().judge(&*self.clock, self.term).is_err() {
                return;
            }
            let began = Instant::now();
            let renewal = self.lock.renew(self.clock.now().plus(self.term));
            match tokio::time::timeout(beat, renewal).await {
                Ok(Ok(())) => self.locked().renewed = began,
                Ok(Err(error)) => self.locked().note(&error),
                // Tried again with the next beat, as long as the term is not over.
                Err(_) => {}
            }
        }
    }

    fn locked(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
