use std::time::Duration;

use bluegreen_core::cloud::{CloudError, CloudErrorKind};

use super::FakeCloud;
use super::piece::Piece;
use super::state::{Edit, State};
use crate::fault::Fault;

/// One call that somebody made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FakeCall {
    /// When it was made, counted from the start of the cloud.
    pub at: Duration,
    /// The method of the trait.
    pub method: &'static str,
    /// What the call was about.
    pub resource: String,
    /// Whether it could have changed anything.
    pub mutating: bool,
    /// What was planned to go wrong with it.
    pub fault: Fault,
    pub(super) piece: Option<Piece>,
}

impl FakeCloud {
    /// Answers a call that only looks.
    pub(super) async fn read<T>(
        &self,
        method: &'static str,
        resource: String,
        look: impl FnOnce(&State) -> Result<T, CloudError> + Send,
    ) -> Result<T, CloudError> {
        let fault = self.arrive(method, &resource, None).await;
        if let Some(kind) = fault.refusal() {
            return Err(planned(kind, method, &resource));
        }
        let mut state = self.present();
        match fault {
            Fault::LoseReply
            | Fault::ErrorAfter
            | Fault::HalfLand
            | Fault::LandLate(_)
            | Fault::TimeOut(_) => {
                return Err(planned(CloudErrorKind::OutcomeUnknown, method, &resource));
            }
            Fault::StaleRead(hidden) => state.hide_last_change(hidden),
            _ => {}
        }
        state.look(look)
    }

    /// Answers a call that changes something.
    pub(super) async fn write(
        &self,
        method: &'static str,
        piece: Piece,
        edit: impl FnOnce(&mut State) -> Result<(), CloudError> + Send + 'static,
    ) -> Result<(), CloudError> {
        let resource = piece.to_string();
        let fault = self.arrive(method, &resource, Some(&piece)).await;
        if let Some(kind) = fault.refusal() {
            return Err(planned(kind, method, &resource));
        }
        if let Fault::TimeOut(_) = fault {
            return Err(planned(CloudErrorKind::OutcomeUnknown, method, &resource));
        }
        let cause = format!("{method} {resource}");
        let answered = self.present().land(fault, cause, piece, Box::new(edit));
        if let Fault::Silence(_) = fault {
            std::future::pending::<()>().await;
        }
        match (fault, answered) {
            (Fault::ErrorAfter, _) => Err(planned(CloudErrorKind::Rejected, method, &resource)),
            (_, Some(answer)) => answer,
            (_, None) => Err(planned(CloudErrorKind::OutcomeUnknown, method, &resource)),
        }
    }

    /// Notes a call and lets it travel.
    async fn arrive(&self, method: &'static str, resource: &str, piece: Option<&Piece>) -> Fault {
        let mutating = piece.is_some();
        let watcher = self.present().script.watcher();
        if let Some(watcher) = watcher {
            watcher.act(self);
        }
        let (fault, latency) = {
            let mut state = self.present();
            let fault = state.script.take(method, mutating);
            if let Some(met) = &mut state.met {
                met.witness(resource, piece);
            }
            let (at, resource, piece) = (state.now, resource.to_owned(), piece.cloned());
            state.calls.push(FakeCall { at, method, resource, mutating, fault, piece });
            (fault, state.timing.latency)
        };
        match fault {
            Fault::Hang => std::future::pending::<()>().await,
            Fault::Silence(_) if !mutating => std::future::pending::<()>().await,
            Fault::TimeOut(time) => tokio::time::sleep(time).await,
            _ => {}
        }
        if !latency.is_zero() {
            tokio::time::sleep(latency).await;
        }
        fault
    }
}

impl State {
    /// Lets a changing call take effect; `None` if its answer is lost.
    fn land(
        &mut self,
        fault: Fault,
        cause: String,
        piece: Piece,
        edit: Edit,
    ) -> Option<Result<(), CloudError>> {
        match fault {
            Fault::LandLate(after) | Fault::Silence(after) => {
                self.land_at(after, cause, piece, edit);
                return None;
            }
            Fault::Meddle(meddle) => {
                self.meddle(meddle, &piece);
                // Nobody can look between this and the call.
                if let Some(met) = &mut self.met {
                    met.witness(&cause, Some(&piece));
                }
            }
            _ => {}
        }
        self.breaking_off = fault == Fault::HalfLand;
        let result = self.change(&cause, &piece, edit);
        self.breaking_off = false;
        match fault {
            Fault::LoseReply | Fault::HalfLand => return None,
            Fault::MeddleAfter(meddle) => self.meddle(meddle, &piece),
            Fault::StaleRead(hidden) if result.is_ok() => self.hide_last_change(hidden),
            _ => {}
        }
        Some(result)
    }
}

fn planned(kind: CloudErrorKind, method: &str, resource: &str) -> CloudError {
    CloudError::new(kind, method, resource).with_source("a planned fault")
}
