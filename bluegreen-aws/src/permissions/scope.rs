use bluegreen_core::model::{
    AccountId, EnvironmentName, Estate, HealthStrategy, LoadBalancerName, ScalingGroupName,
    TargetGroupName,
};
use bluegreen_core::operation::EnvironmentSpec;
use bluegreen_core::plan::Names;

/// What a policy is about: one environment, and where its runs are kept.
///
/// Everything of it stands in a configuration. What only the cloud knows is left open, and narrows
/// the policy where it is given.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Scope {
    /// The account.
    pub account: AccountId,
    /// The region.
    pub region: String,
    /// The environment, as its resources are tagged.
    pub environment: EnvironmentName,
    /// The scaling group that was there first.
    pub blue: ScalingGroupName,
    /// The scaling group that an upgrade makes.
    pub green: ScalingGroupName,
    /// What the name of everything ends in that an upgrade makes.
    pub suffix: String,
    /// How target groups are kept checked.
    pub health: HealthStrategy,
    /// The load balancers; any of the account if nobody says which.
    pub load_balancers: Vec<LoadBalancerName>,
    /// The target groups that were there first; any of the account if nobody says which.
    pub target_groups: Vec<TargetGroupName>,
    /// The roles that machines have; any of the account if nobody says which.
    pub instance_roles: Vec<String>,
    /// Where journals and locks are kept, if that is a bucket.
    pub bucket: Option<Bucket>,
}

/// A bucket for journals and locks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bucket {
    /// Its name.
    pub name: String,
    /// What all keys begin with; may be empty.
    pub prefix: String,
}

impl Scope {
    /// Describes an environment in a region, as far as its configuration tells.
    pub fn new(spec: &EnvironmentSpec, region: impl Into<String>) -> Self {
        Self {
            account: spec.account.clone(),
            region: region.into(),
            environment: spec.name.clone(),
            blue: spec.scaling_group.clone(),
            green: Names::new(&spec.green_suffix).scaling_group(&spec.scaling_group),
            suffix: spec.green_suffix.clone(),
            health: spec.health.clone(),
            load_balancers: Vec::new(),
            target_groups: Vec::new(),
            instance_roles: Vec::new(),
            bucket: None,
        }
    }

    /// Describes an environment in a region, as somebody asks about it.
    pub(super) fn of(estate: &Estate, region: &str) -> Self {
        Self {
            account: estate.account.clone(),
            region: region.to_owned(),
            environment: estate.environment.clone(),
            blue: estate.blue.clone(),
            green: estate.green.clone(),
            suffix: estate.green_suffix.clone(),
            health: estate.health.clone(),
            load_balancers: estate.load_balancers.clone(),
            target_groups: estate.target_groups.clone(),
            instance_roles: Vec::new(),
            bucket: None,
        }
    }

    /// Says which load balancers the environment is on.
    #[must_use]
    pub fn with_load_balancers(
        mut self,
        names: impl IntoIterator<Item = LoadBalancerName>,
    ) -> Self {
        self.load_balancers = names.into_iter().collect();
        self
    }

    /// Says which target groups were there first.
    #[must_use]
    pub fn with_target_groups(mut self, names: impl IntoIterator<Item = TargetGroupName>) -> Self {
        self.target_groups = names.into_iter().collect();
        self
    }

    /// Says which roles machines have.
    #[must_use]
    pub fn with_instance_roles(mut self, names: impl IntoIterator<Item = String>) -> Self {
        self.instance_roles = names.into_iter().collect();
        self
    }

    /// Says in which bucket journals and locks are kept.
    #[must_use]
    pub fn with_bucket(mut self, name: impl Into<String>, prefix: impl Into<String>) -> Self {
        self.bucket = Some(Bucket { name: name.into(), prefix: prefix.into() });
        self
    }

    /// Returns an ARN of the account and region.
    pub(super) fn arn(&self, service: &str, resource: &str) -> String {
        let (partition, region, account) = (self.partition(), &self.region, &self.account);
        format!("arn:{partition}:{service}:{region}:{account}:{resource}")
    }

    /// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html>
    pub(super) fn partition(&self) -> &'static str {
        match self.region.as_str() {
            region if region.starts_with("cn-") => "aws-cn",
            region if region.starts_with("us-gov-") => "aws-us-gov",
            _ => "aws",
        }
    }
}
