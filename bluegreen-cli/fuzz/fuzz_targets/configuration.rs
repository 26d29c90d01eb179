//! Texts that may be a `bluegreen.toml`.

#![no_main]

use std::path::PathBuf;

use cli::{config, duration, exit, failure};
use config::{Config, Environment};
use failure::Failure;

/// The parts of the program that a configuration goes through; a program cannot be linked.
#[path = "../../src"]
#[allow(dead_code, reason = "the rest of the program is not here")]
mod cli {
    pub(crate) mod config;
    pub(crate) mod duration;
    pub(crate) mod exit;
    pub(crate) mod failure;
}

/// What the configuration takes from the rest of the program: where to look for a file. None is
/// looked for here.
mod store {
    pub(crate) fn user_folder(_: &str, _: &str) -> Option<std::path::PathBuf> {
        None
    }
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| check(data));

fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match Config::read(PathBuf::from("bluegreen.toml"), text) {
        Ok(config) => {
            let all = config.environments(&[]).expect("all of them are there");
            all.into_iter().for_each(is_sound);
        }
        Err(error) => is_told(Failure::from(error), text),
    }
}

/// What was accepted can be a name, an account and ports.
fn is_sound(Environment { spec, account, .. }: &Environment) {
    let is_plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic());
    assert!(is_plain(spec.name.as_str()) && is_plain(&spec.green_suffix));
    assert_eq!(spec.account.as_str().len(), 12);
    assert!(spec.account.as_str().bytes().all(|byte| byte.is_ascii_digit()));
    assert_eq!(spec.idle_ports.to_string().parse(), Ok(spec.idle_ports.clone()));
    assert!(!spec.quiet.window.is_zero(), "nothing would be waited for");
    let _how_to_get_there = (&account.alias, &account.profile, &account.role);
}

/// What was refused is said in one line, with the line of the file where it stands.
fn is_told(failure: Failure, text: &str) {
    assert_eq!(failure.exit, exit::USAGE);
    assert!(!failure.message.chars().any(char::is_control), "{:?}", failure.message);
    let line = failure.message.strip_prefix("bluegreen.toml:");
    let line = line.and_then(|rest| rest.split_once(": ")?.0.parse().ok());
    let line: usize = line.expect("the line is named");
    let last = 1 + text.bytes().filter(|byte| *byte == b'\n').count();
    assert!((1..=last).contains(&line), "line {line} of {last}");
}
