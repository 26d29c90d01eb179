//! Rules: which requests they take, as far as the core reasons about it.

use aws_sdk_elasticloadbalancingv2::types as sdk;
use bluegreen_core::model::TestMatch;

/// Reads which requests a rule takes, if it takes only those with one value of one header, from
/// anywhere or from some addresses; `None` for every other rule.
///
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_RuleCondition.html>
pub(crate) fn read_takes(rule: &sdk::Rule) -> Option<TestMatch> {
    // One that rewrites requests is not of ours.
    if !rule.transforms().is_empty() {
        return None;
    }
    let mut found = None;
    let mut sources = Vec::new();
    for condition in rule.conditions() {
        match condition.field()? {
            "http-header" if found.is_none() => {
                let config = condition.http_header_config()?;
                let [value] = config.values() else { return None };
                found = Some((config.http_header_name()?.to_owned(), value.clone()));
            }
            "source-ip" => sources = condition.source_ip_config()?.values().to_vec(),
            _ => return None,
        }
    }
    found.map(|(header, value)| TestMatch { header, value, sources })
}

/// Writes the conditions of a rule that takes just that.
pub(crate) fn write_takes(takes: &TestMatch) -> Vec<sdk::RuleCondition> {
    let header = sdk::HttpHeaderConditionConfig::builder()
        .http_header_name(&takes.header)
        .values(&takes.value)
        .build();
    let header =
        sdk::RuleCondition::builder().field("http-header").http_header_config(header).build();
    let sources = (!takes.sources.is_empty()).then(|| {
        let sources =
            sdk::SourceIpConditionConfig::builder().set_values(Some(takes.sources.clone())).build();
        sdk::RuleCondition::builder().field("source-ip").source_ip_config(sources).build()
    });
    std::iter::once(header).chain(sources).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn takes(sources: &[&str]) -> TestMatch {
        TestMatch {
            header: "X-Bluegreen-Test".to_owned(),
            value: "0f1e".to_owned(),
            sources: sources.iter().map(ToString::to_string).collect(),
        }
    }

    fn rule(conditions: Vec<sdk::RuleCondition>) -> sdk::Rule {
        sdk::Rule::builder().set_conditions(Some(conditions)).build()
    }

    #[test]
    fn what_is_written_is_what_is_read() {
        for takes in [takes(&[]), takes(&["10.0.0.0/8"])] {
            assert_eq!(read_takes(&rule(write_takes(&takes))), Some(takes));
        }
    }

    #[test]
    fn a_rule_that_takes_anything_else_is_no_test_rule() {
        let path = sdk::RuleCondition::builder().field("path-pattern").values("/x").build();
        assert_eq!(read_takes(&rule(vec![path.clone()])), None);
        let mut conditions = write_takes(&takes(&[]));
        conditions.push(path);
        assert_eq!(read_takes(&rule(conditions)), None);
        let mut two = write_takes(&takes(&[]));
        two.extend(write_takes(&takes(&[])));
        assert_eq!(read_takes(&rule(two)), None);
        assert_eq!(read_takes(&rule(vec![])), None);
    }
}
