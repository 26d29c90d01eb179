//! Test rules.

use aws_sdk_elasticloadbalancingv2::types as sdk;
use bluegreen_core::cloud::CloudError;
use bluegreen_core::model::{RouteKey, RuleSettings};

use crate::AwsCloud;
use crate::convert::{action, number, rule, target_group};
use crate::error::{incomplete, or_absent, refused, write_error};
use crate::locate::{if_there, with_arn};

/// Reads what would make a test rule again; `None` for every other rule.
pub(super) async fn settings(
    cloud: &AwsCloud,
    key: &RouteKey,
) -> Result<Option<RuleSettings>, CloudError> {
    let Some(found) = find(cloud, key).await? else { return Ok(None) };
    let Some(takes) = rule::read_takes(&found) else { return Ok(None) };
    let actions = cloud.read_actions("DescribeRules", key, found.actions())?;
    let arn = found.rule_arn().ok_or_else(|| incomplete("DescribeRules", key, "RuleArn"))?;
    let tags = if_there(cloud.describe_tags(key, arn).await)?;
    Ok(tags.map(|tags| RuleSettings { takes, actions, tags }))
}

async fn find(cloud: &AwsCloud, key: &RouteKey) -> Result<Option<sdk::Rule>, CloudError> {
    let found = if_there(cloud.describe_rules(&key.listener).await)?;
    Ok(found.into_iter().flatten().find(|(one, _)| one == key).map(|(_, rule)| rule))
}

/// Makes a test rule.
pub(super) async fn create(
    cloud: &AwsCloud,
    key: &RouteKey,
    wanted: &RuleSettings,
) -> Result<(), CloudError> {
    const OPERATION: &str = "CreateRule";
    match settings(cloud, key).await? {
        Some(found) if found == *wanted => return Ok(()),
        Some(_) => return Err(refused(OPERATION, key, "one with other settings exists")),
        // Whatever else has the priority, AWS refuses by itself.
        None => {}
    }
    let priority = key.priority.ok_or_else(|| refused(OPERATION, key, "it has no priority"))?;
    let priority = number("priority", priority).map_err(|error| refused(OPERATION, key, error))?;
    let arns = cloud.arns_of(key, &wanted.actions).await?;
    let actions = action::write(&wanted.actions, &arns);
    let actions = &actions.map_err(|error| refused(OPERATION, key, error))?;
    let conditions = &rule::write_takes(&wanted.takes);
    let tags = &target_group::write_tags(&wanted.tags);
    let (known, listener) = (&cloud.names().listeners, &key.listener);
    let made = with_arn(
        known,
        listener,
        OPERATION,
        || cloud.resolve_listener(listener),
        |arn| async move {
            let request = cloud.load_balancing_write().await.create_rule();
            let request = request
                .listener_arn(arn)
                .priority(priority)
                .set_conditions(Some(conditions.clone()))
                .set_actions(Some(actions.clone()))
                .set_tags(tags.clone());
            request.send().await.map_err(|error| write_error(OPERATION, key, error))
        },
    )
    .await?;
    for rule in made.rules() {
        cloud.learn_rule(listener, rule);
    }
    Ok(())
}

/// Deletes a test rule, and no other.
pub(super) async fn delete(cloud: &AwsCloud, key: &RouteKey) -> Result<(), CloudError> {
    const OPERATION: &str = "DeleteRule";
    let Some(found) = find(cloud, key).await? else { return Ok(()) };
    if rule::read_takes(&found).is_none() {
        return Err(refused(OPERATION, key, "it is no test rule: it takes other requests"));
    }
    let known = &cloud.names().rules;
    let deleted = with_arn(
        known,
        key,
        OPERATION,
        || cloud.resolve_rule(key),
        |arn| async move {
            let request = cloud.load_balancing_write().await.delete_rule().rule_arn(arn);
            let answer = request.send().await;
            answer.map(drop).map_err(|error| write_error(OPERATION, key, error))
        },
    );
    or_absent(deleted.await)?;
    known.forget(key);
    Ok(())
}
