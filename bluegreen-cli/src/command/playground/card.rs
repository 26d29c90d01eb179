use bluegreen_testkit::playground::load::PhaseScore;
use serde_json::{Value, json};

use crate::render::Table;

/// How a load went, phase by phase.
#[derive(Clone, Debug)]
pub(super) struct Card {
    phases: Vec<PhaseScore>,
    rate: f64,
}

impl Card {
    pub(super) fn new(rate: f64, phases: Vec<PhaseScore>) -> Self {
        let phases = phases.into_iter().filter(|phase| phase.requests > 0).collect();
        Self { phases, rate }
    }

    /// Returns how many requests failed in the phases that count.
    pub(super) fn failed(&self, counts: impl Fn(&str) -> bool) -> u64 {
        let phases = self.phases.iter().filter(|phase| counts(&phase.label));
        phases.map(|phase| phase.failed).sum()
    }

    /// Returns how many requests were answered by a machine of the wrong colour.
    pub(super) fn misrouted(&self) -> u64 {
        self.phases.iter().map(|phase| phase.misrouted).sum()
    }

    /// Returns how many requests of the last phase failed.
    pub(super) fn failed_at_last(&self) -> u64 {
        self.phases.last().map_or(0, |phase| phase.failed)
    }

    /// Returns how many requests of the last phase were answered by another version than most.
    pub(super) fn mixed(&self) -> u64 {
        self.phases.last().map_or(0, |phase| phase.mixed)
    }

    /// Returns how far apart the routes changed their colour at most; nothing if they did not.
    pub(super) fn skew_ms(&self) -> Option<f64> {
        self.phases.iter().filter_map(|phase| phase.skew_ms).reduce(f64::max)
    }

    /// Returns the requests there were in all, and how many a second.
    pub(super) fn requests(&self) -> (u64, f64) {
        let requests: u64 = self.phases.iter().map(|phase| phase.requests).sum();
        let seconds: f64 = self.phases.iter().map(|phase| phase.seconds).sum();
        #[expect(clippy::cast_precision_loss, reason = "no load makes so many requests")]
        let rate = requests as f64 / seconds.max(0.001);
        (requests, rate)
    }

    /// Writes the card for people.
    pub(super) fn text(&self) -> String {
        let mut table = Table::new(&[
            "PHASE",
            ">TIME",
            ">REQUESTS",
            ">FAILED",
            ">MISROUTED",
            ">MIXED",
            ">P50",
            ">P99",
            ">MAX",
            ">SKEW",
        ]);
        let ms = |value: f64| format!("{value:.0} ms");
        for phase in &self.phases {
            table.row([
                phase.label.clone(),
                format!("{:.1} s", phase.seconds),
                phase.requests.to_string(),
                phase.failed.to_string(),
                phase.misrouted.to_string(),
                phase.mixed.to_string(),
                ms(phase.p50_ms),
                ms(phase.p99_ms),
                ms(phase.max_ms),
                phase.skew_ms.map_or_else(String::new, ms),
            ]);
        }
        let ((requests, rate), due) = (self.requests(), self.rate);
        let mut lines = vec![
            table.lines(2),
            format!("  {requests} requests, {rate:.0} a second ({due:.0} were due)"),
            "  a latency counts from when its request was due".to_owned(),
        ];
        for phase in &self.phases {
            let failures = phase.failures.iter();
            let line = |(kind, count)| format!("  {}: {count} failed: {kind}", phase.label);
            lines.extend(failures.map(line));
        }
        lines.join("\n") + "\n"
    }

    /// Writes the card for programs.
    pub(super) fn json(&self) -> Value {
        let (requests, rate) = self.requests();
        json!({"due_rate": self.rate, "rate": rate, "requests": requests, "phases": self.phases})
    }
}
