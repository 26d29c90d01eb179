//! What a look at an environment finds, how much it matters, and what mends it.

mod examined;
mod quotas;

use bluegreen_core::model::{
    GroupTag, HealthStrategy, LaunchSource, LaunchTemplateName, LoadBalancerName, Opaque, Process,
    QuotaKind, ScalingGroupName, TargetGroupName, TemplateVersion,
};
use bluegreen_core::plan::{Examination, Finding, FindingSeverity, examine};
use bluegreen_testkit::{FakeCloud, Fault, World};
use serde_json::json;

use crate::stage::{Scene, Verb};

fn group(name: &str) -> ScalingGroupName {
    ScalingGroupName::new(name)
}

async fn look(scene: &Scene) -> Examination {
    let specs = [scene.spec.clone()];
    scene.bluegreen().look_over(&scene.spec, &specs).await.expect("the store can be read")
}

async fn findings(scene: &Scene) -> Vec<Finding> {
    examine(&look(scene).await)
}

/// Returns the findings that are as bad as that, or worse.
fn bad(findings: &[Finding], least: FindingSeverity) -> Vec<&Finding> {
    findings.iter().filter(|finding| finding.severity >= least).collect()
}

/// Asserts that there is one bad finding, and returns it.
#[track_caller]
fn the_only(findings: &[Finding], severity: FindingSeverity, check: &str) -> Finding {
    let bad = bad(findings, FindingSeverity::Warning);
    assert_eq!(bad.len(), 1, "{bad:#?}");
    assert_eq!((bad[0].severity, bad[0].check.as_str()), (severity, check), "{bad:#?}");
    assert!(!bad[0].why.is_empty(), "why it matters is said");
    bad[0].clone()
}

/// An upgraded scene that somebody then did something to.
async fn touched(touch: impl FnOnce(&mut World)) -> Scene {
    let scene = Scene::before(Verb::Deploy).await;
    let mut world = scene.world();
    touch(&mut world);
    Scene::new(FakeCloud::new(world)).with_store(scene.store.clone())
}

#[tokio::test(start_paused = true)]
async fn what_is_well_is_said_to_be_well() {
    let scene = Scene::before(Verb::Scaledown).await;
    let before = scene.world();
    scene.cloud.set_account_alias("acme-live");
    scene.cloud.forget_calls();
    let findings = findings(&scene).await;
    assert_eq!(bad(&findings, FindingSeverity::Note), Vec::<&Finding>::new());
    let checks: Vec<&str> = findings.iter().map(|one| one.check.as_str()).collect();
    for check in [
        "account",
        "runs",
        "permissions",
        "colours",
        "templates",
        "holds",
        "drift",
        "idle ports",
        "deletion protection",
        "quotas",
        "orphans",
    ] {
        assert!(checks.contains(&check), "{check} is not in {checks:?}");
    }
    let account = findings.iter().find(|one| one.check == "account").expect("it is there");
    assert_eq!(account.what, "account 123456789012 (acme-live)");
    assert!(scene.cloud.calls().iter().all(|call| !call.mutating));
    assert_eq!(scene.world(), before);
}

#[tokio::test(start_paused = true)]
async fn before_an_upgrade_there_are_notes_and_what_upgrade_mends() {
    let scene = Scene::example();
    let findings = findings(&scene).await;
    let finding = the_only(&findings, FindingSeverity::Warning, "deletion protection");
    assert_eq!(finding.mend.as_deref(), Some("bluegreen upgrade IE-L-NGINX"));
    let notes = bad(&findings, FindingSeverity::Note);
    assert!(notes.iter().any(|one| one.what == "there is one colour only"), "{notes:#?}");
}

/// Row 19 of what users suffer: the wrong profile.
#[tokio::test(start_paused = true)]
async fn another_account_is_a_problem_and_nothing_of_it_is_judged() {
    let scene = Scene::before(Verb::Deploy).await;
    let scene = Scene { cloud: scene.cloud.with_account("444455556666"), ..scene };
    scene.cloud.set_account_alias("acme-live");
    let findings = findings(&scene).await;
    let finding = the_only(&findings, FindingSeverity::Problem, "account");
    let what = "these credentials are of account 444455556666 (acme-live), and the environment is \
                in account 123456789012";
    assert_eq!(finding.what, what);
    let checks: Vec<&str> = findings.iter().map(|one| one.check.as_str()).collect();
    assert_eq!(checks, ["account", "runs"]);
}

#[tokio::test(start_paused = true)]
async fn what_an_operation_may_not_do_is_told_with_the_policy_that_it_takes() {
    let scene = Scene::before(Verb::Deploy).await;
    scene.cloud.deny("switch");
    let findings = findings(&scene).await;
    let finding = the_only(&findings, FindingSeverity::Problem, "permissions");
    assert_eq!(finding.what, "`switch` may not do fake:switch");
    let mend = "bluegreen iam-policy IE-L-NGINX --operation switch";
    assert_eq!(finding.mend.as_deref(), Some(mend));
    assert!(!findings.iter().any(|one| one.severity == FindingSeverity::Ok
        && one.check == "permissions"
        && one.what.contains("switch")));
}

#[tokio::test(start_paused = true)]
async fn a_quota_that_the_next_operation_breaks_is_a_problem() {
    let scene = Scene::example();
    // Two are there, and one for each colour of two pairs comes.
    scene.cloud.set_limit(QuotaKind::Listeners, 5);
    let all = findings(&scene).await;
    let found = bad(&all, FindingSeverity::Problem);
    assert_eq!(found.len(), 1, "{found:#?}");
    let what = "2 of 5 listeners of one application load balancer (nginx-live): `upgrade` needs 4 \
                more";
    assert_eq!((found[0].check.as_str(), found[0].what.as_str()), ("quotas", what));
    scene.cloud.set_limit(QuotaKind::Listeners, 6);
    let all = findings(&scene).await;
    assert_eq!(bad(&all, FindingSeverity::Problem).len(), 0, "{all:#?}");
    assert!(bad(&all, FindingSeverity::Warning).iter().any(|one| one.check == "quotas"));
}

#[tokio::test(start_paused = true)]
async fn a_group_that_follows_the_newest_version_is_a_problem() {
    let scene = touched(|world| {
        let blue = world.scaling_groups.get_mut(&group("nginx-live")).expect("it is there");
        let template = LaunchTemplateName::new("nginx");
        blue.launch = LaunchSource::Template { template, version: TemplateVersion::Latest };
    })
    .await;
    let finding = the_only(&findings(&scene).await, FindingSeverity::Problem, "templates");
    assert_eq!(finding.what, "nginx-live (blue) launches version $Latest");
}

#[tokio::test(start_paused = true)]
async fn a_live_colour_that_is_held_is_a_problem_and_an_idle_one_that_is_not_a_warning() {
    let scene = touched(|world| {
        let blue = world.scaling_groups.get_mut(&group("nginx-live")).expect("it is there");
        blue.suspended.insert(Process::AlarmNotification);
    })
    .await;
    let finding = the_only(&findings(&scene).await, FindingSeverity::Problem, "holds");
    assert_eq!(finding.what, "AlarmNotification of nginx-live (blue, live) is suspended");
    let mend = "aws autoscaling resume-processes --auto-scaling-group-name nginx-live \
                --scaling-processes AlarmNotification";
    assert_eq!(finding.mend.as_deref(), Some(mend));

    let scene = Scene::before(Verb::Switch).await;
    let mut world = scene.world();
    world.scaling_groups.get_mut(&group("nginx-live-green")).expect("it is there").suspended =
        [].into();
    let scene = Scene::new(FakeCloud::new(world)).with_store(scene.store.clone());
    the_only(&findings(&scene).await, FindingSeverity::Warning, "holds");
}

#[tokio::test(start_paused = true)]
async fn colours_that_were_changed_apart_are_told_field_by_field() {
    let scene = touched(|world| {
        let green = world.scaling_groups.get_mut(&group("nginx-live-green")).expect("there");
        let tag = GroupTag { value: "beta".to_owned(), propagate: true };
        green.tags.insert("stage".to_owned(), tag);
        green.policies.clear();
        let name = TargetGroupName::new("nginx-http-green");
        let http = world.target_groups.get_mut(&name).expect("it is there");
        let mut details = http.details.value().clone();
        details["health_check"] = json!("/other");
        http.details = Opaque::new(details);
    })
    .await;
    let finding = the_only(&findings(&scene).await, FindingSeverity::Warning, "drift");
    let tag = "scaling group tags.stage.value: blue live, green beta";
    assert!(finding.what.contains(tag), "{finding:?}");
    assert!(finding.what.contains("scaling group policies."), "{finding:?}");
    assert_eq!(finding.mend.as_deref(), Some("bluegreen status IE-L-NGINX --parity"));
    assert!(finding.what.contains("nginx-http health_check"), "{finding:?}");
}

#[tokio::test(start_paused = true)]
async fn an_idle_port_that_the_outside_reaches_is_a_problem() {
    let scene = touched(|world| {
        let name = LoadBalancerName::new("nginx-live");
        let balancer = world.load_balancers.get_mut(&name).expect("it is there");
        balancer.openings.insert(18_081, "0.0.0.0/0".to_owned());
    })
    .await;
    let finding = the_only(&findings(&scene).await, FindingSeverity::Problem, "idle ports");
    let what = "nginx-live:18081 of nginx-http-green (green) can be reached: 0.0.0.0/0";
    assert_eq!(finding.what, what);
}

#[tokio::test(start_paused = true)]
async fn a_load_balancer_that_can_be_deleted_is_a_warning() {
    let scene = touched(|world| {
        for balancer in world.load_balancers.values_mut() {
            balancer.deletion_protection = false;
        }
    })
    .await;
    the_only(&findings(&scene).await, FindingSeverity::Warning, "deletion protection");
}

#[tokio::test(start_paused = true)]
async fn what_keeps_the_colours_checked_is_said_to_be_well() {
    let of = |health| async {
        let mut scene = Scene::example();
        scene.spec.health = health;
        let before = findings(&scene).await;
        assert!(before.iter().all(|one| one.check != "idle ports"), "{before:#?}");
        scene.must(Verb::Upgrade).await;
        let all = findings(&scene).await;
        let found: Vec<_> = all.into_iter().filter(|one| one.check == "idle ports").collect();
        assert_eq!(found.len(), 1, "{found:#?}");
        assert_eq!(found[0].severity, FindingSeverity::Ok);
        found[0].what.clone()
    };
    let idle = of(HealthStrategy::IdleListener).await;
    assert_eq!(idle, "none of 4 can be reached from outside");
    let weights = of(HealthStrategy::WeightZero { cuts_connections: false }).await;
    assert_eq!(weights, "there are none: it is kept checked by weight-zero");
}

#[test]
fn a_severity_is_told_by_its_name_and_fits_a_column() {
    use FindingSeverity::{Note, Ok, Problem, Warning};
    let told = [Ok, Note, Warning, Problem].map(|severity| format!("{severity:>8}|"));
    assert_eq!(told, ["      ok|", "    note|", " warning|", " problem|"]);
}

/// Row 17 of what users suffer: orphans, and groups that are there twice.
#[tokio::test(start_paused = true)]
async fn what_no_environment_claims_is_a_warning_with_the_command_that_deletes_it() {
    let scene = touched(|world| {
        world.scaling_groups.remove(&group("nginx-live-green")).expect("it is there");
    })
    .await;
    let findings = findings(&scene).await;
    let finding = the_only(&findings, FindingSeverity::Warning, "orphans");
    for name in ["target group nginx-http-green", "listener nginx-live:18080"] {
        assert!(finding.what.contains(name), "{finding:?}");
    }
    let mend = "bluegreen orphans IE-L-NGINX --delete";
    assert_eq!(finding.mend.as_deref(), Some(mend));

    // A second group of the same run under another name is one too.
    let scene = touched(|world| {
        let green = world.scaling_groups[&group("nginx-live-green")].clone();
        world.scaling_groups.insert(group("nginx-live-v2"), green);
    })
    .await;
    let findings = self::findings(&scene).await;
    let finding = the_only(&findings, FindingSeverity::Warning, "orphans");
    assert_eq!(finding.what, "no environment claims scaling group nginx-live-v2");
}

#[tokio::test(start_paused = true)]
async fn a_run_that_nobody_works_on_is_a_problem_and_one_under_way_a_note() {
    let scene = Scene::before(Verb::Switch).await;
    scene.cloud.fault_from_write(1, Fault::Refuse);
    assert!(scene.operate(Verb::Switch).await.is_err());
    scene.cloud.script([]);
    let findings = findings(&scene).await;
    let runs: Vec<&Finding> = findings.iter().filter(|one| one.check == "runs").collect();
    assert_eq!(runs.len(), 1, "{runs:#?}");
    assert_eq!(runs[0].severity, FindingSeverity::Problem, "{runs:#?}");
    let mend = runs[0].mend.as_deref().expect("it can be mended");
    assert!(mend.starts_with("bluegreen recover "), "{mend}");

    let other = Scene::before(Verb::Deploy).await;
    let prepared = other.bluegreen().prepare(&other.spec, &Scene::operation(Verb::Deploy)).await;
    let prepared = prepared.expect("it can be planned");
    let all = self::findings(&other).await;
    let held = all.iter().find(|one| one.check == "runs").expect("it is there");
    assert_eq!(held.severity, FindingSeverity::Note, "{held:?}");
    prepared.release().await;
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_read_is_told_and_the_rest_is_judged() {
    let scene = Scene::before(Verb::Deploy).await;
    scene.cloud.fault_on("quotas", 0, Fault::Deny);
    scene.cloud.fault_on("permissions", 0, Fault::Deny);
    scene.cloud.fault_on("open_ports", 0, Fault::Deny);
    let findings = findings(&scene).await;
    let finding = the_only(&findings, FindingSeverity::Warning, "reading");
    assert!(finding.what.starts_with("not looked at: who reaches nginx-live ("), "{finding:?}");
    let notes: Vec<&str> = findings
        .iter()
        .filter(|one| one.severity == FindingSeverity::Note)
        .map(|one| one.check.as_str())
        .collect();
    assert_eq!(notes, ["permissions", "quotas"]);
}
