use std::sync::Arc;

use bluegreen_core::change::CloudChange;
use bluegreen_core::cloud::Cloud;
use bluegreen_core::model::Environment as Observed;
use bluegreen_core::operation::{Bluegreen, Done, Operation, Prepared, RunDetails, run_details};
use bluegreen_core::plan::{CloudPlan, Decision};
use bluegreen_core::transaction::{EventSink, Policy, Store, Work};

use super::Session;
use super::question::Question;
use super::watch::Watch;
use crate::args::Settle;
use crate::config::Environment;
use crate::connect::Connector;
use crate::failure::Failure;
use crate::render::{self, Outline, Report};
use crate::signals::Signals;
use crate::{actor, exit};

/// What is to be done with one environment.
#[derive(Debug)]
pub(super) struct Request {
    environment: String,
    operation: Operation,
    policy: Policy,
    /// The earlier run that is taken back, if one is.
    undone: Option<RunDetails>,
}

impl Request {
    /// Asks for an operation.
    pub(super) fn new(environment: &str, operation: Operation, settle: Settle) -> Self {
        let (environment, policy) = (environment.to_owned(), settle.policy());
        Self { environment, operation, policy, undone: None }
    }

    /// Says which earlier run is taken back.
    pub(super) fn with_undone(self, run: RunDetails) -> Self {
        Self { undone: Some(run), ..self }
    }
}

/// Does something with one environment: plans, asks, runs, and says how it went.
pub(super) async fn run(session: &Session, request: Request) -> Result<u8, Failure> {
    let Request { environment: name, operation, policy, undone } = request;
    let environment = session.config()?.environment(&name)?.clone();
    let store = session.store().await?;
    let events = render::events(session.global.events.as_deref())?;
    let operating = Operating { session, environment, store, operation, policy, undone };
    match Box::pin(operating.run(events)).await {
        Ok(()) => Ok(exit::DONE),
        Err(failure) => {
            operating.report_failure(&failure).await;
            Err(hinted(failure, &name))
        }
    }
}

/// One operation on one environment.
struct Operating<'a> {
    session: &'a Session,
    environment: Environment,
    store: Arc<dyn Store>,
    operation: Operation,
    policy: Policy,
    undone: Option<RunDetails>,
}

impl Operating<'_> {
    async fn run(&self, events: Option<Arc<dyn EventSink>>) -> Result<(), Failure> {
        let spec = &self.environment.spec;
        let mut connector = Connector::new(&self.session.global);
        let region = connector.region(&self.environment).to_owned();
        if self.session.global.dry_run {
            let bluegreen = self.bluegreen(connector.connect(&self.environment).await?);
            let (observed, decision) = bluegreen.plan(spec, &self.operation).await?;
            match decision {
                Decision::Nothing(why) => self.report_nothing(&why),
                Decision::Run(plan) => self.show_plan(&observed, &plan, &region),
            }
            return Ok(());
        }
        let question = Question::about(&self.session.global, &self.environment)?;
        let mut signals = Signals::new()?;
        let cloud = connector.connect(&self.environment).await?;
        let bluegreen = self.bluegreen(Arc::clone(&cloud));
        let prepared = signals.unless_asked(bluegreen.prepare(spec, &self.operation)).await?;
        let Decision::Run(plan) = prepared.decision() else {
            return Box::pin(self.execute(bluegreen, prepared, &mut signals, None)).await;
        };
        self.show_before(prepared.environment(), plan, &region, question);
        let what = format!("{} {}", self.operation.name(), spec.name);
        let answer = signals.unless_asked(question.ask(&self.environment, &what, &*cloud)).await;
        if let Err(failure) = answer {
            prepared.release().await;
            return Err(failure);
        }
        Box::pin(self.execute(bluegreen, prepared, &mut signals, events)).await
    }

    fn bluegreen(&self, cloud: Arc<dyn Cloud>) -> Bluegreen {
        Bluegreen::of(cloud, Arc::clone(&self.store))
            .with_actor(actor::name())
            .with_policy(self.policy)
    }

    /// Runs the very plan that was shown.
    async fn execute(
        &self,
        bluegreen: Bluegreen,
        prepared: Prepared,
        signals: &mut Signals,
        events: Option<Arc<dyn EventSink>>,
    ) -> Result<(), Failure> {
        let routes = match prepared.decision() {
            Decision::Run(plan) => routes(plan),
            Decision::Nothing(why) => {
                self.report_nothing(why);
                return Ok(());
            }
        };
        let watch = Watch::new(&self.session.global, events);
        let bluegreen =
            watch.attach(bluegreen).with_confirmation(self.environment.spec.name.clone());
        match watch.follow(signals, Box::pin(bluegreen.execute(prepared))).await? {
            Done::Ran(outcome) => {
                let report = Report::ended(self.name(), self.operation.name(), &outcome);
                let report = match routes {
                    Some((title, count)) => report.with_routes(count, watch.skew(&title)),
                    None => report,
                };
                report.write(self.session.out);
            }
            Done::Nothing(why) => self.report_nothing(&why),
            _ => {}
        }
        Ok(())
    }

    fn name(&self) -> &str {
        self.environment.spec.name.as_str()
    }

    fn outline<'a>(
        &'a self,
        environment: &'a Observed,
        plan: &'a CloudPlan,
        region: &'a str,
    ) -> Outline<'a> {
        let (operation, alias) = (self.operation.name(), self.environment.account.alias.as_str());
        let undone = self.undone.as_ref();
        Outline { operation, environment, alias, region, plan, undone }
    }

    /// Shows a plan that is the whole answer.
    fn show_plan(&self, environment: &Observed, plan: &CloudPlan, region: &str) {
        let (out, outline) = (self.session.out, self.outline(environment, plan, region));
        if out.is_json() {
            out.json(&outline.report());
        } else {
            out.text(&outline.text(render::width()));
        }
    }

    /// Shows a plan that is about to be run. Programs get it only if a person is asked about it.
    fn show_before(
        &self,
        environment: &Observed,
        plan: &CloudPlan,
        region: &str,
        question: Question,
    ) {
        let out = self.session.out;
        let text = self.outline(environment, plan, region).text(render::width());
        if !out.is_json() {
            out.text(&format!("{text}\n"));
        } else if question != Question::None {
            render::problem(&format!("{text}\n"));
        }
    }

    fn report_nothing(&self, why: &str) {
        Report::nothing(self.name(), self.operation.name(), why).write(self.session.out);
    }

    async fn report_failure(&self, failure: &Failure) {
        let changes = match &failure.run {
            None => 0,
            // The journal knows; if it cannot be read, the error says so already.
            Some(run) => {
                run_details(&*self.store, run).await.map_or(0, |details| details.summary.changes)
            }
        };
        Report::failed(self.name(), self.operation.name(), failure)
            .with_changes(changes)
            .write(self.session.out);
    }
}

/// Says where to look if the first gate did not hold and nobody said what to do about it.
fn hinted(failure: Failure, name: &str) -> Failure {
    if failure.exit == exit::REFUSED && failure.run.is_some() && failure.hint.is_none() {
        let hint = format!("nothing was changed; `bluegreen status {name}` shows how things stand");
        failure.with_hint(hint)
    } else {
        failure
    }
}

/// Returns the title of the stage that changes routes, and how many it changes.
fn routes(plan: &CloudPlan) -> Option<(String, usize)> {
    plan.stages().iter().find_map(|stage| {
        let Work::Changes(changes) = &stage.work else { return None };
        let count = changes.iter().filter(|one| matches!(one, CloudChange::Route(_))).count();
        (count > 0).then(|| (stage.title.clone(), count))
    })
}
