//! IAM: what an account is called, and what may be done in it, which is everything.

use super::{Call, WireError, Xml};

/// Answers one call.
pub(super) fn answer(call: &Call<'_>) -> Result<Xml, WireError> {
    match call.action {
        "ListAccountAliases" => Ok(Xml::new()
            .texts("AccountAliases", "member", ["playground"])
            .text("IsTruncated", "false")),
        "SimulatePrincipalPolicy" => simulate(call),
        action => Err(WireError::unknown_action(action)),
    }
}

/// Credentials are never checked, so nothing is denied.
fn simulate(call: &Call<'_>) -> Result<Xml, WireError> {
    call.params.need("PolicySourceArn")?;
    let resources = match call.params.list("ResourceArns") {
        none if none.is_empty() => vec!["*".to_owned()],
        some => some,
    };
    let allowed = |resource: &String| {
        Xml::new().text("EvalResourceName", resource).text("EvalResourceDecision", "allowed")
    };
    let evaluation = |action: String| {
        Xml::new()
            .text("EvalActionName", action)
            .text("EvalResourceName", &resources[0])
            .text("EvalDecision", "allowed")
            .list("ResourceSpecificResults", "member", resources.iter().map(allowed))
    };
    let actions = call.params.list("ActionNames").into_iter();
    Ok(Xml::new()
        .list("EvaluationResults", "member", actions.map(evaluation))
        .text("IsTruncated", "false"))
}
