use std::collections::BTreeMap;
use std::fmt;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::Edit;
use super::edit::{EditKind, position};
use super::launch::resolve;
use super::scaling_group::read;
use crate::cloud::{Cloud, CloudError, CloudErrorKind, ReadCloud};
use crate::model::{
    ImageId, LaunchSource, ResourceKey, ScalingGroupName, TemplateVersion, tag_key,
};
use crate::transaction::{Fields, Position, fields};

#[async_trait]
impl EditKind for Edit<ResourceKey, BTreeMap<String, Option<String>>> {
    fn resource(&self) -> String {
        let keys: Vec<&str> = self.after.keys().map(String::as_str).collect();
        format!("tags {} of {}", keys.join(", "), self.of)
    }

    async fn observe(&self, cloud: &dyn ReadCloud) -> Result<Position, CloudError> {
        Ok(position(&self.found(cloud).await?, &self.before, &self.after))
    }

    async fn apply(&self, cloud: &dyn Cloud) -> Result<(), CloudError> {
        cloud.set_tags(&self.of, &self.after).await
    }

    fn describe(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let set: Vec<String> = self
            .after
            .iter()
            .map(|(key, value)| match value {
                Some(value) => format!("{key}={value}"),
                None => format!("no {key}"),
            })
            .collect();
        write!(f, "tag {}: {}", self.of, set.join(", "))
    }

    fn values(&self) -> (Fields, Fields) {
        self.all_fields()
    }

    async fn find(&self, cloud: &dyn ReadCloud) -> Result<Fields, CloudError> {
        Ok(fields(&self.found(cloud).await?))
    }
}

impl Edit<ResourceKey, BTreeMap<String, Option<String>>> {
    async fn found(
        &self,
        cloud: &dyn ReadCloud,
    ) -> Result<BTreeMap<String, Option<String>>, CloudError> {
        // A resource that is not there has no tags.
        let tags = cloud.tags(&self.of).await?.unwrap_or_default();
        Ok(self.after.keys().map(|key| (key.clone(), tags.get(key).cloned())).collect())
    }
}

/// Which image a group's launch source stands for, as noted in a tag of the group.
///
/// A version of a template never changes, so what is noted about one stays true; a note about
/// another launch source than the group has now is worth nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ImageNote {
    /// The text of a tag that was found.
    Text(String),
    /// The text that says this.
    Of {
        /// The launch source, whose version may be known only by its mark.
        launch: LaunchSource,
        /// The image behind it.
        image: ImageId,
    },
}

impl fmt::Display for ImageNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Of { image, .. } => write!(f, "{image}"),
        }
    }
}

impl ImageNote {
    /// Returns the text of the tag; `None` while a version is not numbered.
    pub(crate) fn resolved(launch: &LaunchSource, image: &ImageId) -> Option<String> {
        match (launch, launch.template()) {
            (_, Some((_, TemplateVersion::Number(number)))) => Some(format!("{number} {image}")),
            (LaunchSource::Configuration(name), _) => Some(format!("{name} {image}")),
            _ => None,
        }
    }

    /// Reads the image off a tag, if the tag speaks of `launch`.
    pub fn read(text: &str, launch: &LaunchSource) -> Option<ImageId> {
        let image = ImageId::new(text.rsplit_once(' ')?.1);
        (Self::resolved(launch, &image)? == text).then_some(image)
    }

    async fn text(
        note: Option<&Self>,
        cloud: &dyn ReadCloud,
    ) -> Result<Option<String>, CloudError> {
        Ok(match note {
            None => None,
            Some(Self::Text(text)) => Some(text.clone()),
            Some(Self::Of { launch, image }) => {
                resolve(cloud, launch).await?.and_then(|launch| Self::resolved(&launch, image))
            }
        })
    }
}

#[async_trait]
impl EditKind for Edit<ScalingGroupName, Option<ImageNote>> {
    fn resource(&self) -> String {
        format!("noted image of {}", self.of)
    }

    async fn observe(&self, cloud: &dyn ReadCloud) -> Result<Position, CloudError> {
        let group = read(cloud, &self.of).await?;
        let found = group.and_then(|group| group.tag(tag_key::IMAGE).map(str::to_owned));
        for (note, position) in [(&self.after, Position::After), (&self.before, Position::Before)] {
            let text = ImageNote::text(note.as_ref(), cloud).await?;
            // A note about a version that is not there cannot be what was found.
            if text.is_some() == note.is_some() && text == found {
                return Ok(position);
            }
        }
        Ok(Position::Drifted)
    }

    async fn apply(&self, cloud: &dyn Cloud) -> Result<(), CloudError> {
        let text = ImageNote::text(self.after.as_ref(), cloud).await?;
        if text.is_none() && self.after.is_some() {
            let resource = format!("noted image of {}", self.of);
            return Err(CloudError::new(
                CloudErrorKind::NotFound,
                "looking up the version",
                resource,
            ));
        }
        let tags = BTreeMap::from([(tag_key::IMAGE.to_owned(), text)]);
        cloud.set_tags(&ResourceKey::ScalingGroup(self.of.clone()), &tags).await
    }

    fn describe(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.after {
            None => write!(f, "note no image on {}", self.of),
            Some(note) => write!(f, "note image {note} on {}", self.of),
        }
    }

    fn values(&self) -> (Fields, Fields) {
        let of = |note: &Option<ImageNote>| {
            note.as_ref().map_or_else(Fields::new, |note| fields(&note.to_string()))
        };
        (of(&self.before), of(&self.after))
    }

    async fn find(&self, cloud: &dyn ReadCloud) -> Result<Fields, CloudError> {
        let group = read(cloud, &self.of).await?;
        Ok(fields(&group.as_ref().and_then(|group| group.tag(tag_key::IMAGE))))
    }
}
