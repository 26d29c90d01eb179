use std::time::Duration;

use bluegreen_testkit::playground::Options;
use bluegreen_testkit::playground::fault::{Ailment, Fault, Machines, Trouble};

use super::card::Card;
use super::stage::{ENVIRONMENT, Ended, Stage};
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

impl Act {
    fn new(says: &'static str, label: &'static str, args: &[&str], code: i32) -> Self {
        let mut args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
        args.insert(1, ENVIRONMENT.to_owned());
        args.extend(["--yes", "--quiet"].map(str::to_owned));
        if args[0] != "upgrade" {
            args.extend(["--poll", "1s"].map(str::to_owned));
        }
        Self { says, label, args, code, spoils: false }
    }

    fn that_spoils(self) -> Self {
        Self { spoils: true, ..self }
    }
}

/// Shows everything in under a minute.
pub(super) async fn run(session: &Session, options: &PlaygroundDemo) -> Result<u8, Failure> {
    let mut signals = Signals::new()?;
    signals.unless_asked(Box::pin(show(session, options))).await
}

async fn show(session: &Session, options: &PlaygroundDemo) -> Result<u8, Failure> {
    say(session, "Starting AWS on loopback: a load balancer, HTTP and HTTPS, three machines …\n");
    let mut wanted = Options::default();
    wanted.boot = Duration::from_millis(500);
    wanted.check_interval = Some(Duration::from_millis(250));
    let stage = Stage::start(wanted).await?;
    let (url, rate) = (stage.playground.url(), options.rate.rate);
    say(session, &format!("  endpoint for AWS's tools, and a page to watch: {url}\n"));
    stage.playground.start_load(&stage.site, rate).await;
    say(session, &format!("  {rate} requests a second are on their way\n"));
    tokio::time::sleep(Duration::from_secs(1)).await;
    let [next, never, breaks] =
        stage.stack.images.clone().try_into().map_err(|_| {
            Failure::refused("the playground has not the images that the demo deploys")
        })?;
    stage.playground.faults().add(broken(&never, Ailment::NeverHealthy));
    let acts = acts(&next, &never, &breaks);
    let mut surprises = Vec::new();
    for act in &acts {
        say(session, &format!("\n── {}\n$ bluegreen {}\n", act.says, act.args.join(" ")));
        stage.playground.mark(act.label).await;
        let ended = perform(&stage, act, &breaks).await?;
        tell(session, &ended);
        if ended.code != Some(act.code) {
            let (args, code) = (act.args.join(" "), act.code);
            let found = ended.code.map_or("a signal".to_owned(), |code| code.to_string());
            surprises.push(format!("`bluegreen {args}` ended with {found}, not {code}"));
        }
    }
    stage.playground.mark("afterwards").await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let card = Card::new(rate, stage.playground.stop_load().await);
    let (failed, misrouted) = (lost(&card, &acts, false), card.misrouted());
    if failed + misrouted > 0 {
        surprises.push(format!(
            "{failed} requests failed that should not have, {misrouted} were misrouted"
        ));
    }
    if session.out.is_json() {
        session.out.json(&card.json());
    }
    say(session, &format!("\n── How it was for those who asked\n{}", card.text()));
    let spoilt = lost(&card, &acts, true);
    say(session, &format!("  lost while all was well: {failed}; of a broken version: {spoilt}\n"));
    let page = stage.playground.report("demo").await;
    write_report(session, options.report.report.as_deref(), &page).await?;
    if surprises.is_empty() {
        say(session, "\nDone. Nothing is left; `bluegreen playground up` starts one to stay.\n");
        return Ok(exit::DONE);
    }
    Err(Failure::judged(surprises.join("; ")))
}

fn acts(next: &str, never: &str, breaks: &str) -> Vec<Act> {
    let deploy = |image| ["deploy", "--image", image];
    let in_vain = [&deploy(never)[..], &["--timeout", "5s"]].concat();
    vec![
        Act::new("Make it blue/green. Nothing that serves is touched.", "upgrade", &["upgrade"], 0),
        Act::new("Put the next version on the idle colour.", "deploy", &deploy(next), 0),
        Act::new("Send all traffic to it.", "switch", &["switch"], 0),
        Act::new(
            "Deploy a version that never gets healthy. It is taken back.",
            "deploy, never healthy",
            &in_vain,
            1,
        ),
        Act::new("Deploy one that looks well …", "deploy, looks well", &deploy(breaks), 0),
        Act::new(
            "… and breaks when it gets traffic. The switch is taken back.",
            "switch, breaks",
            &["switch"],
            1,
        )
        .that_spoils(),
        Act::new("Stop the idle colour.", "scaledown", &["scaledown"], 0),
    ]
}

/// Runs a command; what spoils it breaks as soon as it serves.
async fn perform(stage: &Stage, act: &Act, breaks: &str) -> Result<Ended, Failure> {
    let breaking = async {
        while act.spoils && !stage.images_served().contains(breaks) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        if act.spoils {
            stage.playground.faults().add(broken(breaks, Ailment::Fails { status: 503 }));
        }
        std::future::pending().await
    };
    tokio::select! {
        ended = stage.run(&act.args) => ended,
        failure = breaking => Err(failure),
    }
}

fn broken(image: &str, how: Ailment) -> Fault {
    let of = Machines { image: Some(image.to_owned()), ..Machines::default() };
    Fault { what: Trouble::Instance { of, how }, seconds: None, times: None }
}

/// Counts the requests that failed in the acts that spoil, or in all others.
fn lost(card: &Card, acts: &[Act], spoiling: bool) -> u64 {
    let spoils = |label: &str| acts.iter().any(|act| act.spoils && act.label == label);
    card.failed(|label| spoils(label) == spoiling)
}

fn say(session: &Session, text: &str) {
    if !session.out.is_json() {
        session.out.text(text);
    }
}

/// Shows what a command said: how it ended, or everything if that is wanted.
fn tell(session: &Session, ended: &Ended) {
    let is_verbose = session.global.verbose > 0;
    for line in ended.text.lines().skip_while(|line| !is_verbose && !tells_the_end(line)) {
        say(session, format!("  {line}").trim_end());
        say(session, "\n");
    }
}

/// Returns whether the rest of what a command says, from a line on, is how it ended.
fn tells_the_end(line: &str) -> bool {
    ["done:", "rolled back:", "nothing to do", "error:"].iter().any(|word| line.starts_with(word))
}
