use bluegreen_core::cloud::{Cloud, CloudErrorKind};
use bluegreen_core::model::{
    LoadBalancerName, ResourceKey, ScalingGroupName, Tags, TargetGroupName,
};

use super::arrange::{self, refusal};
use super::{Clause, Fixture, clauses};

pub(super) const CLAUSES: &[(&str, Clause)] = clauses![
    exactly_the_tags_named_are_set_or_removed,
    tags_of_a_group_reach_no_machine,
    what_does_not_exist_has_no_tags,
    what_carries_a_tag_is_listed_with_all_of_its_tags,
    load_balancers_are_never_listed_by_a_tag,
];

const KEY: &str = "bluegreen:conformance";

/// Sets or removes exactly the tags named.
pub async fn exactly_the_tags_named_are_set_or_removed(cloud: &dyn Cloud, fixture: &Fixture) {
    for resource in [
        ResourceKey::LoadBalancer(fixture.load_balancer.clone()),
        ResourceKey::Listener(fixture.route.listener.clone()),
        ResourceKey::TargetGroup(fixture.target_group.clone()),
        ResourceKey::ScalingGroup(fixture.scaling_group.clone()),
    ] {
        let before = tags(cloud, &resource).await.expect("the fixture's resources exist");
        let mut wanted = before.clone();
        for value in [Some("1"), Some("2"), Some("2"), None, None] {
            let change = [(KEY.to_owned(), value.map(str::to_owned))].into();
            cloud.set_tags(&resource, &change).await.expect("a tag can be changed");
            match value {
                Some(value) => wanted.insert(KEY.to_owned(), value.to_owned()),
                None => wanted.remove(KEY),
            };
            let found = tags(cloud, &resource).await;
            assert_eq!(found.as_ref(), Some(&wanted), "exactly that tag of `{resource}` changed");
        }
        assert_eq!(wanted, before, "the tags are as they were");
    }
}

/// None reaches a machine.
pub async fn tags_of_a_group_reach_no_machine(cloud: &dyn Cloud, fixture: &Fixture) {
    let name = arrange::scaling_group(cloud, fixture, "tags").await;
    let resource = ResourceKey::ScalingGroup(name.clone());
    let change = [(KEY.to_owned(), Some("1".to_owned()))].into();
    cloud.set_tags(&resource, &change).await.expect("a tag can be set");
    let found = cloud.scaling_groups(std::slice::from_ref(&name)).await;
    let found = found.expect("groups can be read").pop().expect("the group exists");
    assert!(!found.tags[KEY].propagate, "machines do not get the tag");
    arrange::delete_scaling_group(cloud, fixture, &name).await;
}

/// Returns the tags of a resource; `None` if it does not exist.
pub async fn what_does_not_exist_has_no_tags(cloud: &dyn Cloud, fixture: &Fixture) {
    let absent = format!("{}-absent", fixture.prefix);
    for resource in [
        ResourceKey::LoadBalancer(LoadBalancerName::new(&absent)),
        ResourceKey::Listener(arrange::free_listener(fixture)),
        ResourceKey::TargetGroup(TargetGroupName::new(&absent)),
        ResourceKey::ScalingGroup(ScalingGroupName::new(&absent)),
    ] {
        assert_eq!(tags(cloud, &resource).await, None, "`{resource}` does not exist");
        if !fixture.strict {
            continue;
        }
        let change = [(KEY.to_owned(), Some("1".to_owned()))].into();
        let kind = refusal(cloud.set_tags(&resource, &change).await, "tagging what is absent");
        assert_eq!(kind, CloudErrorKind::NotFound, "`{resource}` does not exist");
    }
}

/// Returns every listener, target group and scaling group that carries a tag of this key, whatever
/// its value, each with all of its tags, by resource.
pub async fn what_carries_a_tag_is_listed_with_all_of_its_tags(
    cloud: &dyn Cloud,
    fixture: &Fixture,
) {
    let key = format!("{KEY}-{}", fixture.prefix);
    let resources = [
        ResourceKey::Listener(fixture.route.listener.clone()),
        ResourceKey::TargetGroup(fixture.target_group.clone()),
        ResourceKey::ScalingGroup(fixture.scaling_group.clone()),
    ];
    assert_eq!(tagged(cloud, &key).await, [], "nothing carries a key that nobody used");
    let mut wanted = Vec::new();
    for (resource, value) in resources.iter().zip(["1", "2", ""]) {
        let change = [(key.clone(), Some(value.to_owned()))].into();
        cloud.set_tags(resource, &change).await.expect("a tag can be set");
        let all = tags(cloud, resource).await.expect("the fixture's resources exist");
        wanted.push((resource.clone(), all));
    }
    wanted.sort();
    arrange::eventually(fixture, "what carries a tag is listed", || async {
        tagged(cloud, &key).await == wanted
    })
    .await;
    for resource in &resources {
        let change = [(key.clone(), None)].into();
        cloud.set_tags(resource, &change).await.expect("a tag can be removed");
    }
    arrange::eventually(fixture, "what carries a tag no more is not listed", || async {
        tagged(cloud, &key).await.is_empty()
    })
    .await;
}

/// Load balancers and rules are never listed.
pub async fn load_balancers_are_never_listed_by_a_tag(cloud: &dyn Cloud, fixture: &Fixture) {
    let key = format!("{KEY}-{}", fixture.prefix);
    let resource = ResourceKey::LoadBalancer(fixture.load_balancer.clone());
    for value in [Some("1".to_owned()), None] {
        let change = [(key.clone(), value)].into();
        cloud.set_tags(&resource, &change).await.expect("a tag can be changed");
        assert_eq!(tagged(cloud, &key).await, [], "a load balancer is not listed");
    }
}

async fn tagged(cloud: &dyn Cloud, key: &str) -> Vec<(ResourceKey, Tags)> {
    cloud.tagged(key).await.expect("what carries a tag can be listed")
}

async fn tags(cloud: &dyn Cloud, resource: &ResourceKey) -> Option<Tags> {
    cloud.tags(resource).await.expect("tags can be read")
}
