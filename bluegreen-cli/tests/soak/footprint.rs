//! What this process takes of its machine, as far as the system tells.

use std::fmt;

/// Memory and open files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Footprint {
    pub(crate) resident_kib: u64,
    pub(crate) files: usize,
}

impl Footprint {
    /// Takes the measure; nothing where the system does not tell.
    pub(crate) fn take() -> Option<Self> {
        let status = std::fs::read_to_string("/proc/self/status").ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        let resident_kib = line.trim().trim_end_matches(" kB").parse().ok()?;
        let files = std::fs::read_dir("/proc/self/fd").ok()?.count();
        Some(Self { resident_kib, files })
    }
}

impl fmt::Display for Footprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} KiB and {} files", self.resident_kib, self.files)
    }
}
