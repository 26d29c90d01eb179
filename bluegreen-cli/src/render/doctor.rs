use bluegreen_core::plan::{Finding, FindingSeverity};
use serde::Serialize;

use super::text::{BAD, BOLD, DIM, GOOD, ODD, count, hang, styled};

/// How an environment stands. The fields are a contract: more may come, none of these change.
#[derive(Debug, Serialize)]
pub(crate) struct DoctorReport {
    environment: String,
    account: String,
    region: String,
    worst: FindingSeverity,
    findings: Vec<Finding>,
    #[serde(skip)]
    alias: String,
}

impl DoctorReport {
    /// Takes findings, worst first.
    pub(crate) fn new(
        environment: &str,
        account: &str,
        alias: &str,
        region: &str,
        findings: Vec<Finding>,
    ) -> Self {
        let worst = findings.iter().map(|finding| finding.severity).max();
        Self {
            environment: environment.to_owned(),
            account: account.to_owned(),
            region: region.to_owned(),
            worst: worst.unwrap_or(FindingSeverity::Ok),
            findings,
            alias: alias.to_owned(),
        }
    }

    /// Returns the severity of the worst finding.
    pub(crate) fn worst(&self) -> FindingSeverity {
        self.worst
    }
}

/// Returns a report for people.
pub(crate) fn doctor(report: &DoctorReport, width: usize) -> String {
    let DoctorReport { environment, account, alias, region, .. } = report;
    let mut text = format!(
        "{}  {}  (account {account} {alias}, {region})\n\n",
        styled(BOLD, environment),
        verdict(report)
    );
    for finding in &report.findings {
        text.push_str(&one(finding, width));
    }
    text
}

fn verdict(report: &DoctorReport) -> String {
    let number = |severity| report.findings.iter().filter(|one| one.severity == severity).count();
    let parts: Vec<String> = [
        (FindingSeverity::Problem, "problem"),
        (FindingSeverity::Warning, "warning"),
        (FindingSeverity::Note, "note"),
    ]
    .into_iter()
    .filter(|(severity, _)| number(*severity) > 0)
    .map(|(severity, word)| count(number(severity), word))
    .collect();
    if parts.is_empty() { styled(GOOD.bold(), "all is well") } else { parts.join(", ") }
}

fn one(finding: &Finding, width: usize) -> String {
    let style = match finding.severity {
        FindingSeverity::Problem => BAD.bold(),
        FindingSeverity::Warning => ODD.bold(),
        FindingSeverity::Note => BOLD,
        FindingSeverity::Ok => GOOD,
    };
    let head = format!("  {}  ", styled(style, &format!("{:<7}", finding.severity)));
    let mut text = hang(&head, &format!("{}: {}", finding.check, finding.what), width);
    let below = " ".repeat(11);
    if !finding.why.is_empty() {
        text.push_str(&hang(&below, &styled(DIM, &finding.why), width));
    }
    if let Some(mend) = &finding.mend {
        text.push_str(&hang(&format!("{below}mend: "), mend, width));
    }
    text
}
