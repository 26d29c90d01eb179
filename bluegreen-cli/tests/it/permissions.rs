//! The policy that is written, on an emulator that enforces it.
//!
//! moto compares actions only: it takes every call for one on `*`, denies whatever has a condition,
//! and names the actions of `CloudWatch` after its endpoint. So resources, conditions and the
//! spelling of these are put right here before it gets the policy, and what they are worth is not
//! shown. Nor is what AWS asks for within other calls (`AddTags` as something is made,
//! `RunInstances`, `PassRole`): moto does not ask.

use std::collections::BTreeSet;

use bluegreen_testkit::emulator::query;
use serde_json::{Value, json};

use crate::sandbox::Said;
use crate::stand::{ENV, Stand};

const SOON: [&str; 2] = ["--poll", "100ms"];

/// A switch resumes one colour and suspends the other at the same time, and each of the two takes
/// the other back: whoever lacks one may be left half way, is told so, and goes on as soon as it
/// is there.
const BOTH_WAYS: [(&str, &str); 4] = [
    ("switch", "autoscaling:ResumeProcesses"),
    ("switch", "autoscaling:SuspendProcesses"),
    // The notes of who holds what, beside them.
    ("switch", "autoscaling:CreateOrUpdateTags"),
    ("switch", "autoscaling:DeleteTags"),
];

/// A stand whose emulator lets a user do what a policy says, and nothing else.
struct Guarded {
    stand: Stand,
    key: String,
    secret: String,
}

impl Guarded {
    async fn new() -> Self {
        let stand = Stand::new().await;
        let url = stand.emulator.url();
        let user = [("UserName", "deployer")];
        query(&url, "iam", "CreateUser", &user).await.expect("an answer");
        let made = query(&url, "iam", "CreateAccessKey", &user).await.expect("an answer").body;
        let text = |element: &str| {
            let rest = made.split_once(&format!("<{element}>")).expect("it is in the answer").1;
            rest.split_once('<').expect("it ends").0.to_owned()
        };
        let (key, secret) = (text("AccessKeyId"), text("SecretAccessKey"));
        Self { stand, key, secret }
    }

    /// Returns the actions that the policy of an operation allows, as moto spells them.
    async fn allowed(&self, operation: &str) -> BTreeSet<String> {
        let args = ["iam-policy", ENV, "--operation", operation];
        // It may say beside that it is long for one policy.
        let said = self.stand.run(&args).await;
        assert_eq!(said.status, 0, "{said:?}");
        let policy: Value = serde_json::from_str(&said.stdout).expect("a policy is JSON");
        let statements = policy["Statement"].as_array().expect("a list").iter();
        let allowing = statements.filter(|one| one["Effect"] == "Allow");
        let actions = allowing.flat_map(|one| match &one["Action"] {
            Value::Array(many) => many.clone(),
            one => vec![one.clone()],
        });
        let spelled =
            |action: Value| action.as_str().expect("a name").replace("cloudwatch:", "monitoring:");
        actions.map(spelled).collect()
    }

    /// Runs the binary as the user, who may do this and nothing else.
    async fn run(&self, actions: &BTreeSet<String>, args: &[&str]) -> Said {
        let document = json!({
            "Version": "2012-10-17",
            "Statement": [{ "Effect": "Allow", "Action": actions, "Resource": "*" }],
        })
        .to_string();
        let params =
            [("UserName", "deployer"), ("PolicyName", "it"), ("PolicyDocument", &*document)];
        let emulator = &self.stand.emulator;
        let put = query(&emulator.url(), "iam", "PutUserPolicy", &params).await;
        assert_eq!(put.expect("an answer").status, 200);
        emulator.enforce_permissions().await.expect("moto can be told");
        let mut command = self.stand.mortal(args);
        command.env("AWS_ACCESS_KEY_ID", &self.key).env("AWS_SECRET_ACCESS_KEY", &self.secret);
        let output = command.output().await.expect("the binary can be run");
        emulator.trust_everybody().await.expect("moto can be told");
        Said::of(&output, &self.stand.sandbox)
    }

    /// Runs an operation with its whole policy; returns what it changed with, as moto spells it.
    async fn succeeds(&self, operation: &str, args: &[&str]) -> BTreeSet<String> {
        let whole = self.allowed(operation).await;
        self.succeeds_with(&whole, args).await
    }

    async fn succeeds_with(&self, whole: &BTreeSet<String>, args: &[&str]) -> BTreeSet<String> {
        self.stand.calls();
        let said = self.run(whole, args).await;
        assert_eq!(said.status, 0, "{args:?} with its own policy: {said:?}");
        let calls = self.stand.calls();
        let changing = calls.iter().filter(|call| call.mutating && call.service != "iam");
        changing.map(|call| format!("{}:{}", call.service, call.action)).collect()
    }

    /// Runs an operation once without each of the actions that it changes something with.
    async fn fails_without_each(&self, operation: &str, args: &[&str], used: &BTreeSet<String>) {
        let whole = self.allowed(operation).await;
        let before = self.stand.json(&["status", ENV]).await;
        for action in used {
            let mut without = whole.clone();
            assert!(without.remove(action), "{action} is not in the policy of {operation}");
            let said = self.run(&without, args).await;
            let named = format!("not authorized to perform: {action}");
            assert!(said.stderr.contains(&named), "{operation} without {action}: {said:?}");
            if said.status == 4 && BOTH_WAYS.contains(&(operation, action.as_str())) {
                let said = self.run(&whole, &["recover"]).await;
                assert_eq!(said.status, 0, "{operation} with {action} again: {said:?}");
            } else {
                assert!(matches!(said.status, 1 | 3), "{operation} without {action}: {said:?}");
            }
            let now = self.stand.json(&["status", ENV]).await;
            assert_eq!(now, before, "{operation} without {action} leaves something");
        }
    }

    /// Takes the last run back, as somebody who may do everything.
    async fn take_back(&self) {
        let log = self.stand.json(&["log", ENV]).await;
        let run = log[0]["run"].as_str().expect("a run").to_owned();
        self.stand.json(&[&["undo", &run][..], &SOON].concat()).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_operation_takes_its_policy_and_each_action_of_it() {
    let guarded = Guarded::new().await;
    let image = guarded.stand.stack.other_image.clone();
    let operations: [(&str, Vec<&str>); 4] = [
        ("upgrade", vec!["upgrade", ENV]),
        ("deploy", [&["deploy", ENV, "--image", &image][..], &SOON].concat()),
        ("switch", [&["switch", ENV][..], &SOON].concat()),
        ("scaledown", [&["scaledown", ENV][..], &SOON].concat()),
    ];
    for (operation, args) in &operations {
        let used = guarded.succeeds(operation, args).await;
        assert!(used.len() > 1, "{operation}: {used:?}");
        guarded.take_back().await;
        guarded.fails_without_each(operation, args, &used).await;
        guarded.succeeds(operation, args).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_downgrade_takes_its_policy_and_each_action_of_it() {
    let guarded = Guarded::new().await;
    guarded.stand.json(&["upgrade", ENV]).await;
    let args = [&["downgrade", ENV][..], &SOON].concat();
    let used = guarded.succeeds("downgrade", &args).await;
    assert!(used.contains("autoscaling:DeleteAutoScalingGroup"), "{used:?}");
    guarded.stand.json(&["upgrade", ENV]).await;
    guarded.fails_without_each("downgrade", &args, &used).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_of_orphans_takes_its_policy_and_each_action_of_it() {
    let guarded = Guarded::new().await;
    let (stand, args) = (&guarded.stand, ["orphans", ENV, "--delete"]);
    let whole = guarded.allowed("orphans").await;
    let path = "work/bluegreen.toml";
    let claimed = std::fs::read_to_string(stand.sandbox.path(path)).expect("it is there");
    let unclaimed = claimed.replace(ENV, "OTHER");
    let orphan = async || {
        stand.sandbox.write(path, &claimed);
        stand.json(&["upgrade", ENV]).await;
        stand.sandbox.write(path, &unclaimed);
    };
    orphan().await;
    let used = guarded.succeeds_with(&whole, &args).await;
    assert!(used.contains("elasticloadbalancing:DeleteTargetGroup"), "{used:?}");
    orphan().await;
    let listed = async || {
        let found = stand.json(&["orphans", ENV]).await;
        let all = found["orphans"].as_array().expect("a list").clone();
        all.into_iter().map(|one| one["name"].to_string()).collect::<BTreeSet<_>>()
    };
    let before = listed().await;
    for action in &used {
        let mut without = whole.clone();
        assert!(without.remove(action), "{action} is not in the policy");
        let said = guarded.run(&without, &args).await;
        let named = format!("not authorized to perform: {action}");
        assert!(said.stderr.contains(&named), "without {action}: {said:?}");
        assert!(matches!(said.status, 1 | 3), "without {action}: {said:?}");
        assert_eq!(listed().await, before, "without {action} something is left or gone");
    }
}

/// moto simulates nothing, as AWS for whoever may not ask.
#[tokio::test(flavor = "multi_thread")]
async fn where_nothing_is_simulated_the_policies_are_read() {
    let guarded = Guarded::new().await;
    let mut allowed = guarded.allowed("doctor").await;
    allowed.extend(guarded.allowed("switch").await);
    // moto spells it otherwise, and the policy is read as AWS spells it.
    let spelled: Vec<String> =
        allowed.iter().map(|action| action.replace("monitoring:", "cloudwatch:")).collect();
    allowed.extend(spelled);
    let said = guarded.run(&allowed, &["doctor", ENV]).await;
    assert_eq!(said.status, 3, "{said:?}");
    let text = said.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    let well = "ok permissions: all there is for doctor, status, switch, as its policies say; \
                nobody knows what else forbids";
    assert!(text.contains(well), "{}", said.stdout);
    assert!(text.contains("`scaledown` may not do autoscaling:UpdateAutoScalingGroup"), "{text}");
    assert!(!text.contains("`switch` may not do"), "{text}");

    allowed.retain(|action| !action.starts_with("iam:List"));
    let said = guarded.run(&allowed, &["doctor", ENV]).await;
    let text = said.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains("what these credentials may do is not known: "), "{}", said.stdout);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_may_not_look_is_refused_by_name() {
    let guarded = Guarded::new().await;
    let mut looking = guarded.allowed("status").await;
    assert_eq!(guarded.run(&looking, &["status", ENV]).await.status, 0);
    assert!(looking.remove("elasticloadbalancing:DescribeRules"));
    for args in [&["status", ENV][..], &["upgrade", ENV]] {
        let said = guarded.run(&looking, args).await;
        assert_eq!(said.status, 3, "{said:?}");
        let named = "not authorized to perform: ";
        assert!(said.stderr.contains(named), "{said:?}");
        assert!(said.stderr.ends_with("hint: ask for the permission that is named above\n"));
    }
}

/// What is only needed on the way back is missed only there: the run stays open, says what it may
/// not do, and is finished as soon as it may.
#[tokio::test(flavor = "multi_thread")]
async fn a_way_back_that_is_not_allowed_is_left_open_and_goes_on_once_it_is() {
    let guarded = Guarded::new().await;
    let whole = guarded.allowed("upgrade").await;
    let before = guarded.stand.json(&["status", ENV]).await;
    let mut without = whole.clone();
    for action in ["monitoring:PutMetricAlarm", "elasticloadbalancing:DeleteListener"] {
        assert!(without.remove(action), "{action} is in the policy");
    }
    let said = guarded.run(&without, &["upgrade", ENV]).await;
    assert_eq!(said.status, 4, "{said:?}");
    let named = "not authorized to perform: elasticloadbalancing:DeleteListener";
    assert!(said.stderr.contains(named), "{said:?}");
    let said = guarded.run(&whole, &["recover"]).await;
    assert_eq!(said.status, 0, "{said:?}");
    assert_eq!(guarded.stand.json(&["status", ENV]).await, before);
}
