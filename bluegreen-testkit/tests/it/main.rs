//! Tests of the testkit, and of the engine and every operation on it.

mod engine_properties;
mod fake_conforms;
mod fake_example;
mod operation_faults;
mod operations;
mod stage;
