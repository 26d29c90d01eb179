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
        // One colour can only go as long as the other one serves.
        let life = if operation == "downgrade" { &LIFE[..2] } else { &LIFE[..] };
        for verb in life.iter().take_while(|verb| **verb != operation) {
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
        same(before, &self.account().await, what);
    }

    /// Asserts that an operation was taken back: a downgrade deletes, and what it deleted has
    /// another identity when it is made again.
    pub(crate) async fn is_back(&self, operation: &str, before: &Account, what: &str) {
        match operation {
            "downgrade" => self.is_like(before, what).await,
            _ => self.is_as(before, what).await,
        }
    }

    /// Asserts that the account is as it was but for the identities of what was made again.
    async fn is_like(&self, before: &Account, what: &str) {
        same(&anonymous(before), &anonymous(&self.account().await), what);
    }
}

fn same(before: &Account, after: &Account, what: &str) {
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

/// Leaves out what is another whenever something is made again: ids, and when it was made.
fn anonymous(account: &Account) -> Account {
    let mut all = Account::new();
    for (call, fields) in account {
        let plain = fields.iter().map(|field| match field.split_once(" = ") {
            Some((path, _)) if path.contains("Timestamp") || path.ends_with("CreatedTime") => {
                format!("{path} = then")
            }
            _ => without_ids(field),
        });
        all.entry(without_ids(call)).or_default().extend(plain);
    }
    all
}

/// Puts one word in the place of everything that looks like an id: fifteen digits or more, of
/// hexadecimal numbers.
fn without_ids(text: &str) -> String {
    let is_part = |letter: char| letter.is_ascii_hexdigit() || letter == '-';
    let mut words = Vec::new();
    for word in text.split_inclusive(|letter| !is_part(letter)) {
        let end = word.chars().next_back().filter(|last| !is_part(*last));
        let stem = word.trim_end_matches(|letter| !is_part(letter));
        let is_id = stem.len() >= 15 && stem.chars().any(|letter| letter.is_ascii_digit());
        words.push(if is_id { "id".to_owned() } else { stem.to_owned() });
        words.extend(end.map(String::from));
    }
    words.concat()
}
