use std::collections::{BTreeMap, BTreeSet};

use super::{Examination, Finding};
use crate::model::{Evidence, PermissionVerdict};

/// Holds the credentials against the account that is meant.
pub(super) fn account(found: &Examination) -> Vec<Finding> {
    const CHECK: &str = "account";
    vec![match &found.account {
        Err(why) => Finding::problem(
            CHECK,
            format!("nobody knows whose credentials these are: {why}"),
            "no operation can begin",
        )
        .mended_by("aws sts get-caller-identity"),
        Ok((account, alias)) if *account == found.wanted => {
            Finding::ok(CHECK, format!("account {}", account.with_alias(alias.as_deref())))
        }
        Ok((account, alias)) => Finding::problem(
            CHECK,
            format!(
                "these credentials are of account {}, and the environment is in account {}",
                account.with_alias(alias.as_deref()),
                found.wanted
            ),
            "every operation refuses, and nothing else can be judged",
        )
        .mended_by("choose the right profile: `--profile NAME`"),
    }]
}

/// Tells what each operation lacks.
pub(super) fn permissions(found: &Examination) -> Vec<Finding> {
    const CHECK: &str = "permissions";
    let name = &found.environment;
    let permissions = match &found.permissions {
        Ok(permissions) => permissions,
        Err(why) => return vec![unknown(CHECK, name.as_str(), why)],
    };
    let mut denied: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut allowed: BTreeSet<&str> = BTreeSet::new();
    let mut dark: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for one in permissions {
        match &one.verdict {
            PermissionVerdict::Allowed => drop(allowed.insert(&one.operation)),
            PermissionVerdict::Denied => {
                denied.entry(&one.operation).or_default().push(&one.action);
            }
            PermissionVerdict::Unknown(why) => {
                dark.entry(why).or_default().insert(&one.action);
            }
        }
    }
    let mut findings: Vec<Finding> = denied
        .iter()
        .map(|(operation, actions)| {
            let what = format!("`{operation}` may not do {}", actions.join(", "));
            Finding::problem(CHECK, what, "it fails there, and may not be able to go back")
                .mended_by(format!("bluegreen iam-policy {name} --operation {operation}"))
        })
        .collect();
    let is_all_dark = allowed.is_empty() && denied.is_empty();
    findings.extend(dark.iter().map(|(why, actions)| {
        if is_all_dark {
            return unknown(CHECK, name.as_str(), why);
        }
        let actions: Vec<&str> = actions.iter().copied().collect();
        let what = format!("whether these credentials may do {} is not known", actions.join(", "));
        Finding::note(CHECK, format!("{what}: {why}"), "an operation may be refused on its way")
    }));
    let well = allowed.iter().filter(|operation| !denied.contains_key(*operation));
    let well: Vec<&str> = well.copied().collect();
    if !well.is_empty() && dark.is_empty() {
        let is_read = permissions.iter().any(|one| one.evidence == Evidence::Documents);
        let how =
            if is_read { ", as its policies say; nobody knows what else forbids" } else { "" };
        findings.push(Finding::ok(CHECK, format!("all there is for {}{how}", well.join(", "))));
    }
    findings
}

fn unknown(check: &str, environment: &str, why: &str) -> Finding {
    Finding::note(
        check,
        format!("what these credentials may do is not known: {why}"),
        "an operation may be refused on its way",
    )
    .mended_by(format!("bluegreen iam-policy {environment}"))
}

/// Tells what could not be looked at.
pub(super) fn unread(found: &Examination) -> Vec<Finding> {
    let finding = |what: &String| {
        Finding::warning(
            "reading",
            format!("not looked at: {what}"),
            "what is wrong there is not told",
        )
    };
    found.unread.iter().map(finding).collect()
}
