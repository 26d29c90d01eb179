use bluegreen_core::model::HealthStrategy;

use super::*;

const WHOLE: &str = r#"
[accounts.live]
id = "444455556666"
protected = true
profile = "live"

[environments.IE-L-NGINX]
account = "live"
region = "eu-west-1"
scaling_group = "nginx-live"
idle_ports = "18080-18099"
health = "idle-listener"
green_suffix = "-g"
"#;

fn read(text: &str) -> Result<Config, String> {
    Config::read(PathBuf::from("bluegreen.toml"), text).map_err(|error| error.to_string())
}

/// Reads the whole configuration with one line replaced.
fn with(line: &str, other: &str) -> String {
    assert!(WHOLE.contains(line), "{line}");
    read(&WHOLE.replace(line, other)).expect_err(other)
}

#[test]
fn a_whole_configuration_is_read() {
    let config = read(WHOLE).unwrap();
    let found = config.environment("IE-L-NGINX").unwrap();
    assert_eq!((found.region.as_str(), found.account.alias.as_str()), ("eu-west-1", "live"));
    assert_eq!(found.account.profile.as_deref(), Some("live"));
    assert_eq!(found.spec.account.as_str(), "444455556666");
    assert_eq!(found.spec.idle_ports.to_string(), "18080-18099");
    assert_eq!(found.spec.green_suffix, "-g");
    assert!(found.spec.protected);
}

#[test]
fn both_colours_are_kept_checked_as_the_configuration_says() {
    let health = |text: &str| {
        let config = read(&WHOLE.replace("health = \"idle-listener\"", text)).unwrap();
        config.environment("IE-L-NGINX").unwrap().spec.health.clone()
    };
    assert_eq!(health(""), HealthStrategy::IdleListener);
    assert_eq!(
        health("health = \"weight-zero\""),
        HealthStrategy::WeightZero { cuts_connections: false }
    );
    assert_eq!(
        health("health = \"weight-zero\"\ncuts_connections = true"),
        HealthStrategy::WeightZero { cuts_connections: true }
    );
    assert_eq!(
        health("health = \"test-rule\"\ntest_sources = [\"10.0.0.0/8\", \"fd00::/8\"]"),
        HealthStrategy::TestRule { sources: vec!["10.0.0.0/8".into(), "fd00::/8".into()] }
    );
}

#[test]
fn what_is_wrong_is_said_with_its_line_and_key() {
    let key = "bluegreen.toml:3: `accounts.live.id`: ";
    assert_eq!(
        with("id = \"444455556666\"", "id = 444455556666"),
        format!("{key}it must be a string in quotes, and is a number")
    );
    assert_eq!(
        with("444455556666", "live"),
        format!("{key}`live` is not an account id of twelve digits")
    );
    assert_eq!(
        with("protected = true", "protectd = true"),
        "bluegreen.toml:4: `accounts.live.protectd`: there is no such key; \
         there is id, profile, role, protected"
    );
    let environment = "`environments.IE-L-NGINX";
    assert_eq!(
        with("account = \"live\"", "account = \"dev\""),
        format!("bluegreen.toml:8: {environment}.account`: there is no section `[accounts.dev]`")
    );
    assert_eq!(
        with("region = \"eu-west-1\"", ""),
        format!("bluegreen.toml:7: {environment}.region`: it is missing")
    );
    assert_eq!(
        with("18080-18099", "9-8"),
        format!(
            "bluegreen.toml:11: {environment}.idle_ports`: \
             `9-8` is not a range of ports like `18080-18099`"
        )
    );
    assert_eq!(
        with("idle-listener", "luck"),
        format!(
            "bluegreen.toml:12: {environment}.health`: `luck` is not a way to keep both colours \
             checked; there is idle-listener, weight-zero, test-rule"
        )
    );
    let line = "health = \"idle-listener\"";
    assert_eq!(
        with(line, "cuts_connections = true"),
        format!(
            "bluegreen.toml:12: {environment}.cuts_connections`: \
             it belongs to `health = \"weight-zero\"`"
        )
    );
    assert_eq!(
        with(line, "health = \"test-rule\"\ntest_sources = [\"10.0.0.0/33\"]"),
        format!(
            "bluegreen.toml:13: {environment}.test_sources`: \
             `10.0.0.0/33` is not a range of addresses like `10.0.0.0/8`"
        )
    );
    assert_eq!(
        with("\"-g\"", "\"-\""),
        format!(
            "bluegreen.toml:13: {environment}.green_suffix`: \
             a suffix has letters, digits and `-`, and does not end in `-`"
        )
    );
}

#[test]
fn what_is_no_table_or_no_toml_is_said_with_its_line() {
    assert_eq!(
        read("accounts = 3").unwrap_err(),
        "bluegreen.toml:1: `accounts`: it must be a table, and is a number"
    );
    assert_eq!(
        read("\n[stores]\n").unwrap_err(),
        "bluegreen.toml:2: `stores`: there is no such key; there is accounts, environments"
    );
    let error = read("[accounts.live]\nid = ").unwrap_err();
    assert!(error.starts_with("bluegreen.toml:2: "), "{error}");
    let error = read("[environments.\"a b\"]\naccount = 1").unwrap_err();
    assert_eq!(
        error,
        "bluegreen.toml:1: `environments.\"a b\"`: a name has letters, digits and any of `-._:/@+`"
    );
}

#[test]
fn what_is_wrong_is_said_in_one_line_whatever_stands_in_the_file() {
    assert_eq!(
        read("[environments.\"a\\nb\"]\n").unwrap_err(),
        "bluegreen.toml:1: `environments.\"a\\nb\"`: a name has letters, digits and any of `-._:/@+`"
    );
    assert_eq!(
        read("[accounts.live]\nid = \"\\u001B[2J\"").unwrap_err(),
        "bluegreen.toml:2: `accounts.live.id`: \
         `\\u{1b}[2J` is not an account id of twelve digits"
    );
}
