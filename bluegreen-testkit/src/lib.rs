//! What bluegreen, and the programs that link it, test with.
//!
//! [`FakeCloud`] is a strict cloud in memory on virtual time: it forgets the health of a target
//! group that no route names, drains for as long as it was told to, and refuses what AWS refuses.
//! [`Fault`]s go wrong with its calls as scripted, its [`World`] can be compared before and after,
//! and the [invariants](invariant) judge every moment in between.
//!
//! | to | use |
//! |---|---|
//! | run an operation on something that behaves like AWS | [`fake`] |
//! | make calls fail, land late, or meet somebody else's | [`fault`] |
//! | lose the journal in the middle of a run | [`journal`] |
//! | let a store fail, hang or die, whatever it is | [`brittle`] |
//! | share a bucket between machines, and lose its answers | [`objects`] |
//! | try anything on any stack | [`strategy`] |
//! | try everything that can go wrong, one by one | [`sweep`] |
//! | say that traffic was never lost | [`invariant`] |
//! | hold an adapter of your own against the contract | [`conformance`] |
//! | script one odd reply | [`mock`] |
//! | test scripts and servers on AWS on loopback | `playground` (feature `playground`) |
//!
//! ```
//! # tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build()?.block_on(async {
//! use bluegreen_core::cloud::WriteScalingGroups;
//! use bluegreen_core::model::{Capacity, ScalingGroupName};
//! use bluegreen_testkit::{FakeCloud, Fault, World, invariant};
//!
//! let cloud = FakeCloud::new(World::example());
//! cloud.script([Fault::LoseReply]);
//!
//! // The call takes effect, and nobody is told.
//! let group = ScalingGroupName::new("nginx-live");
//! assert!(cloud.set_capacity(&group, Capacity::new(2, 4, 6)).await.is_err());
//! assert_eq!(cloud.world().scaling_groups[&group].capacity.desired, 4);
//!
//! // Two minutes later, at no cost, the new machine serves.
//! tokio::time::sleep(std::time::Duration::from_mins(2)).await;
//! assert_eq!(cloud.instances(&group).len(), 4);
//! invariant::every_route_has_a_healthy_target(&cloud.history())?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Limits
//!
//! The fake behaves as AWS is *documented* to, and says so where it knows less: see [`fake`]. It
//! has no wire: requests, replies and pages are judged by the emulator (feature `emulator`).

pub mod brittle;
pub mod clock;
#[cfg(feature = "test")]
pub mod conformance;
#[cfg(feature = "emulator")]
pub mod emulator;
pub mod event_log;
pub mod fake;
pub mod fault;
pub mod flags;
pub mod invariant;
pub mod journal;
#[cfg(feature = "test")]
pub mod mock;
pub mod objects;
#[cfg(feature = "playground")]
pub mod playground;
#[cfg(feature = "test")]
pub mod strategy;
#[cfg(feature = "test")]
pub mod sweep;

pub use fake::{FakeCloud, World};
pub use fault::{Fault, Meddle};
pub use journal::MemoryStore;
pub use objects::MemoryObjects;
