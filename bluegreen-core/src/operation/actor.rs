use std::fmt;

/// Who runs an operation, and where: shown to whoever finds a lock or reads a journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// The person or the service.
    pub owner: String,
    /// The machine.
    pub host: String,
    /// The number of the process on that machine.
    pub process: u32,
}

impl Actor {
    /// Names somebody who works in this process.
    pub fn new(owner: impl Into<String>, host: impl Into<String>) -> Self {
        Self { owner: owner.into(), host: host.into(), process: std::process::id() }
    }
}

impl Default for Actor {
    fn default() -> Self {
        Self::new("unknown", "unknown")
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.owner, self.host)
    }
}
