use std::time::Duration;

use bluegreen_core::model::HealthState;

use super::client::Client;
use super::stage::{Plan, Stage, all, moment, to};
use crate::playground::fault::{Ailment, Machines};

#[tokio::test]
async fn a_group_that_no_route_names_is_not_checked_and_reads_unused() {
    let plan = Plan::new().with_color("blue", 1).with_color("green", 1).to("blue");
    let stage = plan.healthy(&["blue"]).await;
    assert!(all(&stage.states("green"), HealthState::Unused));
    stage.route(&to("green"));
    stage.until("green", |states| all(states, HealthState::Healthy)).await;
    assert!(all(&stage.states("blue"), HealthState::Unused));
}

#[tokio::test]
async fn a_group_without_a_healthy_target_fails_open() {
    let stage = Plan::new().with_color("blue", 2).to("blue").healthy(&["blue"]).await;
    let sick = stage.ail(Machines::default(), Ailment::NeverHealthy);
    stage.until("blue", |states| all(states, HealthState::Unhealthy)).await;
    moment().await;
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..6 {
        let answer = stage.get("/").await.unwrap();
        assert_eq!(answer.status, 200);
        seen.insert(answer.instance().to_owned());
    }
    assert_eq!(seen.len(), 2, "all of them get requests");
    stage.playground.faults().lift(sick);
    stage.until("blue", |states| all(states, HealthState::Healthy)).await;
}

#[tokio::test]
async fn a_sick_target_gets_no_requests_while_another_one_is_well() {
    let stage = Plan::new().with_color("blue", 2).to("blue").healthy(&["blue"]).await;
    let sick = stage.machines("blue")[0].to_string();
    let of = Machines { instance: Some(sick.clone()), ..Machines::default() };
    stage.ail(of, Ailment::NeverHealthy);
    stage.until("blue", |states| states.contains(&HealthState::Unhealthy)).await;
    moment().await;
    for _ in 0..6 {
        assert_ne!(stage.get("/").await.unwrap().instance(), sick);
    }
}

#[tokio::test]
async fn a_group_without_targets_is_a_503() {
    let stage = Plan::new().with_color("blue", 0).to("blue").start().await;
    moment().await;
    assert_eq!(stage.get("/").await.unwrap().status, 503);
}

#[tokio::test]
async fn a_stopped_machine_is_not_checked_and_answers_nothing() {
    let stage = Plan::new().with_color("blue", 1).to("blue").healthy(&["blue"]).await;
    let machine = stage.machines("blue").remove(0);
    let address = (stage.site.address_of_machine(&machine), stage.serve).into();
    assert!(Client::connect(address, false).await.is_ok());
    stage.site.cloud().stop_instance(&machine);
    stage.until("blue", |states| all(states, HealthState::Unused)).await;
    moment().await;
    assert!(Client::connect(address, false).await.is_err());
}

#[tokio::test]
async fn a_closed_port_refuses_connections() {
    let stage = Plan::new().with_color("blue", 1).to("blue").healthy(&["blue"]).await;
    let (address, port) = (stage.address(), stage.port);
    let mut kept = Client::connect(address, false).await.unwrap();
    assert_eq!(kept.get("/").await.unwrap().status, 200);
    stage.site.cloud().edit(|world| {
        world.load_balancers.get_mut(&Stage::balancer()).unwrap().openings.remove(&port);
    });
    moment().await;
    assert!(Client::connect(address, false).await.is_err());
    assert!(kept.get("/").await.is_err(), "idle connections are closed");
    assert_eq!(stage.playground.address_of_listener(&Stage::balancer(), port), None);
    stage.site.cloud().edit(|world| {
        let balancer = world.load_balancers.get_mut(&Stage::balancer()).unwrap();
        balancer.openings.insert(port, "all".to_owned());
    });
    stage_opens(&stage).await;
}

async fn stage_opens(stage: &Stage) {
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(stage.get("/").await.unwrap().status, 200);
}
