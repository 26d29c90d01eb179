//! A service at a playground with everything that a clone must carry, made over the wire.

use std::time::Duration;

use bluegreen_aws::AwsCloud;
use bluegreen_core::model::{
    Capacity, HealthState, LaunchSource, ScalingGroupName, TargetGroupName,
};
use bluegreen_testkit::FakeCloud;
use bluegreen_testkit::emulator::query;
use bluegreen_testkit::playground::{Options, Playground, Stack};

use crate::world::config;

/// The account of everybody whose access key names no other one.
const ACCOUNT: &str = "123456789012";
const REGION: &str = "us-east-1";

const ELB: &str = "elasticloadbalancing";
const SCALING: &str = "autoscaling";

/// A playground with the service `web`, and the adapter that looks at it.
pub(crate) struct PlaygroundWorld {
    pub(crate) stack: Stack,
    pub(crate) cloud: AwsCloud,
    playground: Playground,
}

impl PlaygroundWorld {
    /// Makes the service, and waits until its machines are healthy.
    pub(crate) async fn new() -> Self {
        let mut options = Options::default();
        options.boot = Duration::from_millis(200);
        options.check_interval = Some(Duration::from_millis(200));
        options.limits = false;
        let playground = Playground::start(options).await.expect("it starts");
        let stack = playground.front_end(ACCOUNT, REGION, "web").expect("the service is made");
        let cloud = AwsCloud::new(&config(&playground.url()).await).expect("a region is set");
        let world = Self { stack, cloud, playground };
        world.add_an_opaque_rule().await;
        world.add_a_launch_configuration().await;
        world.add_what_scales().await;
        world.wait_until_healthy().await;
        world
    }

    /// Returns the state machine behind the wire.
    pub(crate) fn fake(&self) -> FakeCloud {
        self.playground.site(ACCOUNT, REGION).cloud().clone()
    }

    /// Returns the ARN of the listener of the service on a port.
    pub(crate) async fn listener(&self, port: u16) -> String {
        let balancer = self.call(ELB, "DescribeLoadBalancers", &[]).await;
        let balancer = inside(&balancer, "LoadBalancerArn");
        let listeners =
            self.call(ELB, "DescribeListeners", &[("LoadBalancerArn", &balancer)]).await;
        let port = format!("<Port>{port}</Port>");
        let (before, _) = listeners.split_once(&port).expect("it listens there");
        inside(&before[before.rfind("<ListenerArn>").expect("it has one")..], "ListenerArn")
    }

    async fn add_an_opaque_rule(&self) {
        let listener = self.listener(80).await;
        let params = [
            ("ListenerArn", &*listener),
            ("Priority", "20"),
            ("Conditions.member.1.Field", "path-pattern"),
            ("Conditions.member.1.Values.member.1", "/old/*"),
            ("Actions.member.1.Type", "redirect"),
            ("Actions.member.1.RedirectConfig.Path", "/new"),
            ("Actions.member.1.RedirectConfig.StatusCode", "HTTP_301"),
        ];
        self.call(ELB, "CreateRule", &params).await;
    }

    /// Makes the service `flows` on a network load balancer: TCP on 8000, TLS on 8443.
    pub(crate) async fn add_a_network_service(&self) {
        let subnets = self.call("ec2", "DescribeSubnets", &[]).await;
        let (vpc, subnet) = (inside(&subnets, "vpcId"), inside(&subnets, "subnetId"));
        let description = [("GroupName", "flows"), ("GroupDescription", "lets everybody in")];
        let group = self.call("ec2", "CreateSecurityGroup", &description).await;
        let group = inside(&group, "groupId");
        for port in ["8000", "8443"] {
            let rule = [
                ("GroupId", &*group),
                ("IpPermissions.1.IpProtocol", "tcp"),
                ("IpPermissions.1.FromPort", port),
                ("IpPermissions.1.ToPort", port),
                ("IpPermissions.1.IpRanges.1.CidrIp", "0.0.0.0/0"),
            ];
            self.call("ec2", "AuthorizeSecurityGroupIngress", &rule).await;
        }
        let balancer = [
            ("Name", "flows"),
            ("Type", "network"),
            ("Subnets.member.1", &*subnet),
            ("SecurityGroups.member.1", &*group),
        ];
        let balancer = self.call(ELB, "CreateLoadBalancer", &balancer).await;
        let balancer = inside(&balancer, "LoadBalancerArn");
        let mut arns = Vec::new();
        for (name, protocol, port) in [("flows-tcp", "TCP", "8000"), ("flows-tls", "TLS", "8443")] {
            let group = [
                ("Name", name),
                ("Protocol", protocol),
                ("Port", port),
                ("VpcId", &*vpc),
                ("HealthCheckIntervalSeconds", "5"),
                ("HealthCheckTimeoutSeconds", "2"),
            ];
            let arn = inside(&self.call(ELB, "CreateTargetGroup", &group).await, "TargetGroupArn");
            let mut listener = vec![
                ("LoadBalancerArn", &*balancer),
                ("Protocol", protocol),
                ("Port", port),
                ("DefaultActions.member.1.Type", "forward"),
                ("DefaultActions.member.1.TargetGroupArn", &*arn),
            ];
            if protocol == "TLS" {
                let certificate = "arn:aws:acm:us-east-1:123456789012:certificate/flows";
                listener.push(("Certificates.member.1.CertificateArn", certificate));
                listener.push(("SslPolicy", "ELBSecurityPolicy-TLS13-1-2-2021-06"));
            }
            self.call(ELB, "CreateListener", &listener).await;
            arns.push(arn);
        }
        let params = [
            ("AutoScalingGroupName", "flows"),
            ("LaunchTemplate.LaunchTemplateName", "web"),
            ("LaunchTemplate.Version", "1"),
            ("MinSize", "1"),
            ("DesiredCapacity", "2"),
            ("MaxSize", "3"),
            ("VPCZoneIdentifier", &*subnet),
            ("TargetGroupARNs.member.1", &*arns[0]),
            ("TargetGroupARNs.member.2", &*arns[1]),
        ];
        self.call(SCALING, "CreateAutoScalingGroup", &params).await;
        self.wait_until_well("flows", 2, &["flows-tcp", "flows-tls"]).await;
    }

    async fn add_a_launch_configuration(&self) {
        let params = [
            ("LaunchConfigurationName", "web"),
            ("ImageId", &*self.stack.image),
            ("InstanceType", "t3.micro"),
        ];
        self.call(SCALING, "CreateLaunchConfiguration", &params).await;
    }

    /// Adds policies, the alarm that sets one of them off, and a scheduled action.
    async fn add_what_scales(&self) {
        let group = ("AutoScalingGroupName", "web");
        let steps = [
            group,
            ("PolicyName", "busy"),
            ("PolicyType", "StepScaling"),
            ("AdjustmentType", "ChangeInCapacity"),
            ("StepAdjustments.member.1.MetricIntervalLowerBound", "0"),
            ("StepAdjustments.member.1.ScalingAdjustment", "1"),
        ];
        let policy = self.call(SCALING, "PutScalingPolicy", &steps).await;
        let policy = inside(&policy, "PolicyARN");
        let label = self.request_label().await;
        let tracking = |field: &str| format!("TargetTrackingConfiguration.{field}");
        let requests = [
            group,
            ("PolicyName", "requests"),
            ("PolicyType", "TargetTrackingScaling"),
            (
                &*tracking("PredefinedMetricSpecification.PredefinedMetricType"),
                "ALBRequestCountPerTarget",
            ),
            (&*tracking("PredefinedMetricSpecification.ResourceLabel"), &*label),
            (&*tracking("TargetValue"), "1000"),
        ];
        self.call(SCALING, "PutScalingPolicy", &requests).await;
        let evening = [
            group,
            ("ScheduledActionName", "evening"),
            ("Recurrence", "0 22 * * *"),
            ("MinSize", "2"),
        ];
        self.call(SCALING, "PutScheduledUpdateGroupAction", &evening).await;
        let alarm = [
            ("AlarmName", "web-busy"),
            ("AlarmActions.member.1", &*policy),
            ("Namespace", "AWS/EC2"),
            ("MetricName", "CPUUtilization"),
            ("Statistic", "Average"),
            ("Period", "60"),
            ("EvaluationPeriods", "3"),
            ("Threshold", "80"),
            ("ComparisonOperator", "GreaterThanThreshold"),
            ("Dimensions.member.1.Name", "AutoScalingGroupName"),
            ("Dimensions.member.1.Value", "web"),
        ];
        self.call("monitoring", "PutMetricAlarm", &alarm).await;
    }

    /// Names the target group of port 80 behind its load balancer, as metrics do.
    async fn request_label(&self) -> String {
        let balancers = self.call(ELB, "DescribeLoadBalancers", &[]).await;
        let groups =
            self.call(ELB, "DescribeTargetGroups", &[("Names.member.1", "web-http")]).await;
        let balancer = inside(&balancers, "LoadBalancerArn");
        let group = inside(&groups, "TargetGroupArn");
        let balancer = balancer.split_once("loadbalancer/").expect("it is one").1;
        let group = group.rsplit_once(':').expect("it is an ARN").1;
        format!("{balancer}/{group}")
    }

    /// Gives the scaling group another size and another launch source behind everybody's back.
    pub(crate) async fn set_group(&self, capacity: Capacity, launch: LaunchSource) {
        self.fake().edit(|world| {
            let group = world.scaling_groups.get_mut(&ScalingGroupName::new("web"));
            let group = group.expect("it was made");
            (group.capacity, group.launch) = (capacity, launch);
        });
        self.wait_until_healthy().await;
    }

    async fn wait_until_healthy(&self) {
        let fake = self.fake();
        let group = fake.world().scaling_groups[&ScalingGroupName::new("web")].clone();
        let wanted = usize::try_from(group.capacity.desired).expect("it is small");
        self.wait_until_well("web", wanted, &["web-http", "web-https"]).await;
    }

    async fn wait_until_well(&self, service: &str, wanted: usize, target_groups: &[&str]) {
        let fake = self.fake();
        let is_well = |name: &str| {
            let targets = fake.health(&TargetGroupName::new(name));
            targets.len() == wanted
                && targets.iter().all(|target| target.state == HealthState::Healthy)
        };
        let well = async {
            while !target_groups.iter().all(|name| is_well(name)) {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        let in_time = tokio::time::timeout(Duration::from_mins(1), well).await;
        assert!(in_time.is_ok(), "the machines of {service} become healthy");
    }

    pub(crate) async fn call(
        &self,
        service: &str,
        action: &str,
        params: &[(&str, &str)],
    ) -> String {
        let reply = query(&self.playground.url(), service, action, params).await;
        let reply = reply.expect("it is answered");
        assert_eq!(reply.status, 200, "{action}: {}", reply.body);
        reply.body
    }
}

/// Returns the text of the first element of a name.
#[track_caller]
pub(crate) fn inside(body: &str, element: &str) -> String {
    let rest = body.split_once(&format!("<{element}>")).expect("it is in the answer").1;
    rest.split_once('<').expect("it ends").0.to_owned()
}
