//! What clients see of the data plane, through real sockets.

mod client;
mod commands;
mod draining;
mod flows;
mod health;
mod instance_faults;
mod network_faults;
mod routing;
mod stage;
mod sticky;
mod switching;
