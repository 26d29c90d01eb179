//! A service in a playground, asked all the time, and the real binary that works on it.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use bluegreen_core::model::{Actions, HealthState};
use bluegreen_testkit::playground::fault::{Ailment, Fault, Machines, Trouble};
use bluegreen_testkit::playground::topology::MachineView;
use bluegreen_testkit::playground::{Options, Playground, Site, Stack};
use tempfile::TempDir;
use tokio::process::{Child, Command};

/// Nothing takes longer, however busy the machine is.
const PATIENCE: Duration = Duration::from_mins(3);

/// A service with two colours.
#[derive(Debug)]
pub(crate) struct Service {
    playground: Playground,
    site: Arc<Site>,
    stack: Stack,
    folder: TempDir,
}

impl Service {
    /// Makes a service, gives it a second colour, and begins to ask it so many times a second.
    pub(crate) async fn start(rate: u64) -> Self {
        let mut options = Options::default();
        options.boot = Duration::from_millis(300);
        options.check_interval = Some(Duration::from_millis(250));
        let playground = Playground::start(options).await.expect("a playground can be started");
        let made = playground.front_end("123456789012", "us-east-1", "jobs");
        let stack = made.expect("there is none of that name");
        let site = playground.site(&stack.account, &stack.region);
        let folder = tempfile::tempdir().expect("there is room for a folder");
        let config = format!(
            "[accounts.soak]\nid = \"{}\"\n[environments.SOAK]\naccount = \"soak\"\n\
             region = \"{}\"\nscaling_group = \"{}\"\nidle_ports = \"18080-18099\"\n\
             health = \"idle-listener\"\nno_requests_for = \"2s\"\n",
            stack.account, stack.region, stack.scaling_group
        );
        std::fs::write(folder.path().join("bluegreen.toml"), config).expect("it can be written");
        let service = Self { playground, site, stack, folder };
        service.wait_for("the first machines", || service.targets_are_healthy(|_| true)).await;
        service.run(&["upgrade"]).await;
        service.playground.wait_for_listeners().await;
        service.ask(rate).await;
        service
    }

    /// Starts an operation; what it says goes where [`said`](Self::said) finds it.
    pub(crate) fn begin(&self, args: &[&str]) -> Child {
        let log = File::create(self.log()).expect("it can be written");
        let same = log.try_clone().expect("there are handles left");
        let mut operation = self.operation(args);
        operation.stdout(log).stderr(same).spawn().expect("the binary can be run")
    }

    /// Returns what the last operation said.
    pub(crate) fn said(&self) -> String {
        std::fs::read_to_string(self.log()).expect("it said something")
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("said")
    }

    /// Waits for the end of an operation; returns its exit code.
    pub(crate) async fn end(&self, mut operation: Child) -> i32 {
        let status = tokio::time::timeout(PATIENCE, operation.wait()).await;
        let status = status.expect("an operation ends").expect("it can be waited for");
        status.code().expect("nobody kills it")
    }

    /// Runs an operation to its end, which must be a good one.
    pub(crate) async fn run(&self, args: &[&str]) {
        let code = self.end(self.begin(args)).await;
        assert_eq!(code, 0, "{args:?}: {}", self.said());
    }

    /// Begins to ask so many times a second.
    pub(crate) async fn ask(&self, rate: u64) {
        let rate = f64::from(u32::try_from(rate).expect("no load is so much"));
        self.playground.start_load(&self.site, rate).await;
    }

    /// Lets the machines of a colour ail for so many seconds.
    pub(crate) fn ail(&self, color: &str, how: Ailment, seconds: u64) {
        let of = Machines { color: Some(color.to_owned()), ..Machines::default() };
        let seconds = u32::try_from(seconds).expect("it is not for long");
        let what = Trouble::Instance { of, how };
        self.playground.faults().add(Fault { what, seconds: Some(seconds.into()), times: None });
    }

    /// Lets nothing go wrong any more.
    pub(crate) fn lift(&self) {
        self.playground.faults().clear();
    }

    /// Returns the colour that no open route leads to.
    pub(crate) fn idle_color(&self) -> String {
        let serving = self.serving();
        let live = serving.iter().find_map(|machine| machine.color.as_deref());
        if live.expect("a machine serves") == "blue" { "green" } else { "blue" }.to_owned()
    }

    /// Returns the images of which no machine serves.
    pub(crate) fn images_to_deploy(&self) -> Vec<&str> {
        let served: BTreeSet<String> =
            self.serving().iter().map(|machine| machine.image.to_string()).collect();
        let images = self.stack.images.iter().map(String::as_str);
        images.filter(|image| !served.contains(*image)).collect()
    }

    /// Waits until all machines of a colour are well.
    pub(crate) async fn wait_until_ready(&self, color: &str) {
        let is_of_color = |machine: &MachineView| machine.color.as_deref() == Some(color);
        self.wait_for("the idle machines", || self.targets_are_healthy(is_of_color)).await;
    }

    /// Fails if a request failed or was answered by a machine of the wrong colour.
    pub(crate) async fn assert_nothing_was_lost(&self, when: &str) {
        for score in self.playground.scores().await {
            assert_eq!((score.failed, score.misrouted), (0, 0), "{when}: {score:?}");
        }
    }

    /// Ends the load, and says how it went.
    pub(crate) async fn tell(&self) -> String {
        let scores = self.playground.stop_load().await;
        let told = scores.iter().map(|score| {
            format!(
                "{} requests in {:.0} s, {} failed, {} misrouted, p99 {:.0} ms, at most {:.0} ms",
                score.requests,
                score.seconds,
                score.failed,
                score.misrouted,
                score.p99_ms,
                score.max_ms
            )
        });
        told.collect::<Vec<_>>().join("\n")
    }

    /// Returns an operation, ready to be run.
    fn operation(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bluegreen"));
        let (operation, rest) = args.split_first().expect("there is an operation");
        command
            .args([*operation, "SOAK", "--yes", "--quiet"])
            .args(rest)
            .arg("--store")
            .arg(self.folder.path().join("store"))
            .args(["--endpoint-url", &self.playground.url()])
            .env_clear()
            .env("HOME", self.folder.path())
            .env("USER", "soak")
            .env("AWS_ACCESS_KEY_ID", "playground")
            .env("AWS_SECRET_ACCESS_KEY", "playground")
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("BLUEGREEN_SETTLE", "1s")
            .current_dir(self.folder.path())
            .kill_on_drop(true)
            .stdin(Stdio::null());
        command
    }

    /// Returns the machines that open routes lead to.
    fn serving(&self) -> Vec<MachineView> {
        let topology = self.site.topology();
        let open = topology.listeners.iter().filter(|listener| listener.open);
        let forwards = open.filter_map(|listener| Actions::forward(&listener.actions));
        let groups = forwards
            .flat_map(|forward| forward.weights().keys().filter(|name| forward.reaches(name)));
        let targets = groups.filter_map(|name| topology.target_groups.get(name));
        let serving: BTreeSet<_> =
            targets.flat_map(|group| &group.targets).map(|target| &target.instance).collect();
        let machines = topology.machines.iter();
        machines.filter(|machine| serving.contains(&machine.instance)).cloned().collect()
    }

    /// Returns whether some machines are targets, and well wherever they are one.
    fn targets_are_healthy(&self, which: impl Fn(&MachineView) -> bool) -> bool {
        let topology = self.site.topology();
        let mut machines = topology.machines.iter().filter(|one| which(one) && !one.terminating);
        let is_well = |machine: &MachineView| {
            let targets = topology.target_groups.values().flat_map(|group| &group.targets);
            let mut own = targets.filter(|target| target.instance == machine.instance).peekable();
            own.peek().is_some() && own.all(|target| target.state == HealthState::Healthy)
        };
        topology.machines.iter().any(&which) && machines.all(is_well)
    }

    async fn wait_for(&self, what: &str, is_there: impl Fn() -> bool + Send + Sync) {
        let waited = tokio::time::timeout(PATIENCE, async {
            while !is_there() {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        });
        assert!(waited.await.is_ok(), "{what} are not healthy in time");
    }
}
