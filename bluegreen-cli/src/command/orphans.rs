use std::sync::Arc;

use bluegreen_core::cloud::Cloud;
use bluegreen_core::model::{AccountId, EnvironmentName};
use bluegreen_core::operation::{Bluegreen, Done, EnvironmentSpec, PreparedOrphans, run_details};
use bluegreen_core::plan::{CloudPlan, Decision, Unread};
use bluegreen_core::transaction::{EventSink, Store};

use super::Session;
use super::question::Question;
use super::watch::Watch;
use crate::args::Orphans;
use crate::config::Environment;
use crate::connect::Connector;
use crate::failure::Failure;
use crate::render::{self, Deletion, OrphansReport, Place, Report};
use crate::signals::Signals;
use crate::{actor, exit};

/// The name of the operation in journals and reports.
const OPERATION: &str = "orphans";

/// Lists what runs made and no environment claims, in every account and region that is concerned,
/// and deletes it where that is wanted.
pub(super) async fn run(session: &Session, options: &Orphans) -> Result<u8, Failure> {
    let config = session.config()?;
    let all = config.environments(&[])?;
    if all.is_empty() {
        return Err(Failure::usage(format!("{} has no environments", config.path().display()))
            .with_hint("add a section `[environments.NAME]`"));
    }
    let mut connector = Connector::new(&session.global);
    let neighbourhoods = neighbourhoods(&all, &connector, &options.environments);
    let mut clearing = Clearing {
        session,
        store: session.store().await?,
        events: render::events(session.global.events.as_deref())?,
        report: OrphansReport::default(),
        code: exit::DONE,
        is_stopped: false,
    };
    for neighbourhood in neighbourhoods {
        if clearing.is_stopped {
            break;
        }
        let looked = match connector.connect(neighbourhood.environments[0]).await {
            Ok(cloud) => Box::pin(clearing.look(&neighbourhood, cloud, options.delete)).await,
            Err(failure) => Err(failure),
        };
        // One that cannot be looked at is no reason to leave the others.
        if let Err(failure) = looked {
            clearing.note(&failure);
        }
    }
    Ok(clearing.finish(&options.environments))
}

/// An account and a region, with every environment that is configured there.
#[derive(Debug)]
struct Neighbourhood<'a> {
    region: String,
    environments: Vec<&'a Environment>,
    /// The environments that are wanted, configured or not; all if there are none.
    named: Vec<EnvironmentName>,
}

/// Returns every account and region in which what was named may be: where it is configured, or
/// anywhere if it is not.
fn neighbourhoods<'a>(
    all: &[&'a Environment],
    connector: &Connector,
    names: &[String],
) -> Vec<Neighbourhood<'a>> {
    let mut found: Vec<Neighbourhood<'a>> = Vec::new();
    for environment in all {
        let region = connector.region(environment);
        let is_there = |one: &&mut Neighbourhood<'a>| {
            one.region == region && one.account() == &environment.spec.account
        };
        match found.iter_mut().find(is_there) {
            Some(there) => there.environments.push(environment),
            None => found.push(Neighbourhood {
                region: region.to_owned(),
                environments: vec![environment],
                named: Vec::new(),
            }),
        }
    }
    let is_configured = |name: &str| all.iter().any(|one| one.spec.name.as_str() == name);
    for there in &mut found {
        let is_here = |name: &str| there.find(name).is_some() || !is_configured(name);
        let here = names.iter().filter(|name| is_here(name));
        there.named = here.map(|name| EnvironmentName::new(name.as_str())).collect();
    }
    found.retain(|there| names.is_empty() || !there.named.is_empty());
    found
}

impl<'a> Neighbourhood<'a> {
    fn account(&self) -> &AccountId {
        &self.environments[0].spec.account
    }

    fn find(&self, name: &str) -> Option<&'a Environment> {
        self.environments.iter().copied().find(|one| one.spec.name.as_str() == name)
    }

    fn specs(&self) -> Vec<EnvironmentSpec> {
        self.environments.iter().map(|one| one.spec.clone()).collect()
    }

    fn place(&self) -> Place<'_> {
        let alias = &self.environments[0].account.alias;
        Place { account: self.account().as_str(), alias, region: &self.region }
    }

    /// Returns an environment, to be asked about; one that is not configured is guarded like its
    /// neighbours.
    fn environment(&self, name: &EnvironmentName) -> Environment {
        if let Some(configured) = self.find(name.as_str()) {
            return configured.clone();
        }
        let mut neighbour = self.environments[0].clone();
        neighbour.spec.name = name.clone();
        neighbour.spec.protected = self.environments.iter().any(|one| one.spec.protected);
        neighbour
    }
}

/// What is told and done, place by place.
struct Clearing<'a> {
    session: &'a Session,
    store: Arc<dyn Store>,
    events: Option<Arc<dyn EventSink>>,
    report: OrphansReport,
    code: u8,
    is_stopped: bool,
}

impl Clearing<'_> {
    /// Lists the orphans of an account and region, and deletes them where that is wanted.
    async fn look(
        &mut self,
        there: &Neighbourhood<'_>,
        cloud: Arc<dyn Cloud>,
        is_deleting: bool,
    ) -> Result<(), Failure> {
        let out = self.session.out;
        let bluegreen = self.bluegreen(Arc::clone(&cloud));
        let orphans = bluegreen.orphans(&there.specs(), &there.named).await?;
        if !out.is_json() {
            let text = render::orphans(there.place(), &orphans, is_deleting, render::width());
            out.text(&text);
        }
        self.report.add(there.place(), &orphans);
        for unread in &orphans.unread {
            self.note(&unreadable(unread));
        }
        if !is_deleting {
            return Ok(());
        }
        for name in orphans.deletable() {
            if self.is_stopped {
                break;
            }
            let deleted = Box::pin(self.delete(there, &bluegreen, &*cloud, &name)).await;
            if let Err(failure) = deleted {
                self.is_stopped |= failure.exit == exit::INTERRUPTED;
                self.tell(self.failed(&name, &failure).await);
                self.note(&failure);
            }
        }
        Ok(())
    }

    fn bluegreen(&self, cloud: Arc<dyn Cloud>) -> Bluegreen {
        Bluegreen::of(cloud, Arc::clone(&self.store)).with_actor(actor::name())
    }

    /// Plans, asks, and deletes the orphans of one environment.
    async fn delete(
        &mut self,
        there: &Neighbourhood<'_>,
        bluegreen: &Bluegreen,
        cloud: &dyn Cloud,
        name: &EnvironmentName,
    ) -> Result<(), Failure> {
        let (environment, specs) = (there.environment(name), there.specs());
        if self.session.global.dry_run {
            match bluegreen.plan_orphans(&specs, name).await?.1 {
                Decision::Run(plan) => self.show_plan(there.place(), name, &plan),
                Decision::Nothing(why) => self.tell(nothing(name, &why)),
            }
            return Ok(());
        }
        let question = Question::about(&self.session.global, &environment)?;
        let mut signals = Signals::new()?;
        let prepared = signals.unless_asked(bluegreen.prepare_orphans(&specs, name)).await?;
        if let Decision::Run(plan) = prepared.decision() {
            self.show_before(there.place(), name, plan, question);
            let what = format!("deleting the orphans of {name}");
            signals.unless_asked(question.ask(&environment, &what, cloud)).await?;
        }
        self.execute(bluegreen.clone(), name, prepared, &mut signals).await
    }

    /// Runs the very plan that was shown.
    async fn execute(
        &mut self,
        bluegreen: Bluegreen,
        name: &EnvironmentName,
        prepared: PreparedOrphans,
        signals: &mut Signals,
    ) -> Result<(), Failure> {
        let watch = Watch::new(&self.session.global, self.events.clone());
        let bluegreen = watch.attach(bluegreen).with_confirmation(name.clone());
        let done = watch.follow(signals, bluegreen.delete_orphans(prepared)).await;
        self.is_stopped |= watch.is_stopped();
        self.tell(match done? {
            Done::Ran(outcome) => Report::ended(name.as_str(), OPERATION, &outcome),
            Done::Nothing(why) => nothing(name, &why),
            _ => nothing(name, "it is done"),
        });
        Ok(())
    }

    /// Shows a plan that is the whole answer.
    fn show_plan(&mut self, place: Place<'_>, name: &EnvironmentName, plan: &CloudPlan) {
        let deletion = Deletion { environment: name.as_str(), place, plan };
        if !self.session.out.is_json() {
            self.session.out.text(&format!("\n{}", deletion.text(render::width())));
        }
        self.report.plan(deletion);
    }

    /// Shows a plan that is about to be run. Programs get it only if a person is asked about it.
    fn show_before(
        &self,
        place: Place<'_>,
        name: &EnvironmentName,
        plan: &CloudPlan,
        question: Question,
    ) {
        let out = self.session.out;
        let text = Deletion { environment: name.as_str(), place, plan }.text(render::width());
        if !out.is_json() {
            out.text(&format!("\n{text}\n"));
        } else if question != Question::None {
            render::problem(&format!("{text}\n"));
        }
    }

    async fn failed(&self, name: &EnvironmentName, failure: &Failure) -> Report {
        let changes = match &failure.run {
            None => 0,
            // The journal knows; if it cannot be read, the error says so already.
            Some(run) => {
                run_details(&*self.store, run).await.map_or(0, |details| details.summary.changes)
            }
        };
        Report::failed(name.as_str(), OPERATION, failure).with_changes(changes)
    }

    /// Says how a deletion went.
    fn tell(&mut self, report: Report) {
        if !self.session.out.is_json() {
            report.write(self.session.out);
        }
        self.report.run(report);
    }

    /// Says what went wrong, which counts in the end.
    fn note(&mut self, failure: &Failure) {
        render::failure(failure);
        self.code = exit::worse(self.code, failure.exit);
    }

    /// Ends the report and returns the exit code.
    fn finish(self, named: &[String]) -> u8 {
        let out = self.session.out;
        // What could not be looked at may have some.
        let is_known = self.code == exit::DONE;
        for name in named.iter().filter(|name| is_known && !self.report.names(name)) {
            out.note(&format!("there are no orphans of {name}"));
        }
        if out.is_json() {
            out.json(&self.report);
        }
        self.code
    }
}

fn nothing(name: &EnvironmentName, why: &str) -> Report {
    Report::nothing(name.as_str(), OPERATION, why)
}

fn unreadable(unread: &Unread) -> Failure {
    let Unread { environment, why } = unread;
    Failure::refused(format!("environment `{environment}` could not be read: {why}"))
        .with_hint("nobody knows what it claims: nothing is deleted before it can be read")
}
