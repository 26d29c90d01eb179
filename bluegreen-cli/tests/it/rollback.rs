//! Every changing call of every operation refused, once each, by a real endpoint: the account is
//! as it was, field by field, and the exit code says so.

use std::collections::BTreeSet;

use bluegreen_testkit::emulator::account::{Account, account};
use bluegreen_testkit::emulator::stack::Stack;
use bluegreen_testkit::emulator::{Emulator, Fault, Proxy, Trigger};

use crate::sandbox::{Said, Sandbox};

/// A service on an emulator of its own, and the binary before it.
struct Place {
    emulator: Emulator,
    proxy: Proxy,
    stack: Stack,
    sandbox: Sandbox,
}

impl Place {
    async fn new() -> Self {
        let emulator = Emulator::start().await;
        let proxy = emulator.proxy().await;
        let stack = Stack::create(&emulator.url(), "web").await.expect("a stack can be made");
        let sandbox = Sandbox::empty();
        let (id, region, group) = (&stack.account, &stack.region, &stack.scaling_group);
        let config = format!(
            "[accounts.dev]\nid = \"{id}\"\n[environments.D-WEB]\naccount = \"dev\"\n\
             region = \"{region}\"\nscaling_group = \"{group}\"\nidle_ports = \"18080-18099\"\n"
        );
        sandbox.write("work/bluegreen.toml", config);
        Self { emulator, proxy, stack, sandbox }
    }

    async fn run(&self, args: &[String]) -> Said {
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let mut command = self.sandbox.command(&args);
        command
            .args(["--endpoint-url", &self.proxy.url()])
            .env("AWS_ACCESS_KEY_ID", "testing")
            .env("AWS_SECRET_ACCESS_KEY", "testing");
        let output = tokio::task::spawn_blocking(move || command.output());
        let output = output.await.expect("it does not panic").expect("the binary can be run");
        Said::of(&output, &self.sandbox)
    }

    async fn account(&self) -> Account {
        account(&self.emulator.url()).await.expect("the account can be read")
    }

    /// Refuses each changing call of an operation in turn, and then lets it through.
    async fn sweep(&self, args: &[&str]) -> usize {
        let args: Vec<String> = args.iter().map(|one| (*one).to_owned()).collect();
        let before = self.account().await;
        for nth in 0.. {
            self.proxy.heal();
            self.proxy.clear();
            let refuse = Fault::refuse(400, "ValidationError", "refused by the test");
            self.proxy.fail(Trigger::mutation(nth).with_retries(), refuse);
            let said = self.run(&args).await;
            if said.status == 0 {
                // There was no such call any more: this was the whole operation.
                return nth;
            }
            let calls = self.proxy.calls();
            let refused = calls.iter().find(|call| call.emulator_status.is_none());
            let refused = refused.map_or("nothing", |call| &*call.action);
            assert_eq!(said.status, 1, "{args:?}, {refused} refused: {said:?}");
            assert!(said.stderr.contains("as it was before"), "{said:?}");
            let after = self.account().await;
            for (call, fields) in &before {
                let found = after.get(call).unwrap_or(const { &BTreeSet::new() });
                let gone: Vec<_> = fields.difference(found).collect();
                let new: Vec<_> = found.difference(fields).collect();
                assert!(
                    gone.is_empty() && new.is_empty(),
                    "{args:?}, {refused} refused: {call} is not as before: {gone:?} became {new:?}"
                );
            }
            let more: Vec<_> = after.keys().filter(|call| !before.contains_key(*call)).collect();
            assert!(more.is_empty(), "{args:?}, {refused} refused: {more:?} is left");
        }
        unreachable!("an operation has an end")
    }
}

/// The four operations, as they follow each other.
const LIFE: [&str; 4] = ["upgrade", "deploy", "switch", "scaledown"];

/// Sweeps one operation at a place where all earlier ones have been done.
async fn sweep(operation: &str) -> usize {
    let place = Place::new().await;
    let image = place.stack.other_image.clone();
    let quick = ["--poll", "100ms"];
    for verb in LIFE {
        let common = [verb, "D-WEB", "--yes"];
        let args = match verb {
            "upgrade" => common.to_vec(),
            "deploy" => [&common[..], &quick, &["--image", &image]].concat(),
            _ => [&common[..], &quick].concat(),
        };
        if verb == operation {
            return place.sweep(&args).await;
        }
        let args: Vec<String> = args.iter().map(|one| (*one).to_owned()).collect();
        let said = place.run(&args).await;
        assert_eq!(said.status, 0, "{said:?}");
    }
    unreachable!("it is one of the four")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_of_any_change_of_an_upgrade_leaves_the_account_as_it_was() {
    assert!(sweep("upgrade").await >= 16);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_of_any_change_of_a_deploy_leaves_the_account_as_it_was() {
    assert!(sweep("deploy").await >= 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_of_any_change_of_a_switch_leaves_the_account_as_it_was() {
    assert!(sweep("switch").await >= 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_of_any_change_of_a_scaledown_leaves_the_account_as_it_was() {
    assert!(sweep("scaledown").await >= 2);
}
