//! steno on actions that do nothing.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use serde::Serialize;
use steno::{
    ActionContext, ActionError, ActionRegistry, DagBuilder, Node, SagaCachedState,
    SagaCreateParams, SagaDag, SagaId, SagaName, SagaNodeEvent, SagaType, SecStore,
};

use crate::{Case, Keeping, Sample, Shape, folder, timed};

#[derive(Debug)]
struct Nothing;

impl SagaType for Nothing {
    type ExecContextType = ();
}

/// A graph and the actions that it names.
pub(crate) struct Graph {
    dag: Arc<SagaDag>,
    registry: Arc<ActionRegistry<Nothing>>,
}

async fn nothing(_: ActionContext<Nothing>) -> Result<(), ActionError> {
    Ok(())
}

pub(crate) fn graph(case: Case) -> Graph {
    let action = steno::new_action_noop_undo("nothing", nothing);
    let mut registry = ActionRegistry::new();
    registry.register(Arc::clone(&action));
    let node = |at: usize| Node::action(format!("flag {at}"), "nothing", action.as_ref());
    let nodes = (0..case.changes).map(node);
    let mut builder = DagBuilder::new(SagaName::new("bench"));
    match case.shape {
        Shape::Chain => nodes.for_each(|node| builder.append(node)),
        Shape::SideBySide => {
            builder.append_parallel(nodes.collect());
            // A saga must end in one node.
            builder.append(Node::constant("output", serde_json::Value::Null));
        }
    }
    let dag = builder.build().expect("the graph is sound");
    let dag = Arc::new(SagaDag::new(dag, serde_json::Value::Null));
    Graph { dag, registry: Arc::new(registry) }
}

pub(crate) async fn run(graph: &Graph, case: Case) -> Sample {
    match case.keeping {
        Keeping::Memory => run_in(graph, || Place::Memory(Mutex::default())).await,
        Keeping::Disk => {
            let folder = folder();
            let path = folder.path().join("saga.journal");
            let open = || {
                let mut options = OpenOptions::new();
                let file = options.create_new(true).append(true).open(&path).expect("a new file");
                // Its name must survive a crash as well as what is in it.
                File::open(folder.path()).and_then(|it| it.sync_all()).expect("a disk");
                Place::File(Arc::new(file))
            };
            run_in(graph, open).await
        }
    }
}

async fn run_in(graph: &Graph, open: impl FnOnce() -> Place) -> Sample {
    let log = slog::Logger::root(slog::Discard, slog::o!());
    let work = async {
        let store = Arc::new(Store { place: open(), appends: AtomicUsize::new(0) });
        let sec = steno::sec(log, Arc::clone(&store) as Arc<dyn SecStore>);
        let id = SagaId::new_v4();
        let (dag, registry) = (Arc::clone(&graph.dag), Arc::clone(&graph.registry));
        let saga = sec.saga_create(id, Arc::new(()), dag, registry).await.expect("it is new");
        sec.saga_start(id).await.expect("it was made");
        saga.await.kind.expect("nothing goes wrong");
        (sec, store)
    };
    let ((sec, store), time) = timed(work).await;
    sec.shutdown().await;
    Sample { time, appends: store.appends.load(Ordering::Relaxed) }
}

/// Where the events of a saga go.
#[derive(Debug)]
struct Store {
    place: Place,
    appends: AtomicUsize,
}

#[derive(Debug)]
enum Place {
    Memory(Mutex<Vec<String>>),
    File(Arc<File>),
}

impl Store {
    /// Appends one line of JSON, and returns once it would survive a crash if `durable`.
    async fn append(&self, what: &(impl Serialize + Sync), durable: bool) {
        let mut line = serde_json::to_string(what).expect("plain data");
        self.appends.fetch_add(1, Ordering::Relaxed);
        match &self.place {
            Place::Memory(lines) => lines.lock().expect("nobody panics").push(line),
            Place::File(file) => {
                line.push('\n');
                let file = Arc::clone(file);
                let write = move || {
                    (&*file).write_all(line.as_bytes())?;
                    if durable { file.sync_data() } else { Ok(()) }
                };
                let written = tokio::task::spawn_blocking(write).await;
                written.expect("nobody panics").expect("room on the disk");
            }
        }
    }
}

#[async_trait]
impl SecStore for Store {
    async fn saga_create(&self, saga: SagaCreateParams) -> Result<(), anyhow::Error> {
        self.append(&saga, true).await;
        Ok(())
    }

    async fn record_event(&self, event: SagaNodeEvent) {
        self.append(&event, true).await;
    }

    async fn saga_update(&self, _: SagaId, state: SagaCachedState) {
        self.append(&state, false).await;
    }
}
