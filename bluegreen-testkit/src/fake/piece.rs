use std::fmt;

use bluegreen_core::model::{
    AlarmName, FittingKey, LaunchConfigurationName, LaunchTemplateName, ListenerKey,
    LoadBalancerName, PolicyKey, ResourceKey, RouteKey, ScalingGroupName, ScheduleName,
    TargetGroupName,
};

use super::world::{ScalingGroupState, World};

/// What a changing call is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    Route(RouteKey),
    Listener(ListenerKey),
    Rule(RouteKey),
    LoadBalancer(LoadBalancerName),
    TargetGroup(TargetGroupName),
    ScalingGroup(ScalingGroupName),
    Capacity(ScalingGroupName),
    Launch(ScalingGroupName),
    Processes(ScalingGroupName),
    Fitting(FittingKey),
    Policy(PolicyKey),
    Schedule(ScalingGroupName, ScheduleName),
    Alarm(AlarmName),
    Template(LaunchTemplateName),
    Configuration(LaunchConfigurationName),
    Tags(ResourceKey, Vec<String>),
}

impl Piece {
    /// Returns whether a reading call that was about `resource` shows this piece.
    pub(super) fn is_shown_by(&self, resource: &str) -> bool {
        let name = match self {
            Self::Policy(PolicyKey { group, .. })
            | Self::Schedule(group, _)
            | Self::Fitting(FittingKey { group, .. })
            | Self::Tags(ResourceKey::ScalingGroup(group), _) => group.to_string(),
            other => other.to_string(),
        };
        resource.split(", ").any(|shown| shown == name)
    }
}

impl fmt::Display for Piece {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Route(key) | Self::Rule(key) => write!(f, "{key}"),
            Self::Listener(key) => write!(f, "{key}"),
            Self::LoadBalancer(name) => write!(f, "{name}"),
            Self::TargetGroup(name) => write!(f, "{name}"),
            Self::ScalingGroup(name)
            | Self::Capacity(name)
            | Self::Launch(name)
            | Self::Processes(name) => write!(f, "{name}"),
            Self::Fitting(key) => write!(f, "{key}"),
            Self::Policy(key) => write!(f, "{key}"),
            Self::Schedule(group, name) => write!(f, "{group}/{name}"),
            Self::Alarm(name) => write!(f, "{name}"),
            Self::Template(name) => write!(f, "{name}"),
            Self::Configuration(name) => write!(f, "{name}"),
            Self::Tags(resource, _) => write!(f, "{resource}"),
        }
    }
}

impl World {
    /// Returns what whoever touches a piece may touch with it: a version that was made for a group
    /// to launch, a listener that was deleted with its default route.
    pub(super) fn behind(&self, piece: &Piece) -> Option<Piece> {
        match piece {
            Piece::Route(key) | Piece::Rule(key) => Some(Piece::Listener(key.listener.clone())),
            Piece::Policy(PolicyKey { group, .. })
            | Piece::Schedule(group, _)
            | Piece::Fitting(FittingKey { group, .. }) => Some(Piece::ScalingGroup(group.clone())),
            Piece::Launch(group) => {
                let (template, _) = self.scaling_groups.get(group)?.launch.template()?;
                Some(Piece::Template(template.clone()))
            }
            _ => None,
        }
    }

    /// Makes one piece as it was in an older world.
    pub(super) fn revert(&mut self, piece: &Piece, old: &Self) {
        match piece {
            Piece::Route(key) => self.revert_route(key, old),
            Piece::Rule(key) => self.revert_rule(key, old),
            Piece::Listener(key) | Piece::Tags(ResourceKey::Listener(key), _) => {
                self.revert_listener(key, old);
            }
            Piece::LoadBalancer(name) | Piece::Tags(ResourceKey::LoadBalancer(name), _) => {
                self.revert_load_balancer(name, old);
            }
            Piece::TargetGroup(name) | Piece::Tags(ResourceKey::TargetGroup(name), _) => {
                put(&mut self.target_groups, name, old.target_groups.get(name));
            }
            Piece::ScalingGroup(name)
            | Piece::Capacity(name)
            | Piece::Launch(name)
            | Piece::Processes(name)
            | Piece::Tags(ResourceKey::ScalingGroup(name), _) => {
                self.revert_scaling_group(name, old);
            }
            Piece::Fitting(key) => self.in_both(&key.group, old, |group, old| {
                put(&mut group.fittings, &key.fitting, old.fittings.get(&key.fitting));
            }),
            Piece::Policy(key) => self.in_both(&key.group, old, |group, old| {
                put(&mut group.policies, &key.policy, old.policies.get(&key.policy));
            }),
            Piece::Schedule(group, name) => self.in_both(group, old, |group, old| {
                put(&mut group.schedules, name, old.schedules.get(name));
            }),
            Piece::Alarm(name) => put(&mut self.alarms, name, old.alarms.get(name)),
            Piece::Template(name) => put(&mut self.templates, name, old.templates.get(name)),
            Piece::Configuration(name) => {
                put(&mut self.configurations, name, old.configurations.get(name));
            }
            Piece::Tags(..) => {}
        }
    }

    fn revert_route(&mut self, key: &RouteKey, old: &Self) {
        if let (Some(actions), Some(old)) = (self.actions_mut(key), old.actions(key)) {
            actions.clone_from(old);
        }
    }

    fn revert_rule(&mut self, key: &RouteKey, old: &Self) {
        if let (Some(listener), Some(priority)) = (self.listener_mut(&key.listener), key.priority) {
            put(&mut listener.rules, &priority, old.rule(key));
        }
    }

    fn revert_listener(&mut self, key: &ListenerKey, old: &Self) {
        if let Some(balancer) = self.load_balancers.get_mut(&key.load_balancer) {
            put(&mut balancer.listeners, &key.port, old.listener(key));
        }
    }

    fn revert_load_balancer(&mut self, name: &LoadBalancerName, old: &Self) {
        let old = old.load_balancers.get(name);
        if let (Some(balancer), Some(old)) = (self.load_balancers.get_mut(name), old) {
            balancer.deletion_protection = old.deletion_protection;
            balancer.tags.clone_from(&old.tags);
        }
    }

    /// What scales a group is read by calls of its own, which need not be stale with it.
    fn revert_scaling_group(&mut self, name: &ScalingGroupName, old: &Self) {
        let mut old = old.scaling_groups.get(name).cloned();
        if let (Some(group), Some(old)) = (self.scaling_groups.get(name), &mut old) {
            old.policies.clone_from(&group.policies);
            old.schedules.clone_from(&group.schedules);
            old.fittings.clone_from(&group.fittings);
        }
        put(&mut self.scaling_groups, name, old.as_ref());
    }

    /// Puts back what scales a group with the group, if the piece is the whole of it.
    pub(super) fn revert_what_scales(&mut self, piece: &Piece, old: &Self) {
        let Piece::ScalingGroup(name) = piece else { return };
        self.in_both(name, old, |group, old| {
            group.policies.clone_from(&old.policies);
            group.schedules.clone_from(&old.schedules);
            group.fittings.clone_from(&old.fittings);
        });
    }

    fn in_both(
        &mut self,
        name: &ScalingGroupName,
        old: &Self,
        revert: impl FnOnce(&mut ScalingGroupState, &ScalingGroupState),
    ) {
        let old = old.scaling_groups.get(name);
        if let (Some(group), Some(old)) = (self.scaling_groups.get_mut(name), old) {
            revert(group, old);
        }
    }
}

fn put<K: Clone + Ord, V: Clone>(
    map: &mut std::collections::BTreeMap<K, V>,
    key: &K,
    value: Option<&V>,
) {
    match value {
        Some(value) => map.insert(key.clone(), value.clone()),
        None => map.remove(key),
    };
}
