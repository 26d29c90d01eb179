//! Wrong usage ends with 2, in the words of the command line; help and version cost nothing.

use crate::sandbox::Sandbox;

#[test]
fn the_version_is_told() {
    let version = concat!("bluegreen ", env!("CARGO_PKG_VERSION"), "\n");
    assert_eq!(Sandbox::empty().run(&["--version"]).well(), version);
}

#[test]
fn help_names_every_command_and_every_exit_code() {
    let help = Sandbox::empty().run(&["--help"]).well();
    for command in [
        "upgrade",
        "deploy",
        "switch",
        "scaledown",
        "status",
        "orphans",
        "doctor",
        "log",
        "show",
        "recover",
        "undo",
        "iam-policy",
        "lock",
    ] {
        assert!(help.contains(&format!("\n  {command} ")), "{command} is missing:\n{help}");
    }
    assert!(help.ends_with("130  interrupted, and everything is as it was before\n"), "{help}");
}

#[test]
fn help_fits_eighty_columns() {
    let sandbox = Sandbox::empty();
    for args in [
        &["--help"][..],
        &["deploy", "--help"],
        &["switch", "-h"],
        &["recover", "-h"],
        &["undo", "--help"],
        &["lock", "break", "-h"],
        &["iam-policy", "--help"],
        &["doctor", "--help"],
    ] {
        let mut command = sandbox.command(args);
        let output = command.env("COLUMNS", "80").output().expect("the binary can be run");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let wide: Vec<_> = text.lines().filter(|line| line.chars().count() > 80).collect();
        assert!(wide.is_empty(), "{args:?}: {wide:#?}");
    }
}

#[test]
fn no_command_shows_the_help_and_is_wrong() {
    let said = Sandbox::empty().run(&[]);
    assert_eq!((said.status, said.stdout.as_str()), (2, ""));
    assert!(said.stderr.contains("Usage: bluegreen [OPTIONS] <COMMAND>"), "{}", said.stderr);
}

#[test]
fn a_deploy_must_say_what() {
    Sandbox::new().run(&["deploy", "D-WEB"]).fails(
        2,
        "error: the following required arguments were not provided:\n  \
         <--image <AMI>|--user-data <FILE>|--to-template <NAME>|--template-version <N>|\
         --from <COLOR>>\n\n\
         Usage: bluegreen deploy [OPTIONS] <ENV> [--image <AMI>] [--user-data <FILE>]\n                        \
         [--to-template <NAME>]\n       \
         bluegreen deploy [OPTIONS] <ENV> --template-version <N>\n       \
         bluegreen deploy [OPTIONS] <ENV> --from <COLOR>\n\n\
         For more information, try '--help'.\n",
    );
}

#[test]
fn what_excludes_each_other_is_wrong_together() {
    let sandbox = Sandbox::new();
    for args in [
        &["deploy", "D-WEB", "--image", "ami-1", "--from", "blue"][..],
        &["deploy", "D-WEB", "--template-version", "3", "--user-data", "x"],
        &["deploy", "D-WEB", "--template-version", "3", "--from", "blue"],
        &["deploy", "D-WEB", "--image", "ami-1", "--size", "0"],
        &["switch", "D-WEB", "--to", "red"],
        &["scaledown", "D-WEB", "--timeout", "soon"],
        &["scaledown", "D-WEB", "--poll", "0s"],
        &["status", "-v", "-q"],
        &["status", "--output", "xml"],
        &["juggle"],
    ] {
        let said = sandbox.run(args);
        assert_eq!((said.status, said.stdout.as_str()), (2, ""), "{args:?}");
        assert!(said.stderr.starts_with("error: "), "{args:?}: {}", said.stderr);
    }
}

#[test]
fn a_duration_that_is_none_is_named() {
    Sandbox::new().run(&["scaledown", "D-WEB", "--timeout", "15"]).fails(
        2,
        "error: invalid value '15' for '--timeout <TIME>': \
         `15` is not a duration like `15m`, `90s` or `1h30m`\n\n\
         For more information, try '--help'.\n",
    );
}

#[test]
fn user_data_that_no_machine_takes_is_refused_by_name() {
    let sandbox = Sandbox::new();
    sandbox.write("work/boot.sh", vec![b'#'; 16 * 1024 + 1]);
    sandbox.run(&["deploy", "D-WEB", "--user-data", "boot.sh"]).fails(
        2,
        "error: user data `boot.sh` has more than 16384 bytes\n\n\
         hint: a machine takes no more; let it fetch the rest when it starts\n",
    );
    sandbox.run(&["deploy", "D-WEB", "--user-data", "none.sh"]).fails(
        2,
        "error: user data `none.sh` cannot be read: No such file or directory (os error 2)\n",
    );
}

#[test]
fn global_options_go_before_and_after_the_command() {
    let sandbox = Sandbox::new();
    let store = sandbox.path("store");
    let store = store.to_str().expect("the path is plain");
    let before = sandbox.run(&["--store", store, "--output", "json", "log"]);
    let after = sandbox.run(&["log", "--output", "json", "--store", store]);
    assert_eq!(before.clone().well(), "[]\n");
    assert_eq!(before, after);
}

#[test]
fn events_that_cannot_be_written_are_wrong_usage() {
    Sandbox::new().run(&["switch", "D-WEB", "--events", "none/events.json"]).fails(
        2,
        "error: events cannot be written to `none/events.json`: \
         No such file or directory (os error 2)\n",
    );
}

#[test]
fn a_protected_account_wants_the_name_in_scripts() {
    let sandbox = Sandbox::new();
    sandbox.run(&["switch", "IE-L-NGINX", "--yes"]).fails(
        3,
        "error: account 444455556666 (live) is protected, and changing `IE-L-NGINX` was not \
         confirmed\n\nhint: confirm it by name: `--confirm IE-L-NGINX`\n",
    );
    sandbox
        .run(&["switch", "IE-L-NGINX", "--confirm", "D-WEB"])
        .fails(3, "error: `--confirm D-WEB` confirms another environment than `IE-L-NGINX`\n");
}

#[test]
fn a_refusal_is_told_to_programs_too() {
    let said = Sandbox::new().run(&["switch", "IE-L-NGINX", "--output", "json"]);
    assert_eq!(said.status, 3);
    assert_eq!(
        said.stdout,
        "{\"environment\":\"IE-L-NGINX\",\"operation\":\"switch\",\"run\":null,\
         \"state\":\"refused\",\"changes\":0,\"skew_ms\":null,\
         \"error\":\"account 444455556666 (live) is protected, and changing `IE-L-NGINX` was not \
         confirmed\",\"left\":[],\"remade\":[]}\n"
    );
}

#[test]
fn missing_credentials_are_a_refusal_with_a_hint() {
    let said = Sandbox::new().run(&["status", "D-WEB"]);
    assert_eq!((said.status, said.stdout.as_str()), (3, ""));
    assert!(said.stderr.starts_with("error: the cloud could not be read: "), "{}", said.stderr);
    assert!(
        said.stderr.ends_with("\n\nhint: sign in again, or check the profile\n"),
        "{}",
        said.stderr
    );
}
