//! What is live, in the words of those who keep the rest as code.

use std::collections::BTreeMap;

use bluegreen_testkit::emulator::{Fault, Trigger, query};
use serde_json::{Value, json};

use crate::sandbox::Sandbox;
use crate::stand::{ENV, Stand};

const SOON: [&str; 2] = ["--poll", "100ms"];

async fn tfvars(stand: &Stand) -> Value {
    let text = stand.run(&["status", "--output", "tfvars"]).await.well();
    let all: Value = serde_json::from_str(&text).expect("variables are JSON");
    all["bluegreen"][ENV].clone()
}

/// Returns the parameters by name; each line is one that AWS's command line takes.
async fn parameters(stand: &Stand) -> BTreeMap<String, String> {
    let text = stand.run(&["status", ENV, "--output", "ssm"]).await.well();
    let parameter = |line: &str| {
        let one: Value = serde_json::from_str(line).expect("a parameter is JSON");
        assert_eq!(one["Overwrite"], true, "{one}");
        assert!(matches!(one["Type"].as_str(), Some("String" | "StringList")), "{one}");
        let text = |key: &str| one[key].as_str().expect("a text").to_owned();
        (text("Name"), text("Value"))
    };
    text.lines().map(parameter).collect()
}

/// Row 13 of what users suffer: after a switch, the next `apply` takes it back. What code is told
/// is what the account has, so that there is nothing to apply.
#[tokio::test(flavor = "multi_thread")]
async fn after_a_switch_code_is_told_what_the_account_has() {
    let stand = Stand::new().await;
    let before = tfvars(&stand).await;
    assert_eq!((&before["live"], &before["upgraded"]), (&json!("blue"), &json!(false)));
    assert_eq!(before["scaling_groups"]["green"], Value::Null);

    stand.make_green().await;
    stand.json(&[&["switch", ENV][..], &SOON].concat()).await;
    let after = tfvars(&stand).await;
    assert_eq!((&after["live"], &after["upgraded"]), (&json!("green"), &json!(true)));
    let url = stand.emulator.url();
    let balancers = query(&url, "elasticloadbalancing", "DescribeLoadBalancers", &[]).await;
    let balancers = balancers.expect("an answer").body;
    let arn = balancers.split_once("<LoadBalancerArn>").expect("there is one").1;
    let of = [("LoadBalancerArn", arn.split('<').next().expect("it ends"))];
    let listeners = query(&url, "elasticloadbalancing", "DescribeListeners", &of).await;
    let listeners = listeners.expect("an answer").body;
    for route in after["routes"].as_array().expect("a list") {
        let name = route["target_group"].as_str().expect("a name");
        assert!(name.ends_with("-green"), "{route}");
        assert!(listeners.contains(&format!(":targetgroup/{name}/")), "{name} is forwarded to");
        assert_eq!(route["weights"], json!({"blue": 0, "green": 100}));
    }
    let groups = query(&url, "autoscaling", "DescribeAutoScalingGroups", &[]).await;
    let groups = groups.expect("an answer").body;
    for color in ["blue", "green"] {
        let group = &after["scaling_groups"][color];
        let name = group["name"].as_str().expect("a name");
        let of =
            groups.split("<AutoScalingGroupName>").find(|one| one.starts_with(&format!("{name}<")));
        let of = of.expect("the account has it");
        for (element, key) in
            [("MinSize", "min"), ("MaxSize", "max"), ("DesiredCapacity", "desired")]
        {
            assert!(
                of.contains(&format!("<{element}>{}</{element}>", group[key])),
                "{name}: {key}"
            );
        }
        let version = group["launch_version"].as_str().expect("a version, in quotes");
        assert!(of.contains(&format!("<Version>{version}</Version>")), "{name}: {version}");
        assert_eq!(group["launch_template"], "web");
    }

    let parameters = parameters(&stand).await;
    let of = |path: &str| parameters.get(&format!("/bluegreen/{ENV}/{path}")).map(String::as_str);
    assert_eq!(of("live"), Some("green"));
    assert_eq!(of("routes/web/80"), Some("web-http-green"));
    assert_eq!(of("routes/web/80/10"), Some("web-http-green"));
    assert_eq!(of("routes/web/443"), Some("web-https-green"));
    assert_eq!(of("green/launch-version"), Some("2"));
    assert_eq!(of("green/target-groups"), Some("web-http-green,web-https-green"));
    assert_eq!(of("blue/scaling-group"), Some("web"));
    assert_eq!(of("blue/desired"), Some("2"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_split_environment_is_not_handed_over() {
    let stand = Stand::new().await;
    stand.make_green().await;
    let refusal = || Fault::refuse(400, "ValidationError", "no such luck");
    stand.proxy.fail(Trigger::action("ModifyRule", 0).onwards(), refusal());
    stand.proxy.fail(Trigger::action("ModifyListener", 2).onwards(), refusal());
    assert_eq!(stand.run(&[&["switch", ENV][..], &SOON].concat()).await.status, 4);
    stand.proxy.heal();
    for format in ["tfvars", "ssm"] {
        let said = stand.run(&["status", "--output", format]).await;
        assert_eq!((said.status, said.stdout.as_str()), (3, ""), "{said:?}");
        assert!(said.stderr.starts_with(&format!("error: environment `{ENV}` is split")));
    }
}

#[test]
fn what_is_handed_over_is_a_status() {
    let said = Sandbox::new().run(&["log", "--output", "tfvars"]);
    assert_eq!((said.status, said.stdout.as_str()), (2, ""));
    let wanted = "error: `--output tfvars` and `--output ssm` are for `status`\n";
    assert!(said.stderr.starts_with(wanted), "{said:?}");
}
