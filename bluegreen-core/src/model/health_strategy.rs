use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Actions, RouteKey, Tags};

/// The header that requests carry which only a test rule takes.
pub const TEST_HEADER: &str = "X-Bluegreen-Test";

/// How the target groups of both colours are kept checked, whichever of them serves: a load
/// balancer checks only what some route of it names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum HealthStrategy {
    /// A listener of its own for each, on a port that nobody outside can reach.
    #[default]
    IdleListener,
    /// Both in every live route, the idle one with weight 0.
    WeightZero {
        /// Whether a network load balancer may be told so, which then closes the connections that
        /// it has to what gets weight 0.
        cuts_connections: bool,
    },
    /// A rule of its own for each, on a live listener, that takes only requests with a header which
    /// nobody knows.
    TestRule {
        /// Where such requests must come from, beside; from anywhere if there is none.
        sources: Vec<String>,
    },
}

impl HealthStrategy {
    /// Returns its name in a configuration.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::IdleListener => "idle-listener",
            Self::WeightZero { .. } => "weight-zero",
            Self::TestRule { .. } => "test-rule",
        }
    }
}

impl fmt::Display for HealthStrategy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Which requests a test rule takes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestMatch {
    /// The header that they carry.
    pub header: String,
    /// What it says.
    pub value: String,
    /// The address ranges that they come from; any if there is none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<String>,
}

impl TestMatch {
    /// Returns whether it is one of ours, by its header.
    pub fn is_ours(&self) -> bool {
        self.header.eq_ignore_ascii_case(TEST_HEADER)
    }
}

/// What makes a test rule: a rule that keeps a target group checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleSettings {
    /// Which requests it takes.
    pub takes: TestMatch,
    /// What it does with them.
    pub actions: Actions,
    /// Its tags.
    pub tags: Tags,
}

/// A test rule that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestRule {
    /// Its name.
    pub key: RouteKey,
    /// Which requests it takes.
    pub takes: TestMatch,
}
