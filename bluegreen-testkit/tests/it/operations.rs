//! The four operations on the fake, from the first upgrade on, and what they refuse.

use std::time::Duration;

use bluegreen_core::model::{
    Capacity, Color, Liveness, Process, ScalingGroupName, TargetGroupName, tag_key,
};
use bluegreen_core::operation::{Done, OperationErrorKind};
use bluegreen_core::plan::{ScaledownOptions, SwitchOptions, Waits};
use bluegreen_core::transaction::Ending;
use bluegreen_testkit::World;

use crate::stage::{Scene, Verb, image, live};

fn blue() -> ScalingGroupName {
    ScalingGroupName::new("nginx-live")
}

fn green() -> ScalingGroupName {
    ScalingGroupName::new("nginx-live-green")
}

#[tokio::test(start_paused = true)]
async fn a_service_goes_through_its_whole_life() {
    let scene = Scene::example();
    scene.must(Verb::Upgrade).await;
    assert_eq!(scene.live().await, live(Color::Blue));
    scene.must(Verb::Deploy).await;
    assert_eq!(scene.live().await, live(Color::Blue));
    scene.must(Verb::Switch).await;
    assert_eq!(scene.live().await, live(Color::Green));
    scene.must(Verb::Scaledown).await;
    assert!(scene.cloud.instances(&blue()).is_empty());
    // The second release goes to the other colour, and a switch brings it back.
    scene.must(Verb::Deploy).await;
    scene.must(Verb::Switch).await;
    assert_eq!(scene.live().await, live(Color::Blue));
    for moment in scene.cloud.history() {
        for (route, reach) in moment.routes.iter().filter(|(_, reach)| reach.open) {
            assert!(reach.is_served(), "{route} was not served: {}", moment.cause);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_upgrade_leaves_everything_that_serves_alone() {
    let scene = Scene::example();
    let before = scene.world();
    scene.must(Verb::Upgrade).await;
    let after = scene.world();
    for (route, actions) in before.routes() {
        assert!(after.routes().any(|other| other == (route.clone(), actions)), "{route} changed");
    }
    let group = blue();
    let (old, new) = (&before.scaling_groups[&group], &after.scaling_groups[&group]);
    assert_eq!(old.capacity, new.capacity);
    assert_eq!(old.target_groups, new.target_groups);
    assert_eq!(old.launch, new.launch);
    let written: Vec<_> = scene
        .cloud
        .calls()
        .into_iter()
        .filter(|call| call.mutating)
        .map(|call| call.method)
        .collect();
    for method in ["set_route", "set_capacity"] {
        assert!(!written.contains(&method), "{method} was called");
    }
}

#[tokio::test(start_paused = true)]
async fn a_clone_has_what_the_original_has_and_names_its_own() {
    let scene = Scene::example();
    scene.must(Verb::Upgrade).await;
    let world = scene.world();
    let (old, new) = (&world.scaling_groups[&blue()], &world.scaling_groups[&green()]);
    assert_eq!(new.capacity, Capacity::ZERO);
    assert_eq!(new.details, old.details);
    assert_eq!(new.launch, old.launch);
    assert_eq!(new.tags["stage"], old.tags["stage"]);
    let green_targets = ["nginx-http-green", "nginx-https-green"].map(TargetGroupName::new);
    assert_eq!(new.target_groups, green_targets.clone().into());
    assert_eq!(new.suspended, Process::HELD_ON_IDLE.into());
    let text = serde_json::to_string(&world).expect("a world is plain data");
    assert!(text.contains("nginx-live-busy-green"), "the alarm is not cloned");
    let environment = scene.environment().await;
    for color in Color::BOTH {
        for member in &environment.side(color).expect("both are there").members {
            assert!(member.idle_listener.is_some(), "{} is unchecked", member.target_group.name);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_deploy_stops_at_a_version_that_never_gets_healthy() {
    let scene = Scene::before(Verb::Deploy).await;
    let before = scene.world();
    scene.cloud.break_image(&bluegreen_core::model::ImageId::new("ami-0b"));
    let error = scene.operate(Verb::Deploy).await.expect_err("it never gets healthy");
    assert_eq!(error.kind(), OperationErrorKind::RolledBack, "{error}");
    assert_eq!(scene.world(), before);
    assert!(error.to_string().contains("0 of 3 healthy"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_switch_stops_before_it_begins_if_the_idle_colour_is_sick() {
    let scene = Scene::before(Verb::Switch).await;
    let before = scene.world();
    let sick = scene.cloud.instances(&green())[0].id.clone();
    scene.cloud.break_instance(&sick, true);
    tokio::time::sleep(Duration::from_mins(5)).await;
    let error = scene.operate(Verb::Switch).await.expect_err("one is sick");
    assert_eq!(error.kind(), OperationErrorKind::NotStarted, "{error}");
    assert!(error.to_string().contains("2 of 3 healthy"), "{error}");
    assert_eq!(scene.world(), before);
}

#[tokio::test(start_paused = true)]
async fn a_switch_refuses_a_smaller_colour() {
    let scene = Scene::before(Verb::Deploy).await;
    let small = image("ami-0b").with_size(1);
    let _done = scene.bluegreen().deploy(&scene.spec, small).await.expect("one machine is enough");
    let error = scene.operate(Verb::Switch).await.expect_err("one is less than three");
    assert_eq!(error.kind(), OperationErrorKind::NotStarted, "{error}");
    assert!(error.to_string().contains("1 of 3 healthy"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_switch_that_turns_sick_sends_every_route_back() {
    let scene = Scene::before(Verb::Switch).await;
    let before = scene.world();
    // Healthy for as long as it is idle, and sick as soon as the requests come.
    let cloud = scene.cloud.clone();
    let breaks = async move {
        while cloud.world() == before {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        for instance in cloud.instances(&green()) {
            cloud.break_instance(&instance.id, true);
        }
        before
    };
    let waits = Waits { poll: Duration::from_secs(30), ..Waits::default() };
    let bluegreen = scene.bluegreen();
    let switch = bluegreen.switch(&scene.spec, SwitchOptions::default().with_waits(waits));
    let (end, before) = tokio::join!(switch, breaks);
    let error = end.expect_err("it turns sick");
    assert_eq!(error.kind(), OperationErrorKind::RolledBack, "{error}");
    assert_eq!(scene.world(), before);
}

#[tokio::test(start_paused = true)]
async fn the_live_colour_is_never_stopped() {
    let scene = Scene::before(Verb::Scaledown).await;
    let options = ScaledownOptions::default().with_color(Color::Green);
    let error = scene.bluegreen().scaledown(&scene.spec, options).await.expect_err("it is live");
    assert_eq!(error.kind(), OperationErrorKind::NotStarted);
    assert!(error.to_string().contains("green is the live colour"), "{error}");
    assert!(error.hint().is_some_and(|hint| hint.contains("switch")));
}

#[tokio::test(start_paused = true)]
async fn a_scaledown_waits_for_the_deregistration_delay_and_remembers_the_size() {
    let scene = Scene::before(Verb::Scaledown).await;
    let waited = waited_before_stopping(&scene).await;
    assert!(waited >= Duration::from_secs(50), "{waited:?} of a delay of one minute");
    let world = scene.world();
    assert_eq!(world.scaling_groups[&blue()].tags[tag_key::CAPACITY].value, "2/3/6");
    assert!(scene.cloud.instances(&blue()).is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_colour_that_has_been_idle_for_long_is_not_waited_for() {
    let scene = Scene::before(Verb::Scaledown).await;
    tokio::time::sleep(Duration::from_hours(1)).await;
    let waited = waited_before_stopping(&scene).await;
    assert!(waited <= Duration::from_secs(10), "{waited:?}");
}

async fn waited_before_stopping(scene: &Scene) -> Duration {
    let began = scene.cloud.elapsed();
    scene.must(Verb::Scaledown).await;
    let calls = scene.cloud.calls();
    let stop = calls.iter().find(|call| call.method == "set_capacity").expect("it was stopped");
    stop.at.saturating_sub(began)
}

#[tokio::test(start_paused = true)]
async fn what_is_done_already_is_said_and_not_done_again() {
    let scene = Scene::example();
    scene.must(Verb::Upgrade).await;
    let again = scene.operate(Verb::Upgrade).await.expect("nothing to do is no error");
    assert_eq!(again, Done::Nothing("the environment has both colours already".to_owned()));
    let idle = scene.operate(Verb::Scaledown).await.expect("nothing to do is no error");
    assert_eq!(idle, Done::Nothing("green has no machines".to_owned()));
    let to_blue = SwitchOptions::default().with_to(Color::Blue);
    let live = scene.bluegreen().switch(&scene.spec, to_blue).await.expect("no error");
    assert_eq!(live, Done::Nothing("blue is live already".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn another_account_is_refused_before_anything_else() {
    let scene = Scene::example();
    let scene = Scene { cloud: scene.cloud.clone().with_account("999999999999"), ..scene };
    for verb in Verb::ALL {
        let error = scene.operate(verb).await.expect_err("it is another account");
        let text = error.to_string();
        assert_eq!(error.kind(), OperationErrorKind::NotStarted);
        assert!(text.contains("999999999999") && text.contains("123456789012"), "{text}");
    }
    assert!(scene.cloud.calls().iter().all(|call| !call.mutating));
}

#[tokio::test(start_paused = true)]
async fn a_protected_account_wants_the_environment_named() {
    let scene = Scene::example();
    let scene = Scene { spec: scene.spec.clone().with_protected(true), ..scene };
    let error = scene.operate(Verb::Upgrade).await.expect_err("it was not confirmed");
    assert_eq!(error.kind(), OperationErrorKind::NotStarted);
    assert!(scene.cloud.calls().is_empty());
    let confirmed = scene.bluegreen().with_confirmation(scene.spec.name.clone());
    let done = confirmed
        .run(&scene.spec, &Scene::operation(Verb::Upgrade))
        .await
        .expect("it is confirmed");
    assert!(matches!(done, Done::Ran(_)));
}

#[tokio::test(start_paused = true)]
async fn a_split_environment_is_only_shown_and_sent_to_one_colour() {
    let scene = Scene::before(Verb::Switch).await;
    scene.cloud.edit(|world: &mut World| {
        let (route, _) = world.routes().next().expect("there are routes");
        let to =
            bluegreen_core::model::Actions::forward_to(TargetGroupName::new("nginx-http-green"));
        let listeners = &mut world
            .load_balancers
            .get_mut(&route.listener.load_balancer)
            .expect("it is there")
            .listeners;
        listeners.get_mut(&80).expect("it listens on 80").actions = to;
    });
    assert_eq!(scene.live().await, Liveness::Split);
    for verb in [Verb::Deploy, Verb::Switch, Verb::Scaledown] {
        let error = scene.operate(verb).await.expect_err("it is split");
        assert!(error.to_string().contains("split"), "{error}");
        assert_eq!(error.kind(), OperationErrorKind::NotStarted);
    }
    let to_green = SwitchOptions::default().with_to(Color::Green);
    let _done = scene.bluegreen().switch(&scene.spec, to_green).await.expect("it says whereto");
    assert_eq!(scene.live().await, live(Color::Green));
}

#[tokio::test(start_paused = true)]
async fn two_runs_of_one_environment_exclude_each_other() {
    let scene = Scene::before(Verb::Deploy).await;
    let (first, second) = tokio::join!(scene.operate(Verb::Deploy), scene.operate(Verb::Deploy));
    let (won, error) = match (first, second) {
        (Ok(won), Err(error)) | (Err(error), Ok(won)) => (won, error),
        both => panic!("one of them holds the lock: {both:?}"),
    };
    assert!(matches!(won, Done::Ran(_)));
    assert_eq!(error.kind(), OperationErrorKind::NotStarted);
    let source = std::error::Error::source(&error).expect("it says who").to_string();
    assert!(source.contains("deploy"), "{source}");
}

#[tokio::test(start_paused = true)]
async fn the_first_request_to_stop_rolls_back() {
    let scene = Scene::before(Verb::Deploy).await;
    let before = scene.world();
    let cancel = scene.cancel.clone();
    let stop = async move {
        tokio::time::sleep(Duration::from_secs(30)).await;
        cancel.request();
    };
    let (end, ()) = tokio::join!(scene.operate(Verb::Deploy), stop);
    assert_eq!(end.expect_err("it was asked").kind(), OperationErrorKind::Cancelled);
    assert_eq!(scene.world(), before);
}

#[tokio::test(start_paused = true)]
async fn the_second_request_stops_at_once_and_a_recovery_finishes() {
    let scene = Scene::before(Verb::Deploy).await;
    let before = scene.world();
    let cancel = scene.cancel.clone();
    let stop = async move {
        tokio::time::sleep(Duration::from_secs(30)).await;
        cancel.request();
        cancel.request();
    };
    let (end, ()) = tokio::join!(scene.operate(Verb::Deploy), stop);
    let error = end.expect_err("it was asked");
    assert_eq!(error.kind(), OperationErrorKind::Interrupted);
    assert_ne!(scene.world(), before);
    let other = scene.of_another_process();
    let refused = other.operate(Verb::Deploy).await.expect_err("the first one is open");
    assert!(refused.hint().is_some_and(|hint| hint.contains("recover")), "{refused}");
    let ends = other.recover().await;
    assert!(matches!(&ends[..], [Ok(Done::Ran(end))] if end.ending == Ending::RolledBack));
    assert_eq!(scene.world(), before);
}

#[tokio::test(start_paused = true)]
async fn all_routes_are_switched_at_the_same_time() {
    let scene = Scene::before(Verb::Switch).await;
    let cloud = scene.cloud.clone().with_latency(Duration::from_millis(50));
    let scene = Scene { cloud, ..scene };
    let outcome = scene.ran(Verb::Switch).await;
    assert!(outcome.skew <= Duration::from_millis(75), "{:?}", outcome.skew);
    let routes: Vec<_> =
        scene.cloud.calls().into_iter().filter(|call| call.method == "set_route").collect();
    assert_eq!(routes.len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_switch_gives_the_new_live_colour_its_scaling_back() {
    let scene = Scene::before(Verb::Switch).await;
    scene.must(Verb::Switch).await;
    let world = scene.world();
    assert!(world.scaling_groups[&green()].suspended.is_empty());
    assert_eq!(world.scaling_groups[&blue()].suspended, Process::HELD_ON_IDLE.into());
}

/// PAINS 10: the old side is given up though the new one is sick. Every way to move the traffic
/// asks the same gate.
#[tokio::test(start_paused = true)]
async fn no_way_leads_the_traffic_to_a_sick_colour() {
    let scene = Scene::before(Verb::Scaledown).await;
    for instance in scene.cloud.instances(&blue()) {
        scene.cloud.break_instance(&instance.id, true);
    }
    tokio::time::sleep(Duration::from_mins(5)).await;
    let before = scene.world();
    let last = scene.bluegreen().log().await.expect("the journals can be read").remove(0);
    assert_eq!(last.operation, "switch");
    let back = SwitchOptions::default().with_to(Color::Blue);
    let switched = scene.bluegreen().switch(&scene.spec, back).await;
    for (way, end) in [("switch", switched), ("undo", scene.undo(last.run).await)] {
        let error = end.expect_err("blue is sick");
        assert_eq!(error.kind(), OperationErrorKind::NotStarted, "{way}: {error}");
        assert!(error.to_string().contains("0 of 3 healthy"), "{way}: {error}");
    }
    assert_eq!(scene.world(), before);
    assert_eq!(scene.live().await, live(Color::Green));
}
