use bluegreen_core::cloud::{Cloud, CloudErrorKind};
use bluegreen_core::model::{Actions, ListenerSettings, TargetGroupName, tag_key};

use super::arrange::{self, refusal};
use super::{Clause, Fixture, clauses};

pub(super) const CLAUSES: &[(&str, Clause)] = clauses![
    a_listener_is_made_with_its_tags,
    a_listener_that_is_there_is_not_made_again,
    a_listener_that_is_absent_is_deleted_at_once,
];

/// Makes a listener, its tags with it; a repeat is harmless.
pub async fn a_listener_is_made_with_its_tags(cloud: &dyn Cloud, fixture: &Fixture) {
    let key = arrange::free_listener(fixture);
    let before = cloud.listener_settings(&key).await.expect("an absent listener is no error");
    assert_eq!(before, None, "nothing listens on the free port");
    let wanted = settings(fixture, fixture.target_group.clone());
    for _ in 0..2 {
        cloud.create_listener(&key, &wanted).await.expect("a listener can be made and made again");
        let found = cloud.listener_settings(&key).await.expect("listeners can be read");
        assert_eq!(found.as_ref(), Some(&wanted), "what was made is what is read");
    }
    let rules = cloud.rules(&key).await.expect("the rules of a new listener can be read");
    assert_eq!(rules, [], "a new listener has no rules");
    cloud.delete_listener(&key).await.expect("a listener can be deleted");
    let after = cloud.listener_settings(&key).await.expect("an absent listener is no error");
    assert_eq!(after, None, "the listener is gone");
}

/// Refuses with `Rejected` where the resource is there with other settings.
pub async fn a_listener_that_is_there_is_not_made_again(cloud: &dyn Cloud, fixture: &Fixture) {
    if !fixture.strict {
        return;
    }
    let key = arrange::free_listener(fixture);
    let other = arrange::target_group(cloud, fixture, "listener").await;
    let first = settings(fixture, fixture.target_group.clone());
    cloud.create_listener(&key, &first).await.expect("a listener can be made");
    let second = cloud.create_listener(&key, &settings(fixture, other.clone())).await;
    let kind = refusal(second, "making another listener on a port that is taken");
    assert_eq!(kind, CloudErrorKind::Rejected, "the port is taken");
    let found = cloud.listener_settings(&key).await.expect("listeners can be read");
    assert_eq!(found, Some(first), "the listener is as it was");
    cloud.delete_listener(&key).await.expect("a listener can be deleted");
    arrange::delete_target_group(cloud, fixture, &other).await;
}

/// A delete of what is absent succeeds.
pub async fn a_listener_that_is_absent_is_deleted_at_once(cloud: &dyn Cloud, fixture: &Fixture) {
    let deleted = cloud.delete_listener(&arrange::free_listener(fixture)).await;
    deleted.expect("deleting what is absent succeeds");
}

/// Returns what makes an idle listener.
pub(super) fn settings(fixture: &Fixture, to: TargetGroupName) -> ListenerSettings {
    ListenerSettings {
        protocol: "HTTP".to_owned(),
        actions: Actions::forward_to(to),
        tags: [(tag_key::RUN.to_owned(), arrange::run(fixture).to_string())].into(),
        tls: bluegreen_core::model::Opaque::default(),
    }
}
