use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use serde::Deserialize;

use super::Ec2;
use crate::query::{CallError, Form, Set};

/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeImages.html>
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DescribeImagesReply {
    #[serde(default)]
    images_set: Set<Image>,
}

/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Image.html>
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Image {
    /// `available`, `pending`, `failed`, `deregistered` and others.
    image_state: String,
}

impl Ec2 {
    /// Returns the state of an image; `None` if there is none or its id is no id.
    pub(crate) async fn image_state(&self, image: &str) -> Result<Option<String>, CallError> {
        let form = Form::new("DescribeImages").with_list("ImageId", [image]);
        match self.0.call::<DescribeImagesReply>(form).await {
            Ok(reply) => Ok(reply.images_set.items.into_iter().next().map(|one| one.image_state)),
            Err(error) if is_unknown_image(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

fn is_unknown_image(error: &CallError) -> bool {
    error.as_service_error().and_then(ProvideErrorMetadata::code).is_some_and(|code| {
        matches!(
            code,
            "InvalidAMIID.NotFound" | "InvalidAMIID.Malformed" | "InvalidAMIID.Unavailable"
        )
    })
}
