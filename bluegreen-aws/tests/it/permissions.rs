//! The table of permissions against the calls that operations really make.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bluegreen_aws::{IamPolicy, Scope, Task};
use bluegreen_core::model::{
    AccountId, Color, EnvironmentName, HealthStrategy, ImageId, LaunchTemplateName, RunId,
    ScalingGroupName,
};
use bluegreen_core::operation::{
    Bluegreen, Done, EnvironmentSpec, OperationError, OperationErrorKind,
};
use bluegreen_core::plan::{
    DeployOptions, DeploySource, DowngradeOptions, ScaledownOptions, SwitchOptions, UndoOptions,
    UpgradeOptions, Waits,
};
use bluegreen_core::transaction::Policy;
use bluegreen_testkit::MemoryStore;
use bluegreen_testkit::emulator::{Call, Fault, query};

use crate::world::World;

const WAITS: Waits = Waits { timeout: Duration::from_secs(30), poll: Duration::from_millis(50) };

/// What is read on other services than the one here: rules of subnets where a network load balancer
/// has no security group, and what a caller may do whom IAM knows (moto's is nobody; the clauses at
/// a playground ask).
const UNSEEN: [&str; 2] = ["ec2:DescribeNetworkAcls", "iam:SimulatePrincipalPolicy"];

/// What each task was seen to call, as IAM spells it.
type Seen = BTreeMap<Task, BTreeSet<String>>;

fn spec(world: &World) -> EnvironmentSpec {
    EnvironmentSpec::new(
        EnvironmentName::new("D-WEB"),
        AccountId::new(&world.stack.account),
        ScalingGroupName::new(&world.stack.scaling_group),
        "18080-18099".parse().expect("a range"),
    )
}

/// Returns the permission that a call takes; nobody can be denied to ask who they are.
fn action(call: &Call) -> Option<String> {
    match call.service.as_str() {
        "sts" => None,
        "monitoring" => Some(format!("cloudwatch:{}", call.action)),
        service => Some(format!("{service}:{}", call.action)),
    }
}

fn is_read(action: &str) -> bool {
    [":Describe", ":Get", ":List", ":Simulate"].iter().any(|verb| action.contains(verb))
}

/// An environment, with somebody who notes what is called.
struct Watched {
    world: World,
    spec: EnvironmentSpec,
    bluegreen: Bluegreen,
    seen: Seen,
}

impl Watched {
    fn new(world: World) -> Self {
        Self::kept_by(world, HealthStrategy::default())
    }

    fn kept_by(world: World, health: HealthStrategy) -> Self {
        let spec = spec(&world).with_health(health);
        // The emulator shows at once what it has done.
        let (settle, reread) = (Duration::from_millis(300), Duration::from_millis(300));
        let policy = Policy { settle, reread, ..Policy::default() };
        let bluegreen = Bluegreen::new(world.cloud.clone(), MemoryStore::new()).with_policy(policy);
        Self { world, spec, bluegreen, seen: Seen::new() }
    }

    /// Notes as the task's own what was called since the last time.
    fn note(&mut self, task: Task) {
        let calls = self.world.proxy.calls();
        self.world.proxy.clear();
        self.seen.entry(task).or_default().extend(calls.iter().filter_map(action));
    }

    async fn run(&self, task: Task) -> Result<Done, OperationError> {
        let (here, spec) = (&self.bluegreen, &self.spec);
        match task {
            Task::Upgrade => here.upgrade(spec, UpgradeOptions::default()).await,
            Task::Deploy => {
                let image = Some(ImageId::new(&self.world.stack.other_image));
                let source = DeploySource::Edit { image, user_data: None };
                here.deploy(spec, DeployOptions::new(source).with_waits(WAITS)).await
            }
            Task::Switch => here.switch(spec, SwitchOptions::default().with_waits(WAITS)).await,
            Task::Downgrade => {
                let options = DowngradeOptions::default().with_waits(WAITS);
                here.downgrade(spec, options).await
            }
            Task::Scaledown => {
                here.scaledown(spec, ScaledownOptions::default().with_waits(WAITS)).await
            }
            other => panic!("{other} is no operation on one environment"),
        }
    }

    /// Notes an operation, and what takes it back; leaves it done.
    async fn there_and_back(&mut self, task: Task) {
        let run = ran(task, self.run(task).await);
        self.take_back(task, run).await;
        ran(task, self.run(task).await);
        self.note(task);
    }

    /// Lets the idle colour scale by itself, and forgets its image, as somebody does by hand: what
    /// mends that is called only where it is needed.
    async fn meddle(&self) {
        let url = self.world.proxy.url();
        let group = [("AutoScalingGroupName", "web-green")];
        let tag = [
            ("Tags.member.1.ResourceId", "web-green"),
            ("Tags.member.1.ResourceType", "auto-scaling-group"),
            ("Tags.member.1.Key", "bluegreen:image"),
        ];
        for (action, params) in [("ResumeProcesses", &group[..]), ("DeleteTags", &tag)] {
            let reply = query(&url, "autoscaling", action, params).await.expect("an answer");
            assert_eq!(reply.status, 200, "{}", reply.body);
        }
        self.world.proxy.clear();
    }

    /// Takes a run back, and notes everything since the last time.
    async fn take_back(&mut self, task: Task, run: RunId) {
        let options = UndoOptions::new(run).with_waits(WAITS);
        ran(task, self.bluegreen.undo(&self.spec, options).await);
        self.note(task);
    }
}

#[track_caller]
fn ran(task: Task, end: Result<Done, OperationError>) -> RunId {
    match end {
        Ok(Done::Ran(outcome)) => outcome.run,
        other => panic!("{task}: {other:?}"),
    }
}

/// Every operation on a service that launches from a template.
async fn from_a_template() -> Seen {
    let mut here = Watched::new(World::new().await);
    here.world.proxy.clear();
    here.bluegreen.observe(&here.spec).await.expect("it can be read");
    here.note(Task::Status);
    here.there_and_back(Task::Upgrade).await;
    here.bluegreen.look_over(&here.spec, &[here.spec.clone()]).await.expect("it can be told");
    here.note(Task::Doctor);
    here.meddle().await;
    for task in [Task::Deploy, Task::Switch, Task::Scaledown] {
        here.there_and_back(task).await;
    }
    here.seen
}

/// The deletion of a whole colour that nobody claims any more.
async fn left_behind() -> Seen {
    let mut here = Watched::new(World::new().await);
    ran(Task::Upgrade, here.run(Task::Upgrade).await);
    here.world.proxy.clear();
    // Blue follows the newest version again, which an undo does not take from what serves: so the
    // way back is seen on a run whose last change fails.
    ran(Task::Downgrade, here.run(Task::Downgrade).await);
    let changes = here.world.proxy.calls().iter().filter(|call| call.mutating).count();
    here.note(Task::Downgrade);
    ran(Task::Upgrade, here.run(Task::Upgrade).await);
    here.world.proxy.clear();
    here.world.proxy.fail_mutation(changes - 1, Fault::refuse(400, "Nope", "no such luck"));
    let failed = here.run(Task::Downgrade).await.expect_err("its last change fails");
    assert_eq!(failed.kind(), OperationErrorKind::RolledBack, "{failed:?}");
    here.world.proxy.heal();
    here.note(Task::Downgrade);
    let specs = [here.spec.clone().with_green_suffix("-other")];
    let prepared = here.bluegreen.prepare_orphans(&specs, &specs[0].name).await;
    let done = here.bluegreen.delete_orphans(prepared.expect("it can be planned")).await;
    here.take_back(Task::Orphans, ran(Task::Orphans, done)).await;
    here.seen
}

/// A deployment of a service that launches from a launch configuration.
async fn from_a_configuration() -> Seen {
    let world = World::new().await;
    let url = world.proxy.url();
    let image = world.stack.image.clone();
    let params =
        [("LaunchConfigurationName", "web"), ("ImageId", &*image), ("InstanceType", "t3.micro")];
    let made = query(&url, "autoscaling", "CreateLaunchConfiguration", &params).await;
    assert_eq!(made.expect("an answer").status, 200);
    let params = [("AutoScalingGroupName", "web"), ("LaunchConfigurationName", "web")];
    let made = query(&url, "autoscaling", "UpdateAutoScalingGroup", &params).await;
    assert_eq!(made.expect("an answer").status, 200);
    let mut here = Watched::new(world);
    here.world.proxy.clear();
    here.bluegreen.observe(&here.spec).await.expect("it can be read");
    here.note(Task::Status);
    ran(Task::Upgrade, here.run(Task::Upgrade).await);
    here.note(Task::Upgrade);
    here.there_and_back(Task::Deploy).await;
    // The way to a launch template.
    let source = DeploySource::From(Color::Blue);
    let options = DeployOptions::new(source).with_template(LaunchTemplateName::new("web-new"));
    let end = here.bluegreen.deploy(&here.spec, options.with_waits(WAITS)).await;
    here.take_back(Task::Deploy, ran(Task::Deploy, end)).await;
    here.seen
}

/// An upgrade that keeps target groups checked in another way, and what takes it back.
async fn kept_by(health: HealthStrategy) -> Seen {
    let mut here = Watched::kept_by(World::new().await, health);
    here.world.proxy.clear();
    let run = ran(Task::Upgrade, here.run(Task::Upgrade).await);
    here.take_back(Task::Upgrade, run).await;
    here.seen
}

fn merged(all: impl IntoIterator<Item = Seen>) -> Seen {
    let mut merged = Seen::new();
    for (task, actions) in all.into_iter().flatten() {
        merged.entry(task).or_default().extend(actions);
    }
    merged
}

/// Returns the actions that the policy of a task says are called.
fn called(scope: &Scope, task: Task) -> BTreeSet<String> {
    let policy = IamPolicy::allowing(scope, &[task]);
    let statements = policy.statements().iter().filter(|one| one.called);
    statements.flat_map(|one| &one.action).map(|action| (*action).to_owned()).collect()
}

/// Names what a policy allows and nobody calls, and what is called and it does not allow.
fn wrong(scope: &Scope, seen: &Seen) -> Vec<String> {
    let mut wrong = Vec::new();
    for (task, actions) in seen {
        let allowed = IamPolicy::allowing(scope, &[*task]).actions();
        let missing = actions.iter().filter(|action| !allowed.contains(action.as_str()));
        wrong.extend(missing.map(|action| {
            format!("`{task}` calls {action}, which its policy does not allow: add it to NEEDS")
        }));
        let idle = called(scope, *task);
        // What is read is one list for all.
        let idle = idle.iter().filter(|action| !is_read(action) && !actions.contains(*action));
        wrong.extend(idle.map(|action| {
            format!("the policy of `{task}` allows {action}, which it does not call: take it out")
        }));
    }
    wrong
}

fn scope(health: HealthStrategy) -> Scope {
    let spec = EnvironmentSpec::new(
        EnvironmentName::new("D-WEB"),
        AccountId::new("123456789012"),
        ScalingGroupName::new("web"),
        "18080-18099".parse().expect("a range"),
    );
    Scope::new(&spec.with_health(health), "us-east-1")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_policy_allows_what_each_operation_calls_and_no_more() {
    let worlds = tokio::join!(from_a_template(), left_behind(), from_a_configuration());
    let seen = merged([worlds.0, worlds.1, worlds.2]);
    let scope = scope(HealthStrategy::default());
    let mut wrong = wrong(&scope, &seen);
    let read: BTreeSet<&String> = seen.values().flatten().filter(|one| is_read(one)).collect();
    for action in called(&scope, Task::Doctor).iter().filter(|one| is_read(one)) {
        if !read.contains(action) && !UNSEEN.contains(&action.as_str()) {
            wrong.push(format!("{action} is allowed, and nothing calls it: take it out"));
        }
    }
    // An orphan may have been made in any way; here it was in one.
    wrong.retain(|one| !one.contains("`orphans` allows") || !one.contains("Rule"));
    assert!(wrong.is_empty(), "permissions/table.rs is not what is called:\n{}", wrong.join("\n"));
    let all = Task::ALL.iter().filter(|task| !seen.contains_key(task));
    assert_eq!(all.collect::<Vec<_>>(), Vec::<&Task>::new(), "every task was seen");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_policy_of_an_upgrade_goes_by_how_target_groups_are_kept_checked() {
    let strategies = [
        HealthStrategy::WeightZero { cuts_connections: false },
        HealthStrategy::TestRule { sources: Vec::new() },
    ];
    for health in strategies {
        let seen = kept_by(health.clone()).await;
        let wrong = wrong(&scope(health.clone()), &seen);
        assert!(wrong.is_empty(), "{health}:\n{}", wrong.join("\n"));
    }
}
