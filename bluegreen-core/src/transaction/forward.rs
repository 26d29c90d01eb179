use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::Instant;

use super::engine::{Halt, Run};
use super::outcome::chain;
use super::{Change, EventKind, Failure as _, Gate, Position, Record, Severity, StepId};

/// How one change went.
struct Attempt<E> {
    result: Result<(), E>,
    made: Instant,
}

impl<C: Change, G: Gate<World = C::World>> Run<'_, C, G> {
    /// Makes the changes of one stage at the same time.
    ///
    /// Each must be seen unmade before, and seen made after; what the calls report only decides
    /// how long to look.
    pub(super) async fn apply_stage(&mut self, steps: &[StepId]) -> Result<(), Halt> {
        let changes = self.changes(steps);
        let refs: Vec<&C> = changes.iter().collect();
        if let Some(cause) = self.stale(&refs).await? {
            return self.turn(cause, false).await;
        }
        let title = self.announce(steps, &changes);
        let intents = steps.iter().zip(&changes).map(|(step, change)| Record::Intended {
            step: *step,
            change: change.clone(),
            inverse: change.inverse(),
        });
        self.note(intents.collect()).await?;
        let attempts = join_all(refs.iter().map(|change| self.attempt(change))).await;
        let skew = spread(attempts.iter().map(|attempt| attempt.made));
        let failed = self.confirm(steps, &changes, attempts).await?;
        if let Some(cause) = failed {
            return self.turn(cause, false).await;
        }
        self.skew = self.skew.max(skew);
        self.emit(EventKind::StageDone { title, skew });
        Ok(())
    }

    /// Returns why the plan is stale, if the world is not as the plan found it.
    async fn stale(&self, changes: &[&C]) -> Result<Option<String>, Halt> {
        let positions = self.look(changes, Position::Before, self.engine.policy.reread).await;
        for (change, position) in changes.iter().zip(positions) {
            match position {
                Ok(Position::Before) => {}
                Ok(_) => {
                    let resource = change.resource();
                    return Ok(Some(format!(
                        "`{resource}` is not as the plan found it: somebody changed it meanwhile"
                    )));
                }
                Err(error) if error.severity() == Severity::Hopeless => {
                    return if self.ledger.touched().next().is_some() {
                        Err(Halt(chain(&error)))
                    } else {
                        Ok(Some(chain(&error)))
                    };
                }
                Err(error) => return Ok(Some(chain(&error))),
            }
        }
        Ok(None)
    }

    fn announce(&self, steps: &[StepId], changes: &[C]) -> String {
        let first = steps.first().copied();
        let at = self.ledger.plan().steps().find(|(step, ..)| Some(*step) == first);
        let title = at.map_or_else(String::new, |(_, stage, _)| {
            self.ledger.plan().stages()[stage].title.clone()
        });
        self.emit(EventKind::StageBegun { title: title.clone(), changes: changes.len() });
        for (step, change) in steps.iter().zip(changes) {
            self.emit(EventKind::ChangeBegun { step: *step, change: change.to_string() });
        }
        title
    }

    /// Makes one change; asks a busy world again as long as nobody else changes it meanwhile.
    async fn attempt(&self, change: &C) -> Attempt<C::Error> {
        let began = Instant::now();
        let mut pauses = self.engine.policy.backoff.pauses();
        loop {
            let result = change.apply(&self.engine.world).await;
            let made = Instant::now();
            let is_busy = matches!(&result, Err(error) if error.severity() == Severity::Busy);
            if !is_busy || began.elapsed() >= self.engine.policy.forward {
                return Attempt { result, made };
            }
            let pause = pauses.next().unwrap_or(self.engine.policy.backoff.longest);
            tokio::select! {
                () = self.engine.cancel.requested() => return Attempt { result, made },
                () = tokio::time::sleep(pause) => {}
            }
            let seen = C::observe(&[change], &self.engine.world).await;
            if !matches!(seen.as_slice(), [Ok(Position::Before | Position::Partial)]) {
                return Attempt { result, made };
            }
        }
    }

    /// Looks whether the changes are in place, and journals what was seen.
    ///
    /// Returns why the run must turn round, if any is not.
    async fn confirm(
        &mut self,
        steps: &[StepId],
        changes: &[C],
        attempts: Vec<Attempt<C::Error>>,
    ) -> Result<Option<String>, Halt> {
        let refs: Vec<&C> = changes.iter().collect();
        let patience = if attempts.iter().all(|attempt| refused(&attempt.result)) {
            Duration::ZERO
        } else {
            self.engine.policy.reread
        };
        let positions = self.look_past(&refs, &attempts, patience).await;
        let (mut records, mut cause, mut halt) = (Vec::new(), None, None);
        for (((step, change), attempt), position) in
            steps.iter().zip(changes).zip(attempts).zip(positions)
        {
            let step = *step;
            let change = change.to_string();
            if matches!(position, Ok(Position::After)) {
                records.push(Record::Applied { step });
                self.emit(EventKind::ChangeDone { step, change });
                continue;
            }
            let in_doubt = !refused(&attempt.result);
            let (error, severity) = explain(attempt.result.err(), position);
            if severity == Some(Severity::Hopeless) {
                halt.get_or_insert(Halt(error.clone()));
            }
            records.push(Record::Failed { step, error: error.clone(), in_doubt });
            self.emit(EventKind::ChangeFailed { step, change, error: error.clone() });
            cause.get_or_insert(error);
        }
        self.note(records).await?;
        halt.map_or(Ok(cause), Err)
    }

    /// Looks until every change that was not refused is in place, or patience ends.
    async fn look_past(
        &self,
        changes: &[&C],
        attempts: &[Attempt<C::Error>],
        patience: Duration,
    ) -> Vec<Result<Position, C::Error>> {
        let hoped: Vec<&C> = changes
            .iter()
            .zip(attempts)
            .filter(|(_, attempt)| !refused(&attempt.result))
            .map(|(change, _)| *change)
            .collect();
        let mut seen = self.look(&hoped, Position::After, patience).await.into_iter();
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

    /// Looks again and again until all of `changes` are at `wanted`, for `patience` at most.
    ///
    /// One odd reading proves nothing: reads lag behind writes.
    pub(super) async fn look(
        &self,
        changes: &[&C],
        wanted: Position,
        patience: Duration,
    ) -> Vec<Result<Position, C::Error>> {
        let began = Instant::now();
        let mut pauses = self.engine.policy.backoff.pauses();
        let mut seen: Vec<Option<Result<Position, C::Error>>> =
            changes.iter().map(|_| None).collect();
        loop {
            let open: Vec<usize> = (0..changes.len())
                .filter(|at| !matches!(seen[*at], Some(Ok(position)) if position == wanted))
                .collect();
            let asked: Vec<&C> = open.iter().map(|at| changes[*at]).collect();
            if !asked.is_empty() {
                let answers = C::observe(&asked, &self.engine.world).await;
                for (at, answer) in open.iter().zip(answers) {
                    seen[*at] = Some(answer);
                }
            }
            let done = seen.iter().all(|one| match one {
                Some(Ok(position)) => *position == wanted,
                Some(Err(error)) => error.severity() == Severity::Hopeless,
                None => false,
            });
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
fn refused<E: super::Failure>(result: &Result<(), E>) -> bool {
    match result {
        Ok(()) => false,
        Err(error) => error.severity() != Severity::Unknown,
    }
}

/// Says why a change is not in place: what its call reported, else what was seen.
fn explain<E: super::Failure>(
    reported: Option<E>,
    seen: Result<Position, E>,
) -> (String, Option<Severity>) {
    match (reported, seen) {
        (Some(error), _) | (None, Err(error)) => (chain(&error), Some(error.severity())),
        (None, Ok(Position::Drifted)) => {
            ("the change was accepted, and then somebody else changed the same".to_owned(), None)
        }
        (None, Ok(_)) => ("the change was accepted, but does not show".to_owned(), None),
    }
}

/// Returns the time between the first and the last of some moments.
fn spread(moments: impl Iterator<Item = Instant> + Clone) -> Duration {
    match (moments.clone().min(), moments.max()) {
        (Some(first), Some(last)) => last - first,
        _ => Duration::ZERO,
    }
}
