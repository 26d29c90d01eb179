//! Launch configurations, the legacy way to say what a group launches.

use aws_sdk_autoscaling::operation::create_launch_configuration::builders::CreateLaunchConfigurationInputBuilder;
use aws_sdk_autoscaling::operation::describe_launch_configurations::DescribeLaunchConfigurationsOutput;
use aws_sdk_autoscaling::types as sdk;
use bluegreen_core::cloud::CloudError;
use bluegreen_core::model::{ImageId, LaunchConfigurationName, LaunchEdit, LaunchSource};

use crate::AwsCloud;
use crate::budget::Call;
use crate::error::{not_found, or_absent, read_error, refused, write_error};
use crate::launch::user_data;
use crate::page;
use crate::query::filled;

/// The most launch configurations that one call describes.
///
/// <https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_DescribeLaunchConfigurations.html>
const CONFIGURATIONS_PER_CALL: usize = 50;

impl AwsCloud {
    /// Describes those of `names` that exist.
    pub(crate) async fn describe_launch_configurations(
        &self,
        names: &[&LaunchConfigurationName],
    ) -> Result<Vec<sdk::LaunchConfiguration>, CloudError> {
        let mut found = Vec::new();
        for chunk in names.chunks(CONFIGURATIONS_PER_CALL) {
            let wanted = chunk.iter().map(ToString::to_string).collect();
            let request = self.scaling().await.describe_launch_configurations();
            let request = request.set_launch_configuration_names(Some(wanted));
            let stream = request.into_paginator().send();
            let pages = page::collect(
                stream,
                DescribeLaunchConfigurationsOutput::next_token,
                self.paying(Call::Scaling),
            )
            .await
            .map_err(|error| read_error("DescribeLaunchConfigurations", chunk[0], error))?;
            found.extend(
                pages.into_iter().flat_map(|page| page.launch_configurations.unwrap_or_default()),
            );
        }
        Ok(found)
    }

    /// Returns the images of those of `names` that exist and name one.
    pub(crate) async fn configuration_images(
        &self,
        names: Vec<&LaunchConfigurationName>,
    ) -> Result<Vec<(LaunchSource, ImageId)>, CloudError> {
        let found = self.describe_launch_configurations(&names).await?;
        let image = |one: &sdk::LaunchConfiguration| {
            let name = LaunchConfigurationName::new(one.launch_configuration_name()?);
            // AWS writes an empty text where the image comes from an instance.
            let image = filled(one.image_id())?;
            Some((LaunchSource::Configuration(name), ImageId::new(image)))
        };
        Ok(found.iter().filter_map(image).collect())
    }

    /// Returns a launch configuration as an edit of it would be, and the one of a name that may be
    /// there already.
    pub(crate) async fn edited_configuration(
        &self,
        operation: &'static str,
        edit: &LaunchEdit,
        name: Option<&LaunchConfigurationName>,
    ) -> Result<(sdk::LaunchConfiguration, Option<sdk::LaunchConfiguration>), CloudError> {
        let LaunchSource::Configuration(source) = &edit.source else {
            return Err(refused(operation, &edit.source, "it is no launch configuration"));
        };
        let data = user_data(edit.user_data.as_ref());
        let data = data.map_err(|why| refused(operation, source, why))?;
        let names: Vec<_> = std::iter::once(source).chain(name).collect();
        let mut found = self.describe_launch_configurations(&names).await?;
        let mut take = |wanted: &LaunchConfigurationName| {
            let is_wanted = |one: &sdk::LaunchConfiguration| {
                one.launch_configuration_name() == Some(wanted.as_str())
            };
            found.iter().position(is_wanted).map(|index| found.swap_remove(index))
        };
        let existing = name.and_then(&mut take);
        let mut edited = take(source).ok_or_else(|| not_found(operation, source))?;
        edited.image_id = edit.image.as_ref().map(ToString::to_string).or(edited.image_id);
        edited.user_data = data.or(edited.user_data);
        Ok((edited, existing))
    }

    /// Makes a launch configuration as an edit of another one.
    pub(crate) async fn copy_launch_configuration(
        &self,
        name: &LaunchConfigurationName,
        edit: &LaunchEdit,
    ) -> Result<(), CloudError> {
        const OPERATION: &str = "CreateLaunchConfiguration";
        let (wanted, existing) = self.edited_configuration(OPERATION, edit, Some(name)).await?;
        if let Some(existing) = existing {
            return if nameless(existing) == nameless(wanted) {
                Ok(())
            } else {
                Err(refused(OPERATION, name, "one with other settings exists"))
            };
        }
        // A repeat would be answered with `AlreadyExists`, as if nothing had been done.
        let answer = write(name, wanted).send_with(self.scaling_once().await).await;
        answer.map(drop).map_err(|error| write_error(OPERATION, name, error))
    }

    /// Deletes a launch configuration.
    pub(crate) async fn remove_launch_configuration(
        &self,
        name: &LaunchConfigurationName,
    ) -> Result<(), CloudError> {
        const OPERATION: &str = "DeleteLaunchConfiguration";
        let request = self.scaling().await.delete_launch_configuration();
        let answer = request.launch_configuration_name(name.as_str()).send().await;
        or_absent(answer.map(drop).map_err(|error| write_error(OPERATION, name, error)))
    }
}

/// Takes away what no two launch configurations share.
fn nameless(mut one: sdk::LaunchConfiguration) -> sdk::LaunchConfiguration {
    one.launch_configuration_name = None;
    one.launch_configuration_arn = None;
    one.created_time = None;
    one
}

/// Everything but the ARN and the time of creation goes into the request.
fn write(
    name: &LaunchConfigurationName,
    from: sdk::LaunchConfiguration,
) -> CreateLaunchConfigurationInputBuilder {
    // AWS shows what is not set as empty, and refuses it so.
    let list = |value: Option<Vec<String>>| value.filter(|one| !one.is_empty());
    CreateLaunchConfigurationInputBuilder::default()
        .launch_configuration_name(name.as_str())
        .set_image_id(filled(from.image_id))
        .set_key_name(filled(from.key_name))
        .set_security_groups(list(from.security_groups))
        .set_classic_link_vpc_id(filled(from.classic_link_vpc_id))
        .set_classic_link_vpc_security_groups(list(from.classic_link_vpc_security_groups))
        .set_user_data(filled(from.user_data))
        .set_instance_type(filled(from.instance_type))
        .set_kernel_id(filled(from.kernel_id))
        .set_ramdisk_id(filled(from.ramdisk_id))
        .set_block_device_mappings(from.block_device_mappings.filter(|one| !one.is_empty()))
        .set_instance_monitoring(from.instance_monitoring)
        .set_spot_price(filled(from.spot_price))
        .set_iam_instance_profile(filled(from.iam_instance_profile))
        .set_ebs_optimized(from.ebs_optimized)
        .set_associate_public_ip_address(from.associate_public_ip_address)
        .set_placement_tenancy(filled(from.placement_tenancy))
        .set_metadata_options(from.metadata_options)
}
