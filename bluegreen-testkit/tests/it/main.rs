//! Tests of the testkit, and of the engine and every operation on it.

mod calls;
mod certification;
mod clones;
mod engine_properties;
mod fake_conforms;
mod fake_example;
mod fake_faults;
mod fake_groups;
mod fake_health;
mod fake_routes;
mod fake_worlds;
mod gated;
mod lease;
mod object_faults;
mod object_races;
mod operation_faults;
mod operation_properties;
mod operations;
mod orphans;
mod point_of_no_return;
mod recovery;
mod refusals;
mod stage;
mod stores_conform;
mod sweeps;
mod undo;
