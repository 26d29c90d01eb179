use std::time::Duration;

use bluegreen_core::model::HealthState;
use tokio::time::Instant;

use super::stage::{Plan, Stage, all, moment};
use crate::playground::fault::{Ailment, Fault, Machines, Trouble};

async fn stage() -> Stage {
    Plan::new().with_color("blue", 1).to("blue").healthy(&["blue"]).await
}

#[tokio::test]
async fn a_crashed_server_is_a_502_until_it_is_lifted() {
    let stage = stage().await;
    let fault = stage.ail(Machines::default(), Ailment::Crash);
    moment().await;
    assert_eq!(stage.get("/").await.unwrap().status, 502);
    stage.until("blue", |states| all(states, HealthState::Unhealthy)).await;
    stage.playground.faults().lift(fault);
    moment().await;
    assert_eq!(stage.get("/").await.unwrap().status, 200);
    stage.until("blue", |states| all(states, HealthState::Healthy)).await;
}

#[tokio::test]
async fn a_hanging_server_is_a_504_and_answers_once_it_is_lifted() {
    let stage = stage().await;
    stage.with_idle_timeout("1");
    let fault = stage.ail(Machines::default(), Ailment::Hang);
    moment().await;
    assert_eq!(stage.get("/").await.unwrap().status, 504);
    stage.until("blue", |states| all(states, HealthState::Unhealthy)).await;
    stage.playground.faults().lift(fault);
    moment().await;
    assert_eq!(stage.get("/").await.unwrap().status, 200);
}

#[tokio::test]
async fn a_failing_server_says_so_to_clients_and_to_checks() {
    let stage = stage().await;
    stage.ail(Machines::default(), Ailment::Fails { status: 507 });
    moment().await;
    assert_eq!(stage.get("/").await.unwrap().status, 507);
    stage.until("blue", |states| all(states, HealthState::Unhealthy)).await;
    assert!(stage.answered("ami-blue", 507) > 0);
}

#[tokio::test]
async fn a_slow_server_answers_late() {
    let stage = stage().await;
    stage.ail(Machines::default(), Ailment::Slow { ms: 150 });
    moment().await;
    let start = Instant::now();
    assert_eq!(stage.get("/").await.unwrap().status, 200);
    assert!(start.elapsed() >= Duration::from_millis(150));
}

#[tokio::test]
async fn a_flapping_server_is_well_and_sick_in_turns() {
    let stage = stage().await;
    stage.ail(Machines::default(), Ailment::Flaps { ms: 300 });
    for status in [500, 200, 500] {
        stage.until_answer(|answer| answer.as_ref().is_ok_and(|one| one.status == status)).await;
    }
}

#[tokio::test]
async fn a_server_that_is_never_healthy_answers_clients() {
    let stage = stage().await;
    stage.ail(Machines::default(), Ailment::NeverHealthy);
    stage.until("blue", |states| all(states, HealthState::Unhealthy)).await;
    assert_eq!(stage.get("/").await.unwrap().status, 200);
}

#[tokio::test]
async fn a_version_that_breaks_under_traffic_passes_its_checks() {
    let stage = stage().await;
    let of = Machines { image: Some("ami-blue".to_owned()), ..Machines::default() };
    stage.ail(of, Ailment::BreaksUnderTraffic { share: 0.5 });
    moment().await;
    let mut broken = 0;
    for _ in 0..40 {
        broken += u32::from(stage.get("/").await.unwrap().status == 500);
    }
    assert!((18..=22).contains(&broken), "{broken}");
    assert!(all(&stage.states("blue"), HealthState::Healthy));
}

#[tokio::test]
async fn a_slow_boot_keeps_a_machine_from_serving() {
    let plan = Plan::new().with_color("blue", 1).to("blue");
    let stage = plan.start().await;
    let what = Trouble::Instance { of: Machines::default(), how: Ailment::SlowBoot { ms: 60_000 } };
    stage.playground.faults().add(Fault { what, seconds: Some(1.5), times: None });
    tokio::time::sleep(Duration::from_millis(1200)).await;
    assert_eq!(stage.get("/").await.unwrap().status, 502);
    stage.until("blue", |states| all(states, HealthState::Healthy)).await;
}
