//! Launch template versions and images.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use aws_smithy_types::base64;
use bluegreen_core::cloud::{CloudError, CloudErrorKind, ReadLaunch, WriteLaunch};
use bluegreen_core::model::{
    ImageId, LaunchConfigurationName, LaunchEdit, LaunchSource, LaunchTemplateName, Mark,
    TemplateSettings, TemplateVersion, UserData,
};
use futures_util::future::{try_join, try_join_all};
use sha2::{Digest, Sha256};

use crate::AwsCloud;
use crate::convert::template_data;
use crate::ec2::{NewTemplate, NewTemplateVersion, NotDeleted, TemplateVersionData};
use crate::error::{not_found, or_absent, read_error, refused, write_error};
use crate::locate::if_there;

/// The state of an image that can be launched.
const AVAILABLE: &str = "available";

#[async_trait]
impl ReadLaunch for AwsCloud {
    async fn images(
        &self,
        sources: &[LaunchSource],
    ) -> Result<Vec<(LaunchSource, ImageId)>, CloudError> {
        let mut templates: BTreeMap<&LaunchTemplateName, BTreeSet<&TemplateVersion>> =
            BTreeMap::new();
        let mut configurations = BTreeSet::new();
        for source in sources {
            match source {
                LaunchSource::Template { template, version } => {
                    templates.entry(template).or_default().insert(version);
                }
                LaunchSource::Configuration(name) => drop(configurations.insert(name)),
                // Names no image of its own.
                _ => {}
            }
        }
        let of_templates = templates.iter().map(|(template, versions)| async move {
            let images = self.template_images(template, versions).await?;
            let source =
                |version| LaunchSource::Template { template: (*template).clone(), version };
            Ok::<_, CloudError>(
                images
                    .into_iter()
                    .map(|(version, image)| (source(version), image))
                    .collect::<Vec<_>>(),
            )
        });
        let (of_templates, of_configurations) = try_join(
            try_join_all(of_templates),
            self.configuration_images(configurations.into_iter().collect()),
        )
        .await?;
        Ok(of_templates.into_iter().flatten().chain(of_configurations).collect())
    }

    async fn template_version(
        &self,
        template: &LaunchTemplateName,
        version: &TemplateVersion,
    ) -> Result<Option<u64>, CloudError> {
        let found = match version {
            TemplateVersion::Marked(mark) => self.find_marked(template, mark).await?,
            version => {
                let versions = [version.to_string()];
                self.describe_versions(template, &versions).await?.into_iter().next()
            }
        };
        Ok(found.map(|one| one.version_number))
    }

    async fn launch_source_exists(&self, source: &LaunchSource) -> Result<bool, CloudError> {
        if let Some((template, version)) = source.template() {
            return Ok(self.template_version(template, version).await?.is_some());
        }
        match source {
            LaunchSource::Configuration(name) => {
                Ok(!self.describe_launch_configurations(&[name]).await?.is_empty())
            }
            // What cannot be deployed to is not looked for.
            _ => Ok(false),
        }
    }

    async fn image_exists(&self, image: &ImageId) -> Result<bool, CloudError> {
        let state = self.ec2().image_state(image.as_str()).await;
        let state = state.map_err(|error| read_error("DescribeImages", image, error))?;
        Ok(state.as_deref() == Some(AVAILABLE))
    }
}

#[async_trait]
impl WriteLaunch for AwsCloud {
    async fn create_template_version(
        &self,
        template: &LaunchTemplateName,
        mark: &Mark,
        edit: &LaunchEdit,
    ) -> Result<(), CloudError> {
        const OPERATION: &str = "CreateLaunchTemplateVersion";
        let refuse = |why: &str| refused(OPERATION, template, why.to_owned());
        let LaunchSource::Template { template: source, version } = &edit.source else {
            return Err(refuse("a launch template is not made from a launch configuration"));
        };
        if source != template {
            return Err(refuse("a version is made from one of the same template"));
        }
        let user_data = user_data(edit.user_data.as_ref()).map_err(refuse)?;
        // The client token is forgotten after a while, the mark is not.
        if self.find_marked(template, mark).await?.is_some() {
            return Ok(());
        }
        let number = self.template_version(template, version).await?;
        let number = number.ok_or_else(|| not_found(OPERATION, &edit.source))?;
        let request = NewTemplateVersion {
            template: template.as_str(),
            client_token: client_token(mark),
            source_version: number.to_string(),
            description: mark.as_str(),
            image: edit.image.as_ref().map(ImageId::as_str),
            user_data,
        };
        let answer = self.ec2().create_template_version(&request).await;
        answer.map(drop).map_err(|error| write_error(OPERATION, template, error))
    }

    async fn delete_template_version(
        &self,
        template: &LaunchTemplateName,
        mark: &Mark,
    ) -> Result<(), CloudError> {
        const OPERATION: &str = "DeleteLaunchTemplateVersions";
        let Some(found) = self.find_marked(template, mark).await? else { return Ok(()) };
        let answer = self.ec2().delete_template_version(template.as_str(), found.version_number);
        match answer.await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(refusal)) if refusal.is_gone() => Ok(()),
            Ok(Err(refusal)) => Err(not_deleted(OPERATION, template, refusal)),
            Err(error) if self.is_not_offered(OPERATION, &error) => {
                self.undeletable().insert(mark.clone());
                Ok(())
            }
            Err(error) => Err(write_error(OPERATION, template, error)),
        }
    }

    async fn create_launch_template(
        &self,
        template: &LaunchTemplateName,
        mark: &Mark,
        settings: &TemplateSettings,
    ) -> Result<(), CloudError> {
        const OPERATION: &str = "CreateLaunchTemplate";
        if self.find_marked(template, mark).await?.is_some() {
            return Ok(());
        }
        let (configuration, _) =
            self.edited_configuration(OPERATION, &settings.version, None).await?;
        let data = template_data(&configuration)
            .map_err(|why| refused(OPERATION, &settings.version.source, why))?;
        let request = NewTemplate {
            name: template.as_str(),
            client_token: client_token(mark),
            description: mark.as_str(),
            data,
            tags: &settings.tags,
        };
        let answer = self.ec2().create_template(&request).await;
        answer.map_err(|error| write_error(OPERATION, template, error))
    }

    async fn delete_launch_template(
        &self,
        template: &LaunchTemplateName,
        mark: &Mark,
    ) -> Result<(), CloudError> {
        const OPERATION: &str = "DeleteLaunchTemplate";
        let versions = self.describe_versions(template, &[]).await?;
        if !versions.iter().any(|one| one.version_description == mark.as_str()) {
            return Ok(());
        }
        if versions.len() > 1 {
            return Err(refused(OPERATION, template, "it has versions that somebody added"));
        }
        let answer = self.ec2().delete_template(template.as_str()).await;
        or_absent(answer.map_err(|error| write_error(OPERATION, template, error)))
    }

    async fn create_launch_configuration(
        &self,
        name: &LaunchConfigurationName,
        edit: &LaunchEdit,
    ) -> Result<(), CloudError> {
        self.copy_launch_configuration(name, edit).await
    }

    async fn delete_launch_configuration(
        &self,
        name: &LaunchConfigurationName,
    ) -> Result<(), CloudError> {
        self.remove_launch_configuration(name).await
    }
}

fn not_deleted(
    operation: &'static str,
    template: &LaunchTemplateName,
    refusal: NotDeleted,
) -> CloudError {
    let kind = if refusal.is_unexpected() {
        CloudErrorKind::OutcomeUnknown
    } else {
        CloudErrorKind::Rejected
    };
    CloudError::new(kind, operation, template).with_source(refusal)
}

/// Encodes user data; one that came from a journal has no content.
pub(crate) fn user_data(data: Option<&UserData>) -> Result<Option<String>, &'static str> {
    let Some(data) = data else { return Ok(None) };
    let bytes =
        data.bytes().ok_or("the user data is not at hand: journals hold its digest only")?;
    Ok(Some(base64::encode(bytes)))
}

/// Makes the token by which AWS knows a repeat: 64 of the 128 ASCII characters allowed.
fn client_token(mark: &Mark) -> String {
    let digest = Sha256::digest(mark.as_str());
    digest.iter().flat_map(|byte| [byte >> 4, byte & 15]).map(hex_digit).collect()
}

fn hex_digit(value: u8) -> char {
    char::from_digit(u32::from(value), 16).unwrap_or('0')
}

impl AwsCloud {
    async fn find_marked(
        &self,
        template: &LaunchTemplateName,
        mark: &Mark,
    ) -> Result<Option<TemplateVersionData>, CloudError> {
        if self.undeletable().contains(mark) {
            return Ok(None);
        }
        let found = self.ec2().find_template_version(template.as_str(), mark.as_str()).await;
        let found =
            found.map_err(|error| read_error("DescribeLaunchTemplateVersions", template, error));
        // Without the template there is none of its versions.
        Ok(if_there(found)?.flatten())
    }

    /// Describes versions; none if one of them, or the template, is not there.
    async fn describe_versions(
        &self,
        template: &LaunchTemplateName,
        versions: &[String],
    ) -> Result<Vec<TemplateVersionData>, CloudError> {
        let found = self.ec2().describe_template_versions(template.as_str(), versions).await;
        let found =
            found.map_err(|error| read_error("DescribeLaunchTemplateVersions", template, error));
        Ok(if_there(found)?.unwrap_or_default())
    }

    /// Returns the images of those versions of a template that exist and name one.
    async fn template_images(
        &self,
        template: &LaunchTemplateName,
        versions: &BTreeSet<&TemplateVersion>,
    ) -> Result<Vec<(TemplateVersion, ImageId)>, CloudError> {
        let named = |version: &&&TemplateVersion| !matches!(version, TemplateVersion::Marked(_));
        let texts: Vec<_> = versions.iter().filter(named).map(ToString::to_string).collect();
        let mut found = Vec::new();
        if !texts.is_empty() {
            found = self.describe_versions(template, &texts).await?;
            if found.is_empty() && texts.len() > 1 {
                // One that is missing fails the call for all.
                let each = texts.chunks(1).map(|one| self.describe_versions(template, one));
                found = try_join_all(each).await?.into_iter().flatten().collect();
            }
        }
        let mut images = Vec::new();
        for version in versions {
            let image = match version {
                TemplateVersion::Marked(mark) => {
                    let marked = self.find_marked(template, mark).await?;
                    marked.as_ref().and_then(TemplateVersionData::image).map(ImageId::new)
                }
                version => pick(&found, version).and_then(|one| one.image()).map(ImageId::new),
            };
            images.extend(image.map(|image| ((*version).clone(), image)));
        }
        Ok(images)
    }
}

/// Finds what a name of a version meant, in the answer to a call that asked for it.
fn pick<'a>(
    found: &'a [TemplateVersionData],
    version: &TemplateVersion,
) -> Option<&'a TemplateVersionData> {
    match version {
        TemplateVersion::Number(number) => found.iter().find(|one| one.version_number == *number),
        TemplateVersion::Default => found.iter().find(|one| one.default_version),
        // The latest was asked for, so it is there, and no number is greater.
        TemplateVersion::Latest => found.iter().max_by_key(|one| one.version_number),
        TemplateVersion::Marked(_) => None,
    }
}
