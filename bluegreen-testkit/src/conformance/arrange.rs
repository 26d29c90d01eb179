//! What clauses make for themselves, and how they take it away again.

use std::future::Future;

use bluegreen_core::cloud::{Cloud, CloudError, CloudErrorKind};
use bluegreen_core::model::{
    Actions, Capacity, GroupTag, Listener, ListenerKey, Mark, Policy, Route, RunId,
    ScalingGroupName, ScalingGroupSettings, Schedule, TargetGroupName, TargetGroupSettings,
    TemplateVersion, tag_key,
};
use tokio::time::{Instant, sleep};

use super::Fixture;

/// What the fixture's resources look like.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Scene {
    listeners: Vec<Listener>,
    rules: Vec<Route>,
    protected: bool,
    target_group: Option<TargetGroupSettings>,
    scaling_group: Option<ScalingGroupSettings>,
    policies: Vec<Policy>,
    schedules: Vec<Schedule>,
    newest: Option<u64>,
}

/// Looks at everything that clauses touch.
pub(super) async fn scene(cloud: &dyn Cloud, fixture: &Fixture) -> Scene {
    let group = &fixture.scaling_group;
    let balancers = cloud.load_balancers(std::slice::from_ref(&fixture.load_balancer)).await;
    let balancers = balancers.expect("load balancers can be read");
    let newest = cloud.template_version(&fixture.template, &TemplateVersion::Latest).await;
    Scene {
        listeners: cloud.listeners(&fixture.load_balancer).await.expect("listeners can be read"),
        rules: cloud.rules(&fixture.route.listener).await.expect("rules can be read"),
        protected: balancers.iter().any(|balancer| balancer.deletion_protection),
        target_group: settings_of(cloud, &fixture.target_group).await,
        scaling_group: cloud.scaling_group_settings(group).await.expect("a group can be read"),
        policies: cloud.policies(group).await.expect("policies can be read"),
        schedules: cloud.schedules(group).await.expect("schedules can be read"),
        newest: newest.expect("versions can be read"),
    }
}

/// Returns the settings of a target group.
pub(super) async fn settings_of(
    cloud: &dyn Cloud,
    name: &TargetGroupName,
) -> Option<TargetGroupSettings> {
    cloud.target_group_settings(name).await.expect("the settings of a target group can be read")
}

/// Says by its tags whose a resource is.
pub(super) fn run(fixture: &Fixture) -> RunId {
    RunId::new(format!("{}-conformance", fixture.prefix))
}

/// Marks what a clause makes.
pub(super) fn mark(fixture: &Fixture, step: &str) -> Mark {
    Mark::new(&run(fixture), step)
}

/// Names the listener that clauses make.
pub(super) fn free_listener(fixture: &Fixture) -> ListenerKey {
    ListenerKey::new(fixture.load_balancer.clone(), fixture.free_port)
}

/// Returns the settings of a target group like the fixture's, to be made by a clause.
pub(super) async fn like_target_group(cloud: &dyn Cloud, fixture: &Fixture) -> TargetGroupSettings {
    let mut settings = settings_of(cloud, &fixture.target_group).await;
    let settings = settings.as_mut().expect("the fixture's target group exists");
    settings.tags = [(tag_key::RUN.to_owned(), run(fixture).to_string())].into();
    settings.clone()
}

/// Makes a target group like the fixture's.
pub(super) async fn target_group(
    cloud: &dyn Cloud,
    fixture: &Fixture,
    suffix: &str,
) -> TargetGroupName {
    let name = TargetGroupName::new(format!("{}-{suffix}", fixture.prefix));
    let settings = like_target_group(cloud, fixture).await;
    let made = cloud.create_target_group(&name, &settings).await;
    made.expect("a target group like the fixture's can be made");
    name
}

/// Deletes a target group, waiting while it still counts as used.
pub(super) async fn delete_target_group(
    cloud: &dyn Cloud,
    fixture: &Fixture,
    name: &TargetGroupName,
) {
    unless_busy(fixture, "a target group that no route names can be deleted", || {
        cloud.delete_target_group(name)
    })
    .await;
}

/// Returns the settings of a group like the fixture's, of size zero, to be made by a clause.
pub(super) async fn like_scaling_group(
    cloud: &dyn Cloud,
    fixture: &Fixture,
) -> ScalingGroupSettings {
    let found = cloud.scaling_group_settings(&fixture.scaling_group).await;
    let found = found.expect("the settings of a group can be read");
    let mut settings = found.expect("the fixture's group exists");
    let value = run(fixture).to_string();
    settings.tags.insert(tag_key::RUN.to_owned(), GroupTag { value, propagate: false });
    settings.capacity = Capacity::ZERO;
    settings
}

/// Makes a group like the fixture's, of size zero.
pub(super) async fn scaling_group(
    cloud: &dyn Cloud,
    fixture: &Fixture,
    suffix: &str,
) -> ScalingGroupName {
    let name = ScalingGroupName::new(format!("{}-{suffix}", fixture.prefix));
    let settings = like_scaling_group(cloud, fixture).await;
    unless_busy(fixture, "a group like the fixture's can be made", || {
        cloud.create_scaling_group(&name, &settings)
    })
    .await;
    name
}

/// Deletes a group, its machines first, and waits until it is gone.
pub(super) async fn delete_scaling_group(
    cloud: &dyn Cloud,
    fixture: &Fixture,
    name: &ScalingGroupName,
) {
    cloud.set_capacity(name, Capacity::ZERO).await.expect("a group can be emptied");
    unless_busy(fixture, "an empty group can be deleted", || cloud.delete_scaling_group(name))
        .await;
    eventually(fixture, "a deleted group goes away", || async {
        let found = cloud.scaling_groups(std::slice::from_ref(name)).await;
        found.expect("groups can be read").is_empty()
    })
    .await;
}

/// Returns what a route does.
pub(super) async fn actions(
    cloud: &dyn Cloud,
    key: &bluegreen_core::model::RouteKey,
) -> Option<Actions> {
    let found = cloud.routes(std::slice::from_ref(key)).await;
    found.expect("routes can be read").remove(key)
}

/// Repeats a call for as long as the cloud puts it off.
pub(super) async fn unless_busy<F>(fixture: &Fixture, what: &str, mut call: impl FnMut() -> F)
where
    F: Future<Output = Result<(), CloudError>> + Send,
{
    let begun = Instant::now();
    loop {
        match call().await {
            Err(error)
                if error.kind() == CloudErrorKind::Busy && begun.elapsed() < fixture.settle =>
            {
                sleep(fixture.poll).await;
            }
            result => return result.expect(what),
        }
    }
}

/// Looks until something holds.
pub(super) async fn eventually<F>(fixture: &Fixture, what: &str, mut look: impl FnMut() -> F)
where
    F: Future<Output = bool> + Send,
{
    let begun = Instant::now();
    while !look().await {
        assert!(begun.elapsed() < fixture.settle, "{what}, within {:?}", fixture.settle);
        sleep(fixture.poll).await;
    }
}

/// Returns how a call failed that must fail.
#[track_caller]
pub(super) fn refusal<T>(result: Result<T, CloudError>, what: &str) -> CloudErrorKind {
    match result {
        Ok(_) => panic!("{what} must be refused"),
        Err(error) => error.kind(),
    }
}
