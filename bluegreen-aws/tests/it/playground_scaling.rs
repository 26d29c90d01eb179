//! Auto Scaling and launch templates of the playground, by the SDK and by the adapter.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_autoscaling::Client;
use aws_sdk_autoscaling::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_autoscaling::types as sdk;
use bluegreen_aws::AwsCloud;
use bluegreen_core::cloud::{
    CloudErrorKind, ReadLaunch, ReadScalingGroups, ReadScalingPolicies, WriteLaunch,
    WriteScalingGroups, WriteScalingPolicies, WriteTags,
};
use bluegreen_core::model::{
    Actions, Capacity, Fitting, FittingKey, GroupTag, ImageId, InstanceId, LaunchConfigurationName,
    LaunchEdit, LaunchSource, LaunchTemplateName, LoadBalancerKind, Mark, Opaque, Policy,
    PolicyKey, PolicyName, Process, ResourceKey, RunId, ScalingGroupName, ScalingGroupSettings,
    Schedule, ScheduleName, TargetGroupName, TemplateVersion,
};
use bluegreen_testkit::emulator::query;
use bluegreen_testkit::fake::{FakeCloud, World, target_group, template};
use bluegreen_testkit::playground::fault::{Calls, Fault, Refusal, Trouble};
use bluegreen_testkit::playground::{Options, Playground, Site};
use serde_json::json;

/// The account of everybody whose access key names no other one.
const ACCOUNT: &str = "123456789012";
const REGION: &str = "us-east-1";

/// A playground with a service `web`, and who looks at it.
struct Play {
    playground: Playground,
    site: Arc<Site>,
    client: Client,
    cloud: AwsCloud,
}

fn web() -> ScalingGroupName {
    ScalingGroupName::new("web")
}

fn green() -> ScalingGroupName {
    ScalingGroupName::new("web-green")
}

/// Makes a service of which everything is set that AWS always sets.
fn world() -> World {
    let mut served = target_group(80, "HTTP");
    served.deregistration_delay = Duration::from_secs(1);
    let tag = |value: &str, propagate| GroupTag { value: value.to_owned(), propagate };
    let hook = json!({
        "name": "warm", "transition": "autoscaling:EC2_INSTANCE_LAUNCHING",
        "default_result": "CONTINUE", "heartbeat_timeout": 60,
    });
    let settings = ScalingGroupSettings {
        launch: template("web", 1),
        capacity: Capacity::new(1, 2, 4),
        target_groups: [TargetGroupName::new("web-http")].into(),
        tags: [("Name".to_owned(), tag("web", true)), ("team".to_owned(), tag("", false))].into(),
        details: Opaque::new(json!({
            "vpc_zone_identifier": "subnet-0000000a,subnet-0000000b",
            "health_check_type": "EC2", "health_check_grace_period": 0, "default_cooldown": 300,
            "termination_policies": ["Default"], "hooks": [hook],
        })),
        uncarried: vec![],
        unknown: vec![],
    };
    let requests = Policy {
        name: PolicyName::new("requests"),
        counts_requests_of: Some((
            bluegreen_core::model::LoadBalancerName::new("web"),
            TargetGroupName::new("web-http"),
        )),
        details: Opaque::new(json!({
            "policy_type": "TargetTrackingScaling", "enabled": true,
            "target_tracking": {
                "target_value": 1000.0, "disable_scale_in": false,
                "predefined": "ALBRequestCountPerTarget",
            },
        })),
        alarms: vec![],
        uncarried: None,
    };
    World::default()
        .with_template("web", &["ami-0a"])
        .with_launch_configuration("web-1", "ami-0a")
        .with_image("ami-0b")
        .with_load_balancer("web", LoadBalancerKind::Application)
        .with_target_group_settings("web-http", served)
        .with_target_group("web-idle", 80)
        .with_listener("web", 80, "HTTP", Actions::forward_to(TargetGroupName::new("web-http")))
        .with_scaling_group("web", settings)
        .with_policy("web", requests)
        .with_schedule(
            "web",
            Schedule {
                name: ScheduleName::new("night"),
                details: Opaque::new(json!({"recurrence": "0 22 * * *", "min": 1})),
            },
        )
}

async fn config(url: &str) -> SdkConfig {
    let credentials = aws_credential_types::Credentials::new("test", "test", None, None, "");
    aws_config::defaults(BehaviorVersion::latest())
        .region(Region::new(REGION))
        .credentials_provider(credentials)
        .endpoint_url(url)
        .load()
        .await
}

impl Play {
    async fn new() -> Self {
        let mut options = Options::default();
        options.boot = Duration::from_millis(200);
        let playground = Playground::start(options).await.expect("it is answered");
        let site = playground.site(ACCOUNT, REGION);
        site.cloud().edit(|all| *all = world());
        let config = config(&playground.url()).await;
        let client = Client::new(&config);
        let cloud = AwsCloud::new(&config).expect("it is answered");
        Self { playground, site, client, cloud }
    }

    async fn group(&self, name: &str) -> sdk::AutoScalingGroup {
        let request = self.client.describe_auto_scaling_groups().auto_scaling_group_names(name);
        let mut groups =
            request.send().await.expect("it is answered").auto_scaling_groups.unwrap_or_default();
        groups.pop().unwrap_or_else(|| panic!("there is no group {name}"))
    }

    /// Waits until as many machines of `web` are in service.
    async fn in_service(&self, wanted: usize) -> Vec<InstanceId> {
        for _ in 0..100 {
            let group = self.group("web").await;
            let of_state = |state: sdk::LifecycleState| {
                let all = group.instances().iter();
                all.filter(move |one| one.lifecycle_state() == Some(&state))
            };
            let ids: Vec<_> = of_state(sdk::LifecycleState::InService)
                .filter_map(|one| one.instance_id().map(InstanceId::new))
                .collect();
            if ids.len() == wanted && group.instances().len() == wanted {
                return ids;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("{wanted} machines are never in service");
    }

    /// Creates a group that is like `web` in what must be said.
    fn creation(
        &self,
        name: &str,
    ) -> aws_sdk_autoscaling::operation::create_auto_scaling_group::builders::CreateAutoScalingGroupFluentBuilder
    {
        let source = sdk::LaunchTemplateSpecification::builder();
        let source = source.launch_template_name("web").version("1").build();
        self.client
            .create_auto_scaling_group()
            .auto_scaling_group_name(name)
            .launch_template(source)
            .vpc_zone_identifier("subnet-0000000a")
            .min_size(0)
            .max_size(4)
    }

    /// The ARN of the target group that `web` registers its machines in.
    async fn served(&self) -> String {
        self.group("web").await.target_group_arns()[0].clone()
    }
}

#[track_caller]
fn refused<T, E, R>(answer: Result<T, SdkError<E, R>>, code: &str, text: &str)
where
    E: ProvideErrorMetadata + std::fmt::Debug,
    R: std::fmt::Debug,
{
    let Err(error) = answer else { panic!("it is not refused: {code}") };
    assert_eq!(error.code(), Some(code), "{error:?}");
    let message = error.message().unwrap_or_default();
    assert!(message.contains(text), "`{text}` is not in `{message}`");
}

#[tokio::test]
async fn an_unknown_group_is_an_empty_list_to_reads_and_an_error_to_changes() {
    let play = Play::new().await;
    let request = play.client.describe_auto_scaling_groups().auto_scaling_group_names("nobody");
    assert!(request.send().await.unwrap().auto_scaling_groups().is_empty());
    let request = play.client.set_desired_capacity().auto_scaling_group_name("nobody");
    refused(
        request.desired_capacity(1).send().await,
        "ValidationError",
        "AutoScalingGroup name not found",
    );
    let error = play.cloud.set_capacity(&green(), Capacity::ZERO).await.unwrap_err();
    assert_eq!(error.kind(), CloudErrorKind::NotFound);
}

#[tokio::test]
async fn a_machine_is_in_service_before_its_target_is_healthy() {
    let play = Play::new().await;
    play.in_service(2).await;
    let health = play.site.cloud().health(&TargetGroupName::new("web-http"));
    assert_eq!(health.len(), 2);
    assert!(health.iter().all(|one| one.state == bluegreen_core::model::HealthState::Initial));
}

#[tokio::test]
async fn machines_launched_while_add_to_load_balancer_is_suspended_are_never_registered() {
    let play = Play::new().await;
    play.in_service(2).await;
    let processes = || play.client.suspend_processes().auto_scaling_group_name("web");
    processes().scaling_processes("AddToLoadBalancer").send().await.unwrap();
    play.cloud.set_capacity(&web(), Capacity::new(1, 3, 4)).await.unwrap();
    play.in_service(3).await;
    let request = play.client.resume_processes().auto_scaling_group_name("web");
    request.send().await.unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(play.site.cloud().health(&TargetGroupName::new("web-http")).len(), 2);
}

#[tokio::test]
async fn resuming_the_replacement_of_the_unhealthy_acts_at_once() {
    let play = Play::new().await;
    let ids = play.in_service(2).await;
    let request = play.client.suspend_processes().auto_scaling_group_name("web");
    request.scaling_processes("ReplaceUnhealthy").send().await.unwrap();
    play.site.cloud().stop_instance(&ids[0]);
    tokio::time::sleep(Duration::from_millis(1200)).await;
    let group = play.group("web").await;
    let is_sick = |one: &&sdk::Instance| one.health_status() == Some("Unhealthy");
    assert_eq!(group.instances().iter().filter(is_sick).count(), 1);
    assert_eq!(group.suspended_processes().len(), 1);

    let request = play.client.resume_processes().auto_scaling_group_name("web");
    request.send().await.unwrap();
    tokio::time::sleep(Duration::from_millis(700)).await;
    let ids_now = play.in_service(2).await;
    assert!(!ids_now.contains(&ids[0]), "it is replaced: {ids_now:?}");
    let request = play.client.describe_scaling_activities().auto_scaling_group_name("web");
    let happened = request.send().await.unwrap();
    let causes: Vec<_> = happened.activities().iter().filter_map(|one| one.cause()).collect();
    assert!(causes.iter().any(|cause| cause.contains("EC2 health check")), "{causes:?}");
}

#[tokio::test]
async fn a_desired_size_that_is_not_said_gives_way_to_the_others() {
    let play = Play::new().await;
    let update = || play.client.update_auto_scaling_group().auto_scaling_group_name("web");
    update().min_size(3).send().await.unwrap();
    assert_eq!(play.group("web").await.desired_capacity(), Some(3));
    update().min_size(0).max_size(1).send().await.unwrap();
    assert_eq!(play.group("web").await.desired_capacity(), Some(1));
    refused(update().min_size(2).send().await, "ValidationError", "min");
    refused(update().desired_capacity(5).send().await, "ValidationError", "between");
    let request = play.client.set_desired_capacity().auto_scaling_group_name("web");
    refused(request.desired_capacity(2).send().await, "ValidationError", "above max value 1");
}

#[tokio::test]
async fn a_group_is_deleted_when_it_is_empty_and_its_name_is_free_when_it_is_gone() {
    let play = Play::new().await;
    play.in_service(2).await;
    let delete = || play.client.delete_auto_scaling_group().auto_scaling_group_name("web");
    refused(delete().send().await, "ResourceInUse", "there are instances");
    play.cloud.set_capacity(&web(), Capacity::ZERO).await.unwrap();
    refused(delete().send().await, "ScalingActivityInProgress", "scaling activities in progress");
    play.in_service(0).await;

    let update = || play.client.update_auto_scaling_group().auto_scaling_group_name("web");
    let protect = |how| update().deletion_protection(how).send();
    protect(sdk::DeletionProtection::PreventAllDeletion).await.unwrap();
    refused(delete().send().await, "ResourceInUse", "deletion protection");
    let fittings = play.cloud.fittings(&web()).await.unwrap();
    let protection = fittings.get(&Fitting::DeletionProtection).map(Opaque::value);
    assert_eq!(protection, Some(&json!("prevent-all-deletion")));
    protect(sdk::DeletionProtection::None).await.unwrap();
    delete().send().await.unwrap();

    assert!(play.group("web").await.status().is_some());
    refused(play.creation("web").send().await, "AlreadyExists", "pending delete");
    refused(update().min_size(0).send().await, "ValidationError", "pending delete");
    tokio::time::sleep(Duration::from_millis(1500)).await;
    play.creation("web").send().await.unwrap();
    assert!(play.group("web").await.status().is_none());
}

#[tokio::test]
async fn a_creation_whose_answer_is_lost_has_happened() {
    let play = Play::new().await;
    // The adapter learns the ARNs of target groups here.
    play.cloud.scaling_groups(&[web()]).await.unwrap();
    let mut settings = play.cloud.scaling_group_settings(&web()).await.unwrap().unwrap();
    settings.capacity = Capacity::ZERO;
    let of = Calls { action: Some("CreateAutoScalingGroup".to_owned()), ..Calls::default() };
    let what = Trouble::Api { of, how: Refusal::LoseReply };
    play.playground.faults().add(Fault { what, seconds: None, times: Some(1) });
    let error = play.cloud.create_scaling_group(&green(), &settings).await.unwrap_err();
    assert_eq!(error.kind(), CloudErrorKind::OutcomeUnknown);
    let found = play.cloud.scaling_groups(&[green()]).await.unwrap();
    assert_eq!(found.len(), 1);
    let again = play.cloud.scaling_group_settings(&green()).await.unwrap();
    assert_eq!(again, Some(settings));
}

#[tokio::test]
async fn requests_are_counted_only_of_a_target_group_that_is_attached() {
    let play = Play::new().await;
    let request = play.client.describe_policies().auto_scaling_group_name("web").send().await;
    let policies = request.unwrap().scaling_policies.unwrap_or_default();
    let tracking = policies[0].target_tracking_configuration().unwrap().clone();
    play.creation("web-green").send().await.unwrap();
    let put = || {
        let request = play.client.put_scaling_policy().auto_scaling_group_name("web-green");
        let request = request.policy_name("requests").policy_type("TargetTrackingScaling");
        request.target_tracking_configuration(tracking.clone())
    };
    refused(put().send().await, "ValidationError", "Target group not attached");
    let attach = play.client.attach_load_balancer_target_groups();
    let attach = attach.auto_scaling_group_name("web-green");
    attach.target_group_arns(play.served().await).send().await.unwrap();
    put().send().await.unwrap();
    refused(
        put().policy_name("again").send().await,
        "ValidationError",
        "Only one TargetTrackingScaling policy",
    );
}

#[tokio::test]
async fn target_groups_are_attached_and_detached_step_by_step() {
    let play = Play::new().await;
    play.in_service(2).await;
    let arn = play.served().await;
    let states = || async {
        let request = play.client.describe_load_balancer_target_groups();
        let answer = request.auto_scaling_group_name("web").send().await.unwrap();
        let all = answer.load_balancer_target_groups().iter();
        all.filter_map(|one| one.state().map(str::to_owned)).collect::<Vec<_>>()
    };
    assert_eq!(states().await, ["InService"], "the group was made with it");
    let detach = || {
        let request = play.client.detach_load_balancer_target_groups();
        request.auto_scaling_group_name("web").target_group_arns(&arn)
    };
    detach().send().await.unwrap();
    assert_eq!(states().await, ["Removing"]);
    refused(detach().send().await, "ValidationError", "not part of the group");
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert!(states().await.is_empty());

    let attach = || {
        let request = play.client.attach_load_balancer_target_groups();
        request.auto_scaling_group_name("web").target_group_arns(&arn)
    };
    play.site.cloud().set_instance_refresh(&web(), Some("InProgress"));
    refused(attach().send().await, "InstanceRefreshInProgress", "");
    let refresh = play.cloud.instance_refresh(&web()).await.unwrap();
    assert_eq!(refresh.as_deref(), Some("InProgress"));
    play.site.cloud().set_instance_refresh(&web(), None);
    attach().send().await.unwrap();
    // Without checks by load balancers it never gets further.
    assert_eq!(states().await, ["Added"]);
    let unknown = arn.replace("web-http", "nobody");
    refused(attach().target_group_arns(unknown).send().await, "ValidationError", "Target Groups");
}

#[tokio::test]
async fn a_scale_in_drains_before_it_terminates_and_no_id_comes_again() {
    let play = Play::new().await;
    let ids = play.in_service(2).await;
    play.cloud.set_capacity(&web(), Capacity::new(1, 1, 4)).await.unwrap();
    let group = play.group("web").await;
    let leaving = group
        .instances()
        .iter()
        .find(|one| one.lifecycle_state() == Some(&sdk::LifecycleState::Terminating));
    let leaving = leaving.and_then(|one| one.instance_id()).expect("one is on its way out");
    let health = play.site.cloud().health(&TargetGroupName::new("web-http"));
    let drains = health.iter().any(|one| {
        one.target.as_str() == leaving && one.state == bluegreen_core::model::HealthState::Draining
    });
    assert!(drains, "{health:?}");
    play.in_service(1).await;
    play.cloud.set_capacity(&web(), Capacity::new(1, 2, 4)).await.unwrap();
    let new = play.in_service(2).await;
    assert_eq!(new.iter().filter(|id| ids.contains(id)).count(), 1);
}

#[tokio::test]
async fn a_machine_that_is_terminated_is_replaced_unless_the_group_is_to_shrink() {
    let play = Play::new().await;
    let ids = play.in_service(2).await;
    let terminate = |id: &InstanceId, shrink| {
        let request = play.client.terminate_instance_in_auto_scaling_group();
        request.instance_id(id.as_str()).should_decrement_desired_capacity(shrink).send()
    };
    terminate(&ids[0], false).await.unwrap();
    let ids = play.in_service(2).await;
    let activity = terminate(&ids[0], true).await.unwrap().activity.expect("it is under way");
    assert!(activity.description().is_some_and(|text| text.contains(ids[0].as_str())));
    assert_eq!(play.in_service(1).await, [ids[1].clone()]);
    refused(terminate(&ids[1], true).await, "ValidationError", "min size constraint");
    refused(terminate(&InstanceId::new("i-9999"), true).await, "ValidationError", "not found");
}

#[tokio::test]
async fn a_template_version_is_made_once_for_a_client_token_and_latest_groups_launch_it() {
    let play = Play::new().await;
    let url = play.playground.url();
    let params = [
        ("LaunchTemplateName", "web"),
        ("SourceVersion", "1"),
        ("ClientToken", "t1"),
        ("LaunchTemplateData.ImageId", "ami-0b"),
    ];
    for _ in 0..2 {
        let made = query(&url, "ec2", "CreateLaunchTemplateVersion", &params).await.unwrap();
        assert!(made.body.contains("<versionNumber>2</versionNumber>"), "{}", made.body);
    }
    let other = [params[0], params[1], params[2], ("LaunchTemplateData.ImageId", "ami-0a")];
    let made = query(&url, "ec2", "CreateLaunchTemplateVersion", &other).await.unwrap();
    assert!(made.status == 400 && made.body.contains("IdempotentParameterMismatch"));

    let latest = LaunchSource::Template {
        template: LaunchTemplateName::new("web"),
        version: TemplateVersion::Latest,
    };
    play.cloud.set_launch(&web(), &latest).await.unwrap();
    play.cloud.set_capacity(&web(), Capacity::new(1, 3, 4)).await.unwrap();
    let ids = play.in_service(3).await;
    let of_new =
        ids.iter().filter(|id| play.site.cloud().image_of(id) == Some(ImageId::new("ami-0b")));
    assert_eq!(of_new.count(), 1);
}

#[tokio::test]
async fn a_rule_of_a_security_group_is_made_once_and_revoked_by_its_id() {
    let play = Play::new().await;
    let url = play.playground.url();
    let ask = |action: &'static str, params: Vec<(&'static str, String)>| {
        let url = url.clone();
        async move {
            let params: Vec<_> = params.iter().map(|(key, text)| (*key, text.as_str())).collect();
            query(&url, "ec2", action, &params).await.unwrap()
        }
    };
    let text = |text: &str| text.to_owned();
    let between = |body: &str, name: &str| {
        let (_, rest) = body.split_once(&format!("<{name}>")).expect("it is there");
        rest.split('<').next().unwrap_or_default().to_owned()
    };
    let made = vec![("GroupName", text("open")), ("GroupDescription", text("d"))];
    let id = between(&ask("CreateSecurityGroup", made).await.body, "groupId");
    let rule = || {
        vec![
            ("GroupId", id.clone()),
            ("IpPermissions.1.IpProtocol", text("tcp")),
            ("IpPermissions.1.FromPort", text("80")),
            ("IpPermissions.1.ToPort", text("80")),
            ("IpPermissions.1.IpRanges.1.CidrIp", text("0.0.0.0/0")),
        ]
    };
    let opened = ask("AuthorizeSecurityGroupIngress", rule()).await;
    let rule_id = between(&opened.body, "securityGroupRuleId");
    let again = ask("AuthorizeSecurityGroupIngress", rule()).await;
    assert!(again.status == 400 && again.body.contains("InvalidPermission.Duplicate"));
    let by_id = || vec![("GroupId", id.clone()), ("SecurityGroupRuleId.1", rule_id.clone())];
    assert_eq!(ask("RevokeSecurityGroupIngress", by_id()).await.status, 200);
    let gone = ask("RevokeSecurityGroupIngress", by_id()).await;
    assert!(gone.body.contains("InvalidSecurityGroupRuleId.NotFound"), "{}", gone.body);
}

#[tokio::test]
async fn a_group_that_a_service_manages_is_changed_by_nobody_else() {
    let play = Play::new().await;
    play.site.cloud().edit(|world| {
        let group = world.scaling_groups.get_mut(&web()).expect("it is there");
        group.operator = Some("eks.amazonaws.com".to_owned());
    });
    let found = play.cloud.scaling_groups(&[web()]).await.unwrap().remove(0);
    assert_eq!(found.operator.as_deref(), Some("eks.amazonaws.com"));
    let error = play.cloud.set_capacity(&web(), Capacity::ZERO).await.unwrap_err();
    assert_eq!(error.kind(), CloudErrorKind::Denied);
    let error = play.cloud.delete_scaling_group(&web()).await.unwrap_err();
    assert_eq!(error.kind(), CloudErrorKind::Denied);
}

#[tokio::test]
async fn pages_may_be_short_and_have_a_next_one() {
    let play = Play::new().await;
    for name in ["a", "b", "c"] {
        play.creation(name).send().await.unwrap();
    }
    let filter = sdk::Filter::builder().name("tag-key").values("team").build();
    let describe = |token: Option<String>| {
        let request = play.client.describe_auto_scaling_groups().max_records(2);
        request.filters(filter.clone()).set_next_token(token).send()
    };
    let first = describe(None).await.unwrap();
    assert!(first.auto_scaling_groups().is_empty() && first.next_token().is_some());
    let second = describe(first.next_token).await.unwrap();
    assert_eq!(second.auto_scaling_groups().len(), 1);
    assert!(second.next_token().is_none());
    refused(describe(Some("nonsense".to_owned())).await, "InvalidNextToken", "");
}

/// Does everything to a cloud that a run does to scaling groups and what they launch from.
async fn drive(cloud: &(impl DriveCloud + ?Sized)) {
    let mut settings = cloud
        .scaling_group_settings(&web())
        .await
        .expect("it is answered")
        .expect("it is answered");
    settings.capacity = Capacity::ZERO;
    cloud.create_scaling_group(&green(), &settings).await.expect("it is answered");
    for policy in cloud.policies(&web()).await.expect("it is answered") {
        cloud.put_policy(&green(), &policy).await.expect("it is answered");
    }
    for schedule in cloud.schedules(&web()).await.expect("it is answered") {
        cloud.put_schedule(&green(), &schedule).await.expect("it is answered");
    }
    let held: BTreeMap<Process, bool> =
        Process::HELD_ON_IDLE.into_iter().map(|process| (process, true)).collect();
    cloud.set_suspended(&green(), &held).await.expect("it is answered");
    for (fitting, value) in cloud.fittings(&web()).await.expect("it is answered") {
        let key = FittingKey { group: green(), fitting };
        cloud.put_fitting(&key, &value).await.expect("it is answered");
    }
    let key = FittingKey { group: web(), fitting: Fitting::WarmPool };
    cloud.remove_fitting(&key).await.expect("it is answered");
    cloud.remove_fitting(&key).await.expect("it is answered");
    let name = LaunchTemplateName::new("web");
    let mark = |step: &str| Mark::new(&RunId::new("01j0"), step);
    let edit = |source| LaunchEdit {
        source,
        image: Some(ImageId::new("ami-0b")),
        user_data: Some(bluegreen_core::model::UserData::new(b"#!/bin/true\n".to_vec())),
    };
    for step in ["deploy/1", "deploy/2"] {
        cloud
            .create_template_version(&name, &mark(step), &edit(template("web", 1)))
            .await
            .expect("it is answered");
    }
    cloud.delete_template_version(&name, &mark("deploy/2")).await.expect("it is answered");
    let version = TemplateVersion::Marked(mark("deploy/1"));
    let number = cloud
        .template_version(&name, &version)
        .await
        .expect("it is answered")
        .expect("it is answered");
    cloud.set_launch(&green(), &template("web", number)).await.expect("it is answered");
    let old = LaunchSource::Configuration(LaunchConfigurationName::new("web-1"));
    let new = LaunchConfigurationName::new("web-2");
    cloud.create_launch_configuration(&new, &edit(old)).await.expect("it is answered");
    cloud.set_capacity(&green(), Capacity::new(1, 2, 4)).await.expect("it is answered");
    let tags =
        [("bluegreen:color".to_owned(), Some("green".to_owned())), ("team".to_owned(), None)];
    cloud
        .set_tags(&ResourceKey::ScalingGroup(green()), &tags.into())
        .await
        .expect("it is answered");
    cloud.delete_schedule(&green(), &ScheduleName::new("night")).await.expect("it is answered");
    let key = PolicyKey { group: web(), policy: PolicyName::new("queue") };
    cloud.delete_policy(&key).await.expect("it is answered");
    cloud.delete_policy(&key).await.expect("it is answered");
}

trait DriveCloud:
    ReadScalingGroups
    + WriteScalingGroups
    + ReadScalingPolicies
    + WriteScalingPolicies
    + ReadLaunch
    + WriteLaunch
    + WriteTags
{
}

impl DriveCloud for AwsCloud {}
impl DriveCloud for FakeCloud {}

/// Makes the service with policies that name nothing of load balancing and no alarms.
fn world_by_itself() -> World {
    let policy = |name: &str, details| Policy {
        name: PolicyName::new(name),
        counts_requests_of: None,
        details: Opaque::new(details),
        alarms: vec![],
        uncarried: None,
    };
    let tracking = json!({
        "policy_type": "TargetTrackingScaling", "enabled": true,
        "target_tracking": {
            "target_value": 10.0, "disable_scale_in": true,
            "customized": {
                "MetricName": "Queue", "Namespace": "App", "Statistic": "Average",
                "Dimensions": [{"Name": "Service", "Value": "web"}],
            },
        },
    });
    let busy = json!({
        "policy_type": "TargetTrackingScaling", "enabled": false, "estimated_instance_warmup": 60,
        "target_tracking": {
            "target_value": 50.5, "disable_scale_in": false,
            "predefined": "ASGAverageCPUUtilization",
        },
    });
    let mut world = world();
    let group = world.scaling_groups.get_mut(&web()).expect("it is there");
    group.policies.clear();
    let topic = Fitting::Notifications("arn:aws:sns:us-east-1:123456789012:ops".to_owned());
    let metrics = json!({"granularity": "1Minute", "metrics": ["GroupMaxSize", "GroupMinSize"]});
    group.fittings = [
        (topic, Opaque::new(json!(["autoscaling:EC2_INSTANCE_LAUNCH"]))),
        (Fitting::Metrics, Opaque::new(metrics)),
        (Fitting::WarmPool, Opaque::new(json!({"MinSize": "1", "PoolState": "Running"}))),
        (Fitting::DeletionProtection, Opaque::new(json!("prevent-force-deletion"))),
    ]
    .into();
    world.with_policy("web", policy("queue", tracking)).with_policy("web", policy("busy", busy))
}

#[tokio::test]
async fn the_same_calls_end_in_the_same_world_in_memory_and_over_the_wire() {
    let play = Play::new().await;
    play.site.cloud().edit(|all| *all = world_by_itself());
    // The adapter learns the ARNs of target groups here.
    play.cloud.scaling_groups(&[web()]).await.unwrap();
    let memory = FakeCloud::new(world_by_itself());
    drive(&memory).await;
    drive(&play.cloud).await;
    assert_eq!(play.site.cloud().world(), memory.world());
}
