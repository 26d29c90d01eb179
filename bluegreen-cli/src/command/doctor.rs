use std::sync::Arc;

use bluegreen_core::cloud::Cloud;
use bluegreen_core::operation::{Bluegreen, EnvironmentSpec};
use bluegreen_core::plan::{FindingSeverity, examine};
use bluegreen_core::transaction::Store;

use super::Session;
use crate::args::Doctor;
use crate::config::Environment;
use crate::connect::Connector;
use crate::failure::Failure;
use crate::render::{self, DoctorReport};
use crate::{actor, exit};

/// Looks environments over, and says what is wrong with them and what mends it; changes nothing.
pub(super) async fn run(session: &Session, options: &Doctor) -> Result<u8, Failure> {
    let config = session.config()?;
    let all = config.environments(&[])?;
    let wanted = config.environments(&options.environments)?;
    if wanted.is_empty() {
        return Err(Failure::usage(format!("{} has no environments", config.path().display()))
            .with_hint("add a section `[environments.NAME]`"));
    }
    let store = session.store().await?;
    let mut connector = Connector::new(&session.global);
    let mut reports = Vec::new();
    let mut code = exit::DONE;
    for environment in &wanted {
        let neighbours = neighbours(&all, &connector, environment);
        let looked = match connector.connect(environment).await {
            Ok(cloud) => {
                let region = connector.region(environment);
                look(environment, region, &neighbours, cloud, Arc::clone(&store)).await
            }
            Err(failure) => Err(failure),
        };
        match looked {
            Ok(report) => {
                code = exit::worse(code, code_of(report.worst(), options.strict));
                reports.push(report);
            }
            // One that cannot be looked at is no reason to leave the others.
            Err(failure) => {
                render::failure(&failure);
                code = exit::worse(code, failure.exit);
            }
        }
    }
    let text = |report: &DoctorReport| render::doctor(report, render::width());
    session.out.reports(&reports, wanted.len() == 1, text);
    Ok(code)
}

/// Returns every environment of the same account and region: what one does not claim, another may.
fn neighbours(
    all: &[&Environment],
    connector: &Connector,
    environment: &Environment,
) -> Vec<EnvironmentSpec> {
    let is_near = |one: &&&Environment| {
        one.spec.account == environment.spec.account
            && connector.region(one) == connector.region(environment)
    };
    all.iter().filter(is_near).map(|one| one.spec.clone()).collect()
}

async fn look(
    environment: &Environment,
    region: &str,
    neighbours: &[EnvironmentSpec],
    cloud: Arc<dyn Cloud>,
    store: Arc<dyn Store>,
) -> Result<DoctorReport, Failure> {
    let bluegreen = Bluegreen::of(cloud, store).with_actor(actor::name());
    let found = Box::pin(bluegreen.look_over(&environment.spec, neighbours)).await?;
    let (name, alias) = (&environment.spec.name, &environment.account.alias);
    let account = environment.spec.account.as_str();
    Ok(DoctorReport::new(name.as_str(), account, alias, region, examine(&found)))
}

/// Returns the exit code for the worst finding: what stands in the way would be refused.
fn code_of(worst: FindingSeverity, is_strict: bool) -> u8 {
    match worst {
        FindingSeverity::Problem => exit::REFUSED,
        FindingSeverity::Warning if is_strict => exit::REFUSED,
        _ => exit::DONE,
    }
}
