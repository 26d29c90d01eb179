use std::collections::BTreeMap;

use bluegreen_core::model::{ListenerKey, Opaque};
use serde_json::{Value, json};

use super::client::{Client, request};
use super::stage::{Plan, Stage, moment, other, shared, to};
use crate::fake::RuleState;

impl Stage {
    fn rule(&self, priority: u32, conditions: Value, actions: bluegreen_core::model::Actions) {
        let key = ListenerKey::new(Self::balancer(), self.port);
        let conditions = Opaque::new(conditions);
        self.site.cloud().edit(|world| {
            let rules = &mut world.listener_mut(&key).unwrap().rules;
            rules.insert(priority, RuleState { conditions, actions, tags: [].into() });
        });
    }
}

#[tokio::test]
async fn requests_are_shared_by_weight() {
    let routed = shared(&[("blue", 3), ("green", 1)], None);
    let plan = Plan::new().with_color("blue", 1).with_color("green", 1).routed("HTTP", routed);
    let stage = plan.healthy(&["blue", "green"]).await;
    let mut seen = BTreeMap::new();
    let mut client = Client::connect(stage.address(), false).await.unwrap();
    for _ in 0..40 {
        let answer = client.get("/").await.unwrap();
        *seen.entry(answer.version().to_owned()).or_insert(0) += 1;
    }
    assert_eq!(seen, [("ami-blue".to_owned(), 30), ("ami-green".to_owned(), 10)].into());
}

#[tokio::test]
async fn targets_take_turns() {
    let stage = Plan::new().with_color("blue", 3).to("blue").healthy(&["blue"]).await;
    let mut seen = BTreeMap::new();
    for _ in 0..9 {
        let answer = stage.get("/").await.unwrap();
        *seen.entry(answer.instance().to_owned()).or_insert(0) += 1;
    }
    assert_eq!(seen.values().collect::<Vec<_>>(), [&3, &3, &3]);
}

#[tokio::test]
async fn the_most_important_rule_that_fits_decides() {
    let plan = Plan::new().with_color("blue", 1).with_color("green", 1).to("blue");
    let stage = plan.start().await;
    stage.rule(20, json!([{"field": "path-pattern", "values": ["/api/*"]}]), to("green"));
    let fixed = json!({"type": "fixed-response", "status_code": "418",
        "content_type": "text/plain", "message_body": "short"});
    let both = json!([
        {"Field": "path-pattern", "PathPatternConfig": {"Values": ["/api/*"]}},
        {"Field": "host-header", "HostHeaderConfig": {"Values": ["tea.*"]}},
    ]);
    stage.rule(10, both, other(fixed));
    let redirect = json!({"type": "redirect", "protocol": "HTTPS", "port": "443",
        "status_code": "HTTP_302"});
    stage.rule(30, json!([{"field": "path-pattern", "values": ["/old"]}]), other(redirect));
    stage
        .until("green", |states| states.contains(&bluegreen_core::model::HealthState::Healthy))
        .await;
    stage.until_answer(|answer| answer.as_ref().is_ok_and(|one| one.version() == "ami-blue")).await;
    moment().await;
    assert_eq!(stage.get("/api/1").await.unwrap().version(), "ami-green");
    let tea = stage.get_with("/api/1", &[("host", "tea.example.com")]).await;
    assert_eq!((tea.status, tea.body.as_str()), (418, "short"));
    let moved = stage.get("/old?a=b").await.unwrap();
    assert_eq!(moved.status, 302);
    assert_eq!(moved.header("location"), "https://example.com:443/old?a=b");
}

#[tokio::test]
async fn targets_hear_where_requests_come_from() {
    // `env` is no server: what a target gets is read from its socket.
    let stage = Plan::new().with_color("blue", 1).to("blue").start().await;
    let machine = stage.machines("blue").remove(0);
    let of = crate::playground::fault::Machines::default();
    stage.ail(of, crate::playground::fault::Ailment::Crash);
    moment().await;
    moment().await;
    let address = (stage.site.address_of_machine(&machine), stage.serve);
    let socket = tokio::net::TcpListener::bind(address).await.unwrap();
    stage.until_registered().await;
    let asked = tokio::spawn(super::client::ask(
        stage.address(),
        request(
            "/x?y",
            &[("x-forwarded-for", "192.0.2.1"), ("connection", "x-own"), ("x-own", "1")],
        ),
    ));
    let mut heard;
    loop {
        let (mut stream, _) = socket.accept().await.unwrap();
        heard = String::new();
        let mut buffer = [0; 4096];
        let read = tokio::io::AsyncReadExt::read(&mut stream, &mut buffer).await.unwrap();
        heard.push_str(&String::from_utf8_lossy(&buffer[..read]));
        if heard.starts_with("GET /x?y HTTP/1.1\r\n") {
            let answer = b"HTTP/1.1 204 No Content\r\n\r\n";
            tokio::io::AsyncWriteExt::write_all(&mut stream, answer).await.unwrap();
            break;
        }
    }
    assert_eq!(asked.await.unwrap().unwrap().status, 204);
    assert!(heard.contains("x-forwarded-for: 192.0.2.1, 127.0.0.1\r\n"), "{heard}");
    assert!(heard.contains("x-forwarded-proto: http\r\n"), "{heard}");
    assert!(heard.contains(&format!("x-forwarded-port: {}\r\n", stage.port)), "{heard}");
    assert!(!heard.contains("x-own"), "{heard}");
}

impl Stage {
    async fn until_registered(&self) {
        self.until("blue", |states| !states.is_empty()).await;
        moment().await;
    }
}

#[tokio::test]
async fn an_https_listener_speaks_tls_to_clients_and_to_targets() {
    let plan = Plan::new().with_group("blue", 1, "HTTPS", &[]).routed("HTTPS", to("blue"));
    let stage = plan.healthy(&["blue"]).await;
    let mut client = Client::connect(stage.address(), true).await.unwrap();
    for _ in 0..3 {
        assert_eq!(client.get("/").await.unwrap().version(), "ami-blue");
    }
    assert!(Client::connect(stage.address(), false).await.unwrap().get("/").await.is_err());
}

#[tokio::test]
async fn what_nobody_understands_is_said_aloud() {
    let stage = Plan::new().with_color("blue", 1).to("blue").start().await;
    stage.rule(1, json!([{"field": "phase-of-moon", "values": ["full"]}]), to("blue"));
    moment().await;
    let troubles = stage.playground.troubles();
    assert!(troubles[0].contains("phase-of-moon"), "{troubles:?}");
}
