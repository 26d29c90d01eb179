use std::collections::BTreeMap;

use async_trait::async_trait;
use bluegreen_core::cloud::{CloudError, ReadTags, WriteTags};
use bluegreen_core::model::{GroupTag, ListenerKey, ResourceKey, ScalingGroupName, Tags};

use super::FakeCloud;
use super::piece::Piece;
use super::refusal::{not_found, rejected};
use super::state::State;
use super::world::{ScalingGroupState, World};

const METHOD: &str = "set_tags";

#[async_trait]
impl ReadTags for FakeCloud {
    async fn tags(&self, resource: &ResourceKey) -> Result<Option<Tags>, CloudError> {
        self.read("tags", resource.to_string(), |state| Ok(state.world.tags(resource))).await
    }

    async fn tagged(&self, key: &str) -> Result<Vec<(ResourceKey, Tags)>, CloudError> {
        self.read("tagged", key.to_owned(), |state| {
            let mut found = state.world.all_tags();
            let dying = state.dying.iter().map(|(name, dying)| (name, &dying.group));
            found.extend(dying.map(|(name, group)| tags_of(name, group)));
            found.retain(|_, tags| tags.contains_key(key));
            Ok(found.into_iter().collect())
        })
        .await
    }
}

#[async_trait]
impl WriteTags for FakeCloud {
    async fn set_tags(
        &self,
        resource: &ResourceKey,
        tags: &BTreeMap<String, Option<String>>,
    ) -> Result<(), CloudError> {
        let (resource, tags) = (resource.clone(), tags.clone());
        let piece = Piece::Tags(resource.clone(), tags.keys().cloned().collect());
        self.write(METHOD, piece, move |state| state.set_tags(&resource, tags)).await
    }
}

impl State {
    fn set_tags(
        &mut self,
        resource: &ResourceKey,
        tags: BTreeMap<String, Option<String>>,
    ) -> Result<(), CloudError> {
        if tags.keys().any(|key| key.starts_with("aws:")) {
            return Err(rejected(METHOD, resource, "a tag is reserved"));
        }
        if let ResourceKey::ScalingGroup(name) = resource {
            let group = self.group_to_change(METHOD, name)?;
            for (key, value) in tags {
                match value {
                    Some(value) => group.tags.insert(key, GroupTag { value, propagate: false }),
                    None => group.tags.remove(&key),
                };
            }
            return Ok(());
        }
        let found = self.world.tags_mut(resource).ok_or_else(|| not_found(METHOD, resource))?;
        for (key, value) in tags {
            match value {
                Some(value) => found.insert(key, value),
                None => found.remove(&key),
            };
        }
        Ok(())
    }
}

impl World {
    /// Returns the tags of a resource, if it exists.
    pub fn tags(&self, resource: &ResourceKey) -> Option<Tags> {
        Some(match resource {
            ResourceKey::LoadBalancer(name) => self.load_balancers.get(name)?.tags.clone(),
            ResourceKey::Listener(key) => self.listener(key)?.tags.clone(),
            ResourceKey::TargetGroup(name) => self.target_groups.get(name)?.tags.clone(),
            ResourceKey::ScalingGroup(name) => tags_of(name, self.scaling_groups.get(name)?).1,
            _ => return None,
        })
    }

    /// Returns the tags of every listener, target group and scaling group.
    fn all_tags(&self) -> BTreeMap<ResourceKey, Tags> {
        let listeners = self.load_balancers.iter().flat_map(|(name, balancer)| {
            balancer.listeners.iter().map(|(port, listener)| {
                let key = ListenerKey::new(name.clone(), *port);
                (ResourceKey::Listener(key), listener.tags.clone())
            })
        });
        let target_groups = self
            .target_groups
            .iter()
            .map(|(name, one)| (ResourceKey::TargetGroup(name.clone()), one.tags.clone()));
        let groups = self.scaling_groups.iter().map(|(name, group)| tags_of(name, group));
        listeners.chain(target_groups).chain(groups).collect()
    }

    /// Returns the tags of what is no scaling group, to be changed.
    pub(super) fn tags_mut(&mut self, resource: &ResourceKey) -> Option<&mut Tags> {
        Some(match resource {
            ResourceKey::LoadBalancer(name) => &mut self.load_balancers.get_mut(name)?.tags,
            ResourceKey::Listener(key) => &mut self.listener_mut(key)?.tags,
            ResourceKey::TargetGroup(name) => &mut self.target_groups.get_mut(name)?.tags,
            _ => return None,
        })
    }
}

/// Returns a scaling group's key and its tags, without whether machines get them.
fn tags_of(name: &ScalingGroupName, group: &ScalingGroupState) -> (ResourceKey, Tags) {
    let tags = group.tags.iter().map(|(key, tag)| (key.clone(), tag.value.clone()));
    (ResourceKey::ScalingGroup(name.clone()), tags.collect())
}
