//! Which targets requests would reach, moment by moment.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bluegreen_core::model::{Forward, RouteKey, ScalingGroupName, TargetGroupName};

use super::machines::Machinery;
use super::world::World;

/// How things stood from one moment until the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Since when, counted from the start of the cloud.
    pub at: Duration,
    /// What brought it about.
    pub cause: String,
    /// Every route with a forward.
    pub routes: BTreeMap<RouteKey, Reach>,
    /// The target groups that were checked.
    pub checked: BTreeSet<TargetGroupName>,
    /// The scaling groups.
    pub groups: BTreeMap<ScalingGroupName, Strength>,
}

impl Moment {
    /// Returns whether nothing is different but when and why.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        self.routes == other.routes && self.checked == other.checked && self.groups == other.groups
    }
}

/// How strong a scaling group was, and whether that was needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Strength {
    /// How many machines it was to have.
    pub desired: u32,
    /// Whether requests from outside reached it.
    pub serves: bool,
}

/// Whom the requests of one route reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reach {
    /// Whether the outside could reach the listener.
    pub open: bool,
    /// The target groups that got requests, each with how many healthy targets it had.
    pub healthy: BTreeMap<TargetGroupName, usize>,
}

impl Reach {
    /// Returns whether every target group that got requests had a healthy target.
    pub fn is_served(&self) -> bool {
        !self.healthy.is_empty() && self.healthy.values().all(|healthy| *healthy > 0)
    }
}

/// What a route did until a short while ago, which requests may still follow.
#[derive(Clone, Debug)]
pub(super) struct Fading {
    pub(super) route: RouteKey,
    pub(super) forward: Forward,
    pub(super) until: Duration,
}

/// Returns whom the requests of every route reach now.
pub(super) fn reach(
    world: &World,
    machinery: &Machinery,
    fading: &[Fading],
    now: Duration,
) -> BTreeMap<RouteKey, Reach> {
    let mut routes = BTreeMap::new();
    for (key, actions) in world.routes() {
        let Some(forward) = actions.forward() else { continue };
        let mut healthy: BTreeMap<_, _> =
            reached(forward).map(|name| (name.clone(), machinery.healthy(name))).collect();
        // The checks of a target group that lost its route end before its requests do.
        for faded in fading.iter().filter(|faded| faded.route == key) {
            for name in reached(&faded.forward) {
                let answering = machinery.answering(name, now);
                healthy.entry(name.clone()).or_insert(answering);
            }
        }
        let open = world.is_open_route(&key);
        routes.insert(key, Reach { open, healthy });
    }
    routes
}

/// Returns how strong every group is.
pub(super) fn groups(world: &World) -> BTreeMap<ScalingGroupName, Strength> {
    let groups = world.scaling_groups.iter().map(|(name, group)| {
        let desired = group.capacity.desired;
        (name.clone(), Strength { desired, serves: has_requests(world, name) })
    });
    groups.collect()
}

/// Returns whether requests from outside reach a scaling group.
pub(super) fn has_requests(world: &World, group: &ScalingGroupName) -> bool {
    let Some(group) = world.scaling_groups.get(group) else { return false };
    world.routes().any(|(key, actions)| {
        let forward = actions.forward();
        forward.is_some_and(|one| group.target_groups.iter().any(|name| one.reaches(name)))
            && world.is_open_route(&key)
    })
}

fn reached(forward: &Forward) -> impl Iterator<Item = &TargetGroupName> {
    forward.weights().keys().filter(|name| forward.reaches(name))
}
