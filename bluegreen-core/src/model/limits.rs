/// How many of a thing an account may have; `None` where the cloud does not say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Of an application load balancer.
    pub application: BalancerLimits,
    /// Of a network load balancer.
    pub network: BalancerLimits,
}

/// How many of a thing one load balancer may have; `None` where the cloud does not say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BalancerLimits {
    /// Listeners.
    pub listeners: Option<u32>,
    /// Rules of all its listeners, the default ones left out.
    pub rules: Option<u32>,
    /// Target groups that all its routes name.
    pub target_groups: Option<u32>,
    /// Target groups that one route names.
    pub target_groups_per_action: Option<u32>,
}
