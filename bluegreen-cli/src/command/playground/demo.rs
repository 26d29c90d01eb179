use std::time::Duration;

use bluegreen_testkit::playground::Options;
use bluegreen_testkit::playground::fault::{Ailment, Fault, Machines, Trouble};

use super::card::Card;
use super::stage::{ENVIRONMENT, Stage};
use super::write_report;
use crate::args::PlaygroundDemo;
use crate::command::Session;
use crate::exit;
use crate::failure::Failure;
use crate::signals::Signals;

/// What is done, one after the other, and how it is to end.
struct Act {
    says: &'static str,
    label: &'static str,
    args: Vec<String>,
    code: i32,
    /// Whether requests may fail: the version is broken under traffic.
    spoils: bool,
}

fn act(says: &'static str, label: &'static str, args: &[&str], code: i32) -> Act {
    let mut args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
    args.insert(1, ENVIRONMENT.to_owned());
    args.extend(["--yes", "--quiet"].map(str::to_owned));
    if args[0] != "upgrade" {
        args.extend(["--poll", "1s"].map(str::to_owned));
    }
    Act { says, label, args, code, spoils: false }
}

/// Shows everything in under a minute.
pub(super) async fn run(session: &Session, options: &PlaygroundDemo) -> Result<u8, Failure> {
    let out = session.out;
    let mut signals = Signals::new()?;
    let say = |text: &str| {
        if !out.is_json() {
            out.text(text);
        }
    };
    say("Starting AWS on loopback: a load balancer for HTTP and HTTPS, three machines …\n");
    let mut stage = Options::default();
    stage.boot = Duration::from_millis(500);
    stage.check_interval = Some(Duration::from_millis(250));
    let stage = signals.unless_asked(Stage::start(stage)).await?;
    say(&format!("  endpoint for AWS's tools, and a page to watch: {}\n", stage.playground.url()));
    stage.playground.start_load(&stage.site, options.rate.rate).await;
    say(&format!("  {} requests a second are on their way\n", options.rate.rate));
    tokio::time::sleep(Duration::from_secs(1)).await;
    let [next, never, breaks] = &stage.stack.images[..] else {
        return Err(Failure::refused("the playground has not the images of the demo"));
    };
    let broken = |image: &str, how| Fault {
        what: Trouble::Instance {
            of: Machines { image: Some(image.to_owned()), ..Machines::default() },
            how,
        },
        seconds: None,
        times: None,
    };
    stage.playground.faults().add(broken(never, Ailment::NeverHealthy));
    let acts = [
        act("Make it blue/green. Nothing that serves is touched.", "upgrade", &["upgrade"], 0),
        act("Put the next version on the idle colour.", "deploy", &["deploy", "--image", next], 0),
        act("Send all traffic to it.", "switch", &["switch"], 0),
        act(
            "Deploy a version that never gets healthy. It is taken back.",
            "deploy, never healthy",
            &["deploy", "--image", never, "--timeout", "5s"],
            1,
        ),
        act(
            "Deploy a version that looks well …",
            "deploy, looks well",
            &["deploy", "--image", breaks],
            0,
        ),
        Act {
            spoils: true,
            ..act(
                "… and breaks when it gets traffic. The switch is taken back.",
                "switch, breaks",
                &["switch"],
                1,
            )
        },
        act("Stop the idle colour.", "scaledown", &["scaledown"], 0),
    ];
    let mut surprises = Vec::new();
    for act in &acts {
        say(&format!("\n── {}\n$ bluegreen {}\n", act.says, act.args.join(" ")));
        stage.playground.mark(act.label).await;
        let breaking = async {
            while act.spoils && !stage.images_served().contains(breaks) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            if act.spoils {
                stage.playground.faults().add(broken(breaks, Ailment::Fails { status: 503 }));
            }
            std::future::pending().await
        };
        let ended = signals
            .unless_asked(async {
                tokio::select! {
                    ended = stage.run(&act.args) => ended,
                    failure = breaking => Err(failure),
                }
            })
            .await?;
        let is_verbose = session.global.verbose > 0;
        for line in ended.text.lines().skip_while(|line| !is_verbose && !tells_the_end(line)) {
            say(format!("  {line}").trim_end());
            say("\n");
        }
        if ended.code != Some(act.code) {
            surprises.push(format!(
                "`bluegreen {}` ended with {:?}, and {} was expected",
                act.args.join(" "),
                ended.code,
                act.code
            ));
        }
    }
    stage.playground.mark("afterwards").await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let card = Card::new(options.rate.rate, stage.playground.stop_load().await);
    let spoilt: Vec<&str> = acts.iter().filter(|act| act.spoils).map(|act| act.label).collect();
    let failed = card.failed(|label| !spoilt.contains(&label));
    if failed + card.misrouted() > 0 {
        surprises.push(format!(
            "{failed} requests failed that should not have, {} were misrouted",
            card.misrouted()
        ));
    }
    if out.is_json() {
        out.json(&card.json());
    } else {
        say(&format!("\n── How it was for those who asked\n{}", card.text()));
        say(&format!(
            "  lost while everything was well: {failed}; while a broken version served: {}\n",
            card.failed(|label| spoilt.contains(&label))
        ));
    }
    write_report(session, options.report.report.as_deref(), &stage.playground.report("demo").await)
        .await?;
    if surprises.is_empty() {
        say("\nDone. Nothing is left behind; `bluegreen playground up` starts one to stay.\n");
        return Ok(exit::DONE);
    }
    Err(Failure::judged(surprises.join("; ")))
}

/// Returns whether the rest of what a command says, from a line on, is how it ended.
fn tells_the_end(line: &str) -> bool {
    ["done:", "rolled back:", "nothing to do", "error:"].iter().any(|word| line.starts_with(word))
}
