//! An application load balancer that years of hands have shaped: every sort of rule, of condition
//! and of action, mutual TLS and several certificates. A switch changes the target groups, and
//! nothing else.

use std::time::Duration;

use bluegreen_core::model::{
    AccountId, EnvironmentName, HealthStrategy, ImageId, Quiet, ScalingGroupName,
};
use bluegreen_core::operation::{Bluegreen, Done, EnvironmentSpec, Operation};
use bluegreen_core::plan::{DeployOptions, DeploySource, SwitchOptions, UpgradeOptions, Waits};
use bluegreen_core::transaction::{Ending, Policy};
use bluegreen_testkit::MemoryStore;

use crate::playground_world::{PlaygroundWorld, inside};

const WAITS: Waits = Waits { timeout: Duration::from_mins(1), poll: Duration::from_millis(200) };
const SECRET: &str = "hunter2";

/// A rule: its condition and its actions, as a request says them.
struct Rule {
    condition: &'static [(&'static str, &'static str)],
    actions: &'static [(&'static str, &'static str)],
}

/// `TG` stands for the target group of the service, `OTHER` for one of somebody else.
const RULES: [Rule; 8] = [
    Rule {
        condition: &[("Field", "host-header"), ("HostHeaderConfig.Values.member.1", "a.example")],
        actions: &[
            ("member.1.Type", "authenticate-oidc"),
            ("member.1.Order", "1"),
            ("member.1.AuthenticateOidcConfig.Issuer", "https://id.example"),
            ("member.1.AuthenticateOidcConfig.AuthorizationEndpoint", "https://id.example/a"),
            ("member.1.AuthenticateOidcConfig.TokenEndpoint", "https://id.example/t"),
            ("member.1.AuthenticateOidcConfig.UserInfoEndpoint", "https://id.example/u"),
            ("member.1.AuthenticateOidcConfig.ClientId", "web"),
            ("member.1.AuthenticateOidcConfig.ClientSecret", SECRET),
            ("member.1.AuthenticateOidcConfig.SessionTimeout", "3600"),
            ("member.2.Type", "forward"),
            ("member.2.Order", "2"),
            ("member.2.TargetGroupArn", "TG"),
        ],
    },
    Rule {
        condition: &[
            ("Field", "query-string"),
            ("QueryStringConfig.Values.member.1.Key", "v"),
            ("QueryStringConfig.Values.member.1.Value", "2"),
        ],
        actions: &[
            ("member.1.Type", "authenticate-cognito"),
            ("member.1.Order", "1"),
            (
                "member.1.AuthenticateCognitoConfig.UserPoolArn",
                "arn:aws:cognito-idp:us-east-1:123456789012:userpool/x",
            ),
            ("member.1.AuthenticateCognitoConfig.UserPoolClientId", "web"),
            ("member.1.AuthenticateCognitoConfig.UserPoolDomain", "login"),
            ("member.2.Type", "forward"),
            ("member.2.Order", "2"),
            ("member.2.TargetGroupArn", "TG"),
        ],
    },
    Rule {
        condition: &[
            ("Field", "http-request-method"),
            ("HttpRequestMethodConfig.Values.member.1", "PUT"),
        ],
        actions: &[
            ("member.1.Type", "jwt-validation"),
            ("member.1.Order", "1"),
            ("member.1.JwtValidationConfig.JwksEndpoint", "https://id.example/keys"),
            ("member.1.JwtValidationConfig.Issuer", "https://id.example"),
            ("member.2.Type", "forward"),
            ("member.2.Order", "2"),
            ("member.2.TargetGroupArn", "TG"),
        ],
    },
    Rule {
        condition: &[
            ("Field", "http-header"),
            ("HttpHeaderConfig.HttpHeaderName", "X-Stage"),
            ("HttpHeaderConfig.Values.member.1", "next"),
        ],
        actions: &[("member.1.Type", "forward"), ("member.1.TargetGroupArn", "TG")],
    },
    Rule {
        condition: &[("Field", "source-ip"), ("SourceIpConfig.Values.member.1", "192.0.2.0/24")],
        actions: &[
            ("member.1.Type", "forward"),
            ("member.1.ForwardConfig.TargetGroups.member.1.TargetGroupArn", "TG"),
            ("member.1.ForwardConfig.TargetGroups.member.1.Weight", "70"),
            ("member.1.ForwardConfig.TargetGroups.member.2.TargetGroupArn", "OTHER"),
            ("member.1.ForwardConfig.TargetGroups.member.2.Weight", "30"),
            ("member.1.ForwardConfig.TargetGroupStickinessConfig.Enabled", "true"),
            ("member.1.ForwardConfig.TargetGroupStickinessConfig.DurationSeconds", "120"),
        ],
    },
    Rule {
        condition: &[("Field", "path-pattern"), ("PathPatternConfig.Values.member.1", "/other/*")],
        actions: &[("member.1.Type", "forward"), ("member.1.TargetGroupArn", "OTHER")],
    },
    Rule {
        condition: &[("Field", "path-pattern"), ("PathPatternConfig.Values.member.1", "/old/*")],
        actions: &[
            ("member.1.Type", "redirect"),
            ("member.1.RedirectConfig.Path", "/new"),
            ("member.1.RedirectConfig.StatusCode", "HTTP_302"),
        ],
    },
    Rule {
        condition: &[("Field", "path-pattern"), ("PathPatternConfig.Values.member.1", "/none")],
        actions: &[
            ("member.1.Type", "fixed-response"),
            ("member.1.FixedResponseConfig.StatusCode", "404"),
            ("member.1.FixedResponseConfig.MessageBody", "nothing here"),
        ],
    },
];

const ELB: &str = "elasticloadbalancing";

/// The ARNs that a test needs.
struct Arns {
    listener: String,
    blue: String,
    other: String,
}

async fn shaped(world: &PlaygroundWorld) -> Arns {
    let listener = world.listener(443).await;
    let blue = world.call(ELB, "DescribeTargetGroups", &[("Names.member.1", "web-https")]).await;
    let (blue, vpc) = (inside(&blue, "TargetGroupArn"), inside(&blue, "VpcId"));
    let other = [("Name", "other"), ("Protocol", "HTTP"), ("Port", "8080"), ("VpcId", &*vpc)];
    let other = inside(&world.call(ELB, "CreateTargetGroup", &other).await, "TargetGroupArn");
    let certificate = |name: &str| format!("arn:aws:acm:us-east-1:123456789012:certificate/{name}");
    for name in ["second", "third"] {
        let certificate = certificate(name);
        let more =
            [("ListenerArn", &*listener), ("Certificates.member.1.CertificateArn", &*certificate)];
        world.call(ELB, "AddListenerCertificates", &more).await;
    }
    let mutual = [
        ("ListenerArn", &*listener),
        ("SslPolicy", "ELBSecurityPolicy-TLS13-1-2-2021-06"),
        ("MutualAuthentication.Mode", "passthrough"),
    ];
    world.call(ELB, "ModifyListener", &mutual).await;
    for (nth, rule) in RULES.iter().enumerate() {
        let priority = (100 + nth).to_string();
        let mut params =
            vec![("ListenerArn".to_owned(), listener.clone()), ("Priority".to_owned(), priority)];
        let conditions = rule.condition.iter();
        params.extend(
            conditions
                .map(|(key, value)| (format!("Conditions.member.1.{key}"), (*value).to_owned())),
        );
        params.extend(rule.actions.iter().map(|(key, value)| {
            let value = match *value {
                "TG" => blue.clone(),
                "OTHER" => other.clone(),
                value => value.to_owned(),
            };
            (format!("Actions.{key}"), value)
        }));
        if nth == 3 {
            let transform =
                |key: &str, value: &str| (format!("Transforms.member.1.{key}"), value.to_owned());
            params.push(transform("Type", "url-rewrite"));
            params.push(transform("UrlRewriteConfig.Rewrites.member.1.Regex", "^/a/(.*)"));
            params.push(transform("UrlRewriteConfig.Rewrites.member.1.Replace", "/b/$1"));
        }
        let params: Vec<(&str, &str)> =
            params.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        world.call(ELB, "CreateRule", &params).await;
    }
    Arns { listener, blue, other }
}

/// Everything that AWS tells of the listener, without the ids of the requests.
async fn described(world: &PlaygroundWorld, arns: &Arns) -> Vec<String> {
    let mut all = Vec::new();
    for (action, key) in [
        ("DescribeRules", "ListenerArn"),
        ("DescribeListeners", "ListenerArns.member.1"),
        ("DescribeListenerCertificates", "ListenerArn"),
    ] {
        let body = world.call(ELB, action, &[(key, &*arns.listener)]).await;
        let (told, _) = body.split_once("<ResponseMetadata>").expect("it ends with that");
        all.push(told.to_owned());
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn a_switch_changes_the_target_groups_of_every_sort_of_rule_and_nothing_else() {
    for health in [HealthStrategy::IdleListener, HealthStrategy::TestRule { sources: vec![] }] {
        let world = PlaygroundWorld::new().await;
        let arns = shaped(&world).await;
        let before = described(&world, &arns).await;
        let secrets = |world: &PlaygroundWorld| {
            let world = serde_json::to_string(&world.fake().world()).expect("it is plain data");
            world.matches(SECRET).count()
        };
        let kept = secrets(&world);
        let spec = EnvironmentSpec::new(
            EnvironmentName::new("PLAY"),
            AccountId::new(&world.stack.account),
            ScalingGroupName::new(&world.stack.scaling_group),
            "18080-18099".parse().expect("a range"),
        )
        .with_health(health.clone())
        .with_quiet(Quiet { window: Duration::from_secs(2), unmeasured: false });
        let image = Some(ImageId::new(&world.stack.images[0]));
        let source = DeploySource::Edit { image, user_data: None };
        let policy = Policy {
            settle: Duration::from_secs(1),
            reread: Duration::from_secs(2),
            ..Policy::default()
        };
        let store = MemoryStore::new();
        let bluegreen = Bluegreen::new(world.cloud.clone(), store.clone()).with_policy(policy);
        let mut tests = 0;
        for operation in [
            Operation::Upgrade(UpgradeOptions::default()),
            Operation::Deploy(DeployOptions::new(source).with_waits(WAITS)),
            Operation::Switch(SwitchOptions::default().with_waits(WAITS)),
        ] {
            let done = bluegreen.run(&spec, &operation).await;
            let done = done.unwrap_or_else(|error| panic!("{health}: {error:?}"));
            let Done::Ran(outcome) = done else { panic!("there was nothing to do") };
            assert_eq!(outcome.ending, Ending::Committed);
            if tests == 0 && matches!(health, HealthStrategy::TestRule { .. }) {
                tests = described(&world, &arns).await[0].matches("X-Bluegreen-Test").count();
                assert_eq!(tests, 2);
            }
        }
        let green =
            world.call(ELB, "DescribeTargetGroups", &[("Names.member.1", "web-https-green")]).await;
        let green = inside(&green, "TargetGroupArn");
        let after = described(&world, &arns).await;
        let is_there = |text: &str| after[0].contains(text);
        assert!(is_there(&green) && is_there(&arns.other), "{health}");
        let as_blue: Vec<String> =
            after.iter().map(|told| told.replace(&green, &arns.blue)).collect();
        for (told, was) in as_blue.iter().zip(&before) {
            // Test rules come first, and are ours.
            let told = without_tests(told);
            assert_eq!(told, sorted(was), "{health}");
        }
        // A secret that is not sent is kept where it is, and is never told.
        assert_eq!(secrets(&world), kept, "{health}");
        let journals = serde_json::to_string(&store.lines()).expect("they are lines");
        assert!(!journals.contains(SECRET), "{health}");
    }
}

/// Returns the members of a list one by one, whatever their order.
fn sorted(told: &str) -> Vec<String> {
    let mut members: Vec<String> = told.split("<RuleArn>").map(weights_sorted).collect();
    members.sort();
    members
}

fn without_tests(told: &str) -> Vec<String> {
    let mut members = sorted(told);
    members.retain(|member| !member.contains("X-Bluegreen-Test"));
    members
}

/// The order of weighted target groups has no meaning.
fn weights_sorted(member: &str) -> String {
    let mut tuples: Vec<&str> = member.split("<TargetGroupArn>").collect();
    tuples.sort_unstable();
    tuples.concat()
}
