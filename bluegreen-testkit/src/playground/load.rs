//! Requests at a given rate, whatever becomes of them.
//!
//! The generator is open: a request is due when its time has come, not when the one before it is
//! answered, and its latency counts from then. A server that stalls is thus charged for everybody
//! who had to wait meanwhile, which a closed loop would hide.

mod client;
mod recorder;
mod tls;
mod truth;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::Instant;

use self::client::Client;
use self::recorder::Recorder;
pub use self::recorder::{Bin, Mark, PhaseScore, Served};
pub(super) use self::truth::Truth;

/// What is asked, and how often.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct LoadOptions {
    /// Requests a second, over all routes.
    pub rate: f64,
    /// How many requests may be under way at once; what is due beyond that waits, and is charged.
    pub concurrency: usize,
    /// After how long a request counts as failed.
    pub timeout: Duration,
    /// The routes, asked in turn.
    pub routes: Vec<LoadRoute>,
}

/// One address that is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadRoute {
    /// What it is called in reports: the load balancer and the port.
    pub name: String,
    /// Where it is.
    pub address: SocketAddr,
    /// Whether to speak TLS; the certificate is not checked.
    pub tls: bool,
    /// Which path to ask for.
    pub path: String,
}

impl LoadOptions {
    /// Asks these routes as often as the front tier of the origin is asked: 1,700 times a second.
    pub fn new(routes: Vec<LoadRoute>) -> Self {
        Self { rate: 1700.0, concurrency: 256, timeout: Duration::from_secs(5), routes }
    }

    /// Sets the requests a second.
    #[must_use]
    pub fn with_rate(mut self, rate: f64) -> Self {
        self.rate = rate;
        self
    }
}

/// A load that runs until it is stopped or dropped.
#[derive(Debug)]
pub struct Load {
    options: LoadOptions,
    recorder: Arc<Recorder>,
    stop: watch::Sender<bool>,
    asking: JoinSet<()>,
    judge: AbortHandle,
}

impl Load {
    /// Begins to ask.
    pub(super) fn start(options: LoadOptions, truth: Arc<Truth>) -> Self {
        let names = options.routes.iter().map(|route| route.name.clone()).collect();
        let recorder = Arc::new(Recorder::new(names, truth));
        let due = Arc::new(Due::new(options.rate));
        let (stop, stopped) = watch::channel(false);
        let mut asking = JoinSet::new();
        if !options.routes.is_empty() && options.rate > 0.0 {
            for _ in 0..options.concurrency {
                let (due, recorder) = (Arc::clone(&due), Arc::clone(&recorder));
                asking.spawn(ask(options.clone(), due, recorder, stopped.clone()));
            }
        }
        let judge = Arc::clone(&recorder);
        let judge = tokio::spawn(async move { judge.keep_judging().await }).abort_handle();
        Self { options, recorder, stop, asking, judge }
    }

    /// Returns what is asked.
    pub fn options(&self) -> &LoadOptions {
        &self.options
    }

    /// Marks a moment: what follows is counted on its own.
    pub fn mark(&self, label: &str) {
        self.recorder.mark(label);
    }

    /// Returns how every phase has gone so far.
    pub fn scores(&self) -> Vec<PhaseScore> {
        self.recorder.scores()
    }

    /// Returns the course of things, from a bin on: ten bins a second.
    pub fn bins(&self, from: usize) -> Vec<Bin> {
        self.recorder.bins(from)
    }

    /// Returns the moments that were marked.
    pub fn marks(&self) -> Vec<Mark> {
        self.recorder.marks()
    }

    /// Asks nothing more, waits for what is under way, and judges the last answers.
    pub async fn stop(&mut self) {
        self.stop.send_replace(true);
        while self.asking.join_next().await.is_some() {}
        self.recorder.judge_all().await;
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.judge.abort();
    }
}

/// When each request is due.
#[derive(Debug)]
struct Due {
    start: Instant,
    between: f64,
    taken: AtomicU64,
}

impl Due {
    fn new(rate: f64) -> Self {
        Self { start: Instant::now(), between: 1.0 / rate.max(1e-6), taken: AtomicU64::new(0) }
    }

    /// Takes the next request: its number, and when it is due.
    #[expect(clippy::cast_precision_loss, reason = "no load makes so many requests")]
    fn take(&self) -> (u64, Instant) {
        let number = self.taken.fetch_add(1, Ordering::Relaxed);
        (number, self.start + Duration::from_secs_f64(number as f64 * self.between))
    }
}

/// Asks one request after the other, each when it is due.
async fn ask(
    options: LoadOptions,
    due: Arc<Due>,
    recorder: Arc<Recorder>,
    mut stopped: watch::Receiver<bool>,
) {
    let mut clients: Vec<Client> = options.routes.iter().map(Client::new).collect();
    loop {
        let (number, at) = due.take();
        tokio::select! {
            _ = stopped.wait_for(|stopped| *stopped) => return,
            () = tokio::time::sleep_until(at) => {}
        }
        let place = usize::try_from(number % clients.len() as u64).unwrap_or_default();
        let sent = Instant::now();
        let answer = tokio::time::timeout(options.timeout, clients[place].get()).await;
        let answer = answer.unwrap_or_else(|_| Err("no answer in time".to_owned()));
        if answer.is_err() {
            clients[place].hang_up();
        }
        recorder.record(place, at, sent, answer);
    }
}
