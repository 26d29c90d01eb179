//! A little of what the fuzzer does, with every run of the tests.

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use crate::fuzz::{journal, ledger, lines};

const HERE: &str = env!("CARGO_MANIFEST_DIR");

/// The frozen journals of all formats, and what the fuzzer begins with.
static JOURNALS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let mut files = files("fuzz/seeds/journal");
    let formats = fs::read_dir(Path::new(HERE).join("tests/journals")).expect("frozen journals");
    for format in formats {
        let format = format.expect("a folder").path();
        files.extend(self::files(format.join("runs")));
    }
    files
});

fn files(folder: impl AsRef<Path>) -> Vec<Vec<u8>> {
    let files = fs::read_dir(Path::new(HERE).join(folder)).expect("a folder");
    files.map(|file| fs::read(file.expect("a file").path()).expect("a file")).collect()
}

/// Something that happens to a journal.
#[derive(Clone, Debug)]
enum Damage {
    Lose(Index),
    Repeat(Index),
    Swap(Index, Index),
    Flip(Index, u8),
    Write(Index, &'static str),
    Cut(Index),
}

fn any_damage() -> impl Strategy<Value = Damage> {
    let at = any::<Index>;
    let words =
        vec!["null", "{}", "[]", "\"", "0", "-", "1e999", "\\u0000", "\n", ",", "4294967295"];
    prop_oneof![
        at().prop_map(Damage::Lose),
        at().prop_map(Damage::Repeat),
        (at(), at()).prop_map(|(one, other)| Damage::Swap(one, other)),
        (at(), 0..8_u8).prop_map(|(at, bit)| Damage::Flip(at, bit)),
        (at(), select(words)).prop_map(|(at, word)| Damage::Write(at, word)),
        at().prop_map(Damage::Cut),
    ]
}

impl Damage {
    fn strike(&self, file: Vec<u8>) -> Vec<u8> {
        if file.is_empty() {
            return file;
        }
        match self {
            Self::Lose(_) | Self::Repeat(_) | Self::Swap(..) => self.strike_lines(&file),
            Self::Flip(..) | Self::Write(..) | Self::Cut(_) => self.strike_bytes(file),
        }
    }

    fn strike_lines(&self, file: &[u8]) -> Vec<u8> {
        let mut lines: Vec<&[u8]> = file.split_inclusive(|byte| *byte == b'\n').collect();
        let count = lines.len();
        let of = |index: &Index| index.index(count);
        match self {
            Self::Lose(at) => drop(lines.remove(of(at))),
            Self::Repeat(at) => lines.insert(of(at), lines[of(at)]),
            Self::Swap(one, other) => lines.swap(of(one), of(other)),
            Self::Flip(..) | Self::Write(..) | Self::Cut(_) => {}
        }
        lines.concat()
    }

    fn strike_bytes(&self, mut file: Vec<u8>) -> Vec<u8> {
        let length = file.len();
        let of = |index: &Index| index.index(length);
        match self {
            Self::Flip(at, bit) => {
                let at = of(at);
                file[at] ^= 1 << bit;
            }
            Self::Write(at, word) => {
                let at = of(at);
                drop(file.splice(at..at, word.bytes()));
            }
            Self::Cut(at) => file.truncate(of(at)),
            Self::Lose(_) | Self::Repeat(_) | Self::Swap(..) => {}
        }
        file
    }
}

#[test]
fn what_the_fuzzer_begins_with_holds() {
    for file in &*JOURNALS {
        journal::check(file);
        lines::check(file);
    }
    for file in files("fuzz/seeds/ledger") {
        ledger::check(&file);
    }
    for file in files("fuzz/seeds/lines") {
        lines::check(&file);
    }
}

proptest! {
    #[test]
    fn a_damaged_journal_is_refused_or_sound(
        file in any::<Index>(),
        damages in vec(any_damage(), 1..6),
    ) {
        let file = file.get(&JOURNALS).clone();
        let file = damages.iter().fold(file, |file, damage| damage.strike(file));
        journal::check(&file);
        lines::check(&file);
    }

    #[test]
    fn records_in_any_order_leave_a_way_on(bytes in vec(any::<u8>(), 0..160)) {
        ledger::check(&bytes);
    }

    #[test]
    fn what_is_no_journal_at_all_is_refused(bytes in vec(any::<u8>(), 0..200)) {
        journal::check(&bytes);
        lines::check(&bytes);
    }
}
