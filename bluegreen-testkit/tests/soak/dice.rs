//! Chance that comes out the same every time.

use std::fmt::Debug;

use proptest::strategy::{Strategy, ValueTree as _};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

/// A source of choices that a number decides.
#[derive(Debug)]
pub(crate) struct Dice {
    runner: TestRunner,
}

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
        Self { runner: TestRunner::new_with_rng(Config::default(), rng) }
    }

    /// Returns something that a strategy makes.
    pub(crate) fn any<T: Debug>(&mut self, strategy: &impl Strategy<Value = T>) -> T {
        strategy.new_tree(&mut self.runner).expect("nothing is filtered").current()
    }

    /// Returns a number below `end`, or zero.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.any(&(0..end.max(1)))
    }

    /// Says yes once in so many times.
    pub(crate) fn one_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    /// Chooses one of some.
    pub(crate) fn one_of<T: Copy>(&mut self, some: &[T]) -> T {
        some[self.below(some.len())]
    }
}
