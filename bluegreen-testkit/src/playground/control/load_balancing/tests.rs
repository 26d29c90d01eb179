//! What can be shown without a client: health, and that both faces show one world.

use std::time::Duration;

use bluegreen_core::cloud::{ReadTargetGroups, WriteTargetGroups};
use bluegreen_core::model::{
    HealthState, InstanceId, ListenerKey, LoadBalancerName, TargetGroupName,
};

use super::super::{Call, Params, WireError};
use crate::fake::{FakeCloud, Thresholds};
use crate::playground::site::Site;

const HERE: &str = "arn:aws:elasticloadbalancing:us-east-1:123456789012";

struct Bench {
    site: Site,
}

impl Bench {
    /// Makes a load balancer `web` and target groups `blue` and `green`, with a machine each.
    fn new() -> Self {
        let bench =
            Self { site: Site::new("123456789012", "us-east-1", 10, 0, FakeCloud::default()) };
        bench.done(
            "CreateLoadBalancer",
            "Name=web&Subnets.member.1=subnet-0000000a&Subnets.member.2=subnet-0000000b",
        );
        for name in ["blue", "green"] {
            bench.done(
                "CreateTargetGroup",
                &format!("Name={name}&Protocol=HTTP&Port=8080&VpcId=vpc-00000001"),
            );
            bench.site.cloud().register_stray(&group(name), &machine(name));
        }
        bench
    }

    fn call(&self, action: &str, form: &str) -> Result<String, WireError> {
        let params = Params::read(form.as_bytes());
        let call = Call { site: &self.site, action, params: &params };
        super::answer(&call).map(|xml| xml.document("R", "n"))
    }

    #[track_caller]
    fn done(&self, action: &str, form: &str) -> String {
        self.call(action, form).unwrap()
    }

    /// Returns the first ARN of a kind in the answer to a call.
    fn arn(&self, action: &str, form: &str, kind: &str) -> String {
        let answer = self.done(action, form);
        let begin = answer.find(&format!("{HERE}:{kind}/")).expect("there is one");
        let arn = &answer[begin..];
        arn[..arn.find('<').expect("it ends")].to_owned()
    }

    fn target_group(&self, name: &str) -> String {
        self.arn("DescribeTargetGroups", &format!("Names.member.1={name}"), "targetgroup")
    }

    /// Listens on port 80; returns the ARN of the listener.
    fn listen(&self, name: &str) -> String {
        let balancer = self.arn("DescribeLoadBalancers", "", "loadbalancer");
        let group = self.target_group(name);
        let form = format!(
            "LoadBalancerArn={balancer}&Protocol=HTTP&Port=80&DefaultActions.member.1.Type=forward&DefaultActions.member.1.TargetGroupArn={group}"
        );
        self.arn("CreateListener", &form, "listener")
    }

    fn forward(&self, listener: &str, name: &str) {
        let group = self.target_group(name);
        self.done("ModifyListener", &format!(
            "ListenerArn={listener}&DefaultActions.member.1.Type=forward&DefaultActions.member.1.TargetGroupArn={group}"
        ));
    }

    fn state(&self, name: &str) -> (HealthState, Option<String>) {
        let health = self.site.cloud().health(&group(name));
        (health[0].state, health[0].reason.clone())
    }

    fn check(&self, name: &str, passed: bool) -> HealthState {
        let thresholds = Thresholds { healthy: 3, unhealthy: 2 };
        self.site.cloud().report_check(&group(name), &machine(name), passed, thresholds);
        self.state(name).0
    }
}

fn group(name: &str) -> TargetGroupName {
    TargetGroupName::new(name)
}

fn machine(name: &str) -> InstanceId {
    InstanceId::new(format!("i-{name}"))
}

#[tokio::test]
async fn health_is_earned_once_and_forgotten_with_the_last_route() {
    let bench = Bench::new();
    assert_eq!(bench.state("blue"), (HealthState::Unused, Some("Target.NotInUse".to_owned())));
    let listener = bench.listen("blue");
    assert_eq!(bench.state("blue").0, HealthState::Initial);
    assert_eq!(bench.check("blue", true), HealthState::Healthy);
    bench.forward(&listener, "green");
    assert_eq!(bench.state("blue").0, HealthState::Unused);
    bench.forward(&listener, "blue");
    assert_eq!(bench.state("blue").0, HealthState::Initial);
}

#[tokio::test]
async fn thresholds_count_checks_in_a_row() {
    use HealthState::{Healthy, Unhealthy};
    let bench = Bench::new();
    bench.listen("blue");
    let checks = [
        (true, Healthy),
        (false, Healthy),
        (true, Healthy),
        (false, Healthy),
        (false, Unhealthy),
        (true, Unhealthy),
        (true, Unhealthy),
        (true, Healthy),
    ];
    for (passed, then) in checks {
        assert_eq!(bench.check("blue", passed), then);
    }
}

#[tokio::test(start_paused = true)]
async fn a_target_drains_for_the_whole_delay_and_may_come_back_meanwhile() {
    let bench = Bench::new();
    bench.listen("blue");
    bench.check("blue", true);
    let target =
        format!("TargetGroupArn={}&Targets.member.1.Id=i-blue", bench.target_group("blue"));
    bench.done("DeregisterTargets", &target);
    tokio::time::advance(Duration::from_secs(299)).await;
    assert!(bench.done("DescribeTargetHealth", &target).contains("<State>draining</State>"));
    bench.done("RegisterTargets", &target);
    assert_eq!(bench.state("blue").0, HealthState::Initial);
    bench.done("DeregisterTargets", &target);
    tokio::time::advance(Duration::from_secs(301)).await;
    assert!(bench.done("DescribeTargetHealth", &target).contains("Target.NotRegistered"));
}

#[tokio::test]
async fn a_clone_over_the_wire_is_a_clone_in_memory() {
    let bench = Bench::new();
    let settings = bench.site.cloud().target_group_settings(&group("blue")).await.unwrap().unwrap();
    let memory = bench.site.cloud().fork();
    memory.create_target_group(&group("copy"), &settings).await.unwrap();
    bench.done("CreateTargetGroup", "Name=copy&Protocol=HTTP&Port=8080&VpcId=vpc-00000001");
    assert_eq!(bench.site.cloud().world(), memory.world());
}

#[tokio::test]
async fn a_listener_that_goes_to_another_port_stays_the_one_it_is() {
    let bench = Bench::new();
    let listener = bench.listen("blue");
    let rule = bench.arn(
        "CreateRule",
        &format!("ListenerArn={listener}&Priority=7&Conditions.member.1.Field=path-pattern&Conditions.member.1.Values.member.1=/a&Actions.member.1.Type=fixed-response&Actions.member.1.FixedResponseConfig.StatusCode=404"),
        "listener-rule",
    );
    let answer = bench.done("ModifyListener", &format!("ListenerArn={listener}&Port=8080"));
    assert!(answer.contains(&format!("<ListenerArn>{listener}</ListenerArn>")), "{answer}");
    let answer = bench.done("DescribeRules", &format!("RuleArns.member.1={rule}"));
    assert!(answer.contains("<Priority>7</Priority>"), "{answer}");
    let key = ListenerKey::new(LoadBalancerName::new("web"), 8080);
    assert_eq!(bench.site.cloud().world().listener(&key).unwrap().rules.len(), 1);
    // What is deleted and made again is another one.
    bench.done("DeleteListener", &format!("ListenerArn={listener}"));
    let again = bench.listen("blue");
    assert_ne!(again, listener);
    let error = bench.call("DescribeListeners", &format!("ListenerArns.member.1={listener}"));
    assert_eq!(error.unwrap_err().code, "ListenerNotFound");
}

#[tokio::test]
async fn a_secret_is_asked_for_once_and_never_shown() {
    let bench = Bench::new();
    let listener = bench.listen("blue");
    let group = bench.target_group("blue");
    let action = |secret: &str| {
        format!(
            "ListenerArn={listener}&DefaultActions.member.1.Type=authenticate-oidc&DefaultActions.member.1.Order=1\
         &DefaultActions.member.1.AuthenticateOidcConfig.Issuer=https://id&DefaultActions.member.1.AuthenticateOidcConfig.AuthorizationEndpoint=https://id/a\
         &DefaultActions.member.1.AuthenticateOidcConfig.TokenEndpoint=https://id/t&DefaultActions.member.1.AuthenticateOidcConfig.UserInfoEndpoint=https://id/u\
         &DefaultActions.member.1.AuthenticateOidcConfig.ClientId=web&DefaultActions.member.1.AuthenticateOidcConfig.{secret}\
         &DefaultActions.member.1.AuthenticateOidcConfig.AuthenticationRequestExtraParams.entry.1.key=prompt\
         &DefaultActions.member.1.AuthenticateOidcConfig.AuthenticationRequestExtraParams.entry.1.value=login\
         &DefaultActions.member.2.Type=forward&DefaultActions.member.2.Order=2&DefaultActions.member.2.TargetGroupArn={group}"
        )
    };
    let kept = "UseExistingClientSecret=true";
    for missing in ["Scope=openid", kept] {
        assert_eq!(
            bench.call("ModifyListener", &action(missing)).unwrap_err().code,
            "InvalidLoadBalancerAction"
        );
    }
    let shown = bench.done("ModifyListener", &action("ClientSecret=hunter2"));
    assert!(shown.contains("<entry><key>prompt</key><value>login</value></entry>"), "{shown}");
    assert!(!shown.contains("hunter2"));
    assert_eq!(bench.done("ModifyListener", &action(kept)), shown);
    let facts = serde_json::to_string(&*bench.site.facts()).unwrap();
    let world = serde_json::to_string(&bench.site.cloud().world()).unwrap();
    assert!(!facts.contains("hunter2") && !world.contains("hunter2"));
}
