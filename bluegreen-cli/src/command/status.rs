use bluegreen_core::cloud::ReadCloud;
use bluegreen_core::operation::{OperationError, RunSummary, compare, observe, runs};
use futures_util::future::join_all;

use super::Session;
use crate::args::Status;
use crate::config::Environment;
use crate::connect::Connector;
use crate::exit;
use crate::failure::Failure;
use crate::render::{self, StatusReport};

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
            Ok(report) => reports.push(report),
            Err(error) => failures.push(Failure::from(error)),
        }
    }
    write(session, &reports, environments.len() == 1);
    Ok(finish(failures))
}

async fn look(
    environment: &Environment,
    cloud: &dyn ReadCloud,
    region: &str,
    history: &[RunSummary],
    with_parity: bool,
) -> Result<StatusReport, OperationError> {
    let observed = observe(cloud, &environment.spec).await?;
    let is_open = |run: &&RunSummary| run.environment == environment.spec.name && run.is_open();
    let open = history.iter().find(is_open).map(|summary| summary.run.clone());
    let report = StatusReport::new(&observed, &environment.account.alias, region, open);
    if with_parity && observed.is_upgraded() {
        return Ok(report.with_parity(compare(cloud, &environment.spec, &observed).await?));
    }
    Ok(report)
}

/// Writes one environment as itself, and several as a list.
fn write(session: &Session, reports: &[StatusReport], is_single: bool) {
    let out = session.out;
    match reports {
        [report] if is_single && out.is_json() => out.json(report),
        [] if is_single => {}
        reports if out.is_json() => out.json(&reports),
        reports => {
            let texts: Vec<String> = reports.iter().map(render::status).collect();
            out.text(&texts.join("\n"));
        }
    }
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
