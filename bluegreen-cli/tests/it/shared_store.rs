//! A store in a bucket: what is written there, who else sees it, and what is said if it cannot be
//! used.

use std::time::Duration;

use bluegreen_testkit::emulator::{Emulator, Fault, Trigger, make_bucket};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::sandbox::{Said, Sandbox};
use crate::stand::{ENV, Stand};

const STORE: [&str; 2] = ["--store", "s3://team-state/blue/green?region=us-east-1"];

fn with_store<'a>(args: &[&'a str]) -> Vec<&'a str> {
    [args, &STORE].concat()
}

/// Makes a stand whose proxy leads to a bucket too.
async fn stand() -> Stand {
    let stand = Stand::new().await;
    make_bucket(&stand.emulator.url(), "team-state").await.expect("the bucket is made");
    stand
}

#[tokio::test(flavor = "multi_thread")]
async fn two_machines_see_each_others_runs_and_locks() {
    let stand = stand().await;
    let upgraded = make_green(&stand).await;
    assert!(!stand.sandbox.path("home/.local").exists(), "nothing is kept on this machine");

    // Another machine has nothing but the URL.
    let other = Sandbox::empty();
    let seen = on(&other, &stand, &["log", "--output", "json"]).well();
    let runs: Value = serde_json::from_str(&seen).expect("the log is JSON");
    let operations: Vec<&Value> = runs.as_array().into_iter().flatten().collect();
    let operations: Vec<&Value> = operations.iter().map(|run| &run["operation"]).collect();
    assert_eq!(operations, ["deploy", "upgrade"]);
    let run = upgraded["run"].as_str().unwrap_or_default();
    let shown = on(&other, &stand, &["show", run]).well();
    assert!(shown.starts_with(&format!("upgrade {ENV}  committed\nrun {run}\n")), "{shown}");

    let child = stand.begin(&with_store(&["switch", ENV, "--poll", "1m"]), "gate_waiting").await;
    let refused = stand.run(&with_store(&["scaledown", ENV])).await;
    kill_process(Pid::from_child(&child), Signal::INT).expect("a process of one's own");
    assert_eq!(stand.end(child).await.status, 130);
    assert_eq!(refused.status, 3, "{refused:?}");
    let held = format!("error: another run of `{ENV}` is under way\n\n  held by  alice@");
    assert!(refused.stderr.starts_with(&held), "{refused:?}");
    assert!(refused.stderr.contains("\n  doing    switch, run "), "{refused:?}");
}

/// Gives the environment its second colour, and returns how its upgrade went.
async fn make_green(stand: &Stand) -> Value {
    let upgraded = stand.json(&with_store(&["upgrade", ENV])).await;
    assert_eq!(upgraded["state"], "committed");
    let deploy = ["deploy", ENV, "--image", &stand.stack.other_image, "--poll", "100ms"];
    assert_eq!(stand.json(&with_store(&deploy)).await["state"], "committed");
    upgraded
}

/// Runs the binary as another machine would that uses the same bucket.
fn on(sandbox: &Sandbox, stand: &Stand, args: &[&str]) -> Said {
    let mut command = sandbox.command(args);
    let output = command
        .env("BLUEGREEN_STORE", STORE[1])
        .env("AWS_ENDPOINT_URL_S3", stand.emulator.url())
        .env("AWS_ACCESS_KEY_ID", "test")
        .env("AWS_SECRET_ACCESS_KEY", "test")
        .output();
    Said::of(&output.expect("the binary can be run"), sandbox)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_machine_that_died_left_is_recovered_once_its_lock_has_ended() {
    let stand = stand().await;
    make_green(&stand).await;
    let before = stand.json(&with_store(&["status", ENV])).await;

    // The two listeners are changed, and while they are to be changed back the machine dies.
    stand.proxy.fail(Trigger::action("ModifyRule", 0), Fault::refuse(400, "Nope", "no"));
    stand.proxy.fail(Trigger::action("ModifyListener", 2).onwards(), Fault::Throttle);
    let switch = with_store(&["switch", ENV, "--poll", "100ms"]);
    let mut child = stand.begin(&switch, "undo_retried").await;
    child.kill().expect("a process of one's own");
    stand.end(child).await;
    stand.proxy.heal();
    assert_ne!(stand.json(&with_store(&["status", ENV])).await, before);

    let refused = stand.run(&with_store(&["recover"])).await;
    assert_eq!(refused.status, 3, "{refused:?}");
    let held = format!("error: another run of `{ENV}` is under way\n\n  held by  alice@");
    assert!(refused.stderr.contains(&held), "{refused:?}");
    let mut tries = 0;
    while stand.run(&with_store(&["recover"])).await.status == 3 {
        tries += 1;
        assert!(tries < 60, "a lock ends with its term");
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    assert_eq!(stand.json(&with_store(&["status", ENV])).await, before);
    assert_eq!(stand.json(&with_store(&["log"])).await[0]["state"], "rolled-back");
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_of_the_bucket_that_are_lost_change_nothing() {
    let stand = stand().await;
    for number in 1..6 {
        let key = format!("PUT /team-state/blue/green/locks/{ENV}");
        stand.proxy.fail(Trigger::action(&key, number), Fault::LoseReply);
    }
    // Of the first run the next five puts are spoiled as well, whatever their keys.
    for number in 1..6 {
        stand.proxy.fail_mutation(number, Fault::LoseReply);
    }
    assert_eq!(stand.json(&with_store(&["upgrade", ENV])).await["state"], "committed");
    let calls = stand.calls();
    let lost = calls.iter().filter(|call| call.service == "s3" && call.status.is_none()).count();
    assert!(lost > 4, "{lost} answers were lost: {calls:#?}");
    assert_eq!(stand.json(&with_store(&["log"])).await.as_array().map(Vec::len), Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_for_s3_goes_before_one_for_everything() {
    let stand = Stand::new().await;
    let elsewhere = Emulator::start().await;
    make_bucket(&elsewhere.url(), "team-state").await.expect("the bucket is made");
    let mut command = stand.command(&with_store(&["upgrade", ENV, "--output", "json", "--quiet"]));
    command.env("AWS_ENDPOINT_URL_S3", elsewhere.url());
    let output = tokio::task::spawn_blocking(move || command.output()).await;
    let output = output.expect("nothing panics").expect("the binary can be run");
    let report: Value = serde_json::from_str(&Said::of(&output, &stand.sandbox).well())
        .expect("the report is JSON");
    assert_eq!(report["state"], json!("committed"));
    let calls = stand.calls();
    assert!(calls.len() > 10 && calls.iter().all(|call| call.service != "s3"), "{calls:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_that_is_not_there_is_a_refusal() {
    let stand = Stand::new().await;
    for args in [&["log"][..], &["switch", ENV], &["status"], &["recover"]] {
        let said = stand.run(&with_store(args)).await;
        assert_eq!((said.status, said.stdout.as_str()), (3, ""), "{said:?}");
        let begin = "error: the journal cannot be kept: the store `s3://team-state/blue/green/";
        assert!(said.stderr.starts_with(begin), "{said:?}");
        let end = "` cannot be used: there is no such bucket; make it, or give another \
                   (NoSuchBucket: The specified bucket does not exist)\n\n\
                   hint: give another place with `--store`\n";
        assert!(said.stderr.ends_with(end), "{said:?}");
    }
    assert!(stand.calls().iter().all(|call| !call.mutating || call.service == "s3"));
}

#[test]
fn a_place_that_is_none_is_wrong_usage() {
    let sandbox = Sandbox::new();
    let hint = "hint: write it as `s3://BUCKET/PREFIX`, `?region=` and `?profile=` may follow\n";
    for (place, problem) in [
        ("gs://team-state", "it does not begin with `s3://`"),
        ("s3://Team", "`Team` is no name of a bucket"),
        ("s3://team-state/x?zone=a", "`zone` is neither `region` nor `profile`"),
    ] {
        let stderr = format!(
            "error: the store `{place}` is neither a folder nor a bucket: {problem}\n\n{hint}"
        );
        sandbox.run(&["log", "--store", place]).fails(2, &stderr);
        let output = sandbox.command(&["log"]).env("BLUEGREEN_STORE", place).output();
        Said::of(&output.expect("the binary can be run"), &sandbox).fails(2, &stderr);
    }
}

#[test]
fn a_bucket_without_a_region_is_wrong_usage() {
    Sandbox::new().run(&["log", "--store", "s3://team-state"]).fails(
        2,
        "error: the store `s3://team-state` cannot be used: the AWS configuration names no \
         region\n\nhint: set `AWS_REGION`, or give the region as in \
         `s3://BUCKET?region=eu-west-1`\n",
    );
}

#[test]
fn a_bucket_without_credentials_is_a_refusal() {
    let said = Sandbox::new().run(&["log", "--store", STORE[1]]);
    assert_eq!((said.status, said.stdout.as_str()), (3, ""));
    assert!(said.stderr.contains("sign in again, or check the profile"), "{}", said.stderr);
}
