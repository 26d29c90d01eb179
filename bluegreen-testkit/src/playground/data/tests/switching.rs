use std::time::Duration;

use super::client::Client;
use super::stage::{Plan, shared, to};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_switch_under_load_loses_no_request() {
    let routed = shared(&[("blue", 1), ("green", 0)], None);
    let plan = Plan::new().with_color("blue", 2).with_color("green", 2).routed("HTTP", routed);
    let stage = plan.healthy(&["blue", "green"]).await;
    let address = stage.address();
    let load = |_| async move {
        let mut client = Client::connect(address, false).await.unwrap();
        let (mut versions, end) = (vec![], tokio::time::Instant::now() + Duration::from_secs(2));
        while tokio::time::Instant::now() < end {
            let answer = client.get("/").await.unwrap();
            assert_eq!(answer.status, 200);
            versions.push(answer.version().to_owned());
        }
        versions
    };
    let clients: Vec<_> = (0..4).map(|number| tokio::spawn(load(number))).collect();
    tokio::time::sleep(Duration::from_millis(500)).await;
    stage.route(&to("green"));
    for client in clients {
        let versions = client.await.unwrap();
        let green = versions.iter().position(|version| version == "ami-green").unwrap();
        assert!(green > 0);
        // One client never goes back.
        assert!(versions[green..].iter().all(|version| version == "ami-green"));
    }
    assert!(stage.answered("ami-blue", 200) > 0);
    assert!(stage.answered("ami-green", 200) > 0);
    assert!(stage.playground.meters().iter().all(|meter| meter.active == 0));
    assert_eq!(stage.playground.troubles(), Vec::<String>::new());
}

#[tokio::test]
async fn everything_ends_with_the_playground() {
    let stage = Plan::new().with_color("blue", 1).to("blue").healthy(&["blue"]).await;
    let (listener, serve) = (stage.address(), stage.serve);
    let machine = stage.site.address_of_machine(&stage.machines("blue")[0]);
    let mut kept = Client::connect(listener, false).await.unwrap();
    assert_eq!(kept.get("/").await.unwrap().status, 200);
    drop(stage);
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(kept.get("/").await.is_err());
    assert!(Client::connect(listener, false).await.is_err());
    assert!(Client::connect((machine, serve).into(), false).await.is_err());
}
