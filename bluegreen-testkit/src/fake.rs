//! A strict cloud in memory, on virtual time.
//!
//! It behaves as AWS is documented to, above all where that is unpleasant: a target group that no
//! route names is not checked, health is forgotten with the last route, machines take time to boot
//! and to drain, deletions take their time, nothing is made that was not asked for. Time is that of
//! `tokio::time`, so that a test which pauses it waits for nothing.
//!
//! # Limits
//!
//! Sick machines are not replaced by their groups, lifecycle hooks never hold a machine up, alarms
//! never go off and scheduled actions never run. A policy that follows requests shrinks a group
//! without any, but nothing ever grows one.

mod alarms;
mod builder;
mod call;
mod example;
mod health;
mod identity;
mod launch;
mod load_balancers;
mod machines;
mod measure;
mod meddle;
mod network;
mod papers;
mod piece;
mod pressure;
#[cfg(feature = "playground")]
mod real;
mod refusal;
mod scaling_groups;
mod scaling_policies;
mod state;
mod tags;
mod target_groups;
mod timing;
mod traffic;
pub(crate) mod validate;
#[cfg(feature = "playground")]
mod wire;
mod world;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bluegreen_core::model::{
    AccountId, ImageId, Instance, InstanceId, Limits, ScalingGroupName, TargetGroupName,
    TargetHealth, Timestamp,
};
use bluegreen_core::transaction::Clock;

use self::state::State;
use crate::fault::{Fault, Meddle, Script, Watcher};

pub use builder::{target_group, template};
pub use call::FakeCall;
pub use health::Thresholds;
#[cfg(feature = "playground")]
pub(crate) use real::{Machine, MachinePhase};
pub use timing::Timing;
pub use traffic::{Moment, Reach, Strength};
#[cfg(feature = "playground")]
pub(crate) use wire::VisibleGroup;
pub use world::{
    LaunchData, ListenerState, LoadBalancerState, RuleState, ScalingGroupState, TemplateState,
    VersionState, World,
};

/// A strict cloud in memory, on virtual time.
///
/// Clones are handles of the same cloud. Its clock starts when it is made, or at its first use if
/// it is made outside a runtime.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build()?.block_on(async {
/// use bluegreen_core::cloud::ReadTargetGroups;
/// use bluegreen_core::model::{HealthState, TargetGroupName};
/// use bluegreen_testkit::fake::FakeCloud;
///
/// let cloud = FakeCloud::example();
/// let health = cloud.target_health(&TargetGroupName::new("nginx-http")).await?;
/// assert!(health.iter().all(|target| target.state == HealthState::Healthy));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct FakeCloud {
    state: Arc<Mutex<State>>,
}

impl FakeCloud {
    /// Makes a cloud of a world in which everything has come to rest: every group has its
    /// machines, and every target that is checked passes.
    pub fn new(world: World) -> Self {
        Self { state: Arc::new(Mutex::new(State::new(world))) }
    }

    /// Makes a cloud of [`World::example`].
    pub fn example() -> Self {
        Self::new(World::example())
    }

    /// Sets the account that everybody is in.
    #[must_use]
    pub fn with_account(self, account: &str) -> Self {
        self.raw().account = AccountId::new(account);
        self
    }

    /// Sets how long things take.
    #[must_use]
    pub fn with_timing(self, timing: Timing) -> Self {
        self.raw().timing = timing;
        self
    }

    /// Sets how many of a thing the account may have.
    #[must_use]
    pub fn with_limits(self, limits: Limits) -> Self {
        self.raw().limits = limits;
        self
    }

    /// Sets how long every call takes.
    #[must_use]
    pub fn with_latency(self, latency: Duration) -> Self {
        self.raw().timing.latency = latency;
        self
    }

    /// Returns the configuration as it is now, whatever stale reads may show.
    pub fn world(&self) -> World {
        self.present().world.clone()
    }

    /// Changes the configuration behind everybody's back; the machines follow.
    pub fn edit(&self, edit: impl FnOnce(&mut World)) {
        self.present().edit(edit);
    }

    /// Lets everything that is under way come to its good end at once.
    pub fn settle(&self) {
        self.present().settle();
    }

    /// Returns the machines of a group, oldest first.
    pub fn instances(&self, group: &ScalingGroupName) -> Vec<Instance> {
        let state = self.present();
        let machines = state.machinery.of_group(group).into_iter();
        machines.map(machines::Machine::as_instance).collect()
    }

    /// Returns the image that a machine was launched from.
    pub fn image_of(&self, instance: &InstanceId) -> Option<ImageId> {
        Some(self.present().machinery.machines.get(instance)?.image.clone())
    }

    /// Returns what load balancers think of the targets of a group, without making a call.
    pub fn health(&self, target_group: &TargetGroupName) -> Vec<TargetHealth> {
        self.present().health(target_group)
    }

    /// Makes machines of an image, running ones too, fail their checks from the start.
    pub fn break_image(&self, image: &ImageId) {
        self.break_after(image, Duration::ZERO);
    }

    /// Makes machines of an image fail their checks once they have answered for that long.
    pub fn break_after(&self, image: &ImageId, answered: Duration) {
        self.disturb("an image breaks", |state| {
            state.machinery.broken_images.insert(image.clone(), answered);
        });
    }

    /// Makes machines of an image answer again.
    pub fn mend_image(&self, image: &ImageId) {
        self.disturb("an image is mended", |state| {
            state.machinery.broken_images.remove(image);
        });
    }

    /// Makes one machine fail its checks (`true`) or answer again (`false`).
    pub fn break_instance(&self, instance: &InstanceId, broken: bool) {
        self.disturb("a machine breaks", |state| {
            if let Some(machine) = state.machinery.machines.get_mut(instance) {
                machine.broken = broken;
            }
        });
    }

    /// Makes one machine stay when its group shrinks (`true`), or leave like any other (`false`).
    pub fn protect_instance(&self, instance: &InstanceId, protected: bool) {
        self.disturb("a machine is protected", |state| {
            if let Some(machine) = state.machinery.machines.get_mut(instance) {
                machine.protected = protected;
            }
        });
    }

    /// Stops a machine behind its group's back.
    pub fn stop_instance(&self, instance: &InstanceId) {
        self.disturb("a machine stops", |state| {
            if let Some(machine) = state.machinery.machines.get_mut(instance) {
                machine.stopped = true;
            }
        });
    }

    /// Registers a running machine of no group in a target group.
    pub fn register_stray(&self, target_group: &TargetGroupName, instance: &InstanceId) {
        self.disturb("a stray is registered", |state| {
            state.machinery.register_stray(target_group, instance, state.now);
        });
    }

    /// Says that an instance refresh is under way in a group, or that none is.
    pub fn set_instance_refresh(&self, group: &ScalingGroupName, status: Option<&str>) {
        let mut state = self.present();
        match status {
            Some(status) => state.refreshes.insert(group.clone(), status.to_owned()),
            None => state.refreshes.remove(group),
        };
    }

    /// Returns every call so far, in the order in which they were made.
    pub fn calls(&self) -> Vec<FakeCall> {
        self.present().calls.clone()
    }

    /// Forgets the calls so far, and what somebody else touched meanwhile.
    pub fn forget_calls(&self) {
        let mut state = self.present();
        state.calls.clear();
        state.met = None;
    }

    /// Returns how the traffic stood at every moment at which it changed.
    pub fn history(&self) -> Vec<Moment> {
        self.present().history.clone()
    }

    /// Forgets how the traffic stood before now.
    pub fn forget_history(&self) {
        self.present().forget_history();
    }

    /// Returns how much virtual time has passed since the start.
    pub fn elapsed(&self) -> Duration {
        self.present().now
    }

    /// Plans one fault for each changing call to come, and forgets every other plan.
    pub fn script(&self, faults: impl IntoIterator<Item = Fault>) {
        self.present().script = Script::of_writes(faults);
    }

    /// Plans a fault for the nth call from now, reading ones counted, the next being the 0th.
    pub fn fault_at_call(&self, nth: usize, fault: Fault) {
        self.present().script.at_call(nth, fault);
    }

    /// Plans a fault for the nth changing call from now, the next being the 0th.
    pub fn fault_at_write(&self, nth: usize, fault: Fault) {
        self.present().script.at_write(nth, fault);
    }

    /// Plans a fault for every changing call from the nth on, the next being the 0th.
    pub fn fault_from_write(&self, nth: usize, fault: Fault) {
        self.present().script.since_write(nth, fault);
    }

    /// Plans a fault for the nth call of a method from now, the next being the 0th.
    pub fn fault_on(&self, method: &str, nth: usize, fault: Fault) {
        self.present().script.on(method, nth, fault);
    }

    /// Does something just before the nth call from now, reading ones counted, the next being the
    /// 0th.
    pub fn before_call(&self, nth: usize, act: impl Fn(&Self) + Send + Sync + 'static) {
        self.present().script.watch(nth, Watcher(Arc::new(act)));
    }

    /// Touches the thing that a changing call was about, as somebody else would.
    pub fn meddle(&self, meddle: Meddle, with: &FakeCall) {
        if let Some(piece) = &with.piece {
            self.present().meddle(meddle, piece);
        }
    }

    /// Returns a cloud that is the same now, with nothing planned and nothing noted, and that goes
    /// its own way from here.
    ///
    /// # Panics
    ///
    /// If a call that lands late is still on its way: it could not land twice.
    #[must_use]
    pub fn fork(&self) -> Self {
        Self { state: Arc::new(Mutex::new(self.raw().fork())) }
    }

    /// Returns the thing that somebody else touched last if it is neither as they left it nor gone.
    pub fn overwritten(&self) -> Option<String> {
        let state = self.present();
        state.met.as_ref()?.overwritten_in(&state.world)
    }

    /// Returns the configuration as it is now, but with the things that some calls were about as
    /// they were in another world.
    pub fn world_but<'a>(
        &self,
        calls: impl IntoIterator<Item = &'a FakeCall>,
        old: &World,
    ) -> World {
        let mut world = self.world();
        for piece in calls.into_iter().filter_map(|call| call.piece.as_ref()) {
            world.revert(piece, old);
            world.revert_what_scales(piece, old);
            if let Some(behind) = world.behind(piece) {
                world.revert(&behind, old);
            }
        }
        world
    }

    fn disturb(&self, cause: &str, disturb: impl FnOnce(&mut State)) {
        let mut state = self.present();
        disturb(&mut state);
        state.machinery.forget_checks();
        state.follow(cause);
    }

    /// Returns the state as the last one left it: what is set up before the clock starts.
    fn raw(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the state, brought up to the present.
    fn present(&self) -> MutexGuard<'_, State> {
        let mut state = self.raw();
        state.catch_up();
        state
    }
}

impl Default for FakeCloud {
    /// Makes a cloud that has nothing.
    fn default() -> Self {
        Self::new(World::default())
    }
}

impl fmt::Debug for FakeCloud {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FakeCloud").finish_non_exhaustive()
    }
}

impl Clock for FakeCloud {
    fn now(&self) -> Timestamp {
        timestamp(self.elapsed())
    }
}

/// The virtual clock starts at 2026-01-01.
fn timestamp(elapsed: Duration) -> Timestamp {
    const START: u64 = 1_767_225_600_000;
    Timestamp::from_millis(START + u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX - START))
}
