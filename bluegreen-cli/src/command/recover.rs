use std::sync::Arc;

use bluegreen_core::cloud::Cloud;
use bluegreen_core::model::RunId;
use bluegreen_core::operation::{
    Bluegreen, Done, MilestoneKind, OperationError, RecoverOptions, RunDetails, RunState,
    RunSummary, Way, recovery, run_details, runs,
};
use bluegreen_core::transaction::{
    Ending, EventSink, Outcome, Policy, StepId, Store, StoreError, StoreErrorKind,
};

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
    let runs = wanted(&*store, options.run.as_deref()).await?;
    let out = session.out;
    if runs.is_empty() && !out.is_json() {
        out.text("nothing to recover: no run is open\n");
    }
    let events = render::events(session.global.events.as_deref())?;
    let skip: Vec<StepId> = options.skip.iter().copied().map(StepId).collect();
    let how = RecoverOptions::default().with_forward(options.forward).with_skip(skip);
    let policy = options.settle.policy();
    let recovering = Recovering { session, store, events, how, policy };
    let is_single = options.run.is_some();
    if session.global.dry_run {
        return recovering.show(&runs, is_single).await;
    }
    let (mut reports, mut code, mut is_stopped) = (Vec::new(), exit::DONE, false);
    for run in &runs {
        if is_stopped {
            break;
        }
        let (report, failure);
        (report, failure, is_stopped) = recovering.one(run).await?;
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

/// Returns the run that is named, or every open one.
async fn wanted(store: &dyn Store, beginning: Option<&str>) -> Result<Vec<RunId>, Failure> {
    if let Some(beginning) = beginning {
        return Ok(vec![find(store, beginning).await?]);
    }
    let all = runs(store).await?.into_iter();
    Ok(all.filter(RunSummary::is_open).map(|run| run.run).collect())
}

struct Recovering<'a> {
    session: &'a Session,
    store: Arc<dyn Store>,
    events: Option<Arc<dyn EventSink>>,
    how: RecoverOptions,
    policy: Policy,
}

impl Recovering<'_> {
    /// Shows what recoveries would begin with, and does nothing.
    async fn show(&self, runs: &[RunId], is_single: bool) -> Result<u8, Failure> {
        let mut found = Vec::new();
        for run in runs {
            found.push(recovery(&*self.store, run, &self.how).await?);
        }
        let out = self.session.out;
        let details: Vec<Details<'_>> = found.iter().map(Details::new).collect();
        match details.as_slice() {
            [details] if is_single && out.is_json() => out.json(details),
            details if out.is_json() => out.json(&details),
            _ => found.iter().for_each(|run| self.show_one(run)),
        }
        Ok(exit::DONE)
    }

    fn show_one(&self, run: &RunDetails) {
        let out = self.session.out;
        match ended(run) {
            Some(why) => Report::nothing(name_of(run), "recover", &why).write(out),
            None => out.text(&render::recovery(run, &self.how.skip, render::width())),
        }
    }

    /// Recovers one run; says how it went, and whether somebody wants no more of it.
    async fn one(&self, run: &RunId) -> Result<(Report, Option<Failure>, bool), Failure> {
        let details = run_details(&*self.store, run).await?;
        let name = name_of(&details);
        if let Some(why) = ended(&details) {
            return Ok((Report::nothing(name, "recover", &why), None, false));
        }
        let mut watch = None;
        let result = Box::pin(self.try_one(run, &mut watch)).await;
        let is_stopped = watch.is_some_and(|watch| watch.is_stopped());
        Ok(match result {
            Ok(report) => (report, None, is_stopped),
            Err(failure) => {
                let report =
                    Report::failed(name, "recover", &failure).with_changes(details.summary.changes);
                let is_stopped = is_stopped || failure.exit == exit::INTERRUPTED;
                (report, Some(failure), is_stopped)
            }
        })
    }

    async fn try_one(&self, run: &RunId, watch: &mut Option<Watch>) -> Result<Report, Failure> {
        let details = recovery(&*self.store, run, &self.how).await?;
        let (out, name) = (self.session.out, name_of(&details));
        let config = self.session.config()?;
        let environment = config.environment(name)?;
        self.check_free(environment).await?;
        let question = Question::about(&self.session.global, environment)?;
        let text = render::recovery(&details, &self.how.skip, render::width());
        if !out.is_json() {
            out.text(&format!("{text}\n"));
        } else if question != Question::None {
            render::problem(&format!("{text}\n"));
        }
        let mut signals = Signals::new()?;
        let what = format!("recover run {run} ({}) of {name}", details.summary.operation);
        let cloud = Connector::new(&self.session.global).connect(environment).await?;
        signals.unless_asked(question.ask(environment, &what, &*cloud)).await?;
        let watch = watch.insert(Watch::new(&self.session.global, self.events.clone()));
        self.recover(&details, environment, cloud, watch, &mut signals).await
    }

    /// Asks nobody about a run that is under way.
    async fn check_free(&self, environment: &Environment) -> Result<(), Failure> {
        let name = &environment.spec.name;
        let state = self.store.lock_state(name).await.map_err(OperationError::from)?;
        let Some(held) = state.held else { return Ok(()) };
        let held = StoreErrorKind::Held(Some(Box::new(held)));
        Err(OperationError::from(StoreError::new(held, name)).into())
    }

    async fn recover(
        &self,
        run: &RunDetails,
        environment: &Environment,
        cloud: Arc<dyn Cloud>,
        watch: &Watch,
        signals: &mut Signals,
    ) -> Result<Report, Failure> {
        let bluegreen = Bluegreen::of(cloud, Arc::clone(&self.store))
            .with_actor(actor::name())
            .with_policy(self.policy)
            .with_confirmation(environment.spec.name.clone());
        let bluegreen = watch.attach(bluegreen);
        let spec = environment.spec.clone();
        let work = bluegreen.recover(&run.summary.run, &self.how, |_| Some(spec));
        let name = name_of(run);
        match watch.follow(signals, work).await? {
            Done::Ran(outcome) => self.report(run, &outcome).await,
            Done::Nothing(why) => Ok(Report::nothing(name, "recover", &why)),
            _ => Ok(Report::nothing(name, "recover", "it is done")),
        }
    }

    /// Says how a recovery went; one that was to go on and had to turn round has failed.
    async fn report(&self, run: &RunDetails, outcome: &Outcome) -> Result<Report, Failure> {
        if run.recovery == Some(Way::Forward) && outcome.ending == Ending::RolledBack {
            let now = run_details(&*self.store, &outcome.run).await?;
            let asked = now.milestones.iter().any(|milestone| {
                matches!(milestone.kind, MilestoneKind::TurnedRound { asked: true, .. })
            });
            let cause = now.cause.as_deref().unwrap_or("it could not go on");
            return Err(Failure::turned_round(outcome.run.clone(), cause, asked)
                .with_remade(outcome.remade.clone()));
        }
        Ok(Report::ended(name_of(run), "recover", outcome))
    }
}

fn name_of(run: &RunDetails) -> &str {
    run.summary.environment.as_str()
}

/// Says that a run has ended, if it has.
fn ended(run: &RunDetails) -> Option<String> {
    let summary = &run.summary;
    let how = match summary.state {
        RunState::Dirty => "closed, with something left as decided",
        state => state.as_str(),
    };
    (!summary.is_open()).then(|| format!("run {} has ended: {}", summary.run, how))
}
