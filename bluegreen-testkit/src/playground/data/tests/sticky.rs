use super::stage::{Plan, moment, shared, to};

const STICKY: [(&str, &str); 2] =
    [("stickiness.enabled", "true"), ("stickiness.lb_cookie.duration_seconds", "60")];

#[tokio::test]
async fn a_client_stays_with_its_target_while_that_may_serve() {
    let plan = Plan::new().with_group("blue", 3, "HTTP", &STICKY).routed("HTTP", to("blue"));
    let stage = plan.healthy(&["blue"]).await;
    let first = stage.get("/").await.unwrap();
    let cookies = first.cookies();
    assert!(cookies.contains("AWSALB=") && cookies.contains("AWSALBCORS="), "{cookies}");
    for _ in 0..5 {
        let next = stage.get_with("/", &[("cookie", &cookies)]).await;
        assert_eq!(next.instance(), first.instance());
    }
    let gone = stage.machines("blue").into_iter().find(|one| one.as_str() == first.instance());
    stage.site.cloud().terminate(&gone.unwrap());
    moment().await;
    let next = stage.get_with("/", &[("cookie", &cookies)]).await;
    assert_eq!(next.status, 200);
    assert_ne!(next.instance(), first.instance());
}

#[tokio::test]
async fn a_client_stays_with_its_target_group_even_at_weight_0() {
    let routed = shared(&[("blue", 1), ("green", 0)], Some(60));
    let plan = Plan::new().with_color("blue", 1).with_color("green", 1).routed("HTTP", routed);
    let stage = plan.healthy(&["blue", "green"]).await;
    let cookies = stage.get("/").await.unwrap().cookies();
    assert!(cookies.contains("AWSALBTG="), "{cookies}");
    stage.route(&shared(&[("blue", 0), ("green", 1)], Some(60)));
    moment().await;
    assert_eq!(stage.get("/").await.unwrap().version(), "ami-green");
    let old = stage.get_with("/", &[("cookie", &cookies)]).await;
    assert_eq!(old.version(), "ami-blue");
    stage.route(&to("green"));
    moment().await;
    let old = stage.get_with("/", &[("cookie", &cookies)]).await;
    assert_eq!(old.version(), "ami-green", "a group that is not named any more is out");
}
