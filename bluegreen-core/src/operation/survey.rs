use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::{try_join, try_join_all};

use super::{EnvironmentSpec, OperationError};
use crate::cloud::{CloudError, ReadCloud};
use crate::model::{
    Alarm, Environment, HealthStrategy, LaunchSource, LoadBalancerName, Member, Policy, Route,
    RunId, ScalingGroupName, ScalingGroupSettings, TargetGroupName, TargetGroupSettings,
};
use crate::plan::{Names, UpgradeSurvey};

/// Reads everything that a clone is made from, as much as possible at the same time.
pub(super) async fn survey(
    cloud: &dyn ReadCloud,
    spec: &EnvironmentSpec,
    environment: &Environment,
    run: &RunId,
) -> Result<UpgradeSurvey, OperationError> {
    let names = Names::new(&spec.green_suffix);
    let group = &environment.blue.group.name;
    let load_balancers: Vec<LoadBalancerName> = environment.load_balancers().into_iter().collect();
    let (((found, open_ports), (limits, rules)), (target_groups, (settings, policies, more))) =
        try_join(
            try_join(
                try_join(
                    cloud.load_balancers(&load_balancers),
                    open_ports(cloud, spec, &load_balancers),
                ),
                try_join(cloud.limits(), rules(cloud, environment)),
            ),
            try_join(target_groups(cloud, &environment.blue.members), async {
                let settings = settings(cloud, group);
                let (settings, policies) = try_join(settings, cloud.policies(group)).await?;
                let more = try_join(cloud.schedules(group), cloud.fittings(group)).await?;
                Ok((settings, policies, more))
            }),
        )
        .await?;
    let (schedules, fittings) = more;
    let alarms = alarms(cloud, &policies).await?;
    let version = version(cloud, &settings.launch).await?;
    let taken = taken(cloud, environment, &names, &alarms).await?;
    Ok(UpgradeSurvey {
        run: run.clone(),
        names,
        idle_ports: spec.idle_ports,
        load_balancers: found,
        open_ports,
        limits,
        rules,
        target_groups,
        group: settings,
        policies,
        alarms,
        schedules,
        fittings,
        version,
        taken,
    })
}

/// Reads the rules of every listener, others' too: they take priorities and count.
async fn rules(cloud: &dyn ReadCloud, environment: &Environment) -> Result<Vec<Route>, CloudError> {
    let looks = environment.listeners.iter().map(|listener| cloud.rules(&listener.key));
    Ok(try_join_all(looks).await?.into_iter().flatten().collect())
}

/// Reads who reaches the idle ports, where there are to be idle listeners.
async fn open_ports(
    cloud: &dyn ReadCloud,
    spec: &EnvironmentSpec,
    load_balancers: &[LoadBalancerName],
) -> Result<BTreeMap<LoadBalancerName, BTreeMap<u16, String>>, CloudError> {
    if spec.health != HealthStrategy::IdleListener {
        return Ok(BTreeMap::new());
    }
    let looks = load_balancers.iter().map(|name| async move {
        Ok::<_, CloudError>((name.clone(), cloud.open_ports(name, spec.idle_ports).await?))
    });
    Ok(try_join_all(looks).await?.into_iter().collect())
}

/// Reads what would make the target groups of members again.
pub(super) async fn target_groups(
    cloud: &dyn ReadCloud,
    members: impl IntoIterator<Item = &Member>,
) -> Result<BTreeMap<TargetGroupName, TargetGroupSettings>, CloudError> {
    let looks = members.into_iter().map(|member| async move {
        let name = &member.target_group.name;
        Ok::<_, CloudError>((name.clone(), cloud.target_group_settings(name).await?))
    });
    let found = try_join_all(looks).await?;
    Ok(found.into_iter().filter_map(|(name, settings)| Some((name, settings?))).collect())
}

/// Reads what would make a scaling group again that must be there.
pub(super) async fn settings(
    cloud: &dyn ReadCloud,
    name: &ScalingGroupName,
) -> Result<ScalingGroupSettings, CloudError> {
    cloud.scaling_group_settings(name).await?.ok_or_else(|| {
        let kind = crate::cloud::CloudErrorKind::NotFound;
        CloudError::new(kind, "reading the scaling group", name)
    })
}

/// Reads the alarms that set off policies.
pub(super) async fn alarms(
    cloud: &dyn ReadCloud,
    policies: &[Policy],
) -> Result<Vec<Alarm>, CloudError> {
    let names: BTreeSet<_> = policies.iter().flat_map(|policy| &policy.alarms).cloned().collect();
    if names.is_empty() {
        return Ok(Vec::new());
    }
    cloud.alarms(&names.into_iter().collect::<Vec<_>>()).await
}

/// Finds the number behind a floating version.
pub(super) async fn version(
    cloud: &dyn ReadCloud,
    launch: &LaunchSource,
) -> Result<Option<u64>, CloudError> {
    match launch.template() {
        Some((template, version)) if version.floats() => {
            cloud.template_version(template, version).await
        }
        _ => Ok(None),
    }
}

/// Finds out which of the names that are needed belong to something already.
async fn taken(
    cloud: &dyn ReadCloud,
    environment: &Environment,
    names: &Names,
    alarms: &[Alarm],
) -> Result<BTreeSet<String>, CloudError> {
    let target_groups: Vec<_> = environment.pairs.iter().map(|pair| pair.green.clone()).collect();
    let group = names.scaling_group(&environment.blue.group.name);
    let alarms: Vec<_> = alarms.iter().map(|alarm| names.alarm(&alarm.name)).collect();
    let (target_groups, groups) =
        try_join(cloud.target_groups(&target_groups), cloud.scaling_groups(&[group])).await?;
    let alarms = if alarms.is_empty() { Vec::new() } else { cloud.alarms(&alarms).await? };
    let target_groups = target_groups.iter().map(|group| group.name.as_str().to_owned());
    let groups = groups.iter().map(|group| group.name.as_str().to_owned());
    let alarms = alarms.iter().map(|alarm| alarm.name.as_str().to_owned());
    Ok(target_groups.chain(groups).chain(alarms).collect())
}
