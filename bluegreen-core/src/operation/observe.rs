use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::{try_join, try_join_all};

use super::{EnvironmentSpec, OperationError};
use crate::change::ImageNote;
use crate::cloud::{CloudError, ReadCloud};
use crate::gate::target_health;
use crate::model::{
    AccountId, Color, Environment, ImageId, LaunchSource, Listener, ListenerKey, Member, Pair,
    Route, ScalingGroup, Side, TargetGroup, TargetGroupName, TargetHealth, TestRule, tag_key,
};
use crate::plan::Names;

/// Reads an environment, in four sequential round trips at most.
///
/// The owner of the scaling group is held against the account that the environment must be in.
pub async fn observe(
    cloud: &dyn ReadCloud,
    spec: &EnvironmentSpec,
) -> Result<Environment, OperationError> {
    let (blue, green) = groups(cloud, spec).await?;
    let names: Vec<TargetGroupName> = target_group_names(&blue, green.as_ref());
    let (target_groups, health) =
        try_join(cloud.target_groups(&names), target_health(cloud, &names)).await?;
    let found = Found { target_groups, health: health.into_iter().collect() };
    let listeners = listeners(cloud, &found.target_groups).await?;
    let (idle, live): (Vec<_>, Vec<_>) =
        listeners.iter().partition(|listener| spec.idle_ports.contains(listener.key.port));
    let pairs = pairs(spec, &blue, green.as_ref())?;
    let (routes, images) =
        try_join(routes(cloud, &live, &names), images(cloud, std::iter::once(&blue).chain(&green)))
            .await?;
    let (tests, routes): (Vec<_>, Vec<_>) = routes.into_iter().partition(Route::is_test);
    let kept = Kept { idle, tests };
    let side = |group: ScalingGroup, color| found.side(group, color, &pairs, &kept, &images);
    let green = green.map(|group| side(group, Color::Green)).transpose()?;
    let account = blue.account.clone();
    let blue = side(blue, Color::Blue)?;
    let name = spec.name.clone();
    let health = spec.health.clone();
    let environment = Environment { name, account, health, routes, listeners, blue, green, pairs };
    check_routed(&environment)?;
    Ok(environment)
}

/// Reads the blue group and, if there is one, the green group.
async fn groups(
    cloud: &dyn ReadCloud,
    spec: &EnvironmentSpec,
) -> Result<(ScalingGroup, Option<ScalingGroup>), OperationError> {
    let green = Names::new(&spec.green_suffix).scaling_group(&spec.scaling_group);
    let found = cloud.scaling_groups(&[spec.scaling_group.clone(), green.clone()]).await?;
    let (blue, others): (Vec<_>, Vec<_>) =
        found.into_iter().partition(|group| group.name == spec.scaling_group);
    let Some(blue) = blue.into_iter().next() else {
        return Err(no_group(cloud, spec).await);
    };
    check_account(cloud, &blue.account, spec).await?;
    if blue.target_groups.is_empty() {
        return Err(OperationError::refused(format!(
            "scaling group `{}` has no target groups",
            blue.name
        ))
        .with_hint("attach it to the target groups of the service, or name another group"));
    }
    // A green group is ours by its tags, never by its name alone.
    let is_ours = |group: &ScalingGroup| {
        group.name == green
            && group.environment().as_ref() == Some(&spec.name)
            && group.tag(tag_key::COLOR) == Some(Color::Green.as_str())
            && !group.deleting
    };
    Ok((blue, others.into_iter().find(is_ours)))
}

/// A group may be missing because this is another account than was meant.
async fn no_group(cloud: &dyn ReadCloud, spec: &EnvironmentSpec) -> OperationError {
    match cloud.account().await {
        Err(error) => return error.into(),
        Ok(account) => {
            if let Err(error) = check_account(cloud, &account, spec).await {
                return error;
            }
        }
    }
    let (name, group) = (&spec.name, &spec.scaling_group);
    OperationError::refused(format!("scaling group `{group}` of environment `{name}` is not there"))
        .with_hint("check `scaling_group` and `region` in the environment's configuration")
}

/// Refuses any account but the one that the environment must be in.
pub(super) async fn check_account(
    cloud: &dyn ReadCloud,
    account: &AccountId,
    spec: &EnvironmentSpec,
) -> Result<(), OperationError> {
    if *account == spec.account {
        return Ok(());
    }
    // Not everybody may ask for its name; the number is what counts.
    let alias = cloud.account_alias().await.ok().flatten();
    let found = account.with_alias(alias.as_deref());
    let wanted = spec.account.with_alias(spec.account_alias.as_deref());
    let name = &spec.name;
    Err(OperationError::refused(format!(
        "these credentials are of account {found}, but environment `{name}` is in account {wanted}"
    ))
    .with_hint("choose the right profile"))
}

fn target_group_names(blue: &ScalingGroup, green: Option<&ScalingGroup>) -> Vec<TargetGroupName> {
    let groups = std::iter::once(blue).chain(green);
    groups.flat_map(|group| &group.target_groups).cloned().collect()
}

async fn listeners(
    cloud: &dyn ReadCloud,
    target_groups: &[TargetGroup],
) -> Result<Vec<Listener>, CloudError> {
    let load_balancers: BTreeSet<_> =
        target_groups.iter().flat_map(|group| &group.load_balancers).collect();
    let all = try_join_all(load_balancers.into_iter().map(|name| cloud.listeners(name))).await?;
    Ok(all.into_iter().flatten().collect())
}

/// Reads the routes of live listeners that send requests to the environment.
async fn routes(
    cloud: &dyn ReadCloud,
    live: &[&Listener],
    names: &[TargetGroupName],
) -> Result<Vec<Route>, CloudError> {
    let rules = try_join_all(live.iter().map(|listener| cloud.rules(&listener.key))).await?;
    let defaults = live.iter().map(|listener| listener.default_route());
    let is_ours = |route: &Route| {
        let forward = route.actions.forward();
        forward.is_some_and(|forward| names.iter().any(|name| forward.names(name)))
    };
    let mut routes: Vec<Route> =
        defaults.chain(rules.into_iter().flatten()).filter(is_ours).collect();
    routes.sort_by(|one, other| one.key.cmp(&other.key));
    Ok(routes)
}

/// Finds the image of each group: noted on the group, or else looked up.
async fn images(
    cloud: &dyn ReadCloud,
    groups: impl Iterator<Item = &ScalingGroup>,
) -> Result<Vec<(LaunchSource, ImageId)>, CloudError> {
    let (mut known, mut unknown) = (Vec::new(), Vec::new());
    for group in groups {
        let note = group.tag(tag_key::IMAGE);
        match note.and_then(|text| ImageNote::read(text, &group.launch)) {
            Some(image) => known.push((group.launch.bare(), image)),
            None => unknown.push(group.launch.bare()),
        }
    }
    if !unknown.is_empty() {
        known.extend(cloud.images(&unknown).await?);
    }
    Ok(known)
}

/// Pairs every blue target group with its green counterpart.
fn pairs(
    spec: &EnvironmentSpec,
    blue: &ScalingGroup,
    green: Option<&ScalingGroup>,
) -> Result<Vec<Pair>, OperationError> {
    let names = Names::new(&spec.green_suffix);
    let pairs: Vec<Pair> = blue
        .target_groups
        .iter()
        .map(|name| Pair { blue: name.clone(), green: names.target_group(name) })
        .collect();
    let Some(green) = green else { return Ok(pairs) };
    let wanted: BTreeSet<_> = pairs.iter().map(|pair| pair.green.clone()).collect();
    if green.target_groups == wanted {
        return Ok(pairs);
    }
    let list = |names: &BTreeSet<TargetGroupName>| {
        names.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    };
    Err(OperationError::refused(format!(
        "the colours of `{}` do not match: {} is attached to {}, and should be to {}",
        spec.name,
        green.name,
        list(&green.target_groups),
        list(&wanted)
    ))
    .with_hint("attach both groups to the same pairs of target groups"))
}

/// What was read about target groups.
struct Found {
    target_groups: Vec<TargetGroup>,
    health: BTreeMap<TargetGroupName, Vec<TargetHealth>>,
}

impl Found {
    fn side(
        &self,
        group: ScalingGroup,
        color: Color,
        pairs: &[Pair],
        kept: &Kept<'_>,
        images: &[(LaunchSource, ImageId)],
    ) -> Result<Side, OperationError> {
        let members = pairs
            .iter()
            .map(|pair| self.member(pair.get(color), kept))
            .collect::<Result<_, _>>()?;
        let launch = group.launch.bare();
        let image = images.iter().find(|(one, _)| *one == launch);
        Ok(Side { image: image.map(|(_, image)| image.clone()), group, members })
    }

    fn member(&self, name: &TargetGroupName, kept: &Kept<'_>) -> Result<Member, OperationError> {
        let target_group = self.target_groups.iter().find(|group| group.name == *name);
        let Some(target_group) = target_group.cloned() else {
            return Err(OperationError::refused(format!("target group `{name}` is not there"))
                .with_hint("detach it from the scaling group: it blocks every launch"));
        };
        Ok(Member {
            idle_listener: idle_listener(name, &kept.idle),
            test_rule: test_rule(name, &kept.tests),
            health: self.health.get(name).cloned().unwrap_or_default(),
            target_group,
        })
    }
}

/// What keeps target groups checked and sends them no live traffic.
struct Kept<'a> {
    idle: Vec<&'a Listener>,
    tests: Vec<Route>,
}

fn test_rule(name: &TargetGroupName, tests: &[Route]) -> Option<TestRule> {
    let reaches = |route: &&Route| route.actions.forward().is_some_and(|one| one.reaches(name));
    let rule = tests.iter().find(reaches)?;
    Some(TestRule { key: rule.key.clone(), takes: rule.takes.clone()? })
}

fn idle_listener(name: &TargetGroupName, idle: &[&Listener]) -> Option<ListenerKey> {
    let names = |listener: &&&Listener| {
        listener.actions.forward().is_some_and(|forward| forward.reaches(name))
    };
    idle.iter().find(names).map(|listener| listener.key.clone())
}

/// Refuses an environment that gets no requests, or one of whose target groups cannot.
fn check_routed(environment: &Environment) -> Result<(), OperationError> {
    let unlisted = environment
        .blue
        .members
        .iter()
        .find(|member| member.target_group.load_balancers.is_empty());
    let problem = if let Some(member) = unlisted {
        format!("target group `{}` is on no listener", member.target_group.name)
    } else if environment.routes.is_empty() {
        format!("no live listener sends requests to environment `{}`", environment.name)
    } else {
        return Ok(());
    };
    Err(OperationError::refused(problem).with_hint(
        "add it to a listener or a rule; listeners on `idle_ports` do not count as live",
    ))
}
