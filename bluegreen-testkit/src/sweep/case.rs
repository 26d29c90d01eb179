use std::fmt;
use std::time::Duration;

use super::judge::{Played, Reference};
use crate::fault::{Fault, Meddle};
use crate::journal::RecordFault;

/// What goes wrong in one run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// First.
    pub first: Strike,
    /// And then, on the way back or in the recovery.
    pub second: Option<Strike>,
}

/// One thing that goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Strike {
    /// A call goes wrong, counted from the beginning.
    Call(usize, Fault),
    /// A record goes wrong, counted from the first of the run.
    Record(usize, RecordFault),
    /// Somebody asks to stop just before a call; twice if `true`.
    Stop(usize, bool),
    /// The process is gone while a call is on its way, which takes effect after that time, or not
    /// at all.
    Vanish(usize, Option<Duration>),
    /// The run's lock is taken away just before a call.
    BreakLock(usize),
    /// Just before the first call, somebody else touches what the second one is about.
    Meddle(usize, usize, Meddle),
    /// A record of the recovery goes wrong.
    RecoveryRecord(usize, RecordFault),
    /// The recovery goes on with the plan.
    Forward,
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.first)?;
        if let Some(second) = &self.second {
            write!(f, ", then {second:?}")?;
        }
        Ok(())
    }
}

/// How late what was lost may land, within what a run waits for.
const LATE: Duration = Duration::from_secs(20);

/// Returns every single thing that can go wrong with an undisturbed run.
pub(super) fn singles(reference: &Reference) -> Vec<Case> {
    let one = |first| Case { first, second: None };
    let mut cases = Vec::new();
    for (call, faults) in reference.alphabets.iter().enumerate() {
        cases.extend(faults.iter().map(|fault| one(Strike::Call(call, *fault))));
    }
    for record in 0..reference.records {
        cases.extend(RecordFault::ALL.map(|fault| one(Strike::Record(record, fault))));
    }
    let from = reference.calls.iter().position(|is_write| *is_write).unwrap_or(0);
    for call in from..reference.calls.len() {
        cases.extend([false, true].map(|twice| one(Strike::Stop(call, twice))));
        let landings: &[_] =
            if reference.calls[call] { &[None, Some(Duration::ZERO), Some(LATE)] } else { &[None] };
        cases.extend(landings.iter().map(|after| one(Strike::Vanish(call, *after))));
        cases.push(one(Strike::BreakLock(call)));
    }
    if reference.has_others {
        cases.extend(meetings(&reference.calls, reference.planned_after).map(one));
    }
    cases
}

/// Returns every way to meet somebody else where a run can notice it: before it looks at the thing
/// that it is about to change, and after it has changed it.
fn meetings(calls: &[bool], planned_after: usize) -> impl Iterator<Item = Strike> {
    const ALL: [Meddle; 3] = [Meddle::Change, Meddle::Tag, Meddle::Delete];
    let writes = (0..calls.len()).filter(|call| calls[*call]);
    writes.flat_map(move |write| {
        // The look before a stage comes right after what the stage before it wrote.
        let stage = (0..write).rev().take_while(|call| calls[*call]).last().unwrap_or(write);
        let look = (0..stage).rev().find(|call| calls[*call]).map_or(0, |last| last + 1);
        let look = look.max(planned_after);
        ALL.into_iter().flat_map(move |meddle| {
            [
                Strike::Meddle(look, write, meddle),
                Strike::Call(write, Fault::MeddleAfter(meddle)),
                Strike::Call(write, Fault::Meddle(meddle)),
            ]
        })
    })
}

/// Returns everything that can go wrong in addition once the first thing has.
pub(super) fn pairs(case: &Case, played: &Played) -> Vec<Case> {
    let and = |second| Case { first: case.first, second: Some(second) };
    match case.first {
        // These four differ in what the world is like when the run turns round.
        Strike::Call(
            at,
            Fault::Refuse | Fault::ErrorAfter | Fault::LandLate(_) | Fault::TimeOut(_),
        ) if played.has_turned && played.calls.get(at) == Some(&true) => {
            let rest = played.alphabets.iter().enumerate().skip(at + 1);
            rest.flat_map(|(call, faults)| {
                faults.iter().map(move |fault| and(Strike::Call(call, *fault)))
            })
            .collect()
        }
        Strike::Record(_, RecordFault::CrashBefore | RecordFault::CrashAfter) => {
            let crashes = (0..played.recovery_records).flat_map(|record| {
                [RecordFault::CrashBefore, RecordFault::CrashAfter, RecordFault::Torn]
                    .map(|fault| and(Strike::RecoveryRecord(record, fault)))
            });
            crashes.chain([and(Strike::Forward)]).collect()
        }
        Strike::Vanish(..) => vec![and(Strike::Forward)],
        _ => Vec::new(),
    }
}
