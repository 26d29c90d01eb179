use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::Instant;

use super::run::{Halt, Run};
use super::trouble::Trouble;
use super::{Change, EventKind, Gate, Position, Record, Severity, StepId, StepState};

/// How one change went.
struct Attempt {
    result: Result<(), Trouble>,
    made: Instant,
    /// Why it was not tried again, if nothing may be changed any more.
    halt: Option<Halt>,
}

/// One change of a stage that is to be made.
struct Open<C> {
    step: StepId,
    change: C,
    /// Whether an earlier process began it already, and it may be in place.
    begun: bool,
}

/// What a look before a stage found.
enum Ready {
    /// Everything is as the plan found it, but what these steps brought already.
    Yes(Vec<StepId>),
    /// It is not, and why.
    No(String),
}

impl<C: Change, G: Gate<World = C::World>> Run<'_, C, G> {
    /// Makes the changes of one stage at the same time.
    ///
    /// Each must be seen unmade before, and seen made after; what the calls report only decides
    /// how long to look.
    pub(super) async fn apply_stage(&mut self, steps: &[StepId]) -> Result<(), Halt> {
        let open: Vec<Open<C>> = steps
            .iter()
            .zip(self.changes(steps))
            .map(|(step, change)| {
                let begun = self.ledger.state(*step) == StepState::Started;
                Open { step: *step, change, begun }
            })
            .collect();
        self.let_land(&open).await;
        let in_place = match self.ready(&open).await? {
            Ready::Yes(in_place) => in_place,
            Ready::No(cause) => return self.give_up(cause, steps).await,
        };
        self.permit().await?;
        let title = self.announce(&open);
        let fresh = open.iter().filter(|one| !one.begun).map(|one| Record::Intended {
            step: one.step,
            change: one.change.redacted(),
            inverse: one.change.redacted().inverse(),
        });
        let there = in_place.iter().map(|step| Record::Applied { step: *step });
        self.note(fresh.chain(there).collect()).await?;
        let open: Vec<Open<C>> =
            open.into_iter().filter(|one| !in_place.contains(&one.step)).collect();
        let attempts = join_all(open.iter().map(|one| self.attempt(&one.change))).await;
        let skew = spread(attempts.iter().map(|attempt| attempt.made));
        if let Some((cause, failed)) = self.confirm(&open, attempts).await? {
            return self.give_up(cause, &failed).await;
        }
        self.skew = self.skew.max(skew);
        self.emit(EventKind::StageDone { title, skew });
        Ok(())
    }

    /// Waits for the calls that an earlier process had under way: what lands later would land on
    /// what a later stage made of it.
    async fn let_land(&self, open: &[Open<C>]) {
        let under_way = open.iter().filter(|one| self.ledger.is_in_doubt(one.step));
        let changes: Vec<&C> = under_way.map(|one| &one.change).collect();
        if !changes.is_empty() {
            self.emit(EventKind::Settling { settle: self.engine.policy.settle });
            let has_landed = |_, position| position == Position::After;
            let _seen = self.look(&changes, has_landed, self.engine.policy.settle).await;
        }
    }

    /// Looks whether the world is as the plan found it.
    async fn ready(&self, open: &[Open<C>]) -> Result<Ready, Halt> {
        let refs: Vec<&C> = open.iter().map(|one| &one.change).collect();
        // What an earlier process began may be in place or half made.
        let is_fine = |at: usize, position: Position| match position {
            Position::Before => true,
            Position::After | Position::Partial => open[at].begun,
            Position::Drifted => false,
        };
        let seen = self.look(&refs, is_fine, self.engine.policy.reread).await;
        let mut in_place = Vec::new();
        for (at, position) in seen.into_iter().enumerate() {
            let Open { step, change, .. } = &open[at];
            match position {
                Ok(Position::After) if is_fine(at, Position::After) => in_place.push(*step),
                Ok(position) if is_fine(at, position) => {}
                Ok(_) => return Ok(Ready::No(self.stale(change).await)),
                Err(trouble) if trouble.is_hopeless() && self.has_begun() => {
                    return Err(Halt(trouble.text));
                }
                Err(trouble) => return Ok(Ready::No(trouble.text)),
            }
        }
        Ok(Ready::Yes(in_place))
    }

    fn has_begun(&self) -> bool {
        self.ledger.touched().next().is_some()
    }

    /// Says why a plan is stale.
    async fn stale(&self, change: &C) -> String {
        let differences = self.engine.differences(change, &change.before()).await;
        let list: Vec<String> = differences.iter().map(ToString::to_string).collect();
        let list = if list.is_empty() { String::new() } else { format!(" ({})", list.join(", ")) };
        let resource = change.resource();
        format!("`{resource}` is not as the plan found it: somebody changed it meanwhile{list}")
    }

    fn announce(&self, open: &[Open<C>]) -> String {
        let first = open.first().map(|one| one.step);
        let at = self.ledger.plan().steps().find(|(step, ..)| Some(*step) == first);
        let title = at.map_or_else(String::new, |(_, stage, _)| {
            self.ledger.plan().stages()[stage].title.clone()
        });
        self.emit(EventKind::StageBegun { title: title.clone(), changes: open.len() });
        for Open { step, change, .. } in open {
            self.emit(EventKind::ChangeBegun { step: *step, change: change.to_string() });
        }
        title
    }

    /// Makes one change; asks a busy world again as long as nobody else changes it meanwhile.
    async fn attempt(&self, change: &C) -> Attempt {
        let began = Instant::now();
        let mut pauses = self.engine.policy.backoff.pauses();
        loop {
            let result = self.engine.apply(change).await;
            let made = Instant::now();
            let is_busy = matches!(&result, Err(trouble) if trouble.severity == Severity::Busy);
            if !is_busy || began.elapsed() >= self.engine.policy.forward {
                return Attempt { result, made, halt: None };
            }
            let pause = pauses.next().unwrap_or(self.engine.policy.backoff.longest);
            tokio::select! {
                () = self.engine.cancel.requested() => return Attempt { result, made, halt: None },
                () = tokio::time::sleep(pause) => {}
            }
            let seen = self.engine.observe(&[change]).await;
            if !matches!(seen.as_slice(), [Ok(Position::Before | Position::Partial)]) {
                return Attempt { result, made, halt: None };
            }
            if let Err(halt) = self.permit().await {
                return Attempt { result, made, halt: Some(halt) };
            }
        }
    }

    /// Looks whether the changes are in place, and journals what was seen.
    ///
    /// Returns why the run cannot go on, if any is not, and which.
    async fn confirm(
        &mut self,
        open: &[Open<C>],
        attempts: Vec<Attempt>,
    ) -> Result<Option<(String, Vec<StepId>)>, Halt> {
        let patience = if attempts.iter().all(|attempt| refused(&attempt.result)) {
            Duration::ZERO
        } else {
            self.engine.policy.reread
        };
        let positions = self.look_past(open, &attempts, patience).await;
        let (mut records, mut cause, mut halt) = (Vec::new(), None, None);
        let mut failed = Vec::new();
        for ((one, attempt), position) in open.iter().zip(attempts).zip(positions) {
            let step = one.step;
            let change = one.change.to_string();
            halt = halt.or(attempt.halt);
            if matches!(position, Ok(Position::After)) {
                records.push(Record::Applied { step });
                self.emit(EventKind::ChangeDone { step, change });
                continue;
            }
            // A call of an earlier process may still land, whatever this one's reported.
            let in_doubt = one.begun || !refused(&attempt.result);
            let trouble = explain(attempt.result.err(), position);
            if trouble.is_hopeless() {
                halt.get_or_insert(Halt(trouble.text.clone()));
            }
            let error = trouble.text;
            records.push(Record::Failed { step, error: error.clone(), in_doubt });
            self.emit(EventKind::ChangeFailed { step, change, error: error.clone() });
            failed.push(step);
            cause.get_or_insert(error);
        }
        self.note(records).await?;
        halt.map_or(Ok(cause.map(|cause| (cause, failed))), Err)
    }

    /// Looks until every change that was not refused is in place, or patience ends.
    async fn look_past(
        &self,
        open: &[Open<C>],
        attempts: &[Attempt],
        patience: Duration,
    ) -> Vec<Result<Position, Trouble>> {
        let hoped: Vec<&C> = open
            .iter()
            .zip(attempts)
            .filter(|(_, attempt)| !refused(&attempt.result))
            .map(|(one, _)| &one.change)
            .collect();
        let is_made = |_, position| position == Position::After;
        let mut seen = self.look(&hoped, is_made, patience).await.into_iter();
        attempts
            .iter()
            .map(|attempt| {
                if refused(&attempt.result) {
                    Ok(Position::Before)
                } else {
                    seen.next().unwrap_or(Ok(Position::Drifted))
                }
            })
            .collect()
    }

    /// Looks again and again until all of `changes` are where they should be, for `patience` at
    /// most.
    ///
    /// One odd reading proves nothing: reads lag behind writes.
    pub(super) async fn look(
        &self,
        changes: &[&C],
        is_fine: impl Fn(usize, Position) -> bool,
        patience: Duration,
    ) -> Vec<Result<Position, Trouble>> {
        let began = Instant::now();
        let mut pauses = self.engine.policy.backoff.pauses();
        let mut seen: Vec<Option<Result<Position, Trouble>>> =
            changes.iter().map(|_| None).collect();
        loop {
            let open: Vec<usize> = (0..changes.len())
                .filter(|at| !matches!(seen[*at], Some(Ok(position)) if is_fine(*at, position)))
                .collect();
            let asked: Vec<&C> = open.iter().map(|at| changes[*at]).collect();
            if !asked.is_empty() {
                let answers = self.engine.observe(&asked).await;
                for (at, answer) in open.iter().zip(answers) {
                    seen[*at] = Some(answer);
                }
            }
            let done = seen.iter().enumerate().all(|(at, one)| match one {
                Some(Ok(position)) => is_fine(at, *position),
                Some(Err(trouble)) => trouble.is_hopeless(),
                None => false,
            });
            // A thing that is busy has not come to rest yet.
            let is_busy = seen
                .iter()
                .any(|one| matches!(one, Some(Err(trouble)) if trouble.severity == Severity::Busy));
            let patience =
                if is_busy { patience.max(self.engine.policy.forward) } else { patience };
            if done || began.elapsed() >= patience {
                let blind = || Ok(Position::Drifted);
                return seen.into_iter().map(|one| one.unwrap_or_else(blind)).collect();
            }
            let pause = pauses.next().unwrap_or(self.engine.policy.backoff.longest);
            tokio::time::sleep(pause.min(patience)).await;
        }
    }
}

/// Returns whether a call is known to have changed nothing.
fn refused(result: &Result<(), Trouble>) -> bool {
    match result {
        Ok(()) => false,
        Err(trouble) => trouble.severity != Severity::Unknown,
    }
}

/// Says why a change is not in place: what its call reported, else what was seen.
fn explain(reported: Option<Trouble>, seen: Result<Position, Trouble>) -> Trouble {
    let unreported = |text: &str| Trouble { text: text.to_owned(), severity: Severity::Refused };
    match (reported, seen) {
        (Some(trouble), _) | (None, Err(trouble)) => trouble,
        (None, Ok(Position::Drifted)) => {
            unreported("the change was accepted, and then somebody else changed the same")
        }
        (None, Ok(_)) => unreported("the change was accepted, but does not show"),
    }
}

/// Returns the time between the first and the last of some moments.
fn spread(moments: impl Iterator<Item = Instant> + Clone) -> Duration {
    match (moments.clone().min(), moments.max()) {
        (Some(first), Some(last)) => last - first,
        _ => Duration::ZERO,
    }
}
