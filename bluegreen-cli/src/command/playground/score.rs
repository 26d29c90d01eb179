use std::collections::BTreeSet;
use std::process::Stdio;
use std::time::Duration;

use bluegreen_core::model::HealthState;
use bluegreen_testkit::playground::Options;
use serde_json::json;
use tokio::process::Command;

use super::card::Card;
use super::stage::{ENVIRONMENT, Stage};
use super::write_report;
use crate::args::{After, PlaygroundScore};
use crate::command::Session;
use crate::exit;
use crate::failure::Failure;
use crate::signals::Signals;

/// One thing that is looked at, and whether it is as it should be.
struct Mark {
    what: &'static str,
    found: String,
    good: bool,
}

/// Lets a command deploy in a playground under load, and grades what clients saw and what is left.
pub(super) async fn run(session: &Session, options: &PlaygroundScore) -> Result<u8, Failure> {
    let mut signals = Signals::new()?;
    let mut wanted = Options::default();
    wanted.boot = options.machines.boot;
    wanted.instance_command.clone_from(&options.machines.instance_command);
    wanted.check_interval = Some(Duration::from_millis(500));
    let stage = signals.unless_asked(Stage::start(wanted)).await?;
    signals.unless_asked(prepare(&stage, options.after)).await?;
    let calls = stage.playground.calls().len();
    stage.playground.start_load(&stage.site, options.rate.rate).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    stage.playground.mark("your command").await;
    let [program, args @ ..] = options.command.as_slice() else {
        return Err(Failure::usage("there is no command"));
    };
    let mut command = Command::new(program);
    stage.surround(&mut command);
    command.args(args).kill_on_drop(true).stdout(Stdio::inherit()).stderr(Stdio::inherit());
    let mut child = command
        .spawn()
        .map_err(|error| Failure::usage(format!("`{program}` cannot be run: {error}")))?;
    let status = signals
        .unless_asked(async {
            child.wait().await.map_err(|error| Failure::refused(error.to_string()))
        })
        .await?;
    stage.playground.mark("afterwards").await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    let card = Card::new(options.rate.rate, stage.playground.stop_load().await);
    let marks = marks(&stage, &card, status.code(), calls);
    let good = marks.iter().filter(|mark| mark.good).count();
    if session.out.is_json() {
        let list: Vec<_> = marks
            .iter()
            .map(|mark| json!({"what": mark.what, "found": mark.found, "good": mark.good}))
            .collect();
        session
            .out
            .json(&json!({"grade": grade(good, marks.len()), "marks": list, "load": card.json()}));
    } else {
        let line = |mark: &Mark| {
            let sign = if mark.good { "good" } else { "BAD " };
            format!("  {sign}  {}: {}\n", mark.what, mark.found)
        };
        let lines = marks.iter().map(line).collect::<Vec<_>>().concat();
        let (grade, all) = (grade(good, marks.len()), marks.len());
        let text = format!("\n{}\n{lines}\n  grade: {grade} ({good} of {all})\n", card.text());
        session.out.text(&text);
    }
    write_report(
        session,
        options.report.report.as_deref(),
        &stage.playground.report("score").await,
    )
    .await?;
    Ok(if good == marks.len() { exit::DONE } else { exit::ROLLED_BACK })
}

async fn prepare(stage: &Stage, after: After) -> Result<(), Failure> {
    let image = stage.stack.images.first().cloned().unwrap_or_default();
    let upgrade: &[&str] = &["upgrade", ENVIRONMENT];
    let deploy: &[&str] = &["deploy", ENVIRONMENT, "--image", &image, "--poll", "1s"];
    let steps: &[&[&str]] = match after {
        After::Nothing => &[],
        After::Upgrade => &[upgrade],
        After::Deploy => &[upgrade, deploy],
    };
    for step in steps {
        let mut args: Vec<String> = step.iter().map(|arg| (*arg).to_owned()).collect();
        args.extend(["--yes", "--quiet"].map(str::to_owned));
        let ended = stage.run(&args).await?;
        if ended.code != Some(0) {
            return Err(Failure::refused(format!(
                "the service could not be made ready: {}",
                ended.text
            )));
        }
    }
    Ok(())
}

/// Looks at everything that is graded.
fn marks(stage: &Stage, card: &Card, code: Option<i32>, calls: usize) -> Vec<Mark> {
    let topology = stage.site.topology();
    let mut colors = BTreeSet::new();
    let mut sick = 0;
    for listener in topology.listeners.iter().filter(|listener| listener.open) {
        let rules = listener.rules.iter().map(|rule| &rule.actions);
        for actions in rules.chain([&listener.actions]) {
            let weights = actions
                .forward()
                .into_iter()
                .flat_map(|forward| forward.weights().keys().filter(|name| forward.reaches(name)));
            for group in weights.filter_map(|name| topology.target_groups.get(name)) {
                sick +=
                    group.targets.iter().filter(|one| one.state != HealthState::Healthy).count();
                for target in &group.targets {
                    let machine =
                        topology.machines.iter().find(|one| one.instance == target.instance);
                    colors.extend(machine.and_then(|machine| machine.group.clone()));
                }
            }
        }
    }
    let made = stage.playground.calls();
    let refused = made.iter().skip(calls).filter(|call| call.error.is_some()).count();
    let failed = card.failed(|_| true);
    let mark = |what, found: String, good| Mark { what, found, good };
    vec![
        mark(
            "exit code",
            code.map_or("none: a signal".to_owned(), |code| code.to_string()),
            code == Some(0),
        ),
        mark("failed requests", failed.to_string(), failed == 0),
        mark("misrouted requests", card.misrouted().to_string(), card.misrouted() == 0),
        mark(
            "routes agree at the end",
            format!("they lead to {} scaling group(s)", colors.len()),
            colors.len() == 1,
        ),
        mark("targets of routes that are not healthy", sick.to_string(), sick == 0),
        mark(
            "refused calls",
            format!("{refused} of {}", made.len().saturating_sub(calls)),
            refused == 0,
        ),
    ]
}

fn grade(good: usize, all: usize) -> &'static str {
    match all - good {
        0 => "A",
        1 => "C",
        2 => "D",
        _ => "F",
    }
}
