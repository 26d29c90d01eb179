use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bluegreen_core::transaction::{
    Change, Failure, Fields, Gate, Patience, Position, Reversibility, Severity, Verdict,
};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::fault::Fault;
use crate::sweep::Act;

/// A change between which and its world things go wrong.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent, bound = "")]
pub struct Faulty<C: Change>(C);

/// A gate between which and its world things go wrong.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent, bound = "")]
pub struct FaultyGate<G: Gate>(G);

/// A world and what goes wrong with calls to it.
pub struct FaultyWorld<W: ?Sized> {
    world: Arc<W>,
    desk: Mutex<Desk>,
}

impl<W: ?Sized> fmt::Debug for FaultyWorld<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FaultyWorld").finish_non_exhaustive()
    }
}

#[derive(Default)]
struct Desk {
    faults: BTreeMap<usize, Fault>,
    acts: BTreeMap<usize, Act>,
    /// For every call whether it could have changed anything, and what it was.
    calls: Vec<(bool, String)>,
    /// Where things seem to stand until when.
    stale: BTreeMap<String, (Instant, Position, Fields)>,
}

/// Says why a call did not do what it was made for.
#[derive(Debug, thiserror::Error)]
pub enum FaultyError<E: Failure> {
    /// It was planned so.
    #[error("a planned fault")]
    Planned(Severity),
    /// The world says so.
    #[error(transparent)]
    World(E),
}

impl<E: Failure> Failure for FaultyError<E> {
    fn severity(&self) -> Severity {
        match self {
            Self::Planned(severity) => *severity,
            Self::World(error) => error.severity(),
        }
    }
}

impl<W: ?Sized + Send + Sync> FaultyWorld<W> {
    pub(super) fn new(world: Arc<W>) -> Self {
        Self { world, desk: Mutex::default() }
    }

    /// Returns the world itself.
    pub(super) fn inner(&self) -> &W {
        &self.world
    }

    /// Returns, for every call so far, whether it could have changed anything, and what it was.
    pub(super) fn calls(&self) -> Vec<(bool, String)> {
        self.desk().calls.clone()
    }

    /// Lets the nth call from now go wrong.
    pub(super) fn fault(&self, nth: usize, fault: Fault) {
        let mut desk = self.desk();
        let number = desk.calls.len() + nth;
        desk.faults.insert(number, fault);
    }

    /// Does something just before the nth call from now.
    pub(super) fn before_call(&self, nth: usize, act: Act) {
        let mut desk = self.desk();
        let number = desk.calls.len() + nth;
        desk.acts.insert(number, act);
    }

    /// Lets nothing go wrong any more.
    pub(super) fn heal(&self) {
        let mut desk = self.desk();
        desk.faults.clear();
        desk.acts.clear();
    }

    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a call, and returns what goes wrong with it.
    fn arrive(&self, is_write: bool, what: String) -> Fault {
        let (number, act) = {
            let mut desk = self.desk();
            let number = desk.calls.len();
            desk.calls.push((is_write, what));
            (number, desk.acts.remove(&number))
        };
        if let Some(act) = act {
            act();
        }
        self.desk().faults.remove(&number).unwrap_or_default()
    }

    /// Lets a call that only looks go wrong.
    async fn look<E: Failure>(&self, what: String) -> Result<(), FaultyError<E>> {
        match self.arrive(false, what) {
            Fault::None => Ok(()),
            fault => Err(fail(fault).await),
        }
    }
}

/// Lets a call go wrong that has no effect, or whose effect is no matter.
async fn fail<E: Failure>(fault: Fault) -> FaultyError<E> {
    FaultyError::Planned(match fault {
        Fault::Hang | Fault::Silence(_) => std::future::pending().await,
        Fault::TimeOut(time) => {
            tokio::time::sleep(time).await;
            Severity::Unknown
        }
        Fault::Throttle => Severity::Busy,
        Fault::Credentials => Severity::Hopeless,
        Fault::Refuse | Fault::Deny | Fault::ErrorAfter => Severity::Refused,
        _ => Severity::Unknown,
    })
}

impl<C: Change> fmt::Display for Faulty<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl<C: Change> Faulty<C> {
    pub(super) fn new(change: C) -> Self {
        Self(change)
    }

    /// Makes the change after a while, whoever may be looking then.
    fn land_late(&self, world: &FaultyWorld<C::World>, after: Duration) {
        let (change, world) = (self.0.clone(), Arc::clone(&world.world));
        tokio::spawn(async move {
            tokio::time::sleep(after).await;
            // Nobody waits for the answer any more.
            let _unread = change.apply(&world).await;
        });
    }
}

#[async_trait]
impl<C: Change> Change for Faulty<C> {
    type World = FaultyWorld<C::World>;
    type Error = FaultyError<C::Error>;

    fn resource(&self) -> String {
        self.0.resource()
    }

    fn inverse(&self) -> Self {
        Self(self.0.inverse())
    }

    fn follows(&self, earlier: &Self) -> bool {
        self.0.follows(&earlier.0)
    }

    fn reversibility(&self) -> Reversibility {
        self.0.reversibility()
    }

    fn undo_time(&self) -> Duration {
        self.0.undo_time()
    }

    fn before(&self) -> Fields {
        self.0.before()
    }

    fn after(&self) -> Fields {
        self.0.after()
    }

    fn redacted(&self) -> Self {
        Self(self.0.redacted())
    }

    async fn find(&self, world: &Self::World) -> Result<Fields, Self::Error> {
        world.look(format!("find {}", self.resource())).await?;
        self.0.find(&world.world).await.map_err(FaultyError::World)
    }

    async fn observe(changes: &[&Self], world: &Self::World) -> Vec<Result<Position, Self::Error>> {
        let names: Vec<String> = changes.iter().map(|change| change.resource()).collect();
        if let Err(error) = world.look::<C::Error>(format!("observe {}", names.join(", "))).await {
            let severity = error.severity();
            return changes.iter().map(|_| Err(FaultyError::Planned(severity))).collect();
        }
        let inner: Vec<&C> = changes.iter().map(|change| &change.0).collect();
        let seen = C::observe(&inner, &world.world).await;
        let stale = world.desk().stale.clone();
        let shown = |(change, seen): (&&Self, Result<Position, C::Error>)| match stale
            .get(&change.resource())
        {
            Some((until, position, of)) if *until > Instant::now() => {
                Ok(if *of == change.0.after() { *position } else { mirrored(*position) })
            }
            _ => seen.map_err(FaultyError::World),
        };
        changes.iter().zip(seen).map(shown).collect()
    }

    async fn apply(&self, world: &Self::World) -> Result<(), Self::Error> {
        let fault = world.arrive(true, format!("apply {self}"));
        let make = || async { self.0.apply(&world.world).await.map_err(FaultyError::World) };
        match fault {
            Fault::None => make().await,
            Fault::LoseReply | Fault::HalfLand | Fault::ErrorAfter => {
                make().await?;
                Err(fail(fault).await)
            }
            Fault::LandLate(after) | Fault::Silence(after) => {
                self.land_late(world, after);
                Err(fail(fault).await)
            }
            Fault::StaleRead(time) => {
                let seen = C::observe(&[&self.0], &world.world).await.pop();
                if let Some(Ok(position)) = seen {
                    let hidden = (Instant::now() + time, position, self.0.after());
                    world.desk().stale.insert(self.resource(), hidden);
                }
                make().await
            }
            fault => Err(fail(fault).await),
        }
    }
}

/// Returns where the inverse of a change stands where the change itself stands so.
fn mirrored(position: Position) -> Position {
    match position {
        Position::Before => Position::After,
        Position::After => Position::Before,
        other => other,
    }
}

impl<G: Gate> FaultyGate<G> {
    pub(super) fn new(gate: G) -> Self {
        Self(gate)
    }
}

impl<G: Gate> fmt::Display for FaultyGate<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

#[async_trait]
impl<G: Gate> Gate for FaultyGate<G> {
    type World = FaultyWorld<G::World>;
    type Error = FaultyError<G::Error>;

    fn patience(&self) -> Patience {
        self.0.patience()
    }

    async fn look(&self, world: &Self::World, waited: Duration) -> Result<Verdict, Self::Error> {
        world.look(format!("look {self}")).await?;
        self.0.look(&world.world, waited).await.map_err(FaultyError::World)
    }
}
