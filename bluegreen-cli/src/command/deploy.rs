use std::io::Read as _;
use std::path::Path;

use bluegreen_core::model::{ImageId, LaunchTemplateName, UserData};
use bluegreen_core::operation::Operation;
use bluegreen_core::plan::{DeployOptions, DeploySource};

use crate::args::Deploy;
use crate::failure::Failure;

/// How many bytes of user data a machine takes.
/// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-add-user-data.html>
const MOST_USER_DATA: u64 = 16 * 1024;

/// Puts a new version on the colour that does not serve.
pub(super) fn operation(options: &Deploy) -> Result<Operation, Failure> {
    let deploy = DeployOptions::new(source(options)?).with_waits(options.waiting.waits());
    let deploy = options.size.into_iter().fold(deploy, DeployOptions::with_size);
    let template = options.to_template.iter().map(LaunchTemplateName::new);
    Ok(Operation::Deploy(template.fold(deploy, DeployOptions::with_template)))
}

fn source(options: &Deploy) -> Result<DeploySource, Failure> {
    if let Some(number) = options.template_version {
        return Ok(DeploySource::TemplateVersion(number));
    }
    if let Some(color) = options.from {
        return Ok(DeploySource::From(color));
    }
    let user_data = options.user_data.as_deref().map(read).transpose()?;
    Ok(DeploySource::Edit { image: options.image.as_deref().map(ImageId::new), user_data })
}

fn read(file: &Path) -> Result<UserData, Failure> {
    let name = file.display();
    let mut bytes = Vec::new();
    std::fs::File::open(file)
        .and_then(|file| file.take(MOST_USER_DATA + 1).read_to_end(&mut bytes))
        .map_err(|error| Failure::usage(format!("user data `{name}` cannot be read: {error}")))?;
    if bytes.len() as u64 > MOST_USER_DATA {
        let message = format!("user data `{name}` has more than {MOST_USER_DATA} bytes");
        return Err(Failure::usage(message)
            .with_hint("a machine takes no more; let it fetch the rest when it starts"));
    }
    Ok(UserData::new(bytes))
}
