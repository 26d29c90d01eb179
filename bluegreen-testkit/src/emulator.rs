//! A real AWS endpoint on loopback: [moto](https://docs.getmoto.org) behind a recording proxy.
//!
//! [`Emulator::start`] makes, once for a checkout, a Python virtual environment with the pinned
//! moto under cargo's target folder, and serves one empty AWS account. A [`Proxy`] in front of it
//! notes every call, answers the few that moto lacks, and spoils those that a test picks.
//!
//! ```no_run
//! # async fn example() {
//! use bluegreen_testkit::emulator::{Emulator, Fault};
//!
//! let emulator = Emulator::start().await;
//! let proxy = emulator.proxy().await;
//! proxy.fail_mutation(2, Fault::LoseReply);
//! // Point an SDK's `endpoint_url` at `proxy.url()`, run what is to be tested, and look.
//! assert!(proxy.calls().iter().all(|call| call.service == "elasticloadbalancing"));
//! # }
//! ```
//!
//! Everything here runs on real time and real sockets: a paused tokio clock does not work.
//! moto judges the wire (requests, parsing, pagination, permissions). What it says about health,
//! draining and limits is not what AWS says.

pub mod account;
mod bucket;
mod call;
mod error;
mod fault;
mod filler;
mod proxy;
mod query;
mod refusal;
mod relay;
mod server;
pub mod stack;
#[cfg(test)]
mod tests;
mod venv;

use std::io;
use std::path::PathBuf;

pub use bucket::make_bucket;
pub use call::Call;
pub use error::EmulatorError;
pub use fault::{Fault, Trigger};
pub use proxy::Proxy;
pub use query::{QueryReply, query};

use server::Server;

/// Returns the Python that moto runs in, which has boto3 too; AWS's command line `aws` lies beside
/// it.
///
/// Installs them if they are not there yet, as [`Emulator::try_start`] does.
pub async fn python() -> Result<PathBuf, EmulatorError> {
    aside(venv::ready).await
}

/// Does what blocks where it keeps nobody waiting.
async fn aside<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, EmulatorError> + Send + 'static,
) -> Result<T, EmulatorError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|panic| EmulatorError::Interrupted(panic.into()))?
}

/// One running moto with an empty AWS account; it ends when this is dropped.
#[derive(Debug)]
pub struct Emulator {
    server: Server,
}

impl Emulator {
    /// Starts moto, for tests: see [`Emulator::try_start`].
    ///
    /// # Panics
    ///
    /// If moto cannot be started, with what to do about it.
    pub async fn start() -> Self {
        match Self::try_start().await {
            Ok(emulator) => emulator,
            Err(error) => panic!("{}", error::chain(&error)),
        }
    }

    /// Starts moto on a free loopback port and waits until it serves.
    ///
    /// The first call in a checkout installs moto, which takes some ten seconds and a package
    /// index; tests that start at the same time wait for the one that installs.
    pub async fn try_start() -> Result<Self, EmulatorError> {
        Ok(Self { server: aside(|| Server::start(&venv::ready()?)).await? })
    }

    /// Where it serves, for the `endpoint_url` of an SDK.
    pub fn url(&self) -> String {
        format!("http://{}", self.server.address())
    }

    /// A new proxy in front of this emulator, on a port of its own.
    ///
    /// # Panics
    ///
    /// If no loopback port can be bound.
    pub async fn proxy(&self) -> Proxy {
        Proxy::start(self.server.address()).await.expect("a loopback port can be bound")
    }

    /// From now on every call must be signed by a user that may make it.
    ///
    /// Make users, policies and keys before, with [`query`] and the service `iam`.
    ///
    /// # Errors
    ///
    /// If the emulator does not answer.
    pub async fn enforce_permissions(&self) -> io::Result<()> {
        query::trust(self.server.address(), "0").await
    }

    /// From now on every call may be made by anybody, as in the beginning.
    ///
    /// # Errors
    ///
    /// If the emulator does not answer.
    pub async fn trust_everybody(&self) -> io::Result<()> {
        query::trust(self.server.address(), "inf").await
    }
}
