//! What a person decides about a run that did not end: to go on, to leave something as it is, or not
//! to begin at all.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use bluegreen_testkit::emulator::{Fault, Trigger};
use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use serde_json::{Value, json};

use crate::sandbox::Said;
use crate::stand::{ENV, Stand};

#[tokio::test(flavor = "multi_thread")]
async fn a_stuck_step_can_be_left_and_the_run_is_closed() {
    let stand = Stand::before("switch").await;
    let refusal = || Fault::refuse(400, "ValidationError", "no such luck");
    stand.proxy.fail(Trigger::action("ModifyRule", 0).onwards(), refusal());
    stand.proxy.fail(Trigger::action("ModifyListener", 2).onwards(), refusal());
    assert_eq!(stand.run(&stand.args("switch")).await.status, 4);
    let run = stand.json(&["log"]).await[0]["run"].clone();
    let run = run.as_str().unwrap_or_default();

    // The other one is still stuck.
    let some = stand.run(&["recover", run, "--skip", "2"]).await;
    assert_eq!(some.status, 4, "{some:?}");
    assert!(some.stderr.contains("\nleft in place:\n  step 4: route web:443: "), "{some:?}");
    let all = ["recover", run, "--skip", "4", "--output", "json", "-q"];
    let closed = stand.run(&all).await;
    let report: Value = serde_json::from_str(&closed.stdout).expect("it is JSON");
    assert_eq!((closed.status, &report["state"]), (0, &json!("dirty")), "{closed:?}");
    let steps = report["left"].as_array().expect("a list").iter().map(|left| &left["step"]);
    assert_eq!(steps.collect::<Vec<_>>(), [2, 4]);
    let wanted = json!({"field": "0.forward.weights.web-http", "wanted": "1", "found": null});
    let differences = report["left"][0]["differences"].as_array().expect("a list");
    assert!(differences.contains(&wanted), "{report:#}");

    let log = stand.json(&["log"]).await;
    assert_eq!((&log[0]["state"], log[0]["ended"].is_string()), (&json!("dirty"), true));
    let again = stand.run(&["recover"]).await.well();
    assert_eq!(again, "nothing to recover: no run is open\n");
    // The rule was never changed: the routes do not agree, and somebody has to choose.
    assert_eq!(stand.json(&["status", ENV]).await["split"], true);
    stand.proxy.heal();
    let mended = stand.run(&["switch", ENV, "--to", "blue", "--poll", "100ms"]).await;
    assert_eq!(mended.status, 0, "{mended:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_run_goes_on_if_that_is_wanted() {
    let stand = Stand::before("switch").await;
    let before = stand.account().await;
    is_killed(&stand).await;
    // What is missing cannot be done: all of it is taken back, which is not what was wanted.
    let refusal = Fault::refuse(400, "ValidationError", "no such luck");
    stand.proxy.fail(Trigger::action("ModifyRule", 0).with_retries(), refusal);
    let forward = ["recover", "--forward"];
    let turned = stand.run(&forward).await;
    assert_eq!(turned.status, 1, "{turned:?}");
    assert!(turned.stdout.contains("\ngoing on with the plan: what is missing is done"));
    assert!(turned.stdout.contains(&format!("rolled back: {ENV} is as it was before (run ")));
    let hint = "hint: everything is as it was before; mend the cause and try again\n";
    assert!(turned.stderr.ends_with(hint), "{turned:?}");
    stand.is_as(&before, "a run that was to go on and could not").await;

    is_killed(&stand).await;
    let done = stand.run(&forward).await;
    assert_eq!(done.status, 0, "{done:?}");
    assert!(done.stdout.contains(&format!("\ndone: recover {ENV}, 7 changes (run ")), "{done:?}");
    assert_eq!(stand.json(&["status", ENV]).await["live"], "green");
    let run = stand.json(&["log"]).await[0]["run"].clone();
    let shown = stand.json(&["show", run.as_str().unwrap_or_default()]).await;
    let milestone = &shown["milestones"][0];
    assert_eq!([&milestone["event"], &milestone["way"]], ["resumed", "forward"]);
}

/// Kills a switch at the change of the rule, which never lands; the listeners are changed.
async fn is_killed(stand: &Stand) {
    stand.proxy.heal();
    stand.proxy.clear();
    stand.proxy.fail(Trigger::action("ModifyRule", 0), Fault::Stall(Duration::from_hours(1)));
    let mut command = stand.command(&stand.args("switch"));
    let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let mut child = child.expect("the binary can be started");
    let is_there = || {
        let calls = stand.proxy.calls();
        let made = calls.iter().filter(|call| call.mutating && call.emulator_status.is_some());
        made.count() == 2 && calls.iter().any(|call| call.action == "ModifyRule")
    };
    while !is_there() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    child.kill().and_then(|()| child.wait()).expect("a process of one's own");
    stand.proxy.heal();
}

/// Somebody who is asked, at a terminal.
struct Asked {
    child: Child,
    terminal: File,
    seen: String,
}

impl Asked {
    /// Starts the binary and waits until it asks.
    fn new(mut command: Command) -> Self {
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY;
        let master = openpt(flags).expect("there are terminals");
        grantpt(&master).and_then(|()| unlockpt(&master)).expect("a terminal of one's own");
        let name = ptsname(&master, Vec::new()).expect("it has a name");
        let name = name.into_string().expect("it is plain");
        let open = || File::options().read(true).write(true).open(&name);
        let [stdin, stderr] = [open(), open()].map(|end| end.expect("a terminal of one's own"));
        let child = command.stdin(stdin).stderr(stderr).stdout(Stdio::null()).spawn();
        // It holds the other ends, which would keep the terminal.
        drop(command);
        let child = child.expect("the binary can be started");
        let mut asked = Self { child, terminal: File::from(master), seen: String::new() };
        while !asked.seen.contains("Go on? [y/N] ") {
            asked.read();
        }
        asked
    }

    fn read(&mut self) {
        let mut some = [0; 4096];
        let count = self.terminal.read(&mut some).expect("it asks");
        self.seen.push_str(&String::from_utf8_lossy(&some[..count]));
    }

    fn end(mut self) -> (Option<i32>, String) {
        let status = self.child.wait().expect("a process of one's own");
        // A terminal that nobody has open any more ends with an error, after all that was written.
        let mut some = [0; 4096];
        while let Ok(count @ 1..) = self.terminal.read(&mut some) {
            self.seen.push_str(&String::from_utf8_lossy(&some[..count]));
        }
        (status.code(), self.seen)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_asked_and_does_not_want_it_gives_the_lock_back() {
    let stand = Stand::new().await;
    stand.calls();
    let lock = stand.sandbox.path(format!("home/.local/state/bluegreen/locks/{ENV}.lock"));
    // A lock that only ended with its process still says who had it.
    let held = || std::fs::read_to_string(&lock).expect("the lock is there");
    let asked = || {
        let mut asked = Asked::new(stand.command(&["upgrade", ENV]));
        assert!(held().contains("\"operation\":\"upgrade\""), "{}", held());
        asked.seen.clear();
        asked
    };
    tokio::task::block_in_place(|| {
        let mut declined = asked();
        declined.terminal.write_all(b"n\n").expect("it listens");
        let (status, seen) = declined.end();
        assert_eq!((status, held().as_str()), (Some(3), ""), "{seen}");
        assert!(seen.contains("not confirmed; nothing was changed"), "{seen}");

        let interrupted = asked();
        kill_process(Pid::from_child(&interrupted.child), Signal::INT).expect("one's own");
        let (status, seen) = interrupted.end();
        assert_eq!((status, held().as_str()), (Some(130), ""), "{seen}");
    });
    assert!(stand.calls().iter().all(|call| !call.mutating), "nothing was wanted");
    let said: Said = stand.run(&["log"]).await;
    assert_eq!(said.stderr, "there are no runs yet\n");
}
