use std::fmt;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::edit::{self, EditKind};
use super::{Edit, describe, scaling_group};
use crate::cloud::{Cloud, CloudError, CloudErrorKind, ReadCloud};
use crate::model::{
    LaunchConfigurationName, LaunchEdit, LaunchSource, LaunchTemplateName, Mark, ScalingGroupName,
    TemplateSettings, TemplateVersion,
};
use crate::transaction::{Fields, Position, fields};

/// A version of a launch template, by the mark that it carries: the cloud numbers it only when it
/// is made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MarkedVersion {
    /// The template.
    pub template: LaunchTemplateName,
    /// The mark.
    pub mark: Mark,
}

#[async_trait]
impl EditKind for Edit<MarkedVersion, Option<LaunchEdit>> {
    fn resource(&self) -> String {
        format!("version of {} {}", self.of.template, self.of.mark)
    }

    async fn observe(&self, cloud: &dyn ReadCloud) -> Result<Position, CloudError> {
        let version = TemplateVersion::Marked(self.of.mark.clone());
        let found = cloud.template_version(&self.of.template, &version).await?;
        Ok(presence(found.is_some(), self.after.is_some()))
    }

    async fn apply(&self, cloud: &dyn Cloud) -> Result<(), CloudError> {
        let MarkedVersion { template, mark } = &self.of;
        match &self.after {
            Some(edit) => cloud.create_template_version(template, mark, edit).await,
            None => cloud.delete_template_version(template, mark).await,
        }
    }

    fn describe(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let edit = self.made().map_or_else(String::new, words);
        let what = format_args!("version of launch template {}{edit}", self.of.template);
        describe::presence(f, self.before.as_ref(), self.after.as_ref(), what)
    }

    fn values(&self) -> (Fields, Fields) {
        (edit::presence(self.before.is_some()), edit::presence(self.after.is_some()))
    }

    async fn find(&self, cloud: &dyn ReadCloud) -> Result<Fields, CloudError> {
        let version = TemplateVersion::Marked(self.of.mark.clone());
        let found = cloud.template_version(&self.of.template, &version).await?;
        Ok(edit::presence(found.is_some()))
    }
}

#[async_trait]
impl EditKind for Edit<MarkedVersion, Option<TemplateSettings>> {
    fn resource(&self) -> String {
        format!("launch template {}", self.of.template)
    }

    async fn observe(&self, cloud: &dyn ReadCloud) -> Result<Position, CloudError> {
        let MarkedVersion { template, mark } = &self.of;
        let version = TemplateVersion::Marked(mark.clone());
        let is_ours = cloud.template_version(template, &version).await?.is_some();
        if !is_ours && cloud.template_version(template, &TemplateVersion::Latest).await?.is_some() {
            return Ok(Position::Drifted);
        }
        Ok(presence(is_ours, self.after.is_some()))
    }

    async fn apply(&self, cloud: &dyn Cloud) -> Result<(), CloudError> {
        let MarkedVersion { template, mark } = &self.of;
        match &self.after {
            Some(settings) => cloud.create_launch_template(template, mark, settings).await,
            None => cloud.delete_launch_template(template, mark).await,
        }
    }

    fn describe(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let made = self.made();
        let from = made.map_or_else(String::new, |one| format!(" from {}", one.version.source));
        let edit = made.map_or_else(String::new, |one| words(&one.version));
        let what = format_args!("launch template {}{from}{edit}", self.of.template);
        describe::presence(f, self.before.as_ref(), self.after.as_ref(), what)
    }

    fn values(&self) -> (Fields, Fields) {
        (edit::presence(self.before.is_some()), edit::presence(self.after.is_some()))
    }

    async fn find(&self, cloud: &dyn ReadCloud) -> Result<Fields, CloudError> {
        let found = cloud.template_version(&self.of.template, &TemplateVersion::Latest).await?;
        Ok(edit::presence(found.is_some()))
    }
}

#[async_trait]
impl EditKind for Edit<LaunchConfigurationName, Option<LaunchEdit>> {
    fn resource(&self) -> String {
        format!("launch configuration {}", self.of)
    }

    async fn observe(&self, cloud: &dyn ReadCloud) -> Result<Position, CloudError> {
        let source = LaunchSource::Configuration(self.of.clone());
        let found = cloud.launch_source_exists(&source).await?;
        Ok(presence(found, self.after.is_some()))
    }

    async fn apply(&self, cloud: &dyn Cloud) -> Result<(), CloudError> {
        match &self.after {
            Some(edit) => cloud.create_launch_configuration(&self.of, edit).await,
            None => cloud.delete_launch_configuration(&self.of).await,
        }
    }

    fn describe(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let edit = self.made().map_or_else(String::new, words);
        let what = format_args!("launch configuration {}{edit}", self.of);
        describe::presence(f, self.before.as_ref(), self.after.as_ref(), what)
    }

    fn values(&self) -> (Fields, Fields) {
        (edit::presence(self.before.is_some()), edit::presence(self.after.is_some()))
    }

    async fn find(&self, cloud: &dyn ReadCloud) -> Result<Fields, CloudError> {
        let source = LaunchSource::Configuration(self.of.clone());
        Ok(edit::presence(cloud.launch_source_exists(&source).await?))
    }
}

/// What carries the mark of a run cannot be anybody else's, and cannot be edited.
fn presence(is_there: bool, is_wanted: bool) -> Position {
    if is_there == is_wanted { Position::After } else { Position::Before }
}

fn words(edit: &LaunchEdit) -> String {
    let image = edit.image.as_ref().map(|image| format!(" with image {image}"));
    let data = edit.user_data.as_ref().map(|_| " with other user data".to_owned());
    image.into_iter().chain(data).collect()
}

#[async_trait]
impl EditKind for Edit<ScalingGroupName, LaunchSource> {
    fn resource(&self) -> String {
        format!("launch source of {}", self.of)
    }

    async fn observe(&self, cloud: &dyn ReadCloud) -> Result<Position, CloudError> {
        let Some(group) = scaling_group::read(cloud, &self.of).await? else {
            return Ok(Position::Drifted);
        };
        for (wanted, position) in [(&self.after, Position::After), (&self.before, Position::Before)]
        {
            if resolve(cloud, wanted).await?.is_some_and(|wanted| group.launch.covers(&wanted)) {
                return Ok(position);
            }
        }
        Ok(Position::Drifted)
    }

    async fn apply(&self, cloud: &dyn Cloud) -> Result<(), CloudError> {
        let launch = resolve(cloud, &self.after).await?.ok_or_else(|| {
            CloudError::new(CloudErrorKind::NotFound, "looking up the version", &self.after)
        })?;
        cloud.set_launch(&self.of, &launch).await
    }

    fn describe(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let after = match self.after.template() {
            Some((template, TemplateVersion::Marked(_))) => format!("{template}, the new version"),
            _ => self.after.to_string(),
        };
        write!(f, "launch source of {}: {} → {after}", self.of, self.before)
    }

    fn values(&self) -> (Fields, Fields) {
        (fields(&self.before.to_string()), fields(&self.after.to_string()))
    }

    async fn find(&self, cloud: &dyn ReadCloud) -> Result<Fields, CloudError> {
        let found = scaling_group::read(cloud, &self.of).await?;
        Ok(fields(&found.map(|group| group.launch.to_string())))
    }
}

/// Replaces a mark by the number of the version that carries it; `None` if none does.
pub(super) async fn resolve(
    cloud: &dyn ReadCloud,
    source: &LaunchSource,
) -> Result<Option<LaunchSource>, CloudError> {
    match source.template() {
        Some((template, version @ TemplateVersion::Marked(_))) => {
            let number = cloud.template_version(template, version).await?;
            Ok(number.map(|number| source.with_version(TemplateVersion::Number(number))))
        }
        _ => Ok(Some(source.clone())),
    }
}
