use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::{Value, json};

use super::table::NEEDS;
use super::{Need, Scope, Task, Way};

/// The version of IAM's language.
///
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_version.html>
const VERSION: &str = "2012-10-17";

/// A policy of IAM, as `aws iam create-policy --policy-document` takes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct IamPolicy {
    version: &'static str,
    statement: Vec<Statement>,
}

/// A statement of a policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Statement {
    /// What it is called.
    pub sid: &'static str,
    /// What it does.
    pub effect: Effect,
    /// The actions that it is about.
    #[serde(serialize_with = "one_or_many")]
    pub action: Vec<&'static str>,
    /// The resources that it is about.
    #[serde(serialize_with = "one_or_many")]
    pub resource: Vec<String>,
    /// When it holds.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub condition: BTreeMap<String, Value>,
    /// Whether calls of these names are made, or AWS asks for them within others.
    #[serde(skip)]
    pub called: bool,
}

/// What a statement does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Effect {
    /// It allows, unless another denies.
    Allow,
    /// It denies, whatever others allow.
    Deny,
}

impl IamPolicy {
    /// How many characters a managed policy may have.
    ///
    /// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>
    pub const LONGEST: usize = 6144;

    /// Writes the policy that allows `tasks`, with what takes them back, and no more.
    ///
    /// Decided by the table alone; no call is made. What AWS lets nobody scope is allowed on
    /// anything.
    pub fn allowing(scope: &Scope, tasks: &[Task]) -> Self {
        let wanted = NEEDS.iter().filter(|need| tasks.iter().any(|task| need.is_for(*task, scope)));
        let mut statement: Vec<Statement> = Vec::new();
        for one in wanted.filter_map(|need| Statement::of(need, scope)) {
            match statement.iter_mut().find(|other| other.is_about_the_same(&one)) {
                Some(other) => {
                    let more = one.action.into_iter().filter(|one| !other.action.contains(one));
                    let more: Vec<_> = more.collect();
                    other.action.extend(more);
                }
                None => statement.push(one),
            }
        }
        statement.extend(Statement::never());
        Self { statement, ..Self::empty() }
    }

    /// Returns the statements.
    pub fn statements(&self) -> &[Statement] {
        &self.statement
    }

    /// Divides it into policies that IAM takes; one if it is short enough.
    ///
    /// Whoever has all of them may do the same as with the whole.
    pub fn parts(&self) -> Vec<Self> {
        let mut parts: Vec<Self> = Vec::new();
        for statement in &self.statement {
            let mut grown = parts.pop().unwrap_or_else(Self::empty);
            grown.statement.push(statement.clone());
            if grown.length() > Self::LONGEST && grown.statement.len() > 1 {
                grown.statement.pop();
                parts.push(grown);
                grown = Self { statement: vec![statement.clone()], ..Self::empty() };
            }
            parts.push(grown);
        }
        parts
    }

    /// Returns how many characters IAM counts: white space between them is none.
    pub fn length(&self) -> usize {
        serde_json::to_string(self).map_or(usize::MAX, |text| text.chars().count())
    }

    fn empty() -> Self {
        Self { version: VERSION, statement: Vec::new() }
    }

    /// Returns the actions that are allowed, in order.
    pub fn actions(&self) -> BTreeSet<&'static str> {
        let allowing = self.statement.iter().filter(|one| one.effect == Effect::Allow);
        allowing.flat_map(|one| one.action.iter().copied()).collect()
    }
}

impl Statement {
    /// Allows what is needed; nothing where there is nothing to do it on.
    fn of(need: &Need, scope: &Scope) -> Option<Self> {
        let resource = need.arns(scope);
        (!resource.is_empty()).then(|| Self {
            sid: need.name,
            effect: Effect::Allow,
            action: need.actions.to_vec(),
            resource,
            condition: need.only.condition(scope),
            called: need.way == Way::Called,
        })
    }

    /// Returns whether it differs in actions only: policies may not be long.
    fn is_about_the_same(&self, other: &Self) -> bool {
        (self.called, &self.resource, &self.condition)
            == (other.called, &other.resource, &other.condition)
    }

    /// Denies what no operation does, whatever else its user may do.
    fn never() -> [Self; 2] {
        let deny = |sid, action| Self {
            sid,
            effect: Effect::Deny,
            action: vec![action],
            resource: vec!["*".to_owned()],
            condition: BTreeMap::new(),
            called: false,
        };
        let force = json!({ "autoscaling:ForceDelete": "true" });
        let condition = BTreeMap::from([("Bool".to_owned(), force)]);
        [
            deny("NeverDeleteLoadBalancers", "elasticloadbalancing:DeleteLoadBalancer"),
            Self { condition, ..deny("NeverForce", "autoscaling:DeleteAutoScalingGroup") },
        ]
    }
}

/// Writes a list of one as that one, which is shorter.
fn one_or_many<T: Serialize, S: serde::Serializer>(list: &[T], to: S) -> Result<S::Ok, S::Error> {
    match list {
        [one] => one.serialize(to),
        many => many.serialize(to),
    }
}

#[cfg(test)]
mod tests;
