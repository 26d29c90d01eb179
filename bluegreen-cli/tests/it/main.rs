//! The real binary: what it prints, where, and its exit status.

mod configuration;
mod end_to_end;
mod history;
mod orphans;
mod rollback;
mod sandbox;
mod shared_store;
mod stand;
mod usage;
