//! What runs made and nobody claims: found, and deleted only where nothing needs it.

mod deletion;
mod hints;
mod judged;

use std::time::Duration;

use bluegreen_core::model::{
    Actions, Capacity, EnvironmentName, Forward, ListenerKey, LoadBalancerName, PolicyKey,
    PolicyName, ResourceKey, RouteKey, RunId, ScalingGroupName, TargetGroupName, tag_key,
};
use bluegreen_core::operation::{
    Done, EnvironmentSpec, OperationError, OperationErrorKind, Orphans,
};
use bluegreen_core::plan::{Kept, Orphan};
use bluegreen_core::transaction::Ending;
use bluegreen_testkit::invariant::every_route_has_a_healthy_target;
use bluegreen_testkit::journal::MemoryStore;
use bluegreen_testkit::{FakeCloud, World};

use crate::stage::{Scene, Verb, calm};

fn nginx() -> EnvironmentName {
    EnvironmentName::new("IE-L-NGINX")
}

fn jobs() -> EnvironmentName {
    EnvironmentName::new("IE-L-JOBS")
}

fn green() -> ScalingGroupName {
    ScalingGroupName::new("nginx-live-green")
}

fn target_group(name: &str) -> TargetGroupName {
    TargetGroupName::new(name)
}

fn listener(port: u16) -> ListenerKey {
    ListenerKey::new(LoadBalancerName::new("nginx-live"), port)
}

/// The example with a second environment behind the same load balancer.
fn two_environments() -> World {
    let actions = Actions::forward_to(target_group("jobs-http"));
    let mut world = World::example()
        .with_target_group("jobs-http", 8080)
        .with_opening("nginx-live", 8080, "0.0.0.0/0")
        .with_listener("nginx-live", 8080, "HTTP", actions);
    let mut group = world.scaling_groups[&ScalingGroupName::new("nginx-live")].clone();
    group.target_groups = [target_group("jobs-http")].into();
    group.policies.clear();
    group.schedules.clear();
    world.scaling_groups.insert(ScalingGroupName::new("jobs-live"), group);
    world
}

fn spec_of_jobs(scene: &Scene) -> EnvironmentSpec {
    let mut spec = scene.spec.clone();
    (spec.name, spec.scaling_group) = (jobs(), ScalingGroupName::new("jobs-live"));
    spec
}

/// The same environment, of which nobody claims what has green names.
fn renamed(scene: &Scene) -> EnvironmentSpec {
    scene.spec.clone().with_green_suffix("-g")
}

/// Lets an upgrade die after so many records, and loses its journal.
async fn dead(scene: Scene, records: usize) -> Scene {
    let scene = scene.with_store(MemoryStore::dying_after(records));
    let error = scene.operate(Verb::Upgrade).await.expect_err("the process dies");
    let scene = scene.of_another_process();
    if let Some(run) = error.run() {
        scene.store.remove(run);
    }
    calm().await;
    scene
}

/// Lets an upgrade die when it has made the idle listeners, and loses its journal.
async fn dead_before_the_group(world: World) -> Scene {
    for records in 1.. {
        let scene = dead(Scene::new(FakeCloud::new(world.clone())), records).await;
        if scene.world().load_balancers[&LoadBalancerName::new("nginx-live")]
            .listeners
            .contains_key(&18083)
        {
            assert!(!scene.world().scaling_groups.contains_key(&green()));
            return scene;
        }
    }
    unreachable!("an upgrade makes idle listeners");
}

async fn found(scene: &Scene, configured: &[EnvironmentSpec]) -> Orphans {
    named(scene, configured, &[]).await
}

async fn named(
    scene: &Scene,
    configured: &[EnvironmentSpec],
    names: &[EnvironmentName],
) -> Orphans {
    let orphans = scene.bluegreen().orphans(configured, names).await;
    orphans.expect("the account can be looked at")
}

async fn delete(
    scene: &Scene,
    configured: &[EnvironmentSpec],
    name: &EnvironmentName,
) -> Result<Done, OperationError> {
    tokio::time::sleep(Duration::from_millis(1)).await;
    let bluegreen = scene.bluegreen();
    let prepared = bluegreen.prepare_orphans(configured, name).await?;
    bluegreen.delete_orphans(prepared).await
}

#[track_caller]
fn committed(end: &Result<Done, OperationError>) {
    let good = matches!(end, Ok(Done::Ran(outcome)) if outcome.ending == Ending::Committed);
    assert!(good, "{end:?}");
}

#[track_caller]
fn nothing(end: &Result<Done, OperationError>) {
    assert!(matches!(end, Ok(Done::Nothing(_))), "{end:?}");
}

fn verdict(orphans: &Orphans, resource: &ResourceKey) -> Option<Kept> {
    let orphan = orphans.found.iter().find(|one| one.resource == *resource);
    orphan.unwrap_or_else(|| panic!("{resource} is not among {:#?}", orphans.found)).kept.clone()
}

/// Returns a world without what an upgrade notes on what was there before.
fn unadopted(mut world: World) -> World {
    let keys = [tag_key::ENVIRONMENT, tag_key::COLOR, tag_key::PAIR, tag_key::IMAGE];
    for balancer in world.load_balancers.values_mut() {
        balancer.deletion_protection = false;
    }
    for settings in world.target_groups.values_mut() {
        settings.tags.retain(|key, _| !keys.contains(&&**key));
    }
    for group in world.scaling_groups.values_mut() {
        group.tags.retain(|key, _| !keys.contains(&&**key));
    }
    world
}

#[tokio::test(start_paused = true)]
async fn what_a_run_left_whose_journal_was_lost_is_deleted_and_the_world_is_what_it_was() {
    let before = World::example();
    let (mut records, mut cleared) = (1, 0);
    loop {
        let scene = dead(Scene::example(), records).await;
        if scene.world().scaling_groups.contains_key(&green()) {
            // From now on it is an environment with two colours.
            break;
        }
        let configured = [scene.spec.clone()];
        let orphans = found(&scene, &configured).await;
        assert!(orphans.found.iter().all(Orphan::is_deletable), "{records}: {orphans:#?}");
        let end = delete(&scene, &configured, &nginx()).await;
        if orphans.found.is_empty() {
            nothing(&end);
        } else {
            committed(&end);
            cleared += 1;
        }
        calm().await;
        assert_eq!(unadopted(scene.world()), before, "{records} records");
        assert_eq!(found(&scene, &configured).await.found, [], "{records} records");
        assert_eq!(every_route_has_a_healthy_target(&scene.cloud.history()), Ok(()));
        // The way is clear again.
        scene.must(Verb::Upgrade).await;
        records += 1;
    }
    assert!(cleared >= 3, "only {cleared} of {records} deaths left anything");
}

#[tokio::test(start_paused = true)]
async fn an_orphan_says_what_it_is_and_which_run_made_it_for_whom() {
    let scene = dead_before_the_group(World::example()).await;
    let world = scene.world();
    let orphans = found(&scene, std::slice::from_ref(&scene.spec)).await;
    let names: Vec<String> = orphans.found.iter().map(|one| one.resource.to_string()).collect();
    assert_eq!(
        names,
        [
            "listener nginx-live:18080",
            "listener nginx-live:18081",
            "listener nginx-live:18082",
            "listener nginx-live:18083",
            "target group nginx-http-green",
            "target group nginx-https-green",
        ]
    );
    let tags = &world.target_groups[&target_group("nginx-http-green")].tags;
    for orphan in &orphans.found {
        assert_eq!(orphan.run, RunId::new(&tags[tag_key::RUN]));
        assert_eq!(orphan.environment, Some(nginx()));
    }
}

#[tokio::test(start_paused = true)]
async fn a_healthy_environment_has_no_orphans() {
    let scene = Scene::example();
    let configured = [scene.spec.clone()];
    assert_eq!(found(&scene, &configured).await, Orphans::default());
    for verb in Verb::ALL.into_iter().chain([Verb::Deploy, Verb::Switch]) {
        scene.must(verb).await;
        assert_eq!(found(&scene, &configured).await, Orphans::default(), "after {verb:?}");
    }
    let before = scene.world();
    nothing(&delete(&scene, &configured, &nginx()).await);
    assert_eq!(scene.world(), before);
}

#[tokio::test(start_paused = true)]
async fn where_there_are_no_orphans_nothing_is_looked_at_but_tags_and_environments() {
    let scene = Scene::before(Verb::Deploy).await;
    found(&scene, std::slice::from_ref(&scene.spec)).await;
    let calls: Vec<_> = scene.cloud.calls().iter().map(|call| call.method).collect();
    let close = ["tagged", "listener_settings", "target_group_settings", "open_ports"];
    let close: Vec<_> = calls.iter().filter(|method| close.contains(method)).collect();
    assert_eq!(close, [&"tagged"]);
}

#[tokio::test(start_paused = true)]
async fn another_environment_on_the_same_load_balancer_is_never_touched() {
    let scene = dead_before_the_group(two_environments()).await;
    let configured = [scene.spec.clone(), spec_of_jobs(&scene)];
    let upgrade = Scene::operation(Verb::Upgrade);
    committed(&scene.bluegreen().run(&configured[1], &upgrade).await);
    let before = scene.world();
    let orphans = found(&scene, &configured).await;
    assert_eq!(orphans.deletable(), [nginx()].into());
    assert!(orphans.found.iter().all(|one| one.environment == Some(nginx())));
    nothing(&delete(&scene, &configured, &jobs()).await);
    assert_eq!(scene.world(), before);

    committed(&delete(&scene, &configured, &nginx()).await);
    let of_jobs = |world: &World| {
        let tags = world.target_groups.iter().map(|(name, one)| (name.to_string(), &one.tags));
        let listeners = world.load_balancers.values().flat_map(|one| &one.listeners);
        let listeners = listeners.map(|(port, one)| (port.to_string(), &one.tags));
        let ours = |tags: &bluegreen_core::model::Tags| {
            tags.get(tag_key::ENVIRONMENT).is_some_and(|name| name == jobs().as_str())
        };
        let all = tags.chain(listeners).filter(|(_, tags)| ours(tags));
        all.map(|(name, tags)| (name, tags.clone())).collect::<Vec<_>>()
    };
    assert_eq!(of_jobs(&scene.world()).len(), 4);
    assert_eq!(of_jobs(&scene.world()), of_jobs(&before));
    assert_eq!(scene.world().scaling_groups, before.scaling_groups);
    let observed = scene.bluegreen().observe(&configured[1]).await;
    assert!(observed.expect("it can be read").is_upgraded());
}

#[tokio::test(start_paused = true)]
async fn what_an_open_run_made_is_no_orphan() {
    let scene = Scene::example().with_store(MemoryStore::dying_after(12));
    let error = scene.operate(Verb::Upgrade).await.expect_err("the process dies");
    assert_eq!(error.kind(), OperationErrorKind::Interrupted);
    let scene = scene.of_another_process();
    calm().await;
    let configured = [scene.spec.clone()];
    let before = scene.world();
    let tags = |settings: &bluegreen_core::model::TargetGroupSettings| settings.tags.clone();
    assert!(before.target_groups.values().map(tags).any(|tags| tags.contains_key(tag_key::RUN)));
    assert_eq!(found(&scene, &configured).await, Orphans::default());
    let error = delete(&scene, &configured, &nginx()).await.expect_err("a run is open");
    assert_eq!(error.kind(), OperationErrorKind::NotStarted);
    assert!(error.hint().is_some_and(|hint| hint.contains("recover")), "{error}");
    assert_eq!(scene.world(), before);
}

#[tokio::test(start_paused = true)]
async fn what_an_open_run_of_an_environment_did_not_make_waits_for_it() {
    let scene = dead_before_the_group(World::example()).await;
    // A second attempt dies as well; its journal is kept.
    scene.cloud.edit(|world| {
        world.target_groups.remove(&target_group("nginx-http-green"));
        world.target_groups.remove(&target_group("nginx-https-green"));
    });
    let scene = scene.with_store(MemoryStore::dying_after(2));
    let error = scene.operate(Verb::Upgrade).await.expect_err("the process dies");
    assert_eq!(error.kind(), OperationErrorKind::Interrupted, "{error}");
    let scene = scene.of_another_process();
    let open = scene.bluegreen().log().await.expect("the journals can be read");
    let orphans = found(&scene, std::slice::from_ref(&scene.spec)).await;
    let wanted = Kept::Open { run: open[0].run.clone(), environment: nginx() };
    assert_eq!(orphans.found.len(), 4, "{orphans:#?}");
    assert!(orphans.found.iter().all(|one| one.kept.as_ref() == Some(&wanted)), "{orphans:#?}");
}

#[tokio::test(start_paused = true)]
async fn a_target_group_that_a_live_route_names_is_never_deleted() {
    for weight in [0, 100] {
        let scene = dead_before_the_group(World::example()).await;
        let weights = [("nginx-http", 100), ("nginx-http-green", weight)];
        let weights = weights.map(|(name, weight)| (target_group(name), weight)).into();
        let forward = Forward::new(weights, None).expect("one weight is not 0");
        let route = RouteKey::rule(listener(80), 10);
        scene.cloud.edit(|world| {
            let balancer = world.load_balancers.get_mut(&route.listener.load_balancer);
            let balancer = balancer.expect("it is there");
            let listener = balancer.listeners.get_mut(&80).expect("it is there");
            let rule = listener.rules.get_mut(&10).expect("it is there");
            rule.actions = rule.actions.with_forward(&forward);
        });
        let configured = [scene.spec.clone()];
        let orphans = found(&scene, &configured).await;
        let http = ResourceKey::TargetGroup(target_group("nginx-http-green"));
        let https = ResourceKey::TargetGroup(target_group("nginx-https-green"));
        assert_eq!(verdict(&orphans, &http), Some(Kept::Routed(route.clone())));
        assert_eq!(verdict(&orphans, &https), None);
        committed(&delete(&scene, &configured, &nginx()).await);
        let left = scene.world().target_groups;
        assert!(left.contains_key(&target_group("nginx-http-green")));
        assert!(!left.contains_key(&target_group("nginx-https-green")));
    }
}

#[tokio::test(start_paused = true)]
async fn a_group_with_machines_is_never_deleted_nor_what_checks_them() {
    let scene = Scene::before(Verb::Switch).await;
    let configured = [renamed(&scene)];
    let before = scene.world();
    let orphans = found(&scene, &configured).await;
    let group = ResourceKey::ScalingGroup(green());
    let http = target_group("nginx-http-green");
    assert_eq!(verdict(&orphans, &group), Some(Kept::Machines(3)));
    assert_eq!(
        verdict(&orphans, &ResourceKey::TargetGroup(http.clone())),
        Some(Kept::Attached(green()))
    );
    assert_eq!(
        verdict(&orphans, &ResourceKey::Listener(listener(18081))),
        Some(Kept::Needed(http))
    );
    committed(&delete(&scene, &configured, &nginx()).await);
    calm().await;
    let after = scene.world();
    assert_eq!(after.scaling_groups, before.scaling_groups);
    assert_eq!(after.target_groups, before.target_groups);
    assert_eq!(scene.cloud.instances(&green()).len(), 3);

    // A size alone is enough, before any machine is there.
    scene.cloud.edit(|world| {
        let group = world.scaling_groups.get_mut(&green()).expect("it is there");
        group.capacity = Capacity::ZERO;
    });
    calm().await;
    scene.cloud.edit(|world| {
        let group = world.scaling_groups.get_mut(&green()).expect("it is there");
        group.capacity = Capacity::new(0, 1, 1);
        group.launch = bluegreen_testkit::fake::template("gone", 1);
    });
    let orphans = found(&scene, &configured).await;
    assert_eq!(verdict(&orphans, &group), Some(Kept::Size(1)));
}

#[tokio::test(start_paused = true)]
async fn what_an_environment_made_that_is_not_configured_is_listed_and_not_deleted() {
    let scene = Scene::new(FakeCloud::new(two_environments()));
    scene.must(Verb::Upgrade).await;
    let (before, configured) = (scene.world(), [spec_of_jobs(&scene)]);
    let orphans = found(&scene, &configured).await;
    assert_eq!(orphans.found.len(), 7);
    let foreign = Some(Kept::NotConfigured(nginx()));
    assert!(orphans.found.iter().all(|one| one.kept == foreign), "{orphans:#?}");
    assert!(orphans.deletable().is_empty());
    nothing(&delete(&scene, &configured, &jobs()).await);
    assert_eq!(scene.world(), before);

    // Only those who name it can mean it.
    let orphans = named(&scene, &configured, &[jobs()]).await;
    assert_eq!(orphans.found, []);
    let orphans = named(&scene, &configured, &[nginx()]).await;
    assert!(orphans.found.iter().all(Orphan::is_deletable), "{orphans:#?}");
    committed(&delete(&scene, &configured, &nginx()).await);
    calm().await;
    assert_eq!(unadopted(scene.world()), two_environments());
}

#[tokio::test(start_paused = true)]
async fn nothing_is_deleted_of_an_environment_that_serves_whoever_names_it() {
    let scene = Scene::new(FakeCloud::new(two_environments()));
    for verb in Verb::ALL {
        scene.must(verb).await;
    }
    let (before, configured) = (scene.world(), [spec_of_jobs(&scene)]);
    let orphans = named(&scene, &configured, &[nginx()]).await;
    assert_eq!(orphans.found.len(), 7);
    assert!(orphans.deletable().is_empty(), "{orphans:#?}");
    let blue = verdict(&orphans, &ResourceKey::Listener(listener(18080)));
    assert!(matches!(&blue, Some(Kept::InUse { environment, .. }) if *environment == nginx()));
    nothing(&delete(&scene, &configured, &nginx()).await);
    assert_eq!(scene.world(), before);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_deleted_while_an_environment_cannot_be_read() {
    let scene = dead_before_the_group(two_environments()).await;
    let configured = [scene.spec.clone(), spec_of_jobs(&scene)];
    scene.cloud.edit(|world| {
        world.scaling_groups.remove(&ScalingGroupName::new("jobs-live"));
    });
    let before = scene.world();
    let orphans = found(&scene, &configured).await;
    assert_eq!(orphans.unread.len(), 1);
    assert!(orphans.unread[0].why.contains("jobs-live"), "{:?}", orphans.unread);
    assert_eq!(orphans.found.len(), 6);
    assert!(orphans.found.iter().all(|one| one.kept == Some(Kept::Unread(jobs()))));
    let error = delete(&scene, &configured, &nginx()).await.expect_err("jobs cannot be read");
    assert_eq!(error.kind(), OperationErrorKind::NotStarted);
    assert!(error.to_string().contains("IE-L-JOBS"), "{error}");
    assert_eq!(scene.world(), before);
    // The lock was given back.
    let again = delete(&scene, &configured, &nginx()).await.expect_err("jobs cannot be read");
    assert!(again.to_string().contains("IE-L-JOBS"), "{again}");
}

#[tokio::test(start_paused = true)]
async fn the_account_is_guarded() {
    let scene = dead_before_the_group(World::example()).await;
    let before = scene.world();
    let mut elsewhere = scene.spec.clone();
    elsewhere.account = bluegreen_core::model::AccountId::new("999999999999");
    let error = scene.bluegreen().orphans(&[elsewhere.clone()], &[]).await.expect_err("a mismatch");
    assert!(error.to_string().contains("999999999999"), "{error}");
    let error = delete(&scene, &[elsewhere], &nginx()).await.expect_err("a mismatch");
    assert_eq!(error.kind(), OperationErrorKind::NotStarted);
    let error = delete(&scene, &[], &nginx()).await.expect_err("nothing is configured");
    assert_eq!(error.kind(), OperationErrorKind::NotStarted);

    let protected = [scene.spec.clone().with_protected(true)];
    let error = delete(&scene, &protected, &nginx()).await.expect_err("nobody confirmed it");
    assert!(error.hint().is_some_and(|hint| hint.contains("--confirm")), "{error}");
    assert_eq!(scene.world(), before);
    let bluegreen = scene.bluegreen().with_confirmation(nginx());
    let prepared = bluegreen.prepare_orphans(&protected, &nginx()).await.unwrap();
    committed(&bluegreen.delete_orphans(prepared).await);
}

#[tokio::test(start_paused = true)]
async fn an_environment_that_is_not_configured_is_protected_like_its_neighbours() {
    let scene = Scene::new(FakeCloud::new(two_environments()));
    scene.must(Verb::Upgrade).await;
    let (before, configured) = (scene.world(), [spec_of_jobs(&scene).with_protected(true)]);
    let error = delete(&scene, &configured, &nginx()).await.expect_err("nobody confirmed it");
    assert!(error.hint().is_some_and(|hint| hint.contains("--confirm IE-L-NGINX")), "{error}");
    assert_eq!(scene.world(), before);
}

#[tokio::test(start_paused = true)]
async fn a_listener_that_may_serve_requests_is_never_deleted() {
    let scene = dead_before_the_group(World::example()).await;
    scene.cloud.edit(|world| {
        let balancer = world.load_balancers.get_mut(&LoadBalancerName::new("nginx-live"));
        let balancer = balancer.expect("it is there");
        balancer.openings.insert(18080, "0.0.0.0/0".to_owned());
        let moved = balancer.listeners.remove(&18083).expect("it is there");
        balancer.listeners.insert(8443, moved);
        let rule = balancer.listeners[&80].rules[&20].clone();
        balancer.listeners.get_mut(&18082).expect("it is there").rules.insert(1, rule);
    });
    let configured = [scene.spec.clone()];
    let orphans = found(&scene, &configured).await;
    let kept = |port| verdict(&orphans, &ResourceKey::Listener(listener(port)));
    assert!(matches!(kept(18080), Some(Kept::MayServe(why)) if why.contains("0.0.0.0/0")));
    assert!(matches!(kept(8443), Some(Kept::MayServe(why)) if why.contains("18080-18099")));
    assert!(matches!(kept(18082), Some(Kept::NotRemade(_))));
    assert_eq!(kept(18081), None);
    let https = ResourceKey::TargetGroup(target_group("nginx-https-green"));
    let wanted = Kept::Routed(RouteKey::default_of(listener(8443)));
    assert_eq!(verdict(&orphans, &https), Some(wanted));
    committed(&delete(&scene, &configured, &nginx()).await);
    let balancer = &scene.world().load_balancers[&LoadBalancerName::new("nginx-live")];
    let ports: Vec<u16> = balancer.listeners.keys().copied().collect();
    assert_eq!(ports, [80, 443, 8443, 18080, 18082]);
}

#[tokio::test(start_paused = true)]
async fn what_could_not_be_made_again_is_kept() {
    let scene = Scene::before(Verb::Deploy).await;
    let group = ResourceKey::ScalingGroup(green());
    let alarm = bluegreen_core::model::AlarmName::new("nginx-live-busy-green");
    let other =
        PolicyKey { group: ScalingGroupName::new("nginx-live"), policy: PolicyName::new("busy") };
    scene.cloud.edit(|world| {
        world.alarms.get_mut(&alarm).expect("it is there").sets_off.push(other);
        let group = world.scaling_groups.get_mut(&green()).expect("it is there");
        group.uncarried = vec!["a warm pool".to_owned()];
    });
    scene.cloud.register_stray(
        &target_group("nginx-https-green"),
        &scene.cloud.instances(&ScalingGroupName::new("nginx-live"))[0].id,
    );
    let configured = [renamed(&scene)];
    let orphans = found(&scene, &configured).await;
    let Some(Kept::NotRemade(missing)) = verdict(&orphans, &group) else {
        panic!("{orphans:#?}");
    };
    assert_eq!(missing.len(), 2, "{missing:?}");
    scene.cloud.edit(|world| {
        world.scaling_groups.get_mut(&green()).expect("it is there").uncarried.clear();
        world.alarms.get_mut(&alarm).expect("it is there").sets_off.pop();
    });
    let orphans = found(&scene, &configured).await;
    assert_eq!(verdict(&orphans, &group), None);
    let https = ResourceKey::TargetGroup(target_group("nginx-https-green"));
    assert_eq!(verdict(&orphans, &https), Some(Kept::Targets(1)));
}

#[tokio::test(start_paused = true)]
async fn what_names_no_environment_is_listed_and_left() {
    let scene = Scene::example();
    scene.cloud.edit(|world| {
        let mut settings = bluegreen_testkit::fake::target_group(80, "HTTP");
        settings.tags.insert(tag_key::RUN.to_owned(), "01abc".to_owned());
        world.target_groups.insert(target_group("stray"), settings);
    });
    let orphans = found(&scene, std::slice::from_ref(&scene.spec)).await;
    let stray = ResourceKey::TargetGroup(target_group("stray"));
    assert_eq!(verdict(&orphans, &stray), Some(Kept::NoEnvironment));
}
