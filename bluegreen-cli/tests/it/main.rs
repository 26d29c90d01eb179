//! The real binary: what it prints, where, and its exit status.

mod configuration;
mod end_to_end;
mod history;
mod killed;
mod life;
mod rollback;
mod sandbox;
mod stand;
mod usage;
