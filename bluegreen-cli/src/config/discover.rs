use std::path::{Path, PathBuf};

use super::ConfigError;
use crate::store::user_folder;

/// How the file is called.
const NAME: &str = "bluegreen.toml";

/// Returns the file that was asked for, or the nearest one.
pub(super) fn find(asked: Option<&Path>) -> Result<PathBuf, ConfigError> {
    if let Some(asked) = asked {
        return Ok(asked.to_owned());
    }
    let here = std::env::current_dir().unwrap_or_default();
    if Path::new(NAME).is_file() {
        // Shown as people would type it.
        return Ok(PathBuf::from(NAME));
    }
    let above = here.ancestors().skip(1).map(|folder| folder.join(NAME));
    let user = user_folder("XDG_CONFIG_HOME", ".config").map(|folder| folder.join("bluegreen"));
    let user = user.map(|folder| folder.join(NAME));
    above.chain(user.clone()).find(|path| path.is_file()).ok_or_else(|| ConfigError::Missing {
        places: std::iter::once(PathBuf::from(NAME)).chain(user).collect(),
    })
}
