//! Chance that comes out the same every time.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};

/// A source of choices that a number decides.
#[derive(Debug)]
pub(crate) struct Dice {
    state: u64,
}

/// Returns a number that nobody knows before.
pub(crate) fn chance() -> u64 {
    RandomState::new().build_hasher().finish() % 1_000_000
}

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// Returns a number below `end`, or zero.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        // SplitMix64: each number of the sequence is a step of the state, well mixed.
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end.max(1)
    }

    /// Chooses one of some.
    pub(crate) fn one_of<'a, T>(&mut self, some: &'a [T]) -> &'a T {
        let count = u64::try_from(some.len()).expect("there are few");
        &some[usize::try_from(self.below(count)).expect("it is below")]
    }
}
