//! The real binary: what it prints, where, and its exit status.

mod configuration;
mod decided;
mod downgrade;
mod end_to_end;
mod history;
mod journal;
mod killed;
mod life;
mod locks;
mod orphans;
mod playground;
mod race;
mod recovery;
mod rollback;
mod sandbox;
mod shared_store;
mod show;
mod stand;
mod undo;
mod usage;
