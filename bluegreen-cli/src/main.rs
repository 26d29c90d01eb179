//! The `bluegreen` command: blue/green deployments that are undone if anything fails.

mod actor;
mod args;
mod command;
mod config;
mod connect;
mod duration;
mod exit;
mod failure;
mod render;
mod signals;
mod store;

use std::process::ExitCode;

/// Parses before anything else is done: `--version` and `--help` must cost nothing.
fn main() -> ExitCode {
    ExitCode::from(command::main(<args::Cli as clap::Parser>::parse()))
}
