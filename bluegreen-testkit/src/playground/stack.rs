//! A service as a team has it before its first upgrade, ready to be played with.

use super::Site;
use super::control::{Call, Params, Service, WireError, answer};

/// The names of a service that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stack {
    /// The account.
    pub account: String,
    /// The region.
    pub region: String,
    /// The load balancer: ports 80 (HTTP, with a rule) and 443 (HTTPS).
    pub load_balancer: String,
    /// The scaling group: three machines, in a target group for each port.
    pub scaling_group: String,
    /// The image that serves.
    pub image: String,
    /// Images that wait to be deployed.
    pub images: Vec<String>,
}

/// How quickly things go in a service that is made to be played with.
const SETTINGS: [(&str, &str); 5] = [
    ("HealthCheckPath", "/health"),
    ("HealthCheckIntervalSeconds", "5"),
    ("HealthCheckTimeoutSeconds", "2"),
    ("HealthyThresholdCount", "2"),
    ("UnhealthyThresholdCount", "2"),
];

/// Makes the service `name` in a site, by the very actions that a script would call.
pub(super) fn front_end(site: &Site, name: &str) -> Result<Stack, WireError> {
    let calls = Calls { site };
    let images: Vec<String> = (1..=4)
        .map(|version| {
            let image = format!("{name}-v{version}");
            calls.make(Service::Compute, "RegisterImage", &[("Name", &image)], "imageId")
        })
        .collect::<Result<_, _>>()?;
    let group = calls.security_group(name)?;
    let subnets: Vec<String> = site.facts().subnets.keys().cloned().collect();
    let balancer = calls.make(
        Service::LoadBalancing,
        "CreateLoadBalancer",
        &[
            ("Name", name),
            ("SecurityGroups.member.1", &group),
            ("Subnets.member.1", &subnets[0]),
            ("Subnets.member.2", &subnets[1]),
        ],
        "LoadBalancerArn",
    )?;
    let http = calls.target_group(&format!("{name}-http"), "80")?;
    let https = calls.target_group(&format!("{name}-https"), "8443")?;
    let listener = calls.listener(&balancer, "80", "HTTP", &http)?;
    calls.listener(&balancer, "443", "HTTPS", &https)?;
    calls.make(
        Service::LoadBalancing,
        "CreateRule",
        &[
            ("ListenerArn", &listener),
            ("Priority", "10"),
            ("Conditions.member.1.Field", "path-pattern"),
            ("Conditions.member.1.Values.member.1", "/jobs/*"),
            ("Actions.member.1.Type", "forward"),
            ("Actions.member.1.TargetGroupArn", &http),
        ],
        "RuleArn",
    )?;
    calls.make(
        Service::Compute,
        "CreateLaunchTemplate",
        &[
            ("LaunchTemplateName", name),
            ("LaunchTemplateData.ImageId", &images[0]),
            ("LaunchTemplateData.InstanceType", "t3.micro"),
        ],
        "launchTemplateId",
    )?;
    calls.scaling_group(name, &subnets, &[&http, &https])?;
    let mut images = images.into_iter();
    let image = images.next().unwrap_or_default();
    let (account, region) = (site.account.clone(), site.region.clone());
    let (load_balancer, scaling_group) = (name.to_owned(), name.to_owned());
    Ok(Stack { account, region, load_balancer, scaling_group, image, images: images.collect() })
}

/// Calls actions of a site without a wire in between.
struct Calls<'a> {
    site: &'a Site,
}

impl Calls<'_> {
    fn call(
        &self,
        service: Service,
        action: &str,
        params: &[(&str, &str)],
    ) -> Result<String, WireError> {
        let params: Params = params.iter().copied().collect();
        answer(service, &Call { site: self.site, action, params: &params }, "none")
    }

    /// Calls an action that makes something; returns the id of it.
    fn make(
        &self,
        service: Service,
        action: &str,
        params: &[(&str, &str)],
        id: &str,
    ) -> Result<String, WireError> {
        let reply = self.call(service, action, params)?;
        let inside =
            reply.split_once(&format!("<{id}>")).and_then(|(_, rest)| rest.split_once('<'));
        inside.map(|(id, _)| id.to_owned()).ok_or_else(|| {
            WireError::new("InternalFailure", format!("{action} tells no {id}")).with_status(500)
        })
    }

    fn security_group(&self, name: &str) -> Result<String, WireError> {
        let description = [("GroupName", name), ("GroupDescription", "lets everybody in")];
        let group = self.make(Service::Compute, "CreateSecurityGroup", &description, "groupId")?;
        for port in ["80", "443"] {
            let rule = [
                ("GroupId", &*group),
                ("IpPermissions.1.IpProtocol", "tcp"),
                ("IpPermissions.1.FromPort", port),
                ("IpPermissions.1.ToPort", port),
                ("IpPermissions.1.IpRanges.1.CidrIp", "0.0.0.0/0"),
            ];
            self.call(Service::Compute, "AuthorizeSecurityGroupIngress", &rule)?;
        }
        Ok(group)
    }

    fn target_group(&self, name: &str, port: &str) -> Result<String, WireError> {
        let vpc = self.site.facts().vpcs.keys().next().cloned().unwrap_or_default();
        let named = [("Name", name), ("Protocol", "HTTP"), ("Port", port), ("VpcId", &*vpc)];
        let params = [&named[..], &SETTINGS].concat();
        let arn =
            self.make(Service::LoadBalancing, "CreateTargetGroup", &params, "TargetGroupArn")?;
        let delay = [
            ("TargetGroupArn", &*arn),
            ("Attributes.member.1.Key", "deregistration_delay.timeout_seconds"),
            ("Attributes.member.1.Value", "2"),
        ];
        self.call(Service::LoadBalancing, "ModifyTargetGroupAttributes", &delay)?;
        Ok(arn)
    }

    fn listener(
        &self,
        balancer: &str,
        port: &str,
        protocol: &str,
        target_group: &str,
    ) -> Result<String, WireError> {
        let Site { account, region, .. } = self.site;
        let certificate = format!("arn:aws:acm:{region}:{account}:certificate/playground");
        let mut params = vec![
            ("LoadBalancerArn", balancer),
            ("Port", port),
            ("Protocol", protocol),
            ("DefaultActions.member.1.Type", "forward"),
            ("DefaultActions.member.1.TargetGroupArn", target_group),
        ];
        if protocol == "HTTPS" {
            params.push(("Certificates.member.1.CertificateArn", &certificate));
        }
        self.make(Service::LoadBalancing, "CreateListener", &params, "ListenerArn")
    }

    fn scaling_group(
        &self,
        name: &str,
        subnets: &[String],
        target_groups: &[&str],
    ) -> Result<(), WireError> {
        let zones = subnets.join(",");
        let params = [
            ("AutoScalingGroupName", name),
            ("LaunchTemplate.LaunchTemplateName", name),
            ("LaunchTemplate.Version", "1"),
            ("MinSize", "2"),
            ("DesiredCapacity", "3"),
            ("MaxSize", "6"),
            ("VPCZoneIdentifier", &zones),
            ("HealthCheckType", "ELB"),
            ("HealthCheckGracePeriod", "30"),
            ("TargetGroupARNs.member.1", target_groups[0]),
            ("TargetGroupARNs.member.2", target_groups[1]),
            ("Tags.member.1.Key", "Name"),
            ("Tags.member.1.Value", name),
            ("Tags.member.1.PropagateAtLaunch", "true"),
        ];
        self.call(Service::AutoScaling, "CreateAutoScalingGroup", &params)?;
        let tracking = [
            ("AutoScalingGroupName", name),
            ("PolicyName", "cpu"),
            ("PolicyType", "TargetTrackingScaling"),
            (
                "TargetTrackingConfiguration.PredefinedMetricSpecification.PredefinedMetricType",
                "ASGAverageCPUUtilization",
            ),
            ("TargetTrackingConfiguration.TargetValue", "60"),
        ];
        self.call(Service::AutoScaling, "PutScalingPolicy", &tracking)?;
        Ok(())
    }
}
