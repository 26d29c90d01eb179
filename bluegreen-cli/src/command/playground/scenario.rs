//! Scenarios: what is done, what goes wrong, and what is to come of it, in a file.
//!
//! # Commands of a scenario
//!
//! `instance_command` is the server of each machine, and a step `shell = "…"` is run once, by `sh`,
//! and must end well; what it leaves in the background, saying nothing, ends with the scenario.
//! In both, `{here}` is the folder of the scenario's file, where it may keep
//! scripts, and `{folder}` is an empty folder that is there for as long as the scenario is played,
//! through which they can tell each other something: whatever a step writes there, the servers of
//! all machines can read. Both may hold spaces: quote them.
//!
//! A `shell` has AWS's variables and `PLAYGROUND_*` in its environment, as commands of
//! `playground score` have, and knows `{env}` and `{v1}` to `{v4}` as other steps do. An
//! `instance_command` does not: it is told the image of its machine in `VERSION`.
//!
//! ```toml
//! instance_command = "sh '{here}/nginx.sh' '{folder}'"
//!
//! [[step]]
//! shell = "echo 'set $release next;' > '{folder}/{v1}.conf'; sh '{here}/nginx.sh' '{folder}' reload"
//! [[step]]
//! mark = "after the reload"
//! [[step]]
//! wait = 3
//!
//! [expect]
//! mixed_at_least = 1
//! ```
//!
//! # Mixed versions
//!
//! `mixed` and `mixed_at_least` count the answers of another version than most, by the same colour
//! on the same route, in the last phase alone: a phase in which the version is changed is mixed
//! whatever one does. A step `mark = "…"` begins a phase without doing anything.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bluegreen_testkit::playground::Options;
use bluegreen_testkit::playground::fault::Fault;
use serde::Deserialize;
use tempfile::TempDir;
use tokio::process::Child;

use super::card::Card;
use super::shell::{self, LeftBehind};
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
    /// Runs a command of the scenario to its end, which must be a good one.
    Shell(String),
    /// Counts on its own what follows.
    Mark(String),
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
    /// The most requests of the last phase that may fail.
    failed_at_last: Option<u64>,
    /// The most requests that may be answered by a machine of the wrong colour.
    misrouted: Option<u64>,
    /// How far apart the routes may change their colour in any phase, in milliseconds.
    skew_ms: Option<f64>,
    /// The most answers of the last phase that may be of another version than most.
    mixed: Option<u64>,
    /// The fewest that must.
    mixed_at_least: Option<u64>,
    /// The image that every open route leads to in the end.
    serves: Option<String>,
}

impl Expect {
    /// Returns how a load went otherwise than it was to.
    fn problems(&self, card: &Card) -> Vec<String> {
        let (failed, misrouted, mixed) = (card.failed(|_| true), card.misrouted(), card.mixed());
        let mut problems = Vec::new();
        let mut judge = |count: u64, most: Option<u64>, fewest: Option<u64>, what: &str| {
            if most.is_some_and(|most| count > most) {
                problems.push(format!("{count} requests {what}"));
            }
            if fewest.is_some_and(|fewest| count < fewest) {
                problems.push(format!("only {count} requests {what}"));
            }
        };
        judge(failed, self.failed, self.failed_at_least, "failed");
        judge(card.failed_at_last(), self.failed_at_last, None, "failed at last");
        judge(misrouted, self.misrouted, None, "were misrouted");
        judge(mixed, self.mixed, self.mixed_at_least, "were answered by another version than most");
        let skew = card.skew_ms();
        if let Some(most) = self.skew_ms
            && skew.is_none_or(|skew| skew > most)
        {
            let skew = skew.map_or("at no time".to_owned(), |skew| format!("{skew:.0} ms apart"));
            problems.push(format!("routes changed their colour {skew}"));
        }
        problems
    }
}

/// Where the commands of a scenario find what they need.
#[derive(Debug)]
struct Places {
    here: PathBuf,
    folder: TempDir,
}

impl Places {
    fn of(file: &Path) -> Result<Self, Failure> {
        let failed = |error: std::io::Error| Failure::refused(format!("no folder: {error}"));
        let file = std::path::absolute(file).map_err(failed)?;
        let here = file.parent().unwrap_or(&file).to_owned();
        Ok(Self { here, folder: tempfile::tempdir().map_err(failed)? })
    }

    /// Replaces `{here}` and `{folder}` by what they stand for.
    fn fill(&self, command: &str) -> String {
        let folder = self.folder.path().display().to_string();
        command.replace("{here}", &self.here.display().to_string()).replace("{folder}", &folder)
    }
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
    let places = Places::of(&options.file)?;
    let (card, problems, page) = signals.unless_asked(play(session, &scenario, &places)).await?;
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
    places: &Places,
) -> Result<(Card, Vec<String>, String), Failure> {
    let mut wanted = Options::default();
    wanted.boot = Duration::from_millis(scenario.boot_ms);
    wanted.check_interval = scenario.check_every_ms.map(Duration::from_millis);
    wanted.instance_command =
        scenario.instance_command.as_deref().map(|command| places.fill(command));
    let stage = Stage::start(wanted).await?;
    stage.playground.start_load(&stage.site, scenario.rate).await;
    let mut player = Player {
        session,
        stage: &stage,
        places,
        started: BTreeMap::new(),
        left: Vec::new(),
        problems: Vec::new(),
    };
    for step in &scenario.steps {
        player.step(step).await?;
    }
    // What was the last step's shows a moment later.
    tokio::time::sleep(Duration::from_millis(500)).await;
    let mut problems = player.problems;
    let card = Card::new(scenario.rate, stage.playground.stop_load().await);
    let expect = &scenario.expect;
    problems.extend(expect.problems(&card));
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
    places: &'a Places,
    started: BTreeMap<String, Child>,
    left: Vec<LeftBehind>,
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
            Step::Shell(command) => {
                let command = named(self.stage, &self.places.fill(command));
                self.say("shell").await;
                let (ended, left) = shell::run(self.stage, &command).await?;
                self.left.push(left);
                self.judge(&command, &ended, &[0]);
            }
            Step::Mark(label) => self.say(label).await,
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
