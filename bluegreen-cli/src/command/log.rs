use bluegreen_core::operation::{RunSummary, runs};

use super::Session;
use crate::args::Log;
use crate::exit;
use crate::failure::Failure;
use crate::render;

/// Lists runs, newest first.
pub(super) async fn run(session: &Session, options: &Log) -> Result<u8, Failure> {
    let all = runs(&*session.store().await?).await?;
    let names = &options.environments;
    check(session, names, &all)?;
    let is_wanted = |run: &RunSummary| {
        names.is_empty() || names.iter().any(|name| name == run.environment.as_str())
    };
    let wanted: Vec<RunSummary> = all.into_iter().filter(is_wanted).collect();
    let out = session.out;
    if out.is_json() {
        out.json(&wanted);
    } else if wanted.is_empty() {
        out.note("there are no runs yet");
    } else {
        out.text(&render::log(&wanted));
    }
    Ok(exit::DONE)
}

/// Refuses a name that neither a run nor the configuration has.
fn check(session: &Session, names: &[String], runs: &[RunSummary]) -> Result<(), Failure> {
    let is_known = |name: &String| runs.iter().any(|run| run.environment.as_str() == name);
    let unknown: Vec<String> = names.iter().filter(|name| !is_known(name)).cloned().collect();
    if !unknown.is_empty() {
        session.config()?.environments(&unknown)?;
    }
    Ok(())
}
