//! What `doctor` says, to people and to programs, and how it ends.

use bluegreen_testkit::emulator::query;
use serde_json::{Value, json};

use crate::sandbox::Sandbox;
use crate::stand::{ENV, Stand};

/// Returns the findings of a check.
fn of<'a>(report: &'a Value, check: &str) -> Vec<&'a Value> {
    let findings = report["findings"].as_array().expect("a list").iter();
    findings.filter(|finding| finding["check"] == check).collect()
}

async fn open_port(stand: &Stand, port: &str) {
    let params = [
        ("GroupId", &*stand.stack.security_group),
        ("IpPermissions.1.IpProtocol", "tcp"),
        ("IpPermissions.1.FromPort", port),
        ("IpPermissions.1.ToPort", port),
        ("IpPermissions.1.IpRanges.1.CidrIp", "0.0.0.0/0"),
    ];
    let opened =
        query(&stand.emulator.url(), "ec2", "AuthorizeSecurityGroupIngress", &params).await;
    assert_eq!(opened.expect("an answer").status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_environment_that_is_well_ends_with_zero_and_one_that_is_not_with_three() {
    let stand = Stand::new().await;
    stand.make_green().await;
    stand.calls();
    let said = stand.run(&["doctor", ENV]).await;
    assert_eq!((said.status, said.stderr.as_str()), (0, ""), "{said:?}");
    assert!(stand.calls().iter().all(|call| !call.mutating), "a look changes nothing");
    let first = said.stdout.lines().next().unwrap_or_default();
    let place = "(account 123456789012 emulator, us-east-1)";
    assert!(first.starts_with(&format!("{ENV}  ")) && first.ends_with(place), "{first}");
    for line in [
        "  ok       account: account 123456789012",
        "  ok       colours: blue is live",
        "  ok       templates: every group launches a version that stays",
        "  ok       holds: what serves scales, and what is idle is held",
        "  ok       idle ports: none of 4 can be reached from outside",
        "  ok       deletion protection: every load balancer is protected",
        "  ok       orphans: there are none",
    ] {
        assert!(said.stdout.lines().any(|one| one == line), "{line} is not in {}", said.stdout);
    }
    let wide: Vec<&str> = said.stdout.lines().filter(|line| line.chars().count() > 80).collect();
    assert_eq!(wide, Vec::<&str>::new());

    open_port(&stand, "18081").await;
    let said = stand.run(&["doctor", ENV, "--output", "json"]).await;
    assert_eq!(said.status, 3, "{said:?}");
    let report: Value = serde_json::from_str(&said.stdout).expect("one document");
    assert_eq!((&report["environment"], &report["worst"]), (&json!(ENV), &json!("problem")));
    assert_eq!(report["findings"][0]["severity"], "problem", "the worst comes first");
    let ports = of(&report, "idle ports");
    assert_eq!(ports.len(), 1, "{report:#}");
    let why = "whoever finds the port is served by the version that is not live";
    assert_eq!(ports[0]["why"], why);
    assert_eq!(ports[0]["mend"], "close port 18081 in the security groups of web");
    let text = stand.run(&["doctor", "--color", "always"]).await;
    assert!(text.stdout.contains("\u{1b}[") && text.stdout.contains("1 problem"), "{text:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn warnings_count_only_where_that_is_asked_for() {
    let stand = Stand::new().await;
    let report = stand.json(&["doctor", ENV]).await;
    assert_eq!(report["worst"], "warning", "{report:#}");
    let protection = of(&report, "deletion protection");
    assert_eq!(protection[0]["mend"], format!("bluegreen upgrade {ENV}"));
    assert_eq!(stand.run(&["doctor", ENV, "--strict"]).await.status, 3);
    stand.json(&["upgrade", ENV]).await;
    let said = stand.run(&["doctor", ENV, "--strict"]).await;
    assert_eq!(said.status, 0, "{said:?}");
}

#[test]
fn missing_credentials_are_a_finding_like_any_other() {
    let said = Sandbox::new().run(&["doctor", "D-WEB"]);
    assert_eq!(said.status, 3, "{said:?}");
    let line = "  problem  account: nobody knows whose credentials these are:";
    assert!(said.stdout.contains(line), "{said:?}");
}
