//! What any cloud must be able to tell and to do.
//!
//! One trait per capability, reading apart from writing: a dry run holds a
//! [`ReadCloud`] and so has nothing to write with. The documentation of each
//! method is its contract; the conformance suite of `bluegreen-testkit` holds
//! every implementation against it.
//!
//! # Contract of every method
//!
//! - Reads return full values. A resource that is absent is left out of the
//!   answer or is `None`; it is not an error unless the method says so.
//! - Writes are absolute: repeating one is harmless. They leave settings alone
//!   that they do not name.
//! - A create refuses with [`CloudErrorKind::Rejected`] where the resource is
//!   there with other settings; a delete of what is absent succeeds.
//! - An error says by its [kind](CloudErrorKind) whether the call may have
//!   landed; in doubt it is [`CloudErrorKind::OutcomeUnknown`].

mod error;
mod read;
mod write;

pub use error::{CloudError, CloudErrorKind};
pub use read::{
    ReadAlarms, ReadIdentity, ReadLaunch, ReadLoadBalancers, ReadNetwork, ReadPermissions,
    ReadQuotas, ReadScalingGroups, ReadScalingPolicies, ReadTags, ReadTargetGroups, ReadTraffic,
};
pub use write::{
    WriteAlarms, WriteLaunch, WriteLoadBalancers, WriteScalingGroups, WriteScalingPolicies,
    WriteTags, WriteTargetGroups,
};

/// Everything that observing and planning need from a cloud.
///
/// Implemented for every type that has all the capabilities. Do not implement
/// it by hand.
pub trait ReadCloud:
    ReadAlarms
    + ReadIdentity
    + ReadLaunch
    + ReadLoadBalancers
    + ReadNetwork
    + ReadPermissions
    + ReadQuotas
    + ReadScalingGroups
    + ReadScalingPolicies
    + ReadTags
    + ReadTargetGroups
    + ReadTraffic
{
}

impl<T> ReadCloud for T where
    T: ReadAlarms
        + ReadIdentity
        + ReadLaunch
        + ReadLoadBalancers
        + ReadNetwork
        + ReadPermissions
        + ReadQuotas
        + ReadScalingGroups
        + ReadScalingPolicies
        + ReadTags
        + ReadTargetGroups
        + ReadTraffic
        + ?Sized
{
}

/// Everything that changes need from a cloud.
///
/// Implemented for every type that has all the capabilities. Do not implement
/// it by hand.
pub trait Cloud:
    ReadCloud
    + WriteAlarms
    + WriteLaunch
    + WriteLoadBalancers
    + WriteScalingGroups
    + WriteScalingPolicies
    + WriteTags
    + WriteTargetGroups
{
}

impl<T> Cloud for T where
    T: ReadCloud
        + WriteAlarms
        + WriteLaunch
        + WriteLoadBalancers
        + WriteScalingGroups
        + WriteScalingPolicies
        + WriteTags
        + WriteTargetGroups
        + ?Sized
{
}

// The traits stay usable behind a pointer.
const _: fn(&dyn Cloud) -> &dyn ReadCloud = |cloud| cloud;
