use std::fmt::{self, Write as _};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{ImageId, LaunchConfigurationName, LaunchTemplateName, Opaque, RunId, Tags};

/// What a scaling group starts its machines from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum LaunchSource {
    /// A version of a launch template.
    Template {
        /// The template.
        template: LaunchTemplateName,
        /// The version.
        version: TemplateVersion,
    },
    /// A version of a launch template, on machines of several types.
    Mixed {
        /// The template.
        template: LaunchTemplateName,
        /// The version.
        version: TemplateVersion,
        /// The types, what they weigh, and how they are bought.
        policy: Opaque,
    },
    /// A launch configuration.
    Configuration(LaunchConfigurationName),
    /// Something that this version cannot deploy to, by the name that the provider gives it.
    Unsupported(String),
}

impl LaunchSource {
    /// Returns the launch template and its version, if there is one.
    pub fn template(&self) -> Option<(&LaunchTemplateName, &TemplateVersion)> {
        match self {
            Self::Template { template, version } | Self::Mixed { template, version, .. } => {
                Some((template, version))
            }
            Self::Configuration(_) | Self::Unsupported(_) => None,
        }
    }

    /// Returns the same with another version of its template; what has none stays as it is.
    #[must_use]
    pub fn with_version(&self, wanted: TemplateVersion) -> Self {
        let mut source = self.clone();
        if let Self::Template { version, .. } | Self::Mixed { version, .. } = &mut source {
            *version = wanted;
        }
        source
    }

    /// Returns whether everything that `wanted` says is so here.
    ///
    /// A cloud may add what nobody asked for to the policy of mixed instances.
    pub fn covers(&self, wanted: &Self) -> bool {
        match (self, wanted) {
            (Self::Mixed { policy: found, .. }, Self::Mixed { policy, .. }) => {
                self.template() == wanted.template() && found.covers(policy)
            }
            (found, wanted) => found == wanted,
        }
    }

    /// Returns what is launched, on whatever types of machines.
    #[must_use]
    pub fn bare(&self) -> Self {
        match self {
            Self::Mixed { template, version, .. } => {
                Self::Template { template: template.clone(), version: version.clone() }
            }
            other => other.clone(),
        }
    }
}

impl fmt::Display for LaunchSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Template { template, version } => write!(f, "{template} version {version}"),
            Self::Mixed { template, version, .. } => {
                write!(f, "{template} version {version}, mixed instances")
            }
            Self::Configuration(name) => write!(f, "{name}"),
            Self::Unsupported(what) => write!(f, "{what}"),
        }
    }
}

/// Names a version of a launch template.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TemplateVersion {
    /// The version with this number.
    Number(u64),
    /// Whatever version was made last; moves by itself.
    Latest,
    /// Whatever version is the template's default; moves when somebody moves it.
    Default,
    /// The version that carries this mark: the cloud numbers it only when it is made.
    Marked(Mark),
}

impl TemplateVersion {
    /// Returns whether the version can come to mean another one without the group's being changed.
    pub fn floats(&self) -> bool {
        matches!(self, Self::Latest | Self::Default)
    }
}

impl fmt::Display for TemplateVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Latest => f.write_str("$Latest"),
            Self::Default => f.write_str("$Default"),
            Self::Marked(mark) => write!(f, "made by {mark}"),
        }
    }
}

/// Finds again what the cloud numbers by itself: the run and the place in its plan.
///
/// Also the source of the client token that makes a repeated creation harmless.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Mark(String);

impl Mark {
    /// Marks what step `step` of `run` makes.
    pub fn new(run: &RunId, step: &str) -> Self {
        Self(format!("bluegreen {run} {step}"))
    }

    /// Returns the mark as it is written on the resource.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A new launch source, as an edit of one that exists.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LaunchEdit {
    /// What everything else is taken from: a numbered version, or a launch configuration.
    pub source: LaunchSource,
    /// Another image, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<ImageId>,
    /// Other user data, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_data: Option<UserData>,
}

/// What would make a launch template with its first version, from a launch configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemplateSettings {
    /// What the first version is.
    pub version: LaunchEdit,
    /// The tags of the template itself; none of them reaches a machine.
    pub tags: Tags,
}

/// What a machine runs at its first start; often holds secrets.
///
/// Only its digest is ever printed. A journal holds it once, sealed, since a run that is to go on
/// after a crash needs it; everywhere else it is [redacted](Self::redacted). What is redacted can
/// be compared and undone, but not applied.
#[derive(Clone, Serialize, Deserialize)]
pub struct UserData {
    sha256: String,
    /// In base64, so that nobody reads it over somebody's shoulder.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "sealed")]
    sealed: Option<Vec<u8>>,
}

mod sealed {
    use base64::Engine as _;
    use base64::prelude::BASE64_STANDARD;
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    #[expect(clippy::ref_option, reason = "serde passes fields by reference")]
    pub(super) fn serialize<S: Serializer>(
        bytes: &Option<Vec<u8>>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        match bytes {
            Some(bytes) => to.serialize_str(&BASE64_STANDARD.encode(bytes)),
            None => to.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<Vec<u8>>, D::Error> {
        let text = Option::<String>::deserialize(from)?;
        text.map(|text| BASE64_STANDARD.decode(text)).transpose().map_err(D::Error::custom)
    }
}

impl UserData {
    /// Wraps raw user data.
    pub fn new(bytes: Vec<u8>) -> Self {
        let mut sha256 = String::with_capacity(64);
        for byte in Sha256::digest(&bytes) {
            write!(sha256, "{byte:02x}").expect("writing to a string cannot fail");
        }
        Self { sha256, sealed: Some(bytes) }
    }

    /// Returns the digest, which is not secret.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// Returns the raw user data; `None` if it is redacted.
    pub fn bytes(&self) -> Option<&[u8]> {
        self.sealed.as_deref()
    }

    /// Forgets everything but the digest.
    #[must_use]
    pub fn redacted(self) -> Self {
        Self { sealed: None, ..self }
    }
}

impl PartialEq for UserData {
    fn eq(&self, other: &Self) -> bool {
        self.sha256 == other.sha256
    }
}

impl Eq for UserData {}

impl fmt::Debug for UserData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UserData(sha256 {})", self.sha256)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_data_is_sealed_in_a_journal_and_never_printed() {
        let data = UserData::new(b"hunter2".to_vec());
        let text = serde_json::to_string(&data).unwrap();
        assert!(!text.contains("hunter2") && !format!("{data:?}").contains("hunter2"));
        let back: UserData = serde_json::from_str(&text).unwrap();
        assert_eq!((&back, back.bytes()), (&data, Some(&b"hunter2"[..])));
    }

    #[test]
    fn redacted_user_data_is_its_digest_and_nothing_more() {
        let data = UserData::new(b"hunter2".to_vec()).redacted();
        let text = serde_json::to_string(&data).unwrap();
        assert_eq!(text, format!("{{\"sha256\":\"{}\"}}", data.sha256()));
        let back: UserData = serde_json::from_str(&text).unwrap();
        assert_eq!((&back, back.bytes()), (&data, None));
        assert_eq!(back, UserData::new(b"hunter2".to_vec()));
    }
}
