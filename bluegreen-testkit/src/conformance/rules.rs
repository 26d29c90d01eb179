use bluegreen_core::cloud::{Cloud, CloudErrorKind};
use bluegreen_core::model::{Actions, RouteKey, RuleSettings, TEST_HEADER, TestMatch, tag_key};

use super::arrange::{self, refusal};
use super::{Clause, Fixture, clauses};

pub(super) const CLAUSES: &[(&str, Clause)] = clauses![
    a_test_rule_is_made_with_its_tags,
    a_priority_that_is_taken_is_not_taken_again,
    a_rule_that_takes_other_requests_is_no_test_rule,
    limits_are_told_where_there_are_any,
];

/// A priority that no rule of a fixture has.
const FREE: u32 = 40_001;

fn free(fixture: &Fixture) -> RouteKey {
    RouteKey::rule(fixture.rule.listener.clone(), FREE)
}

fn settings(fixture: &Fixture, sources: &[&str]) -> RuleSettings {
    RuleSettings {
        takes: TestMatch {
            header: TEST_HEADER.to_owned(),
            value: "0f1e2d".to_owned(),
            sources: sources.iter().map(ToString::to_string).collect(),
        },
        actions: Actions::forward_to(fixture.target_group.clone()),
        tags: [(tag_key::RUN.to_owned(), arrange::run(fixture).to_string())].into(),
    }
}

/// Makes a test rule, its tags with it; a repeat is harmless, and so is a second deletion.
pub async fn a_test_rule_is_made_with_its_tags(cloud: &dyn Cloud, fixture: &Fixture) {
    let key = free(fixture);
    for wanted in [settings(fixture, &[]), settings(fixture, &["10.0.0.0/8", "192.0.2.0/24"])] {
        let before = cloud.rule_settings(&key).await.expect("an absent rule is no error");
        assert_eq!(before, None, "nothing has the free priority");
        for _ in 0..2 {
            cloud.create_rule(&key, &wanted).await.expect("a rule can be made and made again");
            let found = cloud.rule_settings(&key).await.expect("rules can be read");
            assert_eq!(found.as_ref(), Some(&wanted), "what was made is what is read");
        }
        let rules = cloud.rules(&key.listener).await.expect("rules can be read");
        let rule = rules.iter().find(|rule| rule.key == key).expect("it is among the rules");
        assert_eq!(rule.takes.as_ref(), Some(&wanted.takes), "which requests it takes is told");
        assert!(rule.is_test(), "it is one of ours");
        for _ in 0..2 {
            cloud.delete_rule(&key).await.expect("a test rule can be deleted, absent or not");
        }
    }
}

/// Refuses with `Rejected` where the priority is that of another rule.
pub async fn a_priority_that_is_taken_is_not_taken_again(cloud: &dyn Cloud, fixture: &Fixture) {
    if !fixture.strict {
        return;
    }
    let made = cloud.create_rule(&fixture.rule, &settings(fixture, &[])).await;
    let kind = refusal(made, "making a rule of a priority that is taken");
    assert_eq!(kind, CloudErrorKind::Rejected, "the priority is taken");
}

/// Refuses to delete a rule that takes other requests than those with one header.
pub async fn a_rule_that_takes_other_requests_is_no_test_rule(
    cloud: &dyn Cloud,
    fixture: &Fixture,
) {
    let found = cloud.rule_settings(&fixture.rule).await.expect("rules can be read");
    assert_eq!(found, None, "it takes requests by their path");
    let kind = refusal(cloud.delete_rule(&fixture.rule).await, "deleting a rule of others");
    assert_eq!(kind, CloudErrorKind::Rejected, "it is no test rule");
    let rules = cloud.rules(&fixture.rule.listener).await.expect("rules can be read");
    assert!(rules.iter().any(|rule| rule.key == fixture.rule), "the rule is still there");
}

/// Returns how many of a thing the account may have.
pub async fn limits_are_told_where_there_are_any(cloud: &dyn Cloud, _fixture: &Fixture) {
    let limits = cloud.limits().await.expect("limits can be read");
    let told = [limits.application.listeners, limits.application.rules, limits.network.listeners];
    assert!(told.iter().flatten().all(|limit| *limit > 0), "a limit of 0 allows nothing");
}
