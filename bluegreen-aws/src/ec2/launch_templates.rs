use std::fmt;

use bluegreen_core::model::Tags;
use serde::Deserialize;

use super::Ec2;
use crate::page::Pages;
use crate::query::{CallError, Form, Set, filled};

/// The most versions that one page holds.
///
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeLaunchTemplateVersions.html>
const VERSIONS_PER_PAGE: &str = "200";

/// A launch template's version, as far as it is needed.
///
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_LaunchTemplateVersion.html>
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TemplateVersionData {
    /// Its number.
    pub(crate) version_number: u64,
    /// Its description; empty if it has none.
    #[serde(default)]
    pub(crate) version_description: String,
    /// Whether it is the template's default version.
    #[serde(default)]
    pub(crate) default_version: bool,
    #[serde(default)]
    launch_template_data: TemplateData,
}

impl TemplateVersionData {
    /// Returns the image that it launches, if it names one.
    pub(crate) fn image(&self) -> Option<&str> {
        filled(self.launch_template_data.image_id.as_deref())
    }
}

/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ResponseLaunchTemplateData.html>
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct TemplateData {
    image_id: Option<String>,
}

/// What a new version is made of.
///
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateLaunchTemplateVersion.html>
pub(crate) struct NewTemplateVersion<'a> {
    /// The template.
    pub(crate) template: &'a str,
    /// Makes a repeat harmless.
    pub(crate) client_token: String,
    /// The version from which everything else is taken.
    pub(crate) source_version: String,
    /// Its description.
    pub(crate) description: &'a str,
    /// Another image, if any.
    pub(crate) image: Option<&'a str>,
    /// Other user data in base64, if any.
    pub(crate) user_data: Option<String>,
}

impl fmt::Debug for NewTemplateVersion<'_> {
    /// Leaves the user data out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewTemplateVersion")
            .field("template", &self.template)
            .field("description", &self.description)
            .field("image", &self.image)
            .finish_non_exhaustive()
    }
}

/// What a new template is made of.
///
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateLaunchTemplate.html>
pub(crate) struct NewTemplate<'a> {
    /// Its name.
    pub(crate) name: &'a str,
    /// Makes a repeat harmless.
    pub(crate) client_token: String,
    /// The description of its first version.
    pub(crate) description: &'a str,
    /// What its first version launches, parameter by parameter.
    pub(crate) data: Vec<(String, String)>,
    /// The tags of the template.
    pub(crate) tags: &'a Tags,
}

/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateLaunchTemplate.html>
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CreateTemplateReply {
    warning: Option<Warning>,
}

/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteLaunchTemplate.html>
#[derive(Deserialize)]
struct DeleteTemplateReply {}

/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeLaunchTemplateVersions.html>
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DescribeVersionsReply {
    #[serde(default)]
    launch_template_version_set: Set<TemplateVersionData>,
    next_token: Option<String>,
}

/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateLaunchTemplateVersion.html>
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CreateVersionReply {
    launch_template_version: TemplateVersionData,
    warning: Option<Warning>,
}

/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ValidationWarning.html>
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Warning {
    #[serde(default)]
    error_set: Set<Problem>,
}

/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ResponseError.html>
#[derive(Debug, Deserialize)]
struct Problem {
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: String,
}

/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteLaunchTemplateVersions.html>
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DeleteVersionsReply {
    #[serde(default)]
    unsuccessfully_deleted_launch_template_version_set: Set<DeleteFailure>,
}

/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteLaunchTemplateVersionsResponseErrorItem.html>
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DeleteFailure {
    response_error: Problem,
}

/// Why EC2 did not delete a version: the call as a whole is a success even then.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub(crate) struct NotDeleted {
    code: String,
    message: String,
}

impl NotDeleted {
    /// Returns whether the version was not there to begin with.
    pub(crate) fn is_gone(&self) -> bool {
        matches!(
            self.code.as_str(),
            "launchTemplateIdDoesNotExist"
                | "launchTemplateNameDoesNotExist"
                | "launchTemplateVersionDoesNotExist"
        )
    }

    /// Returns whether EC2 itself does not know what happened.
    pub(crate) fn is_unexpected(&self) -> bool {
        self.code == "unexpectedError"
    }
}

/// Tells what EC2 finds wrong with what it made all the same.
fn warn(template: &str, warning: Option<Warning>) {
    for problem in warning.into_iter().flat_map(|warning| warning.error_set.items) {
        let code = problem.code.as_str();
        tracing::warn!(template, code, "the new version has a problem: {}", problem.message);
    }
}

impl Ec2 {
    /// Describes some versions of a template: numbers, `$Latest`, `$Default`; a page of all of them
    /// if none is named.
    pub(crate) async fn describe_template_versions(
        &self,
        template: &str,
        versions: &[String],
    ) -> Result<Vec<TemplateVersionData>, CallError> {
        let form = Form::new("DescribeLaunchTemplateVersions")
            .with("LaunchTemplateName", template)
            .with_list("LaunchTemplateVersion", versions);
        let reply: DescribeVersionsReply = self.0.call(form).await?;
        Ok(reply.launch_template_version_set.items)
    }

    /// Finds the version of a template that has a description.
    pub(crate) async fn find_template_version(
        &self,
        template: &str,
        description: &str,
    ) -> Result<Option<TemplateVersionData>, CallError> {
        let mut pages = Pages::new();
        let mut token: Option<String> = None;
        loop {
            let form = Form::new("DescribeLaunchTemplateVersions")
                .with("LaunchTemplateName", template)
                .with("MaxResults", VERSIONS_PER_PAGE)
                .with_some("NextToken", token);
            let reply: DescribeVersionsReply = self.0.call(form).await?;
            let versions = reply.launch_template_version_set.items;
            let found = versions.into_iter().find(|one| one.version_description == description);
            let Some(next) = filled(reply.next_token).filter(|_| found.is_none()) else {
                return Ok(found);
            };
            pages.turn(&next).map_err(CallError::construction_failure)?;
            token = Some(next);
        }
    }

    /// Makes a version. A repeat with the same client token makes no second one.
    pub(crate) async fn create_template_version(
        &self,
        version: &NewTemplateVersion<'_>,
    ) -> Result<TemplateVersionData, CallError> {
        let form = Form::new("CreateLaunchTemplateVersion")
            .with("LaunchTemplateName", version.template)
            .with("ClientToken", version.client_token.clone())
            .with("SourceVersion", version.source_version.clone())
            .with("VersionDescription", version.description)
            .with_some("LaunchTemplateData.ImageId", version.image)
            .with_some("LaunchTemplateData.UserData", version.user_data.clone());
        let reply: CreateVersionReply = self.0.call(form).await?;
        warn(version.template, reply.warning);
        Ok(reply.launch_template_version)
    }

    /// Makes a template. A repeat with the same client token makes no second one.
    pub(crate) async fn create_template(
        &self,
        template: &NewTemplate<'_>,
    ) -> Result<(), CallError> {
        const TAGS: &str = "TagSpecification.1";
        let mut form = Form::new("CreateLaunchTemplate")
            .with("LaunchTemplateName", template.name)
            .with("ClientToken", template.client_token.clone())
            .with("VersionDescription", template.description)
            .with(format!("{TAGS}.ResourceType"), "launch-template");
        for (index, (key, value)) in (1..).zip(template.tags) {
            form = form
                .with(format!("{TAGS}.Tag.{index}.Key"), key)
                .with(format!("{TAGS}.Tag.{index}.Value"), value);
        }
        for (name, value) in &template.data {
            form = form.with(format!("LaunchTemplateData.{name}"), value);
        }
        let reply: CreateTemplateReply = self.0.call(form).await?;
        warn(template.name, reply.warning);
        Ok(())
    }

    /// Deletes a template with all of its versions.
    pub(crate) async fn delete_template(&self, name: &str) -> Result<(), CallError> {
        let form = Form::new("DeleteLaunchTemplate").with("LaunchTemplateName", name);
        let _: DeleteTemplateReply = self.0.call(form).await?;
        Ok(())
    }

    /// Deletes a version; the inner error is the one that EC2 has for this version alone.
    pub(crate) async fn delete_template_version(
        &self,
        template: &str,
        number: u64,
    ) -> Result<Result<(), NotDeleted>, CallError> {
        let form = Form::new("DeleteLaunchTemplateVersions")
            .with("LaunchTemplateName", template)
            .with_list("LaunchTemplateVersion", [number.to_string()]);
        let reply: DeleteVersionsReply = self.0.call(form).await?;
        let failures = reply.unsuccessfully_deleted_launch_template_version_set.items;
        Ok(match failures.into_iter().next() {
            None => Ok(()),
            Some(DeleteFailure { response_error: Problem { code, message } }) => {
                Err(NotDeleted { code, message })
            }
        })
    }
}
