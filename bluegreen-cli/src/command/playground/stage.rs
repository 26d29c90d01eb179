use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use bluegreen_core::model::{Actions, HealthState};
use bluegreen_testkit::playground::topology::MachineView;
use bluegreen_testkit::playground::{Options, Playground, Site, Stack};
use tempfile::TempDir;
use tokio::process::{Child, Command};

use crate::failure::Failure;

/// The environment that is played with.
pub(super) const ENVIRONMENT: &str = "PLAY";

const ACCOUNT: &str = "123456789012";
const REGION: &str = "us-east-1";
const NAME: &str = "jobs";

/// How long the first machines may take to be healthy.
const PATIENCE: Duration = Duration::from_mins(1);

/// A playground of one's own, with a service, a configuration and a store.
#[derive(Debug)]
pub(super) struct Stage {
    pub(super) playground: Playground,
    pub(super) site: Arc<Site>,
    pub(super) stack: Stack,
    folder: TempDir,
}

/// How a command ended.
#[derive(Clone, Debug)]
pub(super) struct Ended {
    pub(super) code: Option<i32>,
    pub(super) text: String,
}

impl Stage {
    /// Starts a playground and waits until its service is healthy.
    pub(super) async fn start(options: Options) -> Result<Self, Failure> {
        let failed = |error| Failure::refused(format!("no playground can be started: {error}"));
        let folder = tempfile::tempdir().map_err(failed)?;
        let playground = Playground::start(options).await.map_err(failed)?;
        let stack = playground.front_end(ACCOUNT, REGION, NAME).map_err(failed)?;
        let site = playground.site(ACCOUNT, REGION);
        let stage = Self { playground, site, stack, folder };
        std::fs::write(stage.config(), configuration(&stage.stack)).map_err(failed)?;
        stage.wait_until_healthy().await?;
        Ok(stage)
    }

    fn config(&self) -> PathBuf {
        self.folder.path().join("bluegreen.toml")
    }

    async fn wait_until_healthy(&self) -> Result<(), Failure> {
        let is_healthy = || {
            let groups = self.site.topology().target_groups;
            let mut targets = groups.values().map(|group| &group.targets);
            targets.all(|targets| {
                !targets.is_empty()
                    && targets.iter().all(|target| target.state == HealthState::Healthy)
            })
        };
        let waited = tokio::time::timeout(PATIENCE, async {
            while !is_healthy() {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        });
        waited.await.map_err(|_| {
            let failure = Failure::refused("the machines of the playground do not become healthy");
            match self.last_words() {
                Some(words) => failure.with_hint(format!("one of them says: {words}")),
                None => failure.with_hint("if they run a command of yours, it says nothing"),
            }
        })
    }

    /// Returns the last line that the command of any machine wrote.
    fn last_words(&self) -> Option<String> {
        let machines = self.site.topology().machines;
        let logs = machines.iter().filter_map(|one| self.playground.log_of_machine(&one.instance));
        let mut texts = logs.filter_map(|log| std::fs::read_to_string(log).ok());
        texts.find_map(|text| text.lines().last().map(str::to_owned))
    }

    /// Returns this program with arguments, ready to be run against the playground.
    pub(super) fn bluegreen(&self, args: &[String]) -> Result<Command, Failure> {
        let program = std::env::current_exe()
            .map_err(|error| Failure::refused(format!("this program cannot be found: {error}")))?;
        let mut command = Command::new(program);
        self.surround(&mut command);
        command
            .args(args)
            .arg("--config")
            .arg(self.config())
            .arg("--store")
            .arg(self.folder.path().join("store"))
            .args(["--endpoint-url", &self.playground.url()])
            // What is done here shows at once and lands at once.
            .env("BLUEGREEN_SETTLE", "1s")
            .kill_on_drop(true);
        Ok(command)
    }

    /// Puts the playground into the environment of a command: AWS's own tools find it there.
    pub(super) fn surround(&self, command: &mut Command) {
        let url = self.playground.url();
        command
            .env("AWS_ENDPOINT_URL", &url)
            .env("AWS_ACCESS_KEY_ID", "playground")
            .env("AWS_SECRET_ACCESS_KEY", "playground")
            .env("AWS_REGION", &self.stack.region)
            .env("AWS_DEFAULT_REGION", &self.stack.region)
            .env_remove("AWS_PROFILE")
            .env_remove("AWS_SESSION_TOKEN")
            .env("PLAYGROUND_URL", &url)
            .env("PLAYGROUND_LOAD_BALANCER", &self.stack.load_balancer)
            .env("PLAYGROUND_SCALING_GROUP", &self.stack.scaling_group)
            .env("PLAYGROUND_IMAGE", self.stack.images.first().map_or("", String::as_str))
            .stdin(Stdio::null());
    }

    /// Returns the images of the machines that open routes lead to.
    pub(super) fn images_served(&self) -> BTreeSet<String> {
        let topology = self.site.topology();
        let mut images = BTreeSet::new();
        for listener in topology.listeners.iter().filter(|listener| listener.open) {
            let rules = listener.rules.iter().map(|rule| &rule.actions);
            let forwards = rules.chain([&listener.actions]).filter_map(Actions::forward);
            let groups = forwards
                .flat_map(|forward| forward.weights().keys().filter(|name| forward.reaches(name)));
            for group in groups.filter_map(|name| topology.target_groups.get(name)) {
                let serves = |machine: &&MachineView| {
                    group.targets.iter().any(|target| {
                        target.instance == machine.instance && target.state != HealthState::Draining
                    })
                };
                let machines = topology.machines.iter().filter(serves);
                images.extend(machines.map(|machine| machine.image.to_string()));
            }
        }
        images
    }

    /// Runs this program to its end.
    pub(super) async fn run(&self, args: &[String]) -> Result<Ended, Failure> {
        ended(self.spawn(args)?).await
    }

    /// Starts this program.
    pub(super) fn spawn(&self, args: &[String]) -> Result<Child, Failure> {
        let mut command = self.bluegreen(args)?;
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().map_err(|error| Failure::refused(format!("no process: {error}")))
    }
}

/// Waits for the end of a command.
pub(super) async fn ended(child: Child) -> Result<Ended, Failure> {
    let output = child.wait_with_output().await;
    let output = output.map_err(|error| Failure::refused(format!("no process: {error}")))?;
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    Ok(Ended { code: output.status.code(), text })
}

/// Returns a configuration for a service, as a person would write it.
pub(super) fn configuration(stack: &Stack) -> String {
    let Stack { account, region, scaling_group, .. } = stack;
    format!(
        "[accounts.playground]\n\
         id = \"{account}\"\n\
         \n\
         [environments.{ENVIRONMENT}]\n\
         account = \"playground\"\n\
         region = \"{region}\"\n\
         scaling_group = \"{scaling_group}\"\n\
         idle_ports = \"18080-18099\"\n\
         health = \"idle-listener\"\n\
         no_requests_for = \"3s\"\n"
    )
}
