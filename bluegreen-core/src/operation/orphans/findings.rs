use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::{try_join, try_join_all};

use crate::cloud::{CloudError, CloudErrorKind, ReadCloud};
use crate::model::{
    Environment, Listener, ListenerKey, ListenerSettings, LoadBalancerName, PortRange, ResourceKey,
    Route, ScalingGroupName, TargetGroupName, TargetGroupSettings,
};
use crate::operation::making::making;
use crate::plan::{Census, Findings, Making};

type Listening = BTreeMap<ListenerKey, (ListenerSettings, Option<String>)>;
type TargetGroups = BTreeMap<TargetGroupName, (TargetGroupSettings, usize)>;

/// Looks closely at what may be deleted; makes no call if there is nothing of the kind.
pub(super) async fn read(
    cloud: &dyn ReadCloud,
    census: &Census,
    environments: &[Environment],
) -> Result<Findings, CloudError> {
    let candidates = Candidates::of(census);
    if candidates.is_empty() {
        return Ok(Findings::default());
    }
    let groups: Vec<ScalingGroupName> = census
        .unclaimed
        .iter()
        .filter_map(|one| match &one.resource {
            ResourceKey::ScalingGroup(name) => Some(name.clone()),
            _ => None,
        })
        .collect();
    let balancers = load_balancers(cloud, &candidates, census, environments).await?;
    let ((groups, makings), (routes, (listeners, target_groups))) = try_join(
        try_join(cloud.scaling_groups(&groups), makings(cloud, &candidates.groups)),
        try_join(
            routes(cloud, &balancers),
            try_join(
                listeners(cloud, &candidates.listeners),
                target_groups(cloud, &candidates.target_groups),
            ),
        ),
    )
    .await?;
    Ok(Findings { groups, routes, listeners, target_groups, makings })
}

/// What may be deleted, by kind.
#[derive(Debug, Default)]
struct Candidates {
    listeners: Vec<ListenerKey>,
    target_groups: Vec<TargetGroupName>,
    groups: Vec<ScalingGroupName>,
}

impl Candidates {
    fn of(census: &Census) -> Self {
        let mut candidates = Self::default();
        for one in census.candidates() {
            match &one.resource {
                ResourceKey::Listener(key) => candidates.listeners.push(key.clone()),
                ResourceKey::TargetGroup(name) => candidates.target_groups.push(name.clone()),
                ResourceKey::ScalingGroup(name) => candidates.groups.push(name.clone()),
                ResourceKey::LoadBalancer(_) => {}
            }
        }
        candidates
    }

    fn is_empty(&self) -> bool {
        self.listeners.is_empty() && self.target_groups.is_empty() && self.groups.is_empty()
    }
}

/// Returns every load balancer whose routes may name what may be deleted: those that say so, those
/// of the listeners, and those of the environments in question.
async fn load_balancers(
    cloud: &dyn ReadCloud,
    candidates: &Candidates,
    census: &Census,
    environments: &[Environment],
) -> Result<BTreeSet<LoadBalancerName>, CloudError> {
    let found = cloud.target_groups(&candidates.target_groups).await?;
    let concerned: BTreeSet<_> =
        census.candidates().filter_map(|one| one.environment.as_ref()).collect();
    let environments =
        environments.iter().filter(|environment| concerned.contains(&environment.name));
    let named = found.into_iter().flat_map(|group| group.load_balancers);
    let listening = candidates.listeners.iter().map(|key| key.load_balancer.clone());
    Ok(named.chain(listening).chain(environments.flat_map(Environment::load_balancers)).collect())
}

/// Reads every route of these load balancers: default actions and rules.
async fn routes(
    cloud: &dyn ReadCloud,
    balancers: &BTreeSet<LoadBalancerName>,
) -> Result<Vec<Route>, CloudError> {
    let listeners = try_join_all(balancers.iter().map(|name| cloud.listeners(name))).await?;
    let listeners: Vec<Listener> = listeners.into_iter().flatten().collect();
    let rules = try_join_all(
        listeners
            .iter()
            .map(|listener| async move { or_nothing(cloud.rules(&listener.key).await) }),
    )
    .await?;
    let defaults = listeners.iter().map(Listener::default_route);
    Ok(defaults.chain(rules.into_iter().flatten()).collect())
}

async fn listeners(cloud: &dyn ReadCloud, keys: &[ListenerKey]) -> Result<Listening, CloudError> {
    let mut ports: BTreeMap<&LoadBalancerName, BTreeSet<u16>> = BTreeMap::new();
    for key in keys {
        ports.entry(&key.load_balancer).or_default().insert(key.port);
    }
    let openings = ports.into_iter().map(|(name, ports)| async move {
        let range = ports.first().zip(ports.last()).and_then(|(a, b)| PortRange::new(*a, *b));
        Ok::<_, CloudError>(match range {
            Some(range) => Some((name, cloud.open_ports(name, range).await?)),
            None => None,
        })
    });
    let settings = keys
        .iter()
        .map(|key| async move { Ok::<_, CloudError>((key, cloud.listener_settings(key).await?)) });
    let (openings, settings) = try_join(try_join_all(openings), try_join_all(settings)).await?;
    let openings: BTreeMap<_, _> = openings.into_iter().flatten().collect();
    let opening = |key: &ListenerKey| match openings.get(&key.load_balancer) {
        Some(open) => open.get(&key.port).cloned(),
        None => Some("nobody can tell who reaches it".to_owned()),
    };
    let found = settings.into_iter().filter_map(|(key, settings)| Some((key, settings?)));
    Ok(found.map(|(key, settings)| (key.clone(), (settings, opening(key)))).collect())
}

async fn target_groups(
    cloud: &dyn ReadCloud,
    names: &[TargetGroupName],
) -> Result<TargetGroups, CloudError> {
    let looks = names.iter().map(|name| async move {
        let settings = cloud.target_group_settings(name);
        let health = async { or_nothing(cloud.target_health(name).await) };
        let (settings, health) = try_join(settings, health).await?;
        Ok::<_, CloudError>(Some((name.clone(), (settings, health.len()))))
    });
    let found = try_join_all(looks).await?.into_iter().flatten();
    Ok(found.filter_map(|(name, (settings, targets))| Some((name, (settings?, targets)))).collect())
}

async fn makings(
    cloud: &dyn ReadCloud,
    names: &[ScalingGroupName],
) -> Result<BTreeMap<ScalingGroupName, Making>, CloudError> {
    let looks = names.iter().map(|name| async move {
        Ok::<_, CloudError>(making(cloud, name).await?.map(|making| (name.clone(), making)))
    });
    Ok(try_join_all(looks).await?.into_iter().flatten().collect())
}

/// Takes what went away meanwhile to be empty.
fn or_nothing<T: Default>(answer: Result<T, CloudError>) -> Result<T, CloudError> {
    match answer {
        Err(error) if error.kind() == CloudErrorKind::NotFound => Ok(T::default()),
        answer => answer,
    }
}
