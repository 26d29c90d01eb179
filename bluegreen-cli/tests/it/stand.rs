//! A service on an emulator, a proxy in front of it, and the binary pointed at that.

use std::process::{Child, Stdio};
use std::time::Duration;

use bluegreen_testkit::emulator::stack::Stack;
use bluegreen_testkit::emulator::{Call, Emulator, Proxy};
use serde_json::Value;

use crate::sandbox::{Said, Sandbox};

/// The name of the environment.
pub(crate) const ENV: &str = "IE-L-NGINX";

/// Nothing that a test does takes that long.
const PATIENCE: Duration = Duration::from_mins(2);

/// Everything that a test from end to end needs.
#[derive(Debug)]
pub(crate) struct Stand {
    pub(crate) sandbox: Sandbox,
    pub(crate) stack: Stack,
    pub(crate) proxy: Proxy,
    pub(crate) emulator: Emulator,
}

impl Stand {
    /// Starts an emulator with a service that has one colour.
    pub(crate) async fn new() -> Self {
        let emulator = Emulator::start().await;
        let stack = Stack::create(&emulator.url(), "web").await.expect("the service can be made");
        let proxy = emulator.proxy().await;
        let sandbox = Sandbox::empty();
        let stand = Self { sandbox, stack, proxy, emulator };
        stand.configure("");
        stand
    }

    /// Writes the configuration, with more about the account.
    pub(crate) fn configure(&self, more: &str) {
        let Stack { account, region, scaling_group, .. } = &self.stack;
        let text = format!(
            "[accounts.emulator]\nid = \"{account}\"\n{more}\n\n\
             [environments.{ENV}]\naccount = \"emulator\"\nregion = \"{region}\"\n\
             scaling_group = \"{scaling_group}\"\nidle_ports = \"18080-18099\"\n"
        );
        self.sandbox.write("work/bluegreen.toml", text);
    }

    /// Runs the binary to its end.
    pub(crate) async fn run(&self, args: &[&str]) -> Said {
        let mut command = self.mortal(args);
        let Ok(output) = tokio::time::timeout(PATIENCE, command.output()).await else {
            panic!("{args:?} does not end");
        };
        Said::of(&output.expect("the binary can be run"), &self.sandbox)
    }

    /// Returns the binary with these arguments, to be killed when nobody waits for it any more.
    pub(crate) fn mortal(&self, args: &[&str]) -> tokio::process::Command {
        let mut command = tokio::process::Command::from(self.command(args));
        command.kill_on_drop(true);
        command
    }

    /// Runs the binary to its end, which must be good, and reads what it says as JSON.
    pub(crate) async fn json(&self, args: &[&str]) -> Value {
        let said = self.run(&[args, &["--output", "json", "--quiet"]].concat()).await;
        serde_json::from_str(&said.clone().well()).unwrap_or_else(|_| panic!("{said:?}"))
    }

    /// Starts the binary and waits until an event of this kind has been written.
    pub(crate) async fn begin(&self, args: &[&str], event: &str) -> Child {
        let events = self.sandbox.path("work/events.json");
        // What an earlier run wrote is none of this one's.
        drop(std::fs::remove_file(&events));
        let args = [args, &["--events", "events.json"]].concat();
        let mut command = self.command(&args);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut child = child.expect("the binary can be started");
        let has_come = || {
            let text = std::fs::read_to_string(&events).unwrap_or_default();
            text.contains(&format!("\"{event}\""))
        };
        for _ in 0..600 {
            if has_come() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        if !has_come() {
            child.kill().and_then(|()| child.wait()).expect("a process of one's own");
            panic!("no {event} within 30 seconds");
        }
        child
    }

    /// Waits for the end of what was begun.
    pub(crate) async fn end(&self, child: Child) -> Said {
        let output = tokio::task::spawn_blocking(move || child.wait_with_output()).await;
        let output = output.expect("nothing panics").expect("the binary can be waited for");
        Said::of(&output, &self.sandbox)
    }

    /// Gives the environment its second colour, with an image of its own.
    pub(crate) async fn make_green(&self) {
        self.json(&["upgrade", ENV]).await;
        let image = &self.stack.other_image;
        self.json(&["deploy", ENV, "--image", image, "--poll", "100ms"]).await;
    }

    /// Returns the calls since the last time, and forgets them.
    pub(crate) fn calls(&self) -> Vec<Call> {
        let calls = self.proxy.calls();
        self.proxy.clear();
        calls
    }

    /// Returns the binary with these arguments, pointed at the proxy.
    pub(crate) fn command(&self, args: &[&str]) -> std::process::Command {
        let mut command = self.sandbox.command(args);
        command
            .args(["--endpoint-url", &self.proxy.url()])
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", "test")
            // The emulator shows at once what it has done, and does nothing late.
            .env("BLUEGREEN_SETTLE", "300ms");
        command
    }
}
