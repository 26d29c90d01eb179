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

/// Parses before anything else is done: `--version` and `--help` must cost nothing.
fn main() -> std::process::ExitCode {
    command::main(<args::Cli as clap::Parser>::parse()).into()
}
