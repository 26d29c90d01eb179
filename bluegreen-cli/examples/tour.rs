//! The main job from end to end, on an AWS emulator on this machine: upgrade, deploy, switch,
//! scaledown, and then a deploy that fails and is rolled back.
//!
//! `cargo run -p bluegreen-cli --example tour`
//!
//! Needs Python 3.11 or newer for the emulator, which is installed into the target folder at the
//! first run. No AWS account is touched: every call goes to 127.0.0.1.
#![expect(clippy::print_stdout, reason = "a program that shows something")]

use std::error::Error;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use bluegreen_testkit::emulator::stack::Stack;
use bluegreen_testkit::emulator::{Emulator, query};
use tokio::process::Command;
use tokio::task::JoinHandle;

type Failable<T = ()> = Result<T, Box<dyn Error + Send + Sync>>;

#[tokio::main]
async fn main() -> Failable {
    println!("Starting an AWS emulator on this machine …");
    let emulator = Emulator::try_start().await?;
    let stack = Stack::create(&emulator.url(), "nginx-live").await?;
    let folder = tempfile::tempdir()?;
    let tour = Tour { url: emulator.url(), folder: folder.path() };
    std::fs::write(tour.folder.join("bluegreen.toml"), configuration(&stack))?;

    tour.say("Here is a service with one colour.");
    tour.expect(0, &["status"]).await?;
    tour.say("Make it blue/green. Nothing that serves is touched.");
    tour.expect(0, &["upgrade", "IE-L-NGINX", "--yes"]).await?;
    tour.say("Put a new image on the idle colour.");
    let deploy = ["deploy", "IE-L-NGINX", "--yes", "--poll", "1s"];
    tour.expect(0, &[&deploy[..], &["--image", &stack.other_image]].concat()).await?;
    tour.say("Send all traffic to it.");
    tour.expect(0, &["switch", "IE-L-NGINX", "--yes", "--poll", "1s"]).await?;
    tour.say("Stop the old colour.");
    tour.expect(0, &["scaledown", "IE-L-NGINX", "--yes", "--poll", "1s"]).await?;
    tour.expect(0, &["status", "IE-L-NGINX"]).await?;
    tour.say("Deploy a version whose machines stop by themselves. It is taken back.");
    let saboteur = sabotage(emulator.url(), stack.scaling_group.clone());
    let failing = ["--timeout", "10s", "--image", &stack.image];
    tour.expect(1, &[&deploy[..], &failing[..]].concat()).await?;
    saboteur.abort();
    tour.say("And this is what happened.");
    tour.expect(0, &["log"]).await?;
    println!("\nDone. The emulator is gone with this program; nothing is left behind.");
    Ok(())
}

fn configuration(stack: &Stack) -> String {
    format!(
        r#"[accounts.emulator]
id = "{}"

[environments.IE-L-NGINX]
account = "emulator"
region = "{}"
scaling_group = "{}"
idle_ports = "18080-18099"
health = "idle-listener"
"#,
        stack.account, stack.region, stack.scaling_group
    )
}

/// Where the tour takes place.
struct Tour<'a> {
    url: String,
    folder: &'a Path,
}

impl Tour<'_> {
    #[expect(clippy::unused_self, reason = "it is the tour that speaks")]
    fn say(&self, text: &str) {
        println!("\n── {text}");
    }

    /// Runs the program as a person would, and insists on how it ends.
    async fn expect(&self, code: i32, arguments: &[&str]) -> Failable {
        println!("\n$ bluegreen {}", arguments.join(" "));
        let status = Command::new(env!("CARGO"))
            .args(["run", "--quiet", "--package", "bluegreen-cli", "--bin", "bluegreen", "--"])
            .args(arguments)
            .arg("--config")
            .arg(self.folder.join("bluegreen.toml"))
            .arg("--store")
            .arg(self.folder.join("store"))
            .args(["--endpoint-url", &self.url])
            .env("AWS_ACCESS_KEY_ID", "tour")
            .env("AWS_SECRET_ACCESS_KEY", "tour")
            .stdin(Stdio::null())
            .status()
            .await?;
        if status.code() == Some(code) {
            return Ok(());
        }
        Err(format!("the program ended with {status}, and {code} was expected").into())
    }
}

/// Stops every machine of a group as it appears, behind everybody's back.
fn sabotage(url: String, group: String) -> JoinHandle<()> {
    tokio::spawn(async move {
        loop {
            // The emulator goes away with the tour: what fails here fails nobody.
            if let Ok(machines) = machines(&url, &group).await {
                for machine in machines {
                    let stop = [("InstanceId.1", machine.as_str())];
                    let _reply = query(&url, "ec2", "StopInstances", &stop).await;
                }
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    })
}

async fn machines(url: &str, group: &str) -> Failable<Vec<String>> {
    let name = [("AutoScalingGroupNames.member.1", group)];
    let reply = query(url, "autoscaling", "DescribeAutoScalingGroups", &name).await?;
    let after = reply.body.split("<InstanceId>").skip(1);
    Ok(after.filter_map(|text| Some(text.split_once('<')?.0.to_owned())).collect())
}
