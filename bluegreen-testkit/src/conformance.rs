//! The contract of the cloud traits, one clause per sentence; that of a store is in [`store`].
//!
//! Every implementation is held against the same clauses: the fake of this crate, the AWS adapter
//! on an emulator or on a real account, and whatever another program links in. A clause panics
//! with a sentence that says what is wrong. It makes what it needs under names of its own, leaves
//! everything as found, and never needs a clean account. What clouds may differ in is a field of
//! the [`Fixture`].
//!
//! Clauses may be added in minor releases.
#![expect(clippy::missing_panics_doc, reason = "a clause panics if the cloud breaks it")]

mod account;
mod alarms;
mod arrange;
mod identity;
mod launch;
mod listeners;
mod network;
mod routes;
mod rules;
mod scaling_groups;
mod scaling_policies;
pub mod store;
mod tags;
mod target_groups;
mod traffic;

use std::time::Duration;

use bluegreen_core::cloud::Cloud;
use bluegreen_core::model::{
    AccountId, AlarmName, ImageId, LaunchConfigurationName, LaunchTemplateName, LoadBalancerName,
    PolicyName, RouteKey, ScalingGroupName, ScheduleName, TargetGroupName,
};
use futures_util::future::BoxFuture;

pub use account::*;
pub use alarms::*;
pub use identity::*;
pub use launch::*;
pub use listeners::*;
pub use network::*;
pub use routes::*;
pub use rules::*;
pub use scaling_groups::*;
pub use scaling_policies::*;
pub use tags::*;
pub use target_groups::*;
pub use traffic::*;

/// What a cloud has for the clauses to work with, and in what it may differ.
#[derive(Clone, Debug)]
pub struct Fixture {
    /// The account that the credentials belong to.
    pub account: AccountId,
    /// An application load balancer.
    pub load_balancer: LoadBalancerName,
    /// The default action of one of its listeners; forwards to `target_group` alone.
    pub route: RouteKey,
    /// A rule that forwards to `target_group` alone.
    pub rule: RouteKey,
    /// A rule of the same listener that does not forward.
    pub opaque_rule: RouteKey,
    /// A target group of instances that serve HTTP.
    pub target_group: TargetGroupName,
    /// A scaling group with at least one machine in service, registered in `target_group`.
    pub scaling_group: ScalingGroupName,
    /// The launch template that `scaling_group` launches from.
    pub template: LaunchTemplateName,
    /// A launch configuration, where the account can have any.
    pub configuration: Option<LaunchConfigurationName>,
    /// A policy of `scaling_group` that counts no requests and can be copied to another group.
    pub policy: Option<PolicyName>,
    /// A policy of `scaling_group` that counts the requests of `target_group`.
    pub counting_policy: Option<PolicyName>,
    /// A scheduled action of `scaling_group`.
    pub schedule: Option<ScheduleName>,
    /// An alarm that sets off `policy`.
    pub alarm: Option<AlarmName>,
    /// An image that can be launched and that the template does not launch.
    pub image: ImageId,
    /// A port of `load_balancer` on which nothing listens and which the outside cannot reach.
    pub free_port: u16,
    /// A port of `load_balancer` that the outside can reach, where the cloud can tell.
    pub open_port: Option<u16>,
    /// What the names of everything that clauses make begin with; at most 16 letters, digits and
    /// hyphens.
    pub prefix: String,
    /// For how long a change may take to be seen.
    pub settle: Duration,
    /// How often to look meanwhile.
    pub poll: Duration,
    /// Whether the cloud refuses what AWS refuses: a port that is taken, another group of the same
    /// name, changes of what does not exist, deletions of what is in use.
    pub strict: bool,
    /// Whether the cloud shows targets of a target group that no route names as unused.
    pub knows_unused: bool,
    /// Whether the cloud can tell about instance refreshes.
    pub knows_instance_refreshes: bool,
}

/// One sentence of the contract, to be run.
type Clause = for<'a> fn(&'a dyn Cloud, &'a Fixture) -> BoxFuture<'a, ()>;

/// Lists clauses with their names.
macro_rules! clauses {
    ($($clause:ident),* $(,)?) => {
        &[$((stringify!($clause), |cloud, fixture| Box::pin($clause(cloud, fixture)))),*]
    };
}
use clauses;

/// Runs every clause, one after the other, and returns their names.
///
/// Panics at the first one that does not hold, and at the end if anything is not as found.
pub async fn all(cloud: &dyn Cloud, fixture: &Fixture) -> Vec<&'static str> {
    let found = arrange::scene(cloud, fixture).await;
    let mut names = vec![];
    for (name, clause) in list() {
        clause(cloud, fixture).await;
        names.push(*name);
    }
    let left = arrange::scene(cloud, fixture).await;
    assert_eq!(left, found, "the clauses must leave everything as found");
    names
}

fn list() -> impl Iterator<Item = &'static (&'static str, Clause)> {
    [
        identity::CLAUSES,
        account::CLAUSES,
        routes::CLAUSES,
        listeners::CLAUSES,
        rules::CLAUSES,
        target_groups::CLAUSES,
        scaling_groups::CLAUSES,
        launch::CLAUSES,
        scaling_policies::CLAUSES,
        alarms::CLAUSES,
        network::CLAUSES,
        tags::CLAUSES,
        traffic::CLAUSES,
    ]
    .into_iter()
    .flatten()
}
