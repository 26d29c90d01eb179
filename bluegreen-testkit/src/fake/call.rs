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
}

impl FakeCloud {
    /// Answers a call that only looks.
    pub(super) async fn read<T>(
        &self,
        method: &'static str,
        resource: String,
        look: impl FnOnce(&State) -> Result<T, CloudError> + Send,
    ) -> Result<T, CloudError> {
        let fault = self.arrive(method, &resource, false).await;
        if let Some(kind) = fault.refusal() {
            return Err(planned(kind, method, &resource));
        }
        let mut state = self.present();
        match fault {
            Fault::LoseReply | Fault::HalfLand | Fault::LandLate(_) => {
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
        let fault = self.arrive(method, &resource, true).await;
        if let Some(kind) = fault.refusal() {
            return Err(planned(kind, method, &resource));
        }
        let cause = format!("{method} {resource}");
        let answered = self.present().land(fault, cause, piece, Box::new(edit));
        answered.unwrap_or_else(|| Err(planned(CloudErrorKind::OutcomeUnknown, method, &resource)))
    }

    /// Notes a call and lets it travel.
    async fn arrive(&self, method: &'static str, resource: &str, mutating: bool) -> Fault {
        let (fault, latency) = {
            let mut state = self.present();
            let fault = state.script.take(method, mutating);
            let (at, resource) = (state.now, resource.to_owned());
            state.calls.push(FakeCall { at, method, resource, mutating, fault });
            (fault, state.timing.latency)
        };
        if fault == Fault::Hang {
            std::future::pending::<()>().await;
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
            Fault::LandLate(after) => {
                self.land_at(after, cause, piece, edit);
                return None;
            }
            Fault::Meddle(meddle) => self.meddle(meddle, &piece),
            _ => {}
        }
        self.breaking_off = fault == Fault::HalfLand;
        let result = self.change(&cause, &piece, edit);
        self.breaking_off = false;
        match fault {
            Fault::LoseReply | Fault::HalfLand => return None,
            Fault::StaleRead(hidden) if result.is_ok() => self.hide_last_change(hidden),
            _ => {}
        }
        Some(result)
    }
}

fn planned(kind: CloudErrorKind, method: &str, resource: &str) -> CloudError {
    CloudError::new(kind, method, resource).with_source("a planned fault")
}
