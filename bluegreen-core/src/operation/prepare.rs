use std::time::Duration;

use futures_util::future::try_join_all;

use super::downgrading::downgrade_facts;
use super::observe::{check_account, observe};
use super::standing::undo_facts;
use super::survey::{survey, version};
use super::{Circumstances, EnvironmentSpec, OperationError};
use crate::cloud::{CloudError, ReadCloud};
use crate::model::{
    Environment, ImageId, LaunchSource, Liveness, ScalingGroup, Side, TemplateVersion,
};
use crate::plan::{
    Decision, DeployFacts, DeployOptions, DeploySource, DowngradeOptions, NETWORK_SETTLE, Refusal,
    ScaledownFacts, ScaledownOptions, SwitchOptions, UndoOptions, UpgradeOptions, deploy,
    downgrade, scaledown, signed, sweep, switch, undo, upgrade,
};

/// What is to be done with an environment.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Operation {
    /// Give it its second colour.
    Upgrade(UpgradeOptions),
    /// Put a new version on the idle colour.
    Deploy(DeployOptions),
    /// Send all traffic to the other colour.
    Switch(SwitchOptions),
    /// Stop the idle colour.
    Scaledown(ScaledownOptions),
    /// Go back to one colour.
    Downgrade(DowngradeOptions),
    /// Take an earlier run back.
    Undo(UndoOptions),
}

impl Operation {
    /// Returns the name of the operation.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Upgrade(_) => "upgrade",
            Self::Deploy(_) => "deploy",
            Self::Switch(_) => "switch",
            Self::Scaledown(_) => "scaledown",
            Self::Downgrade(_) => "downgrade",
            Self::Undo(_) => "undo",
        }
    }
}

/// Guards, observes and plans. Takes a cloud that can only be read: it cannot change anything.
pub async fn prepare(
    cloud: &dyn ReadCloud,
    spec: &EnvironmentSpec,
    operation: &Operation,
    circumstances: &Circumstances,
) -> Result<(Environment, Decision), OperationError> {
    check_account(cloud, &cloud.account().await?, spec).await?;
    let observed = observe(cloud, spec).await?;
    check_refreshes(cloud, &observed).await?;
    let run = &circumstances.run;
    // What is taken back is taken back as it was done.
    let (environment, release) = match operation {
        Operation::Undo(_) => (observed.clone(), None),
        _ => sweep(&observed),
    };
    let decision = match operation {
        // Nothing more need be read to see that.
        Operation::Upgrade(_) if environment.is_upgraded() => Decision::upgraded_already(),
        Operation::Upgrade(options) => {
            let survey = survey(cloud, spec, &environment, run).await?;
            upgrade(&environment, options, &survey)?
        }
        Operation::Deploy(options) => {
            let facts = deploy_facts(cloud, spec, &environment, options, circumstances).await?;
            deploy(&environment, options, &facts)?
        }
        Operation::Switch(options) => switch(&environment, options)?,
        Operation::Scaledown(options) => {
            let facts = scaledown_facts(cloud, spec, &environment, circumstances).await?;
            scaledown(&environment, options, facts)?
        }
        Operation::Downgrade(options) => {
            let drain = scaledown_facts(cloud, spec, &environment, circumstances).await?;
            let facts = downgrade_facts(cloud, &environment, circumstances, drain).await?;
            downgrade(&environment, options, &facts)?
        }
        Operation::Undo(options) => {
            let drain = scaledown_facts(cloud, spec, &environment, circumstances).await?;
            let facts = undo_facts(cloud, circumstances, drain).await?;
            undo(&environment, options, &facts)?
        }
    };
    let decision = match operation {
        Operation::Undo(_) => decision,
        _ => signed(decision, &environment, run, release)?,
    };
    Ok((observed, decision))
}

fn groups(environment: &Environment) -> impl Iterator<Item = &ScalingGroup> {
    environment.sides().map(|(_, side)| &side.group)
}

/// Refuses while somebody replaces the instances of a group.
async fn check_refreshes(
    cloud: &dyn ReadCloud,
    environment: &Environment,
) -> Result<(), OperationError> {
    let looks = groups(environment).map(|group| async move {
        Ok::<_, CloudError>((group.name.clone(), cloud.instance_refresh(&group.name).await?))
    });
    for (group, refresh) in try_join_all(looks).await? {
        if let Some(state) = refresh {
            return Err(Refusal::Refreshing { group, state }.into());
        }
    }
    Ok(())
}

fn sides(environment: &Environment) -> Option<(&Side, &Side)> {
    match environment.liveness() {
        Liveness::Live(live) => environment.side(live).zip(environment.side(live.other())),
        Liveness::Split => None,
    }
}

/// Looks up what a deploy needs, and refuses what does not exist.
async fn deploy_facts(
    cloud: &dyn ReadCloud,
    spec: &EnvironmentSpec,
    environment: &Environment,
    options: &DeployOptions,
    circumstances: &Circumstances,
) -> Result<DeployFacts, OperationError> {
    let run = circumstances.run.clone();
    let drain = scaledown_facts(cloud, spec, environment, circumstances).await?;
    let Some((live, idle)) = sides(environment) else {
        // The planner refuses and says why.
        let live_launch = environment.blue.group.launch.clone();
        return Ok(DeployFacts { run, live_launch, image: None, drain });
    };
    let live_launch = numbered(&live.group.launch, version(cloud, &live.group.launch).await?);
    if let Some(template) = &options.template
        && cloud.template_version(template, &TemplateVersion::Latest).await?.is_some()
    {
        return Err(Refusal::TemplateTaken(template.clone()).into());
    }
    let image = match &options.source {
        DeploySource::Edit { image: Some(image), .. } => {
            if !cloud.image_exists(image).await? {
                return Err(Refusal::NoImage(image.clone()).into());
            }
            Some(image.clone())
        }
        DeploySource::Edit { image: None, .. } => live.image.clone(),
        DeploySource::From(color) => environment.side(*color).and_then(|side| side.image.clone()),
        DeploySource::TemplateVersion(number) => version_image(cloud, idle, *number).await?,
    };
    Ok(DeployFacts { run, live_launch, image, drain })
}

/// Returns the image of an existing version of the idle colour's template.
async fn version_image(
    cloud: &dyn ReadCloud,
    idle: &Side,
    number: u64,
) -> Result<Option<ImageId>, OperationError> {
    if idle.group.launch.template().is_none() {
        return Ok(None);
    }
    let source = idle.group.launch.with_version(TemplateVersion::Number(number)).bare();
    if !cloud.launch_source_exists(&source).await? {
        return Err(Refusal::NoLaunchSource(source).into());
    }
    let images = cloud.images(std::slice::from_ref(&source)).await?;
    Ok(images.into_iter().next().map(|(_, image)| image))
}

fn numbered(launch: &LaunchSource, number: Option<u64>) -> LaunchSource {
    match number {
        Some(number) => launch.with_version(TemplateVersion::Number(number)),
        None => launch.clone(),
    }
}

/// Looks up what stopping the idle colour needs.
async fn scaledown_facts(
    cloud: &dyn ReadCloud,
    spec: &EnvironmentSpec,
    environment: &Environment,
    circumstances: &Circumstances,
) -> Result<ScaledownFacts, OperationError> {
    let deregistration_delay = deregistration_delay(cloud, environment).await?;
    let (idle_for, quiet) = (circumstances.idle_for, spec.quiet);
    Ok(ScaledownFacts { deregistration_delay, idle_for, quiet })
}

/// Returns the longest deregistration delay of the idle colour; on a network load balancer, that is
/// counted from when it has really let go of the colour.
async fn deregistration_delay(
    cloud: &dyn ReadCloud,
    environment: &Environment,
) -> Result<Duration, OperationError> {
    let Some((_, idle)) = sides(environment) else { return Ok(Duration::ZERO) };
    // A colour without machines has nothing to drain: no planner asks.
    if idle.group.is_stopped() {
        return Ok(Duration::ZERO);
    }
    let looks =
        idle.members.iter().map(|member| cloud.target_group_settings(&member.target_group.name));
    let found = try_join_all(looks).await?;
    let delays = found.into_iter().flatten().map(|settings| settings.deregistration_delay);
    let settle = if environment.is_on_network() { NETWORK_SETTLE } else { Duration::ZERO };
    Ok(delays.max().unwrap_or_default() + settle)
}
