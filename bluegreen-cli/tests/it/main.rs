//! The real binary: what it prints, where, and its exit status.

mod accident;
mod configuration;
mod decided;
mod doctor;
mod downgrade;
mod end_to_end;
mod handover;
mod history;
mod iam_policy;
mod journal;
mod killed;
mod life;
mod locks;
mod migration;
mod orphans;
mod permissions;
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
