//! What a clone has: everything that the original has, but for the rewrites that are documented.

mod strangers;

use std::collections::BTreeMap;

use bluegreen_core::change::CloudChange;
use bluegreen_core::cloud::WriteScalingGroups as _;
use bluegreen_core::model::{
    Alarm, Capacity, DimensionValue, Fitting, Hold, LaunchSource, Opaque, Policy, Process,
    ScalingGroupName, Schedule, TargetGroupName, TemplateVersion, tag_key,
};
use bluegreen_core::operation::{Done, Operation, compare};
use bluegreen_core::plan::{Decision, Disparity, SwitchOptions, UpgradeOptions};
use bluegreen_core::transaction::{Ending, differences, fields};
use bluegreen_testkit::fake::ScalingGroupState;
use bluegreen_testkit::strategy::{STACK, any_world};
use bluegreen_testkit::{FakeCloud, World};
use proptest::prelude::*;
use serde_json::json;

use crate::stage::{Scene, Verb, calm, on_virtual_time};

fn blue() -> ScalingGroupName {
    ScalingGroupName::new(STACK)
}

fn green() -> ScalingGroupName {
    ScalingGroupName::new(format!("{STACK}-green"))
}

fn of_green(name: &TargetGroupName) -> TargetGroupName {
    TargetGroupName::new(format!("{name}-green"))
}

fn scene(world: World) -> Scene {
    let mut scene = Scene::new(FakeCloud::new(world));
    scene.spec.scaling_group = blue();
    scene
}

/// Names what is the blue side's as the green side's.
fn renamed(name: &DimensionValue) -> DimensionValue {
    match name {
        DimensionValue::ScalingGroup(_) => DimensionValue::ScalingGroup(green()),
        DimensionValue::TargetGroup(name) => DimensionValue::TargetGroup(of_green(name)),
        DimensionValue::Requests(balancer, name) => {
            DimensionValue::Requests(balancer.clone(), of_green(name))
        }
        other => other.clone(),
    }
}

/// Says what a clone must be: this list is the documentation of every rewrite.
fn expected(world: &World) -> ScalingGroupState {
    let mut clone = world.scaling_groups[&blue()].clone();
    // It is made of size 0.
    clone.capacity = Capacity::ZERO;
    // A version that floats is pinned to what it means now.
    if let Some((template, version)) = clone.launch.template() {
        let number = world.templates[template].number(version).expect("it means something");
        clone.launch = clone.launch.with_version(TemplateVersion::Number(number));
    }
    // It registers its machines in target groups of its own.
    clone.target_groups = clone.target_groups.iter().map(of_green).collect();
    // It is idle, so what would act on it without traffic is held.
    let kept: std::collections::BTreeSet<Process> =
        Process::HELD_ON_IDLE.into_iter().filter(|one| clone.suspended.contains(one)).collect();
    clone.suspended.extend(Process::HELD_ON_IDLE);
    clone.tags.retain(|key, _| !key.starts_with("bluegreen:"));
    // What scales it is named after it, and names what is its own.
    let policies = clone.policies.values().map(|policy| Policy {
        name: bluegreen_core::model::PolicyName::new(format!("{}-green", policy.name)),
        counts_requests_of: policy
            .counts_requests_of
            .as_ref()
            .map(|(balancer, name)| (balancer.clone(), of_green(name))),
        details: policy.details.renamed(&renamed),
        ..policy.clone()
    });
    clone.policies = policies.map(|policy| (policy.name.clone(), policy)).collect();
    let schedules = clone.schedules.values().map(|schedule| Schedule {
        name: bluegreen_core::model::ScheduleName::new(format!("{}-green", schedule.name)),
        ..schedule.clone()
    });
    clone.schedules = schedules.map(|one| (one.name.clone(), one)).collect();
    assert!(kept.len() <= 2);
    clone
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn a_clone_equals_the_original_but_for_the_documented_rewrites(world in any_world()) {
        on_virtual_time(async {
            let scene = scene(world);
            let before = scene.world();
            scene.must(Verb::Upgrade).await;
            calm().await;
            let after = scene.world();
            let mut found = after.scaling_groups[&green()].clone();
            // Who made it, and who holds it.
            let hold = found.tags.get(tag_key::HOLD).and_then(|tag| Hold::read(&tag.value));
            let hold = hold.expect("it is held by a run");
            let run = found.tags[tag_key::RUN].value.clone();
            prop_assert_eq!(hold.run.as_str(), run);
            let suspended = &before.scaling_groups[&blue()].suspended;
            let kept: Vec<_> =
                Process::HELD_ON_IDLE.into_iter().filter(|one| suspended.contains(one)).collect();
            prop_assert_eq!(hold.kept.into_iter().collect::<Vec<_>>(), kept);
            found.tags.retain(|key, _| !key.starts_with("bluegreen:"));
            prop_assert_eq!(found, expected(&before));
            for alarm in before.alarms.values() {
                let name = bluegreen_core::model::AlarmName::new(format!("{}-green", alarm.name));
                let wanted = Alarm {
                    name: name.clone(),
                    dimensions: alarm.dimensions.iter().map(|one| {
                        let mut one = one.clone();
                        one.value = renamed(&one.value);
                        one
                    }).collect(),
                    sets_off: alarm.sets_off.iter().map(|key| {
                        let mut key = key.clone();
                        key.group = green();
                        key.policy =
                            bluegreen_core::model::PolicyName::new(format!("{}-green", key.policy));
                        key
                    }).collect(),
                    ..alarm.clone()
                };
                prop_assert_eq!(&after.alarms[&name], &wanted);
            }
            Ok(())
        })?;
    }

    #[test]
    fn an_upgrade_that_is_taken_back_leaves_the_very_account_that_was(world in any_world()) {
        on_virtual_time(async {
            let scene = scene(world);
            let before = scene.world();
            scene.must(Verb::Upgrade).await;
            let end = scene.undo_last().await;
            prop_assert!(matches!(&end, Ok(Done::Ran(end)) if end.ending == Ending::Committed), "{end:?}");
            calm().await;
            prop_assert_eq!(scene.world(), before);
            Ok(())
        })?;
    }

    #[test]
    fn the_colours_differ_after_an_upgrade_only_where_that_is_intended(world in any_world()) {
        on_virtual_time(async {
            let scene = scene(world);
            scene.must(Verb::Upgrade).await;
            let astray = astray(&scene).await;
            prop_assert_eq!(astray, vec![]);
            Ok(())
        })?;
    }
}

async fn disparities(scene: &Scene) -> Vec<Disparity> {
    let environment = scene.environment().await;
    compare(&scene.cloud, &scene.spec, &environment).await.expect("both can be read")
}

async fn astray(scene: &Scene) -> Vec<Disparity> {
    let mut all = disparities(scene).await;
    all.retain(|one| one.intended.is_none());
    all
}

#[tokio::test(start_paused = true)]
async fn what_somebody_changed_about_one_colour_is_in_the_parity_report() {
    let scene = Scene::before(Verb::Scaledown).await;
    assert_eq!(astray(&scene).await, []);
    let reasons: std::collections::BTreeSet<_> =
        disparities(&scene).await.into_iter().filter_map(|one| one.intended).collect();
    for why in
        ["each colour has its own version", "held while it is idle", "named after its colour"]
    {
        assert!(reasons.contains(why), "{why} is not in {reasons:?}");
    }
    scene.cloud.edit(|world| {
        let green = ScalingGroupName::new("nginx-live-green");
        let group = world.scaling_groups.get_mut(&green).expect("it is there");
        let mut details = group.details.value().clone();
        details["grace_seconds"] = json!(30);
        group.details = Opaque::new(details);
        group.suspended.insert(Process::Launch);
        group.policies.clear();
        group.tags.remove("stage");
    });
    let fields: Vec<String> = astray(&scene).await.into_iter().map(|one| one.field).collect();
    for field in ["settings.grace_seconds", "suspended.Launch", "tags.stage.value"] {
        assert!(fields.iter().any(|one| one == field), "{field} is not in {fields:?}");
    }
    assert!(fields.iter().any(|one| one.starts_with("policies.busy.")), "{fields:?}");
}

#[tokio::test(start_paused = true)]
async fn what_this_version_does_not_know_stops_the_clone_and_is_named() {
    let scene = Scene::example();
    scene.cloud.edit(|world| {
        let group = world.scaling_groups.get_mut(&ScalingGroupName::new("nginx-live"));
        group.expect("it is there").unknown = vec!["member Reincarnation".to_owned()];
    });
    let before = scene.world();
    let error = scene.operate(Verb::Upgrade).await.expect_err("it stops");
    assert!(error.to_string().contains("member Reincarnation"), "{error}");
    assert!(error.hint().is_some_and(|hint| hint.contains("--ignore-unknown")), "{error}");
    assert_eq!(scene.world(), before);

    let options = UpgradeOptions::default().ignoring_unknown();
    let operation = Operation::Upgrade(options.clone());
    let (_, decision) = scene.bluegreen().plan(&scene.spec, &operation).await.expect("a plan");
    let Decision::Run(plan) = decision else { panic!("there is something to do") };
    // What is left out is said in the plan, which the journal keeps.
    let said = plan.changes().any(|(_, change)| change.to_string().contains("without member Re"));
    assert!(said, "the plan does not say what the clone will lack");
    let done = scene.bluegreen().upgrade(&scene.spec, options).await.expect("it goes on");
    assert!(matches!(done, Done::Ran(end) if end.ending == Ending::Committed));
}

#[tokio::test(start_paused = true)]
async fn a_metric_that_names_the_group_in_a_way_that_nobody_can_rewrite_is_refused_by_name() {
    let scene = Scene::example();
    scene.cloud.edit(|world| {
        let group = world.scaling_groups.get_mut(&ScalingGroupName::new("nginx-live"));
        let policy = group.expect("it is there").policies.values_mut().next().expect("one");
        let search = json!({"Expression": "SEARCH('{App,Group} \"nginx-live\"', 'Sum')"});
        policy.details = Opaque::new(json!({"Metrics": [search]}));
    });
    let error = scene.operate(Verb::Upgrade).await.expect_err("it is refused");
    assert!(error.to_string().contains("`Expression` names `nginx-live`"), "{error}");
}

/// The first of what users of other tools suffer that this part is about (row 5): green is smaller
/// than blue at the switch, and the pin is never removed.
#[tokio::test(start_paused = true)]
async fn pain_5_no_colour_is_smaller_at_the_switch_and_no_pin_is_left_behind() {
    let scene = Scene::before(Verb::Switch).await;
    // Without traffic nothing makes the idle colour shrink: it is held.
    let green = ScalingGroupName::new("nginx-live-green");
    let started = scene.cloud.instances(&green).len();
    calm().await;
    assert_eq!(scene.cloud.instances(&green).len(), started);
    // Capacity is read at the switch, not remembered from the deploy.
    scene.cloud.edit(|world| {
        let blue = world.scaling_groups.get_mut(&ScalingGroupName::new("nginx-live"));
        blue.expect("it is there").capacity = Capacity::new(2, 5, 6);
    });
    tokio::time::sleep(std::time::Duration::from_mins(10)).await;
    let error = scene.operate(Verb::Switch).await.expect_err("3 machines are less than 5");
    assert!(error.to_string().contains("3 of 5 healthy"), "{error}");
    scene.cloud.edit(|world| {
        let green = world.scaling_groups.get_mut(&green).expect("it is there");
        green.capacity = Capacity::new(2, 5, 6);
    });
    tokio::time::sleep(std::time::Duration::from_mins(10)).await;
    scene.must(Verb::Switch).await;
    let group = &scene.world().scaling_groups[&green];
    assert!(group.suspended.is_empty(), "the pin is let go of at the switch");
    assert!(!group.tags.contains_key(tag_key::HOLD));
}

/// Row 6: scaling policies are lost, or bound to the wrong target group.
#[tokio::test(start_paused = true)]
async fn pain_6_every_policy_is_cloned_and_counts_the_requests_of_its_own_target_group() {
    let scene = Scene::before(Verb::Deploy).await;
    let world = scene.world();
    let of = |name: &str| &world.scaling_groups[&ScalingGroupName::new(name)];
    let (blue, green) = (of("nginx-live"), of("nginx-live-green"));
    assert_eq!(green.policies.len(), blue.policies.len());
    assert_eq!(green.schedules.len(), blue.schedules.len());
    for policy in green.policies.values() {
        if let Some((_, counted)) = &policy.counts_requests_of {
            assert!(green.target_groups.contains(counted), "{counted} is a stranger");
        }
    }
    for alarm in world.alarms.values() {
        let groups: Vec<_> = alarm.sets_off.iter().map(|key| &key.group).collect();
        let named = alarm.dimensions.iter().find_map(|one| match &one.value {
            DimensionValue::ScalingGroup(name) => Some(name),
            _ => None,
        });
        assert!(groups.iter().all(|group| Some(*group) == named), "{alarm:?}");
    }
    assert_eq!(world.alarms.len(), 2);
    assert_eq!(astray(&scene).await, []);
}

#[tokio::test(start_paused = true)]
async fn what_the_user_had_suspended_is_suspended_on_whichever_colour_serves() {
    let scene = Scene::example();
    let mine = [Process::AzRebalance, Process::ScheduledActions];
    scene.cloud.edit(|world| {
        let group = world.scaling_groups.get_mut(&ScalingGroupName::new("nginx-live"));
        group.expect("it is there").suspended = mine.into();
    });
    let suspended =
        |name: &str| scene.world().scaling_groups[&ScalingGroupName::new(name)].suspended.clone();
    let held = mine.into_iter().chain(Process::HELD_ON_IDLE).collect();
    scene.must(Verb::Upgrade).await;
    assert_eq!((suspended("nginx-live"), suspended("nginx-live-green")), (mine.into(), held));
    scene.must(Verb::Deploy).await;
    scene.must(Verb::Switch).await;
    let held = mine.into_iter().chain(Process::HELD_ON_IDLE).collect();
    assert_eq!((suspended("nginx-live-green"), suspended("nginx-live")), (mine.into(), held));
    scene.must(Verb::Deploy).await;
    scene.must(Verb::Switch).await;
    let held = mine.into_iter().chain(Process::HELD_ON_IDLE).collect();
    assert_eq!((suspended("nginx-live"), suspended("nginx-live-green")), (mine.into(), held));
}

#[tokio::test(start_paused = true)]
async fn a_hold_on_the_colour_that_serves_is_let_go_of_by_the_next_operation() {
    let scene = Scene::before(Verb::Switch).await;
    // Somebody sends the traffic to green by hand, and nobody lets green scale.
    let bluegreen = scene.bluegreen();
    let operation = Operation::Switch(SwitchOptions::default());
    let (_, decision) = bluegreen.plan(&scene.spec, &operation).await.expect("a plan");
    let Decision::Run(plan) = decision else { panic!("there is something to do") };
    let routes: BTreeMap<_, _> = plan
        .changes()
        .filter_map(|(_, change)| match change {
            CloudChange::Route(edit) => Some((edit.of.clone(), edit.after.clone())),
            _ => None,
        })
        .collect();
    scene.cloud.edit(|world| {
        for (route, actions) in &routes {
            *world.actions_mut(route).expect("it is there") = actions.clone();
        }
    });
    let environment = scene.environment().await;
    let expired = bluegreen_core::plan::expired_hold(&environment).expect("green is held");
    assert_eq!(expired.group.as_str(), "nginx-live-green");
    let before = scene.world();
    scene.must(Verb::Scaledown).await;
    let world = scene.world();
    let green = &world.scaling_groups[&expired.group];
    assert!(green.suspended.is_empty(), "{:?}", green.suspended);
    assert!(!green.tags.contains_key(tag_key::HOLD));
    // As any change, it is taken back with the run.
    let end = scene.undo_last().await;
    assert!(matches!(&end, Ok(Done::Ran(end)) if end.ending == Ending::Committed), "{end:?}");
    calm().await;
    let (wanted, mut found) = (fields(&before), fields(&scene.world()));
    // Blue was never held: idle as it is, it shrinks again as it did before.
    let size = "scaling_groups.nginx-live.capacity.desired";
    found.extend(wanted.get(size).map(|desired| (size.to_owned(), desired.clone())));
    assert_eq!(differences(&wanted, &found), []);
}

#[tokio::test(start_paused = true)]
async fn a_protected_group_is_not_deleted_and_its_protection_is_lifted_first_on_the_way_back() {
    let scene = Scene::example();
    scene.cloud.edit(|world| {
        let group = world.scaling_groups.get_mut(&ScalingGroupName::new("nginx-live"));
        let all = Opaque::new(json!("prevent-all-deletion"));
        group.expect("it is there").fittings.insert(Fitting::DeletionProtection, all);
    });
    let before = scene.world();
    scene.must(Verb::Upgrade).await;
    let green = ScalingGroupName::new("nginx-live-green");
    let deleted = scene.cloud.delete_scaling_group(&green).await;
    assert!(deleted.is_err(), "it is protected");
    let end = scene.undo_last().await;
    assert!(matches!(&end, Ok(Done::Ran(end)) if end.ending == Ending::Committed), "{end:?}");
    calm().await;
    assert_eq!(scene.world(), before);
}

#[tokio::test(start_paused = true)]
async fn a_group_of_mixed_instances_is_deployed_to_and_keeps_its_types() {
    let scene = Scene::example();
    let policy =
        Opaque::new(json!({"LaunchTemplate": {"Overrides": [{"InstanceType": "m5.large"}]}}));
    scene.cloud.edit(|world| {
        let group = world.scaling_groups.get_mut(&ScalingGroupName::new("nginx-live"));
        let group = group.expect("it is there");
        let (template, _) = group.launch.template().expect("it launches a template");
        group.launch = LaunchSource::Mixed {
            template: template.clone(),
            version: TemplateVersion::Latest,
            policy: policy.clone(),
        };
    });
    scene.must(Verb::Upgrade).await;
    scene.must(Verb::Deploy).await;
    scene.must(Verb::Switch).await;
    let world = scene.world();
    let launch = |name: &str| world.scaling_groups[&ScalingGroupName::new(name)].launch.clone();
    let (blue, green) = (launch("nginx-live"), launch("nginx-live-green"));
    for launch in [&blue, &green] {
        assert!(matches!(launch, LaunchSource::Mixed { policy: kept, .. } if *kept == policy));
    }
    // Blue is pinned, so that the version made for green does not reach it.
    assert_ne!(blue.template(), green.template());
    assert_eq!(world.launch_data(&green).expect("it is there").image.as_str(), "ami-0b");
    assert_eq!(world.launch_data(&blue).expect("it is there").image.as_str(), "ami-0a");
}
