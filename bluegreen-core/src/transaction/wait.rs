use std::time::Duration;

use tokio::time::Instant;

use super::run::{Halt, Run};
use super::trouble::Trouble;
use super::{Change, EventKind, Gate, Progress, Record, Severity, StepId, Verdict};

/// What one look at a gate means.
enum Reading {
    Pass(Progress),
    Wait(Option<Progress>),
    Fail(String),
    Halt(String),
}

impl<C: Change, G: Gate<World = C::World>> Run<'_, C, G> {
    /// Waits for a gate; the run turns round if it does not hold.
    pub(super) async fn await_gate(&mut self, step: StepId) -> Result<(), Halt> {
        let Some(gate) = self.gate(step) else { return Ok(()) };
        let (patience, began) = (gate.patience(), Instant::now());
        let mut readings = 0;
        loop {
            self.watch().await?;
            let look = tokio::select! {
                biased;
                () = self.engine.cancel.requested() => return self.turn_as_asked().await,
                look = self.engine.look_at(&gate, began.elapsed()) => look,
            };
            let waited = began.elapsed();
            let progress = match self.read(look, patience.timeout, waited) {
                Reading::Pass(progress) if readings + 1 >= patience.readings => {
                    self.note(vec![Record::Passed { step }]).await?;
                    self.emit(EventKind::GatePassed { step, gate: gate.to_string(), progress });
                    return Ok(());
                }
                Reading::Pass(progress) => {
                    readings += 1;
                    Some(progress)
                }
                Reading::Wait(progress) => {
                    readings = 0;
                    progress
                }
                Reading::Fail(reason) => return self.gate_failed(step, &gate, reason).await,
                Reading::Halt(cause) => return Err(Halt(cause)),
            };
            self.emit(EventKind::GateWaiting { step, gate: gate.to_string(), progress, waited });
            tokio::select! {
                () = self.engine.cancel.requested() => {}
                () = tokio::time::sleep(patience.poll) => {}
            }
        }
    }

    /// Decides what one look at a gate means.
    fn read(&self, look: Result<Verdict, Trouble>, timeout: Duration, waited: Duration) -> Reading {
        let (progress, problem, limit) = match look {
            Ok(Verdict::Pass(progress)) => return Reading::Pass(progress),
            Ok(Verdict::Fail(reason)) => return Reading::Fail(reason),
            Ok(Verdict::Wait(progress)) => {
                let problem = progress.to_string();
                (Some(progress), problem, timeout)
            }
            Err(Trouble { text, severity }) => match severity {
                Severity::Hopeless if self.ledger.touched().next().is_some() => {
                    return Reading::Halt(text);
                }
                Severity::Hopeless | Severity::Refused => return Reading::Fail(text),
                // A world that is busy says nothing about the gate.
                Severity::Busy | Severity::Unknown => {
                    (None, text, timeout.max(self.engine.policy.forward))
                }
            },
        };
        if waited < limit {
            return Reading::Wait(progress);
        }
        match waited.as_secs() {
            0 => Reading::Fail(problem),
            seconds => Reading::Fail(format!("{problem} after {seconds}s")),
        }
    }

    async fn gate_failed(&mut self, step: StepId, gate: &G, reason: String) -> Result<(), Halt> {
        let cause = format!("it does not hold that {gate}: {reason}");
        self.emit(EventKind::GateFailed { step, gate: gate.to_string(), reason });
        self.give_up(cause, &[step]).await
    }

    fn gate(&self, step: StepId) -> Option<G> {
        self.ledger.plan().steps().find_map(|(id, _, work)| match work {
            Err(gate) if id == step => Some(gate.clone()),
            _ => None,
        })
    }
}
