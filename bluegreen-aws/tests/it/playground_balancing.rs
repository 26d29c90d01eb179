//! Elastic Load Balancing of the playground, through the client that AWS gives out.

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_elasticloadbalancingv2::Client;
use aws_sdk_elasticloadbalancingv2::config::retry::RetryConfig;
use aws_sdk_elasticloadbalancingv2::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_elasticloadbalancingv2::types::{
    Action, ActionTypeEnum, ForwardActionConfig, LoadBalancerAttribute, LoadBalancerTypeEnum,
    ProtocolEnum, RuleCondition, RulePriorityPair, SourceIpConditionConfig, Tag, TargetDescription,
    TargetGroupAttribute, TargetGroupTuple, TargetHealthReasonEnum, TargetHealthStateEnum,
};
use bluegreen_aws::AwsCloud;
use bluegreen_core::cloud::{
    ReadAlarms, ReadLoadBalancers, ReadTags, ReadTargetGroups, WriteAlarms, WriteLoadBalancers,
    WriteTags, WriteTargetGroups,
};
use bluegreen_core::model::{
    Actions, Alarm, AlarmName, Dimension, DimensionValue, Forward, InstanceId, ListenerKey,
    ListenerSettings, LoadBalancerName, Opaque, ResourceKey, RouteKey, TargetGroupName,
};
use bluegreen_testkit::emulator::query;
use bluegreen_testkit::playground::fault::{Calls, Fault, Refusal, Trouble};
use bluegreen_testkit::playground::{Options, Playground, Site};
use serde_json::json;

use crate::world;

const SUBNETS: [&str; 2] = ["subnet-0000000a", "subnet-0000000b"];
const VPC: &str = "vpc-00000001";

/// A playground without limits of calls, and those who call it.
struct Bench {
    playground: Playground,
    elb: Client,
    cloud: AwsCloud,
}

impl Bench {
    async fn new() -> Self {
        let mut options = Options::default();
        options.limits = false;
        Self::with(options).await
    }

    async fn with(options: Options) -> Self {
        let playground = Playground::start(options).await.expect("it starts");
        let config = world::config(&playground.url()).await;
        let cloud = AwsCloud::new(&config).expect("a region is set");
        let elb = aws_sdk_elasticloadbalancingv2::config::Builder::from(&config)
            .retry_config(RetryConfig::disabled())
            .build();
        Self { playground, elb: Client::from_conf(elb), cloud }
    }

    fn site(&self) -> Arc<Site> {
        self.playground.site("123456789012", "us-east-1")
    }

    async fn load_balancer(&self, name: &str, kind: LoadBalancerTypeEnum) -> String {
        let request = self.elb.create_load_balancer().name(name).r#type(kind);
        let answer = request.set_subnets(Some(SUBNETS.map(str::to_owned).to_vec())).send().await;
        let answer = answer.expect("it is made");
        answer.load_balancers()[0].load_balancer_arn().expect("it has an ARN").to_owned()
    }

    async fn application(&self, name: &str) -> String {
        self.load_balancer(name, LoadBalancerTypeEnum::Application).await
    }

    async fn target_group(&self, name: &str) -> String {
        self.target_group_of(name, ProtocolEnum::Http).await
    }

    async fn target_group_of(&self, name: &str, protocol: ProtocolEnum) -> String {
        let request = self.elb.create_target_group().name(name).protocol(protocol).port(8080);
        let answer = request.vpc_id(VPC).send().await.expect("it is made");
        answer.target_groups()[0].target_group_arn().expect("it has an ARN").to_owned()
    }

    async fn listener(&self, balancer: &str, port: i32, action: Action) -> Result<String, String> {
        self.listener_of(balancer, ProtocolEnum::Http, port, action).await
    }

    async fn listener_of(
        &self,
        balancer: &str,
        protocol: ProtocolEnum,
        port: i32,
        action: Action,
    ) -> Result<String, String> {
        let request = self.elb.create_listener().load_balancer_arn(balancer).port(port);
        let answer = request.protocol(protocol).default_actions(action).send().await;
        let answer = answer.map_err(code)?;
        Ok(answer.listeners()[0].listener_arn().expect("it has an ARN").to_owned())
    }

    async fn health(
        &self,
        target_group: &str,
    ) -> Vec<(TargetHealthStateEnum, Option<TargetHealthReasonEnum>)> {
        let request = self.elb.describe_target_health().target_group_arn(target_group);
        let answer = request.send().await.expect("it is there");
        let health =
            answer.target_health_descriptions().iter().filter_map(|one| one.target_health());
        health.filter_map(|one| Some((one.state()?.clone(), one.reason().cloned()))).collect()
    }
}

/// Returns the code of an error.
#[expect(clippy::needless_pass_by_value, reason = "errors are mapped with it")]
fn code<E: ProvideErrorMetadata, R>(error: SdkError<E, R>) -> String {
    error.code().unwrap_or("none").to_owned()
}

/// Returns the code of what must be an error.
#[track_caller]
fn refused<T, E: ProvideErrorMetadata, R>(answer: Result<T, SdkError<E, R>>) -> String {
    answer.err().map(code).expect("it is refused")
}

fn forward(target_group: &str) -> Action {
    Action::builder().r#type(ActionTypeEnum::Forward).target_group_arn(target_group).build()
}

fn weighted(weights: &[(&str, i32)]) -> Action {
    let tuple = |(arn, weight): &(&str, i32)| {
        TargetGroupTuple::builder().target_group_arn(*arn).weight(*weight).build()
    };
    let tuples = weights.iter().map(tuple).collect();
    let config = ForwardActionConfig::builder().set_target_groups(Some(tuples)).build();
    Action::builder().r#type(ActionTypeEnum::Forward).forward_config(config).build()
}

fn path(text: &str) -> RuleCondition {
    RuleCondition::builder().field("path-pattern").values(text).build()
}

fn name(text: &str) -> TargetGroupName {
    TargetGroupName::new(text)
}

fn key(port: u16) -> ListenerKey {
    ListenerKey::new(LoadBalancerName::new("web"), port)
}

#[tokio::test]
async fn a_load_balancer_is_described_as_it_was_made() {
    let bench = Bench::new().await;
    let arn = bench.application("web").await;
    assert_eq!(bench.application("web").await, arn);
    let found = bench.elb.describe_load_balancers().names("web").send().await.unwrap();
    let found = &found.load_balancers()[0];
    assert_eq!(found.load_balancer_arn(), Some(arn.as_str()));
    assert!(
        arn.starts_with(
            "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/web/"
        )
    );
    assert_eq!(found.dns_name(), Some("127.10.0.1"));
    assert!(found.created_time().is_some());
    assert_eq!(found.availability_zones().len(), 2);
    assert_eq!(found.security_groups().len(), 1);
    // The same name with other settings.
    let request =
        bench.elb.create_load_balancer().name("web").r#type(LoadBalancerTypeEnum::Network);
    assert_eq!(refused(request.subnets(SUBNETS[0]).send().await), "DuplicateLoadBalancerName");
    let request = bench.elb.create_load_balancer().name("solo").subnets(SUBNETS[0]);
    assert_eq!(refused(request.send().await), "ValidationError");
    let request = bench.elb.create_load_balancer().name("lost").subnets("subnet-1");
    assert_eq!(refused(request.send().await), "SubnetNotFound");
}

#[tokio::test]
async fn a_protected_load_balancer_is_not_deleted() {
    let bench = Bench::new().await;
    let arn = bench.application("web").await;
    let protect = |on: &str| {
        let attribute =
            LoadBalancerAttribute::builder().key("deletion_protection.enabled").value(on).build();
        bench
            .elb
            .modify_load_balancer_attributes()
            .load_balancer_arn(&arn)
            .attributes(attribute)
            .send()
    };
    let delete = || bench.elb.delete_load_balancer().load_balancer_arn(&arn).send();
    protect("true").await.unwrap();
    assert_eq!(refused(delete().await), "OperationNotPermitted");
    protect("false").await.unwrap();
    delete().await.unwrap();
    // Deleting what is not there succeeds; describing it does not.
    delete().await.unwrap();
    let answer = bench.elb.describe_load_balancers().load_balancer_arns(&arn).send().await;
    assert_eq!(refused(answer), "LoadBalancerNotFound");
    assert!(bench.elb.describe_load_balancers().send().await.unwrap().load_balancers().is_empty());
    // One of the same name is another one.
    assert_ne!(bench.application("web").await, arn);
}

#[tokio::test]
async fn a_target_group_that_no_route_names_is_not_checked() {
    let bench = Bench::new().await;
    let balancer = bench.application("web").await;
    let (blue, green) = (bench.target_group("blue").await, bench.target_group("green").await);
    for group in ["blue", "green"] {
        let machine = InstanceId::new(format!("i-{group}"));
        bench.site().cloud().register_stray(&name(group), &machine);
    }
    let unused = (TargetHealthStateEnum::Unused, Some(TargetHealthReasonEnum::NotInUse));
    let initial =
        (TargetHealthStateEnum::Initial, Some(TargetHealthReasonEnum::InitialHealthChecking));
    assert_eq!(bench.health(&green).await, std::slice::from_ref(&unused));
    let listener = bench.listener(&balancer, 80, forward(&blue)).await.unwrap();
    assert_eq!(bench.health(&blue).await, std::slice::from_ref(&initial));
    // A weight of 0 is a name as well.
    let request = bench.elb.modify_listener().listener_arn(&listener);
    request.default_actions(weighted(&[(&blue, 100), (&green, 0)])).send().await.unwrap();
    assert_eq!(bench.health(&green).await, [initial]);
    let request = bench.elb.modify_listener().listener_arn(&listener);
    request.default_actions(forward(&blue)).send().await.unwrap();
    assert_eq!(bench.health(&green).await, [unused]);
}

#[tokio::test]
async fn targets_are_running_machines() {
    let bench = Bench::new().await;
    let balancer = bench.application("web").await;
    let (blue, green) = (bench.target_group("blue").await, bench.target_group("green").await);
    bench.listener(&balancer, 80, weighted(&[(&blue, 1), (&green, 1)])).await.unwrap();
    bench.site().cloud().register_stray(&name("blue"), &InstanceId::new("i-0a"));
    let target = |id: &str| TargetDescription::builder().id(id).build();
    let register =
        |id: &str| bench.elb.register_targets().target_group_arn(&green).targets(target(id)).send();
    assert_eq!(refused(register("i-0b").await), "InvalidTarget");
    register("i-0a").await.unwrap();
    assert_eq!(bench.health(&green).await.len(), 1);
    let deregister = |id: &str| {
        bench.elb.deregister_targets().target_group_arn(&green).targets(target(id)).send()
    };
    deregister("i-0b").await.unwrap();
    deregister("i-0a").await.unwrap();
    let draining = TargetHealthReasonEnum::DeregistrationInProgress;
    assert_eq!(bench.health(&green).await, [(TargetHealthStateEnum::Draining, Some(draining))]);
    let request = bench.elb.describe_target_health().target_group_arn(&green);
    let answer = request.targets(target("i-0b")).send().await.unwrap();
    let health = answer.target_health_descriptions()[0].target_health().unwrap();
    assert_eq!(health.reason(), Some(&TargetHealthReasonEnum::NotRegistered));
}

#[tokio::test]
async fn a_target_group_belongs_to_one_load_balancer() {
    let bench = Bench::new().await;
    let (web, api) = (bench.application("web").await, bench.application("api").await);
    let blue = bench.target_group("blue").await;
    bench.listener(&web, 80, forward(&blue)).await.unwrap();
    bench.listener(&web, 81, forward(&blue)).await.unwrap();
    let error = bench.listener(&api, 80, forward(&blue)).await.unwrap_err();
    assert_eq!(error, "TargetGroupAssociationLimit");
    let of_web = bench.elb.describe_target_groups().load_balancer_arn(&web).send().await.unwrap();
    assert_eq!(of_web.target_groups()[0].load_balancer_arns(), [web]);
    let of_api = bench.elb.describe_target_groups().load_balancer_arn(&api).send().await.unwrap();
    assert!(of_api.target_groups().is_empty());
}

#[tokio::test]
async fn the_same_target_group_can_be_made_twice_and_no_other_one_of_its_name() {
    let bench = Bench::new().await;
    let arn = bench.target_group("blue").await;
    assert_eq!(bench.target_group("blue").await, arn);
    let make = |name: &str, port: i32| {
        let request = bench.elb.create_target_group().name(name).protocol(ProtocolEnum::Http);
        request.port(port).vpc_id(VPC).send()
    };
    assert_eq!(refused(make("blue", 8081).await), "DuplicateTargetGroupName");
    let long = "a".repeat(33);
    for wrong in [long.as_str(), "-blue", "blue-", "blue_1", "blue--1"] {
        assert_eq!(refused(make(wrong, 80).await), "ValidationError", "{wrong}");
    }
    // What was deleted and made again has another ARN.
    bench.elb.delete_target_group().target_group_arn(&arn).send().await.unwrap();
    assert_ne!(bench.target_group("blue").await, arn);
    let answer = bench.elb.describe_target_groups().target_group_arns(&arn).send().await;
    assert_eq!(refused(answer), "TargetGroupNotFound");
}

#[tokio::test]
async fn a_target_group_in_use_is_not_deleted() {
    let bench = Bench::new().await;
    let balancer = bench.application("web").await;
    let blue = bench.target_group("blue").await;
    let listener = bench.listener(&balancer, 80, forward(&blue)).await.unwrap();
    let delete = || bench.elb.delete_target_group().target_group_arn(&blue).send();
    assert_eq!(refused(delete().await), "ResourceInUse");
    bench.elb.delete_listener().listener_arn(&listener).send().await.unwrap();
    delete().await.unwrap();
}

#[tokio::test]
async fn ports_and_priorities_are_given_once() {
    let bench = Bench::new().await;
    let balancer = bench.application("web").await;
    let (blue, green) = (bench.target_group("blue").await, bench.target_group("green").await);
    let listener = bench.listener(&balancer, 80, forward(&blue)).await.unwrap();
    assert_eq!(bench.listener(&balancer, 80, forward(&blue)).await, Ok(listener.clone()));
    let error = bench.listener(&balancer, 80, forward(&green)).await.unwrap_err();
    assert_eq!(error, "DuplicateListener");
    let rule = |priority: i32, text: &str| {
        let request = bench.elb.create_rule().listener_arn(&listener).priority(priority);
        request.conditions(path(text)).actions(forward(&green)).send()
    };
    let first = rule(10, "/a").await.unwrap().rules()[0].rule_arn().unwrap().to_owned();
    assert_eq!(refused(rule(10, "/a").await), "PriorityInUse");
    let second = rule(20, "/b").await.unwrap().rules()[0].rule_arn().unwrap().to_owned();
    assert_eq!(refused(rule(0, "/c").await), "ValidationError");

    // Two rules can change places in one call, and stay the ones that they are.
    let pair = |arn: &str, priority: i32| {
        RulePriorityPair::builder().rule_arn(arn).priority(priority).build()
    };
    let request = bench.elb.set_rule_priorities();
    request
        .rule_priorities(pair(&first, 20))
        .rule_priorities(pair(&second, 10))
        .send()
        .await
        .unwrap();
    let request = bench.elb.set_rule_priorities().rule_priorities(pair(&first, 10));
    assert_eq!(refused(request.send().await), "PriorityInUse");
    let rules = bench.elb.describe_rules().listener_arn(&listener).send().await.unwrap();
    let shown: Vec<_> = rules.rules().iter().map(|rule| rule.priority().unwrap()).collect();
    assert_eq!(shown, ["10", "20", "default"]);
    assert_eq!(rules.rules()[0].rule_arn(), Some(second.as_str()));
    assert_eq!(rules.rules()[0].conditions()[0].values(), ["/b"]);
    let config = rules.rules()[0].conditions()[0].path_pattern_config().unwrap();
    assert_eq!(config.values(), ["/b"]);

    // The default rule is the listener's.
    let default = rules.rules()[2].rule_arn().unwrap();
    let answer = bench.elb.modify_rule().rule_arn(default).actions(forward(&green)).send().await;
    assert_eq!(refused(answer), "OperationNotPermitted");
    let answer = bench.elb.delete_rule().rule_arn(default).send().await;
    assert_eq!(refused(answer), "OperationNotPermitted");
}

#[tokio::test]
async fn what_is_not_said_of_a_listener_stays_as_it_is() {
    let bench = Bench::new().await;
    let balancer = bench.application("web").await;
    let (blue, green) = (bench.target_group("blue").await, bench.target_group("green").await);
    let listener =
        bench.listener(&balancer, 80, weighted(&[(&blue, 1), (&green, 2)])).await.unwrap();
    let answer = bench.elb.modify_listener().listener_arn(&listener).port(81).send().await.unwrap();
    let changed = &answer.listeners()[0];
    assert_eq!((changed.port(), changed.listener_arn()), (Some(81), Some(listener.as_str())));
    let config = changed.default_actions()[0].forward_config().unwrap();
    assert_eq!(config.target_groups().len(), 2);
    assert_eq!(changed.default_actions()[0].target_group_arn(), None);
    // A list is replaced whole.
    let request =
        bench.elb.modify_listener().listener_arn(&listener).default_actions(forward(&green));
    let answer = request.send().await.unwrap();
    let action = &answer.listeners()[0].default_actions()[0];
    assert_eq!(action.target_group_arn(), Some(green.as_str()));
    assert_eq!(action.forward_config().unwrap().target_groups().len(), 1);
}

#[tokio::test]
async fn weights_and_their_target_groups_have_limits() {
    let bench = Bench::new().await;
    let balancer = bench.application("web").await;
    let mut groups = vec![];
    for number in 0..6 {
        groups.push(bench.target_group(&format!("group-{number}")).await);
    }
    let (blue, green) = (groups[0].as_str(), groups[1].as_str());
    let all: Vec<_> = groups.iter().map(|arn| (arn.as_str(), 1)).collect();
    let listen = |action: Action| bench.listener(&balancer, 80, action);
    assert_eq!(listen(weighted(&all)).await.unwrap_err(), "TooManyTargetGroups");
    assert_eq!(listen(weighted(&[(blue, 1000), (green, 1)])).await.unwrap_err(), "ValidationError");
    assert_eq!(listen(weighted(&[(blue, -1), (green, 1)])).await.unwrap_err(), "ValidationError");
    assert_eq!(listen(forward("arn:aws:nothing")).await.unwrap_err(), "TargetGroupNotFound");
    let sticky = TargetGroupAttribute::builder().key("stickiness.enabled").value("true").build();
    let request = bench.elb.modify_target_group_attributes().target_group_arn(blue);
    request.attributes(sticky).send().await.unwrap();
    let error = listen(weighted(&[(blue, 1), (green, 1)])).await.unwrap_err();
    assert_eq!(error, "InvalidConfigurationRequest");
    listen(forward(blue)).await.unwrap();
}

#[tokio::test]
async fn protocols_must_fit() {
    use ProtocolEnum::{Http, Https, Tcp};
    let bench = Bench::new().await;
    let web = bench.application("web").await;
    let net = bench.load_balancer("net", LoadBalancerTypeEnum::Network).await;
    let http = bench.target_group("http").await;
    let tcp = bench.target_group_of("tcp", ProtocolEnum::Tcp).await;
    let error = bench.listener_of(&web, Http, 80, forward(&tcp)).await.unwrap_err();
    assert_eq!(error, "IncompatibleProtocols");
    let error = bench.listener_of(&net, Http, 80, forward(&http)).await.unwrap_err();
    assert_eq!(error, "UnsupportedProtocol");
    let error = bench.listener_of(&web, Https, 443, forward(&http)).await.unwrap_err();
    assert_eq!(error, "ValidationError", "it has no certificate");
    bench.listener_of(&net, Tcp, 80, forward(&tcp)).await.unwrap();
}

#[tokio::test]
async fn network_load_balancers_have_few_rules_and_no_late_security_groups() {
    let bench = Bench::new().await;
    let net = bench.load_balancer("net", LoadBalancerTypeEnum::Network).await;
    let tcp = bench.target_group_of("tcp", ProtocolEnum::Tcp).await;
    let listener = bench.listener_of(&net, ProtocolEnum::Tcp, 80, forward(&tcp)).await.unwrap();
    let rule = |condition: RuleCondition| {
        let request = bench.elb.create_rule().listener_arn(&listener).priority(1);
        request.conditions(condition).actions(forward(&tcp)).send()
    };
    assert_eq!(refused(rule(path("/a")).await), "InvalidConfigurationRequest");
    let config = SourceIpConditionConfig::builder().ip_address_type("ipv6".into()).build();
    let family = RuleCondition::builder().field("source-ip").source_ip_config(config).build();
    assert_eq!(refused(rule(family.clone()).await), "InvalidConfigurationRequest");
    let request = bench.elb.set_ip_address_type().load_balancer_arn(&net);
    request.ip_address_type("dualstack".into()).send().await.unwrap();
    rule(family).await.unwrap();

    // The security group of an application load balancer, which was made with it.
    let web = bench.application("web").await;
    let found = bench.elb.describe_load_balancers().load_balancer_arns(&web).send().await.unwrap();
    let group = found.load_balancers()[0].security_groups()[0].clone();
    let set = |arn: &str| {
        bench.elb.set_security_groups().load_balancer_arn(arn).security_groups(&group).send()
    };
    assert_eq!(refused(set(&net).await), "InvalidConfigurationRequest");
    set(&web).await.unwrap();
}

#[tokio::test]
async fn a_call_describes_at_most_twenty_and_a_page_is_as_long_as_it_is_told() {
    let bench = Bench::new().await;
    let mut arns = vec![];
    for number in 0..21 {
        arns.push(bench.target_group(&format!("group-{number}")).await);
    }
    let request = bench.elb.describe_target_groups().set_target_group_arns(Some(arns.clone()));
    assert_eq!(refused(request.send().await), "ValidationError");
    let request = bench.elb.describe_tags().set_resource_arns(Some(arns.clone()));
    assert_eq!(refused(request.send().await), "ValidationError");
    let request = bench.elb.describe_target_groups().page_size(401);
    assert_eq!(refused(request.send().await), "ValidationError");
    let mut pages = bench.elb.describe_target_groups().page_size(8).into_paginator().send();
    let mut found = vec![];
    while let Some(page) = pages.next().await {
        let groups = page.unwrap().target_groups.unwrap_or_default();
        assert!(groups.len() <= 8);
        found.extend(groups.into_iter().filter_map(|one| one.target_group_arn));
    }
    found.sort();
    arns.sort();
    assert_eq!(found, arns);
}

#[tokio::test]
async fn calls_are_limited_as_published() {
    let bench = Bench::with(Options::default()).await;
    let blue = bench.target_group("blue").await;
    let tag = || {
        let tag = Tag::builder().key("k").value("v").build();
        bench.elb.add_tags().resource_arns(&blue).tags(tag).send()
    };
    let mut taken = 1;
    let error = loop {
        match tag().await {
            Ok(_) => taken += 1,
            Err(error) => break error,
        }
    };
    assert!((20..25).contains(&taken), "{taken} calls passed");
    assert_eq!(code(error), "ThrottlingException");
    // Reads have what is left of the account's bucket.
    bench.elb.describe_target_groups().send().await.unwrap();
}

#[tokio::test]
async fn tags_stay_with_what_they_were_put_on() {
    let bench = Bench::new().await;
    let balancer = bench.application("web").await;
    let blue = bench.target_group("blue").await;
    let listener = bench.listener(&balancer, 80, forward(&blue)).await.unwrap();
    let request = bench.elb.create_rule().listener_arn(&listener).priority(1);
    let rule = request.conditions(path("/a")).actions(forward(&blue));
    let rule = rule.tags(Tag::builder().key("team").value("a").build()).send().await.unwrap();
    let rule = rule.rules()[0].rule_arn().unwrap().to_owned();
    let tag = Tag::builder().key("env").value("").build();
    let request = bench.elb.add_tags().resource_arns(&rule).resource_arns(&listener).tags(tag);
    request.send().await.unwrap();
    bench.elb.remove_tags().resource_arns(&rule).tag_keys("team").send().await.unwrap();
    let request = bench.elb.describe_tags().resource_arns(&rule).resource_arns(&listener);
    let found = request.resource_arns(&blue).send().await.unwrap();
    let keys = found
        .tag_descriptions()
        .iter()
        .map(|one| one.tags().iter().filter_map(|tag| tag.key()).collect::<Vec<_>>());
    assert_eq!(keys.collect::<Vec<_>>(), [vec!["env"], vec!["env"], vec![]]);
    let request = bench.elb.describe_tags().resource_arns(rule.replace("/web/", "/other/"));
    assert_eq!(refused(request.send().await), "RuleNotFound");
}

/// Does what an upgrade does to load balancing and alarms.
async fn drive(
    cloud: &(
         impl ReadTargetGroups
         + WriteTargetGroups
         + WriteLoadBalancers
         + ReadLoadBalancers
         + WriteTags
         + ReadTags
         + WriteAlarms
     ),
) {
    let mut settings =
        cloud.target_group_settings(&name("blue")).await.expect("it is read").expect("it is there");
    settings.tags.insert("bluegreen:color".to_owned(), "green".to_owned());
    cloud.create_target_group(&name("green"), &settings).await.expect("it is made");
    let weights = [(name("blue"), 100), (name("green"), 0)].into();
    let forward = Forward::new(weights, None).expect("they are weights");
    let route = RouteKey::default_of(key(80));
    let actions = cloud.routes(std::slice::from_ref(&route)).await.expect("it is done");
    let actions = actions[&route].with_forward(&forward);
    cloud.set_route(&route, &actions).await.expect("it is done");
    let idle = ListenerSettings {
        protocol: "HTTP".to_owned(),
        actions: Actions::forward_to(name("green")),
        tags: [("idle".to_owned(), "yes".to_owned())].into(),
        tls: bluegreen_core::model::Opaque::default(),
    };
    cloud.create_listener(&key(18_080), &idle).await.expect("it is done");
    cloud.set_deletion_protection(&key(80).load_balancer, true).await.expect("it is done");
    let tags = [("a".to_owned(), Some("1".to_owned()))].into();
    cloud.set_tags(&ResourceKey::Listener(key(80)), &tags).await.expect("it is done");
    let dimension = |name: &str, value| Dimension { name: name.to_owned(), value };
    let alarm = Alarm {
        name: AlarmName::new("cpu"),
        dimensions: vec![
            dimension("TargetGroup", DimensionValue::TargetGroup(name("green"))),
            dimension("LoadBalancer", DimensionValue::LoadBalancer(key(80).load_balancer)),
            dimension("Stage", DimensionValue::Literal("live".to_owned())),
        ],
        sets_off: vec![],
        details: Opaque::new(json!({
            "actions_enabled": true,
            "alarm_actions": ["arn:aws:sns:us-east-1:123456789012:ops"],
            "metric": "CPUUtilization",
            "namespace": "AWS/EC2",
            "statistic": "Average",
            "period": 60,
            "evaluation_periods": 2,
            "threshold": 70.5,
            "comparison_operator": "GreaterThanThreshold",
        })),
        uncarried: None,
    };
    cloud.put_alarm(&alarm).await.expect("it is done");
}

#[tokio::test]
async fn the_adapter_makes_over_the_wire_what_it_makes_in_memory() {
    let bench = Bench::new().await;
    let balancer = bench.application("web").await;
    let blue = bench.target_group("blue").await;
    bench.listener(&balancer, 80, forward(&blue)).await.expect("it is done");
    let delay = TargetGroupAttribute::builder()
        .key("deregistration_delay.timeout_seconds")
        .value("15")
        .build();
    let request = bench.elb.modify_target_group_attributes().target_group_arn(&blue);
    request.attributes(delay).send().await.expect("it is done");
    let memory = bench.site().cloud().fork();

    drive(&bench.cloud).await;
    drive(&memory).await;
    assert_eq!(bench.site().cloud().world(), memory.world());

    let (green, missing) = (name("green"), name("nobody"));
    let found = bench.cloud.target_groups(&[green.clone(), missing]).await.expect("it is done");
    assert_eq!(found.len(), 1);
    let settings = bench.cloud.target_group_settings(&green).await.expect("it is done");
    assert_eq!(settings, memory.target_group_settings(&green).await.expect("it is done"));
    let alarms = [AlarmName::new("cpu"), AlarmName::new("nobody")];
    let shown = bench.cloud.alarms(&alarms).await.expect("it is done");
    assert_eq!(shown, memory.alarms(&alarms).await.expect("it is done"));
    bench.cloud.delete_alarm(&alarms[0]).await.expect("it is done");
    bench.cloud.delete_alarm(&alarms[0]).await.expect("it is done");
    assert!(bench.cloud.alarms(&alarms).await.expect("it is done").is_empty());
    bench.cloud.delete_listener(&key(18_080)).await.expect("it is done");
    assert!(bench.cloud.listener_settings(&key(18_080)).await.expect("it is done").is_none());
}

#[tokio::test]
async fn an_alarm_has_the_tags_that_it_was_made_with() {
    const SERVICE: &str = "monitoring";
    let bench = Bench::new().await;
    let url = bench.playground.url();
    let put = |owner: &'static str| {
        let url = url.clone();
        async move {
            let params = [
                ("AlarmName", "cpu"),
                ("Namespace", "AWS/EC2"),
                ("MetricName", "CPUUtilization"),
                ("Statistic", "Average"),
                ("Period", "60"),
                ("EvaluationPeriods", "1"),
                ("Threshold", "80"),
                ("ComparisonOperator", "GreaterThanThreshold"),
                ("Tags.member.1.Key", "owner"),
                ("Tags.member.1.Value", owner),
            ];
            query(&url, SERVICE, "PutMetricAlarm", &params).await.expect("it is answered").status
        }
    };
    let arn = ("ResourceARN", "arn:aws:cloudwatch:us-east-1:123456789012:alarm:cpu");
    let ask = |action: &'static str, more: &'static [(&str, &str)]| {
        let (url, params) = (url.clone(), [&[arn], more].concat());
        async move { query(&url, SERVICE, action, &params).await.expect("it is answered") }
    };
    assert_eq!(ask("ListTagsForResource", &[]).await.status, 404);
    assert_eq!(put("search").await, 200);
    // Another put of the same alarm leaves its tags alone.
    assert_eq!(put("nobody").await, 200);
    let shown = ask("ListTagsForResource", &[]).await.body;
    assert!(shown.contains("<Key>owner</Key><Value>search</Value>"), "{shown}");
    let more = &[("Tags.member.1.Key", "color"), ("Tags.member.1.Value", "blue")];
    assert_eq!(ask("TagResource", more).await.status, 200);
    assert_eq!(ask("UntagResource", &[("TagKeys.member.1", "owner")]).await.status, 200);
    let shown = ask("ListTagsForResource", &[]).await.body;
    assert!(shown.contains("<Value>blue</Value>") && !shown.contains("owner"), "{shown}");
}

#[tokio::test]
async fn what_lags_is_done_and_shown_late() {
    let bench = Bench::new().await;
    let balancer = bench.application("web").await;
    let (blue, green) = (bench.target_group("blue").await, bench.target_group("green").await);
    let listener = bench.listener(&balancer, 80, forward(&blue)).await.expect("it is made");
    let serves = async || {
        let shown = bench.elb.describe_listeners().listener_arns(&listener).send().await;
        let shown = shown.expect("it is there");
        shown.listeners()[0].default_actions()[0].target_group_arn().map(str::to_owned)
    };
    let of = Calls { mutating: true, ..Calls::default() };
    let what = Trouble::Api { of, how: Refusal::Lag { ms: 1500 } };
    let lag = || {
        bench.playground.faults().add(Fault { what: what.clone(), seconds: None, times: Some(1) })
    };
    lag();
    let modify = bench.elb.modify_listener().listener_arn(&listener);
    modify.default_actions(forward(&green)).send().await.expect("it is done");
    let key = RouteKey::default_of(ListenerKey::new(LoadBalancerName::new("web"), 80));
    let done = bench.site().cloud().world().actions(&key).cloned();
    let done = done.as_ref().and_then(Actions::forward).expect("it forwards").weights().clone();
    assert!(done.contains_key(&name("green")), "it is done: {done:?}");
    assert_eq!(serves().await, Some(blue.clone()), "reads do not show it yet");
    tokio::time::sleep(Duration::from_millis(1600)).await;
    assert_eq!(serves().await, Some(green), "and then they do");

    // Making a load balancer takes more than one step: all of them are late.
    lag();
    bench.application("other").await;
    let find = async || bench.elb.describe_load_balancers().names("other").send().await;
    assert_eq!(refused(find().await), "LoadBalancerNotFound");
    tokio::time::sleep(Duration::from_millis(1600)).await;
    find().await.expect("it is there");

    // A call that changes nothing does not hide what was changed before it.
    lag();
    let modify = bench.elb.modify_listener().listener_arn(&listener);
    modify.default_actions(forward(&blue)).send().await.expect("it is done");
    tokio::time::sleep(Duration::from_millis(1600)).await;
    lag();
    let modify = bench.elb.modify_listener().listener_arn(&listener);
    modify.default_actions(forward(&blue)).send().await.expect("it is done");
    assert_eq!(serves().await, Some(blue), "nothing is late");
}
