use bluegreen_core::cloud::ReadCloud;
use bluegreen_core::model::Environment as Observed;
use bluegreen_core::operation::{OperationError, RunSummary, compare, observe, runs};
use bluegreen_core::plan::Refusal;
use futures_util::future::join_all;

use super::Session;
use crate::args::{Output, Status};
use crate::config::Environment;
use crate::connect::Connector;
use crate::exit;
use crate::failure::Failure;
use crate::render::{self, Handover, StatusReport};

/// Shows environments as they are now.
pub(super) async fn run(session: &Session, options: &Status) -> Result<u8, Failure> {
    let config = session.config()?;
    let environments = config.environments(&options.environments)?;
    if environments.is_empty() {
        return Err(Failure::usage(format!("{} has no environments", config.path().display()))
            .with_hint("add a section `[environments.NAME]`"));
    }
    let history = runs(&*session.store().await?).await?;
    let mut connector = Connector::new(&session.global);
    let mut clouds = Vec::new();
    for environment in &environments {
        clouds.push(connector.connect(environment).await?);
    }
    let looks = environments.iter().zip(&clouds).map(|(environment, cloud)| {
        look(environment, &**cloud, connector.region(environment), &history, options.parity)
    });
    let results = join_all(looks).await;
    let (mut reports, mut failures) = (Vec::new(), Vec::new());
    for result in results {
        match result {
            Ok(found) => reports.push(found),
            Err(error) => failures.push(Failure::from(error)),
        }
    }
    let is_single = environments.len() == 1;
    match session.global.output {
        Output::Text | Output::Json => {
            let reports: Vec<StatusReport> =
                reports.into_iter().map(|(report, _)| report).collect();
            session.out.reports(&reports, is_single, render::status);
        }
        format => {
            let found = reports.iter().map(|(_, environment)| environment);
            failures.extend(hand_over(session, format, found, failures.is_empty()));
        }
    }
    Ok(finish(failures))
}

/// Writes what is live for other tools, all or nothing: half of it would undo the other half.
fn hand_over<'a>(
    session: &Session,
    format: Output,
    environments: impl Iterator<Item = &'a Observed>,
    is_whole: bool,
) -> Option<Failure> {
    let mut all = Vec::new();
    for environment in environments {
        match Handover::new(environment) {
            Some(handover) => all.push(handover),
            None => {
                return Some(OperationError::from(Refusal::Split(environment.name.clone())).into());
            }
        }
    }
    if is_whole {
        let text = if format == Output::Ssm { render::ssm(&all) } else { render::tfvars(&all) };
        session.out.text(&text);
    }
    None
}

async fn look(
    environment: &Environment,
    cloud: &dyn ReadCloud,
    region: &str,
    history: &[RunSummary],
    with_parity: bool,
) -> Result<(StatusReport, Observed), OperationError> {
    let observed = observe(cloud, &environment.spec).await?;
    let is_open = |run: &&RunSummary| run.environment == environment.spec.name && run.is_open();
    let open = history.iter().find(is_open).map(|summary| summary.run.clone());
    let report = StatusReport::new(&observed, &environment.account.alias, region, open);
    if with_parity && observed.is_upgraded() {
        let parity = compare(cloud, &environment.spec, &observed).await?;
        return Ok((report.with_parity(parity), observed));
    }
    Ok((report, observed))
}

/// Says what went wrong with some environments, and returns the exit code.
fn finish(failures: Vec<Failure>) -> u8 {
    let mut code = exit::DONE;
    for failure in failures {
        render::failure(&failure);
        code = exit::worse(code, failure.exit);
    }
    code
}
