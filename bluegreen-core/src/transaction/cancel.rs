use tokio_util::sync::CancellationToken;

/// Asks a run to stop: once to go back, twice to stop at once.
///
/// Cheap to clone; every clone is the same request.
#[derive(Clone, Debug, Default)]
pub struct Cancel {
    roll_back: CancellationToken,
    stop: CancellationToken,
}

impl Cancel {
    /// Makes a request that nobody has made yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks: the first time to stop before the next change and roll back, the second time to stop
    /// at once and leave the journal to a recovery.
    pub fn request(&self) {
        if self.roll_back.is_cancelled() {
            self.stop.cancel();
        }
        self.roll_back.cancel();
    }

    /// Returns whether somebody asked at least once.
    pub fn is_requested(&self) -> bool {
        self.roll_back.is_cancelled()
    }

    /// Waits until somebody asks.
    pub(super) async fn requested(&self) {
        self.roll_back.cancelled().await;
    }

    /// Waits until somebody asks twice.
    pub(super) async fn insisted(&self) {
        self.stop.cancelled().await;
    }
}
