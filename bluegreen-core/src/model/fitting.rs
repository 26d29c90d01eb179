use std::fmt;

use serde::{Deserialize, Serialize};

use super::ScalingGroupName;

/// What a scaling group can be fitted with once it is there.
///
/// Written as one word, so that it can be a key.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
#[non_exhaustive]
pub enum Fitting {
    /// What a topic hears of the group, by the name of the topic.
    Notifications(String),
    /// The metrics of the group that are collected.
    Metrics,
    /// Machines that wait to be put into service.
    WarmPool,
    /// Whether the cloud refuses to delete the group.
    DeletionProtection,
}

/// The word of a topic, before its name.
const NOTIFICATIONS: &str = "notifications:";

/// Says that a word names nothing that a group can be fitted with.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is nothing that a scaling group can be fitted with")]
pub struct UnknownFitting(String);

impl From<Fitting> for String {
    fn from(fitting: Fitting) -> Self {
        match fitting {
            Fitting::Notifications(topic) => format!("{NOTIFICATIONS}{topic}"),
            Fitting::Metrics => "metrics".to_owned(),
            Fitting::WarmPool => "warm_pool".to_owned(),
            Fitting::DeletionProtection => "deletion_protection".to_owned(),
        }
    }
}

impl TryFrom<String> for Fitting {
    type Error = UnknownFitting;

    fn try_from(word: String) -> Result<Self, UnknownFitting> {
        if let Some(topic) = word.strip_prefix(NOTIFICATIONS) {
            return Ok(Self::Notifications(topic.to_owned()));
        }
        match word.as_str() {
            "metrics" => Ok(Self::Metrics),
            "warm_pool" => Ok(Self::WarmPool),
            "deletion_protection" => Ok(Self::DeletionProtection),
            _ => Err(UnknownFitting(word)),
        }
    }
}

impl fmt::Display for Fitting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Notifications(topic) => write!(f, "notifications to {topic}"),
            Self::Metrics => f.write_str("collected metrics"),
            Self::WarmPool => f.write_str("warm pool"),
            Self::DeletionProtection => f.write_str("deletion protection"),
        }
    }
}

/// Names what a scaling group is fitted with.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FittingKey {
    /// The group.
    pub group: ScalingGroupName,
    /// What it is fitted with.
    pub fitting: Fitting,
}

impl fmt::Display for FittingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", self.fitting, self.group)
    }
}
