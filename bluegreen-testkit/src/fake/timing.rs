use std::time::Duration;

/// How long things take in a [`FakeCloud`](super::FakeCloud), on virtual time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Timing {
    /// From the launch of a machine until its group counts it as in service and registers it.
    pub pending: Duration,
    /// From the launch of a machine until its application answers.
    pub boot: Duration,
    /// Between two health checks of a target.
    pub check_interval: Duration,
    /// How many checks in a row a sick target must pass to be healthy; a new one needs one.
    pub healthy_threshold: u32,
    /// How many checks in a row a target must fail to be unhealthy.
    pub unhealthy_threshold: u32,
    /// From the end of draining until a machine is gone.
    pub termination: Duration,
    /// For how long a deleted scaling group stays visible.
    pub group_deletion: Duration,
    /// For how long a target group still counts as used when the last route has let go of it.
    pub lingering_use: Duration,
    /// For how long requests may still follow what a route did before.
    pub propagation: Duration,
    /// For how long flows may still begin at the target group that a network load balancer was told
    /// to leave.
    pub network_propagation: Duration,
    /// For how long a group gets no requests before a policy that follows them shrinks it.
    pub idle_scale_in: Duration,
    /// From the moment a call is made until it takes effect and is answered.
    pub latency: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            pending: Duration::from_secs(15),
            boot: Duration::from_secs(40),
            check_interval: Duration::from_secs(10),
            healthy_threshold: 3,
            unhealthy_threshold: 2,
            termination: Duration::from_secs(10),
            group_deletion: Duration::from_secs(20),
            lingering_use: Duration::ZERO,
            propagation: Duration::ZERO,
            network_propagation: Duration::from_secs(75),
            idle_scale_in: Duration::from_mins(15),
            latency: Duration::ZERO,
        }
    }
}
