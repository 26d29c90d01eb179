//! The policy that is written for IAM: without a call, and ready to be given to AWS.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::sandbox::Sandbox;
use crate::stand::{ENV, Stand};

fn policy(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// Returns a statement by its name.
fn statement<'a>(policy: &'a Value, sid: &str) -> Option<&'a Value> {
    policy["Statement"].as_array()?.iter().find(|one| one["Sid"] == sid)
}

#[test]
fn a_policy_is_written_without_credentials() {
    let args = ["iam-policy", "IE-L-NGINX", "--operation", "switch", "--instance-role", "nginx"];
    let text = Sandbox::new().run(&args).well();
    let policy = policy(&text);
    assert_eq!(policy["Version"], "2012-10-17");
    let wanted = json!({
        "Sid": "SwitchListeners", "Effect": "Allow",
        "Action": "elasticloadbalancing:ModifyListener",
        "Resource": "arn:aws:elasticloadbalancing:eu-west-1:444455556666:listener/*/*/*/*",
    });
    assert_eq!(statement(&policy, "SwitchListeners"), Some(&wanted));
    // But for the tag that says who holds a colour, nothing is made.
    let made = text.matches("Create").count();
    assert!(!text.contains("s3:") && made == text.matches("CreateOrUpdateTags").count(), "{text}");
    let deny = statement(&policy, "NeverDeleteLoadBalancers").expect("it is denied");
    assert_eq!((&deny["Effect"], &deny["Resource"]), (&json!("Deny"), &json!("*")));
}

#[test]
fn a_bucket_for_journals_is_part_of_it() {
    let sandbox = Sandbox::new();
    let args = ["iam-policy", "D-WEB", "--operation", "deploy", "--store", "s3://state/blue"];
    let found = policy(&sandbox.run(&args).well());
    let keep = statement(&found, "ReadRuns").expect("runs are read");
    assert_eq!(keep["Action"], json!(["s3:GetObject", "s3:PutObject"]));
    assert_eq!(keep["Resource"], "arn:aws:s3:::state/blue/*");

    let args = ["iam-policy", "D-WEB", "--store", "s3://state/blue?profile=ops", "--part", "1"];
    let said = sandbox.run(&args);
    let note = "the bucket `state` is used as profile `ops`: its permissions are left out\n";
    assert_eq!((said.status, said.stderr.as_str()), (0, note));
    assert!(!said.stdout.contains("s3:"), "{}", said.stdout);
}

#[test]
fn what_is_no_operation_is_wrong_usage() {
    let sandbox = Sandbox::new();
    let said = sandbox.run(&["iam-policy", "D-WEB", "--operation", "juggle"]);
    assert_eq!((said.status, said.stdout.as_str()), (2, ""));
    let wanted = "`juggle` is none of status, upgrade, deploy, switch, scaledown, downgrade, \
                  orphans, doctor";
    assert!(said.stderr.contains(wanted), "{}", said.stderr);
    let said = sandbox.run(&["iam-policy", "D-WEB", "--part", "9"]);
    assert_eq!(said.status, 2, "{said:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_look_at_the_environment_narrows_it() {
    let stand = Stand::new().await;
    // It may say beside that it is long for one policy.
    let said = stand.run(&["iam-policy", ENV, "--narrow", "--operation", "upgrade"]).await;
    assert_eq!(said.status, 0, "{said:?}");
    let policy = policy(&said.stdout);
    let resources = |sid: &str| -> BTreeSet<String> {
        let found = &statement(&policy, sid).expect("a statement")["Resource"];
        let one = found.as_str().map(str::to_owned);
        let many = found.as_array().into_iter().flatten().filter_map(Value::as_str);
        one.into_iter().chain(many.map(str::to_owned)).collect()
    };
    let arn = |rest: &str| format!("arn:aws:elasticloadbalancing:us-east-1:123456789012:{rest}");
    assert_eq!(resources("MakeIdleListeners"), [arn("loadbalancer/*/web/*")].into());
    let green = ["targetgroup/web-http-green/*", "targetgroup/web-https-green/*"].map(arn);
    assert_eq!(resources("MakeTargetGroups"), green.into());
    assert!(stand.calls().iter().all(|call| !call.mutating));
}
