//! The calls of IAM that are needed.

mod documents;

use std::sync::Arc;

use aws_types::SdkConfig;
use serde::Deserialize;

use crate::InvalidConfig;
use crate::budget::{Budget, Call};
use crate::page::Pages;
use crate::query::{CallError, Form, Query, Service, Set, filled};

pub(crate) use documents::Holder;

/// AWS Identity and Access Management, which has one endpoint for all regions.
const SERVICE: Service = Service {
    id: "IAM",
    prefix: "iam",
    version: "2010-05-08",
    global: true,
    call: Call::Identity,
    charge: |_| Call::Identity,
};

/// A client of IAM.
#[derive(Clone, Debug)]
pub(crate) struct Iam(Query);

/// What is to be found out about a user or a role.
#[derive(Clone, Debug)]
pub(crate) struct Simulation {
    pub(crate) source: String,
    pub(crate) actions: Vec<String>,
    pub(crate) resources: Vec<String>,
    /// Keys of conditions, each with its values.
    pub(crate) context: Vec<(String, Vec<String>)>,
}

/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_EvaluationResult.html>
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Evaluation {
    pub(crate) eval_action_name: String,
    eval_decision: String,
    #[serde(default)]
    resource_specific_results: Set<ResourceEvaluation>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ResourceEvaluation {
    eval_resource_decision: String,
}

impl Evaluation {
    /// Returns whether the action is allowed on every resource that was asked about.
    pub(crate) fn is_allowed(&self) -> bool {
        const ALLOWED: &str = "allowed";
        let mut each = self.resource_specific_results.items.iter();
        self.eval_decision == ALLOWED && each.all(|one| one.eval_resource_decision == ALLOWED)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SimulateReply {
    simulate_principal_policy_result: SimulateResult,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SimulateResult {
    #[serde(default)]
    evaluation_results: Set<Evaluation>,
    marker: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AliasesReply {
    list_account_aliases_result: AliasesResult,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AliasesResult {
    #[serde(default)]
    account_aliases: Set<String>,
}

impl Iam {
    /// Makes a client that is configured as the SDK's own would be.
    pub(crate) fn new(config: &SdkConfig, budget: &Arc<Budget>) -> Result<Self, InvalidConfig> {
        Query::new(config, budget, SERVICE).map(Self)
    }

    /// Returns the name that people gave the account; there is one at most.
    ///
    /// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListAccountAliases.html>
    pub(crate) async fn account_alias(&self) -> Result<Option<String>, CallError> {
        let reply: AliasesReply = self.0.call(Form::new("ListAccountAliases")).await?;
        Ok(reply.list_account_aliases_result.account_aliases.items.into_iter().next())
    }

    /// Finds out what a user or a role may do; does none of it.
    ///
    /// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html>
    pub(crate) async fn simulate(&self, asked: &Simulation) -> Result<Vec<Evaluation>, CallError> {
        let (mut pages, mut marker, mut found) = (Pages::new(), None::<String>, Vec::new());
        loop {
            let form = Form::new("SimulatePrincipalPolicy")
                .with("PolicySourceArn", asked.source.as_str())
                .with_list("ActionNames.member", asked.actions.iter().map(String::as_str))
                .with_list("ResourceArns.member", asked.resources.iter().map(String::as_str))
                .with_some("Marker", marker);
            let entries = (1..).zip(&asked.context);
            let form = entries.fold(form, |form, (at, (key, values)): (u32, _)| {
                let entry = format!("ContextEntries.member.{at}");
                let kind = if values.len() == 1 { "string" } else { "stringList" };
                form.with(format!("{entry}.ContextKeyName"), key.as_str())
                    .with(format!("{entry}.ContextKeyType"), kind)
                    .with_list(
                        &format!("{entry}.ContextKeyValues.member"),
                        values.iter().map(String::as_str),
                    )
            });
            let reply: SimulateReply = self.0.call(form).await?;
            let result = reply.simulate_principal_policy_result;
            found.extend(result.evaluation_results.items);
            let Some(next) = filled(result.marker) else { return Ok(found) };
            pages.turn(&next).map_err(CallError::construction_failure)?;
            marker = Some(next);
        }
    }
}
