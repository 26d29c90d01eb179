use std::fmt;

use crate::model::{Actions, Forward};

/// Writes what an edit of something that may be absent does.
pub(super) fn presence<V>(
    f: &mut fmt::Formatter<'_>,
    before: Option<&V>,
    after: Option<&V>,
    what: fmt::Arguments<'_>,
) -> fmt::Result {
    let verb = match (before, after) {
        (None, _) => "create",
        (_, None) => "delete",
        _ => "replace",
    };
    write!(f, "{verb} {what}")
}

/// Writes the forward part of an action list in a few words.
pub(super) fn forward(actions: &Actions) -> String {
    let Some(forward) = actions.forward() else { return "no target group".to_owned() };
    weights(forward)
}

fn weights(forward: &Forward) -> String {
    let mut weights = forward.weights().iter();
    match (weights.next(), weights.len()) {
        (Some((name, _)), 0) => name.to_string(),
        _ => forward
            .weights()
            .iter()
            .map(|(name, weight)| format!("{name} {weight}"))
            .collect::<Vec<_>>()
            .join(" / "),
    }
}
