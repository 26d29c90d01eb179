use crate::model::{
    AccountId, EnvironmentName, HealthStrategy, PortRange, Quiet, ScalingGroupName,
};

/// What a program says about an environment; everything else is observed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EnvironmentSpec {
    /// Its name.
    pub name: EnvironmentName,
    /// The account that it must be in.
    pub account: AccountId,
    /// What people call that account, for whoever must be told which one is meant.
    pub account_alias: Option<String>,
    /// Whether every change must be confirmed by naming the environment.
    pub protected: bool,
    /// The scaling group that was there first: blue.
    pub scaling_group: ScalingGroupName,
    /// Where idle listeners may go; a listener on one of these ports is not a live route.
    pub idle_ports: PortRange,
    /// What is added to a blue name to make the green one.
    pub green_suffix: String,
    /// For how long a colour must have had no requests before its machines are stopped.
    pub quiet: Quiet,
    /// How both colours are kept checked.
    pub health: HealthStrategy,
}

impl EnvironmentSpec {
    /// Describes an environment of an unprotected account.
    pub fn new(
        name: EnvironmentName,
        account: AccountId,
        scaling_group: ScalingGroupName,
        idle_ports: PortRange,
    ) -> Self {
        let green_suffix = "-green".to_owned();
        let (health, quiet) = (HealthStrategy::default(), Quiet::default());
        let (account_alias, protected) = (None, false);
        Self {
            name,
            account,
            account_alias,
            protected,
            scaling_group,
            idle_ports,
            green_suffix,
            quiet,
            health,
        }
    }

    /// Says what people call the account.
    #[must_use]
    pub fn with_account_alias(mut self, alias: impl Into<String>) -> Self {
        self.account_alias = Some(alias.into());
        self
    }

    /// Wants every change to be confirmed by naming the environment.
    #[must_use]
    pub fn with_protected(mut self, protected: bool) -> Self {
        self.protected = protected;
        self
    }

    /// Says how both colours are kept checked.
    #[must_use]
    pub fn with_health(mut self, health: HealthStrategy) -> Self {
        self.health = health;
        self
    }

    /// Names green resources by adding `suffix`.
    #[must_use]
    pub fn with_green_suffix(mut self, suffix: impl Into<String>) -> Self {
        self.green_suffix = suffix.into();
        self
    }

    /// Says for how long a colour must have had no requests before its machines are stopped.
    #[must_use]
    pub fn with_quiet(mut self, quiet: Quiet) -> Self {
        self.quiet = quiet;
        self
    }
}
