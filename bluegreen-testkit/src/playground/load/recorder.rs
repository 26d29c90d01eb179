use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::Truth;
use super::client::Answer;

/// How long one bin is.
const BIN: Duration = Duration::from_millis(100);

/// An answer is judged when it is known what was true around it.
const JUDGED_AFTER: Duration = Duration::from_millis(300);

/// The longest latency that is told apart from longer ones, in microseconds: ten minutes.
const LONGEST: u64 = 600_000_000;

/// How many different failures are told apart.
const KINDS: usize = 20;

/// What was served in a tenth of a second.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Bin {
    /// Answers by colour, whatever they were.
    pub by_color: BTreeMap<String, u32>,
    /// Requests that failed.
    pub failed: u32,
    /// The slowest one, in milliseconds.
    pub slowest_ms: f64,
}

/// A moment that somebody marked.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Mark {
    /// When, in seconds since the load began.
    pub at: f64,
    /// What it is called.
    pub label: String,
}

/// Who answered on a route.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Served {
    /// The route.
    pub route: String,
    /// The colour; empty if the answer told none.
    pub color: String,
    /// The version.
    pub version: String,
}

/// How one phase of a load went.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PhaseScore {
    /// What it is called: the mark with which it began.
    pub label: String,
    /// How long it was, in seconds.
    pub seconds: f64,
    /// How many requests were answered or failed.
    pub requests: u64,
    /// How many failed: no answer, no answer in time, or a status of 500 and more.
    pub failed: u64,
    /// How many of each kind of failure.
    pub failures: BTreeMap<String, u64>,
    /// How many were answered by a machine that no route named meanwhile.
    pub misrouted: u64,
    /// How many were answered by another version than most, by the same colour on the same route.
    pub mixed: u64,
    /// Latencies in milliseconds from when a request was due: the median, …
    pub p50_ms: f64,
    /// … what 99 of 100 did not exceed, …
    pub p99_ms: f64,
    /// … and the slowest.
    pub max_ms: f64,
    /// How far apart the routes first answered with the colour that the phase ended with, in
    /// milliseconds; nothing if no route changed its colour.
    pub skew_ms: Option<f64>,
    /// Answers by route, colour and version.
    pub served: Vec<(Served, u64)>,
}

/// What has become of every request.
#[derive(Debug)]
pub(super) struct Recorder {
    started: Instant,
    routes: Vec<String>,
    truth: Arc<Truth>,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    bins: Vec<Bin>,
    marks: Vec<Mark>,
    phases: Vec<Phase>,
    unjudged: VecDeque<Unjudged>,
}

#[derive(Debug)]
struct Phase {
    label: String,
    began: Instant,
    ended: Option<Instant>,
    latencies: Histogram<u64>,
    requests: u64,
    failed: u64,
    failures: BTreeMap<String, u64>,
    misrouted: u64,
    served: BTreeMap<(usize, String, String), u64>,
    /// When a colour answered first and last on a route.
    seen: BTreeMap<(usize, String), (Instant, Instant)>,
}

#[derive(Debug)]
struct Unjudged {
    phase: usize,
    route: usize,
    instance: String,
    sent: Instant,
    received: Instant,
}

impl Phase {
    fn new(label: &str, began: Instant) -> Self {
        Self {
            label: label.to_owned(),
            began,
            ended: None,
            latencies: Histogram::new_with_bounds(1, LONGEST, 3).expect("the bounds are sound"),
            requests: 0,
            failed: 0,
            failures: BTreeMap::new(),
            misrouted: 0,
            served: BTreeMap::new(),
            seen: BTreeMap::new(),
        }
    }

    fn score(&self, routes: &[String], now: Instant) -> PhaseScore {
        let ms = |micros: u64| Duration::from_micros(micros).as_secs_f64() * 1e3;
        let served = self.served.iter().map(|((route, color, version), count)| {
            let (color, version) = (color.clone(), version.clone());
            (Served { route: routes[*route].clone(), color, version }, *count)
        });
        PhaseScore {
            label: self.label.clone(),
            seconds: self.ended.unwrap_or(now).duration_since(self.began).as_secs_f64(),
            requests: self.requests,
            failed: self.failed,
            failures: self.failures.clone(),
            misrouted: self.misrouted,
            mixed: self.mixed(),
            p50_ms: ms(self.latencies.value_at_quantile(0.5)),
            p99_ms: ms(self.latencies.value_at_quantile(0.99)),
            max_ms: ms(self.latencies.max()),
            skew_ms: self.skew().map(|skew| skew.as_secs_f64() * 1e3),
            served: served.collect(),
        }
    }

    /// Counts the answers of every version but the most common one of a route and a colour.
    fn mixed(&self) -> u64 {
        let mut versions: BTreeMap<(usize, &str), Vec<u64>> = BTreeMap::new();
        for ((route, color, _), count) in &self.served {
            versions.entry((*route, color)).or_default().push(*count);
        }
        versions
            .values()
            .map(|counts| counts.iter().sum::<u64>() - counts.iter().max().unwrap_or(&0))
            .sum()
    }

    /// Returns how far apart the routes got the colour that all of them ended with.
    fn skew(&self) -> Option<Duration> {
        let colors: BTreeSet<&String> = self.seen.keys().map(|(_, color)| color).collect();
        if colors.len() < 2 {
            return None;
        }
        let last =
            self.seen.iter().max_by_key(|(_, (_, last))| *last).map(|((_, color), _)| color)?;
        let firsts = self.seen.iter().filter(|((_, color), _)| color == last);
        let firsts: Vec<Instant> = firsts.map(|(_, (first, _))| *first).collect();
        Some(firsts.iter().max()?.duration_since(*firsts.iter().min()?))
    }
}

impl Recorder {
    pub(super) fn new(routes: Vec<String>, truth: Arc<Truth>) -> Self {
        let started = Instant::now();
        let phases = vec![Phase::new("start", started)];
        Self { started, routes, truth, inner: Mutex::new(Inner { phases, ..Inner::default() }) }
    }

    /// Takes note of what became of a request that was due at `due`.
    pub(super) fn record(
        &self,
        route: usize,
        due: Instant,
        sent: Instant,
        answer: Result<Answer, String>,
    ) {
        let received = Instant::now();
        let latency = received.saturating_duration_since(due);
        let place = received.duration_since(self.started).as_millis() / BIN.as_millis();
        let place = usize::try_from(place).unwrap_or_default();
        let mut inner = self.inner();
        let inner = &mut *inner;
        if inner.bins.len() <= place {
            inner.bins.resize_with(place + 1, Bin::default);
        }
        let bin = &mut inner.bins[place];
        bin.slowest_ms = bin.slowest_ms.max(latency.as_secs_f64() * 1e3);
        let number = inner.phases.len() - 1;
        let phase = &mut inner.phases[number];
        phase.requests += 1;
        phase.latencies.saturating_record(u64::try_from(latency.as_micros()).unwrap_or(u64::MAX));
        let failure = match &answer {
            Ok(answer) if answer.status < 500 => None,
            Ok(answer) => Some(format!("status {}", answer.status)),
            Err(error) => Some(error.clone()),
        };
        if let Some(failure) = failure {
            phase.failed += 1;
            bin.failed += 1;
            let known = phase.failures.contains_key(&failure) || phase.failures.len() < KINDS;
            let kind = if known { failure } else { "something else".to_owned() };
            *phase.failures.entry(kind).or_default() += 1;
        }
        let Ok(Answer { color, version, instance, .. }) = answer else { return };
        *bin.by_color.entry(color.clone()).or_default() += 1;
        let seen = phase.seen.entry((route, color.clone())).or_insert((received, received));
        seen.1 = received;
        *phase.served.entry((route, color, version)).or_default() += 1;
        if !instance.is_empty() {
            inner.unjudged.push_back(Unjudged { phase: number, route, instance, sent, received });
        }
    }

    pub(super) fn mark(&self, label: &str) {
        let now = Instant::now();
        let mut inner = self.inner();
        if let Some(last) = inner.phases.last_mut() {
            last.ended = Some(now);
        }
        inner.phases.push(Phase::new(label, now));
        let at = now.duration_since(self.started).as_secs_f64();
        inner.marks.push(Mark { at, label: label.to_owned() });
    }

    /// Judges answers for as long as there may be any.
    pub(super) async fn keep_judging(&self) {
        loop {
            tokio::time::sleep(JUDGED_AFTER / 3).await;
            self.judge(Instant::now());
        }
    }

    /// Judges every answer there is.
    pub(super) async fn judge_all(&self) {
        tokio::time::sleep(JUDGED_AFTER).await;
        self.judge(Instant::now());
    }

    fn judge(&self, now: Instant) {
        let mut inner = self.inner();
        let inner = &mut *inner;
        while inner.unjudged.front().is_some_and(|one| one.received + JUDGED_AFTER <= now) {
            let Some(one) = inner.unjudged.pop_front() else { break };
            let route = &self.routes[one.route];
            if !self.truth.was_right(route, &one.instance, one.sent, one.received) {
                inner.phases[one.phase].misrouted += 1;
            }
        }
    }

    pub(super) fn scores(&self) -> Vec<PhaseScore> {
        let now = Instant::now();
        self.inner().phases.iter().map(|phase| phase.score(&self.routes, now)).collect()
    }

    pub(super) fn bins(&self, from: usize) -> Vec<Bin> {
        self.inner().bins.get(from..).unwrap_or_default().to_vec()
    }

    pub(super) fn marks(&self) -> Vec<Mark> {
        self.inner().marks.clone()
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn by(color: &str, version: &str) -> Answer {
        let (color, version) = (color.to_owned(), version.to_owned());
        Answer { status: 200, color, version, instance: String::new() }
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_is_charged_for_the_time_it_had_to_wait_for_its_turn() {
        let recorder = Recorder::new(vec!["a:80".to_owned()], Arc::default());
        let due = Instant::now();
        tokio::time::sleep(Duration::from_millis(900)).await;
        let sent = Instant::now();
        tokio::time::sleep(Duration::from_millis(100)).await;
        recorder.record(0, due, sent, Ok(by("blue", "1")));
        let score = &recorder.scores()[0];
        assert!((999.0..1002.0).contains(&score.max_ms), "{score:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_switch_is_told_by_how_far_apart_the_routes_changed_colour() {
        let recorder = Recorder::new(vec!["a:80".to_owned(), "a:443".to_owned()], Arc::default());
        recorder.mark("switch");
        for (route, color, wait) in
            [(0, "blue", 10), (1, "blue", 10), (0, "green", 10), (1, "blue", 20), (1, "green", 0)]
        {
            let now = Instant::now();
            recorder.record(route, now, now, Ok(by(color, "1")));
            tokio::time::sleep(Duration::from_millis(wait)).await;
        }
        let scores = recorder.scores();
        assert_eq!(scores[1].label, "switch");
        assert_eq!(scores[1].skew_ms, Some(30.0));
        assert_eq!(scores[0].skew_ms, None);
    }

    #[tokio::test(start_paused = true)]
    async fn what_fails_is_counted_by_kind_and_another_version_is_told() {
        let recorder = Recorder::new(vec!["a:80".to_owned()], Arc::default());
        let now = Instant::now();
        recorder.record(0, now, now, Ok(by("blue", "1")));
        recorder.record(0, now, now, Ok(by("blue", "1")));
        recorder.record(0, now, now, Ok(by("blue", "2")));
        recorder.record(0, now, now, Err("refused".to_owned()));
        recorder.record(0, now, now, Ok(Answer { status: 503, ..by("blue", "1") }));
        let score = &recorder.scores()[0];
        assert_eq!((score.requests, score.failed, score.mixed), (5, 2, 1));
        assert_eq!(score.failures["refused"], 1);
        assert_eq!(score.failures["status 503"], 1);
    }
}
