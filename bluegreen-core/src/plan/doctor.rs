//! Judges how an environment stands: what was found goes in, findings come out.

mod account;
mod colors;
mod leftovers;
mod network;
mod quotas;

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Disparity, Orphan, Unread};
use crate::model::{
    AccountId, Environment, EnvironmentName, LoadBalancer, LoadBalancerName, Permission, PortRange,
    Quota, RunId, TargetGroupName, TargetGroupSettings,
};
use crate::transaction::Held;

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FindingSeverity {
    /// It is as it should be.
    Ok,
    /// It is good to know.
    Note,
    /// It will hurt some day.
    Warning,
    /// It stands in the way of an operation, or hurts now.
    Problem,
}

impl FindingSeverity {
    /// Returns the severity in lower case.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Problem => "problem",
        }
    }
}

impl fmt::Display for FindingSeverity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Something that a look at an environment found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Finding {
    /// How much it matters.
    pub severity: FindingSeverity,
    /// What was looked at, in a word.
    pub check: String,
    /// What was found.
    pub what: String,
    /// Why it matters; empty where all is well.
    pub why: String,
    /// The command that mends it, if one does.
    pub mend: Option<String>,
}

impl Finding {
    fn new(severity: FindingSeverity, check: &str, what: impl Into<String>, why: &str) -> Self {
        let (check, what, why) = (check.to_owned(), what.into(), why.to_owned());
        Self { severity, check, what, why, mend: None }
    }

    fn ok(check: &str, what: impl Into<String>) -> Self {
        Self::new(FindingSeverity::Ok, check, what, "")
    }

    fn note(check: &str, what: impl Into<String>, why: &str) -> Self {
        Self::new(FindingSeverity::Note, check, what, why)
    }

    fn warning(check: &str, what: impl Into<String>, why: &str) -> Self {
        Self::new(FindingSeverity::Warning, check, what, why)
    }

    fn problem(check: &str, what: impl Into<String>, why: &str) -> Self {
        Self::new(FindingSeverity::Problem, check, what, why)
    }

    fn mended_by(mut self, command: impl Into<String>) -> Self {
        self.mend = Some(command.into());
        self
    }
}

/// Everything that was found out about an environment; what could not be read is told as such.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Examination {
    /// The environment, by name.
    pub environment: EnvironmentName,
    /// The account that it must be in.
    pub wanted: AccountId,
    /// The account that the credentials belong to, with the name that people gave it; or why
    /// nobody knows.
    pub account: Result<(AccountId, Option<String>), String>,
    /// The environment, as the cloud shows it; or why it cannot be read.
    pub observed: Result<Environment, String>,
    /// Where idle listeners may go.
    pub idle_ports: PortRange,
    /// What the caller may do.
    pub permissions: Result<Vec<Permission>, String>,
    /// How much there may be.
    pub quotas: Result<Vec<Quota>, String>,
    /// The load balancers of the environment.
    pub load_balancers: Vec<LoadBalancer>,
    /// The idle ports that the outside can reach, each with what opens it.
    pub open_ports: BTreeMap<LoadBalancerName, BTreeMap<u16, String>>,
    /// Where the scaling groups of both colours differ; nothing if they were not compared.
    pub parity: Option<Vec<Disparity>>,
    /// What would make the target groups again.
    pub target_groups: BTreeMap<TargetGroupName, TargetGroupSettings>,
    /// What could not be read of all these, and why.
    pub unread: Vec<String>,
    /// What runs made for the environment and it does not claim.
    pub orphans: Vec<Orphan>,
    /// The environments that could not be read, so that nobody knows what they claim.
    pub unclaimed_by: Vec<Unread>,
    /// The runs that have not ended.
    pub open_runs: Vec<(RunId, String)>,
    /// Who holds the lock.
    pub held: Option<Held>,
}

impl Examination {
    /// Knows nothing but what a configuration says.
    pub fn new(environment: EnvironmentName, wanted: AccountId, idle_ports: PortRange) -> Self {
        let unread = || "it was not read".to_owned();
        Self {
            environment,
            wanted,
            account: Err(unread()),
            observed: Err(unread()),
            idle_ports,
            permissions: Ok(Vec::new()),
            quotas: Ok(Vec::new()),
            load_balancers: Vec::new(),
            open_ports: BTreeMap::new(),
            parity: None,
            target_groups: BTreeMap::new(),
            unread: Vec::new(),
            orphans: Vec::new(),
            unclaimed_by: Vec::new(),
            open_runs: Vec::new(),
            held: None,
        }
    }

    /// Returns whether the credentials are of the account that the environment must be in.
    pub fn is_the_right_account(&self) -> bool {
        self.account.as_ref().is_ok_and(|(account, _)| *account == self.wanted)
    }
}

/// Judges what was found, worst first.
pub fn examine(found: &Examination) -> Vec<Finding> {
    let mut findings = account::account(found);
    findings.extend(leftovers::runs(found));
    // What belongs to another account says nothing about this environment.
    if found.is_the_right_account() {
        findings.extend(account::permissions(found));
        findings.extend(account::unread(found));
        match &found.observed {
            Ok(environment) => {
                findings.extend(colors::liveness(environment));
                findings.extend(colors::templates(environment));
                findings.extend(colors::holds(found, environment));
                findings.extend(colors::drift(found, environment));
                findings.extend(network::ports(found, environment));
                findings.extend(network::protection(found));
                findings.extend(quotas::quotas(found, environment));
            }
            Err(why) => findings.push(
                Finding::problem(
                    "environment",
                    format!("it cannot be read: {why}"),
                    "no operation can begin",
                )
                .mended_by(format!("bluegreen status {}", found.environment)),
            ),
        }
        findings.extend(leftovers::orphans(found));
    }
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    findings
}
