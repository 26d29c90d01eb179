use bluegreen_core::model::{AccountId, EnvironmentName, LoadBalancerName, ScalingGroupName};
use bluegreen_core::operation::EnvironmentSpec;

use super::*;

fn scope() -> Scope {
    let spec = EnvironmentSpec::new(
        EnvironmentName::new("IE-L-NGINX"),
        AccountId::new("444455556666"),
        ScalingGroupName::new("nginx-live"),
        "18080-18099".parse().unwrap(),
    );
    Scope::new(&spec, "eu-west-1")
}

fn find<'a>(policy: &'a IamPolicy, sid: &str) -> Option<&'a Statement> {
    policy.statements().iter().find(|one| one.sid == sid)
}

#[test]
fn a_switch_moves_routes_and_holds_scaling_and_nothing_else() {
    let policy = IamPolicy::allowing(&scope(), &[Task::Switch]);
    let reads = |action: &&str| [":Describe", ":Get"].iter().any(|verb| action.contains(verb));
    let writes: Vec<&str> = policy.actions().into_iter().filter(|one| !reads(one)).collect();
    assert_eq!(
        writes,
        [
            "autoscaling:CreateOrUpdateTags",
            "autoscaling:DeleteTags",
            "autoscaling:ResumeProcesses",
            "autoscaling:SuspendProcesses",
            "elasticloadbalancing:ModifyListener",
            "elasticloadbalancing:ModifyRule",
        ]
    );
}

#[test]
fn whoever_only_looks_may_change_nothing() {
    let policy = IamPolicy::allowing(&scope().with_bucket("state", "blue"), &[Task::Status]);
    for action in policy.actions() {
        let reads = [":Describe", ":Get", ":List"].iter().any(|verb| action.contains(verb));
        assert!(reads, "{action}");
    }
}

#[test]
fn no_policy_lets_anybody_delete_a_load_balancer_or_force_a_deletion() {
    for tasks in Task::ALL.iter().map(std::slice::from_ref).chain([&Task::ALL[..]]) {
        let policy = IamPolicy::allowing(&scope(), tasks);
        assert!(!policy.actions().contains("elasticloadbalancing:DeleteLoadBalancer"));
        for sid in ["NeverDeleteLoadBalancers", "NeverForce"] {
            let deny = find(&policy, sid).unwrap_or_else(|| panic!("{tasks:?}: {sid}"));
            assert_eq!(deny.effect, Effect::Deny);
        }
    }
}

#[test]
fn nothing_is_changed_on_anything_but_launches_from_templates() {
    let policy = IamPolicy::allowing(&scope(), &Task::ALL);
    for one in policy.statements().iter().filter(|one| one.effect == Effect::Allow) {
        let reads = one.action.iter().all(|action| {
            [":Describe", ":Get", ":List", ":Simulate"].iter().any(|verb| action.contains(verb))
        });
        let anything = one.resource.iter().any(|arn| arn == "*");
        let is_conditional = !one.condition.is_empty();
        assert!(reads || !anything || is_conditional, "{one:?}");
    }
}

#[test]
fn what_is_made_is_tagged_and_what_is_deleted_is_ours() {
    let policy = IamPolicy::allowing(&scope(), &[Task::Upgrade]);
    let text = |sid| serde_json::to_string(&find(&policy, sid).unwrap().condition).unwrap();
    let made = "{\"StringEquals\":{\"aws:RequestTag/bluegreen:environment\":\"IE-L-NGINX\"}}";
    for sid in ["MakeIdleListeners", "MakeTargetGroups", "MakeScalingGroup"] {
        assert_eq!(text(sid), made);
    }
    for sid in ["DeleteIdleListeners", "OwnTargetGroups", "DeleteScalingGroup"] {
        assert_eq!(text(sid), made.replace("RequestTag", "ResourceTag"));
    }
}

#[test]
fn names_that_are_known_narrow_it() {
    let arns = |scope: &Scope, sid| {
        find(&IamPolicy::allowing(scope, &Task::ALL), sid).map(|one| one.resource.clone())
    };
    let listener = "arn:aws:elasticloadbalancing:eu-west-1:444455556666:listener";
    let wide = scope();
    assert_eq!(arns(&wide, "SwitchListeners"), Some(vec![format!("{listener}/*/*/*/*")]));
    assert_eq!(arns(&wide, "ReadRuns"), None);
    let narrow = wide
        .with_load_balancers([LoadBalancerName::new("nginx-live")])
        .with_instance_roles(["nginx".to_owned()])
        .with_bucket("state", "");
    assert_eq!(
        arns(&narrow, "SwitchListeners"),
        Some(vec![format!("{listener}/*/nginx-live/*/*")])
    );
    let role = "arn:aws:iam::444455556666:role/nginx";
    assert_eq!(arns(&narrow, "PassInstanceRoles"), Some(vec![role.to_owned()]));
    assert_eq!(arns(&narrow, "ReadRuns"), Some(vec!["arn:aws:s3:::state/*".to_owned()]));
    let groups = [
        "arn:aws:autoscaling:eu-west-1:444455556666:autoScalingGroup:*:autoScalingGroupName/nginx-live",
        "arn:aws:autoscaling:eu-west-1:444455556666:autoScalingGroup:*:autoScalingGroupName/nginx-live-green",
    ];
    assert_eq!(arns(&narrow, "ChangeScalingGroups"), Some(groups.map(str::to_owned).to_vec()));
}

/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_sid.html>
#[test]
fn a_policy_is_divided_into_parts_that_iam_takes() {
    let mut scope = scope().with_bucket("a-team-with-a-long-name-state", "bluegreen/production");
    scope.blue = ScalingGroupName::new("a-service-with-a-long-name-in-production");
    scope.green = ScalingGroupName::new("a-service-with-a-long-name-in-production-green");
    let policy = IamPolicy::allowing(&scope, &Task::ALL);
    let parts = policy.parts();
    assert!(parts.len() > 1 && parts.iter().all(|part| part.length() <= IamPolicy::LONGEST));
    let all: Vec<Statement> = parts.into_iter().flat_map(|part| part.statement).collect();
    assert_eq!(all, policy.statements());
    let sids: BTreeSet<&str> = all.iter().map(|one| one.sid).collect();
    assert_eq!(sids.len(), all.len());
    assert!(sids.iter().all(|sid| sid.bytes().all(|byte| byte.is_ascii_alphanumeric())));
    for task in Task::ALL {
        let parts = IamPolicy::allowing(&scope, &[task]).parts();
        assert!(parts.len() <= 2, "the policy of {task} alone is short");
    }
}

#[test]
fn nothing_here_can_call_for_the_deletion_of_a_load_balancer() {
    fn sources(folder: &std::path::Path, found: &mut Vec<std::path::PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                sources(&path, found);
            } else {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    sources(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
    assert!(found.len() > 50, "{found:?}");
    // The SDK's method for it; put together so that this file does not name it.
    let call = ["delete", "load", "balancer("].join("_");
    for path in found {
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(!text.contains(&call), "{}", path.display());
    }
}
