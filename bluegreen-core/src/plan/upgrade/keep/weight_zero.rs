use super::UpgradeSurvey;
use crate::change::CloudChange;
use crate::model::{Environment, Forward, Route};
use crate::plan::{Refusal, reweighted};

/// Puts the green target groups into every live route of their pairs, at weight 0.
///
/// What has weight 0 is named and so is checked, and gets no request.
pub(super) fn changes(
    environment: &Environment,
    survey: &UpgradeSurvey,
) -> Result<Vec<CloudChange>, Refusal> {
    let routes = environment.routes.iter();
    let changes = routes.filter_map(|route| joined(environment, survey, route).transpose());
    changes.collect()
}

fn joined(
    environment: &Environment,
    survey: &UpgradeSurvey,
    route: &Route,
) -> Result<Option<CloudChange>, Refusal> {
    let Some(forward) = route.actions.forward() else { return Ok(None) };
    let mut weights = forward.weights().clone();
    let is_lone = weights.len() == 1;
    for pair in environment.pairs.iter().filter(|pair| forward.names(&pair.blue)) {
        // The weight of a lone target group does not count, and may be 0.
        if is_lone && let Some(weight) = weights.get_mut(&pair.blue) {
            *weight = (*weight).max(1);
        }
        weights.entry(pair.green.clone()).or_insert(0);
    }
    check(survey, route, forward)?;
    Ok(reweighted(route, forward, weights))
}

/// Refuses a route whose clients a weight would not move.
///
/// Where any of several target groups of a route is sticky, the route must be so too; and where it
/// is, a request goes to the target group in its cookie, whatever the weights say.
fn check(survey: &UpgradeSurvey, route: &Route, forward: &Forward) -> Result<(), Refusal> {
    let sticky = |reason: String| Err(Refusal::Sticky { route: route.key.clone(), reason });
    if forward.stickiness().is_some() {
        return sticky(
            "its clients stay with the target group that they were sent to first, and no weight \
             moves them"
                .to_owned(),
        );
    }
    let mut found = forward.weights().keys().filter_map(|name| {
        let settings = survey.target_groups.get(name)?;
        settings.sticky.then_some(name)
    });
    match found.next() {
        Some(name) => sticky(format!(
            "the clients of target group `{name}` stay with their target, which among several \
             target groups is allowed only where they stay with the target group as well"
        )),
        None => Ok(()),
    }
}
