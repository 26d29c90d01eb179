use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::{try_join, try_join_all};

use super::making::making;
use super::survey::{target_groups, version};
use super::{Circumstances, OperationError};
use crate::cloud::{CloudError, ReadCloud};
use crate::model::{
    Capacity, Environment, ListenerKey, ListenerSettings, LoadBalancerName, RouteKey, RuleSettings,
};
use crate::plan::{CloudPlan, DowngradeFacts, ScaledownFacts, launch_before};

/// Reads everything that a downgrade deletes, as much as possible at the same time.
pub(super) async fn downgrade_facts(
    cloud: &dyn ReadCloud,
    environment: &Environment,
    circumstances: &Circumstances,
    drain: ScaledownFacts,
) -> Result<DowngradeFacts, OperationError> {
    let members = || environment.sides().flat_map(|(_, side)| &side.members);
    let idle: Vec<ListenerKey> =
        members().filter_map(|member| member.idle_listener.clone()).collect();
    let tests: Vec<RouteKey> =
        members().filter_map(|member| Some(member.test_rule.as_ref()?.key.clone())).collect();
    let balancers: Vec<LoadBalancerName> = environment.load_balancers().into_iter().collect();
    let green = async {
        match &environment.green {
            // It is stopped before it is deleted, and made again at that size if it must be.
            Some(side) => Ok(making(cloud, &side.group.name).await?.map(|mut making| {
                making.settings.capacity = Capacity::ZERO;
                making
            })),
            None => Ok(None),
        }
    };
    let upgrade = circumstances.upgraded.clone();
    let (((green, tests), load_balancers), (target_groups, ((listeners, ruled), floats))) =
        try_join(
            try_join(try_join(green, rules(cloud, &tests)), cloud.load_balancers(&balancers)),
            try_join(
                target_groups(cloud, members()),
                try_join(listeners(cloud, &idle), float(cloud, environment, upgrade.as_ref())),
            ),
        )
        .await?;
    Ok(DowngradeFacts {
        green,
        target_groups,
        listeners,
        rules: tests,
        ruled,
        load_balancers,
        upgrade,
        floats,
        drain,
    })
}

async fn rules(
    cloud: &dyn ReadCloud,
    keys: &[RouteKey],
) -> Result<BTreeMap<RouteKey, RuleSettings>, CloudError> {
    let looks = keys.iter().map(|key| async move {
        Ok::<_, CloudError>((key.clone(), cloud.rule_settings(key).await?))
    });
    let found = try_join_all(looks).await?.into_iter();
    Ok(found.filter_map(|(key, settings)| Some((key, settings?))).collect())
}

type Listeners = (BTreeMap<ListenerKey, ListenerSettings>, BTreeSet<ListenerKey>);

/// Reads listeners, and which of them have rules.
async fn listeners(cloud: &dyn ReadCloud, keys: &[ListenerKey]) -> Result<Listeners, CloudError> {
    let looks = keys.iter().map(|key| async move {
        let (settings, rules) = try_join(cloud.listener_settings(key), cloud.rules(key)).await?;
        Ok::<_, CloudError>((key.clone(), settings, !rules.is_empty()))
    });
    let found = try_join_all(looks).await?;
    let ruled = found.iter().filter(|(_, _, ruled)| *ruled).map(|(key, ..)| key.clone()).collect();
    let settings = found.into_iter().filter_map(|(key, settings, _)| Some((key, settings?)));
    Ok((settings.collect(), ruled))
}

/// Returns what the floating version means now that an upgrade pinned.
async fn float(
    cloud: &dyn ReadCloud,
    environment: &Environment,
    upgrade: Option<&CloudPlan>,
) -> Result<Option<u64>, CloudError> {
    let group = &environment.blue.group.name;
    match upgrade.and_then(|upgrade| launch_before(upgrade, group)) {
        Some(launch) => version(cloud, launch).await,
        None => Ok(None),
    }
}
