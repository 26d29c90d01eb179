use bluegreen_testkit::playground::load::PhaseScore;
use bluegreen_testkit::playground::remote::Remote;
use serde_json::json;

use super::card::Card;
use super::write_report;
use crate::args::PlaygroundLoad;
use crate::command::Session;
use crate::exit;
use crate::failure::Failure;
use crate::signals::Signals;

/// Asks the services of a playground that runs, and tells how it went.
pub(super) async fn run(session: &Session, options: &PlaygroundLoad) -> Result<u8, Failure> {
    let remote = Remote::new(&options.at.url);
    let mut signals = Signals::new()?;
    let rate = options.rate.rate;
    remote.post("/api/load", &json!({"rate": rate})).await?;
    session.out.note(&format!("asking {rate} times a second for {:?} …", options.time));
    // Whoever has seen enough wants to know how it went so far.
    let waiting = async {
        tokio::time::sleep(options.time).await;
        Ok::<(), Failure>(())
    };
    let interrupted = signals.unless_asked(waiting).await.is_err();
    let load = remote.delete("/api/load").await?;
    let phases: Vec<PhaseScore> = serde_json::from_value(load["scores"].clone())
        .map_err(|error| Failure::refused(format!("the playground tells no scores: {error}")))?;
    let card = Card::new(rate, phases);
    if session.out.is_json() {
        session.out.json(&card.json());
    } else {
        session.out.text(&card.text());
    }
    let page = remote.page("/api/report").await?;
    write_report(session, options.report.report.as_deref(), &page).await?;
    let is_well = card.failed(|_| true) + card.misrouted() == 0;
    Ok(match (is_well, interrupted) {
        (false, _) => exit::ROLLED_BACK,
        (true, true) => exit::INTERRUPTED,
        (true, false) => exit::DONE,
    })
}
