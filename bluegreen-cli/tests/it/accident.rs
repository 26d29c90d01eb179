//! The accident that this tool was made after: somebody who thinks to be in one account works in
//! another, and deletes what serves.

use bluegreen_testkit::emulator::{Fault, Trigger, query};

use crate::sandbox::Said;
use crate::stand::{ENV, Stand};

const SOON: [&str; 2] = ["--poll", "100ms"];

/// The account that the configuration says.
const DEV: &str = "222222222222";

/// A profile of the one account that holds the credentials of the other.
struct Mixup {
    stand: Stand,
}

impl Mixup {
    async fn new() -> Self {
        let stand = Stand::new().await;
        let alias = [("AccountAlias", "acme-live")];
        let named = query(&stand.emulator.url(), "iam", "CreateAccountAlias", &alias).await;
        assert_eq!(named.expect("an answer").status, 200);
        let text = "[dev]\naws_access_key_id = test\naws_secret_access_key = test\n";
        stand.sandbox.write("home/.aws/credentials", text);
        Self { stand }
    }

    /// Says that the environment is in the account of developers.
    fn mistake(&self) {
        let group = &self.stand.stack.scaling_group;
        let text = format!(
            "[accounts.dev]\nid = \"{DEV}\"\nprofile = \"dev\"\n\n[environments.{ENV}]\n\
             account = \"dev\"\nregion = \"us-east-1\"\nscaling_group = \"{group}\"\n\
             idle_ports = \"18080-18099\"\n"
        );
        self.stand.sandbox.write("work/bluegreen.toml", text);
    }

    /// Runs the binary with what the profile has, and nothing else.
    async fn run(&self, args: &[&str]) -> Said {
        let mut command = self.stand.mortal(args);
        command.env_remove("AWS_ACCESS_KEY_ID").env_remove("AWS_SECRET_ACCESS_KEY");
        let output = command.output().await.expect("the binary can be run");
        Said::of(&output, &self.stand.sandbox)
    }

    /// Asserts that a command refuses, names both accounts and changes nothing.
    async fn is_refused(&self, args: &[&str]) {
        self.stand.calls();
        let said = self.run(args).await;
        assert_eq!(said.status, 3, "{args:?}: {said:?}");
        let named = format!(
            "error: these credentials are of account 123456789012 (acme-live), but environment \
             `{ENV}` is in account {DEV} (dev)\n\nhint: choose the right profile\n"
        );
        assert!(said.stderr.ends_with(&named), "{args:?}: {said:?}");
        let changing: Vec<String> = self
            .stand
            .calls()
            .into_iter()
            .filter(|call| call.mutating)
            .map(|call| call.action)
            .collect();
        assert_eq!(changing, Vec::<String>::new(), "{args:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dev_profile_that_holds_live_credentials_changes_nothing() {
    let mixup = Mixup::new().await;
    let stand = &mixup.stand;
    stand.make_green().await;
    let log = stand.json(&["log", ENV]).await;
    let deployed = log[0]["run"].as_str().expect("a run").to_owned();
    let image = stand.stack.image.clone();
    let before = stand.json(&["status", ENV]).await;

    mixup.mistake();
    for args in [
        &["upgrade", ENV][..],
        &["deploy", ENV, "--image", &image],
        &["switch", ENV],
        &["switch", ENV, "--to", "green"],
        &["scaledown", ENV],
        &["downgrade", ENV],
        &["undo", &deployed],
        &["orphans", "--delete"],
        &["orphans", ENV, "--delete"],
    ] {
        // Neither a yes nor a name that is typed makes it another account.
        mixup.is_refused(args).await;
        mixup.is_refused(&[args, &["--yes"]].concat()).await;
        mixup.is_refused(&[args, &["--confirm", ENV]].concat()).await;
        mixup.is_refused(&[args, &["--dry-run"]].concat()).await;
    }

    stand.configure("");
    assert_eq!(stand.json(&["status", ENV]).await, before);
    let refusal = || Fault::refuse(400, "ValidationError", "no such luck");
    stand.proxy.fail(Trigger::action("ModifyRule", 0).onwards(), refusal());
    stand.proxy.fail(Trigger::action("ModifyListener", 2).onwards(), refusal());
    assert_eq!(stand.run(&[&["switch", ENV][..], &SOON].concat()).await.status, 4);
    stand.proxy.heal();
    let open = stand.json(&["log", ENV]).await;
    let open = open[0]["run"].as_str().expect("a run").to_owned();
    mixup.mistake();
    for args in [&["recover"][..], &["recover", &open], &["recover", &open, "--confirm", ENV]] {
        mixup.is_refused(args).await;
    }
    stand.configure("");
    assert_eq!(stand.run(&["recover"]).await.status, 0);
    assert_eq!(stand.json(&["status", ENV]).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_is_not_broken_from_another_account() {
    let mixup = Mixup::new().await;
    mixup.stand.make_green().await;
    let child = mixup.stand.begin(&["switch", ENV, "--poll", "1m"], "gate_waiting").await;
    mixup.mistake();
    mixup.is_refused(&["lock", "break", ENV, "--confirm", ENV]).await;
    let held = mixup.stand.json(&["lock", "status", ENV]).await;
    assert_eq!(held["held"]["operation"], "switch", "{held:#}");
    mixup.stand.configure("");
    let broken = mixup.stand.run(&["lock", "break", ENV, "--confirm", ENV]).await;
    assert_eq!(broken.status, 0, "{broken:?}");
    drop(mixup.stand.end(child).await);
}

/// There is no word for it, no flag, and no permission.
#[tokio::test]
async fn no_command_deletes_a_load_balancer() {
    let sandbox = crate::sandbox::Sandbox::new();
    for args in [
        &["delete", "D-WEB"][..],
        &["destroy", "D-WEB"],
        &["orphans", "--delete", "--load-balancers"],
        &["downgrade", "D-WEB", "--load-balancer"],
    ] {
        assert_eq!(sandbox.run(args).status, 2, "{args:?}");
    }
    let text = sandbox.run(&["iam-policy", "D-WEB"]).stdout;
    let policy: serde_json::Value = serde_json::from_str(&text).expect("a policy is JSON");
    for statement in policy["Statement"].as_array().expect("a list") {
        let names_it = statement["Action"].to_string().contains("DeleteLoadBalancer");
        assert!(!names_it || statement["Effect"] == "Deny", "{statement}");
    }
}
