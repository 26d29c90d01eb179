use super::{Bluegreen, EnvironmentSpec, OperationError};
use crate::model::EnvironmentName;
use crate::transaction::{Holder, LockState};

impl Bluegreen {
    /// Refuses credentials that are known to be of another account than the environment's.
    ///
    /// For what changes nothing in the cloud and must work while the cloud does not: credentials
    /// that cannot be looked at are no reason to refuse.
    pub async fn check_account(&self, spec: &EnvironmentSpec) -> Result<(), OperationError> {
        let cloud = &*self.cloud;
        match cloud.account().await {
            Ok(account) => super::observe::check_account(cloud, &account, spec).await,
            Err(_) => Ok(()),
        }
    }

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
