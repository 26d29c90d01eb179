use std::fmt::Write as _;

use bluegreen_core::change::CloudChange;
use bluegreen_core::model::ResourceKey;
use bluegreen_core::operation::Orphans;
use bluegreen_core::plan::{CloudPlan, Kept, Orphan};
use bluegreen_core::transaction::Change as _;
use serde::Serialize;

use super::Report;
use super::table::Table;
use super::text::{BOLD, GOOD, ODD, count, hang, styled};

/// How much of a run's id is shown, which is enough for `show`.
const RUN: usize = 12;

const INFALLIBLE: &str = "writing to a string cannot fail";

/// Where orphans are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    /// The account.
    pub(crate) account: &'a str,
    /// What the configuration calls it.
    pub(crate) alias: &'a str,
    /// The region.
    pub(crate) region: &'a str,
}

impl Place<'_> {
    fn headline(self, what: &str) -> String {
        let Self { account, alias, region } = self;
        format!("{}  (account {account} {alias}, {region})\n", styled(BOLD, what))
    }
}

/// Returns the orphans of an account and region for people.
pub(crate) fn orphans(
    place: Place<'_>,
    orphans: &Orphans,
    is_deleting: bool,
    width: usize,
) -> String {
    let mut text = place.headline("orphans");
    let all = &orphans.found;
    if all.is_empty() {
        text.push_str("  none\n");
        return text;
    }
    let mut table = Table::new(&["RESOURCE", "MADE BY RUN", "ENVIRONMENT", "VERDICT"]);
    for orphan in all {
        table.row([
            orphan.resource.to_string(),
            orphan.run.as_str().chars().take(RUN).collect(),
            orphan.environment.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string),
            verdict(orphan),
        ]);
    }
    text.push_str(&table.lines(2));
    for (hint, of) in hints(all) {
        text.push_str(&hang("  to do: ", &format!("{hint} ({of})"), width));
    }
    let deletable = all.iter().filter(|orphan| orphan.is_deletable()).count();
    let rest = if deletable > 0 && !is_deleting { ": give `--delete`" } else { "" };
    let all = count(all.len(), "orphan");
    writeln!(text, "{deletable} of {all} can be deleted{rest}").expect(INFALLIBLE);
    text
}

fn verdict(orphan: &Orphan) -> String {
    match &orphan.kept {
        None => styled(GOOD, "can be deleted"),
        Some(kept) => format!("{}: {kept}", styled(ODD, "stays")),
    }
}

/// Returns what must be done first, each once, with what it is about.
fn hints(orphans: &[Orphan]) -> Vec<(String, String)> {
    let mut hints: Vec<(String, &ResourceKey, usize)> = Vec::new();
    for orphan in orphans {
        let Some(hint) = orphan.kept.as_ref().and_then(Kept::hint) else { continue };
        match hints.iter_mut().find(|(known, ..)| *known == hint) {
            Some((_, _, more)) => *more += 1,
            None => hints.push((hint, &orphan.resource, 0)),
        }
    }
    let of = |first: &ResourceKey, more| match more {
        0 => first.to_string(),
        more => format!("{first} and {more} more"),
    };
    hints.into_iter().map(|(hint, first, more)| (hint, of(first, more))).collect()
}

/// The plan of a deletion.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deletion<'a> {
    /// The environment.
    pub(crate) environment: &'a str,
    /// Where it is.
    pub(crate) place: Place<'a>,
    /// What is to be done.
    pub(crate) plan: &'a CloudPlan,
}

impl<'a> Deletion<'a> {
    /// Returns the plan for people.
    pub(crate) fn text(self, width: usize) -> String {
        let Self { environment, place, plan } = self;
        let mut text = place.headline(&format!("delete the orphans of {environment}"));
        let mut shown = None;
        for (step, at, change) in self.changes() {
            if shown.replace(at) != Some(at) {
                writeln!(text, "\n  {}", plan.stages()[at].title).expect(INFALLIBLE);
            }
            let how = change.reversibility().to_string();
            text.push_str(&hang(&format!("{step:>5}  {how:<10}  "), &change.to_string(), width));
        }
        let changes = count(plan.changes().count(), "change");
        let stages = count(plan.stages().len(), "stage");
        writeln!(text, "\n{changes} in {stages}").expect(INFALLIBLE);
        let undo = "undo: a failure or Ctrl-C takes everything back; what is made again has its \
                    settings and its tags, but another identity";
        text.push_str(&hang("", undo, width));
        text
    }

    /// Returns the changes with their steps and stages; a deletion waits for nothing.
    fn changes(self) -> impl Iterator<Item = (u32, usize, &'a CloudChange)> {
        self.plan.steps().filter_map(|(step, at, work)| Some((step.0, at, work.ok()?)))
    }
}

/// What was found and done, for programs.
#[derive(Debug, Default, Serialize)]
pub(crate) struct OrphansReport {
    orphans: Vec<OrphanReport>,
    unread: Vec<UnreadReport>,
    plans: Vec<DeletionReport>,
    runs: Vec<Report>,
}

#[derive(Debug, Serialize)]
struct OrphanReport {
    kind: &'static str,
    name: String,
    account: String,
    region: String,
    run: String,
    environment: Option<String>,
    deletable: bool,
    reason: Option<String>,
    hint: Option<String>,
}

#[derive(Debug, Serialize)]
struct UnreadReport {
    environment: String,
    reason: String,
}

#[derive(Debug, Serialize)]
struct DeletionReport {
    environment: String,
    account: String,
    region: String,
    operation: &'static str,
    state: &'static str,
    changes: usize,
    stages: Vec<StageReport>,
}

#[derive(Debug, Serialize)]
struct StageReport {
    title: String,
    steps: Vec<StepReport>,
}

#[derive(Debug, Serialize)]
struct StepReport {
    step: u32,
    change: String,
    inverse: String,
    reversibility: String,
}

impl OrphansReport {
    /// Adds what was found in an account and region.
    pub(crate) fn add(&mut self, place: Place<'_>, orphans: &Orphans) {
        self.orphans.extend(orphans.found.iter().map(|one| found(place, one)));
        self.unread.extend(orphans.unread.iter().map(|one| UnreadReport {
            environment: one.environment.to_string(),
            reason: one.why.clone(),
        }));
    }

    /// Adds what would be done.
    pub(crate) fn plan(&mut self, deletion: Deletion<'_>) {
        let Deletion { environment, place, plan } = deletion;
        let mut stages: Vec<StageReport> = plan
            .stages()
            .iter()
            .map(|stage| StageReport { title: stage.title.clone(), steps: Vec::new() })
            .collect();
        for (step, at, change) in deletion.changes() {
            stages[at].steps.push(StepReport {
                step,
                change: change.to_string(),
                inverse: change.inverse().to_string(),
                reversibility: change.reversibility().to_string(),
            });
        }
        self.plans.push(DeletionReport {
            environment: environment.to_owned(),
            account: place.account.to_owned(),
            region: place.region.to_owned(),
            operation: "orphans",
            state: "planned",
            changes: plan.changes().count(),
            stages,
        });
    }

    /// Adds how a deletion went.
    pub(crate) fn run(&mut self, report: Report) {
        self.runs.push(report);
    }

    /// Returns whether an orphan names this environment.
    pub(crate) fn names(&self, environment: &str) -> bool {
        self.orphans.iter().any(|one| one.environment.as_deref() == Some(environment))
    }
}

fn found(place: Place<'_>, orphan: &Orphan) -> OrphanReport {
    let (kind, name) = match &orphan.resource {
        ResourceKey::Listener(key) => ("listener", key.to_string()),
        ResourceKey::TargetGroup(name) => ("target-group", name.to_string()),
        ResourceKey::ScalingGroup(name) => ("scaling-group", name.to_string()),
        other => ("other", other.to_string()),
    };
    OrphanReport {
        kind,
        name,
        account: place.account.to_owned(),
        region: place.region.to_owned(),
        run: orphan.run.to_string(),
        environment: orphan.environment.as_ref().map(ToString::to_string),
        deletable: orphan.is_deletable(),
        reason: orphan.kept.as_ref().map(ToString::to_string),
        hint: orphan.kept.as_ref().and_then(Kept::hint),
    }
}
