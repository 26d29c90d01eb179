//! What the caller may do, as IAM simulates it, or as its policies say.

use async_trait::async_trait;
use bluegreen_core::cloud::{CloudError, ReadPermissions};
use bluegreen_core::model::{Estate, Evidence, Permission, PermissionVerdict};
use serde_json::Value;

use super::document::{Document, Request, judge};
use super::table::NEEDS;
use super::{Need, Scope, Task};
use crate::AwsCloud;
use crate::error::{incomplete, read_error, refused};
use crate::iam::{Holder, Simulation};

#[async_trait]
impl ReadPermissions for AwsCloud {
    async fn permissions(&self, estate: &Estate) -> Result<Vec<Permission>, CloudError> {
        let scope = Scope::of(estate, self.region());
        let caller = self.caller().await?;
        let source = match principal(&caller) {
            // Nobody can deny it anything, but its organization, which simulates nothing.
            Some(Principal::Root) => return Ok(all(&PermissionVerdict::Allowed)),
            Some(Principal::Named(source)) => source,
            None => {
                let why = format!("`{caller}` is neither a user nor a role");
                return Ok(all(&PermissionVerdict::Unknown(why)));
            }
        };
        let error = match self.simulate_all(&source, &scope).await {
            Ok(permissions) => return Ok(permissions),
            Err(error) => error,
        };
        if let Ok(documents) = self.documents(&source).await {
            return Ok(as_documented(&documents, &scope));
        }
        let cause = std::error::Error::source(&error).map(|one| format!(": {one}"));
        let why = format!("{error}{}", cause.unwrap_or_default());
        Ok(all(&PermissionVerdict::Unknown(why)))
    }
}

impl AwsCloud {
    /// Returns the ARN of whoever asks.
    async fn caller(&self) -> Result<String, CloudError> {
        const OPERATION: &str = "GetCallerIdentity";
        let answer = self.identity().get_caller_identity().send().await;
        let answer = answer.map_err(|error| read_error(OPERATION, "the caller", error))?;
        answer.arn.ok_or_else(|| incomplete(OPERATION, "the caller", "Arn"))
    }

    /// Reads the policies of a user or a role.
    async fn documents(&self, source: &str) -> Result<Vec<Document>, CloudError> {
        const OPERATION: &str = "GetPolicyVersion";
        let holder = Holder::of(source).ok_or_else(|| incomplete(OPERATION, source, "name"))?;
        let texts = self.iam().documents(holder).await;
        let texts = texts.map_err(|error| read_error(OPERATION, source, error))?;
        let read = |text: &String| {
            serde_json::from_str(text).map_err(|error| refused(OPERATION, source, error))
        };
        texts.iter().map(read).collect()
    }

    async fn simulate_all(
        &self,
        source: &str,
        scope: &Scope,
    ) -> Result<Vec<Permission>, CloudError> {
        let mut permissions = Vec::new();
        // One after the other: IAM is asked by everybody, and the first answer may be that it
        // does not tell.
        for need in NEEDS {
            permissions.extend(self.simulate(source, need, scope).await?);
        }
        Ok(permissions)
    }

    async fn simulate(
        &self,
        source: &str,
        need: &Need,
        scope: &Scope,
    ) -> Result<Vec<Permission>, CloudError> {
        let resources = need.arns(scope);
        if resources.is_empty() {
            return Ok(Vec::new());
        }
        let asked = Simulation {
            source: source.to_owned(),
            actions: need.actions.iter().map(|action| (*action).to_owned()).collect(),
            resources,
            context: context(need, scope),
        };
        let found = self.iam().simulate(&asked).await;
        let found = found.map_err(|error| read_error("SimulatePrincipalPolicy", source, error))?;
        Ok(found
            .into_iter()
            .flat_map(|one| {
                let verdict = if one.is_allowed() {
                    PermissionVerdict::Allowed
                } else {
                    PermissionVerdict::Denied
                };
                for_each_task(need, scope, &one.eval_action_name, Evidence::Simulation, &verdict)
            })
            .collect())
    }
}

/// Judges everything by policy documents alone.
fn as_documented(documents: &[Document], scope: &Scope) -> Vec<Permission> {
    let mut permissions = Vec::new();
    for need in NEEDS {
        let context = context(need, scope);
        let resources = need.arns(scope);
        for action in need.actions {
            let mut verdicts = resources
                .iter()
                .map(|resource| judge(documents, Request { action, resource, context: &context }));
            let Some(first) = verdicts.next() else { continue };
            let verdict = verdicts.fold(first, worse);
            let found = for_each_task(need, scope, action, Evidence::Documents, &verdict);
            permissions.extend(found);
        }
    }
    permissions
}

/// Returns the verdict that is worse news.
fn worse(one: PermissionVerdict, other: PermissionVerdict) -> PermissionVerdict {
    match (one, other) {
        (PermissionVerdict::Denied, _) | (_, PermissionVerdict::Denied) => {
            PermissionVerdict::Denied
        }
        (unknown @ PermissionVerdict::Unknown(_), _)
        | (_, unknown @ PermissionVerdict::Unknown(_)) => unknown,
        _ => PermissionVerdict::Allowed,
    }
}

fn for_each_task(
    need: &Need,
    scope: &Scope,
    action: &str,
    evidence: Evidence,
    verdict: &PermissionVerdict,
) -> Vec<Permission> {
    let tasks = need.by.iter().filter(|task| need.is_for(**task, scope));
    tasks.map(|task| permission(*task, action, evidence, verdict)).collect()
}

/// Whom IAM can be asked about.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Principal {
    Root,
    Named(String),
}

/// Finds the user or the role behind a caller.
///
/// The path of a role is not in the ARN of a session: one that has a path is not found, and
/// nothing is known then.
fn principal(caller: &str) -> Option<Principal> {
    let mut parts = caller.splitn(6, ':');
    let (arn, partition, service) = (parts.next()?, parts.next()?, parts.next()?);
    let (_, account, who) = (parts.next()?, parts.next()?, parts.next()?);
    match (service, who.split('/').collect::<Vec<_>>().as_slice()) {
        ("iam", ["root"]) => Some(Principal::Root),
        ("iam", ["user" | "role", ..]) => Some(Principal::Named(caller.to_owned())),
        ("sts", ["assumed-role", role, _]) => {
            Some(Principal::Named(format!("{arn}:{partition}:iam::{account}:role/{role}")))
        }
        _ => None,
    }
}

/// Returns what a condition asks for, as it would be true.
fn context(need: &Need, scope: &Scope) -> Vec<(String, Vec<String>)> {
    let conditions = need.only.condition(scope);
    let tests = conditions.values().filter_map(Value::as_object).flatten();
    let text = |value: &Value| value.as_str().map(str::to_owned);
    tests
        .map(|(key, value)| {
            let values = match value {
                Value::Array(many) => many.iter().filter_map(text).collect(),
                one => text(one).into_iter().collect(),
            };
            (key.clone(), values)
        })
        .collect()
}

fn permission(
    task: Task,
    action: &str,
    evidence: Evidence,
    verdict: &PermissionVerdict,
) -> Permission {
    let (operation, action) = (task.as_str().to_owned(), action.to_owned());
    Permission { operation, action, verdict: verdict.clone(), evidence }
}

/// Says the same of everything.
fn all(verdict: &PermissionVerdict) -> Vec<Permission> {
    let each = NEEDS.iter().flat_map(|need| {
        let pairs = need.by.iter().flat_map(|task| need.actions.iter().map(move |one| (task, one)));
        pairs.map(|(task, action)| permission(*task, action, Evidence::Simulation, verdict))
    });
    each.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_stands_for_its_role() {
        let named = |arn: &str| Some(Principal::Named(arn.to_owned()));
        let user = "arn:aws:iam::123456789012:user/team/alice";
        assert_eq!(principal(user), named(user));
        assert_eq!(
            principal("arn:aws:sts::123456789012:assumed-role/deployer/alice"),
            named("arn:aws:iam::123456789012:role/deployer")
        );
        assert_eq!(principal("arn:aws:iam::123456789012:root"), Some(Principal::Root));
        assert_eq!(principal("arn:aws:sts::123456789012:federated-user/alice"), None);
        assert_eq!(principal("nobody"), None);
    }
}
