//! Findings of examinations that are put together by hand.

use bluegreen_core::model::{
    EnvironmentName, Evidence, LaunchSource, Permission, PermissionVerdict, Process, RunId,
    Timestamp,
};
use bluegreen_core::plan::{Examination, Unread, examine};
use bluegreen_core::transaction::{Held, Holder};

use super::look;
use crate::stage::{Scene, Verb};

/// Returns what is said of one thing, with how much it matters.
fn told(found: &Examination, check: &str) -> Vec<String> {
    let findings = examine(found).into_iter().filter(|one| one.check == check);
    findings.map(|one| format!("{}: {}", one.severity, one.what)).collect()
}

async fn upgraded() -> Examination {
    look(&Scene::before(Verb::Switch).await).await
}

fn held(run: &str) -> Held {
    let since = Timestamp::from_millis(0);
    let (owner, host) = ("ann".to_owned(), "ci-1".to_owned());
    let (operation, run) = ("deploy".to_owned(), RunId::new(run));
    let holder = Holder { owner, host, process: 7, operation, run, since };
    Held { holder, deadline: since }
}

#[tokio::test(start_paused = true)]
async fn a_run_is_under_way_only_if_the_lock_is_held_for_it() {
    let mut found = upgraded().await;
    let check = |found: &Examination| told(found, "runs");
    assert_eq!(check(&found), ["ok: none is open, and nobody holds the lock"]);
    found.held = Some(held("01a"));
    let told = check(&found);
    assert!(told.len() == 1 && told[0].starts_with("note: the lock is held: "), "{told:?}");
    found.open_runs = vec![(RunId::new("01a"), "deploy".to_owned())];
    let told = check(&found);
    let under_way = "note: run 01a (deploy) is under way: ";
    assert!(told.len() == 1 && told[0].starts_with(under_way), "{told:?}");
    found.held = Some(held("01b"));
    let told = check(&found);
    let left = "problem: run 01a (deploy) has not ended, and nobody works on it";
    assert!(told.len() == 2 && told[0] == left, "{told:?}");
    assert!(told[1].starts_with("note: the lock is held: "), "{told:?}");
}

#[tokio::test(start_paused = true)]
async fn holds_are_judged_of_two_colours_that_no_run_works_on() {
    let mut found = upgraded().await;
    let environment = found.observed.as_mut().expect("it can be read");
    environment.blue.group.suspended.insert(Process::AlarmNotification);
    assert_eq!(told(&found, "holds").len(), 1);
    let mut busy = found.clone();
    busy.open_runs = vec![(RunId::new("01a"), "deploy".to_owned())];
    assert_eq!(told(&busy, "holds"), [""; 0]);
    found.observed.as_mut().expect("it can be read").green = None;
    assert_eq!(told(&found, "holds"), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_group_that_nothing_can_be_deployed_to_is_a_problem() {
    let mut found = upgraded().await;
    let environment = found.observed.as_mut().expect("it can be read");
    let green = environment.green.as_mut().expect("it is upgraded");
    green.group.launch = LaunchSource::Unsupported("thin air".to_owned());
    let wanted = ["problem: nginx-live-green (green) launches from thin air"];
    assert_eq!(told(&found, "templates"), wanted);
}

#[tokio::test(start_paused = true)]
async fn after_an_upgrade_no_upgrade_protects_a_load_balancer() {
    let mut found = upgraded().await;
    found.load_balancers.iter_mut().for_each(|one| one.deletion_protection = false);
    let findings = examine(&found);
    let bare = findings.iter().find(|one| one.check == "deletion protection").expect("it is bare");
    let mend = bare.mend.as_deref().expect("it can be mended");
    assert!(mend.contains("modify-load-balancer-attributes"), "{mend}");
}

#[tokio::test(start_paused = true)]
async fn another_environment_that_cannot_be_read_is_noted_and_this_one_told_elsewhere() {
    let mut found = upgraded().await;
    let unread =
        |name: &str| Unread { environment: EnvironmentName::new(name), why: "denied".to_owned() };
    found.unclaimed_by = vec![unread("IE-L-NGINX"), unread("IE-L-JOBS")];
    let wanted = ["note: environment `IE-L-JOBS` cannot be read: denied"];
    assert_eq!(told(&found, "orphans"), wanted);
}

fn permission(operation: &str, verdict: PermissionVerdict, evidence: Evidence) -> Permission {
    let action = format!("elasticloadbalancing:{operation}");
    Permission { operation: operation.to_owned(), action, verdict, evidence }
}

#[tokio::test(start_paused = true)]
async fn what_is_allowed_is_said_with_how_that_is_known() {
    let mut found = upgraded().await;
    for (evidence, more) in [
        (Evidence::Simulation, ""),
        (Evidence::Documents, ", as its policies say; nobody knows what else forbids"),
    ] {
        let allowed = |operation| permission(operation, PermissionVerdict::Allowed, evidence);
        found.permissions = Ok(vec![allowed("deploy"), allowed("switch"), allowed("deploy")]);
        let wanted = format!("ok: all there is for deploy, switch{more}");
        assert_eq!(told(&found, "permissions"), [wanted]);
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_well_as_long_as_one_action_is_in_the_dark() {
    let mut found = upgraded().await;
    let of = |operation, verdict| permission(operation, verdict, Evidence::Documents);
    let dark = || of("scaledown", PermissionVerdict::Unknown("it depends on a tag".to_owned()));
    let all = "note: what these credentials may do is not known: it depends on a tag";
    let one = "note: whether these credentials may do elasticloadbalancing:scaledown is not known: \
               it depends on a tag";
    found.permissions = Ok(vec![dark()]);
    assert_eq!(told(&found, "permissions"), [all]);
    found.permissions = Ok(vec![dark(), of("switch", PermissionVerdict::Allowed)]);
    assert_eq!(told(&found, "permissions"), [one]);
    found.permissions = Ok(vec![dark(), of("switch", PermissionVerdict::Denied)]);
    let denied = "problem: `switch` may not do elasticloadbalancing:switch";
    assert_eq!(told(&found, "permissions"), [denied, one]);
}
