//! The data plane: load balancers that are sockets, machines that are servers, checks that are
//! requests.
//!
//! One task follows each site ten times a second. What a listener does is worked out once for each
//! change and swapped in whole: requests read it without a lock.
//!
//! # Limits
//!
//! No HTTP/2, gRPC, web sockets, UDP, Lambda targets, authentication (it lets everybody in), regular
//! expressions and transforms in rules, application cookies, slow start, zonal shifts. The cookies
//! of stickiness name things by hashes and say `Max-Age`. A request that takes longer than the idle
//! timeout to be answered gets a 504, even if its own body is what takes so long. A command that is
//! run for a machine must stay in the foreground, is told its ports when it starts, and is not run
//! again when it ends by itself.

mod answer;
mod board;
mod body;
mod built_in;
mod check;
mod command;
mod condition;
mod cookie;
mod endpoint;
mod fate;
mod flow;
mod group;
mod keeper;
mod line;
mod listener;
mod machine;
mod meter;
mod ports;
mod proxy;
mod route;
mod sockets;
mod spelling;
mod task;
mod tls;
mod way;
mod wildcard;

#[cfg(test)]
mod tests;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bluegreen_core::model::{InstanceId, LoadBalancerName};
use tempfile::TempDir;
use tokio::runtime::Handle;

use self::board::Board;
use self::keeper::{Keeper, Running};
pub use self::meter::Meter;
use self::task::Task;
use self::tls::Tls;
use super::fault::Faults;
use super::{Options, Site};

/// The data planes of all sites.
#[derive(Debug)]
pub(super) struct DataPlanes {
    tls: Tls,
    logs: TempDir,
    runtime: Handle,
    all: Mutex<Vec<DataPlane>>,
}

/// The data plane of a site; everything of it ends when this is dropped.
#[derive(Debug)]
struct DataPlane {
    site: Arc<Site>,
    board: Arc<Board>,
    _keeper: Task,
}

impl DataPlanes {
    /// Makes what all data planes share; to be called in a runtime.
    pub(super) fn new() -> io::Result<Self> {
        let logs = tempfile::Builder::new().prefix("bluegreen-playground-").tempdir()?;
        Ok(Self { tls: Tls::new()?, logs, runtime: Handle::current(), all: Mutex::default() })
    }

    /// Follows a site from now on.
    pub(super) fn follow(&self, site: &Arc<Site>, faults: &Arc<Faults>, options: &Options) {
        let board = Arc::new(Board::default());
        let keeper = Keeper {
            site: Arc::clone(site),
            faults: Arc::clone(faults),
            options: options.clone(),
            board: Arc::clone(&board),
            tls: self.tls.clone(),
            logs: self.logs.path().to_owned(),
            running: Running::default(),
        };
        let keeper = Task::spawn_on(&self.runtime, keeper.run());
        self.all().push(DataPlane { site: Arc::clone(site), board, _keeper: keeper });
    }

    /// Ends everything.
    pub(super) fn stop(&self) {
        self.all().clear();
    }

    /// Returns where a listener really listens; in the first site that has it.
    pub(super) fn address(
        &self,
        load_balancer: &LoadBalancerName,
        port: u16,
    ) -> Option<SocketAddr> {
        self.all().iter().find_map(|plane| plane.board.address(load_balancer, port))
    }

    /// Returns what went through all listeners.
    pub(super) fn meters(&self) -> Vec<Meter> {
        let read =
            |plane: &DataPlane| plane.board.meters.read(&plane.site.account, &plane.site.region);
        self.all().iter().flat_map(read).collect()
    }

    /// Returns what people should hear of.
    pub(super) fn troubles(&self) -> Vec<String> {
        self.all().iter().flat_map(|plane| plane.board.troubles()).collect()
    }

    /// Returns where the command of a machine writes what it says.
    pub(super) fn log(&self, instance: &InstanceId) -> Option<PathBuf> {
        let log = self.logs.path().join(format!("{instance}.log"));
        log.is_file().then_some(log)
    }

    fn all(&self) -> MutexGuard<'_, Vec<DataPlane>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
