//! What ARNs tell without a call.

use bluegreen_core::model::{
    AccountId, LoadBalancerName, PolicyKey, PolicyName, ScalingGroupName, TargetGroupName,
};

/// Returns the account of an ARN.
pub(crate) fn account(arn: &str) -> Option<AccountId> {
    arn.split(':').nth(4).filter(|account| !account.is_empty()).map(AccountId::new)
}

/// Returns the name in `arn:aws:elasticloadbalancing:R:A:targetgroup/NAME/ID`.
pub(crate) fn target_group(arn: &str) -> Option<TargetGroupName> {
    target_group_of_part(resource(arn)?)
}

/// Returns the name in `arn:aws:elasticloadbalancing:R:A:loadbalancer/KIND/NAME/ID`.
pub(crate) fn load_balancer(arn: &str) -> Option<LoadBalancerName> {
    load_balancer_of_part(resource(arn)?.strip_prefix("loadbalancer/")?)
}

/// Returns the name in `targetgroup/NAME/ID`, as metrics have it.
pub(crate) fn target_group_of_part(part: &str) -> Option<TargetGroupName> {
    let mut parts = part.strip_prefix("targetgroup/")?.split('/');
    let name = parts.next().filter(|name| !name.is_empty())?;
    parts.next()?;
    Some(TargetGroupName::new(name))
}

/// Returns the name in `KIND/NAME/ID`, as metrics have it.
pub(crate) fn load_balancer_of_part(part: &str) -> Option<LoadBalancerName> {
    let mut parts = part.split('/');
    let kind = parts.next()?;
    let name = parts.next().filter(|name| !name.is_empty())?;
    parts.next()?;
    matches!(kind, "app" | "net" | "gwy").then(|| LoadBalancerName::new(name))
}

/// Returns how metrics name the load balancer of an ARN: `KIND/NAME/ID`.
pub(crate) fn load_balancer_part(arn: &str) -> Option<&str> {
    resource(arn)?.strip_prefix("loadbalancer/")
}

/// Returns how metrics name the target group of an ARN: `targetgroup/NAME/ID`.
pub(crate) fn target_group_part(arn: &str) -> Option<&str> {
    resource(arn).filter(|part| part.starts_with("targetgroup/"))
}

/// Returns the policy of
/// `arn:aws:autoscaling:R:A:scalingPolicy:UUID:autoScalingGroupName/GROUP:policyName/NAME`.
pub(crate) fn policy(arn: &str) -> Option<PolicyKey> {
    let (_, rest) = arn.split_once(":scalingPolicy:")?;
    let (_, rest) = rest.split_once(":autoScalingGroupName/")?;
    // A group's name has no colon.
    let (group, policy) = rest.split_once(":policyName/")?;
    Some(PolicyKey { group: ScalingGroupName::new(group), policy: PolicyName::new(policy) })
}

fn resource(arn: &str) -> Option<&str> {
    arn.splitn(6, ':').nth(5)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stand_in_arns() {
        let group = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/web-blue/73e2d6bc24d8a067";
        let balancer = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/app/web/50dc6c495c0c9188";
        assert_eq!(target_group(group), Some(TargetGroupName::new("web-blue")));
        assert_eq!(load_balancer(balancer), Some(LoadBalancerName::new("web")));
        assert_eq!(account(group), Some(AccountId::new("123456789012")));
        assert_eq!(target_group_part(group), Some("targetgroup/web-blue/73e2d6bc24d8a067"));
        assert_eq!(load_balancer_part(balancer), Some("app/web/50dc6c495c0c9188"));
        assert_eq!(load_balancer(group), None);
        assert_eq!(target_group("nonsense"), None);
    }

    #[test]
    fn a_policys_arn_names_its_group() {
        let arn = "arn:aws:autoscaling:us-west-2:123456789012:scalingPolicy:228f02c2-c665-4bfd-aaac-8b04080bea3c:autoScalingGroupName/my asg/1:policyName/my:policy";
        let key = policy(arn).unwrap();
        assert_eq!(key.group.as_str(), "my asg/1");
        assert_eq!(key.policy.as_str(), "my:policy");
        assert_eq!(policy("arn:aws:sns:us-west-2:123456789012:topic"), None);
    }
}
