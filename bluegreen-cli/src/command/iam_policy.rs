use bluegreen_aws::{IamPolicy, Scope, Task};
use bluegreen_core::model::{LoadBalancerName, TargetGroupName};
use bluegreen_core::operation::observe;

use super::Session;
use crate::args::IamPolicy as Options;
use crate::config::Environment;
use crate::connect::Connector;
use crate::exit;
use crate::failure::Failure;
use crate::store;

/// Writes a policy, which is JSON whatever `--output` says.
pub(super) async fn run(session: &Session, options: &Options) -> Result<u8, Failure> {
    let environment = session.config()?.environment(&options.environment)?.clone();
    let tasks = match options.operations.as_slice() {
        [] => &Task::ALL[..],
        some => some,
    };
    let policy = IamPolicy::allowing(&scope(session, options, &environment).await?, tasks);
    let parts = policy.parts();
    let chosen = match options.part {
        None => {
            note_length(session, &policy, parts.len());
            &policy
        }
        Some(number) => parts.get(usize::from(number) - 1).ok_or_else(|| {
            Failure::usage(format!("there is no part {number}: there are {}", parts.len()))
        })?,
    };
    let text = serde_json::to_string_pretty(chosen).expect("a policy is plain text");
    session.out.text(&format!("{text}\n"));
    Ok(exit::DONE)
}

/// Says what the policy is about, as far as the configuration tells, or the cloud if it is asked.
async fn scope(
    session: &Session,
    options: &Options,
    environment: &Environment,
) -> Result<Scope, Failure> {
    let mut connector = Connector::new(&session.global);
    let region = connector.region(environment).to_owned();
    let roles = options.instance_roles.iter().cloned();
    let mut scope = Scope::new(&environment.spec, region).with_instance_roles(roles);
    if let Some(url) = store::bucket(&session.global)? {
        match url.profile {
            // Somebody else uses it.
            Some(profile) => session.out.note(&format!(
                "the bucket `{}` is used as profile `{profile}`: its permissions are left out",
                url.bucket
            )),
            None => scope = scope.with_bucket(url.bucket, url.prefix),
        }
    }
    if options.narrow {
        let cloud = connector.connect(environment).await?;
        let found = observe(&*cloud, &environment.spec).await?;
        let load_balancers: Vec<LoadBalancerName> = found.load_balancers().into_iter().collect();
        let target_groups: Vec<TargetGroupName> =
            found.pairs.iter().map(|pair| pair.blue.clone()).collect();
        scope = scope.with_load_balancers(load_balancers).with_target_groups(target_groups);
    }
    Ok(scope)
}

/// Says that a policy is too long to be managed, if it is.
fn note_length(session: &Session, policy: &IamPolicy, parts: usize) {
    if parts > 1 {
        session.out.note(&format!(
            "it has {} characters, and a managed policy may have {}: write `--part 1` to \
             `--part {parts}` and attach all, or put it into the role itself",
            policy.length(),
            IamPolicy::LONGEST
        ));
    }
}
