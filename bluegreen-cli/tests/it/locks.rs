//! Locks: who holds them, what is told to whoever comes second, and how they are taken away.

use std::time::Duration;

use bluegreen_core::model::{EnvironmentName, RunId};
use bluegreen_core::transaction::{Clock as _, Holder, Lock, Store as _, SystemClock};
use serde_json::{Value, json};

use crate::journal::{Draft, store, wait};
use crate::sandbox::Sandbox;

/// Holds the lock of D-WEB, since four minutes and a bit.
fn hold(sandbox: &Sandbox) -> Box<dyn Lock> {
    let now = SystemClock.now().as_millis();
    let holder = Holder {
        owner: "bob".to_owned(),
        host: "ward".to_owned(),
        process: 4242,
        operation: "switch".to_owned(),
        run: RunId::new("01aa"),
        since: bluegreen_core::model::Timestamp::from_millis(now - 245_000),
    };
    let name = EnvironmentName::new("D-WEB");
    wait(store(sandbox).lock(&name, &holder, Duration::from_mins(10))).expect("nobody holds it")
}

/// Writes every stamp and every time from now on as `…`.
fn timeless(text: &str) -> String {
    let mut plain = String::new();
    for line in text.split_inclusive('\n') {
        let at = line.find(" UTC (").and_then(|at| Some((line.get(..at - 19)?, line.get(at..)?)));
        match at {
            Some((head, tail)) if line.contains("  since") || line.contains("  until") => {
                let rest = tail.split_once(')').map_or("", |(_, rest)| rest);
                plain.extend([head, "… UTC (…)", rest]);
            }
            _ => plain.push_str(line),
        }
    }
    plain
}

const HOLDER: &str = "  held by  bob@ward (process 4242)\n  doing    switch, run 01aa\n  \
                      since    … UTC (…)\n";

#[test]
fn a_lock_is_told_with_its_holder() {
    let sandbox = Sandbox::new();
    let _lock = hold(&sandbox);
    let said = sandbox.run(&["lock", "status"]).well();
    assert!(said.contains("(4m05s ago)") || said.contains("(4m06s ago)"), "{said}");
    let until = "  until    … UTC (…), renewed as long as its process\n           lives\n";
    assert_eq!(timeless(&said), format!("D-WEB  locked\n{HOLDER}{until}IE-L-NGINX  free\n"));
}

#[test]
fn a_lock_is_told_to_programs() {
    let sandbox = Sandbox::new();
    let free = "{\"environment\":\"D-WEB\",\"held\":null,\"broken\":null}";
    let json = |args: &[&str]| {
        sandbox.run(&[&["lock", "status", "--output", "json"], args].concat()).well()
    };
    assert_eq!(json(&["D-WEB"]), format!("{free}\n"));
    assert_eq!(
        json(&[]),
        format!("[{free},{{\"environment\":\"IE-L-NGINX\",\"held\":null,\"broken\":null}}]\n")
    );
    let _lock = hold(&sandbox);
    let mut found: Value = serde_json::from_str(&json(&["D-WEB"])).expect("it is JSON");
    for stamp in ["since", "deadline"] {
        assert!(found["held"][stamp].take().is_string(), "{found}");
    }
    assert_eq!(
        found["held"],
        json!({"owner": "bob", "host": "ward", "process": 4242, "operation": "switch",
               "run": "01aa", "since": null, "deadline": null})
    );
}

#[test]
fn whoever_comes_second_is_told_who_was_first() {
    let sandbox = Sandbox::new();
    Draft::deploy("01aa", "D-WEB").applied(100, 1).write(&sandbox);
    let _lock = hold(&sandbox);
    let expected = format!(
        "error: another run of `D-WEB` is under way\n\n{HOLDER}\n\
         hint: wait for it to end; `bluegreen lock status D-WEB` tells whether it still goes on\n"
    );
    for args in [&["switch", "D-WEB"][..], &["recover", "01aa"], &["undo", "01aa"]] {
        let said = sandbox.run(args);
        assert_eq!((said.status, said.stdout.as_str()), (3, ""), "{args:?}");
        assert_eq!(timeless(&said.stderr), expected, "{args:?}");
    }
    let said = sandbox.run(&["switch", "D-WEB", "--output", "json"]);
    let report: Value = serde_json::from_str(&said.stdout).expect("it is JSON");
    assert_eq!([&report["held"]["owner"], &report["held"]["operation"]], ["bob", "switch"]);
}

#[test]
fn a_lock_is_not_broken_by_accident() {
    let sandbox = Sandbox::new();
    let lock = hold(&sandbox);
    let meaning = "whoever holds it changes nothing any more, and their run stays open until \
                   somebody recovers it";
    let hint = "hint: if they are gone for good, `bluegreen lock break D-WEB --confirm D-WEB`\n";
    for (more, given) in [
        (&[][..], "breaking the lock of `D-WEB` was not confirmed"),
        (&["--yes"], "breaking the lock of `D-WEB` was not confirmed"),
        (&["--confirm", "D-WE"], "`--confirm D-WE` is another environment than `D-WEB`"),
    ] {
        let said = sandbox.run(&[&["lock", "break", "D-WEB"][..], more].concat());
        assert_eq!((said.status, said.stdout.as_str()), (2, ""), "{more:?}");
        let expected = format!("error: {given}: {meaning}\n\n{HOLDER}\n{hint}");
        assert_eq!(timeless(&said.stderr), expected, "{more:?}");
    }
    let confirmed = ["lock", "break", "D-WEB", "--confirm", "D-WEB"];
    let planned = sandbox.run(&[&confirmed[..], &["--dry-run"]].concat()).well();
    assert!(planned.starts_with("the lock of D-WEB would be taken from its holder\n"), "{planned}");
    wait(lock.check()).expect("nobody took it");
}

#[test]
fn a_broken_lock_is_nobodys_and_who_broke_it_is_told() {
    let sandbox = Sandbox::new();
    let confirmed = ["lock", "break", "D-WEB", "--confirm", "D-WEB"];
    assert_eq!(
        sandbox.run(&confirmed).well(),
        "nothing to break: nobody holds the lock of D-WEB\n"
    );
    Draft::deploy("01aa", "D-WEB").applied(100, 1).write(&sandbox);
    let lock = hold(&sandbox);
    let said = sandbox.run(&confirmed).well();
    assert_eq!(
        timeless(&said),
        "broken: the lock of D-WEB is nobody's now\n  was of   bob@ward (process 4242)\n  \
         doing    switch, run 01aa\n  since    … UTC (…)\n\n\
         run 01aa changes nothing any more and stays open; when process 4242 on ward has\n\
         ended, `bluegreen recover 01aa` finishes it\n"
    );
    wait(lock.check()).expect_err("it was taken away");
    let state = sandbox.run(&["lock", "status", "D-WEB", "--output", "json"]).well();
    let state: Value = serde_json::from_str(&state).expect("it is JSON");
    assert_eq!(state["held"], Value::Null);
    assert_eq!(state["broken"]["holder"]["owner"], "bob");
    let by = state["broken"]["by"].as_str().unwrap_or_default();
    assert!(by.starts_with("alice@"), "{state}");
    let told = sandbox.run(&["lock", "status", "D-WEB"]).well();
    assert!(told.starts_with("D-WEB  free\n  broken   20"), "{told}");
}

#[test]
fn a_lock_of_what_is_not_configured_is_wrong_usage() {
    let sandbox = Sandbox::new();
    let error = "error: there is no environment `GONE` in bluegreen.toml\n\n\
                 hint: there is D-WEB, IE-L-NGINX\n";
    sandbox.run(&["lock", "status", "GONE"]).fails(2, error);
    sandbox.run(&["lock", "break", "GONE", "--confirm", "GONE"]).fails(2, error);
    for args in [&["lock"][..], &["lock", "break"], &["lock", "take", "D-WEB"]] {
        assert_eq!(sandbox.run(args).status, 2, "{args:?}");
    }
}
