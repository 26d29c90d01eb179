use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

use super::{UpgradeSurvey, made_tags};
use crate::change::{CloudChange, Edit};
use crate::model::{
    Actions, Color, Environment, ListenerKey, Pair, Route, RouteKey, RuleSettings, TEST_HEADER,
    TestMatch,
};
use crate::plan::Refusal;

/// The highest priority of a rule.
const LAST_PRIORITY: u32 = 50_000;

/// Gives both colours rules of their own on a live listener, which take no request that does not
/// know how to ask for them.
pub(super) fn changes(
    environment: &Environment,
    survey: &UpgradeSurvey,
    sources: &[String],
) -> Result<Vec<CloudChange>, Refusal> {
    let mut free = Priorities::of(&survey.rules);
    let mut changes = Vec::new();
    for pair in &environment.pairs {
        let serves = |route: &&Route| {
            route.actions.forward().is_some_and(|forward| forward.names(&pair.blue))
        };
        let Some(route) = environment.routes.iter().find(serves) else {
            return Err(Refusal::TargetGroupKind {
                name: pair.blue.clone(),
                reason: "no live listener sends to it that could have a test rule".to_owned(),
            });
        };
        let listener = &route.key.listener;
        for color in Color::BOTH {
            let Some(priority) = free.take(listener) else {
                return Err(Refusal::Quota {
                    of: format!("listener `{listener}`"),
                    what: "rules",
                    used: survey.rules.len(),
                    needed: 1,
                    limit: LAST_PRIORITY,
                });
            };
            let settings = RuleSettings {
                takes: TestMatch {
                    header: TEST_HEADER.to_owned(),
                    value: value(environment, survey, color, pair),
                    sources: sources.to_vec(),
                },
                actions: Actions::forward_to(pair.get(color).clone()),
                tags: made_tags(environment, &survey.run, color, Some(pair)),
            };
            let rule = RouteKey::rule(listener.clone(), priority);
            changes.push(CloudChange::Rule(Edit::create(rule, settings)));
        }
    }
    Ok(changes)
}

/// Makes up what the header must say, which nobody guesses: a run's id is mostly chance.
fn value(environment: &Environment, survey: &UpgradeSurvey, color: Color, pair: &Pair) -> String {
    let of = format!("{} {} {color} {}", environment.name, survey.run, pair.name());
    let digest = Sha256::digest(of.as_bytes());
    digest.iter().take(16).fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to a string cannot fail");
        text
    })
}

/// The priorities that are taken, by listener.
struct Priorities(BTreeMap<ListenerKey, BTreeSet<u32>>);

impl Priorities {
    fn of(rules: &[Route]) -> Self {
        let mut taken: BTreeMap<ListenerKey, BTreeSet<u32>> = BTreeMap::new();
        for rule in rules {
            let of_listener = taken.entry(rule.key.listener.clone()).or_default();
            of_listener.extend(rule.key.priority);
        }
        Self(taken)
    }

    /// Takes the first free one: what is tried first is found whatever else there is.
    fn take(&mut self, listener: &ListenerKey) -> Option<u32> {
        let taken = self.0.entry(listener.clone()).or_default();
        let free = (1..=LAST_PRIORITY).find(|priority| !taken.contains(priority))?;
        taken.insert(free);
        Some(free)
    }
}
