use std::fmt;
use std::str::FromStr;

/// Something that takes permissions.
///
/// What takes a run back, whether on a failure, by `recover` or by `undo`, takes what the run took:
/// the permissions of an operation are those of the way there and of the way back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Task {
    /// Looking at environments; everything else begins with it.
    Status,
    /// Giving an environment its second colour.
    Upgrade,
    /// Putting a new version on the idle colour.
    Deploy,
    /// Sending all traffic to the other colour.
    Switch,
    /// Stopping the idle colour.
    Scaledown,
    /// Going back to one colour.
    Downgrade,
    /// Deleting what runs made and no environment claims.
    Orphans,
    /// Judging how things stand.
    Doctor,
}

impl Task {
    /// Everything that takes permissions.
    pub const ALL: [Self; 8] = [
        Self::Status,
        Self::Upgrade,
        Self::Deploy,
        Self::Switch,
        Self::Scaledown,
        Self::Downgrade,
        Self::Orphans,
        Self::Doctor,
    ];

    /// Returns the name of the command.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Status => "status",
            Self::Upgrade => "upgrade",
            Self::Deploy => "deploy",
            Self::Switch => "switch",
            Self::Scaledown => "scaledown",
            Self::Downgrade => "downgrade",
            Self::Orphans => "orphans",
            Self::Doctor => "doctor",
        }
    }
}

impl fmt::Display for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Task {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = Self::ALL.into_iter().find(|task| task.as_str() == text);
        known.ok_or_else(|| {
            let names: Vec<&str> = Self::ALL.iter().map(|task| task.as_str()).collect();
            format!("`{text}` is none of {}", names.join(", "))
        })
    }
}
