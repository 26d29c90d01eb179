//! Under construction.
pub mod change;
pub mod cloud;
pub mod gate;
pub mod model;
pub mod operation;
pub mod plan;
pub mod transaction;
