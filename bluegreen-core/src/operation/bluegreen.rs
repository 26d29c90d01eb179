use std::sync::Arc;
use std::time::Duration;

use super::history::{self, RunDetails, RunSummary};
use super::prepared::Prepared;
use super::{Actor, EnvironmentSpec, Operation, OperationError, prepare};
use crate::change::CloudChange;
use crate::cloud::Cloud;
use crate::gate::CloudGate;
use crate::model::{Environment, EnvironmentName, RunId};
use crate::plan::{
    Decision, DeployOptions, DowngradeOptions, ScaledownOptions, SwitchOptions, UndoOptions,
    UpgradeOptions,
};
use crate::transaction::{
    Cancel, Clock, Engine, EventSink, Header, Holder, Lease, NoSink, Outcome, Policy, Store,
    SystemClock,
};

/// Runs operations on environments of one cloud.
///
/// The way in for programs: build it from a cloud and a store, and call an operation.
#[derive(Clone, Debug)]
pub struct Bluegreen {
    pub(super) cloud: Arc<dyn Cloud>,
    pub(super) store: Arc<dyn Store>,
    pub(super) clock: Arc<dyn Clock>,
    sink: Arc<dyn EventSink>,
    cancel: Cancel,
    pub(super) policy: Policy,
    pub(super) actor: Actor,
    term: Duration,
    confirmation: Option<EnvironmentName>,
}

/// What an operation that did not fail did.
#[must_use]
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Done {
    /// It ran.
    Ran(Outcome),
    /// There was nothing to do, and why.
    Nothing(String),
}

impl Bluegreen {
    /// Changes `cloud`, keeping journals and locks in `store`.
    pub fn new(cloud: impl Cloud + 'static, store: impl Store + 'static) -> Self {
        Self::of(Arc::new(cloud), Arc::new(store))
    }

    /// Changes a shared cloud, keeping journals and locks in a shared store.
    pub fn of(cloud: Arc<dyn Cloud>, store: Arc<dyn Store>) -> Self {
        Self {
            cloud,
            store,
            clock: Arc::new(SystemClock),
            sink: Arc::new(NoSink),
            cancel: Cancel::new(),
            policy: Policy::default(),
            actor: Actor::default(),
            term: Lease::TERM,
            confirmation: None,
        }
    }

    /// Sends events to `sink`.
    #[must_use]
    pub fn with_sink(mut self, sink: Arc<dyn EventSink>) -> Self {
        self.sink = sink;
        self
    }

    /// Takes stamps from `clock`.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Stops when `cancel` asks.
    #[must_use]
    pub fn with_cancel(mut self, cancel: Cancel) -> Self {
        self.cancel = cancel;
        self
    }

    /// Retries as `policy` says.
    #[must_use]
    pub fn with_policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// Says who runs this, and where; shown to whoever finds a lock or reads a journal.
    #[must_use]
    pub fn with_actor(mut self, actor: Actor) -> Self {
        self.actor = actor;
        self
    }

    /// Holds locks for that long without renewing them; 30 seconds unless said otherwise.
    #[must_use]
    pub fn with_term(mut self, term: Duration) -> Self {
        self.term = term;
        self
    }

    /// Confirms changes of one environment in a protected account.
    #[must_use]
    pub fn with_confirmation(mut self, environment: EnvironmentName) -> Self {
        self.confirmation = Some(environment);
        self
    }

    /// Gives an environment its second colour.
    pub async fn upgrade(
        &self,
        spec: &EnvironmentSpec,
        options: UpgradeOptions,
    ) -> Result<Done, OperationError> {
        self.run(spec, &Operation::Upgrade(options)).await
    }

    /// Puts a new version on the colour that does not serve.
    pub async fn deploy(
        &self,
        spec: &EnvironmentSpec,
        options: DeployOptions,
    ) -> Result<Done, OperationError> {
        self.run(spec, &Operation::Deploy(options)).await
    }

    /// Sends all traffic to the other colour.
    pub async fn switch(
        &self,
        spec: &EnvironmentSpec,
        options: SwitchOptions,
    ) -> Result<Done, OperationError> {
        self.run(spec, &Operation::Switch(options)).await
    }

    /// Stops the colour that does not serve.
    pub async fn scaledown(
        &self,
        spec: &EnvironmentSpec,
        options: ScaledownOptions,
    ) -> Result<Done, OperationError> {
        self.run(spec, &Operation::Scaledown(options)).await
    }

    /// Goes back to one colour, the live one, and removes what the tool made.
    pub async fn downgrade(
        &self,
        spec: &EnvironmentSpec,
        options: DowngradeOptions,
    ) -> Result<Done, OperationError> {
        self.run(spec, &Operation::Downgrade(options)).await
    }

    /// Takes a committed run back, if nobody changed what it left.
    pub async fn undo(
        &self,
        spec: &EnvironmentSpec,
        options: UndoOptions,
    ) -> Result<Done, OperationError> {
        self.run(spec, &Operation::Undo(options)).await
    }

    /// Reads an environment as it is now.
    pub async fn observe(&self, spec: &EnvironmentSpec) -> Result<Environment, OperationError> {
        super::observe(&*self.cloud, spec).await
    }

    /// Plans an operation and does nothing else.
    pub async fn plan(
        &self,
        spec: &EnvironmentSpec,
        operation: &Operation,
    ) -> Result<(Environment, Decision), OperationError> {
        let run = RunId::generate(self.clock.now());
        let circumstances = self.circumstances(spec, operation, run).await?;
        prepare(&*self.cloud, spec, operation, &circumstances).await
    }

    /// Runs an operation from the guard to the verification.
    ///
    /// An error says in its [kind](super::OperationErrorKind) what state the world is in.
    pub async fn run(
        &self,
        spec: &EnvironmentSpec,
        operation: &Operation,
    ) -> Result<Done, OperationError> {
        self.check_confirmed(spec)?;
        let prepared = self.prepare(spec, operation).await?;
        self.execute(prepared).await
    }

    /// Locks the environment and plans, so that what was planned can be looked at before
    /// [`execute`](Self::execute) runs it.
    pub async fn prepare(
        &self,
        spec: &EnvironmentSpec,
        operation: &Operation,
    ) -> Result<Prepared, OperationError> {
        let run = RunId::generate(self.clock.now());
        let lease = self.lock(&spec.name, operation.name(), &run).await?;
        let found = async {
            let circumstances = self.circumstances(spec, operation, run.clone()).await?;
            prepare(&*self.cloud, spec, operation, &circumstances).await
        };
        match found.await {
            Ok((environment, decision)) => {
                let undoes = match operation {
                    Operation::Undo(options) => Some(options.run.clone()),
                    _ => None,
                };
                let (spec, operation) = (spec.clone(), operation.name());
                Ok(Prepared { spec, operation, run, undoes, environment, decision, lease })
            }
            Err(error) => {
                lease.release().await;
                Err(error)
            }
        }
    }

    /// Runs what was prepared, and nothing else; then gives the lock back.
    pub async fn execute(&self, prepared: Prepared) -> Result<Done, OperationError> {
        let Prepared { spec, operation, run, undoes, decision, lease, .. } = prepared;
        self.decided(&spec, operation, run, undoes, decision, lease).await
    }

    /// Does what was decided, and gives the lock back.
    pub(super) async fn decided(
        &self,
        spec: &EnvironmentSpec,
        operation: &'static str,
        run: RunId,
        undoes: Option<RunId>,
        decision: Decision,
        lease: Lease,
    ) -> Result<Done, OperationError> {
        let lease = Arc::new(lease);
        let done = match decision {
            Decision::Nothing(why) => Ok(Done::Nothing(why)),
            Decision::Run(plan) => {
                let (name, actor) = (spec.name.clone(), self.actor.to_string());
                let header = Header { undoes, ..Header::new(run, operation, name, actor, plan) };
                Box::pin(self.carry_out(spec, header, &lease)).await
            }
        };
        lease.release().await;
        done
    }

    async fn carry_out(
        &self,
        spec: &EnvironmentSpec,
        header: Header<CloudChange, CloudGate>,
        lease: &Arc<Lease>,
    ) -> Result<Done, OperationError> {
        self.check_confirmed(spec)?;
        // Somebody may have thought about the plan for long.
        lease.check().await?;
        let journal = self.store.create(&header.run).await?;
        Ok(Done::Ran(self.engine(lease).run(header, journal).await?))
    }

    /// Returns every run, newest first.
    pub async fn log(&self) -> Result<Vec<RunSummary>, OperationError> {
        history::runs(&*self.store).await
    }

    /// Returns one run, step by step.
    pub async fn show(&self, run: &RunId) -> Result<RunDetails, OperationError> {
        history::run_details(&*self.store, run).await
    }

    pub(super) fn engine(&self, lease: &Arc<Lease>) -> Engine<CloudChange, CloudGate> {
        Engine::new(Arc::clone(&self.cloud))
            .with_lease(Arc::clone(lease))
            .with_sink(Arc::clone(&self.sink))
            .with_clock(Arc::clone(&self.clock))
            .with_cancel(self.cancel.clone())
            .with_policy(self.policy)
    }

    pub(super) async fn lock(
        &self,
        environment: &EnvironmentName,
        operation: &str,
        run: &RunId,
    ) -> Result<Lease, OperationError> {
        let Actor { owner, host, process } = self.actor.clone();
        let holder = Holder {
            owner,
            host,
            process,
            operation: operation.to_owned(),
            run: run.clone(),
            since: self.clock.now(),
        };
        let lock = self.store.lock(environment, &holder, self.term).await?;
        Ok(Lease::keep(lock, Arc::clone(&self.clock), self.term))
    }

    pub(super) fn check_confirmed(&self, spec: &EnvironmentSpec) -> Result<(), OperationError> {
        if !spec.protected || self.confirmation.as_ref() == Some(&spec.name) {
            return Ok(());
        }
        let (name, account) = (&spec.name, &spec.account);
        Err(OperationError::refused(format!(
            "account {account} is protected, and changing `{name}` was not confirmed"
        ))
        .with_hint(format!("confirm it by name: `--confirm {name}`")))
    }
}
