use super::{Bluegreen, OperationError};
use crate::model::EnvironmentName;
use crate::transaction::{Holder, LockState};

impl Bluegreen {
    /// Tells who holds the lock of an environment, and who broke it last.
    pub async fn lock_state(
        &self,
        environment: &EnvironmentName,
    ) -> Result<LockState, OperationError> {
        Ok(self.store.lock_state(environment).await?)
    }

    /// Takes the lock of an environment from whoever holds it, which is noted.
    ///
    /// A holder that still lives changes nothing any more as soon as it looks, which it does before
    /// every change. Its run stays open, for a recovery. Returns the one who held the lock; `None`
    /// if nobody did.
    pub async fn break_lock(
        &self,
        environment: &EnvironmentName,
    ) -> Result<Option<Holder>, OperationError> {
        let by = self.actor.to_string();
        Ok(self.store.break_lock(environment, &by, self.clock.now()).await?)
    }
}
