use async_trait::async_trait;
use bluegreen_core::cloud::{CloudError, ReadIdentity};
use bluegreen_core::model::AccountId;

use super::FakeCloud;

#[async_trait]
impl ReadIdentity for FakeCloud {
    async fn account(&self) -> Result<AccountId, CloudError> {
        self.read("account", "the caller".to_owned(), |state| Ok(state.account.clone())).await
    }
}
