//! A target group as one listener sees it, and the choice of a target.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bluegreen_core::model::{HealthState, TargetGroupName};

use super::cookie;
use super::endpoint::Endpoint;
use super::meter::Tally;
use crate::playground::topology::TargetGroupView;

/// A target group as one listener sees it.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) name: TargetGroupName,
    /// By which cookies name it.
    pub(super) token: String,
    /// For how many seconds clients stay with a target, if they do.
    pub(super) sticky: Option<u64>,
    algorithm: Algorithm,
    /// Those that get requests, which need not be well: see [`eligible`].
    members: Vec<Arc<Member>>,
    /// Whose turn it is; kept while everything else changes.
    turn: Arc<AtomicU64>,
    /// Counts what never reached a target.
    pub(super) tally: Arc<Tally>,
}

/// A target that gets requests.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) token: String,
    pub(super) endpoint: Arc<Endpoint>,
    pub(super) tally: Arc<Tally>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Algorithm {
    RoundRobin,
    LeastOutstanding,
    Random,
}

impl Group {
    pub(super) fn new(
        name: &TargetGroupName,
        view: &TargetGroupView,
        members: Vec<Arc<Member>>,
        turn: Arc<AtomicU64>,
        tally: Arc<Tally>,
    ) -> Self {
        let attribute = |key: &str| view.attributes.get(key).map(String::as_str);
        let is_sticky = attribute("stickiness.enabled") == Some("true")
            && attribute("stickiness.type").is_none_or(|kind| kind == "lb_cookie");
        let seconds = attribute("stickiness.lb_cookie.duration_seconds");
        let seconds = seconds.and_then(|seconds| seconds.parse().ok()).unwrap_or(86_400);
        Self {
            name: name.clone(),
            token: cookie::token(&[name.as_str()]),
            sticky: is_sticky.then_some(seconds),
            algorithm: match attribute("load_balancing.algorithm.type") {
                Some("least_outstanding_requests") => Algorithm::LeastOutstanding,
                Some("weighted_random") => Algorithm::Random,
                _ => Algorithm::RoundRobin,
            },
            members,
            turn,
            tally,
        }
    }

    /// Chooses who gets a request; the one that its cookie names, if that may get any.
    pub(super) fn choose(&self, cookie: Option<&str>) -> Option<&Arc<Member>> {
        let named = cookie.and_then(|token| self.members.iter().find(|one| one.token == token));
        named.or_else(|| self.next())
    }

    fn next(&self) -> Option<&Arc<Member>> {
        let count = self.members.len();
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let turn = if self.algorithm == Algorithm::Random { mixed(turn) } else { turn };
        let first = usize::try_from(turn % u64::try_from(count.max(1)).ok()?).ok()?;
        if self.algorithm != Algorithm::LeastOutstanding {
            return self.members.get(first);
        }
        // From the one whose turn it is, so that idle targets share what there is.
        let (before, from) = self.members.split_at_checked(first)?;
        from.iter().chain(before).min_by_key(|member| member.endpoint.outstanding())
    }
}

/// Returns the targets that get requests: the healthy ones, or all if none is healthy. Load
/// balancers fail open.
pub(super) fn eligible(view: &TargetGroupView) -> impl Iterator<Item = usize> {
    let is = |wanted: HealthState| view.targets.iter().any(|one| one.state == wanted);
    let any_healthy = is(HealthState::Healthy);
    let targets = view.targets.iter().enumerate();
    targets
        .filter(move |(_, target)| match target.state {
            HealthState::Healthy => true,
            HealthState::Draining => false,
            _ => !any_healthy,
        })
        .map(|(at, _)| at)
}

/// Makes a number look like one that was thrown.
fn mixed(number: u64) -> u64 {
    let mut number = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    number ^ (number >> 31)
}
