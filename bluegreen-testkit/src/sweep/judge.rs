use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;

use super::case::{Case, Strike};
use super::report::Verdict;
use super::subject::{End, EndKind, How, Stage, Subject};
use crate::fault::{Fault, Meddle};

/// How often what is stuck is skipped and recovered again before that counts as endless.
const PATIENCE: usize = 40;

/// What an undisturbed run does.
pub(super) struct Reference {
    /// For each call whether it could change anything.
    pub(super) calls: Vec<bool>,
    /// For each call what can go wrong with it.
    pub(super) alphabets: Vec<Vec<Fault>>,
    /// How many records it writes.
    pub(super) records: usize,
    pub(super) has_others: bool,
    pub(super) planned_after: usize,
    /// The world before and after.
    before: String,
    after: String,
}

/// What happened in a case, as far as another thing can go wrong there.
pub(super) struct Played {
    pub(super) calls: Vec<bool>,
    pub(super) alphabets: Vec<Vec<Fault>>,
    pub(super) has_turned: bool,
    pub(super) recovery_records: usize,
}

/// Runs a future on virtual time.
pub(super) fn on_virtual_time<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime needs nothing")
        .block_on(future)
}

impl Reference {
    /// Does it once with nothing going wrong.
    pub(super) fn of<S: Subject>(subject: &S) -> Self {
        on_virtual_time(async {
            let stage = subject.stage();
            let (records, before) = (stage.store().records(), stage.world_but(&[]));
            let end = stage.run().await;
            let name = subject.name();
            assert_eq!(end.kind, EndKind::Committed, "undisturbed, {name} ends: {}", end.said);
            let calls = stage.calls();
            assert!(calls.contains(&true), "undisturbed, {name} changes nothing");
            let records = stage.store().records() - records;
            tokio::time::sleep(Duration::from_hours(2)).await;
            assert_eq!(stage.violations(), [""; 0], "undisturbed, {name} is not sound");
            Self {
                alphabets: stage.alphabets(),
                calls,
                records,
                has_others: stage.has_others(),
                planned_after: stage.planned_after(),
                before,
                after: stage.world_but(&[]),
            }
        })
    }
}

/// Plays one case and says how it came out, or what was wrong with it.
pub(super) async fn play<S: Subject>(
    subject: &S,
    reference: &Reference,
    case: &Case,
) -> (Played, Result<Verdict, String>) {
    let stage = subject.stage();
    let first = act(&stage, case).await;
    let (calls, alphabets) = match case.second {
        None => (stage.calls(), stage.alphabets()),
        Some(_) => (Vec::new(), Vec::new()),
    };
    stage.heal();
    let how = How { forward: case.second == Some(Strike::Forward), skip: Vec::new() };
    let (recovered, last) = recover(stage.survive(), case, &how).await;
    let recovery_records = last.store().records();
    let has_turned = first.kind == EndKind::RolledBack;
    let judged = judge(subject, reference, case, &stage, last, first, recovered).await;
    let played = Played { calls, alphabets, has_turned, recovery_records };
    (played, judged)
}

/// Plays one case and tells everything that was called and written.
pub(super) async fn trace<S: Subject>(subject: &S, reference: &Reference, case: &Case) -> String {
    let stage = subject.stage();
    let first = act(&stage, case).await;
    let calls = stage.calls().len();
    stage.heal();
    let (recovered, last) = recover(stage.survive(), case, &How::default()).await;
    let mut lines =
        vec![case.to_string(), format!("first {first:?}"), format!("then {recovered:?}")];
    for call in 0..stage.calls().len() {
        if call == calls {
            lines.push("recovered from here:".to_owned());
        }
        lines.push(format!("{call:>4}  {}", stage.call(call)));
    }
    for (run, records) in last.store().lines() {
        lines.push(format!("journal of {run}:"));
        lines.extend(records);
    }
    let judged = judge(subject, reference, case, &stage, last, first, recovered).await;
    lines.push(format!("{judged:?}"));
    lines.join("\n")
}

/// Runs with what goes wrong at first.
async fn act<S: Stage>(stage: &S, case: &Case) -> End {
    let gone = Arc::new(Notify::new());
    let mut strikes = vec![case.first];
    strikes.extend(case.second);
    for strike in strikes {
        plan(stage, strike, &gone);
    }
    tokio::select! {
        biased;
        end = stage.run() => end,
        () = gone.notified() => {
            End::of(EndKind::Open, "the process is gone")
        }
    }
}

fn plan<S: Stage>(stage: &S, strike: Strike, gone: &Arc<Notify>) {
    match strike {
        Strike::Call(call, fault) => stage.fault(call, fault),
        Strike::Record(record, fault) => stage.store().fail_after(record, fault),
        Strike::Stop(call, twice) => {
            let cancel = stage.cancel().clone();
            stage.before_call(
                call,
                Box::new(move || {
                    cancel.request();
                    if twice {
                        cancel.request();
                    }
                }),
            );
        }
        Strike::Vanish(call, landing) => {
            stage.fault(call, landing.map_or(Fault::Hang, Fault::Silence));
            let gone = Arc::clone(gone);
            stage.before_call(call, Box::new(move || gone.notify_one()));
        }
        Strike::BreakLock(call) => {
            let of = stage.clone();
            stage.before_call(call, Box::new(move || of.break_lock()));
        }
        Strike::Meddle(call, of, meddle) => {
            let with = stage.clone();
            stage.before_call(call, Box::new(move || with.meddle(meddle, of)));
        }
        Strike::RecoveryRecord(..) | Strike::Forward => {}
    }
}

/// Recovers as another process does, with what goes wrong then; and if it does, as a third one.
///
/// Returns how that ended, if anything was open, and who did it last.
async fn recover<S: Stage>(second: S, case: &Case, how: &How) -> (Option<End>, S) {
    if let Some(Strike::RecoveryRecord(record, fault)) = case.second {
        second.store().fail_after(record, fault);
    }
    let mut last = second;
    let mut end = last.recover(how).await;
    if end.kind == EndKind::Open && matches!(case.second, Some(Strike::RecoveryRecord(..))) {
        last = last.survive();
        let again = last.recover(&How::default()).await;
        end = if again.kind == EndKind::Nothing { end } else { again };
    }
    ((end.kind != EndKind::Nothing).then_some(end), last)
}

/// Says how a case came out, or what was wrong with it.
async fn judge<S: Subject>(
    subject: &S,
    reference: &Reference,
    case: &Case,
    stage: &S::Stage,
    mut last: S::Stage,
    first: End,
    recovered: Option<End>,
) -> Result<Verdict, String> {
    let met = met(case);
    let was_open = first.kind == EndKind::Open;
    let was_recovered = recovered.is_some();
    let mut end = recovered.unwrap_or(first);
    if end.kind == EndKind::Open {
        // It may have died with nothing left to do.
        end.kind = last.ending().unwrap_or(EndKind::Open);
    }
    let mut left = Vec::new();
    for _ in 0..PATIENCE {
        if end.kind != EndKind::Open {
            break;
        }
        if met.is_none() {
            return Err(format!("it cannot be recovered: {end:?}"));
        }
        // Somebody was there, and a person decides to let them.
        let how = How { skip: end.stuck.clone(), ..How::default() };
        last = last.survive();
        end = last.recover(&how).await;
        left = last.skipped();
    }
    // Whatever is still on its way lands now.
    tokio::time::sleep(Duration::from_hours(2)).await;
    let verdict = match end.kind {
        EndKind::Committed if was_open => Verdict::DirtyThenCommitted,
        EndKind::Committed => Verdict::Committed,
        EndKind::RolledBack | EndKind::Abandoned if was_open => Verdict::DirtyThenRolledBack,
        EndKind::RolledBack => Verdict::RolledBack,
        EndKind::NotStarted | EndKind::Nothing => Verdict::NotStarted,
        EndKind::Abandoned => Verdict::DirtyThenRolledBack,
        EndKind::Open => return Err(format!("it never ends: {end:?}")),
    };
    left.extend(met.map(|(call, _)| call));
    let is_renumbered = met.is_some_and(|(call, _)| stage.renumbers(call));
    if !(is_renumbered && end.kind == EndKind::Committed) {
        let expected = expected(subject, reference, verdict, &left).await;
        let found = stage.world_but(&left);
        if end.remade {
            let without = S::Stage::without_identities;
            same(&without(&expected), &without(&found), &end)?;
        } else {
            same(&expected, &found, &end)?;
        }
    }
    if let Some(theirs) = stage.overwritten() {
        return Err(format!(
            "ended {:?}, and what somebody else wrote is overwritten: {theirs}",
            end.kind
        ));
    }
    let excused = met.is_some_and(|(_, meddle)| meddle == Meddle::Delete);
    let violations = if excused { Vec::new() } else { stage.violations() };
    if let Some(violation) = violations.into_iter().next() {
        return Err(violation);
    }
    // Where nothing was open, that has just been asked.
    if was_recovered {
        let again = last.survive().recover(&How::default()).await;
        if again.kind != EndKind::Nothing {
            return Err(format!("recovering twice is not recovering once: {again:?}"));
        }
    }
    Ok(verdict)
}

/// Returns the call whose thing somebody else touched, if anybody did.
fn met(case: &Case) -> Option<(usize, Meddle)> {
    match case.first {
        Strike::Meddle(_, call, meddle)
        | Strike::Call(call, Fault::Meddle(meddle) | Fault::MeddleAfter(meddle)) => {
            Some((call, meddle))
        }
        _ => None,
    }
}

/// Returns the world as it must be in the end, but for some things.
async fn expected<S: Subject>(
    subject: &S,
    reference: &Reference,
    verdict: Verdict,
    left: &[usize],
) -> String {
    let is_in_place = matches!(verdict, Verdict::Committed | Verdict::DirtyThenCommitted);
    match (is_in_place, left.is_empty()) {
        (true, true) => reference.after.clone(),
        (false, true) => reference.before.clone(),
        (false, false) => subject.stage().world_but(left),
        (true, false) => {
            let stage = subject.stage();
            let _end = stage.run().await;
            tokio::time::sleep(Duration::from_hours(2)).await;
            stage.world_but(left)
        }
    }
}

fn same(expected: &str, found: &str, end: &End) -> Result<(), String> {
    if expected == found {
        return Ok(());
    }
    let (mut was, mut is) = (expected.lines(), found.lines());
    let line = loop {
        match (was.next(), is.next()) {
            (Some(was), Some(is)) if was == is => {}
            (was, is) => {
                break format!("{} became {}", was.unwrap_or("nothing"), is.unwrap_or("nothing"));
            }
        }
    };
    Err(format!("it ended {:?} ({}), and the world is not so: {line}", end.kind, end.said))
}
