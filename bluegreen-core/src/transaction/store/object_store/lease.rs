mod slip;

use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::Mutex;

use super::super::{Break, Condition, Holder, Lock, LockState, Object, StoreError, StoreErrorKind};
use super::patient::{Patient, Settled};
use crate::model::{EnvironmentName, Timestamp};
use slip::{Slip, State};

/// How often to try again after somebody else was faster.
const TRIES: usize = 8;

/// Where the lock of an environment is.
#[derive(Clone, Debug)]
pub(super) struct Spot {
    pub(super) objects: Patient,
    pub(super) key: String,
    pub(super) environment: EnvironmentName,
}

impl Spot {
    /// Reads the lock, and whether it is held.
    async fn look(&self) -> Result<Option<(Slip, Object)>, StoreError> {
        let Some(object) = self.objects.get(&self.key).await? else { return Ok(None) };
        Ok(Some((self.read(&object)?, object)))
    }

    fn read(&self, object: &Object) -> Result<Slip, StoreError> {
        Slip::read(&object.body).map_err(|error| {
            StoreError::new(StoreErrorKind::Unusable, &self.key).with_source(format!(
                "it does not read as a lock, or a later version of bluegreen wrote it: {error}"
            ))
        })
    }

    async fn put(&self, slip: &Slip, condition: &Condition) -> Result<Settled, StoreError> {
        self.objects.put(&self.key, &slip.write(), condition).await
    }

    fn error(&self, kind: StoreErrorKind) -> StoreError {
        StoreError::new(kind, &self.environment)
    }

    /// Makes the error of a lock that is not ours any more.
    fn lost(&self, now: Option<(Slip, Duration)>) -> StoreError {
        let other = now.filter(|(slip, age)| slip.is_held(*age));
        let other = other.map(|(slip, _)| Box::new(slip.holder));
        self.error(StoreErrorKind::Lost(other))
    }
}

/// Takes the lock for `term`.
pub(super) async fn take(
    spot: Spot,
    holder: Holder,
    term: Duration,
) -> Result<ObjectLock, StoreError> {
    for _ in 0..TRIES {
        let (condition, broken) = match spot.look().await? {
            None => (Condition::Absent, None),
            Some((slip, object)) if slip.is_held(object.age) => {
                return Err(spot.error(StoreErrorKind::Held(Some(Box::new(slip.held())))));
            }
            Some((slip, object)) => (Condition::Version(object.version), slip.broken),
        };
        let slip = Slip::of(holder.clone(), term, broken);
        // Whoever was faster may have given it back already.
        if let Settled::Ours(version) = spot.put(&slip, &condition).await? {
            return Ok(ObjectLock { spot, mine: Mutex::new(Mine { slip, version }) });
        }
    }
    Err(spot.error(StoreErrorKind::Held(None)))
}

/// Tells who holds the lock, and who broke it last.
pub(super) async fn state(spot: &Spot) -> Result<LockState, StoreError> {
    let Some((slip, object)) = spot.look().await? else { return Ok(LockState::default()) };
    let held = slip.is_held(object.age).then(|| slip.held());
    Ok(LockState { held, broken: slip.broken })
}

/// Takes the lock away from its holder, and notes that.
pub(super) async fn take_away(
    spot: &Spot,
    by: &str,
    at: Timestamp,
) -> Result<Option<Holder>, StoreError> {
    for _ in 0..TRIES {
        let Some((slip, object)) = spot.look().await? else { return Ok(None) };
        if !slip.is_held(object.age) {
            return Ok(None);
        }
        let holder = slip.holder.clone();
        let broken = Break { by: by.to_owned(), at, holder: holder.clone() };
        let slip = Slip { state: State::Broken, broken: Some(broken), ..slip };
        // It may just have been renewed.
        if let Settled::Ours(_) = spot.put(&slip, &Condition::Version(object.version)).await? {
            return Ok(Some(holder));
        }
    }
    Err(spot.error(StoreErrorKind::Unusable).with_source("its lock changes all the time"))
}

/// The lock, as long as the object is the one that we put last.
#[derive(Debug)]
pub(super) struct ObjectLock {
    spot: Spot,
    mine: Mutex<Mine>,
}

/// What we put last, and know that we did.
#[derive(Debug)]
struct Mine {
    /// Its count goes up with every try, known to have succeeded or not.
    slip: Slip,
    version: String,
}

impl ObjectLock {
    /// Replaces what we put last, as `change` says, however much of what we tried before landed.
    ///
    /// [`Lost`](StoreErrorKind::Lost) if somebody else has put anything since.
    async fn replace(&self, change: impl Fn(&mut Slip) + Send) -> Result<(), StoreError> {
        let mut mine = self.mine.lock().await;
        for _ in 0..TRIES {
            mine.slip.renewals += 1;
            let mut slip = mine.slip.clone();
            change(&mut slip);
            let condition = Condition::Version(mine.version.clone());
            let found = match self.spot.put(&slip, &condition).await? {
                Settled::Ours(version) => {
                    *mine = Mine { slip, version };
                    return Ok(());
                }
                Settled::Theirs(None) => return Err(self.spot.lost(None)),
                Settled::Theirs(Some(found)) => found,
            };
            let now = self.spot.read(&found)?;
            if !mine.slip.is_held_as(&now) {
                return Err(self.spot.lost(Some((now, found.age))));
            }
            // An earlier try of ours, whose answer was lost.
            mine.version = found.version;
        }
        Err(self.spot.error(StoreErrorKind::Unusable).with_source("its lock changes all the time"))
    }
}

#[async_trait]
impl Lock for ObjectLock {
    async fn check(&self) -> Result<(), StoreError> {
        let nonce = self.mine.lock().await.slip.nonce.clone();
        match self.spot.look().await? {
            Some((slip, object)) if slip.nonce == nonce && slip.is_held(object.age) => Ok(()),
            now => Err(self.spot.lost(now.map(|(slip, object)| (slip, object.age)))),
        }
    }

    async fn renew(&self, deadline: Timestamp) -> Result<(), StoreError> {
        self.replace(|slip| slip.deadline = deadline).await
    }

    async fn release(&self) -> Result<(), StoreError> {
        match self.replace(|slip| slip.state = State::Released).await {
            Err(error) if matches!(error.kind(), StoreErrorKind::Lost(_)) => Ok(()),
            result => result,
        }
    }
}
