use bluegreen_core::cloud::{Cloud, CloudErrorKind};
use bluegreen_core::model::{HealthState, Lifecycle, TargetGroupName, TargetGroupSettings};

use super::arrange::{self, refusal};
use super::{Clause, Fixture, clauses, listeners};

pub(super) const CLAUSES: &[(&str, Clause)] = clauses![
    target_groups_are_those_that_exist,
    a_target_group_is_made_from_the_settings_of_another,
    a_target_group_with_other_tags_is_never_adopted,
    a_target_group_that_a_route_names_cannot_be_deleted,
    a_target_group_that_is_absent_is_deleted_at_once,
    every_machine_in_service_is_a_target,
    an_unknown_target_group_has_no_health,
    targets_are_unused_until_a_route_names_them,
];

/// Returns those of the names that exist, with the load balancers that refer to them.
pub async fn target_groups_are_those_that_exist(cloud: &dyn Cloud, fixture: &Fixture) {
    let names = [fixture.target_group.clone(), TargetGroupName::new("no-such-target-group")];
    let found = cloud.target_groups(&names).await.expect("an unknown name is no error");
    assert_eq!(found.len(), 1, "only the target group that exists is told");
    assert_eq!(found[0].name, names[0], "it is the one that was asked for");
    let is_named = found[0].load_balancers.contains(&fixture.load_balancer);
    assert!(is_named, "the load balancer that refers to it is told");
    let settings = cloud.target_group_settings(&names[1]).await;
    assert_eq!(settings.expect("an unknown name is no error"), None, "it has no settings");
}

/// Returns what would make a target group again; makes it, its tags with it; a repeat is harmless.
pub async fn a_target_group_is_made_from_the_settings_of_another(
    cloud: &dyn Cloud,
    fixture: &Fixture,
) {
    let wanted = arrange::like_target_group(cloud, fixture).await;
    let name = arrange::target_group(cloud, fixture, "clone").await;
    for _ in 0..2 {
        let found = arrange::settings_of(cloud, &name).await.expect("the target group was made");
        // Some attributes depend on what a target group is attached to.
        assert!(found.details.covers(&wanted.details), "{found:?} has all of {wanted:?}");
        let found = TargetGroupSettings { details: wanted.details.clone(), ..found };
        assert_eq!(found, wanted, "what was made is what is read");
        cloud.create_target_group(&name, &wanted).await.expect("a repeat is harmless");
    }
    arrange::delete_target_group(cloud, fixture, &name).await;
    assert_eq!(arrange::settings_of(cloud, &name).await, None, "the target group is gone");
}

/// Never adopts one that carries other tags.
pub async fn a_target_group_with_other_tags_is_never_adopted(cloud: &dyn Cloud, fixture: &Fixture) {
    let name = arrange::target_group(cloud, fixture, "adopt").await;
    let made = arrange::settings_of(cloud, &name).await.expect("the target group was made");
    let others = TargetGroupSettings {
        tags: [("owner".to_owned(), "somebody else".to_owned())].into(),
        ..made.clone()
    };
    let kind = refusal(cloud.create_target_group(&name, &others).await, "adopting a target group");
    assert_eq!(kind, CloudErrorKind::Rejected, "it carries other tags");
    let found = arrange::settings_of(cloud, &name).await;
    assert_eq!(found, Some(made), "the target group is as it was");
    arrange::delete_target_group(cloud, fixture, &name).await;
}

/// `Busy` while a route names it.
pub async fn a_target_group_that_a_route_names_cannot_be_deleted(
    cloud: &dyn Cloud,
    fixture: &Fixture,
) {
    let name = arrange::target_group(cloud, fixture, "busy").await;
    let key = arrange::free_listener(fixture);
    let listener = listeners::settings(fixture, name.clone());
    cloud.create_listener(&key, &listener).await.expect("a listener can be made");
    let kind = refusal(cloud.delete_target_group(&name).await, "deleting a target group in use");
    assert_eq!(kind, CloudErrorKind::Busy, "a route names it");
    cloud.delete_listener(&key).await.expect("a listener can be deleted");
    arrange::delete_target_group(cloud, fixture, &name).await;
}

/// A delete of what is absent succeeds.
pub async fn a_target_group_that_is_absent_is_deleted_at_once(
    cloud: &dyn Cloud,
    fixture: &Fixture,
) {
    let name = TargetGroupName::new(format!("{}-absent", fixture.prefix));
    cloud.delete_target_group(&name).await.expect("deleting what is absent succeeds");
}

/// Returns the load balancer's view of every target.
pub async fn every_machine_in_service_is_a_target(cloud: &dyn Cloud, fixture: &Fixture) {
    let groups = cloud.scaling_groups(std::slice::from_ref(&fixture.scaling_group)).await;
    let groups = groups.expect("groups can be read");
    let machines = groups[0].instances.iter().filter(|one| one.lifecycle == Lifecycle::InService);
    let health = cloud.target_health(&fixture.target_group).await;
    let health = health.expect("the health of a target group can be read");
    for machine in machines {
        let target = health.iter().find(|target| target.target == machine.id);
        assert!(target.is_some(), "`{}` is in service and thus a target", machine.id);
    }
    assert!(
        health.iter().any(|target| target.state == HealthState::Healthy),
        "the fixture's target group has a healthy target"
    );
}

/// `NotFound` if there is no such target group.
pub async fn an_unknown_target_group_has_no_health(cloud: &dyn Cloud, fixture: &Fixture) {
    let name = TargetGroupName::new(format!("{}-absent", fixture.prefix));
    let kind = refusal(cloud.target_health(&name).await, "reading the health of nothing");
    assert_eq!(kind, CloudErrorKind::NotFound, "there is no such target group");
}

/// Not checked: no route names its target group.
pub async fn targets_are_unused_until_a_route_names_them(cloud: &dyn Cloud, fixture: &Fixture) {
    if !fixture.knows_unused {
        return;
    }
    let name = arrange::target_group(cloud, fixture, "unused").await;
    let group = machine_of(cloud, fixture, &name).await;
    let states = async || {
        let health = cloud.target_health(&name).await;
        let health = health.expect("the health of a target group can be read");
        health.into_iter().map(|target| target.state).collect::<Vec<_>>()
    };
    assert_eq!(states().await, [HealthState::Unused], "no route names the target group");
    let key = arrange::free_listener(fixture);
    let listener = listeners::settings(fixture, name.clone());
    cloud.create_listener(&key, &listener).await.expect("a listener can be made");
    arrange::eventually(fixture, "a target that a route names gets healthy", || async {
        states().await == [HealthState::Healthy]
    })
    .await;
    cloud.delete_listener(&key).await.expect("a listener can be deleted");
    arrange::delete_scaling_group(cloud, fixture, &group).await;
    arrange::delete_target_group(cloud, fixture, &name).await;
}

/// Makes a group with one machine that is registered in a target group.
async fn machine_of(
    cloud: &dyn Cloud,
    fixture: &Fixture,
    target_group: &TargetGroupName,
) -> bluegreen_core::model::ScalingGroupName {
    let name = bluegreen_core::model::ScalingGroupName::new(format!("{}-unused", fixture.prefix));
    let mut settings = arrange::like_scaling_group(cloud, fixture).await;
    settings.target_groups = [target_group.clone()].into();
    settings.capacity = bluegreen_core::model::Capacity::new(0, 1, 1);
    let made = cloud.create_scaling_group(&name, &settings).await;
    made.expect("a group like the fixture's can be made");
    arrange::eventually(fixture, "a machine is registered once it is in service", || async {
        let health = cloud.target_health(target_group).await;
        !health.expect("the health of a target group can be read").is_empty()
    })
    .await;
    name
}
