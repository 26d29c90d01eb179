use super::{Examination, Finding};

/// Finds runs that nobody finishes, and locks that nobody gives back.
pub(super) fn runs(found: &Examination) -> Vec<Finding> {
    const CHECK: &str = "runs";
    let mut findings = Vec::new();
    let holds =
        |run: &crate::model::RunId| found.held.as_ref().filter(|held| held.holder.run == *run);
    for (run, operation) in &found.open_runs {
        findings.push(match holds(run) {
            Some(held) => Finding::note(
                CHECK,
                format!("run {run} ({operation}) is under way: {held}"),
                "nothing else can begin meanwhile",
            )
            .mended_by(format!("bluegreen lock status {}", found.environment)),
            None => Finding::problem(
                CHECK,
                format!("run {run} ({operation}) has not ended, and nobody works on it"),
                "nothing else can begin, and what it did stands half done",
            )
            .mended_by(format!("bluegreen recover {run}")),
        });
    }
    let is_open = |run| found.open_runs.iter().any(|(open, _)| open == run);
    if let Some(held) = found.held.as_ref().filter(|held| !is_open(&held.holder.run)) {
        findings.push(
            Finding::note(CHECK, format!("the lock is held: {held}"), "nothing else can begin")
                .mended_by(format!("bluegreen lock status {}", found.environment)),
        );
    }
    if findings.is_empty() {
        findings.push(Finding::ok(CHECK, "none is open, and nobody holds the lock"));
    }
    findings
}

/// Finds what runs made and nobody claims.
pub(super) fn orphans(found: &Examination) -> Vec<Finding> {
    const CHECK: &str = "orphans";
    let name = &found.environment;
    let mut findings: Vec<Finding> = found
        .unclaimed_by
        .iter()
        .filter(|unread| unread.environment != *name)
        .map(|unread| {
            let what =
                format!("environment `{}` cannot be read: {}", unread.environment, unread.why);
            Finding::note(CHECK, what, "nobody knows what it claims")
        })
        .collect();
    if !found.orphans.is_empty() {
        let names: Vec<String> =
            found.orphans.iter().map(|orphan| orphan.resource.to_string()).collect();
        findings.push(
            Finding::warning(
                CHECK,
                format!("no environment claims {}", names.join(", ")),
                "they cost money, and the names they have are taken",
            )
            .mended_by(format!("bluegreen orphans {name} --delete")),
        );
    }
    if findings.is_empty() {
        findings.push(Finding::ok(CHECK, "there are none"));
    }
    findings
}
