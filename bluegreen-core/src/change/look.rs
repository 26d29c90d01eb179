use futures_util::future::join_all;

use super::edit::position;
use super::{CloudChange, Edit};
use crate::cloud::{CloudError, ReadCloud};
use crate::model::{Actions, RouteKey};
use crate::transaction::{Position, chain};

/// Looks where a cloud that can only be read stands between before and after.
pub(crate) async fn look(
    changes: &[&CloudChange],
    cloud: &dyn ReadCloud,
) -> Vec<Result<Position, CloudError>> {
    let routes: Vec<_> = changes
        .iter()
        .filter_map(|change| match change {
            CloudChange::Route(edit) => Some(edit),
            _ => None,
        })
        .collect();
    let others = changes.iter().filter(|change| !matches!(change, CloudChange::Route(_)));
    let (routes, others) = tokio::join!(
        async { if routes.is_empty() { Vec::new() } else { observe_routes(&routes, cloud).await } },
        join_all(others.map(|change| change.kind().observe(cloud))),
    );
    let (mut routes, mut others) = (routes.into_iter(), others.into_iter());
    let next = |change: &&CloudChange| match change {
        CloudChange::Route(_) => routes.next(),
        _ => others.next(),
    };
    changes.iter().filter_map(next).collect()
}

/// Looks at many routes with as few calls as the cloud can.
async fn observe_routes(
    edits: &[&Edit<RouteKey, Actions>],
    cloud: &dyn ReadCloud,
) -> Vec<Result<Position, CloudError>> {
    let keys: Vec<_> = edits.iter().map(|edit| edit.of.clone()).collect();
    match cloud.routes(&keys).await {
        Ok(found) => edits
            .iter()
            .map(|edit| match found.get(&edit.of) {
                Some(actions) => Ok(position(actions, &edit.before, &edit.after)),
                None => Ok(Position::Drifted),
            })
            .collect(),
        Err(error) => {
            let again = || {
                CloudError::new(error.kind(), error.operation(), error.resource())
                    .with_source(chain(&error))
            };
            edits.iter().map(|_| Err(again())).collect()
        }
    }
}
