use std::sync::Arc;
use std::time::Duration;

use bluegreen_core::operation::Bluegreen;
use bluegreen_core::transaction::{Cancel, EventSink};

use crate::args::Global;
use crate::render::{self, Everyone, Progress, Skews};
use crate::signals::Signals;

/// Whatever follows a run: what shows it, what notes it, and what can stop it.
#[derive(Debug)]
pub(super) struct Watch {
    progress: Arc<dyn Progress>,
    skews: Arc<Skews>,
    sink: Arc<dyn EventSink>,
    cancel: Cancel,
}

impl Watch {
    /// Begins to show what is going on.
    pub(super) fn new(global: &Global, events: Option<Arc<dyn EventSink>>) -> Self {
        let progress = render::progress(global);
        let skews = Arc::new(Skews::default());
        let mut sinks: Vec<Arc<dyn EventSink>> =
            vec![Arc::<Skews>::clone(&skews), Arc::<dyn Progress>::clone(&progress)];
        sinks.extend(events);
        Self { progress, skews, sink: Arc::new(Everyone(sinks)), cancel: Cancel::new() }
    }

    /// Makes operations heard and stoppable.
    pub(super) fn attach(&self, bluegreen: Bluegreen) -> Bluegreen {
        bluegreen.with_sink(Arc::clone(&self.sink)).with_cancel(self.cancel.clone())
    }

    /// Waits until `work` is done, telling it each time that somebody wants it stopped.
    pub(super) async fn follow<T>(
        &self,
        signals: &mut Signals,
        work: impl Future<Output = T>,
    ) -> T {
        let done = signals.relay(&self.cancel, &*self.progress, work).await;
        self.progress.finish();
        done
    }

    /// Returns whether somebody wanted it stopped.
    pub(super) fn is_stopped(&self) -> bool {
        self.cancel.is_requested()
    }

    /// Returns within what time the changes of a stage were made.
    pub(super) fn skew(&self, title: &str) -> Duration {
        self.skews.of(title).unwrap_or_default()
    }
}
