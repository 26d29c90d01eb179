//! What things are called: ARNs and ids, made of names and of the facts' identities.

use bluegreen_core::model::{
    LaunchTemplateName, LoadBalancerKind, LoadBalancerName, PolicyKey, ScalingGroupName,
    TargetGroupName,
};

use super::super::site::Site;

/// Returns the ARN of a target group.
pub(crate) fn target_group_arn(site: &Site, name: &TargetGroupName) -> String {
    let Site { account, region, .. } = site;
    let part = target_group_part(site, name);
    format!("arn:aws:elasticloadbalancing:{region}:{account}:{part}")
}

/// Returns how metrics name a target group: `targetgroup/NAME/ID`.
pub(crate) fn target_group_part(site: &Site, name: &TargetGroupName) -> String {
    let identity = site.facts().identity("target-group", name.as_str());
    format!("targetgroup/{name}/{identity}")
}

/// Returns how metrics name a load balancer: `app/NAME/ID`.
pub(crate) fn load_balancer_part(
    site: &Site,
    name: &LoadBalancerName,
    kind: LoadBalancerKind,
) -> String {
    let identity = site.facts().identity("load-balancer", name.as_str());
    let kind = match kind {
        LoadBalancerKind::Network => "net",
        LoadBalancerKind::Gateway => "gwy",
        _ => "app",
    };
    format!("{kind}/{name}/{identity}")
}

/// Returns the name in the ARN of a target group.
pub(crate) fn target_group_of(arn: &str) -> Option<TargetGroupName> {
    let (_, rest) = arn.split_once(":targetgroup/")?;
    let (name, _) = rest.split_once('/')?;
    Some(TargetGroupName::new(name))
}

/// Returns the ARN of a scaling group.
pub(crate) fn scaling_group_arn(site: &Site, name: &ScalingGroupName) -> String {
    let id = uuid(&site.facts().identity("scaling-group", name.as_str()));
    let rest = format!("autoScalingGroup:{id}:autoScalingGroupName/{name}");
    scaling_arn(site, &rest)
}

/// Returns the ARN of a scaling policy.
pub(crate) fn policy_arn(site: &Site, key: &PolicyKey) -> String {
    let PolicyKey { group, policy } = key;
    let id = uuid(&site.facts().identity("policy", &format!("{group}/{policy}")));
    let rest = format!("scalingPolicy:{id}:autoScalingGroupName/{group}:policyName/{policy}");
    scaling_arn(site, &rest)
}

/// Returns an ARN of Auto Scaling.
pub(crate) fn scaling_arn(site: &Site, rest: &str) -> String {
    format!("arn:aws:autoscaling:{}:{}:{rest}", site.region, site.account)
}

/// Returns the id of a launch template.
pub(crate) fn template_id(site: &Site, name: &LaunchTemplateName) -> String {
    format!("lt-0{}", site.facts().identity("launch-template", name.as_str()))
}

/// Writes an identity as a UUID.
pub(crate) fn uuid(identity: &str) -> String {
    let digits: String = identity.chars().chain("0".repeat(16).chars()).take(16).collect();
    let (first, rest) = digits.split_at(8);
    let (second, third) = rest.split_at(4);
    format!("{first}-{second}-4{}-8{}-{digits:.12}", &third[..3], &third[1..])
}
