use std::time::Duration;

use bluegreen_core::model::{HealthState, ScalingGroupName};

use super::client::Client;
use super::stage::{Plan, moment};
use crate::playground::fault::{Ailment, Machines};

#[tokio::test]
async fn a_draining_target_finishes_what_it_began_and_gets_nothing_new() {
    let plan = Plan::new().with_delay(Duration::from_secs(3)).with_color("blue", 2).to("blue");
    let stage = plan.healthy(&["blue"]).await;
    let leaving = stage.machines("blue")[0].clone();
    let of = Machines { instance: Some(leaving.to_string()), ..Machines::default() };
    let slow = stage.ail(of, Ailment::Slow { ms: 1200 });
    moment().await;
    let address = stage.address();
    let ask = move |_| async move {
        Client::connect(address, false).await.unwrap().get("/").await.unwrap()
    };
    let asked: Vec<_> = (0..2).map(|number| tokio::spawn(ask(number))).collect();
    tokio::time::sleep(Duration::from_millis(200)).await;
    stage.playground.faults().lift(slow);
    stage.site.cloud().terminate(&leaving);
    stage.until("blue", |states| states.contains(&HealthState::Draining)).await;
    moment().await;
    for _ in 0..6 {
        assert_ne!(stage.get("/").await.unwrap().instance(), leaving.as_str());
    }
    let mut answers = vec![];
    for asked in asked {
        answers.push(asked.await.unwrap());
    }
    assert!(answers.iter().all(|answer| answer.status == 200));
    assert!(answers.iter().any(|answer| answer.instance() == leaving.as_str()));
}

#[tokio::test]
async fn a_machine_that_is_gone_serves_nothing() {
    let stage = Plan::new().with_color("blue", 1).to("blue").healthy(&["blue"]).await;
    let machine = stage.machines("blue").remove(0);
    let address = (stage.site.address_of_machine(&machine), stage.serve).into();
    let group = ScalingGroupName::new("blue");
    stage.site.cloud().edit(|world| {
        world.scaling_groups.get_mut(&group).unwrap().capacity.desired = 0;
    });
    moment().await;
    assert!(Client::connect(address, false).await.is_ok(), "it drains first");
    stage.until("blue", <[HealthState]>::is_empty).await;
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert!(Client::connect(address, false).await.is_err());
    assert_eq!(stage.get("/").await.unwrap().status, 503);
}
