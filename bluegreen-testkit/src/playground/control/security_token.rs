//! Who is asking.

use super::{Call, WireError, Xml};

/// Answers one call.
pub(super) fn answer(call: &Call<'_>) -> Result<Xml, WireError> {
    match call.action {
        "GetCallerIdentity" => {
            let account = &call.site.account;
            Ok(Xml::new()
                .text("Arn", format!("arn:aws:iam::{account}:user/playground"))
                .text("UserId", "AIDAPLAYGROUND")
                .text("Account", account))
        }
        action => Err(WireError::unknown_action(action)),
    }
}
