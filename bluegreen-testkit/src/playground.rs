//! AWS on loopback: a control plane that AWS's own clients can talk to, real traffic, real faults.
//!
//! A [`Playground`] listens on one address. Programs reach every account and region there by AWS's
//! query protocol; behind each is the state machine of [`FakeCloud`](crate::FakeCloud), on real
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
mod buckets;
mod control;
mod facts;
pub mod fault;
mod page;
mod server;
mod site;
pub mod topology;

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::AbortHandle;

use self::buckets::Buckets;
use self::control::{Service, WireError};
pub use self::fault::Faults;
pub use self::site::Site;
use crate::fake::{FakeCloud, Timing};

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
    /// Whether calls are limited as AWS limits them.
    pub limits: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { port: 0, boot: Duration::from_secs(1), instance_command: None, limits: true }
    }
}

/// One call that was made of the control plane.
#[derive(Clone, Debug, PartialEq, Eq)]
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
    faults: Faults,
    buckets: Buckets,
    calls: Mutex<Vec<ApiCall>>,
    requests: AtomicU64,
}

impl Playground {
    /// Starts an empty playground.
    pub async fn start(options: Options) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port)).await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            options,
            started: tokio::time::Instant::now(),
            sites: Mutex::default(),
            faults: Faults::default(),
            buckets: Buckets::default(),
            calls: Mutex::default(),
            requests: AtomicU64::default(),
        });
        let server = tokio::spawn(server::serve(listener, Arc::clone(&shared)));
        let autoscaler = tokio::spawn(autoscaler::run(Arc::clone(&shared)));
        let tasks = vec![server.abort_handle(), autoscaler.abort_handle()];
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

    /// Returns every call of the control plane so far.
    pub fn calls(&self) -> Vec<ApiCall> {
        self.shared.calls().clone()
    }
}

impl Drop for Playground {
    fn drop(&mut self) {
        self.tasks.iter().for_each(AbortHandle::abort);
    }
}

impl Shared {
    fn site(&self, account: &str, region: &str) -> Arc<Site> {
        let mut sites = self.sites.lock().unwrap_or_else(PoisonError::into_inner);
        let number = u8::try_from(sites.len()).unwrap_or(u8::MAX);
        let key = (account.to_owned(), region.to_owned());
        let make = || Arc::new(Site::new(account, region, number, self.cloud()));
        Arc::clone(sites.entry(key).or_insert_with(make))
    }

    fn every_site(&self) -> Vec<Arc<Site>> {
        let sites = self.sites.lock().unwrap_or_else(PoisonError::into_inner);
        sites.values().map(Arc::clone).collect()
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
        self.calls().push(ApiCall { at, account, service, action, mutating, error });
    }

    fn calls(&self) -> MutexGuard<'_, Vec<ApiCall>> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
