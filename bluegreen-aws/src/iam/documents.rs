//! The policies that a user or a role has, to be read where IAM simulates nothing.

use std::collections::BTreeSet;

use futures_util::future::{try_join, try_join_all};
use percent_encoding::percent_decode_str;
use serde::Deserialize;

use super::Iam;
use crate::page::Pages;
use crate::query::{CallError, Form, Set, filled};

/// Who has policies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Holder {
    User(String),
    Role(String),
    Group(String),
}

/// The calls that tell what one kind of holder has.
struct Calls {
    parameter: &'static str,
    attached: &'static str,
    listed: &'static str,
    got: &'static str,
}

impl Holder {
    /// Reads the name off an ARN; what comes before it is its path.
    pub(crate) fn of(arn: &str) -> Option<Self> {
        let (_, who) = arn.rsplit_once(':')?;
        let (kind, path) = who.split_once('/')?;
        let name = path.rsplit('/').next()?.to_owned();
        match kind {
            "user" => Some(Self::User(name)),
            "role" => Some(Self::Role(name)),
            _ => None,
        }
    }

    fn name(&self) -> &str {
        let (Self::User(name) | Self::Role(name) | Self::Group(name)) = self;
        name
    }

    fn calls(&self) -> Calls {
        match self {
            Self::User(_) => Calls {
                parameter: "UserName",
                attached: "ListAttachedUserPolicies",
                listed: "ListUserPolicies",
                got: "GetUserPolicy",
            },
            Self::Role(_) => Calls {
                parameter: "RoleName",
                attached: "ListAttachedRolePolicies",
                listed: "ListRolePolicies",
                got: "GetRolePolicy",
            },
            Self::Group(_) => Calls {
                parameter: "GroupName",
                attached: "ListAttachedGroupPolicies",
                listed: "ListGroupPolicies",
                got: "GetGroupPolicy",
            },
        }
    }
}

/// The one result of a reply, whatever the call is named.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Reply {
    #[serde(
        alias = "ListAttachedUserPoliciesResult",
        alias = "ListAttachedRolePoliciesResult",
        alias = "ListAttachedGroupPoliciesResult",
        alias = "ListUserPoliciesResult",
        alias = "ListRolePoliciesResult",
        alias = "ListGroupPoliciesResult",
        alias = "ListGroupsForUserResult",
        alias = "GetUserPolicyResult",
        alias = "GetRolePolicyResult",
        alias = "GetGroupPolicyResult",
        alias = "GetPolicyResult",
        alias = "GetPolicyVersionResult"
    )]
    result: Answer,
}

/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_Operations.html>
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    #[serde(default)]
    attached_policies: Set<Attached>,
    #[serde(default)]
    policy_names: Set<String>,
    #[serde(default)]
    groups: Set<Group>,
    policy: Option<Policy>,
    policy_version: Option<Version>,
    policy_document: Option<String>,
    marker: Option<String>,
}

#[derive(Deserialize)]
struct Attached {
    #[serde(rename = "PolicyArn")]
    arn: String,
}

#[derive(Deserialize)]
struct Group {
    #[serde(rename = "GroupName")]
    name: String,
}

#[derive(Deserialize)]
struct Policy {
    #[serde(rename = "DefaultVersionId")]
    default: String,
}

#[derive(Deserialize)]
struct Version {
    #[serde(rename = "Document")]
    document: String,
}

impl Iam {
    /// Returns the document of every policy that a user or a role has: attached, of its own, and
    /// those of the user's groups.
    pub(crate) async fn documents(&self, holder: Holder) -> Result<Vec<String>, CallError> {
        let mut holders = vec![holder.clone()];
        if let Holder::User(name) = &holder {
            let form = || Form::new("ListGroupsForUser").with("UserName", name);
            let groups = self.pages(form).await?;
            let groups = groups.into_iter().flat_map(|answer| answer.groups.items);
            holders.extend(groups.map(|group| Holder::Group(group.name)));
        }
        let found = try_join_all(holders.iter().map(|one| self.held(one))).await?;
        let (attached, own): (Vec<_>, Vec<_>) = found.into_iter().unzip();
        let attached: BTreeSet<String> = attached.into_iter().flatten().collect();
        let managed = try_join_all(attached.iter().map(|arn| self.managed(arn))).await?;
        let all = own.into_iter().flatten().chain(managed.into_iter().flatten());
        Ok(all.map(|text| percent_decode_str(&text).decode_utf8_lossy().into_owned()).collect())
    }

    /// Returns the ARNs of the policies that are attached to somebody, and the documents of those
    /// that are nobody else's.
    async fn held(&self, holder: &Holder) -> Result<(Vec<String>, Vec<String>), CallError> {
        let calls = holder.calls();
        let form = |action| Form::new(action).with(calls.parameter, holder.name());
        let (attached, listed) =
            try_join(self.pages(|| form(calls.attached)), self.pages(|| form(calls.listed)))
                .await?;
        let attached = attached.into_iter().flat_map(|answer| answer.attached_policies.items);
        let names: Vec<String> =
            listed.into_iter().flat_map(|answer| answer.policy_names.items).collect();
        let own = names.iter().map(|name| {
            let form = form(calls.got).with("PolicyName", name);
            async { Ok::<_, CallError>(self.0.call::<Reply>(form).await?.result.policy_document) }
        });
        let own = try_join_all(own).await?;
        Ok((attached.map(|one| one.arn).collect(), own.into_iter().flatten().collect()))
    }

    /// Returns the document of a managed policy, in the version that counts.
    async fn managed(&self, arn: &str) -> Result<Option<String>, CallError> {
        let reply: Reply = self.0.call(Form::new("GetPolicy").with("PolicyArn", arn)).await?;
        let Some(policy) = reply.result.policy else { return Ok(None) };
        let form = Form::new("GetPolicyVersion").with("PolicyArn", arn);
        let reply: Reply = self.0.call(form.with("VersionId", policy.default)).await?;
        Ok(reply.result.policy_version.map(|version| version.document))
    }

    async fn pages(&self, form: impl Fn() -> Form) -> Result<Vec<Answer>, CallError> {
        let (mut pages, mut marker, mut found) = (Pages::new(), None::<String>, Vec::new());
        loop {
            let reply: Reply = self.0.call(form().with_some("Marker", marker)).await?;
            let next = filled(reply.result.marker.clone());
            found.push(reply.result);
            let Some(next) = next else { return Ok(found) };
            pages.turn(&next).map_err(CallError::construction_failure)?;
            marker = Some(next);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_holder_of_policies_is_read_off_an_arn_with_or_without_a_path() {
        let of = |who: &str| Holder::of(&format!("arn:aws:iam::123456789012:{who}"));
        assert_eq!(of("user/team/alice"), Some(Holder::User("alice".to_owned())));
        assert_eq!(of("role/deployer"), Some(Holder::Role("deployer".to_owned())));
        assert_eq!(of("root"), None);
    }
}
