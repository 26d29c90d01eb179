//! A service as a team has it before its first upgrade, on an emulator.
//!
//! One application load balancer with an HTTP and an HTTPS listener, rules, a
//! target group for each listener, a launch template and a scaling group with
//! everything that a clone must carry. Made with bare calls, so that tests of
//! any client can start from it.

use std::io;

use super::query;

const EC2: &str = "ec2";
const ELB: &str = "elasticloadbalancing";
const SCALING: &str = "autoscaling";
const IAM: &str = "iam";
const MONITORING: &str = "monitoring";

/// What stands for the certificate of the HTTPS listener; moto does not read it.
const PEM: &str = "-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----";

/// `#!/bin/true` in base64.
const USER_DATA: &str = "IyEvYmluL3RydWUK";

/// The names and ids of a service that [`Stack::create`] made.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stack {
    /// The account, which is moto's default one.
    pub account: String,
    /// The region.
    pub region: String,
    /// The network.
    pub vpc: String,
    /// Two subnets, in two zones.
    pub subnets: Vec<String>,
    /// The security group of the load balancer: opens 80 and 443 to everybody.
    pub security_group: String,
    /// An image that exists.
    pub image: String,
    /// Another image that exists.
    pub other_image: String,
    /// The load balancer, by name: ports 80 (HTTP) and 443 (HTTPS).
    pub load_balancer: String,
    /// The target group of port 80 and of its rule at priority 10, by name.
    pub http: String,
    /// The target group of port 443, by name.
    pub https: String,
    /// The launch template, by name: one version.
    pub launch_template: String,
    /// The scaling group, by name: two machines in both target groups.
    pub scaling_group: String,
    /// The scaling policy that tracks the request count of port 80.
    pub tracking_policy: String,
    /// The scaling policy that steps up when the alarm says so.
    pub step_policy: String,
    /// The alarm that sets off the step policy.
    pub alarm: String,
    /// The scheduled action, every evening.
    pub schedule: String,
    /// The lifecycle hook.
    pub hook: String,
    arns: Arns,
}

/// What the calls need that names do not give.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Arns {
    load_balancer: String,
    http: String,
    https: String,
}

impl Stack {
    /// Makes the service `name`, which prefixes all that is made, at an emulator or a proxy.
    ///
    /// # Errors
    ///
    /// If a call is refused or cannot be made; what was made until then stays.
    pub async fn create(url: &str, name: &str) -> io::Result<Self> {
        let calls = Calls { url };
        let mut stack = Self::named(name);
        stack.make_network(&calls, name).await?;
        stack.make_load_balancer(&calls).await?;
        stack.make_listeners(&calls).await?;
        stack.make_launch_template(&calls).await?;
        stack.make_scaling_group(&calls).await?;
        stack.make_policies(&calls).await?;
        Ok(stack)
    }

    fn named(name: &str) -> Self {
        let under = |what: &str| format!("{name}-{what}");
        Self {
            account: "123456789012".to_owned(),
            region: "us-east-1".to_owned(),
            vpc: String::new(),
            subnets: Vec::new(),
            security_group: String::new(),
            image: String::new(),
            other_image: String::new(),
            load_balancer: name.to_owned(),
            http: under("http"),
            https: under("https"),
            launch_template: name.to_owned(),
            scaling_group: name.to_owned(),
            tracking_policy: under("requests"),
            step_policy: under("up"),
            alarm: under("cpu-high"),
            schedule: under("evening"),
            hook: under("warm"),
            arns: Arns::default(),
        }
    }

    async fn make_network(&mut self, calls: &Calls<'_>, name: &str) -> io::Result<()> {
        let vpc = calls.make(EC2, "CreateVpc", &[("CidrBlock", "10.0.0.0/16")]).await?;
        self.vpc = vpc.text("vpcId")?;
        for (zone, block) in [("us-east-1a", "10.0.1.0/24"), ("us-east-1b", "10.0.2.0/24")] {
            let params = [("VpcId", &*self.vpc), ("CidrBlock", block), ("AvailabilityZone", zone)];
            let subnet = calls.make(EC2, "CreateSubnet", &params).await?;
            self.subnets.push(subnet.text("subnetId")?);
        }
        let params =
            [("VpcId", &*self.vpc), ("GroupName", name), ("GroupDescription", "load balancer")];
        let group = calls.make(EC2, "CreateSecurityGroup", &params).await?;
        self.security_group = group.text("groupId")?;
        for port in ["80", "443"] {
            let params = [
                ("GroupId", &*self.security_group),
                ("IpPermissions.1.IpProtocol", "tcp"),
                ("IpPermissions.1.FromPort", port),
                ("IpPermissions.1.ToPort", port),
                ("IpPermissions.1.IpRanges.1.CidrIp", "0.0.0.0/0"),
            ];
            calls.make(EC2, "AuthorizeSecurityGroupIngress", &params).await?;
        }
        let images = calls.make(EC2, "DescribeImages", &[]).await?;
        let mut images = images.texts("imageId");
        let mut next = || images.next().ok_or_else(|| io::Error::other("moto has no images"));
        (self.image, self.other_image) = (next()?.to_owned(), next()?.to_owned());
        Ok(())
    }

    async fn make_load_balancer(&mut self, calls: &Calls<'_>) -> io::Result<()> {
        let params = [
            ("Name", &*self.load_balancer),
            ("Scheme", "internet-facing"),
            ("Type", "application"),
            ("Subnets.member.1", &self.subnets[0]),
            ("Subnets.member.2", &self.subnets[1]),
            ("SecurityGroups.member.1", &self.security_group),
        ];
        let made = calls.make(ELB, "CreateLoadBalancer", &params).await?;
        self.arns.load_balancer = made.text("LoadBalancerArn")?;
        self.arns.http = self.make_target_group(calls, &self.http, ("HTTP", "8080")).await?;
        self.arns.https = self.make_target_group(calls, &self.https, ("HTTPS", "8443")).await?;
        Ok(())
    }

    async fn make_target_group(
        &self,
        calls: &Calls<'_>,
        name: &str,
        (protocol, port): (&str, &str),
    ) -> io::Result<String> {
        let params = [
            ("Name", name),
            ("Protocol", protocol),
            ("Port", port),
            ("VpcId", &self.vpc),
            ("TargetType", "instance"),
            ("HealthCheckProtocol", protocol),
            ("HealthCheckPath", "/health"),
            ("HealthCheckIntervalSeconds", "10"),
            ("HealthCheckTimeoutSeconds", "5"),
            ("HealthyThresholdCount", "3"),
            ("UnhealthyThresholdCount", "2"),
            ("Matcher.HttpCode", "200-299"),
            ("Tags.member.1.Key", "team"),
            ("Tags.member.1.Value", "search"),
        ];
        let made = calls.make(ELB, "CreateTargetGroup", &params).await?;
        let arn = made.text("TargetGroupArn")?;
        let params = [
            ("TargetGroupArn", &*arn),
            ("Attributes.member.1.Key", "deregistration_delay.timeout_seconds"),
            ("Attributes.member.1.Value", "2"),
        ];
        calls.make(ELB, "ModifyTargetGroupAttributes", &params).await?;
        Ok(arn)
    }

    async fn make_listeners(&self, calls: &Calls<'_>) -> io::Result<()> {
        let params = [
            ("LoadBalancerArn", &*self.arns.load_balancer),
            ("Protocol", "HTTP"),
            ("Port", "80"),
            ("DefaultActions.member.1.Type", "forward"),
            ("DefaultActions.member.1.TargetGroupArn", &self.arns.http),
        ];
        let plain = calls.make(ELB, "CreateListener", &params).await?.text("ListenerArn")?;
        let params = [
            ("ServerCertificateName", &*self.load_balancer),
            ("CertificateBody", PEM),
            ("PrivateKey", PEM),
        ];
        let certificate = calls.make(IAM, "UploadServerCertificate", &params).await?.text("Arn")?;
        let params = [
            ("LoadBalancerArn", &*self.arns.load_balancer),
            ("Protocol", "HTTPS"),
            ("Port", "443"),
            ("SslPolicy", "ELBSecurityPolicy-2016-08"),
            ("Certificates.member.1.CertificateArn", &certificate),
            ("DefaultActions.member.1.Type", "forward"),
            ("DefaultActions.member.1.TargetGroupArn", &self.arns.https),
        ];
        calls.make(ELB, "CreateListener", &params).await?;
        self.make_rules(calls, &plain).await
    }

    async fn make_rules(&self, calls: &Calls<'_>, listener: &str) -> io::Result<()> {
        let target = "Actions.member.1.ForwardConfig.TargetGroups.member.1";
        let params = [
            ("ListenerArn", listener),
            ("Priority", "10"),
            ("Conditions.member.1.Field", "path-pattern"),
            ("Conditions.member.1.PathPatternConfig.Values.member.1", "/api/*"),
            ("Actions.member.1.Type", "forward"),
            (&format!("{target}.TargetGroupArn"), &self.arns.http),
            (&format!("{target}.Weight"), "1"),
        ];
        calls.make(ELB, "CreateRule", &params).await?;
        let params = [
            ("ListenerArn", listener),
            ("Priority", "20"),
            ("Conditions.member.1.Field", "path-pattern"),
            ("Conditions.member.1.PathPatternConfig.Values.member.1", "/old/*"),
            ("Actions.member.1.Type", "redirect"),
            ("Actions.member.1.RedirectConfig.Protocol", "HTTPS"),
            ("Actions.member.1.RedirectConfig.Port", "443"),
            ("Actions.member.1.RedirectConfig.StatusCode", "HTTP_301"),
        ];
        calls.make(ELB, "CreateRule", &params).await?;
        Ok(())
    }

    async fn make_launch_template(&self, calls: &Calls<'_>) -> io::Result<()> {
        let params = [
            ("LaunchTemplateName", &*self.launch_template),
            ("VersionDescription", "by hand"),
            ("LaunchTemplateData.ImageId", &self.image),
            ("LaunchTemplateData.InstanceType", "t3.micro"),
            ("LaunchTemplateData.UserData", USER_DATA),
        ];
        calls.make(EC2, "CreateLaunchTemplate", &params).await?;
        Ok(())
    }

    async fn make_scaling_group(&self, calls: &Calls<'_>) -> io::Result<()> {
        let subnets = self.subnets.join(",");
        let group = &*self.scaling_group;
        let params = [
            ("AutoScalingGroupName", group),
            ("LaunchTemplate.LaunchTemplateName", &self.launch_template),
            ("LaunchTemplate.Version", "$Latest"),
            ("MinSize", "1"),
            ("DesiredCapacity", "2"),
            ("MaxSize", "4"),
            ("DefaultCooldown", "120"),
            ("HealthCheckType", "ELB"),
            ("HealthCheckGracePeriod", "60"),
            ("VPCZoneIdentifier", &subnets),
            ("TerminationPolicies.member.1", "OldestInstance"),
            ("TargetGroupARNs.member.1", &self.arns.http),
            ("TargetGroupARNs.member.2", &self.arns.https),
            ("Tags.member.1.ResourceId", group),
            ("Tags.member.1.ResourceType", "auto-scaling-group"),
            ("Tags.member.1.Key", "Name"),
            ("Tags.member.1.Value", group),
            ("Tags.member.1.PropagateAtLaunch", "true"),
            ("Tags.member.2.ResourceId", group),
            ("Tags.member.2.ResourceType", "auto-scaling-group"),
            ("Tags.member.2.Key", "team"),
            ("Tags.member.2.Value", "search"),
            ("Tags.member.2.PropagateAtLaunch", "false"),
        ];
        calls.make(SCALING, "CreateAutoScalingGroup", &params).await?;
        let params = [
            ("AutoScalingGroupName", group),
            ("LifecycleHookName", &self.hook),
            ("LifecycleTransition", "autoscaling:EC2_INSTANCE_LAUNCHING"),
            ("HeartbeatTimeout", "300"),
            ("DefaultResult", "ABANDON"),
        ];
        calls.make(SCALING, "PutLifecycleHook", &params).await?;
        Ok(())
    }

    async fn make_policies(&self, calls: &Calls<'_>) -> io::Result<()> {
        let metric = "TargetTrackingConfiguration.PredefinedMetricSpecification";
        let label = format!("{}/{}", part(&self.arns.load_balancer)?, part(&self.arns.http)?);
        let label = label.trim_start_matches("loadbalancer/");
        let params = [
            ("AutoScalingGroupName", &*self.scaling_group),
            ("PolicyName", &self.tracking_policy),
            ("PolicyType", "TargetTrackingScaling"),
            ("TargetTrackingConfiguration.TargetValue", "1000.0"),
            (&format!("{metric}.PredefinedMetricType"), "ALBRequestCountPerTarget"),
            (&format!("{metric}.ResourceLabel"), label),
        ];
        calls.make(SCALING, "PutScalingPolicy", &params).await?;
        let params = [
            ("AutoScalingGroupName", &*self.scaling_group),
            ("PolicyName", &self.step_policy),
            ("PolicyType", "StepScaling"),
            ("AdjustmentType", "ChangeInCapacity"),
            ("StepAdjustments.member.1.MetricIntervalLowerBound", "0"),
            ("StepAdjustments.member.1.ScalingAdjustment", "2"),
        ];
        calls.make(SCALING, "PutScalingPolicy", &params).await?;
        // moto does not tell the ARN of a policy that was just made.
        let params = [
            ("AutoScalingGroupName", &*self.scaling_group),
            ("PolicyNames.member.1", &self.step_policy),
        ];
        let policy = calls.make(SCALING, "DescribePolicies", &params).await?.text("PolicyARN")?;
        self.make_alarm(calls, &policy).await?;
        let params = [
            ("AutoScalingGroupName", &*self.scaling_group),
            ("ScheduledActionName", &self.schedule),
            ("Recurrence", "0 20 * * *"),
            ("MinSize", "1"),
            ("MaxSize", "4"),
            ("DesiredCapacity", "1"),
        ];
        calls.make(SCALING, "PutScheduledUpdateGroupAction", &params).await?;
        Ok(())
    }

    async fn make_alarm(&self, calls: &Calls<'_>, policy: &str) -> io::Result<()> {
        let params = [
            ("AlarmName", &*self.alarm),
            ("AlarmDescription", "the machines are busy"),
            ("AlarmActions.member.1", policy),
            ("Namespace", "AWS/EC2"),
            ("MetricName", "CPUUtilization"),
            ("Statistic", "Average"),
            ("Period", "60"),
            ("EvaluationPeriods", "2"),
            ("Threshold", "70"),
            ("ComparisonOperator", "GreaterThanThreshold"),
            ("Dimensions.member.1.Name", "AutoScalingGroupName"),
            ("Dimensions.member.1.Value", &self.scaling_group),
        ];
        calls.make(MONITORING, "PutMetricAlarm", &params).await?;
        Ok(())
    }
}

/// The last part of an ARN.
fn part(arn: &str) -> io::Result<&str> {
    arn.splitn(6, ':').nth(5).ok_or_else(|| io::Error::other(format!("`{arn}` is no ARN")))
}

/// Makes calls that must succeed.
#[derive(Debug)]
struct Calls<'a> {
    url: &'a str,
}

impl Calls<'_> {
    async fn make(
        &self,
        service: &str,
        action: &str,
        params: &[(&str, &str)],
    ) -> io::Result<Answer> {
        let reply = query(self.url, service, action, params).await?;
        if reply.status == 200 {
            Ok(Answer { action: action.to_owned(), body: reply.body })
        } else {
            let (status, body) = (reply.status, reply.body);
            Err(io::Error::other(format!("{action} was answered with {status}: {body}")))
        }
    }
}

/// What a call was answered with.
#[derive(Debug)]
struct Answer {
    action: String,
    body: String,
}

impl Answer {
    /// Returns the text of the first element of this name.
    fn text(&self, name: &str) -> io::Result<String> {
        let missing = || io::Error::other(format!("the answer to {} has no {name}", self.action));
        self.texts(name).next().map(str::to_owned).ok_or_else(missing)
    }

    /// Returns the texts of all elements of this name that hold no others.
    fn texts(&self, name: &str) -> impl Iterator<Item = &str> {
        let (open, close) = (format!("<{name}>"), format!("</{name}>"));
        let mut rest = self.body.as_str();
        std::iter::from_fn(move || {
            let start = rest.find(&open)? + open.len();
            let length = rest[start..].find(&close)?;
            let text = &rest[start..start + length];
            rest = &rest[start + length..];
            Some(text)
        })
    }
}
