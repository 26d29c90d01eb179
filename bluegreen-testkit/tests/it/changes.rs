//! What changes say of themselves.

use std::time::Duration;

use bluegreen_core::change::{CloudChange, Edit, MarkedVersion};
use bluegreen_core::cloud::{CloudError, CloudErrorKind};
use bluegreen_core::model::{
    Actions, Capacity, Fitting, FittingKey, LaunchConfigurationName, LaunchEdit, LaunchSource,
    LaunchTemplateName, ListenerKey, LoadBalancerName, Mark, PolicyKey, PolicyName, Process,
    RouteKey, RunId, ScalingGroupName, ScalingGroupSettings, ScheduleName, TargetGroupName,
    TemplateSettings, UserData,
};
use bluegreen_core::transaction::{Change as _, Reversibility};
use bluegreen_testkit::fake::template;
use bluegreen_testkit::mock::MockCloud;

use crate::stage::{Scene, Verb};

fn blue() -> ScalingGroupName {
    ScalingGroupName::new("nginx-live")
}

#[tokio::test(start_paused = true)]
async fn what_is_found_of_a_scaling_group_is_what_tells_it_from_others() {
    let scene = Scene::before(Verb::Deploy).await;
    let name = ScalingGroupName::new("nginx-live-green");
    let world = scene.world();
    let group = &world.scaling_groups[&name];
    let settings = bluegreen_core::model::ScalingGroupSettings {
        launch: template("nginx", 9),
        capacity: Capacity::ZERO,
        target_groups: group.target_groups.clone(),
        tags: group.tags.clone(),
        details: group.details.clone(),
        uncarried: vec![],
        unknown: vec![],
    };
    let made = CloudChange::ScalingGroup(Edit::create(name, settings.clone()));
    let found = made.find(&scene.cloud).await.expect("it can be read");
    assert_eq!(found["launch"], group.launch.to_string());
    assert_eq!(found["target groups"], "nginx-http-green, nginx-https-green");
    assert_eq!(found["made by run"], group.tags["bluegreen:run"].value);
    let absent = Edit::create(ScalingGroupName::new("nobody"), settings);
    let found = CloudChange::ScalingGroup(absent).find(&scene.cloud).await;
    assert!(found.expect("it can be read").is_empty());
}

#[test]
fn to_take_back_a_size_takes_as_long_as_machines_take() {
    let of = |before, after| CloudChange::Capacity(Edit::new(blue(), before, after)).undo_time();
    let three = Capacity::new(1, 3, 6);
    for time in [of(three, Capacity::ZERO), of(Capacity::ZERO, three)] {
        assert!(time >= Duration::from_mins(1), "machines start and drain within {time:?}");
    }
    let gone = CloudChange::ScalingGroup(Edit { of: blue(), before: None, after: None });
    let time = gone.undo_time();
    assert!(time > Duration::from_secs(10), "the cloud lets go of a group within {time:?}");
    let to = |name: &str| Actions::forward_to(TargetGroupName::new(name));
    let listener = ListenerKey::new(LoadBalancerName::new("nginx-live"), 80);
    let route = Edit::new(RouteKey::default_of(listener), to("nginx-http"), to("nginx-http-green"));
    let time = CloudChange::Route(route).undo_time();
    assert!(!time.is_zero() && time < Duration::from_secs(10), "a call takes {time:?}");
}

#[test]
fn how_well_a_change_is_taken_back_is_told_in_a_word() {
    let told = [Reversibility::Exact, Reversibility::Equivalent, Reversibility::Irreversible];
    assert_eq!(told.map(|one| one.to_string()), ["exact", "equivalent", "irreversible"]);
}

#[test]
fn user_data_is_only_a_digest_in_what_is_told_of_a_change_and_of_its_inverse() {
    let user_data = Some(UserData::new(b"hunter2".to_vec()));
    let source = LaunchSource::Configuration(LaunchConfigurationName::new("web-1"));
    let edit = LaunchEdit { source, image: None, user_data };
    let (template, mark) =
        (LaunchTemplateName::new("web"), Mark::new(&RunId::new("01a"), "launch"));
    let of = MarkedVersion { template, mark };
    let whole = TemplateSettings { version: edit.clone(), tags: [].into() };
    for made in [
        CloudChange::TemplateVersion(Edit::create(of.clone(), edit.clone())),
        CloudChange::LaunchTemplate(Edit::create(of, whole)),
        CloudChange::LaunchConfiguration(Edit::create(LaunchConfigurationName::new("web-2"), edit)),
    ] {
        for change in [made.inverse(), made] {
            let text = |change: &CloudChange| serde_json::to_string(change).expect("it is JSON");
            assert!(text(&change).contains("sealed"), "{change}");
            let redacted = change.redacted();
            assert!(!text(&redacted).contains("sealed"), "{}", text(&redacted));
            assert!(text(&redacted).contains("sha256"), "{}", text(&redacted));
        }
    }
}

#[test]
fn what_is_suspended_and_what_is_resumed_is_told_apart() {
    let told = |alarms: bool, clock: bool| {
        let of = |alarms, clock| {
            [(Process::AlarmNotification, alarms), (Process::ScheduledActions, clock)].into()
        };
        CloudChange::Processes(Edit::new(blue(), of(!alarms, !clock), of(alarms, clock)))
            .to_string()
    };
    let both = "AlarmNotification and ScheduledActions of nginx-live";
    assert_eq!(told(true, true), format!("suspend {both}"));
    assert_eq!(told(false, false), format!("resume {both}"));
    let each = "suspend AlarmNotification and resume ScheduledActions of nginx-live";
    assert_eq!(told(true, false), each);
}

#[test]
fn a_size_is_taken_back_exactly_unless_machines_were_stopped() {
    let of =
        |before, after| CloudChange::Capacity(Edit::new(blue(), before, after)).reversibility();
    let three = Capacity::new(1, 3, 6);
    assert_eq!(of(three, Capacity::new(0, 3, 9)), Reversibility::Exact);
    assert_eq!(of(three, Capacity::new(1, 4, 6)), Reversibility::Exact);
    assert_eq!(of(three, Capacity::new(1, 2, 6)), Reversibility::Equivalent);
}

#[tokio::test(start_paused = true)]
async fn to_make_a_group_or_a_target_group_takes_one_call() {
    let upgraded = Scene::before(Verb::Deploy).await.world();
    let target_group = TargetGroupName::new("nginx-http-green");
    let settings = upgraded.target_groups[&target_group].clone();
    let made = CloudChange::TargetGroup(Edit::create(target_group, settings));
    let group = ScalingGroupName::new("nginx-live-green");
    let settings = ScalingGroupSettings {
        launch: template("nginx", 1),
        capacity: Capacity::ZERO,
        target_groups: [].into(),
        tags: [].into(),
        details: upgraded.scaling_groups[&group].details.clone(),
        uncarried: vec![],
        unknown: vec![],
    };
    for change in [made, CloudChange::ScalingGroup(Edit::create(group, settings))] {
        let scene = Scene::example();
        change.apply(&scene.cloud).await.expect("it can be made");
        let calls = scene.cloud.calls();
        assert!(calls.len() == 1 && calls[0].mutating, "{change}: {calls:?}");
    }
}

/// As AWS says of hooks, policies and schedules of a group that is gone; the fake finds none.
#[tokio::test]
async fn a_group_that_is_not_there_has_no_fittings_and_no_policies() {
    let mut cloud = MockCloud::new();
    let gone = |group: &ScalingGroupName| {
        CloudError::new(CloudErrorKind::NotFound, "reading the scaling group", group)
    };
    cloud.expect_fittings().returning(move |group| Err(gone(group)));
    cloud.expect_policies().returning(move |group| Err(gone(group)));
    cloud.expect_schedules().returning(move |group| Err(gone(group)));
    let fitting = FittingKey { group: blue(), fitting: Fitting::WarmPool };
    let policy = PolicyKey { group: blue(), policy: PolicyName::new("busy") };
    let schedule = (blue(), ScheduleName::new("mornings"));
    for change in [
        CloudChange::Fitting(Edit { of: fitting, before: None, after: None }),
        CloudChange::Policy(Edit { of: policy, before: None, after: None }),
        CloudChange::Schedule(Edit { of: schedule, before: None, after: None }),
    ] {
        let found = change.find(&cloud).await.expect("nothing is there");
        assert!(found.is_empty(), "{change}: {found:?}");
    }
}
