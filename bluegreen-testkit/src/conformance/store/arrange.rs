use bluegreen_core::model::{EnvironmentName, RunId, Timestamp};
use bluegreen_core::transaction::{Holder, StoreErrorKind};

use super::Fixture;
use crate::clock::VirtualClock;

/// Names a run of a clause.
pub(super) fn run(fixture: &Fixture, suffix: &str) -> RunId {
    RunId::new(format!("{}-{suffix}", fixture.prefix))
}

/// Names an environment of a clause.
pub(super) fn environment(fixture: &Fixture, suffix: &str) -> EnvironmentName {
    EnvironmentName::new(format!("{}/{suffix}", fixture.prefix))
}

/// Makes somebody who wants a lock.
pub(super) fn holder(owner: &str) -> Holder {
    Holder {
        owner: owner.to_owned(),
        host: "laptop".to_owned(),
        process: 7,
        operation: "switch".to_owned(),
        run: RunId::new("01run"),
        since: moment(0),
    }
}

/// Returns a moment, so many seconds after another.
pub(super) fn moment(seconds: u64) -> Timestamp {
    VirtualClock::START.plus(std::time::Duration::from_secs(seconds))
}

/// Makes lines of text.
pub(super) fn lines(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

/// Returns how something failed that must fail.
#[track_caller]
pub(super) fn refusal<T>(
    result: Result<T, bluegreen_core::transaction::StoreError>,
    what: &str,
) -> StoreErrorKind {
    match result {
        Ok(_) => panic!("{what} must be refused"),
        Err(error) => error.kind().clone(),
    }
}
