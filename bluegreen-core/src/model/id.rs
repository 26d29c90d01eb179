use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// Declares names that the type checker keeps apart. They are shared and not copied: whatever is
/// read, planned and recorded holds many of them.
macro_rules! string_id {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Wraps a name as the cloud spells it.
            pub fn new(name: impl Into<String>) -> Self {
                Self(Arc::from(name.into()))
            }

            /// Returns the name as the cloud spells it.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }
    )*};
}

string_id! {
    /// The number of a cloud account, never its alias.
    AccountId;
    /// The name of a metric alarm, unique in its account and region.
    AlarmName;
    /// The name that the configuration gives to an environment.
    EnvironmentName;
    /// A machine image.
    ImageId;
    /// A machine.
    InstanceId;
    /// A launch configuration, the legacy way to say what a group launches.
    LaunchConfigurationName;
    /// A launch template, whose versions the cloud numbers by itself.
    LaunchTemplateName;
    /// A load balancer.
    LoadBalancerName;
    /// A scaling policy; unique within its scaling group.
    PolicyName;
    /// One execution of an operation.
    RunId;
    /// A scaling group.
    ScalingGroupName;
    /// A scheduled action; unique within its scaling group.
    ScheduleName;
    /// A target group.
    TargetGroupName;
}

impl AccountId {
    /// Returns the number, with the name that people gave the account if there is one.
    pub fn with_alias(&self, alias: Option<&str>) -> String {
        alias.map_or_else(|| self.to_string(), |alias| format!("{self} ({alias})"))
    }
}

impl RunId {
    /// Makes an id that sorts by `started` and that no other run has.
    pub fn generate(started: super::Timestamp) -> Self {
        let millis = std::time::Duration::from_millis(started.as_millis());
        let ulid = ulid::Ulid::from_datetime(std::time::UNIX_EPOCH + millis);
        Self::new(ulid.to_string().to_lowercase())
    }
}
