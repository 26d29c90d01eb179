use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Process, RunId};

/// Why processes of a group are suspended that would act on a colour without traffic.
///
/// Written on the group as a tag: the run, then what was suspended before it came, which is not
/// ours to resume.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// The run that holds it.
    pub run: RunId,
    /// What somebody else had suspended already.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub kept: BTreeSet<Process>,
}

impl Hold {
    /// Reads a tag; names of processes that nobody knows are left out.
    pub fn read(text: &str) -> Option<Self> {
        let mut words = text.split_whitespace();
        let run = RunId::new(words.next()?);
        Some(Self { run, kept: words.filter_map(Process::named).collect() })
    }
}

impl fmt::Display for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.run)?;
        self.kept.iter().try_for_each(|process| write!(f, " {process}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hold_says_what_was_suspended_before_it() {
        for kept in [vec![], vec![Process::ScheduledActions]] {
            let hold = Hold { run: RunId::new("01J0"), kept: kept.into_iter().collect() };
            assert_eq!(Hold::read(&hold.to_string()), Some(hold));
        }
        assert_eq!(Hold::read("  "), None);
    }
}
