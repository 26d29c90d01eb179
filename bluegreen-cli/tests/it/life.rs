//! The four operations as they follow each other, and accounts compared field by field.

use std::collections::BTreeSet;

use bluegreen_testkit::emulator::account::{Account, account};

use crate::stand::{ENV, Stand};

/// The four operations, as they follow each other.
pub(crate) const LIFE: [&str; 4] = ["upgrade", "deploy", "switch", "scaledown"];

impl Stand {
    /// Returns what does an operation.
    pub(crate) fn args(&self, operation: &'static str) -> Vec<&str> {
        let common = [operation, ENV, "--yes"];
        match operation {
            "upgrade" => common.to_vec(),
            "deploy" => {
                let image = &self.stack.other_image;
                [&common[..], &["--poll", "100ms", "--image", image]].concat()
            }
            _ => [&common[..], &["--poll", "100ms"]].concat(),
        }
    }

    /// Starts one on which everything has been done that comes before an operation.
    pub(crate) async fn before(operation: &str) -> Self {
        let stand = Self::new().await;
        for verb in LIFE.iter().take_while(|verb| **verb != operation) {
            let said = stand.run(&stand.args(verb)).await;
            assert_eq!(said.status, 0, "{said:?}");
        }
        stand
    }

    /// Reads everything that the account is configured to be.
    pub(crate) async fn account(&self) -> Account {
        account(&self.emulator.url()).await.expect("the account can be read")
    }

    /// Asserts that the account is as it was before, field by field.
    pub(crate) async fn is_as(&self, before: &Account, what: &str) {
        let after = self.account().await;
        for (call, fields) in before {
            let found = after.get(call).unwrap_or(const { &BTreeSet::new() });
            let gone: Vec<_> = fields.difference(found).collect();
            let new: Vec<_> = found.difference(fields).collect();
            assert!(
                gone.is_empty() && new.is_empty(),
                "{what}: {call} is not as before: {gone:?} became {new:?}"
            );
        }
        let more: Vec<_> = after.keys().filter(|call| !before.contains_key(*call)).collect();
        assert!(more.is_empty(), "{what}: {more:?} is left");
    }
}
