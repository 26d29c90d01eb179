use std::time::Duration;

use bluegreen_core::model::HealthState;
use tokio::time::Instant;

use super::stage::{Plan, Stage, all, moment};
use crate::playground::fault::{Machines, Weather};

async fn stage() -> Stage {
    let stage = Plan::new().with_color("blue", 1).to("blue").healthy(&["blue"]).await;
    stage.with_idle_timeout("1");
    // So that there is a kept connection, which must suffer as well.
    assert_eq!(stage.get("/").await.unwrap().status, 200);
    stage
}

/// Lets the weather be so, asks, and clears it up again.
async fn in_weather(stage: &Stage, weather: Weather) -> (Result<u16, String>, Duration) {
    let fault = stage.weather(Machines::default(), weather);
    moment().await;
    let start = Instant::now();
    let answer = stage.get("/").await.map(|answer| answer.status);
    let took = start.elapsed();
    stage.playground.faults().lift(fault);
    moment().await;
    assert_eq!(stage.get("/").await.unwrap().status, 200, "it is over");
    (answer, took)
}

#[tokio::test]
async fn a_delay_lets_answers_come_late() {
    let stage = stage().await;
    let (answer, took) = in_weather(&stage, Weather::Delay { ms: 120 }).await;
    assert_eq!(answer, Ok(200));
    assert!(took >= Duration::from_millis(120), "{took:?}");
}

#[tokio::test]
async fn a_drip_lets_answers_come_in_drops() {
    let stage = stage().await;
    let (answer, took) = in_weather(&stage, Weather::Drip { bytes: 200 }).await;
    assert_eq!(answer, Ok(200));
    assert!(took >= Duration::from_millis(500), "{took:?}");
}

#[tokio::test]
async fn a_stall_lets_nothing_through() {
    let stage = stage().await;
    let (answer, took) = in_weather(&stage, Weather::Stall).await;
    assert_eq!(answer, Ok(504));
    assert!(took >= Duration::from_secs(1), "{took:?}");
}

#[tokio::test]
async fn a_reset_breaks_answers_off() {
    let (answer, _) = in_weather(&stage().await, Weather::Reset).await;
    assert_eq!(answer, Ok(502));
}

#[tokio::test]
async fn refused_connections_are_a_502() {
    let (answer, took) = in_weather(&stage().await, Weather::Refuse).await;
    assert_eq!(answer, Ok(502));
    assert!(took < Duration::from_millis(500), "{took:?}");
}

#[tokio::test]
async fn a_partition_of_a_zone_takes_its_targets_out() {
    let stage = Plan::new().with_color("blue", 2).to("blue").healthy(&["blue"]).await;
    let lost = stage.machines("blue")[0].clone();
    let zone = stage.site.zone_of(&lost);
    assert_ne!(zone, stage.site.zone_of(&stage.machines("blue")[1]));
    let fault =
        stage.weather(Machines { zone: Some(zone), ..Machines::default() }, Weather::Partition);
    stage.until("blue", |states| states.contains(&HealthState::Unhealthy)).await;
    moment().await;
    for _ in 0..4 {
        let answer = stage.get("/").await.unwrap();
        assert_eq!(answer.status, 200);
        assert_ne!(answer.instance(), lost.as_str());
    }
    stage.playground.faults().lift(fault);
    stage.until("blue", |states| all(states, HealthState::Healthy)).await;
}
