//! The whole of it, on an emulator: operations, their ends, and what is told of them.

use std::time::Duration;

use bluegreen_testkit::emulator::{Fault, Trigger};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::stand::{ENV, Stand};

/// Waits often, so that tests are short.
const SOON: [&str; 2] = ["--poll", "100ms"];

#[tokio::test(flavor = "multi_thread")]
async fn the_main_job_is_done_from_end_to_end() {
    let stand = Stand::new().await;
    let before = stand.json(&["status", ENV]).await;
    assert_eq!(before["upgraded"], false);
    assert_eq!((&before["live"], &before["run"]), (&Value::Null, &Value::Null));
    assert_eq!(before["colors"]["blue"]["in_service"], 2);
    assert_eq!(before["colors"]["green"], Value::Null);

    stand.calls();
    let plan = stand.run(&["upgrade", ENV, "--dry-run"]).await.well();
    assert!(plan.contains("create scaling group web-green of size 0"), "{plan}");
    assert!(stand.calls().iter().all(|call| !call.mutating), "a dry run changes nothing");

    let upgraded = stand.json(&["upgrade", ENV]).await;
    assert_eq!((&upgraded["state"], &upgraded["left"]), (&json!("committed"), &json!([])));
    let again = stand.json(&["upgrade", ENV]).await;
    assert_eq!((&again["state"], &again["run"]), (&json!("nothing-to-do"), &Value::Null));

    // Green has no machines yet.
    let refused = stand.run(&[&["switch", ENV][..], &SOON].concat()).await;
    assert_eq!(refused.status, 3, "{refused:?}");
    let hint =
        format!("hint: nothing was changed; `bluegreen status {ENV}` shows how things stand");
    assert!(refused.stderr.ends_with(&format!(": 0 of 2 healthy\n\n{hint}\n")), "{refused:?}");

    let image = stand.stack.other_image.clone();
    stand.json(&[&["deploy", ENV, "--image", &image][..], &SOON].concat()).await;
    let switched = stand.run(&[&["switch", ENV][..], &SOON].concat()).await;
    assert_eq!(switched.status, 0, "{switched:?}");
    let last = switched.stdout.lines().last().unwrap_or_default();
    assert!(last.starts_with("3 routes changed within ") && last.ends_with(" ms"), "{last}");

    is_well_drawn(&stand).await;
    let scaled = stand.json(&[&["scaledown", ENV][..], &SOON].concat()).await;
    assert_eq!(scaled["state"], "committed");
    is_the_contract(&stand, &image).await;
    history_is_told(&stand).await;
}

/// Holds `status --output json` of an environment whose green is live against what was promised.
async fn is_the_contract(stand: &Stand, image: &str) {
    let status = stand.json(&["status", ENV]).await;
    assert_eq!(status["environment"], ENV);
    assert_eq!((&status["live"], &status["split"]), (&json!("green"), &json!(false)));
    let route = json!({"load_balancer": "web", "port": 80, "priority": 10,
                       "weights": {"blue": 0, "green": 100}});
    assert!(status["routes"].as_array().is_some_and(|all| all.contains(&route)), "{status:#}");
    let green = &status["colors"]["green"];
    assert_eq!((&green["version"], &green["image"]), (&json!("2"), &json!(image)));
    let target_group = json!({"name": "web-http-green", "idle_port": 18081,
        "checked_by": "web:18081", "healthy": 2,
        "unhealthy": 0, "initial": 0, "draining": 0, "unused": 0, "unavailable": 0, "strays": 0});
    assert_eq!(green["target_groups"][0], target_group);
    let blue = &status["colors"]["blue"];
    assert_eq!([&blue["min"], &blue["desired"], &blue["max"], &blue["in_service"]], [0, 0, 0, 0]);
}

/// Holds what people see against what was drawn for them.
async fn is_well_drawn(stand: &Stand) {
    let (image, other) = (&stand.stack.image, &stand.stack.other_image);
    assert_eq!((image.len(), other.len()), (12, 12), "the columns below are made for that");
    let status = stand.run(&["status"]).await.well();
    let expected = format!(
        "\
IE-L-NGINX  green is live  (account 123456789012 emulator, us-east-1)

  ROUTE           BLUE  GREEN
  web:80             0    100
  web:80 rule 10     0    100
  web:443            0    100

  COLOR  SCALING GROUP  VERSION  IMAGE         MIN  WANT  MAX  RUNNING
  blue   web            1        {image}    1     2    4        2
  green  web-green      2        {other}    1     2    4        2

  COLOR  TARGET GROUP     IDLE PORT  TARGETS
  blue   web-http             18080  2 healthy
  blue   web-https            18082  2 healthy
  green  web-http-green       18081  2 healthy
  green  web-https-green      18083  2 healthy
"
    );
    assert_eq!(status, expected);
    // What the last switch sent to blue is done after two seconds, and nobody waits for it then.
    tokio::time::sleep(Duration::from_secs(2)).await;
    let args = ["deploy", ENV, "--image", image, "--size", "1", "--dry-run"];
    let plan = stand.run(&args).await.well();
    let expected = format!(
        "\
deploy IE-L-NGINX  (account 123456789012 emulator, us-east-1)

  GATE blue is idle and drained
    1  ≤ 15m       web-http and web-https idle, drained, no requests for 180 s

  stop web
    2  equivalent  size of web: 2 (min 1, max 4) → 0 (min 0, max 0)

  GATE wait until its machines are gone
    3  ≤ 15m       web has no instances

  make the new version
    4  exact       create version of launch template web with image {image}

  point the idle colour at it
    5  exact       launch source of web: web version 1 → web, the new version
    6  exact       note image {image} on web

  start it
    7  exact       size of web: 0 (min 0, max 0) → 1 (min 1, max 4)

  GATE wait until it is healthy
    8  ≤ 15m       every instance of web is healthy

5 changes in 7 stages; equivalent: undone with as many machines, but other ones
undo: a failure or Ctrl-C takes everything back; what serves is not touched
rollback: there is no point of no return, every step can be taken back; from the
last one that takes about 10m04s
"
    );
    assert_eq!(plan, expected);
}

async fn history_is_told(stand: &Stand) {
    let log = stand.json(&["log", ENV]).await;
    let runs = log.as_array().expect("a log is a list");
    let operations: Vec<_> = runs.iter().map(|run| run["operation"].as_str()).collect();
    assert_eq!(operations, ["scaledown", "switch", "deploy", "switch", "upgrade"].map(Some));
    let states: Vec<_> = runs.iter().map(|run| run["state"].as_str()).collect();
    let committed = "committed";
    assert_eq!(states, [committed, committed, committed, "rolled-back", committed].map(Some));
    let actor = runs[0]["actor"].as_str().unwrap_or_default();
    assert!(actor.starts_with("alice@"), "{actor}");
    let run = runs[1]["run"].as_str().unwrap_or_default();
    let shown = stand.run(&["show", run]).await.well();
    assert!(shown.starts_with(&format!("switch {ENV}  committed\nrun {run}\n")), "{shown}");
    assert!(shown.contains("inverse: route web:80: web-http-green → web-http\n"), "{shown}");
    let shown = stand.json(&["show", run]).await;
    assert_eq!((&shown["run"], &shown["steps"][1]["state"]), (&json!(run), &json!("applied")));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_is_taken_back() {
    let stand = Stand::new().await;
    stand.make_green().await;
    let before = stand.json(&["status", ENV]).await;
    let switch = [&["switch", ENV][..], &SOON].concat();

    stand.run(&["deploy", ENV, "--image", "ami-nope"]).await.fails(
        3,
        "error: image `ami-nope` does not exist, or is not ready to be launched\n\n\
         hint: check the name, the account and the region\n",
    );

    let refusal = Fault::refuse(400, "ValidationError", "no such luck");
    stand.proxy.fail(Trigger::action("ModifyRule", 0).onwards(), refusal);
    let failed = stand.run(&switch).await;
    assert_eq!(failed.status, 1, "{failed:?}");
    assert!(failed.stdout.contains(&format!("\nrolled back: {ENV} is as it was before (run ")));
    assert!(failed.stderr.contains("  rollback  taking back 3 changes, newest first\n"));
    assert!(failed.stderr.ends_with(
        "error: ModifyRule on `web:80 rule 10` was refused: ValidationError: no such luck\n\n\
         hint: everything is as it was before; mend the cause and try again\n"
    ));
    assert_eq!(stand.json(&["status", ENV]).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_left_is_said_and_recovered() {
    let stand = Stand::new().await;
    stand.make_green().await;
    let before = stand.json(&["status", ENV]).await;

    // The two listeners are changed, the rule is not; then they cannot be changed back.
    let refusal = || Fault::refuse(400, "ValidationError", "no such luck");
    stand.proxy.fail(Trigger::action("ModifyRule", 0).onwards(), refusal());
    stand.proxy.fail(Trigger::action("ModifyListener", 2).onwards(), refusal());
    let dirty = stand.run(&[&["switch", ENV, "--output", "json"][..], &SOON].concat()).await;
    assert_eq!(dirty.status, 4, "{dirty:?}");
    let report: Value = serde_json::from_str(&dirty.stdout).expect("the report is JSON");
    assert_eq!((&report["state"], &report["changes"]), (&json!("dirty"), &json!(3)));
    assert_eq!(report["left"].as_array().map(Vec::len), Some(2), "{report:#}");
    let run = report["run"].as_str().unwrap_or_default();
    assert!(dirty.stderr.contains("\nleft in place:\n  step 2: route web:80: "), "{dirty:?}");
    let hint = format!(
        "hint: clear what is in the way, then run `bluegreen recover {run}`; `--skip STEP` leaves \
         what is stuck as it is\n"
    );
    assert!(dirty.stderr.ends_with(&hint), "{dirty:?}");
    let difference =
        json!({"field": "0.forward.weights.web-http-green", "wanted": null, "found": "1"});
    let differences = report["left"][0]["differences"].as_array().expect("a list");
    assert!(differences.contains(&difference), "{report:#}");
    let status = stand.json(&["status", ENV]).await;
    assert_eq!((&status["split"], &status["run"]), (&json!(true), &json!(run)));
    is_recovered(&stand, run).await;
    assert_eq!(stand.json(&["status", ENV]).await, before);
}

/// Recovers an open run, once it can be.
async fn is_recovered(stand: &Stand, run: &str) {
    let refused = stand.run(&["scaledown", ENV]).await;
    assert_eq!(refused.status, 3, "{refused:?}");
    assert!(refused.stderr.contains("must be finished first"), "{refused:?}");
    let planned = stand.run(&["recover", "--dry-run"]).await.well();
    assert!(planned.contains("route web:80: web-http-green → web-http\n"), "{planned}");
    stand.proxy.heal();
    let recovered = stand.json(&["recover", &run[..14]]).await;
    assert_eq!((&recovered["run"], &recovered["state"]), (&json!(run), &json!("rolled-back")));
    let again = stand.json(&["recover", run]).await;
    assert_eq!(again["state"], "nothing-to-do");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interruption_is_a_rollback_and_a_second_one_a_stop() {
    let stand = Stand::new().await;
    stand.make_green().await;
    let before = stand.json(&["status", ENV]).await;

    // The second look at the first gate is far away.
    let child = stand.begin(&["switch", ENV, "--poll", "1m"], "gate_waiting").await;
    interrupt(&child);
    let said = stand.end(child).await;
    assert_eq!(said.status, 130, "{said:?}");
    let note = "interrupting: rolling back; once more to stop at once\n";
    assert!(said.stderr.contains(note), "{said:?}");
    assert_eq!(stand.json(&["status", ENV]).await, before);
    assert_eq!(stand.json(&["log"]).await[0]["state"], "rolled-back");

    // Nothing can be taken back just now, so the rollback goes on until it is stopped.
    stand.proxy.fail(Trigger::action("ModifyRule", 0), Fault::refuse(400, "Nope", "no"));
    stand.proxy.fail(Trigger::action("ModifyListener", 2).onwards(), Fault::Throttle);
    let child = stand.begin(&["switch", ENV, "--poll", "100ms"], "undo_retried").await;
    interrupt(&child);
    interrupt(&child);
    let said = stand.end(child).await;
    assert_eq!(said.status, 4, "{said:?}");
    assert!(said.stderr.contains("\nperhaps left in place:\n"), "{said:?}");
    stand.proxy.heal();
    assert_eq!(stand.json(&["recover"]).await[0]["state"], "rolled-back");
    assert_eq!(stand.json(&["status", ENV]).await, before);
}

fn interrupt(child: &std::process::Child) {
    kill_process(Pid::from_child(child), Signal::INT).expect("a process of one's own");
    // Two signals of a kind that are not taken apart are one.
    std::thread::park_timeout(std::time::Duration::from_millis(200));
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_are_guarded_and_roles_assumed() {
    let stand = Stand::new().await;
    stand.configure("role = \"arn:aws:iam::123456789012:role/deployer\"");
    stand.json(&["status"]).await;
    assert!(stand.calls().iter().any(|call| call.action == "AssumeRole"));

    stand.configure("role = \"arn:aws:iam::444455556666:role/deployer\"");
    for args in [&["status", ENV][..], &["upgrade", ENV]] {
        stand.run(args).await.fails(
            3,
            "error: these credentials are of account 444455556666, but environment `IE-L-NGINX` \
             is in account 123456789012 (emulator)\n\nhint: choose the right profile\n",
        );
    }

    stand.configure("protected = true");
    assert_eq!(stand.run(&["upgrade", ENV, "--yes"]).await.status, 3);
    assert_eq!(stand.run(&["upgrade", ENV, "--dry-run"]).await.status, 0);
    assert!(stand.calls().iter().all(|call| !call.mutating), "nothing was confirmed");
    let upgraded = stand.json(&["upgrade", ENV, "--confirm", ENV]).await;
    assert_eq!(upgraded["state"], "committed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_status_costs_nine_calls() {
    let stand = Stand::new().await;
    stand.make_green().await;
    stand.calls();
    stand.json(&["status", ENV]).await;
    let calls: Vec<String> = stand.calls().into_iter().map(|call| call.action).collect();
    assert!(calls.len() <= 9, "{calls:#?}");
}
