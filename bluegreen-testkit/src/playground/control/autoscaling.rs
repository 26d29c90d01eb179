//! Auto Scaling: groups, what they launch, what scales them, and what happened to their machines.
//!
//! # Limits
//!
//! Groups launch from templates or configurations: requests with the id of an instance to copy are
//! refused, and of a mixed instances policy only the template counts, the rest is kept and shown.
//! Of the processes, `Launch`, `Terminate`, `AddToLoadBalancer`, `ReplaceUnhealthy` and
//! `HealthCheck` have effect when they are suspended, and what the fake reasons about; the others
//! are kept and shown. No machine ever waits in a warm pool, nobody is told any news, and nothing
//! is measured of a group. Lifecycle hooks never hold a
//! machine up, alarms of target tracking are not made, scheduled actions never run, and instance
//! refreshes are shown and cannot be started here. A forced deletion does not drain: AWS does not
//! say whether it does. Cooldowns are kept and never waited for; the next run of a recurring action
//! is not shown; a launch configuration may lack the type of its machines. There is no standby, no
//! protection of single machines, and no machine is attached or detached by hand.

mod activities;
mod attachments;
mod condition;
mod configurations;
mod creation;
mod fittings;
mod groups;
mod hooks;
mod instances;
mod launch;
mod metric_names;
mod policies;
mod processes;
mod refusal;
mod related;
mod schedules;
mod settings;
mod show;
mod tags;

#[cfg(test)]
mod tests;

pub(crate) use self::activities::observe;
pub(crate) use self::attachments::serves;
pub(crate) use self::instances::{in_grace, terminate_for};
pub(crate) use self::processes::held;
pub(crate) use self::settings::follows_load_balancers;

use bluegreen_core::model::ScalingGroupName;

use self::refusal::{operated, pending_delete, unknown_group};
use super::{Call, Params, WireError, Xml, paging, tree};
use crate::fake::{ScalingGroupState, VisibleGroup};
use crate::playground::site::Site;

/// The kind under which facts of scaling groups are noted.
const GROUP: &str = "scaling-group";

/// Answers one call.
pub(super) fn answer(call: &Call<'_>) -> Result<Xml, WireError> {
    observe(call.site);
    let answer = match call.action {
        "CreateAutoScalingGroup" => creation::create(call),
        "UpdateAutoScalingGroup" => groups::update(call),
        "DeleteAutoScalingGroup" => groups::delete(call),
        "DescribeAutoScalingGroups" => groups::describe(call),
        "SetDesiredCapacity" => groups::set_desired_capacity(call),
        "DescribeAutoScalingInstances" => instances::describe(call),
        "TerminateInstanceInAutoScalingGroup" => instances::terminate(call),
        "SetInstanceHealth" => instances::set_health(call),
        "DescribeScalingActivities" => activities::describe(call),
        "AttachLoadBalancerTargetGroups" => attachments::attach_target_groups(call),
        "DetachLoadBalancerTargetGroups" => attachments::detach_target_groups(call),
        "DescribeLoadBalancerTargetGroups" => attachments::describe_target_groups(call),
        "AttachTrafficSources" => attachments::attach_sources(call),
        "DetachTrafficSources" => attachments::detach_sources(call),
        "DescribeTrafficSources" => attachments::describe_sources(call),
        "SuspendProcesses" => processes::suspend(call, true),
        "ResumeProcesses" => processes::suspend(call, false),
        "DescribeScalingProcessTypes" => Ok(processes::types()),
        "PutScalingPolicy" => policies::put(call),
        "DeletePolicy" => policies::delete(call),
        "DescribePolicies" => policies::describe(call),
        "PutScheduledUpdateGroupAction" => schedules::put(call),
        "BatchPutScheduledUpdateGroupAction" => schedules::put_all(call),
        "DeleteScheduledAction" => schedules::delete(call),
        "BatchDeleteScheduledAction" => schedules::delete_all(call),
        "DescribeScheduledActions" => schedules::describe(call),
        "PutLifecycleHook" => hooks::put(call),
        "DeleteLifecycleHook" => hooks::delete(call),
        "DescribeLifecycleHooks" => hooks::describe(call),
        "DescribeLifecycleHookTypes" => Ok(hooks::types()),
        "CreateOrUpdateTags" => tags::put(call),
        "DeleteTags" => tags::delete(call),
        "DescribeTags" => tags::describe(call),
        "CreateLaunchConfiguration" => configurations::create(call),
        "DeleteLaunchConfiguration" => configurations::delete(call),
        "DescribeLaunchConfigurations" => configurations::describe(call),
        "DescribeInstanceRefreshes" => related::refreshes(call),
        "PutNotificationConfiguration" => fittings::put_notifications(call),
        "DeleteNotificationConfiguration" => fittings::delete_notifications(call),
        "DescribeNotificationConfigurations" => fittings::notifications(call),
        "EnableMetricsCollection" => fittings::enable_metrics(call),
        "DisableMetricsCollection" => fittings::disable_metrics(call),
        "PutWarmPool" => fittings::put_warm_pool(call),
        "DeleteWarmPool" => fittings::delete_warm_pool(call),
        "DescribeWarmPool" => fittings::warm_pool(call),
        "DescribeAccountLimits" => Ok(related::limits(call)),
        action => Err(WireError::unknown_action(action)),
    };
    if super::is_mutating(call.action) {
        observe(call.site);
    }
    answer
}

/// Returns the name of the group that a request is about.
fn group_name(params: &Params) -> Result<ScalingGroupName, WireError> {
    params.need("AutoScalingGroupName").map(ScalingGroupName::new)
}

/// Returns a group as reads show it.
fn find(site: &Site, name: &ScalingGroupName) -> Result<VisibleGroup, WireError> {
    let mut groups = site.cloud().visible_groups().into_iter();
    groups.find(|group| group.name == *name).ok_or_else(|| unknown_group(name))
}

/// Changes a group, whole or not at all.
fn amend<T>(
    site: &Site,
    name: &ScalingGroupName,
    change: impl FnOnce(&mut ScalingGroupState) -> Result<T, WireError>,
) -> Result<T, WireError> {
    if site.cloud().is_dying(name) {
        return Err(pending_delete());
    }
    site.cloud().amend(|world| {
        let group = world.scaling_groups.get_mut(name).ok_or_else(|| unknown_group(name))?;
        match &group.operator {
            Some(operator) => Err(operated(name, operator)),
            None => change(group),
        }
    })
}

/// Cuts out the page that a request asks for, and writes it as a list.
fn listed(params: &Params, name: &str, usual: usize, items: Vec<Xml>) -> Result<Xml, WireError> {
    let size = params.number("MaxRecords")?.unwrap_or(usual);
    if !(1..=100).contains(&size) {
        return Err(refusal::out_of_range("maxRecords", 1, 100));
    }
    let (page, next) = paging::page(items, size, params.text("NextToken"))
        .map_err(|paging::UnknownToken| refusal::unknown_token())?;
    Ok(Xml::new().list(name, "member", page).maybe("NextToken", next))
}

/// Adds to a reply what is only handed through.
fn handed_through(xml: Xml, name: &str, value: &serde_json::Value) -> Xml {
    tree::write(xml, name, value, tree::Spelling::Query)
}
