//! What the next operation takes of a quota, and when that is told.

use bluegreen_core::model::{
    Environment, HealthStrategy, LaunchConfigurationName, LaunchSource, Quota, QuotaKind,
};
use bluegreen_core::plan::{Examination, examine};

use super::look;
use crate::stage::{Scene, Verb};

/// Returns what is said of quotas, with how much it matters.
fn told(found: &Examination, quotas: Vec<Quota>) -> Vec<String> {
    let mut found = found.clone();
    found.quotas = Ok(quotas);
    let findings = examine(&found).into_iter().filter(|one| one.check == "quotas");
    findings.map(|one| format!("{}: {}", one.severity, one.what)).collect()
}

/// Returns how many more of something the next operation needs, for a quota that allows none.
fn needed(found: &Examination, of: QuotaKind) -> Vec<String> {
    let quota = Quota { of, limit: 0, used: Some(7) };
    let told = told(found, vec![quota]);
    let needs = told.iter().filter_map(|one| Some(one.split_once("` needs ")?.1.to_owned()));
    needs.collect()
}

fn environment(found: &mut Examination) -> &mut Environment {
    found.observed.as_mut().expect("it can be read")
}

/// Leaves one pair of target groups of two.
fn smaller(mut found: Examination) -> Examination {
    let environment = environment(&mut found);
    environment.pairs.truncate(1);
    environment.blue.members.truncate(1);
    found
}

#[tokio::test(start_paused = true)]
async fn what_is_left_of_a_quota_is_told_when_it_is_little() {
    let found = look(&Scene::example()).await;
    let of = QuotaKind::ScalingGroups;
    let told = |used, limit| told(&found, vec![Quota { of, limit, used: Some(used) }]);
    let what = "scaling groups of the account and region";
    assert_eq!(told(5, 5), [format!("problem: 5 of 5 {what}: `upgrade` needs 1 more")]);
    assert_eq!(told(5, 6), [format!("warning: 5 of 6 {what}; `upgrade` takes 1")]);
    assert_eq!(told(9, 11), [format!("warning: 9 of 11 {what}; `upgrade` takes 1")]);
    assert_eq!(told(8, 10), ["ok: `upgrade` stays below all of them"]);
    assert_eq!(self::told(&found, vec![]), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn an_upgrade_and_a_deploy_take_of_each_quota_what_they_make() {
    use QuotaKind::{LaunchConfigurations, Listeners, ScalingGroups, TargetGroups, Targets};
    let before = look(&Scene::example()).await;
    let after = look(&Scene::before(Verb::Deploy).await).await;
    let none: [&str; 0] = [];
    assert_eq!(needed(&before, ScalingGroups), ["1 more"]);
    assert_eq!(needed(&before, TargetGroups), ["2 more"]);
    assert_eq!(needed(&before, Listeners), ["4 more"]);
    assert_eq!(needed(&smaller(before.clone()), Listeners), ["2 more"]);
    assert_eq!(needed(&before, Targets), ["0 more"]);
    assert_eq!(needed(&after, ScalingGroups), ["0 more"]);
    assert_eq!(needed(&after, TargetGroups), ["0 more"]);
    assert_eq!(needed(&after, Listeners), ["0 more"]);
    // As many machines as the live colour has, in each target group.
    assert_eq!(needed(&after, Targets), ["6 more"]);
    assert_eq!(needed(&smaller(after.clone()), Targets), ["3 more"]);
    // Where launch templates are launched, nobody counts launch configurations.
    assert_eq!(needed(&before, LaunchConfigurations), none);
    for (mut found, more) in [(before.clone(), "0 more"), (after, "1 more")] {
        let name = LaunchConfigurationName::new("nginx-1");
        environment(&mut found).blue.group.launch = LaunchSource::Configuration(name);
        assert_eq!(needed(&found, LaunchConfigurations), [more]);
    }
    let mut weighted = before.clone();
    environment(&mut weighted).health = HealthStrategy::WeightZero { cuts_connections: false };
    assert_eq!(needed(&weighted, Listeners), ["0 more"]);
    // These are quotas of application load balancers.
    let mut network = before;
    for listener in &mut environment(&mut network).listeners {
        "TCP".clone_into(&mut listener.protocol);
    }
    assert_eq!(needed(&network, Listeners), none);
}
