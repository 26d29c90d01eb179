use async_trait::async_trait;
use bluegreen_core::cloud::{CloudError, ReadIdentity};
use bluegreen_core::model::AccountId;

use super::FakeCloud;

#[async_trait]
impl ReadIdentity for FakeCloud {
    async fn account(&self) -> Result<AccountId, CloudError> {
        self.read("account", "the caller".to_owned(), |state| Ok(state.account.clone())).await
    }

    async fn account_alias(&self) -> Result<Option<String>, CloudError> {
        self.read("account_alias", "the account".to_owned(), |state| Ok(state.papers.alias.clone()))
            .await
    }
}
