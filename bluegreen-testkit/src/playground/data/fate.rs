//! What goes wrong with one machine now, in a form that costs nothing while all is well.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::{ArcSwap, Guard};
use tokio::time::Instant;

use super::super::fault::{Ailment, Weather};

/// How soon whoever waits for a fault to end looks again.
pub(super) const LOOK: Duration = Duration::from_millis(50);

/// What goes wrong with one machine now.
#[derive(Debug)]
pub(super) struct Fate {
    symptoms: ArcSwap<Symptoms>,
    sky: ArcSwap<Sky>,
    /// From which flapping is counted.
    epoch: Instant,
    /// Deals the requests that break and those that do not.
    dealt: std::sync::atomic::AtomicU64,
}

/// What a server does wrong.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Symptoms {
    pub(super) crashed: bool,
    pub(super) hangs: bool,
    pub(super) never_healthy: bool,
    pub(super) boots_later: Duration,
    fails: Option<u16>,
    slow: Duration,
    flaps: Option<Duration>,
    breaks: f64,
}

/// What happens on the way to a machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Sky {
    pub(super) delay: Duration,
    /// Bytes a second.
    pub(super) drip: Option<u64>,
    pub(super) resets: bool,
    pub(super) refuses: bool,
    barrier: Barrier,
}

/// Whether anything gets through.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Barrier {
    #[default]
    Open,
    /// Connections are made, and that is all.
    Stall,
    /// Not even that.
    Partition,
}

impl Default for Fate {
    fn default() -> Self {
        Self {
            symptoms: ArcSwap::default(),
            sky: ArcSwap::default(),
            epoch: Instant::now(),
            dealt: std::sync::atomic::AtomicU64::new(0),
        }
    }
}

impl Fate {
    /// Takes note of what goes wrong now.
    pub(super) fn befall(&self, ailments: &[Ailment], weather: &[Weather]) {
        let symptoms = Symptoms::of(ailments);
        if **self.symptoms.load() != symptoms {
            self.symptoms.store(Arc::new(symptoms));
        }
        let sky = Sky::of(weather);
        if **self.sky.load() != sky {
            self.sky.store(Arc::new(sky));
        }
    }

    pub(super) fn symptoms(&self) -> Guard<Arc<Symptoms>> {
        self.symptoms.load()
    }

    pub(super) fn sky(&self) -> Guard<Arc<Sky>> {
        self.sky.load()
    }

    /// Suffers what a request meets at the server; returns the status that it gets instead of an
    /// answer.
    pub(super) async fn suffer(&self, is_check: bool) -> Option<u16> {
        if **self.symptoms.load() == Symptoms::default() {
            return None;
        }
        while self.symptoms.load().hangs {
            tokio::time::sleep(LOOK).await;
        }
        let symptoms = self.symptoms.load_full();
        if !symptoms.slow.is_zero() {
            tokio::time::sleep(symptoms.slow).await;
        }
        self.verdict(&symptoms, is_check)
    }

    fn verdict(&self, symptoms: &Symptoms, is_check: bool) -> Option<u16> {
        if symptoms.fails.is_some() {
            return symptoms.fails;
        }
        let sick_by_turns = symptoms.flaps.is_some_and(|turn| {
            let turns = self.epoch.elapsed().as_millis() / turn.as_millis().max(1);
            turns.is_multiple_of(2)
        });
        let breaks = !is_check && symptoms.breaks > 0.0 && self.deal() < symptoms.breaks;
        let fails = sick_by_turns || breaks || (is_check && symptoms.never_healthy);
        fails.then_some(500)
    }

    /// Returns numbers from 0 to 1 that are spread evenly, however few are asked for.
    fn deal(&self) -> f64 {
        const GOLDEN: f64 = 0.618_033_988_749_894_9;
        let number = self.dealt.fetch_add(1, std::sync::atomic::Ordering::Relaxed) % (1 << 20);
        #[expect(clippy::cast_precision_loss, reason = "the number is small")]
        let place = number as f64 * GOLDEN;
        place.fract()
    }
}

impl Symptoms {
    fn of(ailments: &[Ailment]) -> Self {
        let mut all = Self::default();
        for ailment in ailments {
            match *ailment {
                Ailment::Crash => all.crashed = true,
                Ailment::Hang => all.hangs = true,
                Ailment::Fails { status } => all.fails = Some(status),
                Ailment::Slow { ms } => all.slow = all.slow.max(Duration::from_millis(ms)),
                Ailment::Flaps { ms } => all.flaps = Some(Duration::from_millis(ms)),
                Ailment::SlowBoot { ms } => all.boots_later += Duration::from_millis(ms),
                Ailment::NeverHealthy => all.never_healthy = true,
                Ailment::BreaksUnderTraffic { share } => all.breaks = all.breaks.max(share),
            }
        }
        all
    }
}

impl Sky {
    fn of(weather: &[Weather]) -> Self {
        let mut all = Self::default();
        for one in weather {
            match *one {
                Weather::Delay { ms } => all.delay = all.delay.max(Duration::from_millis(ms)),
                Weather::Drip { bytes } => {
                    let bytes = bytes.max(1);
                    all.drip = Some(all.drip.map_or(bytes, |drip| drip.min(bytes)));
                }
                Weather::Stall => all.barrier = all.barrier.max(Barrier::Stall),
                Weather::Reset => all.resets = true,
                Weather::Refuse => all.refuses = true,
                Weather::Partition => all.barrier = Barrier::Partition,
            }
        }
        all
    }

    /// Returns whether everything gets through at once.
    pub(super) fn is_clear(&self) -> bool {
        self.delay.is_zero() && self.drip.is_none() && !self.resets && !self.holds()
    }

    /// Returns whether connections are not even made.
    pub(super) fn is_cut(&self) -> bool {
        self.barrier == Barrier::Partition
    }

    /// Returns whether nothing gets through.
    pub(super) fn holds(&self) -> bool {
        self.barrier != Barrier::Open
    }
}
