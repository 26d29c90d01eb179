use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::TargetGroupName;

/// How many requests each target group had, as far as that is measured.
///
/// One that is left out may have had any number.
pub type Requests = BTreeMap<TargetGroupName, u64>;

/// For how long a colour must have had no requests before its machines are stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quiet {
    /// For how long, by the cloud's own measure.
    pub window: Duration,
    /// Whether a target group whose requests nobody measures is taken for a quiet one.
    ///
    /// Routes, draining targets and the deregistration delay must agree all the same.
    #[serde(default)]
    pub unmeasured: bool,
}

impl Default for Quiet {
    fn default() -> Self {
        Self { window: Duration::from_mins(3), unmeasured: false }
    }
}
