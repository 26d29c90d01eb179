use bluegreen_core::operation::run_details;

use super::{Session, runs};
use crate::args::Show;
use crate::exit;
use crate::failure::Failure;
use crate::render::{self, Details};

/// Shows one run, step by step.
pub(super) async fn run(session: &Session, options: &Show) -> Result<u8, Failure> {
    let store = session.store().await?;
    let run = runs::find(&*store, &options.run).await?;
    let details = run_details(&*store, &run).await?;
    let out = session.out;
    if out.is_json() {
        out.json(&Details::new(&details));
    } else {
        out.text(&render::details(&details, render::width()));
    }
    Ok(exit::DONE)
}
