use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Opaque, TargetGroupName};

/// An ordered action list in which only the forward part may change.
///
/// Whatever else is in the list (authentication, a redirect, a fixed response)
/// is carried through untouched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Actions(Vec<Action>);

/// One action of a listener or a rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Sends requests to target groups.
    Forward(Forward),
    /// Something that the core carries and never looks into.
    Other(Opaque),
}

impl Actions {
    /// Wraps a list in the order in which the load balancer goes through it.
    pub fn new(actions: Vec<Action>) -> Self {
        Self(actions)
    }

    /// Makes the list of a route that does nothing but send all to one group.
    pub fn forward_to(target_group: TargetGroupName) -> Self {
        Self(vec![Action::Forward(Forward::to(target_group))])
    }

    /// Returns the actions in order.
    pub fn as_slice(&self) -> &[Action] {
        &self.0
    }

    /// Returns the forward part, if the list has one.
    pub fn forward(&self) -> Option<&Forward> {
        self.0.iter().find_map(|action| match action {
            Action::Forward(forward) => Some(forward),
            Action::Other(_) => None,
        })
    }

    /// Returns the same list with another forward part.
    #[must_use]
    pub fn with_forward(&self, forward: &Forward) -> Self {
        Self(
            self.0
                .iter()
                .map(|action| match action {
                    Action::Forward(_) => Action::Forward(forward.clone()),
                    other @ Action::Other(_) => other.clone(),
                })
                .collect(),
        )
    }
}

/// The weights of the target groups that a route sends requests to.
///
/// Weights are the provider's raw numbers, relative to each other: a value
/// normalised to percent could not be restored exactly. Two forwards are equal
/// if they treat every request alike: the weight of a lone target group does
/// not count, nor does the provider's way to write it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "RawForward", into = "RawForward")]
pub struct Forward {
    weights: BTreeMap<TargetGroupName, u32>,
    stickiness: Option<Stickiness>,
    form: Opaque,
}

/// For how long a client stays with the target group that it was sent to first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stickiness {
    /// Seconds, where the kind of load balancer has such a limit.
    pub seconds: Option<u32>,
}

/// Says why weights cannot be a route's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidForward {
    /// There is no target group at all.
    #[error("a forward names no target group")]
    Empty,
    /// Every weight is zero; what a load balancer then does is not documented.
    #[error("every target group of a forward has weight 0")]
    AllZero,
}

impl Forward {
    /// Makes a forward from raw weights.
    pub fn new(
        weights: BTreeMap<TargetGroupName, u32>,
        stickiness: Option<Stickiness>,
    ) -> Result<Self, InvalidForward> {
        if weights.is_empty() {
            return Err(InvalidForward::Empty);
        }
        // The weight of a lone target group does not count, and AWS lets it be 0.
        if weights.len() > 1 && weights.values().all(|weight| *weight == 0) {
            return Err(InvalidForward::AllZero);
        }
        Ok(Self { weights, stickiness, form: Opaque::default() })
    }

    /// Makes a forward that sends all to one target group.
    pub fn to(target_group: TargetGroupName) -> Self {
        let weights = BTreeMap::from([(target_group, 1)]);
        Self { weights, stickiness: None, form: Opaque::default() }
    }

    /// Carries the provider's way to write the forward, so that a restored one reads as before.
    #[must_use]
    pub fn with_form(mut self, form: Opaque) -> Self {
        self.form = form;
        self
    }

    /// Returns the provider's way to write the forward; two forwards may differ in it and be equal.
    pub fn form(&self) -> &Opaque {
        &self.form
    }

    /// Returns the raw weights.
    pub fn weights(&self) -> &BTreeMap<TargetGroupName, u32> {
        &self.weights
    }

    /// Returns the stickiness, if it is on.
    pub fn stickiness(&self) -> Option<&Stickiness> {
        self.stickiness.as_ref()
    }

    /// Returns whether the forward names `target_group`, with whatever weight.
    pub fn names(&self, target_group: &TargetGroupName) -> bool {
        self.weights.contains_key(target_group)
    }

    /// Returns whether requests reach `target_group` by this forward.
    pub fn reaches(&self, target_group: &TargetGroupName) -> bool {
        self.effective_weight(target_group) > 0
    }

    /// Returns the weight of `target_group`, a lone one counting as 1.
    pub fn effective_weight(&self, target_group: &TargetGroupName) -> u32 {
        match self.weights.get(target_group) {
            None => 0,
            Some(_) if self.weights.len() == 1 => 1,
            Some(weight) => *weight,
        }
    }
}

impl PartialEq for Forward {
    fn eq(&self, other: &Self) -> bool {
        let weights = match (self.weights.len(), other.weights.len()) {
            (1, 1) => self.weights.keys().eq(other.weights.keys()),
            _ => self.weights == other.weights,
        };
        weights && self.stickiness == other.stickiness
    }
}

impl Eq for Forward {}

/// What a forward looks like in a journal, before it is checked.
#[derive(Serialize, Deserialize)]
struct RawForward {
    weights: BTreeMap<TargetGroupName, u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    stickiness: Option<Stickiness>,
    #[serde(default, skip_serializing_if = "Opaque::is_empty")]
    form: Opaque,
}

impl TryFrom<RawForward> for Forward {
    type Error = InvalidForward;

    fn try_from(raw: RawForward) -> Result<Self, Self::Error> {
        Ok(Self::new(raw.weights, raw.stickiness)?.with_form(raw.form))
    }
}

impl From<Forward> for RawForward {
    fn from(forward: Forward) -> Self {
        let Forward { weights, stickiness, form } = forward;
        Self { weights, stickiness, form }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> TargetGroupName {
        TargetGroupName::new(text)
    }

    #[test]
    fn the_weight_of_a_lone_target_group_does_not_count() {
        let heavy = Forward::new([(name("a"), 100)].into(), None).unwrap();
        assert_eq!(heavy, Forward::to(name("a")));
        assert!(Forward::new([(name("a"), 0)].into(), None).unwrap().reaches(&name("a")));
    }

    #[test]
    fn a_journal_cannot_smuggle_in_a_forward_to_nothing() {
        let raw = r#"{"weights":{"a":0,"b":0}}"#;
        assert!(serde_json::from_str::<Forward>(raw).is_err());
        assert_eq!(Forward::new(BTreeMap::new(), None), Err(InvalidForward::Empty));
    }

    #[test]
    fn only_the_forward_part_changes() {
        let secret = Action::Other(Opaque::new(serde_json::json!({"type": "authenticate-oidc"})));
        let list = Actions::new(vec![secret.clone(), Action::Forward(Forward::to(name("a")))]);
        let moved = list.with_forward(&Forward::to(name("b")));
        assert_eq!(moved.as_slice(), [secret, Action::Forward(Forward::to(name("b")))]);
    }
}
