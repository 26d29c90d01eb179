//! Stores: where they are, and what `log`, `show` and `recover` say of an empty one.

use std::os::unix::fs::PermissionsExt as _;

use crate::sandbox::Sandbox;

#[test]
fn an_empty_store_has_no_runs() {
    let sandbox = Sandbox::new();
    assert_eq!(sandbox.run(&["log", "--output", "json"]).well(), "[]\n");
    assert_eq!(sandbox.run(&["recover", "--output", "json"]).well(), "[]\n");
    assert_eq!(sandbox.run(&["recover"]).well(), "nothing to recover: no run is open\n");
    let said = sandbox.run(&["log"]);
    assert_eq!((said.status, said.stdout.as_str()), (0, ""));
    assert_eq!(said.stderr, "there are no runs yet\n");
    assert_eq!(sandbox.run(&["log", "-q"]).well(), "");
}

#[test]
fn looking_makes_no_store() {
    let sandbox = Sandbox::new();
    sandbox.run(&["log", "-q"]).well();
    assert!(!sandbox.path("home/.local").exists());
}

#[test]
fn a_run_that_is_not_there_is_wrong_usage() {
    let sandbox = Sandbox::new();
    for command in ["show", "recover"] {
        sandbox
            .run(&[command, "01ABC"])
            .fails(2, "error: there is no run `01abc`\n\nhint: `bluegreen log` lists the runs\n");
    }
}

#[test]
fn a_beginning_must_tell_runs_apart() {
    let sandbox = Sandbox::new();
    for run in ["01aa", "01ab"] {
        sandbox.write(&format!("home/.local/state/bluegreen/runs/{run}.journal"), "");
    }
    sandbox.run(&["show", "01"]).fails(
        2,
        "error: `01` is the beginning of 2 runs, such as 01ab and 01aa\n\nhint: give more of it\n",
    );
}

#[test]
fn log_needs_no_configuration_unless_it_is_asked_about_what_no_run_has() {
    let sandbox = Sandbox::empty();
    assert_eq!(sandbox.run(&["log", "--output", "json"]).well(), "[]\n");
    assert_eq!(sandbox.run(&["log", "D-WEB"]).status, 2);
    let sandbox = Sandbox::new();
    assert_eq!(sandbox.run(&["log", "D-WEB", "--output", "json"]).well(), "[]\n");
    sandbox.run(&["log", "NONE"]).fails(
        2,
        "error: there is no environment `NONE` in bluegreen.toml\n\n\
         hint: there is D-WEB, IE-L-NGINX\n",
    );
}

#[test]
fn a_store_that_cannot_be_written_is_a_refusal() {
    let sandbox = Sandbox::new();
    sandbox.write("work/store", "a file, not a folder");
    let said = sandbox.run(&["switch", "D-WEB", "--store", "store"]);
    assert_eq!((said.status, said.stdout.as_str()), (3, ""));
    assert_eq!(
        said.stderr,
        "error: the journal cannot be kept: the store `store/locks` cannot be used: \
         Not a directory (os error 20)\n\nhint: give another place with `--store`\n"
    );
}

#[test]
fn a_store_is_its_owners_alone() {
    let sandbox = Sandbox::new();
    // The lock is taken before the cloud is asked, which fails for lack of credentials.
    assert_eq!(sandbox.run(&["switch", "D-WEB"]).status, 3);
    let store = sandbox.path("home/.local/state/bluegreen/locks");
    let mode = std::fs::metadata(store).expect("the folder is there").permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
}

#[test]
fn a_reader_that_goes_away_is_no_panic() {
    let sandbox = Sandbox::new();
    let mut command = sandbox.command(&["log", "--output", "json"]);
    let (reader, writer) = std::io::pipe().expect("a pipe can be made");
    drop(reader);
    let output = command.stdout(writer).stderr(std::process::Stdio::piped()).output();
    let said = crate::sandbox::Said::of(&output.expect("the binary can be run"), &sandbox);
    said.fails(0, "");
}
