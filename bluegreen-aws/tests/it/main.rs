//! The adapter against an emulator of AWS: the wire, never the semantics of health or limits.

#[cfg(feature = "s3")]
mod bucket;
mod conformance;
mod launch;
mod load_balancers;
mod operations;
mod orphans;
mod permissions;
mod playground_balancing;
mod playground_clone;
mod playground_conformance;
mod playground_life;
mod playground_rules;
mod playground_scaling;
mod playground_world;
mod scaling;
mod tagged;
mod world;
