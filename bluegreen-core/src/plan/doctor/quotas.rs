use super::{Examination, Finding};
use crate::model::{Environment, HealthStrategy, LaunchSource, LoadBalancerName, Quota, QuotaKind};

/// Holds what the next operation makes against what there may be.
pub(super) fn quotas(found: &Examination, environment: &Environment) -> Vec<Finding> {
    const CHECK: &str = "quotas";
    let quotas = match &found.quotas {
        Ok(quotas) => quotas,
        Err(why) => {
            return vec![Finding::note(
                CHECK,
                format!("they are not known: {why}"),
                "an operation may be refused on its way",
            )];
        }
    };
    let mut findings = Vec::new();
    for quota in quotas {
        for (whose, used, needed) in demands(*quota, environment) {
            let Quota { of, limit, .. } = quota;
            let next = next(environment);
            let what = format!("{used} of {limit} {of}{whose}");
            if used + needed > *limit {
                findings.push(
                    Finding::problem(
                        CHECK,
                        format!("{what}: `{next}` needs {needed} more"),
                        "it would fail half way, and be taken back",
                    )
                    .mended_by(
                        "ask AWS for more at `aws service-quotas`, or delete what is unused",
                    ),
                );
            } else if (used + needed) * 10 > limit * 9 {
                findings.push(Finding::warning(
                    CHECK,
                    format!("{what}; `{next}` takes {needed}"),
                    "there is little left",
                ));
            }
        }
    }
    if findings.is_empty() && !quotas.is_empty() {
        findings
            .push(Finding::ok(CHECK, format!("`{}` stays below all of them", next(environment))));
    }
    findings
}

/// Returns what comes next.
fn next(environment: &Environment) -> &'static str {
    if environment.is_upgraded() { "deploy" } else { "upgrade" }
}

/// Returns what a quota is used by now, and what comes to it with the next operation; whose it is
/// comes first. What nobody counts is left out.
fn demands(quota: Quota, environment: &Environment) -> Vec<(String, u64, u64)> {
    let is_upgrade = !environment.is_upgraded();
    let pairs = number(environment.pairs.len());
    let of_region = |needed: u64| -> Vec<(String, u64, u64)> {
        quota.used.map(|used| (String::new(), used, needed)).into_iter().collect()
    };
    match quota.of {
        QuotaKind::ScalingGroups => of_region(u64::from(is_upgrade)),
        QuotaKind::TargetGroups => of_region(if is_upgrade { pairs } else { 0 }),
        QuotaKind::LaunchConfigurations => {
            let is_one = matches!(environment.blue.group.launch, LaunchSource::Configuration(_));
            if is_one { of_region(u64::from(!is_upgrade)) } else { Vec::new() }
        }
        QuotaKind::Listeners => each(environment, |name| {
            let there = environment.listeners.iter();
            let used = there.filter(|listener| listener.key.load_balancer == *name).count();
            // One for each colour of each pair.
            let is_made = is_upgrade && environment.health == HealthStrategy::IdleListener;
            (number(used), if is_made { 2 * pairs_on(environment, name) } else { 0 })
        }),
        QuotaKind::Targets => each(environment, |name| {
            let members = environment.sides().flat_map(|(_, side)| &side.members);
            let here = members.filter(|member| member.target_group.load_balancers.contains(name));
            let used = here.map(|member| number(member.health.len())).sum();
            let more = u64::from(environment.blue.group.capacity.desired);
            (used, if is_upgrade { 0 } else { more * pairs_on(environment, name) })
        }),
        // What else is on a load balancer is not read.
        QuotaKind::TargetGroupsOfOne => Vec::new(),
    }
}

fn each(
    environment: &Environment,
    count: impl Fn(&LoadBalancerName) -> (u64, u64),
) -> Vec<(String, u64, u64)> {
    // These are quotas of application load balancers.
    let is_application = |name: &LoadBalancerName| {
        let mut listeners = environment.listeners.iter();
        !listeners.any(|one| one.key.load_balancer == *name && one.is_of_network())
    };
    let names = environment.load_balancers().into_iter();
    names
        .filter(is_application)
        .map(|name| {
            let (used, needed) = count(&name);
            (format!(" ({name})"), used, needed)
        })
        .collect()
}

/// Counts the pairs that are on a load balancer.
fn pairs_on(environment: &Environment, name: &LoadBalancerName) -> u64 {
    let members = environment.blue.members.iter();
    number(members.filter(|one| one.target_group.load_balancers.contains(name)).count())
}

fn number(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
