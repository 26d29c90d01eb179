//! AWS on loopback: a control plane that AWS's own clients can talk to, real traffic, real faults.
//!
//! A [`Playground`] listens on one address. Programs reach every account and region there by AWS's
//! query protocol; behind each is the state machine of [`FakeCloud`], on real
//! time. Load balancers have addresses of their own on loopback, and machines are real servers.
//!
//! ```no_run
//! # async fn example() -> std::io::Result<()> {
//! use bluegreen_testkit::playground::{Options, Playground};
//!
//! let playground = Playground::start(Options::default()).await?;
//! println!("aws --endpoint-url {} elbv2 describe-load-balancers", playground.url());
//! # Ok(())
//! # }
//! ```
//!
//! # Limits
//!
//! Signatures are read and never checked. Linux only: every address of `127.0.0.0/8` must be there.

mod autoscaler;
mod block;
mod buckets;
mod control;
mod data;
mod facts;
pub mod fault;
pub mod load;
mod measure;
mod page;
pub mod remote;
mod report;
mod saved;
mod server;
mod site;
mod stack;
pub mod topology;

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bluegreen_core::model::{InstanceId, LoadBalancerName};
use bluegreen_core::transaction::Store;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde::Serialize;
use tokio::net::TcpListener;
use tokio::task::AbortHandle;

use self::block::Block;
use self::buckets::Buckets;
use self::control::{Service, WireError};
use self::data::DataPlanes;
pub use self::data::Meter;
pub use self::fault::Faults;
use self::load::{Load, LoadOptions, LoadRoute, PhaseScore, Truth};
pub use self::site::Site;
pub use self::stack::Stack;
use self::topology::ListenerView;
use crate::fake::{FakeCloud, Timing};

/// How many calls are remembered.
const CALLS: usize = 10_000;

/// How a playground is to be.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Options {
    /// The port of its address on 127.0.0.1; any free one if it is 0.
    pub port: u16,
    /// From the launch of a machine until its server begins to start.
    pub boot: Duration,
    /// The command that is run for each machine instead of the built-in server.
    pub instance_command: Option<String>,
    /// From one health check to the next, whatever target groups say; theirs if it is not said.
    ///
    /// For tests that have no time: AWS checks every 5 seconds at most.
    pub check_interval: Option<Duration>,
    /// Whether calls are limited as AWS limits them.
    pub limits: bool,
    /// Where everything is kept: what the file holds is there from the start, and
    /// [`Playground::save`] writes it.
    pub state: Option<PathBuf>,
    /// The store whose runs the page shows.
    pub store: Option<Arc<dyn Store>>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            port: 0,
            boot: Duration::from_secs(1),
            instance_command: None,
            check_interval: None,
            limits: true,
            state: None,
            store: None,
        }
    }
}

/// One call that was made of the control plane.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ApiCall {
    /// When, since the playground was started.
    pub at: Duration,
    /// The account.
    pub account: String,
    /// The service, as signatures name it.
    pub service: &'static str,
    /// The action.
    pub action: String,
    /// Whether it could have changed anything.
    pub mutating: bool,
    /// The code with which it was refused.
    pub error: Option<String>,
}

/// AWS on loopback; it ends when this is dropped.
#[derive(Debug)]
pub struct Playground {
    shared: Arc<Shared>,
    address: SocketAddr,
    tasks: Vec<AbortHandle>,
}

/// What all parts of a playground share.
#[derive(Debug)]
struct Shared {
    options: Options,
    started: tokio::time::Instant,
    sites: Mutex<BTreeMap<(String, String), Arc<Site>>>,
    faults: Arc<Faults>,
    data: DataPlanes,
    block: Block,
    buckets: Buckets,
    calls: Mutex<VecDeque<ApiCall>>,
    requests: AtomicU64,
    load: tokio::sync::Mutex<Option<Loading>>,
}

/// A load, and who watches what is true meanwhile.
#[derive(Debug)]
struct Loading {
    load: Load,
    watch: AbortHandle,
    /// When it began, since the playground was started.
    began: Duration,
}

impl Drop for Loading {
    fn drop(&mut self) {
        self.watch.abort();
    }
}

impl Playground {
    /// Starts an empty playground.
    pub async fn start(options: Options) -> io::Result<Self> {
        allow_many_files();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port)).await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            buckets: Buckets::new(options.limits),
            options,
            started: tokio::time::Instant::now(),
            sites: Mutex::default(),
            faults: Arc::default(),
            data: DataPlanes::new()?,
            block: Block::take()?,
            calls: Mutex::default(),
            requests: AtomicU64::default(),
            load: tokio::sync::Mutex::default(),
        });
        saved::load(&shared)?;
        let server = tokio::spawn(server::serve(listener, Arc::clone(&shared)));
        let autoscaler = tokio::spawn(autoscaler::run(Arc::clone(&shared)));
        let measure = tokio::spawn(measure::run(Arc::clone(&shared)));
        let tasks = vec![server.abort_handle(), autoscaler.abort_handle(), measure.abort_handle()];
        Ok(Self { shared, address, tasks })
    }

    /// Returns the endpoint for AWS's clients, which is also the address of the page.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns an account in a region; an empty one if nobody asked for it before.
    pub fn site(&self, account: &str, region: &str) -> Arc<Site> {
        self.shared.site(account, region)
    }

    /// Returns what goes wrong.
    pub fn faults(&self) -> &Faults {
        &self.shared.faults
    }

    /// Returns where a listener really listens, if it is open.
    ///
    /// That is the address of its load balancer and its port, unless ports below 1024 may not be
    /// listened on: those are moved up by 10,000, and [`troubles`](Self::troubles) says so. If
    /// several sites have such a listener, it is that of the oldest one.
    pub fn address_of_listener(
        &self,
        load_balancer: &LoadBalancerName,
        port: u16,
    ) -> Option<SocketAddr> {
        self.shared.data.address(load_balancer, port)
    }

    /// Returns what went through every listener so far.
    pub fn meters(&self) -> Vec<Meter> {
        self.shared.data.meters()
    }

    /// Returns what could not be done as it was asked for, each once: ports that are taken,
    /// conditions that nobody understands, commands that ended.
    pub fn troubles(&self) -> Vec<String> {
        self.shared.data.troubles()
    }

    /// Returns the file to which the command of a machine writes what it says.
    pub fn log_of_machine(&self, instance: &InstanceId) -> Option<PathBuf> {
        self.shared.data.log(instance)
    }

    /// Returns the last calls of the control plane, oldest first.
    pub fn calls(&self) -> Vec<ApiCall> {
        self.shared.calls().iter().cloned().collect()
    }

    /// Returns whether there is no load balancer anywhere.
    pub fn is_empty(&self) -> bool {
        self.shared.all_sites().iter().all(|site| site.cloud().world().load_balancers.is_empty())
    }

    /// Waits until every listener that lets requests in is a socket, but not for long.
    pub async fn wait_for_listeners(&self) {
        for _ in 0..100 {
            let sites = self.shared.all_sites();
            let mut listeners = sites.iter().flat_map(|site| site.topology().listeners);
            let is_there = |one: &ListenerView| {
                !one.open || self.address_of_listener(&one.load_balancer, one.port).is_some()
            };
            if listeners.all(|one| is_there(&one)) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Returns where every listener that lets requests in listens, by `load balancer:port`.
    pub fn addresses(&self) -> Vec<(String, SocketAddr)> {
        let sites = self.shared.all_sites();
        let listeners = sites.iter().flat_map(|site| site.topology().listeners);
        let address = |one: ListenerView| {
            let address = self.address_of_listener(&one.load_balancer, one.port)?;
            Some((format!("{}:{}", one.load_balancer, one.port), address))
        };
        listeners.filter(|one| one.open).filter_map(address).collect()
    }

    /// Makes the service `name`, with a load balancer for HTTP and HTTPS and three machines.
    ///
    /// Fails if there is something of that name already.
    pub fn front_end(&self, account: &str, region: &str, name: &str) -> io::Result<Stack> {
        let made = stack::front_end(&self.shared.site(account, region), name);
        made.map_err(|error| io::Error::other(format!("{}: {}", error.code, error.message)))
    }

    /// Begins to ask every listener of a site that lets requests in; ends the load before.
    pub async fn start_load(&self, site: &Arc<Site>, rate: f64) {
        self.shared.start_load(site, rate).await;
    }

    /// Marks a moment of the load: what follows is counted on its own.
    pub async fn mark(&self, label: &str) {
        self.shared.mark(label).await;
    }

    /// Returns how every phase of the load has gone so far; nothing if there was none.
    pub async fn scores(&self) -> Vec<PhaseScore> {
        let loading = self.shared.load.lock().await;
        loading.as_ref().map_or_else(Vec::new, |loading| loading.load.scores())
    }

    /// Ends the load, and returns how every phase of it went.
    pub async fn stop_load(&self) -> Vec<PhaseScore> {
        self.shared.stop_load().await;
        self.scores().await
    }

    /// Returns a page that shows how the load went, and needs nothing else to be looked at.
    pub async fn report(&self, title: &str) -> String {
        report::html(title, &self.shared).await
    }
}

impl Drop for Playground {
    fn drop(&mut self) {
        self.tasks.iter().for_each(AbortHandle::abort);
        self.shared.data.stop();
    }
}

impl Shared {
    fn site(&self, account: &str, region: &str) -> Arc<Site> {
        let mut sites = self.sites.lock().unwrap_or_else(PoisonError::into_inner);
        let number = u8::try_from(sites.len()).unwrap_or(u8::MAX);
        let key = (account.to_owned(), region.to_owned());
        let make = || {
            let site =
                Arc::new(Site::new(account, region, self.block.octet(), number, self.cloud()));
            self.data.follow(&site, &self.faults, &self.options);
            site
        };
        Arc::clone(sites.entry(key).or_insert_with(make))
    }

    fn all_sites(&self) -> Vec<Arc<Site>> {
        let sites = self.sites.lock().unwrap_or_else(PoisonError::into_inner);
        sites.values().cloned().collect()
    }

    /// Makes a cloud that is as quick as people at a playground are patient.
    fn cloud(&self) -> FakeCloud {
        FakeCloud::default().with_timing(Timing {
            pending: self.options.boot,
            boot: self.options.boot,
            termination: Duration::from_secs(1),
            group_deletion: Duration::from_secs(1),
            ..Timing::default()
        })
    }

    fn next_request_id(&self) -> String {
        let number = self.requests.fetch_add(1, Ordering::Relaxed);
        format!("00000000-0000-4000-8000-{number:012x}")
    }

    fn note_call(
        &self,
        site: &Site,
        service: Service,
        action: &str,
        mutating: bool,
        error: Option<&WireError>,
    ) {
        let (at, account) = (self.started.elapsed(), site.account.clone());
        let (service, action) = (service.name(), action.to_owned());
        let error = error.map(|error| error.code.clone());
        let mut calls = self.calls();
        if calls.len() == CALLS {
            calls.pop_front();
        }
        calls.push_back(ApiCall { at, account, service, action, mutating, error });
    }

    async fn start_load(&self, site: &Arc<Site>, rate: f64) {
        self.stop_load().await;
        let truth = Arc::new(Truth::default());
        let watch = Arc::clone(&truth).keep_looking(Arc::clone(site));
        let watch = tokio::spawn(watch).abort_handle();
        let options = LoadOptions::new(self.open_routes(site)).with_rate(rate);
        let began = self.started.elapsed();
        let load = Load::start(options, truth);
        *self.load.lock().await = Some(Loading { load, watch, began });
    }

    async fn mark(&self, label: &str) {
        if let Some(loading) = &*self.load.lock().await {
            loading.load.mark(label);
        }
    }

    /// Returns every route of a site that lets requests in, to be asked.
    fn open_routes(&self, site: &Site) -> Vec<LoadRoute> {
        let listeners = site.topology().listeners.into_iter();
        let open = listeners.filter(|one| one.open && matches!(&*one.protocol, "HTTP" | "HTTPS"));
        let route = |one: ListenerView| {
            Some(LoadRoute {
                name: format!("{}:{}", one.load_balancer, one.port),
                address: self.data.address(&one.load_balancer, one.port)?,
                tls: one.protocol == "HTTPS",
                path: "/".to_owned(),
            })
        };
        open.filter_map(route).collect()
    }

    /// Ends the load; what became of it stays until the next one.
    async fn stop_load(&self) {
        if let Some(loading) = &mut *self.load.lock().await {
            loading.load.stop().await;
        }
    }

    fn calls(&self) -> MutexGuard<'_, VecDeque<ApiCall>> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Lets the process have as many sockets as the system allows it: a load and its balancers have two
/// for each request that is under way, and many systems allow 1,024 unless asked.
fn allow_many_files() {
    let limit = getrlimit(Resource::Nofile);
    // With fewer it works as long as they are enough.
    let _unchanged = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
}
