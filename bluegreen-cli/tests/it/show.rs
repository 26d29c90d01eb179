//! What `show` tells of a run, for people and for programs.

use bluegreen_core::transaction::{Record, StepId};
use serde_json::{Value, json};

use crate::journal::{Draft, SECRET};
use crate::sandbox::Sandbox;

fn show(draft: Draft) -> String {
    let sandbox = Sandbox::new();
    draft.write(&sandbox);
    sandbox.run(&["show", "01aa"]).well()
}

fn shown(draft: Draft) -> Value {
    let sandbox = Sandbox::new();
    draft.write(&sandbox);
    let said = sandbox.run(&["show", "01aa", "--output", "json"]).well();
    serde_json::from_str(&said).expect("it is JSON")
}

/// A run that a gate turned round, one change of which was stuck and left.
fn eventful() -> Draft {
    let actor = || "bob@ward".to_owned();
    Draft::deploy("01aa", "D-WEB")
        .undoing("01zz")
        .applied(100, 1)
        .applied(1_000, 2)
        .turned(61_000)
        .stuck(62_000)
        .at(3_600_000, Record::Resumed { actor: actor(), forward: false })
        .at(3_600_000, Record::Skipped { step: StepId(2), actor: actor() })
        .at(3_601_000, Record::Undone { step: StepId(1), remade: true })
        .at(3_602_000, Record::Abandoned)
}

#[test]
fn a_run_is_a_timeline() {
    let expected = "\
deploy D-WEB  dirty, closed
run 01aa
by alice@desk on 2026-01-01 12:00:00 UTC, took 1h
undoes run 01zz
because: web-green has too many instances

 STEP    BEGAN   TOOK  STATE

  make the new version
    1   +100ms  250ms  undone     create version of launch template web with
                                  image ami-2 with other user data
       exact inverse: delete version of launch template web with image ami-2
                      with other user data
       taken back: +1h, made again with another identity

  start it
    2    +1.0s  250ms  left       size of web-green: 0 (min 0, max 0) → 2 (min
                                  1, max 4)
       exact inverse: size of web-green: 2 (min 1, max 4) → 0 (min 0, max 0)
       error: somebody else changed it; it is left as it is
       - max should be 0, is 9

  wait until it is gone
    3    +1.2s  59.8s  failed     web-green has no instances
       error: web-green has too many instances

  the run as a whole
        +1m01s  turned round: web-green has too many instances
           +1h  resumed by bob@ward, going back
           +1h  step 2 left as it is, as bob@ward decided
           +1h  step 1: version of web bluegreen 01aa version made again, with
                another identity

the run is closed: nothing comes back to what it left
";
    assert_eq!(show(eventful()), expected);
}

#[test]
fn programs_are_told_the_same() {
    let run = shown(eventful());
    assert_eq!(
        [&run["state"], &run["ended"], &run["recovery"], &run["undoes"]],
        [&json!("dirty"), &json!("2026-01-01T13:00:02.000Z"), &Value::Null, &json!("01zz")]
    );
    let step = &run["steps"][1];
    let difference = json!([{"field": "max", "wanted": "0", "found": "9"}]);
    assert_eq!([&step["state"], &step["reversibility"]], ["left", "exact"]);
    assert_eq!((&step["differences"], &step["may_be_skipped"]), (&difference, &json!(false)));
    assert_eq!(
        [&step["began"], &step["tried"]],
        ["2026-01-01T12:00:01.000Z", "2026-01-01T12:00:01.250Z"]
    );
    let gate = &run["steps"][2];
    assert_eq!((&gate["state"], &gate["inverse"]), (&json!("failed"), &Value::Null));
    let at = "2026-01-01T13:00:00.000Z";
    assert_eq!(
        run["milestones"],
        json!([
            {"at": "2026-01-01T12:01:01.000Z", "event": "turned-round",
             "cause": "web-green has too many instances", "asked": false},
            {"at": at, "event": "resumed", "by": "bob@ward", "way": "back"},
            {"at": at, "event": "skipped", "step": 2, "by": "bob@ward"},
            {"at": "2026-01-01T13:00:01.000Z", "event": "remade", "step": 1,
             "thing": "version of web bluegreen 01aa version"},
        ])
    );
}

#[test]
fn what_can_be_done_about_an_open_run_is_said_at_the_end() {
    let end = |draft: Draft| {
        let text = show(draft);
        text.rsplit_once("\n\n").map(|(_, end)| end.to_owned()).unwrap_or(text)
    };
    let draft = || Draft::deploy("01aa", "D-WEB").applied(100, 1);
    let back = "unless it is under way, `bluegreen recover 01aa` takes it back\n";
    assert_eq!(end(draft()), format!("{back}`--forward` goes on with its plan instead\n"));
    let stuck = draft().applied(1_000, 2).turned(2_000).stuck(3_000);
    assert_eq!(end(stuck), format!("{back}`--skip 2` leaves what step 2 changed as it is\n"));
    let whole = draft().applied(1_000, 2).at(2_000, Record::Passed { step: StepId(3) });
    assert_eq!(end(whole), "`bluegreen recover 01aa` commits it: everything is in place\n");
}

#[test]
fn a_closed_run_that_left_something_is_told_from_an_open_one() {
    let sandbox = Sandbox::new();
    eventful().write(&sandbox);
    Draft::deploy("01ab", "D-WEB").applied(0, 1).applied(1, 2).turned(2).stuck(3).write(&sandbox);
    let log = sandbox.run(&["log", "--output", "json"]).well();
    let log: Value = serde_json::from_str(&log).expect("it is JSON");
    let ends = [0, 1].map(|at| (&log[at]["state"], log[at]["ended"].is_string()));
    assert_eq!(ends, [(&json!("dirty"), false), (&json!("dirty"), true)]);
    let text = sandbox.run(&["log"]).well();
    assert!(text.contains("D-WEB        dirty                2\n"), "{text}");
    assert!(text.contains("D-WEB        dirty, closed        2\n"), "{text}");
}

#[test]
fn user_data_is_shown_to_nobody() {
    let sandbox = Sandbox::new();
    eventful().write(&sandbox);
    let file = sandbox.path("home/.local/state/bluegreen/runs/01aa.journal");
    let journal = std::fs::read_to_string(file).expect("the journal is there");
    // That is `SECRET`, sealed: a run that is to go on needs it.
    assert!(journal.contains("aHVudGVyMg=="), "{journal}");
    for args in [
        &["show", "01aa"][..],
        &["show", "01aa", "--output", "json"],
        &["log", "--output", "json"],
        &["recover", "01aa", "--dry-run", "--output", "json"],
    ] {
        let said = sandbox.run(args).well();
        assert!(!said.contains(SECRET) && !said.contains("aHVudGVyMg"), "{args:?}: {said}");
    }
}
