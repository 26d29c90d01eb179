use bluegreen_core::cloud::Cloud;

use super::{Clause, Fixture, clauses};

pub(super) const CLAUSES: &[(&str, Clause)] =
    clauses![the_account_is_the_one_that_the_credentials_belong_to];

/// Returns the account that the credentials belong to.
pub async fn the_account_is_the_one_that_the_credentials_belong_to(
    cloud: &dyn Cloud,
    fixture: &Fixture,
) {
    let account = cloud.account().await.expect("the account can be read");
    assert_eq!(account, fixture.account, "the account must be that of the credentials");
}
