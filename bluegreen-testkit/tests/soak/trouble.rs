//! What goes wrong with one operation.

use std::sync::Arc;
use std::time::Duration;

use bluegreen_core::transaction::Cancel;
use bluegreen_testkit::brittle::{Ailment, BrittleStore, StoreCall};
use bluegreen_testkit::fake::FakeCall;
use bluegreen_testkit::strategy::{any_fault, any_faults, any_meddle};
use bluegreen_testkit::{FakeCloud, Fault, fault::Meddle};
use tokio::sync::Notify;

use crate::dice::Dice;

/// What goes wrong with one operation.
#[derive(Clone, Debug, Default)]
pub(crate) struct Trouble {
    /// With its changing calls, one after the other.
    pub(crate) faults: Vec<Fault>,
    /// With single calls, reading ones counted.
    pub(crate) at_calls: Vec<(usize, Fault)>,
    /// After how many records the process dies.
    pub(crate) dies_after: Option<usize>,
    /// At which call the process is gone, and when that call lands, if it does.
    pub(crate) gone_at: Option<(usize, Option<Duration>)>,
    /// At which call somebody asks to stop, and whether twice.
    pub(crate) stopped_at: Option<(usize, bool)>,
    /// At which call the lock is found to be lost.
    pub(crate) unlocked_at: Option<usize>,
    /// At which call somebody else touches what, and how.
    pub(crate) met: Option<(usize, FakeCall, Meddle)>,
}

impl Trouble {
    /// Makes trouble for an operation that makes these calls and writes so many records.
    pub(crate) fn any(dice: &mut Dice, calls: &[FakeCall], records: usize) -> Self {
        let mut trouble = Self::default();
        let sorts = dice.below(10);
        let writes: Vec<&FakeCall> = calls.iter().filter(|call| call.mutating).collect();
        let from = calls.iter().position(|call| call.mutating).unwrap_or_default();
        let some = |dice: &mut Dice| from + dice.below(calls.len() - from.min(calls.len()));
        match sorts {
            // It goes well.
            0..=2 => {}
            3 | 4 => trouble.faults = dice.any(&any_faults(writes.len() * 2)),
            5 => {
                for _ in 0..=dice.below(4) {
                    let (call, fault) = (dice.below(calls.len() * 2), dice.any(&any_fault()));
                    // Nothing was written for an hour, so nothing that is read is old.
                    if call >= from || !matches!(fault, Fault::StaleRead(_)) {
                        trouble.at_calls.push((call, fault));
                    }
                }
            }
            6 => trouble.dies_after = Some(dice.below(records)),
            7 => {
                let lands = [None, Some(Duration::ZERO), Some(Duration::from_secs(20))];
                trouble.gone_at = Some((some(dice), dice.one_of(&lands)));
            }
            8 => {
                let call = some(dice);
                match dice.below(3) {
                    0 => trouble.stopped_at = Some((call, false)),
                    1 => trouble.stopped_at = Some((call, true)),
                    _ => trouble.unlocked_at = Some(call),
                }
            }
            _ if writes.is_empty() => {}
            _ => {
                let with = writes[dice.below(writes.len())].clone();
                // Right before or after a write: in between, one of several looks that begin
                // together may show what another one did not.
                let writes = (0..calls.len()).filter(|at| calls[*at].mutating);
                let around: Vec<usize> = writes.flat_map(|at| [at, at + 1]).collect();
                trouble.met = Some((dice.one_of(&around), with, dice.any(&any_meddle())));
            }
        }
        // Misfortunes come together.
        if sorts >= 6 && trouble.met.is_none() && dice.one_in(3) {
            trouble.faults = dice.any(&any_faults(writes.len()));
        }
        trouble
    }

    /// Lets it happen from now on. `gone` is told when the process is to be gone.
    pub(crate) fn plan(
        &self,
        cloud: &FakeCloud,
        store: &BrittleStore,
        cancel: &Cancel,
        gone: &Arc<Notify>,
    ) {
        cloud.script(self.faults.iter().copied());
        for (call, fault) in &self.at_calls {
            cloud.fault_at_call(*call, *fault);
        }
        if let Some(records) = self.dies_after {
            store.die_after(records);
        }
        if let Some((call, lands)) = self.gone_at {
            cloud.fault_at_call(call, lands.map_or(Fault::Hang, Fault::Silence));
            let gone = Arc::clone(gone);
            cloud.before_call(call, move |_| gone.notify_one());
        }
        if let Some((call, twice)) = self.stopped_at {
            let cancel = cancel.clone();
            cloud.before_call(call, move |_| {
                cancel.request();
                if twice {
                    cancel.request();
                }
            });
        }
        if let Some(call) = self.unlocked_at {
            let store = store.clone();
            cloud.before_call(call, move |_| {
                for call in [StoreCall::Check, StoreCall::Renew] {
                    store.spoil(call, Ailment::FindsItLost, usize::MAX);
                }
            });
        }
        if let Some((call, with, meddle)) = self.met.clone() {
            cloud.before_call(call, move |cloud| cloud.meddle(meddle, &with));
        }
    }
}
