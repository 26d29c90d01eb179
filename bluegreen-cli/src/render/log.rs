use std::collections::BTreeSet;

use bluegreen_core::model::RunId;
use bluegreen_core::operation::{RunState, RunSummary};

use super::table::Table;
use super::text::{BAD, GOOD, ODD, minute, styled};

/// No id is written shorter than this: its first ten characters are the time to the millisecond.
const SHORTEST: usize = 12;

/// Returns a list of runs for people.
pub(crate) fn log(runs: &[RunSummary]) -> String {
    let mut table =
        Table::new(&["RUN", "STARTED (UTC)", "OPERATION", "ENVIRONMENT", "STATE", ">CHANGES"]);
    let length = unique(&runs.iter().map(|run| &run.run));
    for run in runs {
        table.row([
            run.run.as_str().chars().take(length).collect(),
            minute(run.started),
            run.operation.clone(),
            run.environment.to_string(),
            state(run),
            run.changes.to_string(),
        ]);
    }
    table.lines(0)
}

/// Writes how a run stands, in its colour.
pub(super) fn state(run: &RunSummary) -> String {
    let style = match run.state {
        RunState::Committed => GOOD,
        RunState::RolledBack => ODD,
        RunState::Open | RunState::Dirty => BAD.bold(),
    };
    let is_closed = run.state == RunState::Dirty && !run.is_open();
    styled(style, if is_closed { "dirty, closed" } else { run.state.as_str() })
}

/// Returns how many characters tell all of `runs` apart.
fn unique<'a>(runs: &(impl Iterator<Item = &'a RunId> + Clone)) -> usize {
    let longest = runs.clone().map(|run| run.as_str().len()).max().unwrap_or(0);
    let is_unique = |length: &usize| {
        let mut seen = BTreeSet::new();
        runs.clone().all(|run| seen.insert(run.as_str().get(..*length).unwrap_or(run.as_str())))
    };
    (SHORTEST..longest).find(is_unique).unwrap_or(longest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_as_short_as_tells_them_apart() {
        let id = |text: &str| RunId::new(text);
        let far = [id("01k9aaaaaaaaaaaaaaaaaaaaaa"), id("01k9bbbbbbbbbbbbbbbbbbbbbb")];
        assert_eq!(unique(&far.iter()), 12);
        let near = [id("01k9aaaaaaaaaabbbbbbbbbbbb"), id("01k9aaaaaaaaaaaaaaaaaaaaaa")];
        assert_eq!(unique(&near.iter()), 15);
    }
}
