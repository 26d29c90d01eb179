//! The real binary: what it prints, where, and its exit status.

mod configuration;
mod history;
mod sandbox;
mod usage;
