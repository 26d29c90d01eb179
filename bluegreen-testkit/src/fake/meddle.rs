//! What somebody else does to the thing that a call is about.

use bluegreen_core::model::{
    Action, Actions, Capacity, Fitting, FittingKey, Forward, GroupTag, LaunchSource, ListenerKey,
    Opaque, Policy, PolicyKey, Process, ResourceKey, RouteKey, ScalingGroupName,
    ScalingGroupSettings, Schedule, Stickiness, Tags, TemplateVersion,
};
use serde_json::json;

use super::builder::target_group;
use super::piece::Piece;
use super::world::{
    ListenerState, RuleState, ScalingGroupState, TemplateState, VersionState, World,
};
use crate::fault::Meddle;

const MEDDLED: &str = "meddled";

/// Touches a piece as a stranger would.
pub(super) fn touch(world: &mut World, meddle: Meddle, piece: &Piece) {
    match meddle {
        Meddle::Change => change(world, piece),
        Meddle::Tag => tag(world, piece),
        Meddle::Delete => delete(world, piece),
    }
}

fn change(world: &mut World, piece: &Piece) {
    match piece {
        Piece::Route(key) => {
            if let Some(actions) = world.actions_mut(key) {
                *actions = other_actions(actions);
            }
        }
        Piece::Rule(key) => change_rule(world, key),
        Piece::Listener(key) => change_listener(world, key),
        Piece::LoadBalancer(name) => {
            let balancer = world.load_balancers.entry(name.clone());
            balancer.and_modify(|one| one.deletion_protection = !one.deletion_protection);
        }
        Piece::TargetGroup(name) => {
            let settings = world.target_groups.entry(name.clone());
            settings.or_insert_with(|| target_group(9, "HTTP")).details = meddled();
        }
        Piece::ScalingGroup(name)
        | Piece::Capacity(name)
        | Piece::Launch(name)
        | Piece::Processes(name)
        | Piece::Policy(PolicyKey { group: name, .. })
        | Piece::Fitting(FittingKey { group: name, .. })
        | Piece::Schedule(name, _) => change_group(world, piece, name),
        Piece::Alarm(name) => {
            world.alarms.entry(name.clone()).and_modify(|alarm| alarm.details = meddled());
        }
        Piece::Template(name) => {
            if let Some(template) = world.templates.get_mut(name) {
                let newest = template.number(&TemplateVersion::Latest);
                newest.and_then(|newest| copy_version(template, newest));
            }
        }
        // Nobody can change one.
        Piece::Configuration(_) => {}
        Piece::Tags(resource, keys) => keys.iter().for_each(|key| set_tag(world, resource, key)),
    }
}

fn change_listener(world: &mut World, key: &ListenerKey) {
    let Some(balancer) = world.load_balancers.get_mut(&key.load_balancer) else { return };
    let protocol =
        balancer.listeners.values().next().map_or("HTTP", |one| &one.protocol).to_owned();
    let fixed = json!({"type": "fixed-response", "status": 404});
    let stranger = || ListenerState {
        protocol,
        actions: Actions::new(vec![Action::Other(Opaque::new(fixed))]),
        rules: [].into(),
        tags: Tags::new(),
        tls: Opaque::default(),
    };
    let listener = balancer.listeners.entry(key.port);
    listener
        .and_modify(|listener| listener.actions = other_actions(&listener.actions))
        .or_insert_with(stranger);
}

fn change_rule(world: &mut World, key: &RouteKey) {
    let Some(listener) = world.listener_mut(&key.listener) else { return };
    let Some(priority) = key.priority else { return };
    let fixed = json!({"type": "fixed-response", "status": 404});
    let stranger = || RuleState {
        conditions: Opaque::new(json!([{"Field": "path-pattern", "Values": ["/meddled"]}])),
        actions: Actions::new(vec![Action::Other(Opaque::new(fixed))]),
        tags: Tags::new(),
    };
    let rule = listener.rules.entry(priority);
    rule.and_modify(|rule| rule.actions = other_actions(&rule.actions)).or_insert_with(stranger);
}

/// Does something else with requests, yet serves them by the same target groups.
fn other_actions(actions: &Actions) -> Actions {
    let Some(forward) = actions.forward() else {
        return Actions::new(vec![Action::Other(meddled())]);
    };
    let heavier = forward.weights().iter().map(|(name, weight)| {
        let more = if *weight == 0 { 0 } else { weight % 999 + 1 };
        (name.clone(), more)
    });
    let stickiness = match forward.weights().len() {
        1 if forward.stickiness().is_none() => Some(Stickiness { seconds: Some(61) }),
        1 => None,
        _ => forward.stickiness().cloned(),
    };
    let other = Forward::new(heavier.collect(), stickiness);
    actions.with_forward(&other.expect("no weight becomes zero that was not"))
}

fn change_group(world: &mut World, piece: &Piece, name: &ScalingGroupName) {
    if let Piece::Launch(_) = piece {
        return relaunch(world, name);
    }
    let group = world.scaling_groups.get_mut(name);
    match (piece, group) {
        (Piece::ScalingGroup(_), Some(group)) => group.details = meddled(),
        (Piece::ScalingGroup(_), None) => {
            world.scaling_groups.insert(name.clone(), stranger());
        }
        (Piece::Capacity(_), Some(group)) => group.capacity.max += 1,
        (Piece::Processes(_), Some(group)) => {
            let process = Process::AlarmNotification;
            if !group.suspended.remove(&process) {
                group.suspended.insert(process);
            }
        }
        (Piece::Policy(key), Some(group)) => {
            let policy = Policy {
                name: key.policy.clone(),
                counts_requests_of: None,
                details: meddled(),
                alarms: vec![],
                uncarried: None,
            };
            group.policies.insert(key.policy.clone(), policy);
        }
        (Piece::Fitting(key), Some(group)) => {
            group.fittings.insert(key.fitting.clone(), other_fitting(&key.fitting));
        }
        (Piece::Schedule(_, key), Some(group)) => {
            let schedule = Schedule { name: key.clone(), details: meddled() };
            group.schedules.insert(key.clone(), schedule);
        }
        _ => {}
    }
}

/// Makes a group launch a new version that is like the one it launched.
fn relaunch(world: &mut World, name: &ScalingGroupName) {
    let Some(group) = world.scaling_groups.get_mut(name) else { return };
    if let LaunchSource::Template { template, version }
    | LaunchSource::Mixed { template, version, .. } = &mut group.launch
        && let Some(state) = world.templates.get_mut(template)
        && let Some(launched) = state.number(version)
        && let Some(copy) = copy_version(state, launched)
    {
        *version = TemplateVersion::Number(copy);
    }
}

/// Makes a new version that is like another one; returns its number.
fn copy_version(template: &mut TemplateState, number: u64) -> Option<u64> {
    let version = VersionState { mark: None, ..template.versions.get(&number)?.clone() };
    let next = template.number(&TemplateVersion::Latest)? + 1;
    template.versions.insert(next, version);
    Some(next)
}

fn tag(world: &mut World, piece: &Piece) {
    let resource = match piece {
        Piece::Rule(key) => {
            let listener = world.listener_mut(&key.listener);
            let rules = listener.map(|listener| &mut listener.rules);
            let rule = rules.zip(key.priority).and_then(|(rules, at)| rules.get_mut(&at));
            if let Some(rule) = rule {
                rule.tags.insert(MEDDLED.to_owned(), MEDDLED.to_owned());
            }
            return;
        }
        Piece::Route(key) => ResourceKey::Listener(key.listener.clone()),
        Piece::Listener(key) => ResourceKey::Listener(key.clone()),
        Piece::LoadBalancer(name) => ResourceKey::LoadBalancer(name.clone()),
        Piece::TargetGroup(name) => ResourceKey::TargetGroup(name.clone()),
        Piece::ScalingGroup(name)
        | Piece::Capacity(name)
        | Piece::Launch(name)
        | Piece::Processes(name)
        | Piece::Fitting(FittingKey { group: name, .. })
        | Piece::Schedule(name, _) => ResourceKey::ScalingGroup(name.clone()),
        Piece::Policy(key) => ResourceKey::ScalingGroup(key.group.clone()),
        Piece::Tags(resource, _) => resource.clone(),
        Piece::Alarm(_) | Piece::Template(_) | Piece::Configuration(_) => return,
    };
    set_tag(world, &resource, MEDDLED);
}

fn set_tag(world: &mut World, resource: &ResourceKey, key: &str) {
    let (key, value) = (key.to_owned(), MEDDLED.to_owned());
    if let ResourceKey::ScalingGroup(name) = resource {
        if let Some(group) = world.scaling_groups.get_mut(name) {
            group.tags.insert(key, GroupTag { value, propagate: false });
        }
    } else if let Some(tags) = world.tags_mut(resource) {
        tags.insert(key, value);
    }
}

fn delete(world: &mut World, piece: &Piece) {
    match piece {
        Piece::Route(key) | Piece::Rule(key) => {
            match (world.listener_mut(&key.listener), key.priority) {
                (Some(listener), Some(priority)) => {
                    listener.rules.remove(&priority);
                }
                _ => delete_listener(world, &key.listener),
            }
        }
        Piece::Listener(key) | Piece::Tags(ResourceKey::Listener(key), _) => {
            delete_listener(world, key);
        }
        Piece::TargetGroup(name) | Piece::Tags(ResourceKey::TargetGroup(name), _) => {
            if !world.references().contains_key(name) {
                world.target_groups.remove(name);
            }
        }
        Piece::ScalingGroup(name)
        | Piece::Capacity(name)
        | Piece::Launch(name)
        | Piece::Processes(name)
        | Piece::Tags(ResourceKey::ScalingGroup(name), _) => {
            world.scaling_groups.remove(name);
        }
        Piece::Policy(key) => {
            if let Some(group) = world.scaling_groups.get_mut(&key.group) {
                group.policies.remove(&key.policy);
            }
        }
        Piece::Fitting(key) => {
            if let Some(group) = world.scaling_groups.get_mut(&key.group) {
                group.fittings.remove(&key.fitting);
            }
        }
        Piece::Schedule(group, name) => {
            if let Some(group) = world.scaling_groups.get_mut(group) {
                group.schedules.remove(name);
            }
        }
        Piece::Alarm(name) => drop(world.alarms.remove(name)),
        Piece::Template(name) => drop(world.templates.remove(name)),
        Piece::Configuration(name) => drop(world.configurations.remove(name)),
        Piece::LoadBalancer(_) | Piece::Tags(..) => {}
    }
}

fn delete_listener(world: &mut World, key: &ListenerKey) {
    if let Some(balancer) = world.load_balancers.get_mut(&key.load_balancer) {
        balancer.listeners.remove(&key.port);
    }
}

fn meddled() -> Opaque {
    Opaque::new(json!({"type": "fixed-response", MEDDLED: true}))
}

/// Fits a group with something that a cloud takes, and that no run would choose.
fn other_fitting(fitting: &Fitting) -> Opaque {
    match fitting {
        Fitting::DeletionProtection => Opaque::new(json!("prevent-force-deletion")),
        Fitting::Notifications(_) => Opaque::new(json!(["autoscaling:TEST_NOTIFICATION"])),
        _ => meddled(),
    }
}

fn stranger() -> ScalingGroupState {
    ScalingGroupState::from(ScalingGroupSettings {
        launch: LaunchSource::Unsupported(MEDDLED.to_owned()),
        capacity: Capacity::ZERO,
        target_groups: [].into(),
        tags: [].into(),
        details: meddled(),
        uncarried: vec![],
        unknown: vec![],
    })
}
