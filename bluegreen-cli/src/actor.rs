//! Who runs this, and where: shown to whoever finds a lock or reads a journal.

use bluegreen_core::operation::Actor;

/// Names the user of this process.
pub(crate) fn name() -> Actor {
    let user = ["USER", "LOGNAME"].iter().find_map(|name| std::env::var(name).ok());
    let user = user.unwrap_or_else(|| format!("uid{}", rustix::process::geteuid().as_raw()));
    Actor::new(user, rustix::system::uname().nodename().to_string_lossy())
}
