//! What a listener does with requests, worked out once for each change.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bluegreen_core::model::{Action, Actions};
use hyper::http::request::Parts;

use super::answer::{Fixed, Redirect};
use super::condition::Condition;
use super::group::Group;
use super::spelling::text;

/// Everything that a listener does.
#[derive(Debug, Default)]
pub(super) struct Routes {
    /// The most important first.
    pub(super) rules: Vec<Rule>,
    pub(super) default: Act,
}

/// A rule: what is done with requests that fulfil all its conditions.
#[derive(Debug)]
pub(super) struct Rule {
    pub(super) conditions: Vec<Condition>,
    pub(super) act: Act,
}

/// What is done with a request.
#[derive(Clone, Debug, Default)]
pub(super) enum Act {
    Forward(Arc<Split>),
    Fixed(Arc<Fixed>),
    Redirect(Arc<Redirect>),
    /// Nothing that can be done.
    #[default]
    Refuse,
}

/// Target groups that share requests.
#[derive(Debug)]
pub(super) struct Split {
    /// Each with its weight.
    groups: Vec<(Arc<Group>, u64)>,
    total: u64,
    /// From one request to the next, so that few requests are shared as exactly as many.
    step: u64,
    /// For how many seconds clients stay with a group, if they do.
    pub(super) sticky: Option<u64>,
}

impl Routes {
    /// Returns what is done with a request.
    pub(super) fn act(&self, request: &Parts, from: IpAddr) -> &Act {
        let takes = |rule: &&Rule| rule.conditions.iter().all(|one| one.holds(request, from));
        self.rules.iter().find(takes).map_or(&self.default, |rule| &rule.act)
    }

    /// Returns what is done with a connection of which nothing is known but where it comes from.
    pub(super) fn act_for(&self, from: IpAddr) -> &Act {
        let takes = |rule: &&Rule| rule.conditions.iter().all(|one| one.holds_for(from));
        self.rules.iter().find(takes).map_or(&self.default, |rule| &rule.act)
    }

    /// Returns every split.
    pub(super) fn splits(&self) -> impl Iterator<Item = &Split> {
        let acts = self.rules.iter().map(|rule| &rule.act).chain([&self.default]);
        acts.filter_map(|act| match act {
            Act::Forward(split) => Some(split.as_ref()),
            _ => None,
        })
    }
}

impl Act {
    /// Reads an action list; says what of it a playground cannot do.
    pub(super) fn read(
        actions: &Actions,
        mut group: impl FnMut(&bluegreen_core::model::TargetGroupName) -> Option<Arc<Group>>,
    ) -> (Self, Vec<String>) {
        let mut unable = vec![];
        for action in actions.as_slice() {
            let other = match action {
                Action::Forward(forward) => {
                    let groups = forward.weights().keys().filter_map(|name| {
                        Some((group(name)?, u64::from(forward.effective_weight(name))))
                    });
                    let groups: Vec<_> = groups.collect();
                    let sticky = forward.stickiness();
                    let sticky = sticky.map(|one| one.seconds.map_or(86_400, u64::from));
                    return (Self::Forward(Arc::new(Split::new(groups, sticky))), unable);
                }
                Action::Other(other) => other.value(),
            };
            let kind = text(other, "type").unwrap_or_default();
            let act = match kind.as_str() {
                "fixed-response" => Fixed::read(other).map(|one| Self::Fixed(Arc::new(one))),
                "redirect" => Redirect::read(other).map(|one| Self::Redirect(Arc::new(one))),
                "authenticate-oidc" | "authenticate-cognito" | "jwt-validation" => {
                    unable.push(format!("`{kind}` lets everybody in"));
                    continue;
                }
                _ => None,
            };
            if act.is_none() {
                unable.push(format!("the action {other} refuses every request with 503"));
            }
            return (act.unwrap_or_default(), unable);
        }
        (Self::Refuse, unable)
    }
}

impl Split {
    fn new(groups: Vec<(Arc<Group>, u64)>, sticky: Option<u64>) -> Self {
        let total: u64 = groups.iter().map(|(_, weight)| weight).sum();
        Self { groups, total, step: step(total), sticky }
    }

    /// Returns each group with its weight.
    pub(super) fn groups(&self) -> &[(Arc<Group>, u64)] {
        &self.groups
    }

    /// Chooses the group that gets a request: the one that its cookie names, whatever its weight,
    /// as application load balancers do.
    pub(super) fn choose(&self, cookie: Option<&str>, count: &AtomicU64) -> Option<&Arc<Group>> {
        if let [(group, _)] = self.groups.as_slice() {
            return Some(group);
        }
        let named = cookie.filter(|_| self.sticky.is_some());
        let named = named.and_then(|token| self.groups.iter().find(|(one, _)| one.token == token));
        if let Some((group, _)) = named {
            return Some(group);
        }
        let turn = count.fetch_add(1, Ordering::Relaxed);
        let mut place = (turn % self.total.max(1)) * self.step % self.total.max(1);
        let mut weighted = self.groups.iter().filter(|(_, weight)| *weight > 0);
        weighted.find_map(|(group, weight)| {
            if place < *weight {
                return Some(group);
            }
            place -= weight;
            None
        })
    }
}

/// Returns a step that comes by every place before it comes back, and never stays near one.
fn step(total: u64) -> u64 {
    let near = total * 618 / 1000;
    (near.max(1)..=near + total).find(|step| gcd(*step, total.max(1)) == 1).unwrap_or(1)
}

fn gcd(one: u64, other: u64) -> u64 {
    if other == 0 { one } else { gcd(other, one % other) }
}
