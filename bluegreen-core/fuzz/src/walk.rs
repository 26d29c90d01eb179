//! A ledger that takes one record after another, and what must hold at each of them.

use bluegreen_core::transaction::{Change, Ending, Gate, Ledger, Next, Record, StepId, StepState};

/// The records that were legal so far.
pub(crate) struct Walk<C, G> {
    records: Vec<Record<C, G>>,
    ledger: Ledger<C, G>,
}

impl<C: Change, G: Gate> Walk<C, G> {
    /// Begins with the first record of a journal, if it is one.
    pub(crate) fn begin(first: Record<C, G>) -> Option<Self> {
        let ledger = Ledger::replay([first.clone()]).ok()?;
        Some(Self { records: vec![first], ledger })
    }

    pub(crate) fn ledger(&self) -> &Ledger<C, G> {
        &self.ledger
    }

    /// Takes one more record, if it is legal; returns whether it is.
    pub(crate) fn take(&mut self, record: Record<C, G>) -> bool {
        let mut ledger = self.ledger.clone();
        if let Err(illegal) = ledger.fold(&record) {
            assert!(illegal.to_string().contains(record.name().0));
            return false;
        }
        assert!(self.ledger.ending().is_none(), "nothing follows an end");
        assert!(self.ledger.cause().is_none() || ledger.cause().is_some(), "it turns round once");
        let was_past_return = self.ledger.is_past_return();
        self.ledger = ledger;
        assert!(!was_past_return || self.ledger.cause().is_none(), "there is no way back");
        self.records.push(record);
        self.check();
        true
    }

    /// What is read back from a journal is what was known when it was written.
    pub(crate) fn end(self) {
        let again = Ledger::replay(self.records).expect("every record was legal");
        assert_eq!(again.next(), self.ledger.next());
        assert_eq!(again.ending(), self.ledger.ending());
        let states = |ledger: &Ledger<C, G>| steps(ledger).map(|it| ledger.state(it)).collect();
        let (found, wanted): (Vec<StepState>, Vec<_>) = (states(&again), states(&self.ledger));
        assert_eq!(found, wanted);
    }

    /// There is always a way on, and an end says the truth.
    pub(crate) fn check(&self) {
        let ledger = &self.ledger;
        let _barrier = ledger.plan().point_of_no_return();
        let _remade = ledger.remade().count();
        match ledger.next() {
            Next::Apply(open) => self.all_may(&open, |step, state| match state {
                StepState::Pending => self.intended(step),
                _ => Record::Applied { step },
            }),
            Next::Undo(open) => {
                self.all_may(&open, |step, _| Record::Undone { step, remade: false });
            }
            Next::Await(step) => self.may(&Record::Passed { step }),
            Next::Stuck(stuck) => {
                assert!(!stuck.is_empty());
                self.may(&Record::Resumed { actor: String::new(), forward: false });
            }
            Next::Commit => self.may(&Record::Committed),
            Next::RollBack => self.may(&Record::RolledBack),
            Next::Abandon => self.may(&Record::Abandoned),
            Next::Done(ending) => self.is_true(ending),
        }
    }

    /// The record that is due for each of some steps can follow.
    fn all_may(&self, steps: &[StepId], due: impl Fn(StepId, StepState) -> Record<C, G>) {
        assert!(!steps.is_empty());
        for step in steps {
            self.may(&due(*step, self.ledger.state(*step)));
        }
    }

    fn may(&self, record: &Record<C, G>) {
        self.ledger.clone().fold(record).expect("what is next can be written");
    }

    fn is_true(&self, ending: Ending) {
        assert_eq!(self.ledger.ending(), Some(ending));
        let allowed: &[StepState] = match ending {
            Ending::Committed => &[StepState::Applied],
            Ending::RolledBack => &[StepState::Pending, StepState::Undone],
            Ending::Abandoned => &[StepState::Pending, StepState::Undone, StepState::Skipped],
        };
        for (step, _) in self.ledger.plan().changes() {
            assert!(allowed.contains(&self.ledger.state(step)), "{step} after {ending:?}");
        }
    }

    /// Makes the record that says that a change is about to be made.
    pub(crate) fn intended(&self, step: StepId) -> Record<C, G> {
        let change = self.ledger.change(step).expect("only changes are begun").redacted();
        let inverse = change.inverse();
        Record::Intended { step, change, inverse }
    }
}

fn steps<C: Change, G: Gate>(ledger: &Ledger<C, G>) -> impl Iterator<Item = StepId> {
    ledger.plan().steps().map(|(step, ..)| step)
}
