use std::collections::BTreeMap;

use futures_util::future::try_join_all;

use super::{Circumstances, OperationError};
use crate::change::{CloudChange, look};
use crate::cloud::{CloudError, ReadCloud};
use crate::model::ScalingGroupName;
use crate::plan::{CloudPlan, Overtaken, ScaledownFacts, Standing, UndoFacts, standings};
use crate::transaction::{Change as _, Fields, Position, StepId, differences};

/// Looks where everything stands that a run did.
pub(super) async fn undo_facts(
    cloud: &dyn ReadCloud,
    circumstances: &Circumstances,
    drain: ScaledownFacts,
) -> Result<UndoFacts, OperationError> {
    let plan = circumstances.undone.clone().ok_or_else(|| {
        OperationError::refused("an undo was planned without the run that it takes back")
    })?;
    let standing = standings(&plan, looks(cloud, &plan).await?);
    let floats = floats(cloud, &plan).await?;
    Ok(UndoFacts { plan, standing, drain, floats })
}

/// Looks at every change of a run, all at the same time.
async fn looks(
    cloud: &dyn ReadCloud,
    plan: &CloudPlan,
) -> Result<BTreeMap<StepId, Standing>, CloudError> {
    let (steps, changes): (Vec<StepId>, Vec<&CloudChange>) = plan.changes().unzip();
    let positions = look(&changes, cloud).await;
    let looks =
        steps.iter().zip(changes).zip(positions).map(|((step, change), position)| async move {
            Ok::<_, CloudError>((
                *step,
                match position? {
                    Position::After => Standing::InPlace,
                    Position::Before => Standing::TakenBack,
                    Position::Partial | Position::Drifted => {
                        let first = first_of(plan, &change.resource());
                        let before = first.map_or_else(Fields::new, CloudChange::before);
                        Standing::Changed(overtaken(change, &before, &change.find_in(cloud).await?))
                    }
                },
            ))
        });
    Ok(try_join_all(looks).await?.into_iter().collect())
}

/// Returns the first change of a thing: it carries what was there before the run.
fn first_of<'a>(plan: &'a CloudPlan, resource: &str) -> Option<&'a CloudChange> {
    plan.changes().map(|(_, change)| change).find(|change| change.resource() == resource)
}

/// Compares what a run left with what is now and what was before.
fn overtaken(change: &CloudChange, before: &Fields, now: &Fields) -> Vec<Overtaken> {
    let whole = |fields: &Fields| (!fields.is_empty()).then(|| "there".to_owned());
    let mut overtaken: Vec<Overtaken> = differences(&change.after(), now)
        .into_iter()
        .map(|difference| Overtaken {
            resource: change.resource(),
            before: if difference.field.is_empty() {
                whole(before)
            } else {
                before.get(&difference.field).cloned()
            },
            field: difference.field,
            left: difference.wanted,
            now: difference.found,
        })
        .collect();
    if overtaken.is_empty() {
        // It differs in something that has no name here.
        let (left, now) = (whole(&change.after()), Some("another".to_owned()));
        let (resource, before) = (change.resource(), whole(before));
        overtaken.push(Overtaken { resource, field: String::new(), left, now, before });
    }
    overtaken
}

/// Returns what the floating versions that a run pinned mean now.
async fn floats(
    cloud: &dyn ReadCloud,
    plan: &CloudPlan,
) -> Result<BTreeMap<ScalingGroupName, u64>, CloudError> {
    let looks = plan.changes().filter_map(|(_, change)| {
        let CloudChange::Launch(edit) = change else { return None };
        let (template, version) = edit.before.template()?;
        let look = async move {
            let number = cloud.template_version(template, version).await?;
            Ok::<_, CloudError>(number.map(|number| (edit.of.clone(), number)))
        };
        version.floats().then_some(look)
    });
    Ok(try_join_all(looks).await?.into_iter().flatten().collect())
}
