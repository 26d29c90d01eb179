use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};

use crate::duration;

/// Where a playground is, unless it is told.
const URL: &str = "http://127.0.0.1:4570";

/// What to do with AWS on loopback.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Playground {
    /// Show it all in under a minute: a service under load, deployed, switched, broken, rolled back
    Demo(PlaygroundDemo),
    /// Start one and keep it until Ctrl-C
    Up(PlaygroundUp),
    /// Let something go wrong in one that runs, or lift it
    Fault(Fault),
    /// Ask the services of one that runs for a while, and tell how it went
    Load(PlaygroundLoad),
    /// Play a scenario from a file, and judge it
    Run(PlaygroundRun),
    /// Let a command of yours deploy in one, under load, and grade it
    Score(PlaygroundScore),
}

/// Options of `playground demo`.
#[derive(Clone, Debug, Args)]
pub(crate) struct PlaygroundDemo {
    #[command(flatten)]
    pub(crate) rate: Rate,
    #[command(flatten)]
    pub(crate) report: Report,
}

/// Options of `playground up`.
#[derive(Clone, Debug, Args)]
pub(crate) struct PlaygroundUp {
    /// Listen on this port of 127.0.0.1; 0 for any that is free
    #[arg(long, value_name = "N", default_value_t = 4570)]
    pub(crate) port: u16,
    /// Begin with nothing instead of a service with HTTP and HTTPS
    #[arg(long)]
    pub(crate) empty: bool,
    /// Keep everything in this file: begin with what it holds, and write it at the end
    #[arg(long, value_name = "FILE")]
    pub(crate) state: Option<PathBuf>,
    /// Do not limit calls as AWS does
    #[arg(long)]
    pub(crate) no_limits: bool,
    #[command(flatten)]
    pub(crate) machines: Machines,
}

/// Options of `playground load`.
#[derive(Clone, Debug, Args)]
pub(crate) struct PlaygroundLoad {
    #[command(flatten)]
    pub(crate) rate: Rate,
    /// Ask for so long
    #[arg(long = "for", value_name = "TIME", default_value = "30s", value_parser = duration::parse_some)]
    pub(crate) time: Duration,
    #[command(flatten)]
    pub(crate) report: Report,
    #[command(flatten)]
    pub(crate) at: At,
}

/// Options of `playground run`.
#[derive(Clone, Debug, Args)]
pub(crate) struct PlaygroundRun {
    /// Play the scenario of this file
    #[arg(value_name = "SCENARIO")]
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) report: Report,
}

/// Options of `playground score`.
#[derive(Clone, Debug, Args)]
pub(crate) struct PlaygroundScore {
    #[command(flatten)]
    pub(crate) rate: Rate,
    /// Begin with what this operation leaves
    #[arg(long, value_name = "OPERATION", default_value = "deploy")]
    pub(crate) after: After,
    #[command(flatten)]
    pub(crate) report: Report,
    #[command(flatten)]
    pub(crate) machines: Machines,
    /// Run this command, with the playground in its environment
    #[arg(value_name = "CMD", required = true, last = true)]
    pub(crate) command: Vec<String>,
}

/// What has been done to a service before somebody else goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum After {
    /// One colour, as before any upgrade
    Nothing,
    /// Two colours, one of them empty
    Upgrade,
    /// A new version on the idle colour
    Deploy,
}

/// Options of `playground fault`.
#[derive(Clone, Debug, Args)]
pub(crate) struct Fault {
    /// What is touched: `instance`, `network` or `api`; or `list`, `lift ID`, `clear`
    #[arg(value_name = "WHAT")]
    pub(crate) what: Matter,
    /// How it goes wrong: instance crash, hang, fails, slow, flaps, slow-boot, never-healthy,
    /// breaks-under-traffic; network delay, drip, stall, reset, refuse, partition; api throttle,
    /// error, outage, lose-reply, delay, lag
    #[arg(value_name = "HOW")]
    pub(crate) how: Option<String>,
    /// Only this machine
    #[arg(long, value_name = "ID")]
    pub(crate) instance: Option<String>,
    /// Only machines of this scaling group
    #[arg(long, value_name = "NAME")]
    pub(crate) group: Option<String>,
    /// Only machines of this image
    #[arg(long, value_name = "AMI")]
    pub(crate) image: Option<String>,
    /// Only machines in this zone
    #[arg(long, value_name = "NAME")]
    pub(crate) zone: Option<String>,
    /// Only machines of this colour
    #[arg(long = "of", value_name = "COLOR")]
    pub(crate) of: Option<String>,
    /// Only calls of this service, such as `elasticloadbalancing`
    #[arg(long, value_name = "NAME")]
    pub(crate) service: Option<String>,
    /// Only calls of this action, such as `ModifyListener`
    #[arg(long, value_name = "NAME")]
    pub(crate) action: Option<String>,
    /// Only calls that change something
    #[arg(long)]
    pub(crate) mutating: bool,
    /// So many milliseconds, for what takes time
    #[arg(long, value_name = "N")]
    pub(crate) ms: Option<u64>,
    /// This status, for `fails`
    #[arg(long, value_name = "N")]
    pub(crate) status: Option<u16>,
    /// This share of requests from 0 to 1, for `breaks-under-traffic`
    #[arg(long, value_name = "N")]
    pub(crate) share: Option<f64>,
    /// So many bytes a second, for `drip`
    #[arg(long, value_name = "N")]
    pub(crate) bytes: Option<u64>,
    /// For so long [default: until it is lifted]
    #[arg(long = "for", value_name = "TIME", value_parser = duration::parse_some)]
    pub(crate) time: Option<Duration>,
    /// So many times, for calls
    #[arg(long, value_name = "N")]
    pub(crate) times: Option<u32>,
    #[command(flatten)]
    pub(crate) at: At,
}

/// What goes wrong, or what is to be done about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Matter {
    /// The servers on machines
    Instance,
    /// The way from load balancers to machines
    Network,
    /// Calls of the control plane
    Api,
    /// List what goes wrong
    List,
    /// Lift one fault
    Lift,
    /// Lift every fault
    Clear,
}

/// How often to ask.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Rate {
    /// Ask so many times a second
    #[arg(long, value_name = "N", default_value_t = 1700.0)]
    pub(crate) rate: f64,
}

/// Where to write how it went.
#[derive(Clone, Debug, Args)]
pub(crate) struct Report {
    /// Write a page with plots
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
}

/// Which playground.
#[derive(Clone, Debug, Args)]
pub(crate) struct At {
    /// Find the playground there
    #[arg(long, value_name = "URL", default_value = URL, env = "PLAYGROUND_URL", hide_env_values = true)]
    pub(crate) url: String,
}

/// What machines are.
#[derive(Clone, Debug, Args)]
pub(crate) struct Machines {
    /// Let machines take so long from their launch until they start to serve
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = duration::parse)]
    pub(crate) boot: Duration,
    /// Run this for each machine instead of the built-in server, with ADDRESS, PORT, VERSION,
    /// COLOR and INSTANCE in its environment
    #[arg(long, value_name = "CMD")]
    pub(crate) instance_command: Option<String>,
}
