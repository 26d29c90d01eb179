use std::collections::{BTreeMap, BTreeSet};

use super::{Census, Findings, Kept, Making, Orphan, Unclaimed};
use crate::model::{
    EnvironmentName, LaunchSource, ListenerKey, ResourceKey, Route, ScalingGroup, ScalingGroupName,
    TargetGroupName,
};

/// What speaks for keeping each thing; what is not in it may go.
type Reasons<K> = BTreeMap<K, Kept>;

/// Says of everything unclaimed that is wanted whether it may be deleted, or why not.
///
/// Live traffic decides, whatever the tags say: what a route names that stays, what the outside
/// can reach, and what has machines is kept.
pub fn orphans(census: &Census, findings: &Findings) -> Vec<Orphan> {
    let environments: BTreeSet<_> =
        census.candidates().filter_map(|one| one.environment.as_ref()).collect();
    let verdicts: BTreeMap<_, _> = environments
        .into_iter()
        .map(|name| (name, Judge { census, findings, environment: name }.verdict()))
        .collect();
    let wanted = census.unclaimed.iter().filter(|one| census.wants(one.environment.as_ref()));
    wanted
        .filter_map(|one| {
            let kept = match by_tags(census, one) {
                Some(kept) => Some(kept),
                None => verdicts.get(one.environment.as_ref()?)?.get(&one.resource)?.clone(),
            };
            let (resource, run) = (one.resource.clone(), one.run.clone());
            Some(Orphan { resource, run, environment: one.environment.clone(), kept })
        })
        .collect()
}

/// Says what speaks for keeping something without a look at it.
pub(super) fn by_tags(census: &Census, one: &Unclaimed) -> Option<Kept> {
    if let Some(unread) = census.unread.first() {
        return Some(Kept::Unread(unread.environment.clone()));
    }
    let Some(name) = &one.environment else { return Some(Kept::NoEnvironment) };
    if !census.configured.contains_key(name) && !census.named.contains(name) {
        return Some(Kept::NotConfigured(name.clone()));
    }
    let open = census.open.iter().find(|open| open.environment == *name)?;
    Some(Kept::Open { run: open.run.clone(), environment: name.clone() })
}

/// Judges the candidates of one environment: they go together, or not at all.
struct Judge<'a> {
    census: &'a Census,
    findings: &'a Findings,
    environment: &'a EnvironmentName,
}

impl Judge<'_> {
    /// Returns the verdict on every candidate that is still there.
    fn verdict(&self) -> BTreeMap<ResourceKey, Option<Kept>> {
        let groups = self.groups();
        let busy = self.busy_target_groups(&groups);
        let listeners = self.listeners(&busy);
        let target_groups = self.target_groups(busy, &listeners);
        let in_use = self.in_use();
        let keep = |kept: Option<&Kept>| kept.or(in_use.as_ref()).cloned();
        let Findings { makings, target_groups: found, listeners: listening, .. } = self.findings;
        let seen = self.findings.groups.iter().map(|group| &group.name);
        let groups = seen
            .filter(|name| makings.contains_key(name))
            .map(|name| (ResourceKey::ScalingGroup(name.clone()), keep(groups.get(name))));
        let listeners = listening
            .keys()
            .map(|key| (ResourceKey::Listener(key.clone()), keep(listeners.get(key))));
        let target_groups = found
            .keys()
            .map(|name| (ResourceKey::TargetGroup(name.clone()), keep(target_groups.get(name))));
        let all = groups.chain(listeners).chain(target_groups);
        all.filter(|(resource, _)| self.is_candidate(resource)).collect()
    }

    fn is_candidate(&self, resource: &ResourceKey) -> bool {
        self.census.candidates().any(|one| {
            one.resource == *resource && one.environment.as_ref() == Some(self.environment)
        })
    }

    fn groups(&self) -> Reasons<ScalingGroupName> {
        let kept = |group: &ScalingGroup| {
            let making = self.findings.makings.get(&group.name)?;
            Some((group.name.clone(), keep_group(group, making)?))
        };
        self.findings.groups.iter().filter_map(kept).collect()
    }

    /// Returns the target groups that have, or may come to have, machines.
    fn busy_target_groups(&self, kept: &Reasons<ScalingGroupName>) -> Reasons<TargetGroupName> {
        let stays = |group: &&ScalingGroup| {
            kept.contains_key(&group.name)
                || !self.is_candidate(&ResourceKey::ScalingGroup(group.name.clone()))
        };
        let staying: Vec<&ScalingGroup> = self.findings.groups.iter().filter(stays).collect();
        let why = |name: &TargetGroupName, targets: usize| {
            let attached = staying.iter().find(|group| group.target_groups.contains(name));
            attached
                .map(|group| Kept::Attached(group.name.clone()))
                .or_else(|| (targets > 0).then_some(Kept::Targets(targets)))
        };
        let found = self.findings.target_groups.iter();
        found
            .filter_map(|(name, (_, targets))| Some((name.clone(), why(name, *targets)?)))
            .collect()
    }

    fn listeners(&self, busy: &Reasons<TargetGroupName>) -> Reasons<ListenerKey> {
        let kept = |key: &ListenerKey| self.keep_listener(key, busy);
        let found = self.findings.listeners.keys();
        found.filter_map(|key| Some((key.clone(), kept(key)?))).collect()
    }

    fn keep_listener(&self, key: &ListenerKey, busy: &Reasons<TargetGroupName>) -> Option<Kept> {
        let (settings, opening) = self.findings.listeners.get(key)?;
        if let Some(opening) = opening {
            return Some(Kept::MayServe(opening.clone()));
        }
        let ports = self.census.configured.get(self.environment);
        if let Some(ports) = ports.filter(|ports| !ports.contains(key.port)) {
            return Some(Kept::MayServe(format!(
                "{} is not among the idle ports {ports}",
                key.port
            )));
        }
        let rules = self
            .findings
            .routes
            .iter()
            .filter(|route| route.key.listener == *key && route.key.priority.is_some());
        let missing: Vec<String> = [
            (matches!(settings.protocol.as_str(), "HTTPS" | "TLS") && settings.tls.is_empty())
                .then(|| "its certificate".to_owned()),
            Some(rules.count())
                .filter(|rules| *rules > 0)
                .map(|rules| format!("its rules ({rules})")),
        ]
        .into_iter()
        .flatten()
        .collect();
        if !missing.is_empty() {
            return Some(Kept::NotRemade(missing));
        }
        let forward = settings.actions.forward()?;
        let needed = forward.weights().keys().find(|name| {
            busy.contains_key(*name)
                && self.is_candidate(&ResourceKey::TargetGroup((*name).clone()))
        });
        needed.cloned().map(Kept::Needed)
    }

    fn target_groups(
        &self,
        mut kept: Reasons<TargetGroupName>,
        listeners: &Reasons<ListenerKey>,
    ) -> Reasons<TargetGroupName> {
        let goes = |route: &Route| {
            let key = &route.key.listener;
            route.key.priority.is_none()
                && !listeners.contains_key(key)
                && self.is_candidate(&ResourceKey::Listener(key.clone()))
        };
        let staying: Vec<&Route> =
            self.findings.routes.iter().filter(|route| !goes(route)).collect();
        for name in self.findings.target_groups.keys() {
            if let Some(route) = staying.iter().find(|route| names(route, name)) {
                kept.entry(name.clone()).or_insert_with(|| Kept::Routed(route.key.clone()));
            }
        }
        kept
    }

    /// Finds a route that is nobody's orphan and names something of an environment that cannot be
    /// observed, for want of a configuration: then all of it may be in use.
    fn in_use(&self) -> Option<Kept> {
        if self.census.configured.contains_key(self.environment) {
            return None;
        }
        let is_orphan = |key: &ListenerKey| {
            self.census.unclaimed.iter().any(|one| match &one.resource {
                ResourceKey::Listener(listener) => listener == key,
                _ => false,
            })
        };
        let live = self.findings.routes.iter().filter(|route| !is_orphan(&route.key.listener));
        let own =
            |name: &&TargetGroupName| self.is_candidate(&ResourceKey::TargetGroup((*name).clone()));
        live.filter_map(|route| {
            let mut own = self.findings.target_groups.keys().filter(own);
            Some((route, own.find(|name| names(route, name))?))
        })
        .map(|(route, name)| Kept::InUse {
            environment: self.environment.clone(),
            route: route.key.clone(),
            target_group: name.clone(),
        })
        .next()
    }
}

fn names(route: &Route, target_group: &TargetGroupName) -> bool {
    route.actions.forward().is_some_and(|forward| forward.names(target_group))
}

fn keep_group(group: &ScalingGroup, making: &Making) -> Option<Kept> {
    if group.deleting {
        return Some(Kept::Deleting);
    }
    if let Some(operator) = &group.operator {
        return Some(Kept::Managed(operator.clone()));
    }
    if !group.instances.is_empty() {
        return Some(Kept::Machines(group.instances.len()));
    }
    if group.capacity.desired > 0 {
        return Some(Kept::Size(group.capacity.desired));
    }
    let missing = not_remade(group, making);
    (!missing.is_empty()).then_some(Kept::NotRemade(missing))
}

/// Names everything that a group made again would lack.
fn not_remade(group: &ScalingGroup, making: &Making) -> Vec<String> {
    let Making { settings, policies, alarms, can_launch, .. } = making;
    let mut missing = settings.uncarried.clone();
    missing.extend(settings.unknown.iter().cloned());
    if let LaunchSource::Unsupported(what) = &settings.launch {
        missing.push(what.clone());
    } else if !can_launch {
        missing.push(format!("{}, which is not there", settings.launch));
    }
    missing.extend(policies.iter().filter_map(|policy| {
        policy.uncarried.as_ref().map(|why| format!("scaling policy {} ({why})", policy.name))
    }));
    for alarm in alarms {
        let others = alarm.sets_off.iter().find(|key| key.group != group.name);
        if let Some(why) = &alarm.uncarried {
            missing.push(format!("alarm {} ({why})", alarm.name));
        } else if let Some(key) = others {
            missing.push(format!("alarm {}, which also sets off {key}", alarm.name));
        }
    }
    missing
}
