//! Runs one load balancer before two machines until its input ends, so that it can be measured from
//! outside, beside another proxy in front of the same machines.
//!
//! It says where the listener is, and where the machines are.
#![expect(clippy::print_stdout, reason = "it has nothing else to say it with")]

use std::error::Error;
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

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut options = Options::default();
    options.check_interval = Some(Duration::from_secs(1));
    let playground = Playground::start(options).await?;
    let site = playground.site("123456789012", "eu-west-1");
    site.cloud().edit(|world| *world = stack());
    let target_group = TargetGroupName::new("web");
    let is_well = || {
        let health = site.cloud().health(&target_group);
        !health.is_empty() && health.iter().all(|one| one.state == HealthState::Healthy)
    };
    while !is_well() {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let listener = playground.address_of_listener(&LoadBalancerName::new("web"), PORT);
    println!("listener {}", listener.ok_or("the listener is closed")?);
    for machine in site.topology().machines {
        println!("machine {}:{SERVE}", machine.address);
    }
    tokio::task::spawn_blocking(|| std::io::copy(&mut std::io::stdin(), &mut std::io::sink()))
        .await??;
    for meter in playground.meters().iter().filter(|meter| meter.version.is_some()) {
        println!("answered {:?}, broken {}", meter.answered, meter.broken);
    }
    Ok(())
}

fn stack() -> World {
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
