//! AWS on loopback: to see this tool work, and to test scripts and servers under faults.

mod card;
mod demo;
mod fault;
mod load;
mod scenario;
mod score;
mod shell;
mod stage;
mod up;

use std::path::Path;

use bluegreen_testkit::playground::remote::RemoteError;

use super::Session;
use crate::args::Playground;
use crate::failure::Failure;

/// Does what is to be done with a playground.
pub(super) async fn run(session: &Session, what: &Playground) -> Result<u8, Failure> {
    match what {
        Playground::Demo(options) => Box::pin(demo::run(session, options)).await,
        Playground::Up(options) => Box::pin(up::run(session, options)).await,
        Playground::Fault(options) => fault::run(session, options).await,
        Playground::Load(options) => load::run(session, options).await,
        Playground::Run(options) => Box::pin(scenario::run(session, options)).await,
        Playground::Score(options) => Box::pin(score::run(session, options)).await,
    }
}

impl From<RemoteError> for Failure {
    fn from(error: RemoteError) -> Self {
        let failure = Self::refused(error.to_string());
        match error {
            RemoteError::Silent { .. } => {
                failure.with_hint("start one with `bluegreen playground up`")
            }
            _ => failure,
        }
    }
}

/// Writes a report to where it is wanted, and says so.
async fn write_report(session: &Session, file: Option<&Path>, page: &str) -> Result<(), Failure> {
    let Some(file) = file else { return Ok(()) };
    tokio::fs::write(file, page).await.map_err(|error| {
        Failure::refused(format!("`{}` cannot be written: {error}", file.display()))
    })?;
    session.out.note(&format!("report: {}", file.display()));
    Ok(())
}
