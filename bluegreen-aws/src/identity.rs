//! Who is asking.

use async_trait::async_trait;
use bluegreen_core::cloud::{CloudError, ReadIdentity};
use bluegreen_core::model::AccountId;

use crate::AwsCloud;
use crate::error::{incomplete, read_error};

#[async_trait]
impl ReadIdentity for AwsCloud {
    async fn account(&self) -> Result<AccountId, CloudError> {
        const OPERATION: &str = "GetCallerIdentity";
        let answer = self.identity().get_caller_identity().send().await;
        let answer = answer.map_err(|error| read_error(OPERATION, "the caller", error))?;
        let account = answer.account();
        account.map(AccountId::new).ok_or_else(|| incomplete(OPERATION, "the caller", "Account"))
    }

    async fn account_alias(&self) -> Result<Option<String>, CloudError> {
        let alias = self.iam().account_alias().await;
        alias.map_err(|error| read_error("ListAccountAliases", "the account", error))
    }
}
