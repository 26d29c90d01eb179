//! The example environment on the fake, ready to be operated on.

use std::sync::Arc;
use std::time::Duration;

use bluegreen_core::model::{
    AccountId, Color, Environment, EnvironmentName, ImageId, Liveness, LoadBalancerKind, Quiet,
    RunId, ScalingGroupName,
};
use bluegreen_core::operation::{
    Bluegreen, Done, EnvironmentSpec, Operation, OperationError, RecoverOptions, RunSummary,
};
use bluegreen_core::plan::{
    DeployOptions, DeploySource, ScaledownOptions, SwitchOptions, UndoOptions, UpgradeOptions,
};
use bluegreen_core::transaction::{Cancel, Ending, Outcome};
use bluegreen_testkit::event_log::EventLog;
use bluegreen_testkit::journal::MemoryStore;
use bluegreen_testkit::{FakeCloud, World};

/// A cloud, a store and what is configured.
#[derive(Clone, Debug)]
pub(crate) struct Scene {
    pub(crate) cloud: FakeCloud,
    pub(crate) store: MemoryStore,
    pub(crate) events: EventLog,
    pub(crate) cancel: Cancel,
    pub(crate) spec: EnvironmentSpec,
}

/// What can be done to an environment, without any choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    Upgrade,
    Deploy,
    Switch,
    Scaledown,
}

impl Verb {
    pub(crate) const ALL: [Self; 4] = [Self::Upgrade, Self::Deploy, Self::Switch, Self::Scaledown];
}

impl Scene {
    pub(crate) fn new(cloud: FakeCloud) -> Self {
        let spec = EnvironmentSpec::new(
            EnvironmentName::new("IE-L-NGINX"),
            AccountId::new("123456789012"),
            ScalingGroupName::new("nginx-live"),
            "18080-18099".parse().expect("a range"),
        );
        // Nobody counts the flows of one target group there: whoever has one says so.
        let mut balancers = cloud.world().load_balancers.into_values();
        let unmeasured = balancers.any(|one| one.kind == LoadBalancerKind::Network);
        let spec = spec.with_quiet(Quiet { unmeasured, ..Quiet::default() });
        let cloud = cloud.with_account("123456789012");
        let (store, events, cancel) = (MemoryStore::new(), EventLog::new(), Cancel::new());
        Self { cloud, store, events, cancel, spec }
    }

    pub(crate) fn example() -> Self {
        Self::new(FakeCloud::example())
    }

    /// An example on which everything has been done that comes before `verb`.
    pub(crate) async fn before(verb: Verb) -> Self {
        let scene = Self::example();
        let earlier = Verb::ALL.into_iter().take_while(|earlier| *earlier != verb);
        for earlier in earlier {
            scene.must(earlier).await;
        }
        scene.cloud.forget_calls();
        scene
    }

    /// The same cloud and store as another process sees them.
    pub(crate) fn of_another_process(&self) -> Self {
        let store = self.store.survive();
        Self { store, cancel: Cancel::new(), ..self.clone() }
    }

    pub(crate) fn with_store(self, store: MemoryStore) -> Self {
        Self { store, ..self }
    }

    pub(crate) fn bluegreen(&self) -> Bluegreen {
        Bluegreen::new(self.cloud.clone(), self.store.clone())
            .with_clock(Arc::new(self.cloud.clone()))
            .with_sink(Arc::new(self.events.clone()))
            .with_cancel(self.cancel.clone())
    }

    pub(crate) fn operation(verb: Verb) -> Operation {
        match verb {
            Verb::Upgrade => Operation::Upgrade(UpgradeOptions::default()),
            Verb::Deploy => Operation::Deploy(image("ami-0b")),
            Verb::Switch => Operation::Switch(SwitchOptions::default()),
            Verb::Scaledown => Operation::Scaledown(ScaledownOptions::default()),
        }
    }

    pub(crate) async fn operate(&self, verb: Verb) -> Result<Done, OperationError> {
        // Runs are told apart, and put in order, by when they began.
        tokio::time::sleep(Duration::from_millis(1)).await;
        self.bluegreen().run(&self.spec, &Self::operation(verb)).await
    }

    /// Does something that must succeed and must have something to do.
    pub(crate) async fn must(&self, verb: Verb) {
        let outcome = self.ran(verb).await;
        assert_eq!(outcome.ending, Ending::Committed);
    }

    /// Does the same, and returns what it did.
    pub(crate) async fn ran(&self, verb: Verb) -> Outcome {
        match self.operate(verb).await {
            Ok(Done::Ran(outcome)) => outcome,
            other => panic!("{verb:?} should have run: {other:?}"),
        }
    }

    pub(crate) async fn environment(&self) -> Environment {
        self.bluegreen().observe(&self.spec).await.expect("the environment can be read")
    }

    pub(crate) async fn live(&self) -> Liveness {
        self.environment().await.liveness()
    }

    pub(crate) fn world(&self) -> World {
        self.cloud.world()
    }

    /// Recovers every open run.
    pub(crate) async fn recover(&self) -> Vec<Result<Done, OperationError>> {
        self.recover_with(&RecoverOptions::default()).await
    }

    /// Recovers every open run as `options` say.
    pub(crate) async fn recover_with(
        &self,
        options: &RecoverOptions,
    ) -> Vec<Result<Done, OperationError>> {
        let bluegreen = self.bluegreen();
        let runs = bluegreen.log().await.expect("the journals can be read");
        let mut ends = Vec::new();
        for run in runs.into_iter().filter(RunSummary::is_open) {
            ends.push(bluegreen.recover(&run.run, options, |_| Some(self.spec.clone())).await);
        }
        ends
    }

    /// Takes the newest run back.
    pub(crate) async fn undo_last(&self) -> Result<Done, OperationError> {
        let runs = self.bluegreen().log().await.expect("the journals can be read");
        let last = runs.first().expect("there is a run").run.clone();
        self.undo(last).await
    }

    /// Takes a run back.
    pub(crate) async fn undo(&self, run: RunId) -> Result<Done, OperationError> {
        self.bluegreen().undo(&self.spec, UndoOptions::new(run)).await
    }
}

pub(crate) fn image(name: &str) -> DeployOptions {
    let image = Some(ImageId::new(name));
    DeployOptions::new(DeploySource::Edit { image, user_data: None })
}

pub(crate) const fn live(color: Color) -> Liveness {
    Liveness::Live(color)
}

/// Lets everything land and finish that is still on its way.
pub(crate) async fn calm() {
    tokio::time::sleep(Duration::from_hours(2)).await;
}

/// Runs a future on virtual time.
pub(crate) fn on_virtual_time<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime needs nothing")
        .block_on(future)
}
