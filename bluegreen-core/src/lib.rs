//! Blue/green deployments of scaling groups behind load balancers, in which every change is saved
//! with its inverse before it is made, and whatever fails is undone.
//!
//! An environment has two colours. One is *live*: the routes send requests to it. A new version
//! goes to the other one, which is *idle*; when all of it is healthy, all routes are switched at
//! once, and the old colour stays for as long as a way back is wanted.
//!
//! ```text
//! observe ──► plan ──► execute ──► verify
//! (reads)    (pure)   (transaction) (reads)
//! ```
//!
//! # Whole example
//!
//! A service is upgraded to two colours, a version is deployed to the idle one, and the traffic is
//! switched; then a version that never gets healthy is deployed, and taken back. The cloud is a
//! fake on virtual time; `bluegreen_aws::AwsCloud` takes its place in production.
//!
//! ```
//! use bluegreen_core::model::{AccountId, EnvironmentName, ImageId, ScalingGroupName};
//! use bluegreen_core::operation::{Bluegreen, EnvironmentSpec, OperationErrorKind};
//! use bluegreen_core::plan::{DeployOptions, DeploySource, SwitchOptions, UpgradeOptions};
//! use bluegreen_testkit::{FakeCloud, MemoryStore};
//!
//! # tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build()?.block_on(async {
//! let cloud = FakeCloud::example().with_account("444455556666");
//! let bluegreen = Bluegreen::new(cloud.clone(), MemoryStore::new());
//! let environment = EnvironmentSpec::new(
//!     EnvironmentName::new("IE-L-NGINX"),
//!     AccountId::new("444455556666"),
//!     ScalingGroupName::new("nginx-live"),
//!     "18080-18099".parse()?,
//! );
//! let image = |id: &str| DeploySource::Edit { image: Some(ImageId::new(id)), user_data: None };
//!
//! let _done = bluegreen.upgrade(&environment, UpgradeOptions::default()).await?;
//! let _done = bluegreen.deploy(&environment, DeployOptions::new(image("ami-0b"))).await?;
//! let _done = bluegreen.switch(&environment, SwitchOptions::default()).await?;
//!
//! // The next version never gets healthy: what was begun is taken back, and said.
//! let before = cloud.world();
//! cloud.break_image(&ImageId::new("ami-0a"));
//! let failed = bluegreen.deploy(&environment, DeployOptions::new(image("ami-0a"))).await;
//! assert_eq!(failed.unwrap_err().kind(), OperationErrorKind::RolledBack);
//! assert_eq!(cloud.world(), before);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Floors
//!
//! A module imports only from the floors below it.
//!
//! | floor | module | holds |
//! |---|---|---|
//! | 1 | [`model`] | plain data: what a cloud holds, what an environment is |
//! | 2 | [`cloud`] | what any cloud must be able to tell and to do |
//! | 2 | [`transaction`] | the engine, for changes of any kind; journal, lock, recovery |
//! | 3 | [`change`] | the closed list of changes of a cloud, with their inverses |
//! | 3 | [`gate`] | what must hold before a run goes on |
//! | 4 | [`plan`] | one pure planner per operation |
//! | 5 | [`operation`] | the facade that programs call |
//!
//! # Guarantees
//!
//! - Nothing is changed before the change and its inverse are on the disk.
//! - A run ends committed, or rolled back and *seen* to be as before, or it is left open with a
//!   list of what could not be taken back; there is nothing in between.
//! - What somebody else changed is never overwritten on purpose; the run stops and says so.
//! - Going back, capacity is not removed before the traffic is back.
//! - A load balancer is never deleted, nor anything that no run made.
//!
//! # Limits
//!
//! No code can remove these.
//!
//! - The clouds have no compare-and-set: what somebody writes between our look and our write is
//!   lost. The time between the two is one round trip, and what was written is read again.
//! - A call whose answer was lost can land after it was looked for. A run waits
//!   [`settle`](transaction::Policy::settle) for that; what lands later is not seen.
//! - Several routes do not change at the same instant. The skew is kept small, measured and told.
//! - Taking back a change of size restores numbers, not machines.
//! - A load balancer that says `healthy` is believed.
//!
//! The [documentation](_documentation) holds the design, the format of the journal and a glossary.

pub mod change;
pub mod cloud;
pub mod gate;
pub mod model;
pub mod operation;
pub mod plan;
pub mod transaction;

pub mod _documentation {
    //! Prose: why things are as they are.

    pub mod design {
        #![doc = include_str!("../docs/design.md")]
    }

    pub mod journal {
        #![doc = include_str!("../docs/journal.md")]
    }

    pub mod glossary {
        #![doc = include_str!("../docs/glossary.md")]
    }
}
