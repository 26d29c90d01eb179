//! The command line. Its doc comments are the help text.

mod playground;

use std::path::PathBuf;
use std::time::Duration;

use bluegreen_aws::Task;
use bluegreen_core::model::Color;
use bluegreen_core::plan::Waits;
use bluegreen_core::transaction::Policy;
use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};

use crate::duration;

pub(crate) use playground::{
    After, Fault, Matter, Playground, PlaygroundDemo, PlaygroundLoad, PlaygroundRun,
    PlaygroundScore, PlaygroundUp,
};

/// The end of `--help`.
const EXIT_CODES: &str = "\
Exit codes:
  0    done, or there was nothing to do
  1    failed, and everything is as it was before
  2    wrong usage or configuration; nothing was tried
  3    refused; nothing was changed
  4    failed, and something is left: `bluegreen recover` goes on
  130  interrupted, and everything is as it was before";

/// The end of `doctor --help`.
const DOCTOR: &str = "\
Ends with 3 if it finds a problem: something that hurts now, or that an operation would be refused
for. Warnings and notes end with 0. It changes nothing.";

/// The end of `iam-policy --help`.
const IAM_POLICY: &str = "\
Operations: status, upgrade, deploy, switch, scaledown, downgrade, orphans, doctor.
`recover` and `undo` need what the runs needed that they take back.

  bluegreen iam-policy ENV --operation switch > switch.json
  aws iam create-policy --policy-name bluegreen-switch --policy-document file://switch.json";

/// How `deploy` is used: one of three ways to say what.
const DEPLOY: &str = "\
bluegreen deploy [OPTIONS] <ENV> [--image <AMI>] [--user-data <FILE>]
                        [--to-template <NAME>]
       bluegreen deploy [OPTIONS] <ENV> --template-version <N>
       bluegreen deploy [OPTIONS] <ENV> --from <COLOR>";

/// Blue/green deployments for AWS Auto Scaling groups behind load balancers
///
/// Every change is saved with its inverse before it is made, and anything that fails is undone.
#[derive(Debug, Parser)]
#[command(name = "bluegreen", version, after_help = EXIT_CODES, max_term_width = 100)]
#[command(subcommand_required = true, arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What may be said to every command, before or after its name.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// Read this configuration [default: bluegreen.toml here or in a parent folder, then in the
    /// user's configuration folder]
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Keep journals and locks there: in a folder, or for several machines in
    /// `s3://BUCKET/PREFIX` [default: bluegreen in the user's state folder]
    #[arg(
        long,
        global = true,
        value_name = "PLACE",
        env = "BLUEGREEN_STORE",
        hide_env_values = true
    )]
    pub(crate) store: Option<PathBuf>,
    /// Send every call to this endpoint instead of AWS's
    #[arg(long, global = true, value_name = "URL")]
    pub(crate) endpoint_url: Option<String>,
    /// Use this AWS profile instead of the account's
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) profile: Option<String>,
    /// Work in this region instead of the environment's
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) region: Option<String>,
    /// Write results for people or for programs
    #[arg(
        long,
        global = true,
        value_name = "FORMAT",
        default_value = "text",
        hide_possible_values = false
    )]
    pub(crate) output: Output,
    /// Write what happens as JSON lines, `-` being stdout
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) events: Option<PathBuf>,
    /// Go on without asking; does not confirm changes in a protected account
    #[arg(long, short = 'y', global = true)]
    pub(crate) yes: bool,
    /// Confirm changes of this environment, in a protected account too
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) confirm: Option<String>,
    /// Show what would be done, and change nothing
    #[arg(long, global = true)]
    pub(crate) dry_run: bool,
    /// Say when to use colours
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: When,
    /// Tell more on stderr; twice for everything
    #[arg(long, short, global = true, action = ArgAction::Count)]
    pub(crate) verbose: u8,
    /// Tell nothing on stderr but questions and errors
    #[arg(long, short, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
}

/// For whom results are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// For people
    Text,
    /// For programs
    Json,
    /// For Terraform, a variable `bluegreen`; of `status` only
    Tfvars,
    /// For `CloudFormation`, parameters of the Systems Manager, one a line; of `status` only
    Ssm,
}

/// When to use colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum When {
    /// On a terminal, unless `NO_COLOR` is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// What to do.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Command {
    /// Give an environment its second colour, next to what serves
    Upgrade(Upgrade),
    /// Put a new version on the colour that does not serve
    Deploy(Deploy),
    /// Send all traffic to the other colour, after checking its health
    Switch(Switch),
    /// Stop the colour that does not serve
    Scaledown(Scaledown),
    /// Go back to one colour, the live one, and remove what was made for the other
    Downgrade(Downgrade),
    /// Show environments as they are now
    Status(Status),
    /// Look environments over: permissions, quotas, drift, open ports, and what mends them
    Doctor(Doctor),
    /// List what runs made and no environment claims, and delete it
    Orphans(Orphans),
    /// List runs, newest first
    Log(Log),
    /// Show one run, step by step
    Show(Show),
    /// Finish what interrupted runs left
    Recover(Recover),
    /// Take a committed run back, as a new run
    Undo(Undo),
    /// Tell who holds the locks of environments, or take one away
    #[command(subcommand)]
    Lock(Lock),
    /// Write the policy of IAM that allows what operations on an environment call, and no more
    IamPolicy(IamPolicy),
    /// Play with AWS on loopback: real traffic, real faults, no account
    #[command(subcommand)]
    Playground(Playground),
}

/// Options of `upgrade`.
#[derive(Clone, Debug, Args)]
pub(crate) struct Upgrade {
    /// Name the environment, as in the configuration
    #[arg(value_name = "ENV")]
    pub(crate) environment: String,
    /// Clone a scaling group that has what this version does not know, without it
    #[arg(long)]
    pub(crate) ignore_unknown: bool,
    #[command(flatten)]
    pub(crate) settle: Settle,
}

/// Options of `deploy`.
#[derive(Clone, Debug, Args)]
#[command(group = clap::ArgGroup::new("source").required(true).multiple(true))]
#[command(override_usage = DEPLOY)]
pub(crate) struct Deploy {
    /// Name the environment, as in the configuration
    #[arg(value_name = "ENV")]
    pub(crate) environment: String,
    /// Launch what the live colour launches, with this image
    #[arg(long, group = "source", value_name = "AMI")]
    pub(crate) image: Option<String>,
    /// Launch what the live colour launches, with this user data
    #[arg(long, group = "source", value_name = "FILE")]
    pub(crate) user_data: Option<PathBuf>,
    /// Launch it from a new launch template of this name, made from the launch configuration that
    /// the live colour has; later deploys make versions of it
    #[arg(long, group = "source", value_name = "NAME")]
    pub(crate) to_template: Option<String>,
    /// Launch this version of the idle colour's launch template
    #[arg(long, group = "source", value_name = "N")]
    #[arg(conflicts_with_all = ["image", "user_data", "to_template", "from"])]
    pub(crate) template_version: Option<u64>,
    /// Launch what this colour launches
    #[arg(long, group = "source", value_name = "COLOR")]
    #[arg(conflicts_with_all = ["image", "user_data", "to_template"])]
    pub(crate) from: Option<Color>,
    /// Start this many machines [default: as many as the live colour has]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) size: Option<u32>,
    #[command(flatten)]
    pub(crate) waiting: Waiting,
    #[command(flatten)]
    pub(crate) settle: Settle,
}

/// Options of `switch`.
#[derive(Clone, Debug, Args)]
pub(crate) struct Switch {
    /// Name the environment, as in the configuration
    #[arg(value_name = "ENV")]
    pub(crate) environment: String,
    /// Make this colour live, which also mends a split environment [default: the idle one]
    #[arg(long, value_name = "COLOR")]
    pub(crate) to: Option<Color>,
    #[command(flatten)]
    pub(crate) poll: Poll,
    #[command(flatten)]
    pub(crate) settle: Settle,
}

/// Options of `scaledown`.
#[derive(Clone, Debug, Args)]
pub(crate) struct Scaledown {
    /// Name the environment, as in the configuration
    #[arg(value_name = "ENV")]
    pub(crate) environment: String,
    /// Refuse unless this is the idle colour
    #[arg(long, value_name = "COLOR")]
    pub(crate) only: Option<Color>,
    #[command(flatten)]
    pub(crate) waiting: Waiting,
    #[command(flatten)]
    pub(crate) settle: Settle,
}

/// Options of `downgrade`.
#[derive(Clone, Debug, Args)]
pub(crate) struct Downgrade {
    /// Name the environment, as in the configuration
    #[arg(value_name = "ENV")]
    pub(crate) environment: String,
    #[command(flatten)]
    pub(crate) waiting: Waiting,
    #[command(flatten)]
    pub(crate) settle: Settle,
}

/// How long to wait, and how often to look.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Waiting {
    /// Give up waiting after this long, and take everything back
    #[arg(long, value_name = "TIME", default_value = "15m", value_parser = duration::parse)]
    timeout: Duration,
    #[command(flatten)]
    poll: Poll,
}

impl Waiting {
    /// Returns how an operation waits.
    pub(crate) fn waits(self) -> Waits {
        Waits { timeout: self.timeout, poll: self.poll.poll }
    }
}

/// How often to look.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Poll {
    /// Look this often
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = duration::parse_some)]
    pub(crate) poll: Duration,
}

/// How late a call may land.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Settle {
    /// Expect a call whose answer was lost to land up to this late: for that long nobody can say
    /// that it did not. What is read may lag as long, but at most 15
    /// seconds
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = duration::parse)]
    #[arg(env = "BLUEGREEN_SETTLE", hide_env_values = true, hide_short_help = true)]
    settle: Duration,
}

impl Settle {
    /// Returns how runs are patient. Reads do not lag longer than calls land late.
    pub(crate) fn policy(self) -> Policy {
        let policy = Policy::default();
        Policy { settle: self.settle, reread: policy.reread.min(self.settle), ..policy }
    }
}

/// Options of `status`.
#[derive(Clone, Debug, Args)]
pub(crate) struct Status {
    /// Name the environments [default: all that are configured]
    #[arg(value_name = "ENV")]
    pub(crate) environments: Vec<String>,
    /// Compare the scaling groups of both colours, field by field
    #[arg(long)]
    pub(crate) parity: bool,
}

/// Options of `doctor`.
#[derive(Clone, Debug, Args)]
#[command(after_long_help = DOCTOR)]
pub(crate) struct Doctor {
    /// Name the environments [default: all that are configured]
    #[arg(value_name = "ENV")]
    pub(crate) environments: Vec<String>,
    /// End with 3 for warnings, too
    #[arg(long)]
    pub(crate) strict: bool,
}

/// Options of `orphans`.
#[derive(Clone, Debug, Args)]
pub(crate) struct Orphans {
    /// Name the environments; one that is not configured must be named for its orphans to be
    /// deleted [default: all]
    #[arg(value_name = "ENV")]
    pub(crate) environments: Vec<String>,
    /// Delete those that nothing needs; whatever a route names, or has machines, stays
    #[arg(long)]
    pub(crate) delete: bool,
}

/// Options of `log`.
#[derive(Clone, Debug, Args)]
pub(crate) struct Log {
    /// Name the environments [default: all]
    #[arg(value_name = "ENV")]
    pub(crate) environments: Vec<String>,
}

/// Options of `show`.
#[derive(Clone, Debug, Args)]
pub(crate) struct Show {
    /// Name the run, or the beginning of its id
    #[arg(value_name = "RUN")]
    pub(crate) run: String,
}

/// Options of `recover`.
#[derive(Clone, Debug, Args)]
pub(crate) struct Recover {
    /// Name the run, or the beginning of its id [default: every open run]
    #[arg(value_name = "RUN")]
    pub(crate) run: Option<String>,
    /// Go on with the plan instead of back
    #[arg(long)]
    pub(crate) forward: bool,
    /// Leave what this step changed as it is, since it is stuck; may be given several times
    #[arg(long, value_name = "STEP", value_parser = clap::value_parser!(u32).range(1..))]
    #[arg(requires = "run", conflicts_with = "forward")]
    pub(crate) skip: Vec<u32>,
    #[command(flatten)]
    pub(crate) settle: Settle,
}

/// Options of `undo`.
#[derive(Clone, Debug, Args)]
pub(crate) struct Undo {
    /// Name the run, or the beginning of its id
    #[arg(value_name = "RUN")]
    pub(crate) run: String,
    #[command(flatten)]
    pub(crate) waiting: Waiting,
    #[command(flatten)]
    pub(crate) settle: Settle,
}

/// Options of `iam-policy`.
#[derive(Clone, Debug, Args)]
#[command(after_long_help = IAM_POLICY)]
pub(crate) struct IamPolicy {
    /// Name the environment, as in the configuration
    #[arg(value_name = "ENV")]
    pub(crate) environment: String,
    /// Allow this operation, and what takes it back; may be given several times [default: all]
    #[arg(long = "operation", value_name = "OP")]
    pub(crate) operations: Vec<Task>,
    /// Let machines have this role only; may be given several times [default: any role]
    #[arg(long = "instance-role", value_name = "NAME")]
    pub(crate) instance_roles: Vec<String>,
    /// Look which load balancers and target groups the environment has, and allow no others; takes
    /// credentials, while all else is written without a call
    #[arg(long)]
    pub(crate) narrow: bool,
    /// Write this part only: what is longer than a managed policy may be is divided
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..))]
    pub(crate) part: Option<u8>,
}

/// What to do about locks.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Lock {
    /// Tell who holds the locks of environments, since when, and what for
    Status(LockStatus),
    /// Take the lock of an environment from whoever holds it; wants `--confirm`
    Break(LockBreak),
}

/// Options of `lock status`.
#[derive(Clone, Debug, Args)]
pub(crate) struct LockStatus {
    /// Name the environments [default: all that are configured]
    #[arg(value_name = "ENV")]
    pub(crate) environments: Vec<String>,
}

/// Options of `lock break`.
#[derive(Clone, Debug, Args)]
pub(crate) struct LockBreak {
    /// Name the environment, here and with `--confirm`
    #[arg(value_name = "ENV")]
    pub(crate) environment: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        <Cli as clap::CommandFactory>::command().debug_assert();
    }
}
