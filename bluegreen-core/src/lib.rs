//! Under construction.
pub mod cloud;
pub mod model;
