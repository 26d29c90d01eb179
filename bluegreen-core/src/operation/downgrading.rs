use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::{try_join, try_join_all};

use super::making::making;
use super::{Circumstances, OperationError};
use crate::change::CloudChange;
use crate::cloud::{CloudError, ReadCloud};
use crate::model::{
    Capacity, Environment, LaunchSource, ListenerKey, ListenerSettings, LoadBalancerName, RouteKey,
    RuleSettings, Side, TargetGroupName, TargetGroupSettings,
};
use crate::plan::{CloudPlan, DowngradeFacts, ScaledownFacts};

/// Reads everything that a downgrade deletes, as much as possible at the same time.
pub(super) async fn downgrade_facts(
    cloud: &dyn ReadCloud,
    environment: &Environment,
    circumstances: &Circumstances,
    drain: ScaledownFacts,
) -> Result<DowngradeFacts, OperationError> {
    let sides = || [Some(&environment.blue), environment.green.as_ref()].into_iter().flatten();
    let members = || sides().flat_map(|side: &Side| &side.members);
    let names: Vec<TargetGroupName> =
        members().map(|member| member.target_group.name.clone()).collect();
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
                target_groups(cloud, &names),
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

async fn target_groups(
    cloud: &dyn ReadCloud,
    names: &[TargetGroupName],
) -> Result<BTreeMap<TargetGroupName, TargetGroupSettings>, CloudError> {
    let looks = names.iter().map(|name| async move {
        Ok::<_, CloudError>((name.clone(), cloud.target_group_settings(name).await?))
    });
    let found = try_join_all(looks).await?.into_iter();
    Ok(found.filter_map(|(name, settings)| Some((name, settings?))).collect())
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
    let changes = upgrade.into_iter().flat_map(CloudPlan::changes);
    let mut pinned = changes.filter_map(|(_, change)| match change {
        CloudChange::Launch(edit) if edit.of == environment.blue.group.name => Some(&edit.before),
        _ => None,
    });
    match pinned.next().and_then(LaunchSource::template) {
        Some((template, version)) if version.floats() => {
            cloud.template_version(template, version).await
        }
        _ => Ok(None),
    }
}
