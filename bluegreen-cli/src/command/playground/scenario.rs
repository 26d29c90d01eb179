//! Scenarios: what is done, what goes wrong, and what is to come of it, in a file.

use std::collections::BTreeMap;
use std::time::Duration;

use bluegreen_testkit::playground::Options;
use bluegreen_testkit::playground::fault::Fault;
use serde::Deserialize;
use tokio::process::Child;

use super::card::Card;
use super::stage::{ENVIRONMENT, Ended, Stage, ended};
use super::write_report;
use crate::args::PlaygroundRun;
use crate::command::Session;
use crate::exit;
use crate::failure::Failure;
use crate::signals::Signals;

/// A scenario, as its file writes it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Scenario {
    title: String,
    /// Requests a second.
    #[serde(default = "usual_rate")]
    rate: f64,
    /// Milliseconds from one check of a target to the next, instead of what its group says.
    check_every_ms: Option<u64>,
    /// Milliseconds that machines take to start.
    #[serde(default = "usual_boot")]
    boot_ms: u64,
    /// What is run for each machine instead of the built-in server.
    instance_command: Option<String>,
    #[serde(default, rename = "step")]
    steps: Vec<Step>,
    #[serde(default)]
    expect: Expect,
}

/// One step; steps are done one after the other.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
enum Step {
    /// Runs bluegreen to its end: `run = { args = "switch PLAY", exit = 0 }`.
    Run(Run),
    /// Starts bluegreen and goes on: `start = { name = "one", args = "switch PLAY" }`.
    Start(Run),
    /// Kills what was started, as `kill -9` does.
    Kill(String),
    /// Waits for the end of what was started: `finish = { name = "one", exit = 3 }`.
    Finish(Finish),
    /// Waits for so many seconds.
    Wait(f64),
    /// Lets something go wrong.
    Fault(Fault),
    /// Lifts every fault.
    Lift(bool),
    /// Waits until every open route leads to machines of an image: `until-served = "{v2}"`.
    UntilServed(String),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Run {
    #[serde(default)]
    name: String,
    args: String,
    /// The exit code that is expected.
    #[serde(default)]
    exit: i32,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Finish {
    name: String,
    /// The exit codes that are expected.
    exit: Vec<i32>,
}

/// What is to come of it.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Expect {
    /// The most requests that may fail; any number if nothing is said.
    failed: Option<u64>,
    /// The fewest that must: a scenario that shows a loss must show one.
    failed_at_least: Option<u64>,
    /// The most requests that may be answered by a machine of the wrong colour.
    misrouted: Option<u64>,
    /// The image that every open route leads to in the end.
    serves: Option<String>,
}

fn usual_rate() -> f64 {
    150.0
}

fn usual_boot() -> u64 {
    500
}

/// Plays a scenario and judges it.
pub(super) async fn run(session: &Session, options: &PlaygroundRun) -> Result<u8, Failure> {
    let name = options.file.display();
    let text = tokio::fs::read_to_string(&options.file)
        .await
        .map_err(|error| Failure::usage(format!("`{name}` cannot be read: {error}")))?;
    let scenario: Scenario = toml::from_str(&text)
        .map_err(|error| Failure::usage(format!("`{name}` is no scenario: {error}")))?;
    let mut signals = Signals::new()?;
    let (card, problems, page) = signals.unless_asked(play(session, &scenario)).await?;
    if session.out.is_json() {
        let mut value = card.json();
        value["problems"] = problems.clone().into();
        session.out.json(&value);
    } else {
        session.out.text(&format!("{}\n\n{}", scenario.title, card.text()));
    }
    write_report(session, options.report.report.as_deref(), &page).await?;
    if problems.is_empty() {
        return Ok(exit::DONE);
    }
    Err(Failure::judged(format!("{}: {}", scenario.title, problems.join("; "))))
}

async fn play(
    session: &Session,
    scenario: &Scenario,
) -> Result<(Card, Vec<String>, String), Failure> {
    let mut wanted = Options::default();
    wanted.boot = Duration::from_millis(scenario.boot_ms);
    wanted.check_interval = scenario.check_every_ms.map(Duration::from_millis);
    wanted.instance_command.clone_from(&scenario.instance_command);
    let stage = Stage::start(wanted).await?;
    stage.playground.start_load(&stage.site, scenario.rate).await;
    let mut player =
        Player { session, stage: &stage, started: BTreeMap::new(), problems: Vec::new() };
    for step in &scenario.steps {
        player.step(step).await?;
    }
    // What was the last step's shows a moment later.
    tokio::time::sleep(Duration::from_millis(500)).await;
    let mut problems = player.problems;
    let card = Card::new(scenario.rate, stage.playground.stop_load().await);
    let expect = &scenario.expect;
    let failed = card.failed(|_| true);
    if expect.failed.is_some_and(|most| failed > most) {
        problems.push(format!("{failed} requests failed"));
    }
    if expect.failed_at_least.is_some_and(|fewest| failed < fewest) {
        problems.push(format!("only {failed} requests failed"));
    }
    if expect.misrouted.is_some_and(|most| card.misrouted() > most) {
        problems.push(format!("{} requests were misrouted", card.misrouted()));
    }
    if let Some(image) = &expect.serves {
        let image = named(&stage, image);
        let served = stage.images_served();
        if served.iter().any(|one| *one != image) || served.is_empty() {
            problems.push(format!("routes lead to {served:?}, and `{image}` was expected"));
        }
    }
    let page = stage.playground.report(&scenario.title).await;
    Ok((card, problems, page))
}

struct Player<'a> {
    session: &'a Session,
    stage: &'a Stage,
    started: BTreeMap<String, Child>,
    problems: Vec<String>,
}

impl Player<'_> {
    async fn step(&mut self, step: &Step) -> Result<(), Failure> {
        match step {
            Step::Run(run) => {
                self.say(&run.args).await;
                let ended = self.stage.run(&self.args(&run.args)).await?;
                self.judge(&run.args, &ended, &[run.exit]);
            }
            Step::Start(run) => {
                self.say(&run.args).await;
                let child = self.stage.spawn(&self.args(&run.args))?;
                self.started.insert(run.name.clone(), child);
            }
            Step::Kill(name) => {
                let mut child = self.taken(name)?;
                self.say(&format!("kill {name}")).await;
                child.kill().await.map_err(|error| Failure::refused(error.to_string()))?;
            }
            Step::Finish(finish) => {
                let child = self.taken(&finish.name)?;
                let ended = ended(child).await?;
                self.judge(&finish.name, &ended, &finish.exit);
            }
            Step::Wait(seconds) => {
                tokio::time::sleep(Duration::from_secs_f64(seconds.clamp(0.0, 3600.0))).await;
            }
            Step::Fault(fault) => {
                let mut fault = fault.clone();
                fault.name_images(|image| named(self.stage, image));
                self.say("fault").await;
                self.stage.playground.faults().add(fault);
            }
            Step::Lift(lifts) if *lifts => self.stage.playground.faults().clear(),
            Step::Lift(_) => {}
            Step::UntilServed(image) => {
                let image = named(self.stage, image);
                let served = async {
                    while !self.stage.images_served().iter().all(|one| *one == image) {
                        tokio::time::sleep(Duration::from_millis(20)).await;
                    }
                };
                if tokio::time::timeout(Duration::from_mins(1), served).await.is_err() {
                    self.problems.push(format!("`{image}` is not served"));
                }
            }
        }
        Ok(())
    }

    fn args(&self, text: &str) -> Vec<String> {
        let mut args: Vec<String> =
            text.split_whitespace().map(|arg| named(self.stage, arg)).collect();
        args.extend(["--yes", "--quiet"].map(str::to_owned));
        args
    }

    async fn say(&self, what: &str) {
        self.session.out.note(&format!("  {what}"));
        self.stage.playground.mark(what).await;
    }

    fn judge(&mut self, what: &str, ended: &Ended, expected: &[i32]) {
        for line in ended.text.lines() {
            self.session.out.note(&format!("    {line}"));
        }
        if !ended.code.is_some_and(|code| expected.contains(&code)) {
            let found = ended.code.map_or("a signal".to_owned(), |code| code.to_string());
            self.problems
                .push(format!("`{what}` ended with {found}, and {expected:?} was expected"));
        }
    }

    fn taken(&mut self, name: &str) -> Result<Child, Failure> {
        let child = self.started.remove(name);
        child.ok_or_else(|| Failure::usage(format!("`{name}` was not started")))
    }
}

/// Replaces `{env}` and `{v1}` to `{v4}` by what they stand for.
fn named(stage: &Stage, text: &str) -> String {
    let images = std::iter::once(&stage.stack.image).chain(&stage.stack.images);
    let mut text = text.replace("{env}", ENVIRONMENT);
    for (version, image) in (1..).zip(images) {
        text = text.replace(&format!("{{v{version}}}"), image);
    }
    text
}
