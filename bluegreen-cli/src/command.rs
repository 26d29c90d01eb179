//! One file per verb.

mod deploy;
mod doctor;
mod downgrade;
mod iam_policy;
mod lock;
mod log;
mod operate;
mod orphans;
mod playground;
mod question;
mod recover;
mod runs;
mod scaledown;
mod show;
mod status;
mod switch;
mod trace;
mod undo;
mod upgrade;
mod watch;

use std::sync::Arc;

use bluegreen_core::transaction::Store;

use crate::args::{Cli, Command, Global, Output};
use crate::config::Config;
use crate::failure::Failure;
use crate::render::{self, Out};
use operate::Request;

/// Runs a command and returns its exit code.
pub(crate) fn main(cli: Cli) -> u8 {
    let out = Out::new(&cli.global);
    trace::begin(cli.global.verbose);
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            let failure = Failure::refused(format!("no thread could be started: {error}"));
            render::failure(&failure);
            return failure.exit;
        }
    };
    let session = Session { global: cli.global, out };
    let result = runtime.block_on(session.run(&cli.command));
    // A question that nobody answered must not keep the process.
    runtime.shutdown_background();
    result.unwrap_or_else(|failure| {
        render::failure(&failure);
        failure.exit
    })
}

/// What all commands need.
#[derive(Debug)]
struct Session {
    global: Global,
    out: Out,
}

impl Session {
    /// Returns the exit code of a command that has said all there is to say.
    async fn run(&self, command: &Command) -> Result<u8, Failure> {
        let is_handed_over = matches!(self.global.output, Output::Tfvars | Output::Ssm);
        if is_handed_over && !matches!(command, Command::Status(_)) {
            return Err(Failure::usage("`--output tfvars` and `--output ssm` are for `status`")
                .with_hint("programs read `--output json`"));
        }
        let request = match command {
            Command::Upgrade(options) => {
                Request::new(&options.environment, upgrade::operation(), options.settle)
            }
            Command::Deploy(options) => {
                Request::new(&options.environment, deploy::operation(options)?, options.settle)
            }
            Command::Switch(options) => {
                Request::new(&options.environment, switch::operation(options), options.settle)
            }
            Command::Scaledown(options) => {
                Request::new(&options.environment, scaledown::operation(options), options.settle)
            }
            Command::Downgrade(options) => {
                Request::new(&options.environment, downgrade::operation(options), options.settle)
            }
            Command::Undo(options) => undo::request(self, options).await?,
            Command::Status(options) => return status::run(self, options).await,
            Command::Doctor(options) => return Box::pin(doctor::run(self, options)).await,
            Command::Orphans(options) => return Box::pin(orphans::run(self, options)).await,
            Command::Log(options) => return log::run(self, options).await,
            Command::Show(options) => return show::run(self, options).await,
            Command::Recover(options) => return recover::run(self, options).await,
            Command::Lock(options) => return lock::run(self, options).await,
            Command::IamPolicy(options) => return iam_policy::run(self, options).await,
            Command::Playground(options) => {
                return Box::pin(playground::run(self, options)).await;
            }
        };
        Box::pin(operate::run(self, request)).await
    }

    fn config(&self) -> Result<Config, Failure> {
        Ok(Config::load(self.global.config.as_deref())?)
    }

    async fn store(&self) -> Result<Arc<dyn Store>, Failure> {
        crate::store::open(&self.global).await
    }
}
