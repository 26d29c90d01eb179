//! Which way a recovery goes, what it leaves, and what it refuses, without any cloud.

use bluegreen_core::transaction::{Record, StepId};

use crate::journal::Draft;
use crate::sandbox::{Said, Sandbox};

fn open() -> Draft {
    Draft::deploy("01aa", "D-WEB").applied(100, 1).intended(1_000, 2)
}

fn stuck() -> Draft {
    open().turned(2_000).stuck(3_000)
}

fn run(draft: Draft, args: &[&str]) -> Said {
    let sandbox = Sandbox::new();
    draft.write(&sandbox);
    sandbox.run(&[&["recover"][..], args].concat())
}

const HEAD: &str = "\
recover deploy D-WEB
run 01aa, left open by alice@desk on 2026-01-01 12:00:00 UTC
";

#[test]
fn a_recovery_goes_back_unless_it_is_told_otherwise() {
    let expected = format!(
        "{HEAD}\
going back: what is in place is taken back, newest first

    2  in doubt   size of web-green: 2 (min 1, max 4) → 0 (min 0, max 0)
    1  applied    delete version of launch template web with image ami-2 with
                  other user data
"
    );
    assert_eq!(run(open(), &["--dry-run"]).well(), expected);
}

#[test]
fn a_recovery_goes_on_where_that_is_wanted() {
    let expected = format!(
        "{HEAD}\
going on with the plan: what is missing is done, and if that fails, all of it is
taken back

    2  in doubt   size of web-green: 0 (min 0, max 0) → 2 (min 1, max 4)
    3  not begun  web-green has no instances
"
    );
    assert_eq!(run(open(), &["--dry-run", "--forward"]).well(), expected);
}

#[test]
fn what_is_whole_is_only_committed() {
    let whole = open()
        .at(1_100, Record::Applied { step: StepId(2) })
        .at(2_000, Record::Passed { step: StepId(3) });
    let expected =
        format!("{HEAD}all of it is in place: it is committed, and nothing else is done\n");
    assert_eq!(run(whole, &["--dry-run"]).well(), expected);
}

#[test]
fn what_is_left_is_listed_with_what_is_not_as_it_should_be() {
    let expected = format!(
        "{HEAD}\
going back: what is in place is taken back, newest first

    1  applied    delete version of launch template web with image ami-2 with
                  other user data

left as it is: nothing will come back to this

    2  stuck      size of web-green: 0 (min 0, max 0) → 2 (min 1, max 4)
                  - max should be 0, is 9
"
    );
    assert_eq!(run(stuck(), &["01aa", "--skip", "2", "--dry-run"]).well(), expected);
}

#[test]
fn a_run_that_has_turned_round_does_not_go_on() {
    for more in [&[][..], &["--dry-run"], &["01a"]] {
        let said = run(stuck(), &[&["--forward"][..], more].concat());
        assert_eq!(said.status, 3, "{more:?}: {said:?}");
        let error = "error: run 01aa has turned round: it can only be taken back\n\n\
                     hint: `bluegreen recover 01aa` goes on with that\n";
        assert_eq!(said.stderr, error, "{more:?}");
    }
}

#[test]
fn only_what_is_stuck_is_left() {
    for (draft, step) in [(stuck(), "1"), (stuck(), "3"), (stuck(), "77"), (open(), "2")] {
        let said = run(draft, &["01aa", "--skip", step, "--dry-run"]);
        let error = format!(
            "error: step {step} of run 01aa is not stuck: only what is stuck can be left as it \
             is\n\nhint: `bluegreen show 01aa` tells which steps are\n"
        );
        said.fails(3, &error);
    }
}

#[test]
fn a_refusal_is_told_to_programs_too() {
    let said = run(stuck(), &["01aa", "--skip", "1", "--output", "json", "-q"]);
    assert_eq!(said.status, 3);
    assert!(
        said.stdout.starts_with(
            "{\"environment\":\"D-WEB\",\"operation\":\"recover\",\"run\":null,\
             \"state\":\"refused\",\"changes\":2,"
        ),
        "{said:?}"
    );
}

#[test]
fn what_is_left_is_named_with_its_run() {
    let sandbox = Sandbox::new();
    for args in [
        &["recover", "--skip", "2"][..],
        &["recover", "01aa", "--skip", "2", "--forward"],
        &["recover", "01aa", "--skip", "0"],
        &["recover", "01aa", "--skip", "two"],
        &["recover", "01aa", "--settle", "30"],
    ] {
        let said = sandbox.run(args);
        assert_eq!((said.status, said.stdout.as_str()), (2, ""), "{args:?}");
    }
}

#[test]
fn a_run_of_what_is_not_configured_is_wrong_usage() {
    let sandbox = Sandbox::new();
    Draft::deploy("01aa", "GONE").applied(100, 1).write(&sandbox);
    let error = "error: there is no environment `GONE` in bluegreen.toml\n\n\
                 hint: there is D-WEB, IE-L-NGINX\n";
    for args in [&["recover", "01aa"][..], &["undo", "01aa"]] {
        let said = sandbox.run(args);
        assert_eq!((said.status, said.stderr.as_str()), (2, error), "{args:?}");
    }
}

#[test]
fn a_run_that_was_closed_is_nothing_to_do() {
    let actor = || "bob@ward".to_owned();
    let closed = stuck()
        .at(4_000, Record::Resumed { actor: actor(), forward: false })
        .at(4_000, Record::Skipped { step: StepId(2), actor: actor() })
        .at(5_000, Record::Undone { step: StepId(1), remade: false })
        .at(6_000, Record::Abandoned);
    assert_eq!(
        run(closed, &["01aa", "--skip", "2"]).well(),
        "nothing to do: recover D-WEB: run 01aa has ended: closed, with something left as \
         decided\n"
    );
}
