//! Taking a committed run back: what is refused without asking any cloud, and what is done with
//! one.

use std::os::unix::fs::PermissionsExt as _;

use bluegreen_testkit::emulator::{Fault, Trigger, query};
use serde_json::{Value, json};

use crate::journal::Draft;
use crate::sandbox::Sandbox;
use crate::stand::{ENV, Stand};

#[test]
fn a_run_that_is_not_there_or_not_one_alone_is_wrong_usage() {
    let sandbox = Sandbox::new();
    let none = "error: there is no run `01a`\n\nhint: `bluegreen log` lists the runs\n";
    sandbox.run(&["undo", "01A"]).fails(2, none);
    Draft::deploy("01aa", "D-WEB").write(&sandbox);
    Draft::deploy("01ab", "D-WEB").write(&sandbox);
    sandbox.run(&["undo", "01a"]).fails(
        2,
        "error: `01a` is the beginning of 2 runs, such as 01ab and 01aa\n\nhint: give more of it\n",
    );
    assert_eq!(sandbox.run(&["undo"]).status, 2);
}

#[test]
fn a_run_that_has_not_ended_is_recovered_first() {
    let sandbox = Sandbox::new();
    Draft::deploy("01aa", "D-WEB").applied(100, 1).write(&sandbox);
    sandbox.run(&["undo", "01aa", "--dry-run"]).fails(
        3,
        "error: run 01aa (deploy of `D-WEB`) is open and must be finished first\n\n\
         hint: run `bluegreen recover 01aa`\n",
    );
}

#[test]
fn a_protected_account_wants_the_name_for_an_undo_too() {
    let sandbox = Sandbox::new();
    Draft::deploy("01aa", "IE-L-NGINX").write(&sandbox);
    let said = sandbox.run(&["undo", "01aa", "--yes"]);
    assert_eq!(said.status, 3, "{said:?}");
    assert!(said.stderr.contains("confirm it by name: `--confirm IE-L-NGINX`"), "{said:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_switch_is_undone_from_its_journal() {
    let stand = Stand::before("switch").await;
    let before = stand.account().await;
    let switched = stand.json(&stand.args("switch")).await;
    let run = switched["run"].as_str().unwrap_or_default();

    let plan = stand.run(&["undo", &run[..20], "--dry-run"]).await.well();
    let lines: Vec<&str> = plan.lines().collect();
    assert_eq!(lines[0], "undo IE-L-NGINX  (account 123456789012 emulator, us-east-1)");
    assert!(lines[1].starts_with(&format!("takes back switch, run {run}, by alice@")), "{plan}");
    assert!(plan.contains("  GATE blue is healthy and large enough\n"), "{plan}");
    assert!(plan.contains("\n  take back: send all traffic to green\n"), "{plan}");
    assert!(plan.contains("exact       route web:80: web-http-green → web-http\n"), "{plan}");
    let planned = stand.json(&["undo", run, "--dry-run"]).await;
    assert_eq!((&planned["undoes"], &planned["changes"]), (&json!(run), &json!(7)));
    assert_eq!(planned["point_of_no_return"], Value::Null);
    assert_eq!(planned["rollback_estimate_s"], 4);

    let undone = stand.json(&["undo", run, "--poll", "100ms"]).await;
    assert_eq!((&undone["state"], &undone["operation"]), (&json!("committed"), &json!("undo")));
    stand.is_as(&before, "a switch that was undone").await;
    let shown = stand.json(&["show", undone["run"].as_str().unwrap_or_default()]).await;
    assert_eq!(shown["undoes"], run);

    let again = stand.json(&["undo", run]).await;
    assert_eq!(again["state"], "nothing-to-do");
    let reason = format!("everything is as it was before run {run} already");
    assert_eq!(again["reason"], reason);
    is_never_in_clear(&stand).await;
}

/// A deploy that brings user data does not show it. The emulator starts no machine from it, so that
/// it is taken back.
async fn is_never_in_clear(stand: &Stand) {
    stand.sandbox.write("work/boot.sh", "#!/bin/sh\necho hunter2\n");
    let quick = ["--poll", "100ms", "--timeout", "1s"];
    let deploy = [&["deploy", ENV, "--user-data", "boot.sh"][..], &quick].concat();
    let failed = stand.run(&deploy).await;
    assert_eq!(failed.status, 1, "{failed:?}");
    let run = stand.json(&["log"]).await[0]["run"].clone();
    let run = run.as_str().unwrap_or_default();
    let shown = stand.run(&["show", run]).await;
    let json = stand.run(&["show", run, "--output", "json"]).await;
    for said in [failed, shown, json] {
        // The whole script, in base64.
        for secret in ["hunter2", "ZWNobyBodW50ZXIy"] {
            assert!(!format!("{said:?}").contains(secret), "{said:?}");
        }
    }
    let store = stand.sandbox.path(format!("home/.local/state/bluegreen/runs/{run}.journal"));
    let mode = std::fs::metadata(store).expect("the journal is there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_others_changed_since_stops_an_undo_field_by_field() {
    let stand = Stand::before("switch").await;
    let deployed = stand.json(&["log"]).await[0]["run"].clone();
    let run = deployed.as_str().unwrap_or_default();
    let group = format!("{}-green", stand.stack.scaling_group);
    let size = [("AutoScalingGroupName", group.as_str()), ("MinSize", "2"), ("MaxSize", "9")];
    query(&stand.emulator.url(), "autoscaling", "UpdateAutoScalingGroup", &size)
        .await
        .expect("the emulator answers");
    let before = stand.account().await;
    stand.run(&["undo", run]).await.fails(
        3,
        &format!(
            "error: what run {run} left was changed since\n\n  capacity of web-green\n    \
             max: left 4, now 9, before 0\n    min: left 1, now 2, before 0\n\n\
             hint: take those changes back first, newest run first, or leave the run as it is\n"
        ),
    );
    let said = stand.run(&["undo", run, "--output", "json", "-q"]).await;
    let report: Value = serde_json::from_str(&said.stdout).expect("it is JSON");
    assert_eq!((said.status, &report["state"]), (3, &json!("refused")));
    assert_eq!(
        report["overtaken"][0],
        json!({"resource": "capacity of web-green", "field": "max",
               "left": "4", "now": "9", "before": "0"})
    );
    stand.is_as(&before, "an undo that was refused").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_failed_undo_made_again_is_said() {
    let stand = Stand::before("deploy").await;
    let run = stand.json(&["log"]).await[0]["run"].clone();
    let undo = ["undo", run.as_str().unwrap_or_default()];
    // The last thing to be taken back, when everything that was made is deleted.
    let refuse = || {
        let refusal = Fault::refuse(400, "ValidationError", "no such luck");
        let protection = Trigger::action("ModifyLoadBalancerAttributes", 0).with_retries();
        stand.proxy.heal();
        stand.proxy.fail(protection, refusal);
    };
    refuse();
    let failed = stand.run(&undo).await;
    assert_eq!(failed.status, 1, "{failed:?}");
    let made = failed.stdout.split_once("\nmade again, with another identity:\n");
    let (_, made) = made.unwrap_or_else(|| panic!("{failed:?}"));
    assert!(made.contains("  scaling group web-green\n  listener web:18080\n"), "{made}");
    refuse();
    let failed = stand.run(&[&undo[..], &["--output", "json", "-q"]].concat()).await;
    let report: Value = serde_json::from_str(&failed.stdout).expect("it is JSON");
    assert_eq!((failed.status, &report["state"]), (1, &json!("rolled-back")));
    let remade = report["remade"].as_array().expect("a list");
    assert!(remade.contains(&json!("target group web-http-green")), "{report:#}");
    let shown = stand.json(&["show", report["run"].as_str().unwrap_or_default()]).await;
    let milestones = shown["milestones"].as_array().expect("a list").iter();
    let again: Vec<_> = milestones.filter(|one| one["event"] == "remade").collect();
    assert_eq!(again.len(), remade.len(), "{shown:#}");
}
