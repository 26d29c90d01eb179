use futures_util::future::{join, join_all};

use super::history::RunSummary;
use super::{Bluegreen, EnvironmentSpec, OperationError, compare};
use crate::cloud::ReadCloud;
use crate::model::{Environment, Estate, TargetGroupName};
use crate::plan::{Examination, Names};
use crate::transaction::chain;

impl Bluegreen {
    /// Finds out how an environment stands, for [`examine`](crate::plan::examine) to judge; changes
    /// nothing.
    ///
    /// `configured` must be every environment that is configured in the cloud's account and
    /// region. What cannot be read is told in what comes back; an error is about the store.
    pub async fn look_over(
        &self,
        spec: &EnvironmentSpec,
        configured: &[EnvironmentSpec],
    ) -> Result<Examination, OperationError> {
        let cloud = &*self.cloud;
        let mut found = Examination::new(spec.name.clone(), spec.account.clone(), spec.idle_ports);
        let runs = self.log().await?;
        let open = |run: &&RunSummary| run.environment == spec.name && run.is_open();
        found.open_runs =
            runs.iter().filter(open).map(|run| (run.run.clone(), run.operation.clone())).collect();
        found.held = self.lock_state(&spec.name).await?.held;
        found.account = match cloud.account().await {
            // Not everybody may ask for it, and nobody must.
            Ok(account) => Ok((account, cloud.account_alias().await.ok().flatten())),
            Err(error) => Err(chain(&error)),
        };
        if !found.is_the_right_account() {
            return Ok(found);
        }
        found.observed = super::observe(cloud, spec).await.map_err(|error| chain(&error));
        let estate = estate(spec, found.observed.as_ref().ok());
        let (permissions, quotas) = join(cloud.permissions(&estate), cloud.quotas()).await;
        found.permissions = permissions.map_err(|error| chain(&error));
        found.quotas = quotas.map_err(|error| chain(&error));
        if let Ok(environment) = found.observed.clone() {
            look_closer(cloud, spec, &environment, &mut found).await;
        }
        match self.orphans(configured, std::slice::from_ref(&spec.name)).await {
            Ok(orphans) => (found.orphans, found.unclaimed_by) = (orphans.found, orphans.unread),
            Err(error) => found.unread.push(format!("orphans ({})", chain(&error))),
        }
        Ok(found)
    }
}

/// Names what an environment consists of, as far as that is known.
fn estate(spec: &EnvironmentSpec, environment: Option<&Environment>) -> Estate {
    let load_balancers = environment.map(Environment::load_balancers).unwrap_or_default();
    let pairs = environment.map(|found| found.pairs.as_slice()).unwrap_or_default();
    Estate {
        environment: spec.name.clone(),
        account: spec.account.clone(),
        blue: spec.scaling_group.clone(),
        green: Names::new(&spec.green_suffix).scaling_group(&spec.scaling_group),
        green_suffix: spec.green_suffix.clone(),
        health: spec.health.clone(),
        load_balancers: load_balancers.into_iter().collect(),
        target_groups: pairs.iter().map(|pair| pair.blue.clone()).collect(),
    }
}

/// Reads what the environment itself does not show, all at once.
async fn look_closer(
    cloud: &dyn ReadCloud,
    spec: &EnvironmentSpec,
    environment: &Environment,
    found: &mut Examination,
) {
    let names: Vec<_> = environment.load_balancers().into_iter().collect();
    let members = environment.sides().flat_map(|(_, side)| &side.members);
    let target_groups: Vec<&TargetGroupName> =
        members.map(|member| &member.target_group.name).collect();
    let (load_balancers, open, parity, settings) = tokio::join!(
        cloud.load_balancers(&names),
        join_all(names.iter().map(|name| cloud.open_ports(name, spec.idle_ports))),
        compare(cloud, spec, environment),
        join_all(target_groups.iter().map(|name| cloud.target_group_settings(name))),
    );
    match load_balancers {
        Ok(load_balancers) => found.load_balancers = load_balancers,
        Err(error) => found.miss("load balancers", &error),
    }
    for (name, open) in names.into_iter().zip(open) {
        match open {
            Ok(open) => drop(found.open_ports.insert(name, open)),
            Err(error) => found.miss(&format!("who reaches {name}"), &error),
        }
    }
    match parity {
        Ok(parity) => found.parity = environment.is_upgraded().then_some(parity),
        Err(error) => found.miss("settings of the scaling groups", &error),
    }
    for (name, settings) in target_groups.into_iter().zip(settings) {
        match settings {
            Ok(settings) => found.target_groups.extend(settings.map(|one| (name.clone(), one))),
            Err(error) => found.miss(&format!("settings of {name}"), &error),
        }
    }
}

impl Examination {
    /// Notes what could not be read.
    fn miss(&mut self, what: &str, error: &(dyn std::error::Error + 'static)) {
        self.unread.push(format!("{what} ({})", chain(error)));
    }
}
