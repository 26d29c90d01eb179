use std::sync::Arc;

use bluegreen_core::operation::{Bluegreen, Done, RecoverOptions, RunDetails, run_details, runs};
use bluegreen_core::transaction::{EventSink, Store};

use super::question::Question;
use super::watch::Watch;
use super::{Session, runs::find};
use crate::args::Recover;
use crate::config::Environment;
use crate::connect::Connector;
use crate::failure::Failure;
use crate::render::{self, Details, Report};
use crate::signals::Signals;
use crate::{actor, exit};

/// Finishes what interrupted runs left: one, or every open run of the store.
pub(super) async fn run(session: &Session, options: &Recover) -> Result<u8, Failure> {
    let store = session.store().await?;
    let runs = wanted(&*store, options).await?;
    let out = session.out;
    if runs.is_empty() && !out.is_json() {
        out.text("nothing to recover: no run is open\n");
    }
    let is_single = options.run.is_some();
    if session.global.dry_run {
        show(session, &runs, is_single);
        return Ok(exit::DONE);
    }
    let events = render::events(session.global.events.as_deref())?;
    let recovering = Recovering { session, store, events };
    let (mut reports, mut code, mut is_stopped) = (Vec::new(), exit::DONE, false);
    for run in &runs {
        if is_stopped {
            break;
        }
        let (report, failure);
        (report, failure, is_stopped) = recovering.one(run).await;
        if !out.is_json() {
            report.write(out);
        }
        reports.push(report);
        // One that cannot be recovered is no reason to leave the others.
        if let Some(failure) = failure {
            render::failure(&failure);
            code = exit::worse(code, failure.exit);
        }
    }
    match reports.as_slice() {
        [report] if is_single && out.is_json() => out.json(report),
        reports if out.is_json() => out.json(&reports),
        _ => {}
    }
    Ok(code)
}

async fn wanted(store: &dyn Store, options: &Recover) -> Result<Vec<RunDetails>, Failure> {
    let wanted = if let Some(beginning) = &options.run {
        vec![find(store, beginning).await?]
    } else {
        let all = runs(store).await?.into_iter();
        all.filter(|run| run.is_open()).map(|run| run.run).collect()
    };
    let mut found = Vec::new();
    for run in wanted {
        found.push(run_details(store, &run).await?);
    }
    Ok(found)
}

/// Shows what a recovery would begin with, and does nothing.
fn show(session: &Session, runs: &[RunDetails], is_single: bool) {
    let out = session.out;
    let details: Vec<Details<'_>> = runs.iter().map(Details::new).collect();
    match details.as_slice() {
        [details] if is_single && out.is_json() => out.json(details),
        details if out.is_json() => out.json(&details),
        _ => {
            for run in runs {
                out.text(&render::recovery(run, render::width()));
            }
        }
    }
}

struct Recovering<'a> {
    session: &'a Session,
    store: Arc<dyn Store>,
    events: Option<Arc<dyn EventSink>>,
}

impl Recovering<'_> {
    /// Recovers one run; says how it went, and whether somebody wants no more of it.
    async fn one(&self, run: &RunDetails) -> (Report, Option<Failure>, bool) {
        let summary = &run.summary;
        let name = summary.environment.as_str();
        if !summary.is_open() {
            let why = format!("run {} has ended: {}", summary.run, summary.state.as_str());
            return (Report::nothing(name, "recover", &why), None, false);
        }
        let mut watch = None;
        let result = Box::pin(self.try_one(run, &mut watch)).await;
        let is_stopped = watch.is_some_and(|watch| watch.is_stopped());
        match result {
            Ok(report) => (report, None, is_stopped),
            Err(failure) => {
                let report =
                    Report::failed(name, "recover", &failure).with_changes(summary.changes);
                let is_stopped = is_stopped || failure.exit == exit::INTERRUPTED;
                (report, Some(failure), is_stopped)
            }
        }
    }

    async fn try_one(
        &self,
        run: &RunDetails,
        watch: &mut Option<Watch>,
    ) -> Result<Report, Failure> {
        let (out, name) = (self.session.out, run.summary.environment.as_str());
        let config = self.session.config()?;
        let environment = config.environment(name)?;
        let question = Question::about(&self.session.global, environment)?;
        let text = render::recovery(run, render::width());
        if !out.is_json() {
            out.text(&format!("{text}\n"));
        } else if question != Question::None {
            render::problem(&format!("{text}\n"));
        }
        let mut signals = Signals::new()?;
        let what = format!("recover {} of {name}", summary_of(run));
        signals.unless_asked(question.ask(environment, &what)).await?;
        let watch = watch.insert(Watch::new(&self.session.global, self.events.clone()));
        self.recover(run, environment, watch, &mut signals).await
    }

    async fn recover(
        &self,
        run: &RunDetails,
        environment: &Environment,
        watch: &Watch,
        signals: &mut Signals,
    ) -> Result<Report, Failure> {
        let cloud = Connector::new(&self.session.global).connect(environment).await?;
        let bluegreen = Bluegreen::of(cloud, Arc::clone(&self.store))
            .with_actor(actor::name())
            .with_confirmation(environment.spec.name.clone());
        let bluegreen = watch.attach(bluegreen);
        let spec = environment.spec.clone();
        let options = RecoverOptions::default();
        let work = bluegreen.recover(&run.summary.run, &options, |_| Some(spec));
        let name = environment.spec.name.as_str();
        Ok(match watch.follow(signals, work).await? {
            Done::Ran(outcome) => Report::ended(name, "recover", &outcome),
            Done::Nothing(why) => Report::nothing(name, "recover", &why),
            _ => Report::nothing(name, "recover", "it is done"),
        })
    }
}

fn summary_of(run: &RunDetails) -> String {
    format!("run {} ({})", run.summary.run, run.summary.operation)
}
