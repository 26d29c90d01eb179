//! Who runs this, and where: shown to whoever finds a lock or reads a journal.

/// Returns `user@host`.
pub(crate) fn name() -> String {
    let user = ["USER", "LOGNAME"].iter().find_map(|name| std::env::var(name).ok());
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    format!("{}@{host}", user.as_deref().unwrap_or("unknown"))
}
