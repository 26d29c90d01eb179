//! A proxy in front of the emulator that notes every call and spoils those it is told to.

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::call::Call;
use super::fault::{Fault, Script, Trigger};
use super::filler::Filler;
use super::relay;

/// A recording and fault-injecting HTTP proxy in front of an [`Emulator`](super::Emulator).
///
/// It forwards requests byte for byte, `Host` and signature included. Calls to Auto Scaling that
/// moto has not implemented (it answers them with a page of HTML) are answered as AWS does for a
/// group that does not use the feature: `DescribeInstanceRefreshes`,
/// `DescribeNotificationConfigurations`, and `DescribeTrafficSources`, which shows no source of
/// any type, attached target groups included.
///
/// Dropping it closes its port and cuts its connections; a call that is already on its way to the
/// emulator still lands.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    state: Arc<State>,
    accepting: JoinHandle<()>,
}

impl Proxy {
    /// Starts a proxy in front of the server at `emulator`.
    pub(super) async fn start(emulator: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let desk = Mutex::new(Desk { fills: true, ..Desk::default() });
        let state = Arc::new(State { emulator, epoch: Instant::now(), desk });
        let accepting = tokio::spawn(relay::accept(listener, Arc::clone(&state)));
        Ok(Self { address, state, accepting })
    }

    /// Passes on what moto answers to the calls that it has not implemented.
    #[must_use]
    pub fn without_fillers(self) -> Self {
        self.desk().fills = false;
        self
    }

    /// Where it listens, for the `endpoint_url` of an SDK.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Every call since the start or the last [`clear`](Self::clear), in the order of arrival.
    pub fn calls(&self) -> Vec<Call> {
        self.desk().calls.values().cloned().collect()
    }

    /// Forgets the calls; faults, delay and what was set for the fillers stay.
    pub fn clear(&self) {
        self.desk().calls.clear();
    }

    /// Every answer from now on takes that much longer; calls do not wait for each other.
    pub fn delay(&self, delay: Duration) {
        self.desk().delay = delay;
    }

    /// Sets a fault for the calls that `trigger` picks.
    pub fn fail(&self, trigger: Trigger, fault: Fault) {
        self.desk().script.add(trigger, fault);
    }

    /// Sets a fault for the `n`-th mutating call from now on, counted from 0.
    pub fn fail_mutation(&self, n: usize, fault: Fault) {
        self.fail(Trigger::mutation(n), fault);
    }

    /// Sets a fault for the `n`-th call of `action` from now on, counted from 0.
    pub fn fail_action(&self, action: &str, n: usize, fault: Fault) {
        self.fail(Trigger::action(action, n), fault);
    }

    /// Takes back every fault and the delay.
    pub fn heal(&self) {
        let mut desk = self.desk();
        desk.script = Script::default();
        desk.delay = Duration::ZERO;
    }

    /// Makes `DescribeInstanceRefreshes` tell of one refresh of this group, in a state such as
    /// `InProgress`.
    pub fn set_instance_refresh(&self, group: &str, status: &str) {
        self.desk().filler.set_instance_refresh(group, status);
    }

    /// Makes `DescribeNotificationConfigurations` tell that this group notifies `topic` of events
    /// of a type such as `autoscaling:EC2_INSTANCE_LAUNCH`.
    pub fn add_notification(&self, group: &str, topic: &str, event: &str) {
        self.desk().filler.add_notification(group, topic, event);
    }

    /// Says how many requests a target group had lately, `None` if nothing measures them; nobody
    /// asked for anything unless this says so.
    pub fn set_requests(&self, target_group: &str, count: Option<u64>) {
        self.desk().filler.set_requests(target_group, count);
    }

    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.state.desk()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// What the connections share with the handle.
#[derive(Debug)]
pub(super) struct State {
    emulator: SocketAddr,
    epoch: Instant,
    desk: Mutex<Desk>,
}

/// What is noted, and what is to be done.
#[derive(Debug, Default)]
struct Desk {
    /// In the order of arrival, by a number of their own, so that a call can be finished after
    /// the others were cleared away.
    calls: BTreeMap<u64, Call>,
    next: u64,
    script: Script,
    delay: Duration,
    filler: Filler,
    fills: bool,
}

/// What is to be done with one call.
#[derive(Debug)]
pub(super) struct Orders {
    /// The number to finish the call by.
    pub(super) number: u64,
    pub(super) fault: Option<Fault>,
    pub(super) delay: Duration,
}

impl State {
    /// Where requests are forwarded to.
    pub(super) fn emulator(&self) -> SocketAddr {
        self.emulator
    }

    /// The time since the start.
    pub(super) fn now(&self) -> Duration {
        self.epoch.elapsed()
    }

    /// Notes a call and says what is to be done with it.
    pub(super) fn begin(&self, call: Call) -> Orders {
        let mut desk = self.desk();
        let number = desk.next;
        let fault = desk.script.strike(&call);
        desk.next += 1;
        desk.calls.insert(number, call);
        Orders { number, fault, delay: desk.delay }
    }

    /// Notes that the emulator has answered.
    pub(super) fn landed(&self, number: u64, status: u16) {
        if let Some(call) = self.desk().calls.get_mut(&number) {
            call.emulator_status = Some(status);
        }
    }

    /// Notes how the caller was answered, `None` if the connection is cut.
    pub(super) fn finish(&self, number: u64, status: Option<u16>) {
        let now = self.now();
        if let Some(call) = self.desk().calls.get_mut(&number) {
            call.finished = Some(now);
            call.status = status;
        }
    }

    /// What AWS answers to a call that moto has not implemented.
    pub(super) fn fill(&self, call: &Call) -> Option<String> {
        let desk = self.desk();
        if desk.fills { desk.filler.answer(call) } else { None }
    }

    fn desk(&self) -> MutexGuard<'_, Desk> {
        // No change of the desk can panic halfway.
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
