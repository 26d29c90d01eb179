use std::io;
use std::path::PathBuf;

use crate::failure::{Failure, chain};

/// Says what is wrong with the configuration.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigError {
    /// There is none.
    #[error("there is no configuration")]
    Missing {
        /// Where it could be.
        places: Vec<PathBuf>,
    },
    /// It cannot be read.
    #[error("the configuration `{}` cannot be read", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Something in it is wrong.
    #[error("{}:{line}: {}{problem}", path.display(), key.as_ref().map_or_else(String::new, |key| format!("`{key}`: ")))]
    Wrong {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// The key, with the tables that it is in.
        key: Option<String>,
        /// What is wrong.
        problem: String,
    },
    /// There is no such environment in it.
    #[error("there is no environment `{name}` in {}", path.display())]
    UnknownEnvironment {
        /// The name.
        name: String,
        /// The file.
        path: PathBuf,
        /// The environments that there are.
        known: Vec<String>,
    },
}

impl ConfigError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Missing { places } => {
                let places: Vec<_> =
                    places.iter().map(|place| place.display().to_string()).collect();
                Some(format!("make {}, or give one with `--config FILE`", places.join(" or ")))
            }
            Self::UnknownEnvironment { known, .. } if known.is_empty() => {
                Some("there are none yet: add a section `[environments.NAME]`".to_owned())
            }
            Self::UnknownEnvironment { known, .. } => {
                Some(format!("there is {}", known.join(", ")))
            }
            Self::Unreadable { .. } | Self::Wrong { .. } => None,
        }
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        let failure = Self::usage(chain(&error));
        match error.hint() {
            Some(hint) => failure.with_hint(hint),
            None => failure,
        }
    }
}
