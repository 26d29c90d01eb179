use serde_json::Value;

use crate::model::{Color, Dimension, DimensionValue, Environment, Opaque};

/// The names that each colour has of its own, as they could stand in a text.
///
/// A dimension that is known to name a resource is rewritten for the clone. What is left could
/// name one all the same: by a dimension of somebody's own making, or inside an expression.
pub(super) struct Own(Vec<String>);

impl Own {
    /// Lists the names of the blue side.
    pub(super) fn of(environment: &Environment) -> Self {
        let group = environment.blue.group.name.as_str().to_owned();
        let pairs = environment.pairs.iter();
        let target_groups = pairs.map(|pair| pair.get(Color::Blue).as_str().to_owned());
        Self(std::iter::once(group).chain(target_groups).collect())
    }

    /// Says where a dimension of an alarm names the blue side in a way that nobody can rewrite.
    pub(super) fn mentioned_by(&self, dimension: &Dimension) -> Option<String> {
        match &dimension.value {
            DimensionValue::Literal(text) => self.mentioned(&dimension.name, text),
            _ => None,
        }
    }

    /// Says where the details of a policy or an alarm name the blue side in a way that nobody can
    /// rewrite.
    pub(super) fn mentioned_in(&self, details: &Opaque) -> Option<String> {
        self.search(details.value())
    }

    fn search(&self, value: &Value) -> Option<String> {
        if Opaque::named(value).is_some() {
            return None;
        }
        match value {
            Value::Object(members) => {
                let text = |key: &str| members.get(key).and_then(Value::as_str);
                // An expression, or a dimension with its name.
                let expression =
                    text("Expression").and_then(|text| self.mentioned("Expression", text));
                let dimension = || self.mentioned(text("Name")?, text("Value")?);
                expression
                    .or_else(dimension)
                    .or_else(|| members.values().find_map(|one| self.search(one)))
            }
            Value::Array(items) => items.iter().find_map(|one| self.search(one)),
            _ => None,
        }
    }

    fn mentioned(&self, place: &str, text: &str) -> Option<String> {
        let is_part = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
        let words = || text.split(|letter| !is_part(letter));
        let own = self.0.iter().find(|own| words().any(|word| word == own.as_str()))?;
        Some(format!("its `{place}` names `{own}`, which is not rewritten"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::ScalingGroupName;

    #[test]
    fn a_name_that_nobody_can_rewrite_is_found_where_it_stands() {
        let own = Own(vec!["web".to_owned(), "web-http".to_owned()]);
        let found = |value: Value| own.mentioned_in(&Opaque::new(value));
        let group = Opaque::name(&DimensionValue::ScalingGroup(ScalingGroupName::new("web")));
        assert_eq!(
            found(json!({"Dimensions": [{"Name": "AutoScalingGroupName", "Value": group}]})),
            None
        );
        assert_eq!(found(json!({"Namespace": "web", "MetricName": "web"})), None);
        assert_eq!(found(json!([{"Name": "Group", "Value": "web-2"}])), None);
        let why = found(json!({"Dimensions": [{"Name": "Group", "Value": "web"}]})).unwrap();
        assert!(why.contains("`Group` names `web`"), "{why}");
        let search =
            r#"SEARCH('{AWS/ApplicationELB,TargetGroup} "targetgroup/web-http/1"', 'Sum')"#;
        let why = found(json!({"Metrics": [{"Id": "a", "Expression": search}]})).unwrap();
        assert!(why.contains("`web-http`"), "{why}");
    }
}
