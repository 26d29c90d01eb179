//! A bucket in memory that can be made to fail, on virtual time.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bluegreen_core::transaction::{Condition, Object, Objects, Put, StoreError, StoreErrorKind};
use tokio::time::{Instant, sleep};

/// What goes wrong with one call of a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ObjectFault {
    /// The call has no effect, and fails.
    Refuse,
    /// The call takes effect, and its answer is lost.
    LoseReply,
    /// The call meets another one of the same key and has no effect, as with S3's
    /// `ConditionalRequestConflict`.
    Conflict,
    /// The call takes effect, its answer is lost, and the client repeats it by itself: a put is
    /// refused by its own first try.
    RefusedAfter,
    /// The answer is lost now, and a put takes effect after this time if its condition holds then.
    LandLate(Duration),
}

impl ObjectFault {
    /// Every one of them; what lands late lands while the caller still looks, or long after.
    pub const ALL: [Self; 6] = [
        Self::Refuse,
        Self::LoseReply,
        Self::Conflict,
        Self::RefusedAfter,
        Self::LandLate(Duration::from_millis(50)),
        Self::LandLate(Duration::from_secs(5)),
    ];
}

/// A bucket in memory. Clones share it, with what goes wrong.
///
/// The age of an object is counted on tokio's clock, which tests can pause.
#[derive(Clone, Debug, Default)]
pub struct MemoryObjects {
    bucket: Arc<Mutex<Bucket>>,
    script: Arc<Mutex<Script>>,
}

#[derive(Debug, Default)]
struct Bucket {
    objects: BTreeMap<String, Stored>,
    versions: u64,
    late: Vec<Late>,
}

#[derive(Clone, Debug)]
struct Stored {
    body: Vec<u8>,
    version: String,
    since: Instant,
}

/// A put that is on its way.
#[derive(Debug)]
struct Late {
    lands: Instant,
    key: String,
    body: Vec<u8>,
    condition: Condition,
}

/// What goes wrong with the calls that come through one handle, and how long they take.
#[derive(Debug, Default)]
struct Script {
    calls: Vec<String>,
    faults: BTreeMap<usize, ObjectFault>,
    from: Option<(usize, ObjectFault)>,
    pace: Vec<Duration>,
}

impl MemoryObjects {
    /// Makes an empty bucket that never fails.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns the same bucket as another process sees it: nothing goes wrong with its calls.
    #[must_use]
    pub fn another(&self) -> Self {
        Self { bucket: Arc::clone(&self.bucket), script: Arc::default() }
    }

    /// Lets a fault strike the call that is made after `nth` more.
    pub fn fail_call(&self, nth: usize, fault: ObjectFault) {
        let mut script = self.script();
        let call = script.calls.len() + nth;
        script.faults.insert(call, fault);
    }

    /// Lets a fault strike every call from the one on that is made after `nth` more.
    pub fn fail_from(&self, nth: usize, fault: ObjectFault) {
        let mut script = self.script();
        script.from = Some((script.calls.len() + nth, fault));
    }

    /// Takes back all that was to go wrong.
    pub fn heal(&self) {
        let mut script = self.script();
        script.faults.clear();
        script.from = None;
    }

    /// Lets the calls from now on take so long to get there, one after the other; the last one
    /// goes for all that follow.
    pub fn pace(&self, pace: impl IntoIterator<Item = Duration>) {
        let mut script = self.script();
        let made = script.calls.len();
        script.pace = std::iter::repeat_n(Duration::ZERO, made).chain(pace).collect();
    }

    /// Returns the calls through this handle: method and key.
    pub fn calls(&self) -> Vec<String> {
        self.script().calls.clone()
    }

    /// Returns every key with what it holds.
    pub fn bodies(&self) -> BTreeMap<String, Vec<u8>> {
        let bucket = self.bucket();
        bucket.objects.iter().map(|(key, stored)| (key.clone(), stored.body.clone())).collect()
    }

    /// Puts an object there, whatever was there before.
    pub fn insert(&self, key: &str, body: impl Into<Vec<u8>>) {
        self.bucket().set(key, body.into());
    }

    /// Takes an object away, as somebody does who tidies up.
    pub fn remove(&self, key: &str) {
        self.bucket().objects.remove(key);
    }

    /// Begins a call: waits until it is there, and returns what goes wrong with it.
    async fn begin(&self, method: &str, key: &str) -> Option<ObjectFault> {
        let (fault, pace) = {
            let mut script = self.script();
            let call = script.calls.len();
            script.calls.push(format!("{method} {key}"));
            let from = script.from.filter(|(from, _)| *from <= call).map(|(_, fault)| fault);
            let fault = script.faults.get(&call).copied().or(from);
            (fault, script.pace.get(call).or(script.pace.last()).copied())
        };
        if let Some(pace) = pace {
            sleep(pace).await;
        }
        fault
    }

    fn bucket(&self) -> MutexGuard<'_, Bucket> {
        let mut bucket = self.bucket.lock().unwrap_or_else(PoisonError::into_inner);
        bucket.land();
        bucket
    }

    fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Bucket {
    /// Lets everything land whose time has come, in that order.
    fn land(&mut self) {
        let now = Instant::now();
        let (mut due, late): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.late).into_iter().partition(|late| late.lands <= now);
        self.late = late;
        due.sort_by_key(|late| late.lands);
        for Late { key, body, condition, lands } in due {
            if self.holds(&key, &condition) {
                self.set(&key, body);
                // It may have been there for a while before anybody looked.
                self.objects.entry(key).and_modify(|stored| stored.since = lands);
            }
        }
    }

    fn holds(&self, key: &str, condition: &Condition) -> bool {
        match (condition, self.objects.get(key)) {
            (Condition::Absent, found) => found.is_none(),
            (Condition::Version(version), found) => {
                found.is_some_and(|stored| stored.version == *version)
            }
        }
    }

    fn set(&mut self, key: &str, body: Vec<u8>) -> String {
        self.versions += 1;
        let version = format!("v{}", self.versions);
        let stored = Stored { body, version: version.clone(), since: Instant::now() };
        self.objects.insert(key.to_owned(), stored);
        version
    }

    fn put(&mut self, key: &str, body: Vec<u8>, condition: &Condition) -> Put {
        if self.holds(key, condition) { Put::Done(self.set(key, body)) } else { Put::Refused }
    }
}

#[async_trait]
impl Objects for MemoryObjects {
    async fn get(&self, key: &str) -> Result<Option<Object>, StoreError> {
        if let Some(fault) = self.begin("get", key).await {
            return Err(planned(key, fault));
        }
        Ok(self.bucket().objects.get(key).map(|stored| Object {
            body: stored.body.clone(),
            version: stored.version.clone(),
            age: stored.since.elapsed(),
        }))
    }

    async fn list(&self, prefix: &str) -> Result<Vec<String>, StoreError> {
        if let Some(fault) = self.begin("list", prefix).await {
            return Err(planned(prefix, fault));
        }
        let bucket = self.bucket();
        Ok(bucket.objects.keys().filter(|key| key.starts_with(prefix)).cloned().collect())
    }

    async fn folders(&self, prefix: &str) -> Result<Vec<String>, StoreError> {
        if let Some(fault) = self.begin("folders", prefix).await {
            return Err(planned(prefix, fault));
        }
        let bucket = self.bucket();
        let folders = bucket.objects.keys().filter_map(|key| {
            let (folder, _) = key.strip_prefix(prefix)?.split_once('/')?;
            Some(format!("{prefix}{folder}/"))
        });
        Ok(folders.collect::<BTreeSet<String>>().into_iter().collect())
    }

    async fn put(
        &self,
        key: &str,
        body: Vec<u8>,
        condition: &Condition,
    ) -> Result<Put, StoreError> {
        let fault = self.begin("put", key).await;
        let mut bucket = self.bucket();
        let Some(fault) = fault else { return Ok(bucket.put(key, body, condition)) };
        match fault {
            ObjectFault::Refuse | ObjectFault::Conflict => {}
            ObjectFault::LoseReply => drop(bucket.put(key, body, condition)),
            ObjectFault::RefusedAfter => {
                bucket.put(key, body, condition);
                return Ok(Put::Refused);
            }
            ObjectFault::LandLate(after) => {
                let (key, condition) = (key.to_owned(), condition.clone());
                bucket.late.push(Late { lands: Instant::now() + after, key, body, condition });
            }
        }
        Err(planned(key, fault))
    }
}

fn planned(key: &str, fault: ObjectFault) -> StoreError {
    StoreError::new(StoreErrorKind::Unusable, key)
        .with_source(format!("a planned fault: {fault:?}"))
}
