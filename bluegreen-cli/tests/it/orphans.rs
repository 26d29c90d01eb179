//! What runs left that nobody claims: listed, and deleted where nothing needs it.

use bluegreen_testkit::emulator::{Call, query};
use serde_json::{Value, json};

use crate::sandbox::Sandbox;
use crate::stand::{ENV, Stand};

/// Takes the green scaling group away, as somebody does who tidies up by hand.
async fn lose_green(stand: &Stand) {
    let params = [("AutoScalingGroupName", "web-green"), ("ForceDelete", "true")];
    let url = stand.proxy.url();
    let reply = query(&url, "autoscaling", "DeleteAutoScalingGroup", &params).await;
    assert_eq!(reply.expect("an answer").status, 200);
}

fn mutating(calls: &[Call]) -> Vec<&str> {
    calls.iter().filter(|call| call.mutating).map(|call| call.action.as_str()).collect()
}

fn names(report: &Value) -> Vec<&str> {
    let orphans = report["orphans"].as_array().expect("a list");
    orphans.iter().filter_map(|one| one["name"].as_str()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_left_of_a_second_colour_is_listed_and_deleted() {
    let stand = Stand::new().await;
    stand.json(&["upgrade", ENV]).await;
    let none = stand.run(&["orphans"]).await.well();
    assert_eq!(none, "orphans  (account 123456789012 emulator, us-east-1)\n  none\n");
    lose_green(&stand).await;

    stand.calls();
    let text = stand.run(&["orphans"]).await.well();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 9, "{text}");
    assert!(lines[1].starts_with("  RESOURCE"), "{text}");
    assert!(lines[2].starts_with("  listener web:18080 "), "{text}");
    assert!(lines[7].starts_with("  target group web-https-green "), "{text}");
    assert!(lines[7].ends_with(&format!("  {ENV}   can be deleted")), "{text}");
    assert_eq!(lines[8], "6 of 6 orphans can be deleted: give `--delete`");

    let listed = stand.json(&["orphans", ENV]).await;
    let log = stand.json(&["log"]).await;
    let wanted = json!({
        "kind": "target-group", "name": "web-http-green", "account": "123456789012",
        "region": "us-east-1", "run": log[0]["run"], "environment": ENV, "deletable": true,
        "reason": null, "hint": null,
    });
    assert!(listed["orphans"].as_array().is_some_and(|all| all.contains(&wanted)), "{listed:#}");
    assert_eq!((&listed["runs"], &listed["unread"]), (&json!([]), &json!([])));

    let plan = stand.run(&["orphans", "--delete", "--dry-run"]).await.well();
    assert!(plan.contains("delete idle listener web:18080 for web-http\n"), "{plan}");
    assert!(plan.ends_with("but another identity\n"), "{plan}");
    let planned = stand.json(&["orphans", "--delete", "--dry-run"]).await;
    assert_eq!(planned["plans"][0]["changes"], 6);
    assert_eq!(planned["plans"][0]["stages"][0]["steps"][0]["reversibility"], "equivalent");
    assert_eq!(mutating(&stand.calls()), Vec::<&str>::new(), "nothing is changed so far");

    let done = stand.run(&["orphans", "--delete", "--quiet"]).await.well();
    assert!(done.contains("\n6 changes in 2 stages\n"), "{done}");
    let last = done.lines().last().unwrap_or_default();
    assert!(last.starts_with(&format!("done: orphans {ENV}, 6 changes (run ")), "{done}");
    let calls = stand.calls();
    let mut made = mutating(&calls);
    made.sort_unstable();
    made.dedup();
    assert_eq!(made, ["DeleteListener", "DeleteTargetGroup"]);

    let left = stand.json(&["orphans", "--delete"]).await;
    assert_eq!(left, json!({"orphans": [], "unread": [], "plans": [], "runs": []}));
    let log = stand.json(&["log"]).await;
    assert_eq!((&log[0]["operation"], &log[0]["state"]), (&json!("orphans"), &json!("committed")));
    assert_eq!(log[0]["environment"], ENV);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_configuration_may_claim_must_be_named() {
    let stand = Stand::new().await;
    stand.json(&["upgrade", ENV]).await;
    let text = std::fs::read_to_string(stand.sandbox.path("work/bluegreen.toml"));
    let text = text.expect("it is there").replace(ENV, "OTHER");
    stand.sandbox.write("work/bluegreen.toml", text);
    stand.calls();
    let told = stand.json(&["orphans", "--delete"]).await;
    assert_eq!((names(&told).len(), &told["runs"]), (7, &json!([])));
    for orphan in told["orphans"].as_array().expect("a list") {
        assert_eq!(orphan["deletable"], false, "{orphan:#}");
        let hint = orphan["hint"].as_str().unwrap_or_default();
        assert!(hint.contains(&format!("`bluegreen orphans {ENV} --delete`")), "{orphan:#}");
    }
    assert_eq!(mutating(&stand.calls()), Vec::<&str>::new());

    let nobody = stand.run(&["orphans", "NOBODY"]).await;
    assert_eq!((nobody.status, nobody.stderr.as_str()), (0, "there are no orphans of NOBODY\n"));
    let told = stand.json(&["orphans", ENV, "--delete"]).await;
    assert_eq!(told["runs"][0]["state"], "committed", "{told:#}");
    let calls = stand.calls();
    assert_eq!(mutating(&calls).last(), Some(&"DeleteTargetGroup"));
    assert!(mutating(&calls).contains(&"DeleteAutoScalingGroup"));
    assert_eq!(names(&stand.json(&["orphans"]).await), Vec::<&str>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_deleted_while_an_environment_cannot_be_read() {
    let stand = Stand::new().await;
    stand.json(&["upgrade", ENV]).await;
    lose_green(&stand).await;
    let path = "work/bluegreen.toml";
    let text = std::fs::read_to_string(stand.sandbox.path(path)).expect("it is there");
    let gone = text.split_once("[environments.").expect("there is one").1;
    let gone = gone.replacen(ENV, "GONE", 1).replace("\"web\"", "\"gone\"");
    stand.sandbox.write(path, format!("{text}\n[environments.{gone}"));
    stand.calls();
    for args in [&["orphans"][..], &["orphans", "--delete"], &["orphans", ENV, "--delete"]] {
        let said = stand.run(args).await;
        assert_eq!(said.status, 3, "{said:?}");
        assert!(said.stdout.contains("0 of 6 orphans can be deleted\n"), "{said:?}");
        assert!(said.stderr.starts_with("error: environment `GONE` could not be read: "));
    }
    assert_eq!(mutating(&stand.calls()), Vec::<&str>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_protected_account_is_guarded_here_too() {
    let stand = Stand::new().await;
    stand.json(&["upgrade", ENV]).await;
    lose_green(&stand).await;
    stand.configure("protected = true");
    stand.calls();
    for args in [&["orphans", "--delete"][..], &["orphans", "--delete", "--yes"]] {
        let said = stand.run(args).await;
        assert_eq!(said.status, 3, "{said:?}");
        let hint = format!("hint: confirm it by name: `--confirm {ENV}`\n");
        assert!(said.stderr.ends_with(&hint), "{said:?}");
    }
    let other = stand.run(&["orphans", "--delete", "--confirm", "OTHER"]).await;
    assert_eq!(other.status, 3, "{other:?}");
    assert_eq!(mutating(&stand.calls()), Vec::<&str>::new());
    // Looking needs nobody's word.
    assert_eq!(stand.run(&["orphans"]).await.status, 0);
    let told = stand.json(&["orphans", "--delete", "--confirm", ENV]).await;
    assert_eq!(told["runs"][0]["state"], "committed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_deletion_is_taken_back() {
    let stand = Stand::new().await;
    stand.json(&["upgrade", ENV]).await;
    lose_green(&stand).await;
    let before = stand.json(&["orphans"]).await;
    let fault = bluegreen_testkit::emulator::Fault::refuse(403, "AccessDenied", "not today");
    stand.proxy.fail_action("DeleteTargetGroup", 0, fault);
    let said = stand.run(&["orphans", "--delete", "--output", "json", "--quiet"]).await;
    assert_eq!(said.status, 1, "{said:?}");
    let report: Value = serde_json::from_str(&said.stdout).expect("one document");
    assert_eq!(report["runs"][0]["state"], "rolled-back");
    assert_eq!(names(&stand.json(&["orphans"]).await), names(&before));
}

#[test]
fn orphans_are_what_a_configuration_does_not_claim() {
    let sandbox = Sandbox::empty();
    assert_eq!(sandbox.run(&["orphans"]).status, 2);
    sandbox.write("work/bluegreen.toml", "");
    for args in [&["orphans"][..], &["orphans", "D-WEB", "--delete"]] {
        sandbox.run(args).fails(
            2,
            "error: bluegreen.toml has no environments\n\n\
             hint: add a section `[environments.NAME]`\n",
        );
    }
    let said = Sandbox::new().run(&["orphans", "--force"]);
    assert_eq!((said.status, said.stdout.as_str()), (2, ""));
}
