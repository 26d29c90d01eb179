//! What can go wrong with a call, as data that a test can shrink.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bluegreen_core::cloud::CloudErrorKind;

use crate::fake::FakeCloud;

/// What happens to one call.
///
/// A fault never makes the cloud itself inconsistent: what lands, lands whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// Nothing out of the ordinary.
    #[default]
    None,
    /// The cloud refuses the call, without effect.
    Refuse,
    /// The caller may not make the call; it has no effect.
    Deny,
    /// The credentials have expired; the call has no effect.
    Credentials,
    /// Too many calls; this one has no effect.
    Throttle,
    /// The call takes effect, and its answer is lost.
    LoseReply,
    /// The answer is lost now, and the call takes effect after this time.
    LandLate(Duration),
    /// The call takes effect, and for this time reads show what was there before it.
    ///
    /// On a reading call: for this time reads show what was there before the last change.
    StaleRead(Duration),
    /// The call takes effect, and its answer is an error that says it did not: as where a client
    /// repeats by itself a call whose first answer was lost.
    ErrorAfter,
    /// Somebody else touches the same thing just before the call.
    Meddle(Meddle),
    /// Somebody else touches the same thing as soon as the call has taken effect.
    MeddleAfter(Meddle),
    /// A call that takes several steps takes the first one only, and its answer is lost.
    ///
    /// That is the creation of a target group: it has its tags then, and lacks its attributes
    /// until a repeat finishes it. Any other call takes effect whole.
    HalfLand,
    /// The call never ends and has no effect.
    Hang,
    /// The call has no effect, and ends without an answer after this time.
    TimeOut(Duration),
    /// The call never ends, and takes effect after this time.
    Silence(Duration),
}

/// What somebody else does to the thing that a call is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Meddle {
    /// Gives it another value; makes it first if it is not there.
    Change,
    /// Adds a tag that means nothing to anybody else, if it has tags.
    Tag,
    /// Takes it away; a load balancer and a target group in use stay.
    Delete,
}

impl Fault {
    /// Returns how a call fails that has no effect, if the fault is of that sort.
    pub(crate) fn refusal(self) -> Option<CloudErrorKind> {
        match self {
            Self::Refuse => Some(CloudErrorKind::Rejected),
            Self::Deny => Some(CloudErrorKind::Denied),
            Self::Credentials => Some(CloudErrorKind::Credentials),
            Self::Throttle => Some(CloudErrorKind::Busy),
            _ => None,
        }
    }
}

/// Which calls go wrong.
#[derive(Clone, Debug, Default)]
pub(crate) struct Script {
    /// What is done just before the call of that number.
    watchers: BTreeMap<usize, Watcher>,
    /// One for each changing call to come.
    writes: VecDeque<Fault>,
    at_call: BTreeMap<usize, Fault>,
    at_write: BTreeMap<usize, Fault>,
    since_write: Option<(usize, Fault)>,
    on: Vec<Nth>,
    calls_seen: usize,
    writes_seen: usize,
}

/// Something that is done at a call.
#[derive(Clone)]
pub(crate) struct Watcher(pub(crate) Arc<dyn Fn(&FakeCloud) + Send + Sync>);

impl Watcher {
    pub(crate) fn act(&self, cloud: &FakeCloud) {
        (self.0)(cloud);
    }
}

impl fmt::Debug for Watcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watcher").finish_non_exhaustive()
    }
}

/// The fault of the nth call of a method.
#[derive(Clone, Debug)]
struct Nth {
    method: String,
    left: usize,
    fault: Fault,
}

impl Script {
    /// Replaces all that was planned by one fault per changing call.
    pub(crate) fn of_writes(faults: impl IntoIterator<Item = Fault>) -> Self {
        Self { writes: faults.into_iter().collect(), ..Self::default() }
    }

    pub(crate) fn at_call(&mut self, nth: usize, fault: Fault) {
        self.at_call.insert(self.calls_seen + nth, fault);
    }

    pub(crate) fn watch(&mut self, nth: usize, watcher: Watcher) {
        self.watchers.insert(self.calls_seen + nth, watcher);
    }

    /// Takes what is to be done before the call that is made now.
    pub(crate) fn watcher(&mut self) -> Option<Watcher> {
        self.watchers.remove(&self.calls_seen)
    }

    pub(crate) fn at_write(&mut self, nth: usize, fault: Fault) {
        self.at_write.insert(self.writes_seen + nth, fault);
    }

    pub(crate) fn since_write(&mut self, nth: usize, fault: Fault) {
        self.since_write = Some((self.writes_seen + nth, fault));
    }

    pub(crate) fn on(&mut self, method: &str, nth: usize, fault: Fault) {
        self.on.push(Nth { method: method.to_owned(), left: nth, fault });
    }

    /// Takes the fault of the call that is made now; the most particular one wins.
    pub(crate) fn take(&mut self, method: &str, mutating: bool) -> Fault {
        let named = self.take_named(method);
        let at_call = self.at_call.remove(&self.calls_seen);
        self.calls_seen += 1;
        if !mutating {
            return named.or(at_call).unwrap_or_default();
        }
        let seen = self.writes_seen;
        let at_write = self.at_write.remove(&seen);
        let from = self.since_write.filter(|(from, _)| *from <= seen).map(|(_, fault)| fault);
        let next = self.writes.pop_front();
        self.writes_seen += 1;
        named.or(at_call).or(at_write).or(from).or(next).unwrap_or_default()
    }

    fn take_named(&mut self, method: &str) -> Option<Fault> {
        let mut taken = None;
        self.on.retain_mut(|nth| {
            if nth.method != method {
                return true;
            }
            if nth.left > 0 {
                nth.left -= 1;
                return true;
            }
            taken.get_or_insert(nth.fault);
            false
        });
        taken
    }
}
