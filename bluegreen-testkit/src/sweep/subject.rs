use async_trait::async_trait;
use bluegreen_core::transaction::{Cancel, StepId};

use crate::fault::{Fault, Meddle};
use crate::journal::MemoryStore;

/// Something that can be done from the same beginning again and again.
pub trait Subject: Send + Sync {
    /// Where it is done.
    type Stage: Stage;

    /// Returns what it is called in a report.
    fn name(&self) -> String;

    /// Sets everything up, the same every time. Called within a runtime on virtual time.
    fn stage(&self) -> Self::Stage;

    /// Returns whether two things are to go wrong at a time, too.
    fn has_pairs(&self) -> bool {
        true
    }
}

/// Something that is done just before a call.
pub type Act = Box<dyn Fn() + Send + Sync>;

/// A world, a store, and what is done with them. Clones share both.
#[async_trait]
pub trait Stage: Clone + Send + Sync + 'static {
    /// Does it, from the beginning to whatever end.
    async fn run(&self) -> End;

    /// Finishes what is open in the store.
    async fn recover(&self, how: &How) -> End;

    /// Returns the same world as another process finds it, with what survives of the store.
    #[must_use]
    fn survive(&self) -> Self;

    /// Returns how the run ended by the journal that survives; nothing if it is open, or if there
    /// is none.
    fn ending(&self) -> Option<EndKind>;

    /// Returns how many calls an undisturbed run makes before it has its plan.
    fn planned_after(&self) -> usize;

    /// Returns the store.
    fn store(&self) -> &MemoryStore;

    /// Returns what asks the run to stop.
    fn cancel(&self) -> &Cancel;

    /// Returns everything there is, as text that is the same whenever nobody could tell the
    /// difference, whatever the id of the run; but with the things as they were at first that the
    /// calls of these numbers were about.
    fn world_but(&self, calls: &[usize]) -> String;

    /// Takes out of the text of a world whatever tells one thing from another one that was made in
    /// its place.
    fn without_identities(world: &str) -> String;

    /// Returns what somebody else touched and is not as they left it, unless it is gone.
    fn overwritten(&self) -> Option<String>;

    /// Returns, for every call so far, whether it could have changed anything.
    fn calls(&self) -> Vec<bool>;

    /// Returns what a call so far was, in words.
    fn call(&self, number: usize) -> String;

    /// Returns, for every call so far, what can go wrong with it.
    fn alphabets(&self) -> Vec<Vec<Fault>>;

    /// Returns whether somebody else can meet a run here.
    fn has_others(&self) -> bool;

    /// Lets a call go wrong, counted from now, the next being the 0th.
    fn fault(&self, call: usize, fault: Fault);

    /// Does something just before a call, counted from now, the next being the 0th.
    fn before_call(&self, call: usize, act: Act);

    /// Returns whether somebody else's touching what a call was about changes what the run makes.
    fn renumbers(&self, call: usize) -> bool;

    /// Touches what a call of the undisturbed run was about, as somebody else would.
    fn meddle(&self, meddle: Meddle, of: usize);

    /// Takes the run's lock away.
    fn break_lock(&self);

    /// Lets nothing go wrong any more.
    fn heal(&self);

    /// Returns the calls of the undisturbed run that were about things whose change was left in
    /// place by a person's decision.
    fn skipped(&self) -> Vec<usize>;

    /// Returns everything that must never be and was, at any moment since the beginning.
    fn violations(&self) -> Vec<String>;
}

/// How to finish what is open.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct How {
    /// Whether to go on instead of back.
    pub forward: bool,
    /// What to leave as it is.
    pub skip: Vec<StepId>,
}

/// How a run or a recovery ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    /// What it says.
    pub kind: EndKind,
    /// The steps that it says are stuck.
    pub stuck: Vec<StepId>,
    /// Whether it says that something was made again, and so has another identity.
    pub remade: bool,
    /// What it says, in words.
    pub said: String,
}

impl End {
    /// Makes an end of which nothing more is known.
    pub fn of(kind: EndKind, said: impl Into<String>) -> Self {
        Self { kind, stuck: Vec::new(), remade: false, said: said.into() }
    }
}

/// What a run says of its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndKind {
    /// Everything is in place.
    Committed,
    /// Everything is as before.
    RolledBack,
    /// Nothing was begun.
    NotStarted,
    /// Something is left, and the run is open.
    Open,
    /// Something is left by a person's decision, and the run is not open.
    Abandoned,
    /// There was nothing to do.
    Nothing,
}
