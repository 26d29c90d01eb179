//! What policy documents say, where nobody who knows better can be asked.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html>

use std::collections::BTreeMap;

use bluegreen_core::model::PermissionVerdict;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// A policy.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Document {
    #[serde(default, deserialize_with = "one_or_many")]
    statement: Vec<Statement>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Statement {
    effect: Effect,
    #[serde(default, deserialize_with = "one_or_many")]
    action: Vec<String>,
    #[serde(default, deserialize_with = "one_or_many")]
    not_action: Vec<String>,
    #[serde(default, deserialize_with = "one_or_many")]
    resource: Vec<String>,
    #[serde(default, deserialize_with = "one_or_many")]
    not_resource: Vec<String>,
    /// By operator, then by key.
    #[serde(default)]
    condition: BTreeMap<String, BTreeMap<String, Value>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
enum Effect {
    Allow,
    Deny,
}

/// What somebody wants to do.
#[derive(Clone, Copy, Debug)]
pub(super) struct Request<'a> {
    pub(super) action: &'a str,
    pub(super) resource: &'a str,
    /// Keys of conditions, each with its values.
    pub(super) context: &'a [(String, Vec<String>)],
}

/// Whether a statement is about a request; `None` if nobody can tell from here.
type Applies = Option<bool>;

/// Says whether documents allow something: not without an allow, and never with a deny.
pub(super) fn judge(documents: &[Document], request: Request<'_>) -> PermissionVerdict {
    let statements = documents.iter().flat_map(|document| &document.statement);
    let mut allowed = Some(false);
    let mut denied = Some(false);
    for statement in statements {
        let applies = statement.applies_to(request);
        let told = match statement.effect {
            Effect::Allow => &mut allowed,
            Effect::Deny => &mut denied,
        };
        *told = any(*told, applies);
    }
    match (allowed, denied) {
        (_, Some(true)) | (Some(false), _) => PermissionVerdict::Denied,
        (Some(true), Some(false)) => PermissionVerdict::Allowed,
        _ => PermissionVerdict::Unknown(
            "its policies have conditions that only AWS can decide".to_owned(),
        ),
    }
}

/// What is true is true whatever else is not known.
fn any(one: Applies, other: Applies) -> Applies {
    match (one, other) {
        (Some(true), _) | (_, Some(true)) => Some(true),
        (None, _) | (_, None) => None,
        _ => Some(false),
    }
}

/// What is false is false whatever else is not known.
fn both(one: Applies, other: Applies) -> Applies {
    any(one.map(|it| !it), other.map(|it| !it)).map(|it| !it)
}

impl Statement {
    fn applies_to(&self, request: Request<'_>) -> Applies {
        let action = |pattern: &String| {
            Some(matches(&pattern.to_lowercase(), &request.action.to_lowercase()))
        };
        // What a variable stands for is known to AWS only.
        let resource = |pattern: &String| {
            if pattern.contains("${") { None } else { Some(matches(pattern, request.resource)) }
        };
        let among = |yes: &[String], no: &[String], is: &dyn Fn(&String) -> Applies| {
            let found = |patterns: &[String]| patterns.iter().map(is).fold(Some(false), any);
            if no.is_empty() { found(yes) } else { found(no).map(|it| !it) }
        };
        let on = both(
            among(&self.action, &self.not_action, &action),
            among(&self.resource, &self.not_resource, &resource),
        );
        let conditions = self.condition.iter().flat_map(|(operator, tests)| {
            tests.iter().map(|(key, wanted)| holds(operator, key, wanted, request.context))
        });
        conditions.fold(on, both)
    }
}

/// Tells whether a condition holds for what is known of a request.
fn holds(operator: &str, key: &str, wanted: &Value, context: &[(String, Vec<String>)]) -> Applies {
    let known = context.iter().find(|(known, _)| known.eq_ignore_ascii_case(key));
    let (_, values) = known?;
    let operator = operator.strip_prefix("ForAllValues:").unwrap_or(operator);
    let wanted: Vec<&str> = match wanted {
        Value::Array(many) => many.iter().map(Value::as_str).collect::<Option<_>>()?,
        one => vec![one.as_str()?],
    };
    let is = |value: &String| match operator {
        "StringEquals" => Some(wanted.contains(&value.as_str())),
        "StringLike" | "ArnLike" | "ArnEquals" => {
            Some(wanted.iter().any(|pattern| matches(pattern, value)))
        }
        _ => None,
    };
    values.iter().map(is).fold(Some(true), both)
}

/// Returns whether a text is as a pattern has it: `*` stands for any letters, `?` for one.
fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut at, mut seen) = (0, 0);
    // Where the last `*` was, and how much of the text it has taken.
    let mut star: Option<(usize, usize)> = None;
    while seen < text.len() {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, seen));
                at += 1;
            }
            Some(b'?') => (at, seen) = (at + 1, seen + 1),
            Some(letter) if *letter == text[seen] => (at, seen) = (at + 1, seen + 1),
            _ => {
                let Some((back, taken)) = star else { return false };
                star = Some((back, taken + 1));
                (at, seen) = (back + 1, taken + 1);
            }
        }
    }
    pattern[at..].iter().all(|letter| *letter == b'*')
}

/// IAM writes a list of one without its brackets.
fn one_or_many<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    from: D,
) -> Result<Vec<T>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Some<T> {
        Many(Vec<T>),
        One(T),
    }
    Ok(match Some::deserialize(from)? {
        Some::Many(many) => many,
        Some::One(one) => vec![one],
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn judged(document: Value, action: &str, resource: &str) -> PermissionVerdict {
        let document: Document = serde_json::from_value(document).unwrap();
        let context = [("aws:RequestTag/bluegreen:environment".to_owned(), vec!["WEB".to_owned()])];
        judge(&[document], Request { action, resource, context: &context })
    }

    fn statement(more: &Value) -> Value {
        let mut all = json!({"Effect": "Allow", "Action": "ec2:*", "Resource": "*"});
        all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({"Version": "2012-10-17", "Statement": all})
    }

    #[test]
    fn nothing_is_allowed_unless_a_statement_says_so() {
        let allows = |more, action, resource| judged(statement(&more), action, resource);
        assert_eq!(allows(json!({}), "ec2:DescribeImages", "*"), PermissionVerdict::Allowed);
        assert_eq!(allows(json!({}), "EC2:describeimages", "*"), PermissionVerdict::Allowed);
        assert_eq!(allows(json!({}), "iam:PassRole", "*"), PermissionVerdict::Denied);
        let green = json!({"Resource": ["arn:a", "arn:targetgroup/*-green/?"]});
        assert_eq!(
            allows(green.clone(), "ec2:X", "arn:targetgroup/web-green/*"),
            PermissionVerdict::Allowed
        );
        assert_eq!(allows(green, "ec2:X", "arn:targetgroup/web/*"), PermissionVerdict::Denied);
    }

    #[test]
    fn a_deny_goes_before_every_allow() {
        let allow = json!({"Effect": "Allow", "Action": "*", "Resource": "*"});
        let deny = json!({"Effect": "Deny", "NotAction": ["ec2:*", "iam:*"], "Resource": "*"});
        let both = json!({"Statement": [allow, deny]});
        assert_eq!(judged(both.clone(), "ec2:RunInstances", "*"), PermissionVerdict::Allowed);
        assert_eq!(judged(both, "s3:GetObject", "*"), PermissionVerdict::Denied);
    }

    #[test]
    fn a_condition_is_held_against_what_is_known_of_the_request() {
        let tagged = |operator: &str, value: &str| {
            let mut condition = json!({});
            condition[operator] = json!({"aws:requesttag/bluegreen:environment": value});
            judged(statement(&json!({ "Condition": condition })), "ec2:X", "*")
        };
        assert_eq!(tagged("StringEquals", "WEB"), PermissionVerdict::Allowed);
        assert_eq!(tagged("StringEquals", "API"), PermissionVerdict::Denied);
        assert_eq!(tagged("StringLike", "W*"), PermissionVerdict::Allowed);
        assert!(matches!(tagged("StringNotEquals", "API"), PermissionVerdict::Unknown(_)));
    }

    #[test]
    fn what_only_aws_can_decide_is_not_known() {
        let mfa = json!({"Bool": {"aws:MultiFactorAuthPresent": "true"}});
        let allow = judged(statement(&json!({ "Condition": mfa })), "ec2:X", "*");
        assert!(matches!(allow, PermissionVerdict::Unknown(_)));
        // It is about another service, so that nobody need know.
        let other = judged(statement(&json!({ "Condition": mfa })), "iam:X", "*");
        assert_eq!(other, PermissionVerdict::Denied);
        let own = json!({"Resource": "arn:user/${aws:username}"});
        assert!(matches!(
            judged(statement(&own), "ec2:X", "arn:user/a"),
            PermissionVerdict::Unknown(_)
        ));
        let allow = json!({"Effect": "Allow", "Action": "*", "Resource": "*"});
        let deny = json!({"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": mfa});
        let both = judged(json!({"Statement": [allow, deny]}), "ec2:X", "*");
        assert!(matches!(both, PermissionVerdict::Unknown(_)));
    }

    #[test]
    fn a_star_stands_for_any_letters_and_a_question_mark_for_one() {
        for (pattern, text, is) in [
            ("*", "", true),
            ("a*c*", "abcbd", true),
            ("a*cd", "abcbcd", true),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("abc", "abcd", false),
            ("", "a", false),
        ] {
            assert_eq!(matches(pattern, text), is, "{pattern} {text}");
        }
    }
}
