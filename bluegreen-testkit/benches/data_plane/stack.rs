//! One load balancer before two machines.

use std::error::Error;
use std::net::SocketAddr;
use std::time::Duration;

use bluegreen_core::model::{
    Actions, Capacity, HealthState, LoadBalancerKind, LoadBalancerName, Opaque,
    ScalingGroupSettings, TargetGroupName,
};
use bluegreen_testkit::World;
use bluegreen_testkit::fake::template;
use bluegreen_testkit::playground::{Options, Playground};

const PORT: u16 = 8080;
const SERVE: u16 = 9000;

/// A stack whose machines are well.
#[derive(Debug)]
pub(crate) struct Stack {
    /// Where the load balancer listens.
    pub(crate) listener: SocketAddr,
    /// Where the machines do.
    pub(crate) machines: Vec<SocketAddr>,
    _playground: Playground,
}

impl Stack {
    pub(crate) async fn start() -> Result<Self, Box<dyn Error>> {
        let mut options = Options::default();
        options.check_interval = Some(Duration::from_secs(1));
        let playground = Playground::start(options).await?;
        let site = playground.site("123456789012", "eu-west-1");
        site.cloud().edit(|world| *world = world_of_two());
        let target_group = TargetGroupName::new("web");
        let is_well = || {
            let health = site.cloud().health(&target_group);
            !health.is_empty() && health.iter().all(|one| one.state == HealthState::Healthy)
        };
        while !is_well() {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let listener = playground.address_of_listener(&LoadBalancerName::new("web"), PORT);
        let listener = listener.ok_or("the listener is closed")?;
        let machines = site.topology().machines.into_iter();
        let machines = machines.map(|machine| format!("{}:{SERVE}", machine.address).parse());
        Ok(Self {
            listener,
            machines: machines.collect::<Result<_, _>>()?,
            _playground: playground,
        })
    }
}

fn world_of_two() -> World {
    let name = TargetGroupName::new("web");
    let group = ScalingGroupSettings {
        launch: template("web", 1),
        capacity: Capacity::new(2, 2, 2),
        target_groups: [name.clone()].into(),
        tags: [].into(),
        details: Opaque::default(),
        uncarried: vec![],
        unknown: vec![],
    };
    World::default()
        .with_load_balancer("web", LoadBalancerKind::Application)
        .with_opening("web", PORT, "all")
        .with_target_group("web", SERVE)
        .with_listener("web", PORT, "HTTP", Actions::forward_to(name))
        .with_template("web", &["ami-web"])
        .with_scaling_group("web", group)
}
