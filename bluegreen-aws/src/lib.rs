//! The cloud traits of `bluegreen-core` on AWS: Elastic Load Balancing v2, EC2
//! Auto Scaling, alarms of `CloudWatch`, EC2 launch templates, STS.
//!
//! Translation and nothing more: natural keys to ARNs, values to requests,
//! errors to what a caller can do about them, and a budget that keeps below
//! AWS's published rates. No decision about deployments is taken here.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use bluegreen_core::cloud::ReadIdentity;
//!
//! let config = aws_config::load_defaults(aws_config::BehaviorVersion::latest()).await;
//! let cloud = bluegreen_aws::AwsCloud::new(&config)?;
//! println!("this is account {}", cloud.account().await?);
//! # Ok(())
//! # }
//! ```
//!
//! With the feature `s3`, `S3Objects` is a bucket for a store that several machines share.
//!
//! # What is cached
//!
//! Names of load balancers, listeners, rules and target groups stand for ARNs,
//! which every answer teaches and which are forgotten when AWS says that they
//! are gone. Nothing else is remembered between two calls.
//!
//! # Limits
//!
//! AWS has no compare-and-set for any of these resources: a foreign write
//! between a read and a write is not noticed here. The trace level of the SDK's
//! own log targets (`aws_smithy_runtime`) prints whole requests, user data
//! included; do not turn it on where user data is secret.

mod alarms;
mod arn;
mod aws_cloud;
mod budget;
#[cfg(test)]
mod canned;
mod cloudwatch;
mod convert;
mod ec2;
mod error;
mod iam;
mod identity;
mod launch;
mod launch_configurations;
mod load_balancers;
mod locate;
mod names;
mod network;
mod page;
mod permissions;
mod policies;
mod query;
mod quotas;
mod retry;
#[cfg(feature = "s3")]
mod s3;
mod scaling_groups;
mod tags;
mod target_groups;
mod traffic;

#[cfg(doctest)]
mod readme {
    #![doc = include_str!("../../README.md")]
}

pub use aws_cloud::{AwsCloud, InvalidConfig};
pub use budget::Budget;
pub use permissions::{Bucket, Effect, IamPolicy, Scope, Statement, Task};
#[cfg(feature = "s3")]
pub use s3::S3Objects;
