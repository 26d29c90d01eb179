//! The configuration: where it is found, and what is said if something is wrong with it.

use crate::sandbox::{CONFIG, Sandbox};

const UNKNOWN: &str = "hint: there is D-WEB, IE-L-NGINX\n";

#[test]
fn no_configuration_is_said_with_where_it_could_be() {
    Sandbox::empty().run(&["status"]).fails(
        2,
        "error: there is no configuration\n\n\
         hint: make bluegreen.toml or [..]/home/.config/bluegreen/bluegreen.toml, \
         or give one with `--config FILE`\n",
    );
}

#[test]
fn the_nearest_configuration_counts() {
    let sandbox = Sandbox::empty();
    let unknown = |file: &str| {
        let said = sandbox.run(&["switch", "NONE"]);
        said.fails(2, &format!("error: there is no environment `NONE` in {file}\n\n{UNKNOWN}"));
    };
    sandbox.write("home/.config/bluegreen/bluegreen.toml", CONFIG);
    unknown("[..]/home/.config/bluegreen/bluegreen.toml");
    sandbox.write("bluegreen.toml", CONFIG);
    unknown("[..]/bluegreen.toml");
    sandbox.write("work/bluegreen.toml", CONFIG);
    unknown("bluegreen.toml");
}

#[test]
fn the_users_configuration_folder_can_be_another() {
    let sandbox = Sandbox::empty();
    sandbox.write("etc/bluegreen/bluegreen.toml", CONFIG);
    let mut command = sandbox.command(&["switch", "NONE"]);
    let output = command.env("XDG_CONFIG_HOME", sandbox.path("etc")).output();
    let said = crate::sandbox::Said::of(&output.expect("the binary can be run"), &sandbox);
    let file = "[..]/etc/bluegreen/bluegreen.toml";
    said.fails(2, &format!("error: there is no environment `NONE` in {file}\n\n{UNKNOWN}"));
}

#[test]
fn a_configuration_that_is_given_counts_alone() {
    let sandbox = Sandbox::new();
    sandbox.run(&["switch", "D-WEB", "--config", "other.toml"]).fails(
        2,
        "error: the configuration `other.toml` cannot be read: \
         No such file or directory (os error 2)\n",
    );
}

#[test]
fn what_is_wrong_is_said_with_file_line_and_key() {
    let sandbox = Sandbox::empty();
    sandbox.write("work/bluegreen.toml", CONFIG.replace("account = \"dev\"", "acount = \"dev\""));
    sandbox
        .run(&["status"])
        .fails(2, "error: bluegreen.toml:9: `environments.D-WEB.account`: it is missing\n");
    sandbox.write("work/bluegreen.toml", format!("{CONFIG}\ncolour = \"blue\"\n"));
    sandbox.run(&["status"]).fails(
        2,
        "error: bluegreen.toml:21: `environments.IE-L-NGINX.colour`: there is no such key; \
         there is account, region, scaling_group, idle_ports, health, cuts_connections, \
         test_sources, no_requests_for, unmeasured, green_suffix\n",
    );
    sandbox.write("work/bluegreen.toml", "[accounts.dev\n");
    let said = sandbox.run(&["status"]);
    assert_eq!(said.status, 2);
    assert!(said.stderr.starts_with("error: bluegreen.toml:1: "), "{}", said.stderr);
}

#[test]
fn a_configuration_without_environments_has_no_status() {
    let sandbox = Sandbox::empty();
    sandbox.write("work/bluegreen.toml", "");
    sandbox.run(&["status"]).fails(
        2,
        "error: bluegreen.toml has no environments\n\nhint: add a section `[environments.NAME]`\n",
    );
}
