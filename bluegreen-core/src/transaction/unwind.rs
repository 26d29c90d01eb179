use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::Instant;

use super::run::{Halt, Run};
use super::trouble::Trouble;
use super::{
    Change, Difference, EventKind, Gate, Position, Record, Reversibility, Severity, StepId,
    StepState,
};

/// How often the world must refuse an inverse at least before the change counts as stuck. And for
/// as long as reads may lag: what was just made is sometimes refused as not being there.
const REFUSALS: u32 = 3;

const SOMEBODY_ELSE: &str = "somebody else changed it; it is left as it is";

/// A change that is being taken back.
struct Open<C> {
    step: StepId,
    change: C,
    refusals: u32,
    /// When it was refused first.
    refused: Option<Instant>,
    drifted: Option<Instant>,
    /// Until when its call may still land.
    in_doubt: Option<Instant>,
    /// Since when it has seemed to be gone, at every look.
    gone: Option<Instant>,
    /// When its inverse was last applied without being refused.
    reverted: Option<Instant>,
    /// Whether its inverse was ever applied.
    written: bool,
    trouble: Option<String>,
}

/// What one round found about a change.
enum Found {
    Undone,
    InPlace,
    NotYet,
    Drifted,
    Stuck(String),
}

impl<C: Change, G: Gate<World = C::World>> Run<'_, C, G> {
    /// Takes the changes of one stage back at the same time, patiently.
    ///
    /// Whether a change was reported as made or as failed plays no part: only what is seen counts.
    pub(super) async fn undo_stage(&mut self, steps: &[StepId]) -> Result<(), Halt> {
        let deadline = Instant::now() + self.engine.policy.undo;
        let settled = Instant::now() + self.engine.policy.settle;
        let mut pauses = self.engine.policy.backoff.pauses();
        let mut open: Vec<Open<C>> = steps
            .iter()
            .zip(self.changes(steps))
            .map(|(step, change)| Open {
                step: *step,
                change,
                refusals: 0,
                refused: None,
                drifted: None,
                in_doubt: self.ledger.is_in_doubt(*step).then_some(settled),
                gone: None,
                reverted: None,
                written: false,
                trouble: None,
            })
            .collect();
        while !open.is_empty() {
            open = self.undo_round(open, Instant::now() >= deadline).await?;
            if !open.is_empty() {
                let pause = pauses.next().unwrap_or(self.engine.policy.backoff.longest);
                tokio::time::sleep(pause).await;
            }
        }
        Ok(())
    }

    /// Looks at every open change once and applies the inverses of those in place.
    ///
    /// Returns the changes that need another round.
    async fn undo_round(
        &mut self,
        mut open: Vec<Open<C>>,
        is_last: bool,
    ) -> Result<Vec<Open<C>>, Halt> {
        let refs: Vec<&C> = open.iter().map(|one| &one.change).collect();
        // What is answered late was seen as early as this.
        let asked = Instant::now();
        let seen = self.engine.observe(&refs).await;
        let (mut records, mut revert, mut wait) = (Vec::new(), Vec::new(), Vec::new());
        let (mut halt, mut resurfaced) = (None, false);
        for (mut one, position) in open.drain(..).zip(seen) {
            match self.judge(&mut one, position, asked, is_last)? {
                Found::Undone => {
                    // A predecessor may have taken it back and died before it could say so.
                    let may_be_remade = one.written || self.ledger.was_resumed();
                    let remade = may_be_remade && is_removal(&one.change);
                    records.push(Record::Undone { step: one.step, remade });
                    let change = one.change.to_string();
                    self.emit(EventKind::Undone { step: one.step, change });
                }
                Found::Drifted => match self.resurfaced(&one.change.resource()).await {
                    // That one is of a later stage and is taken back before this one.
                    Some(step) => {
                        records.push(Record::Resurfaced { step });
                        resurfaced = true;
                    }
                    None => records.push(self.stuck(&one, SOMEBODY_ELSE).await),
                },
                Found::Stuck(reason) => records.push(self.stuck(&one, &reason).await),
                Found::InPlace => revert.push(one),
                Found::NotYet => wait.push(one),
            }
        }
        if !records.is_empty() {
            self.note(records).await?;
        }
        if resurfaced {
            return Ok(Vec::new());
        }
        let inverses: Vec<C> = revert.iter().map(|one| one.change.inverse()).collect();
        if !inverses.is_empty() {
            self.permit().await?;
        }
        let results = join_all(inverses.iter().map(|inverse| self.engine.apply(inverse))).await;
        for (mut one, result) in revert.into_iter().zip(results) {
            one.reverted = Some(Instant::now());
            one.written = true;
            if let Err(Trouble { text: trouble, severity }) = result {
                match severity {
                    Severity::Hopeless => halt = Some(Halt(trouble.clone())),
                    Severity::Refused => {
                        (one.refusals, one.reverted) = (one.refusals + 1, None);
                        one.refused.get_or_insert_with(Instant::now);
                    }
                    Severity::Busy => one.reverted = None,
                    Severity::Unknown => self.in_doubt = true,
                }
                let (step, change) = (one.step, one.change.to_string());
                self.emit(EventKind::UndoRetried { step, change, error: trouble.clone() });
                one.trouble = Some(trouble);
            }
            wait.push(one);
        }
        halt.map_or(Ok(wait), Err)
    }

    /// Decides about one change from where the world stands.
    fn judge(
        &self,
        one: &mut Open<C>,
        position: Result<Position, Trouble>,
        asked: Instant,
        is_last: bool,
    ) -> Result<Found, Halt> {
        let late = |one: &Open<C>| {
            one.trouble.clone().unwrap_or_else(|| "its inverse does not show".to_owned())
        };
        let is_gone = matches!(position, Ok(Position::Before));
        one.gone = is_gone.then(|| one.gone.unwrap_or(asked));
        let seemed = one.gone.map(|since| asked.saturating_duration_since(since));
        Ok(match position {
            // An earlier stage is not begun before this is certain: what lands late would land on
            // a world that it was not meant for.
            Ok(Position::Before) if one.in_doubt.is_some_and(|until| asked < until) => {
                Found::NotYet
            }
            // Gone, and not by our hand: it was never made, or a read lags behind.
            Ok(Position::Before)
                if !one.written && seemed.is_some_and(|time| time < self.engine.policy.reread) =>
            {
                Found::NotYet
            }
            Ok(Position::Before) => Found::Undone,
            Ok(Position::After | Position::Partial) if is_last || self.is_refused(one, asked) => {
                Found::Stuck(late(one))
            }
            // What was just written may take a moment to be seen; writing it again would overwrite
            // whoever came in between.
            Ok(Position::After | Position::Partial)
                if one.reverted.is_some_and(|at| at.elapsed() < self.engine.policy.reread) =>
            {
                Found::NotYet
            }
            Ok(Position::After | Position::Partial) => {
                one.drifted = None;
                Found::InPlace
            }
            Ok(Position::Drifted) => {
                let since = *one.drifted.get_or_insert_with(Instant::now);
                if is_last || since.elapsed() >= self.engine.policy.reread {
                    Found::Drifted
                } else {
                    Found::NotYet
                }
            }
            Err(trouble) if trouble.is_hopeless() => return Err(Halt(trouble.text)),
            Err(trouble) => {
                one.trouble = Some(trouble.text);
                if is_last { Found::Stuck(late(one)) } else { Found::NotYet }
            }
        })
    }

    /// Returns whether the world refuses an inverse for good.
    fn is_refused(&self, one: &Open<C>, asked: Instant) -> bool {
        let since = one.refused.map(|since| asked.saturating_duration_since(since));
        one.refusals >= REFUSALS && since.is_some_and(|time| time >= self.engine.policy.reread)
    }

    /// Looks at everything the run touched once more, and only then says that it is as before.
    ///
    /// A call whose answer was lost may land after its change was looked at: where there was one,
    /// the second look comes after a pause, and what has come up is taken back again.
    pub(super) async fn certify(&mut self, ending: Record<C, G>) -> Result<(), Halt> {
        let by_resource = self.touched_by_resource();
        if !by_resource.is_empty() {
            let doubtful = self.in_doubt || self.ledger.was_resumed();
            let settle = if doubtful { self.engine.policy.settle } else { Duration::ZERO };
            self.emit(EventKind::Verifying { settle });
            tokio::time::sleep(settle).await;
        }
        // What was there before a run is what its first change of a resource replaced.
        let firsts: Vec<&C> = by_resource.values().map(|changes| &changes[0].1).collect();
        let is_before = |_, position| position == Position::Before;
        let seen = self.look(&firsts, is_before, self.engine.policy.reread).await;
        let mut records = Vec::new();
        for (changes, position) in by_resource.values().zip(seen) {
            records.extend(self.verdict(changes, position).await?);
        }
        if records.is_empty() {
            records.push(ending);
        }
        self.note(records).await
    }

    /// Returns everything the run touched, but what a person decided to leave as it is.
    fn touched_by_resource(&self) -> BTreeMap<String, Vec<(StepId, C)>> {
        let mut by_resource: BTreeMap<String, Vec<(StepId, C)>> = BTreeMap::new();
        for (step, change, _) in self.ledger.touched() {
            by_resource.entry(change.resource()).or_default().push((step, change.clone()));
        }
        let is_left = |step: &StepId| self.ledger.state(*step) == StepState::Skipped;
        by_resource.retain(|_, changes| !changes.iter().any(|(step, _)| is_left(step)));
        by_resource
    }

    /// Says what is wrong with a resource that should be as before.
    async fn verdict(
        &self,
        changes: &[(StepId, C)],
        position: Result<Position, Trouble>,
    ) -> Result<Option<Record<C, G>>, Halt> {
        let (step, first) = &changes[0];
        let step = *step;
        Ok(match position {
            Ok(Position::Before) => None,
            Ok(Position::After | Position::Partial) => Some(Record::Resurfaced { step }),
            Ok(Position::Drifted) => {
                if let Some(step) = self.resurfaced(&first.resource()).await {
                    Some(Record::Resurfaced { step })
                } else {
                    let differences = self.engine.differences(first, &first.before()).await;
                    Some(Record::Stuck { step, reason: SOMEBODY_ELSE.to_owned(), differences })
                }
            }
            Err(trouble) if trouble.is_hopeless() => return Err(Halt(trouble.text)),
            Err(trouble) => {
                let reason = format!("it could not be looked at: {}", trouble.text);
                Some(Record::Stuck { step, reason, differences: Vec::new() })
            }
        })
    }

    /// Returns the newest change of a resource that was taken back and is in place again: its call
    /// landed late.
    async fn resurfaced(&self, resource: &str) -> Option<StepId> {
        let undone: Vec<(StepId, C)> = self
            .ledger
            .touched()
            .filter(|(_, change, state)| {
                *state == StepState::Undone && change.resource() == resource
            })
            .map(|(step, change, _)| (step, change.clone()))
            .collect();
        for (step, change) in undone.iter().rev() {
            let seen = self.engine.observe(&[change]).await;
            if matches!(seen.as_slice(), [Ok(Position::After | Position::Partial)]) {
                return Some(*step);
            }
        }
        None
    }

    async fn stuck(&self, one: &Open<C>, reason: &str) -> Record<C, G> {
        let (step, reason) = (one.step, reason.to_owned());
        let differences: Vec<Difference> =
            self.engine.differences(&one.change, &one.change.before()).await;
        let change = one.change.to_string();
        self.emit(EventKind::UndoStuck {
            step,
            change,
            reason: reason.clone(),
            differences: differences.clone(),
        });
        Record::Stuck { step, reason, differences }
    }
}

/// Returns whether a change takes something away that can only be made anew, as another one.
fn is_removal<C: Change>(change: &C) -> bool {
    change.reversibility() != Reversibility::Exact
        && change.after().is_empty()
        && !change.before().is_empty()
}
