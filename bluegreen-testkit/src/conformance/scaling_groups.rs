use bluegreen_core::cloud::{Cloud, CloudErrorKind};
use bluegreen_core::model::{
    Capacity, Fitting, FittingKey, LaunchEdit, LaunchSource, Lifecycle, Opaque, Process,
    ScalingGroup, ScalingGroupName, ScalingGroupSettings, TemplateVersion,
};
use serde_json::json;

use super::arrange::{self, refusal};
use super::{Clause, Fixture, clauses};

pub(super) const CLAUSES: &[(&str, Clause)] = clauses![
    scaling_groups_are_those_that_exist,
    a_scaling_group_is_made_from_the_settings_of_another,
    a_scaling_group_that_exists_is_not_made_again,
    what_cannot_be_carried_is_refused,
    a_scaling_group_that_is_absent_is_deleted_at_once,
    a_scaling_group_with_machines_cannot_be_deleted,
    sizes_that_were_set_are_the_sizes_that_are_read,
    machines_are_launched_and_terminated_as_asked,
    a_group_launches_from_another_source_and_its_machines_stay,
    exactly_the_processes_named_are_suspended_or_resumed,
    every_process_can_be_suspended_and_resumed,
    a_group_is_fitted_with_what_was_put_and_with_nothing_else,
    a_protected_group_cannot_be_deleted,
    an_unknown_group_cannot_be_changed,
    no_instance_refresh_is_under_way,
];

/// Returns those of the names that exist.
pub async fn scaling_groups_are_those_that_exist(cloud: &dyn Cloud, fixture: &Fixture) {
    let names = [fixture.scaling_group.clone(), ScalingGroupName::new("no-such-group")];
    let found = cloud.scaling_groups(&names).await.expect("an unknown name is no error");
    assert_eq!(found.len(), 1, "only the group that exists is told");
    let group = &found[0];
    assert_eq!(group.name, names[0], "it is the one that was asked for");
    assert_eq!(group.account, fixture.account, "it is in the account of the credentials");
    assert!(group.in_service() > 0, "the fixture's group has a machine in service");
    assert!(group.target_groups.contains(&fixture.target_group), "its target groups are told");
    assert!(!group.deleting, "nobody is deleting it");
    let settings = cloud.scaling_group_settings(&names[1]).await;
    assert_eq!(settings.expect("an unknown name is no error"), None, "it has no settings");
}

/// Returns what would make a scaling group again; makes it in one call, tags, hooks and target
/// groups with it; may stay visible for a while when it is deleted.
pub async fn a_scaling_group_is_made_from_the_settings_of_another(
    cloud: &dyn Cloud,
    fixture: &Fixture,
) {
    let wanted = arrange::like_scaling_group(cloud, fixture).await;
    let reserved = wanted.tags.keys().any(|key| key.starts_with("aws:"));
    assert!(!reserved, "reserved tags are left out");
    let name = arrange::scaling_group(cloud, fixture, "clone").await;
    let found = cloud.scaling_group_settings(&name).await.expect("groups can be read");
    assert_eq!(found, Some(wanted), "what was made is what is read");
    arrange::delete_scaling_group(cloud, fixture, &name).await;
}

/// `Rejected` if one exists; `Busy` while one of the same name is being deleted.
pub async fn a_scaling_group_that_exists_is_not_made_again(cloud: &dyn Cloud, fixture: &Fixture) {
    if !fixture.strict {
        return;
    }
    let name = arrange::scaling_group(cloud, fixture, "again").await;
    let settings = arrange::like_scaling_group(cloud, fixture).await;
    let again = cloud.create_scaling_group(&name, &settings).await;
    let kind = refusal(again, "making a group that exists");
    assert_eq!(kind, CloudErrorKind::Rejected, "one of the name exists");
    cloud.delete_scaling_group(&name).await.expect("an empty group can be deleted");
    let found = cloud.scaling_groups(std::slice::from_ref(&name)).await;
    if let Some(group) = found.expect("groups can be read").first() {
        assert!(group.deleting, "a group that is being deleted says so");
        let again = cloud.create_scaling_group(&name, &settings).await;
        let kind = refusal(again, "making a group while its namesake is being deleted");
        assert_eq!(kind, CloudErrorKind::Busy, "one of the name is being deleted");
    }
    let none_left = || async {
        let found = cloud.scaling_groups(std::slice::from_ref(&name)).await;
        found.expect("groups can be read").is_empty()
    };
    arrange::eventually(fixture, "a deleted group goes away", none_left).await;
}

/// `Rejected` if the settings have something that cannot be carried.
pub async fn what_cannot_be_carried_is_refused(cloud: &dyn Cloud, fixture: &Fixture) {
    let name = ScalingGroupName::new(format!("{}-uncarried", fixture.prefix));
    let settings = ScalingGroupSettings {
        uncarried: vec!["something that is new to everybody".to_owned()],
        ..arrange::like_scaling_group(cloud, fixture).await
    };
    let made = cloud.create_scaling_group(&name, &settings).await;
    let kind = refusal(made, "making a group that would lack something");
    assert_eq!(kind, CloudErrorKind::Rejected, "something cannot be carried");
    let found = cloud.scaling_groups(&[name]).await.expect("groups can be read");
    assert_eq!(found, [], "nothing was made");
}

/// A delete of what is absent succeeds.
pub async fn a_scaling_group_that_is_absent_is_deleted_at_once(
    cloud: &dyn Cloud,
    fixture: &Fixture,
) {
    let name = ScalingGroupName::new(format!("{}-absent", fixture.prefix));
    cloud.delete_scaling_group(&name).await.expect("deleting what is absent succeeds");
}

/// `Busy` while it has instances or activities; never by force.
pub async fn a_scaling_group_with_machines_cannot_be_deleted(cloud: &dyn Cloud, fixture: &Fixture) {
    if !fixture.strict {
        return;
    }
    let name = arrange::scaling_group(cloud, fixture, "machines").await;
    let capacity = Capacity::new(0, 1, 1);
    cloud.set_capacity(&name, capacity).await.expect("a group can be given a machine");
    let one = || async { !read(cloud, &name).await.instances.is_empty() };
    arrange::eventually(fixture, "a machine is launched", one).await;
    let kind = refusal(cloud.delete_scaling_group(&name).await, "deleting a group with machines");
    assert_eq!(kind, CloudErrorKind::Busy, "the group has a machine");
    assert!(!read(cloud, &name).await.deleting, "nobody is deleting it");
    arrange::delete_scaling_group(cloud, fixture, &name).await;
}

/// Asks a group to have other sizes; leaves settings alone that it does not name; a repeat is
/// harmless.
pub async fn sizes_that_were_set_are_the_sizes_that_are_read(cloud: &dyn Cloud, fixture: &Fixture) {
    let name = arrange::scaling_group(cloud, fixture, "sizes").await;
    let before = arrange::like_scaling_group(cloud, fixture).await;
    for capacity in [Capacity::new(0, 0, 3), Capacity::new(0, 0, 3), Capacity::ZERO] {
        cloud.set_capacity(&name, capacity).await.expect("sizes can be set");
        let found = cloud.scaling_group_settings(&name).await.expect("groups can be read");
        let wanted = ScalingGroupSettings { capacity, ..before.clone() };
        assert_eq!(found, Some(wanted), "the sizes are those that were set, all else stays");
    }
    arrange::delete_scaling_group(cloud, fixture, &name).await;
}

/// A group gets the machines that it is asked to have, and loses them.
pub async fn machines_are_launched_and_terminated_as_asked(cloud: &dyn Cloud, fixture: &Fixture) {
    let name = arrange::scaling_group(cloud, fixture, "launch").await;
    let capacity = Capacity::new(0, 1, 1);
    cloud.set_capacity(&name, capacity).await.expect("a group can be given a machine");
    let in_service = || async {
        let group = read(cloud, &name).await;
        group.instances.iter().any(|machine| machine.lifecycle == Lifecycle::InService)
    };
    arrange::eventually(fixture, "a machine comes into service", in_service).await;
    cloud.set_capacity(&name, Capacity::ZERO).await.expect("a group can be emptied");
    let empty = || async { read(cloud, &name).await.instances.is_empty() };
    arrange::eventually(fixture, "the machine is terminated", empty).await;
    arrange::delete_scaling_group(cloud, fixture, &name).await;
}

/// Makes a group launch its next machines from another source; running ones stay.
pub async fn a_group_launches_from_another_source_and_its_machines_stay(
    cloud: &dyn Cloud,
    fixture: &Fixture,
) {
    let before = read(cloud, &fixture.scaling_group).await;
    let other = another_version(cloud, fixture).await;
    for launch in [&other, &other, &before.launch] {
        let set = cloud.set_launch(&fixture.scaling_group, launch).await;
        set.expect("a group can launch from another version");
        let found = read(cloud, &fixture.scaling_group).await;
        assert_eq!(found.launch, *launch, "what was written is what is read");
        assert_eq!(found, ScalingGroup { launch: launch.clone(), ..before.clone() });
    }
    let mark = arrange::mark(fixture, "launch");
    let deleted = cloud.delete_template_version(&fixture.template, &mark).await;
    deleted.expect("a version can be deleted");
}

/// Suspends or resumes exactly the processes named.
pub async fn exactly_the_processes_named_are_suspended_or_resumed(
    cloud: &dyn Cloud,
    fixture: &Fixture,
) {
    use Process::{AlarmNotification, ScheduledActions};
    let name = arrange::scaling_group(cloud, fixture, "held").await;
    let both = [AlarmNotification, ScheduledActions];
    for (processes, wanted) in [
        (vec![(AlarmNotification, true)], vec![AlarmNotification]),
        (vec![(ScheduledActions, true)], both.to_vec()),
        (vec![(AlarmNotification, false)], vec![ScheduledActions]),
        (vec![(AlarmNotification, false)], vec![ScheduledActions]),
        (vec![(AlarmNotification, true), (ScheduledActions, false)], vec![AlarmNotification]),
        (vec![(AlarmNotification, false)], vec![]),
        (vec![], vec![]),
    ] {
        let processes = processes.into_iter().collect();
        cloud.set_suspended(&name, &processes).await.expect("processes can be suspended");
        let found = read(cloud, &name).await.suspended;
        assert_eq!(found, wanted.into_iter().collect(), "after {processes:?}");
    }
    arrange::delete_scaling_group(cloud, fixture, &name).await;
}

/// Every process can be suspended and resumed, whatever it does.
pub async fn every_process_can_be_suspended_and_resumed(cloud: &dyn Cloud, fixture: &Fixture) {
    let name = arrange::scaling_group(cloud, fixture, "processes").await;
    for (suspended, wanted) in [(true, Process::ALL.into()), (false, [].into())] {
        let all = Process::ALL.into_iter().map(|process| (process, suspended)).collect();
        cloud.set_suspended(&name, &all).await.expect("processes can be suspended");
        assert_eq!(read(cloud, &name).await.suspended, wanted, "all are, or none is");
    }
    arrange::delete_scaling_group(cloud, fixture, &name).await;
}

/// Fits a group with something, in the place of what there was; takes it away; a repeat is
/// harmless.
pub async fn a_group_is_fitted_with_what_was_put_and_with_nothing_else(
    cloud: &dyn Cloud,
    fixture: &Fixture,
) {
    // An emulator has not all of these calls.
    if !fixture.strict {
        return;
    }
    let group = arrange::scaling_group(cloud, fixture, "fitted").await;
    let metrics = |names: &[&str]| json!({"granularity": "1Minute", "metrics": names});
    let topic = format!("arn:aws:sns:eu-west-1:{}:{}", fixture.account, fixture.prefix);
    for (fitting, one, other) in [
        (
            Fitting::Notifications(topic),
            json!(["autoscaling:EC2_INSTANCE_LAUNCH"]),
            json!(["autoscaling:EC2_INSTANCE_LAUNCH_ERROR", "autoscaling:EC2_INSTANCE_TERMINATE"]),
        ),
        (
            Fitting::Metrics,
            metrics(&["GroupMaxSize", "GroupMinSize"]),
            metrics(&["GroupDesiredCapacity", "GroupMinSize"]),
        ),
        (
            Fitting::WarmPool,
            json!({"MinSize": "0", "PoolState": "Stopped"}),
            json!({"MinSize": "1", "PoolState": "Hibernated"}),
        ),
        (
            Fitting::DeletionProtection,
            json!("prevent-force-deletion"),
            json!("prevent-all-deletion"),
        ),
    ] {
        let key = FittingKey { group: group.clone(), fitting };
        for value in [&one, &one, &other, &one].map(|value| Opaque::new(value.clone())) {
            cloud.put_fitting(&key, &value).await.expect("a group can be fitted");
            let found = cloud.fittings(&group).await.expect("fittings can be read");
            let only: Vec<_> = found.keys().collect();
            assert_eq!(only, [&key.fitting], "nothing else is put");
            let found = &found[&key.fitting];
            assert!(found.covers(&value), "{key}: {found:?} is not {value:?}");
        }
        for _ in 0..2 {
            cloud.remove_fitting(&key).await.expect("what a group is fitted with goes away");
            let none = || async {
                cloud.fittings(&group).await.is_ok_and(|found| !found.contains_key(&key.fitting))
            };
            arrange::eventually(fixture, "a fitting goes away", none).await;
        }
    }
    arrange::delete_scaling_group(cloud, fixture, &group).await;
    let found = cloud.fittings(&group).await.expect("a group that is gone can be asked for");
    assert!(found.is_empty(), "there is no such group");
}

/// `Rejected` while a group is protected from deletion.
pub async fn a_protected_group_cannot_be_deleted(cloud: &dyn Cloud, fixture: &Fixture) {
    if !fixture.strict {
        return;
    }
    let group = arrange::scaling_group(cloud, fixture, "protected").await;
    let key = FittingKey { group: group.clone(), fitting: Fitting::DeletionProtection };
    let all = Opaque::new(json!("prevent-all-deletion"));
    cloud.put_fitting(&key, &all).await.expect("a group can be protected");
    assert!(cloud.delete_scaling_group(&group).await.is_err(), "it is protected");
    assert!(!read(cloud, &group).await.deleting, "nobody is deleting it");
    cloud.remove_fitting(&key).await.expect("protection can be lifted");
    arrange::delete_scaling_group(cloud, fixture, &group).await;
}

/// A write to a group that is not there fails with `NotFound`.
pub async fn an_unknown_group_cannot_be_changed(cloud: &dyn Cloud, fixture: &Fixture) {
    if !fixture.strict {
        return;
    }
    let name = ScalingGroupName::new(format!("{}-absent", fixture.prefix));
    let sizes = cloud.set_capacity(&name, Capacity::ZERO).await;
    let kind = refusal(sizes, "sizing an unknown group");
    assert_eq!(kind, CloudErrorKind::NotFound, "there is no such group");
    let processes = [(Process::ScheduledActions, true)].into();
    let held = cloud.set_suspended(&name, &processes).await;
    let kind = refusal(held, "suspending processes of an unknown group");
    assert_eq!(kind, CloudErrorKind::NotFound, "there is no such group");
}

/// Returns the state of the instance refresh that is under way in a group, if one is.
pub async fn no_instance_refresh_is_under_way(cloud: &dyn Cloud, fixture: &Fixture) {
    if !fixture.knows_instance_refreshes {
        return;
    }
    let found = cloud.instance_refresh(&fixture.scaling_group).await;
    assert_eq!(found.expect("refreshes can be read"), None, "nobody has started one");
}

async fn read(cloud: &dyn Cloud, name: &ScalingGroupName) -> ScalingGroup {
    let found = cloud.scaling_groups(std::slice::from_ref(name)).await;
    found.expect("groups can be read").pop().expect("the group exists")
}

async fn another_version(cloud: &dyn Cloud, fixture: &Fixture) -> LaunchSource {
    let version = TemplateVersion::Latest;
    let number = cloud.template_version(&fixture.template, &version).await;
    let number = number.expect("versions can be read").expect("the template has a version");
    let numbered = |number| LaunchSource::Template {
        template: fixture.template.clone(),
        version: TemplateVersion::Number(number),
    };
    let image = Some(fixture.image.clone());
    let edit = LaunchEdit { source: numbered(number), image, user_data: None };
    let mark = arrange::mark(fixture, "launch");
    let made = cloud.create_template_version(&fixture.template, &mark, &edit).await;
    made.expect("a version can be made");
    let marked = TemplateVersion::Marked(mark);
    let made = cloud.template_version(&fixture.template, &marked).await;
    numbered(made.expect("versions can be read").expect("the version was made"))
}
