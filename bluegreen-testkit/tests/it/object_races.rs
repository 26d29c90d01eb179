//! Several processes on one bucket, interleaved in every way.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bluegreen_core::model::{EnvironmentName, RunId, Timestamp};
use bluegreen_core::transaction::{Holder, Journal, ObjectStore, Store as _, StoreErrorKind};
use bluegreen_testkit::MemoryObjects;
use bluegreen_testkit::objects::ObjectFault;
use futures_util::future::{join, join_all};
use proptest::collection::vec;
use proptest::prelude::*;
use tokio::time::{Instant, sleep};

use crate::stage::on_virtual_time;

const TERM: Duration = Duration::from_secs(30);

fn run() -> RunId {
    RunId::new("01run")
}

/// How long each of the first calls takes, and what goes wrong with which.
type Luck = (Vec<u64>, Vec<(usize, ObjectFault)>);

fn any_luck() -> impl Strategy<Value = Luck> {
    let fault = prop::sample::select(ObjectFault::ALL.to_vec());
    (vec(0..40u64, 1..12), vec((0..25usize, fault), 0..3))
}

/// Returns a store as a process sees it that has this luck.
fn store(objects: &MemoryObjects, (pace, faults): &Luck) -> ObjectStore {
    let objects = objects.another();
    objects.pace(pace.iter().map(|millis| Duration::from_millis(*millis)));
    for (call, fault) in faults {
        objects.fail_call(*call, *fault);
    }
    ObjectStore::new(objects, "")
}

/// How an append ended.
#[derive(Clone, Debug, PartialEq, Eq)]
enum End {
    Done,
    Fenced,
    Unknown,
}

/// What a process wrote: line after line, and how each ended.
type Written = Vec<(String, End)>;

async fn write(mut journal: Box<dyn Journal>, who: &str, lines: usize) -> Written {
    let mut written = Written::new();
    for number in 0..lines {
        let line = format!("{who}{number}");
        let end = match journal.append(std::slice::from_ref(&line)).await {
            Ok(()) => End::Done,
            Err(error) if error.kind() == &StoreErrorKind::Fenced => End::Fenced,
            Err(_) => End::Unknown,
        };
        let is_over = end != End::Done;
        written.push((line, end));
        if is_over {
            return written;
        }
    }
    // Fenced is well; so is whatever the bucket does.
    let _closed = journal.close().await;
    written
}

/// Takes over after a while, and writes.
async fn take_over(store: &ObjectStore, who: &str, after: u64) -> (Vec<String>, Written) {
    sleep(Duration::from_millis(after)).await;
    match store.open(&run()).await {
        Ok((found, journal)) => (found, write(journal, who, 4).await),
        Err(error) => {
            let kind = error.kind();
            let is_known = matches!(kind, StoreErrorKind::Unusable | StoreErrorKind::Fenced);
            assert!(is_known, "{error}");
            (vec![], vec![])
        }
    }
}

/// Reads again and again; each time there is what was there before, and perhaps more.
async fn follow(store: &ObjectStore) {
    let mut before = Vec::new();
    for _ in 0..40 {
        let now = store.read(&run()).await.expect("it can be read at every moment");
        assert!(now.starts_with(&before), "{before:?} became {now:?}");
        before = now;
        sleep(Duration::from_millis(7)).await;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn writers_one_after_the_other_never_mix(
        lucks in [any_luck(), any_luck(), any_luck()],
        pace in vec(0..15u64, 1..9),
        starts in (0..200u64, 0..400u64),
    ) {
        on_virtual_time(async {
            let objects = MemoryObjects::new();
            let [first, second, third] = lucks.each_ref().map(|luck| store(&objects, luck));
            let reader = store(&objects, &(pace, vec![]));
            let began = ObjectStore::new(objects.another(), "").create(&run()).await;
            drop(began.expect("it is new"));
            let Ok((_, journal)) = first.open(&run()).await else { return Ok(()) };
            let writing = join_all([
                Box::pin(async { (vec![], write(journal, "a", 6).await) })
                    as std::pin::Pin<Box<dyn Future<Output = _>>>,
                Box::pin(take_over(&second, "b", starts.0)),
                Box::pin(take_over(&third, "c", starts.1)),
            ]);
            let (written, ()) = join(writing, follow(&reader)).await;
            sleep(TERM).await;
            let read = ObjectStore::new(objects.another(), "").read(&run()).await;
            let read = read.expect("it can be read");
            for (found, written) in written {
                prop_assert!(read.starts_with(&found), "{found:?} was found, {read:?} is there");
                is_what_was_written(&read, &written)?;
            }
            Ok(())
        })?;
    }

    #[test]
    fn a_lock_has_one_holder_at_a_time(
        lucks in [any_luck(), any_luck(), any_luck()],
        plans in vec((0..3000u64, 0..90_000u64, any::<bool>()), 3),
    ) {
        let entries = on_virtual_time(async {
            let objects = MemoryObjects::new();
            let room = Room::default();
            let lockers = lucks.iter().zip(plans).enumerate().map(|(who, (luck, plan))| {
                let (store, room) = (store(&objects, luck), room.clone());
                async move { come_and_go(&store, &room, who, plan).await }
            });
            join_all(lockers).await.into_iter().sum::<usize>()
        });
        prop_assert!(entries > 0, "somebody got in");
    }
}

/// Whoever was told that a line is there finds it, in one piece with their others; whoever was told
/// that they are fenced does not.
fn is_what_was_written(read: &[String], written: &Written) -> Result<(), TestCaseError> {
    let Some((first, _)) = written.first() else { return Ok(()) };
    let who = &first[..1];
    let theirs: Vec<&String> = read.iter().filter(|line| line.starts_with(who)).collect();
    let certain = written.iter().filter(|(_, end)| *end == End::Done).count();
    let possible = written.iter().filter(|(_, end)| *end != End::Fenced).count();
    prop_assert!((certain..=possible).contains(&theirs.len()), "{read:?} after {written:?}");
    for (found, (line, _)) in theirs.iter().zip(written) {
        prop_assert_eq!(*found, line);
    }
    let place = read.iter().position(|line| line.starts_with(who)).unwrap_or_default();
    let in_one_piece = read[place..].iter().take(theirs.len()).all(|line| line.starts_with(who));
    prop_assert!(in_one_piece, "{read:?}: their lines are mixed with others");
    Ok(())
}

/// Where only one may be: who is in, and until when they think so.
#[derive(Clone, Debug, Default)]
struct Room(Arc<Mutex<Option<(usize, Instant)>>>);

impl Room {
    fn enter(&self, who: usize, until: Instant) {
        let mut inside = self.0.lock().expect("nothing panicked");
        if let Some((other, until)) = *inside {
            let is_alone = other == who || Instant::now() >= until;
            assert!(is_alone, "{who} came in while {other} was there");
        }
        *inside = Some((who, until));
    }

    fn leave(&self, who: usize) {
        let mut inside = self.0.lock().expect("nothing panicked");
        if inside.is_some_and(|(other, _)| other == who) {
            *inside = None;
        }
    }
}

/// Takes the lock three times, holds it for a while, renewing it or not; says how often it was got.
async fn come_and_go(
    store: &ObjectStore,
    room: &Room,
    who: usize,
    (start, stay, renews): (u64, u64, bool),
) -> usize {
    let environment = EnvironmentName::new("IE-L-NGINX");
    let holder = Holder {
        owner: who.to_string(),
        host: "laptop".to_owned(),
        process: 7,
        operation: "switch".to_owned(),
        run: run(),
        since: Timestamp::from_millis(0),
    };
    let mut entries = 0;
    for _ in 0..3 {
        sleep(Duration::from_millis(start)).await;
        let began = Instant::now();
        let Ok(lock) = store.lock(&environment, &holder, TERM).await else { continue };
        entries += 1;
        // Known to be ours for a term after we began to ask for it.
        room.enter(who, began + TERM);
        let (mut left, beat) = (Duration::from_millis(stay), TERM / 3);
        while left > Duration::ZERO {
            let nap = left.min(beat);
            sleep(nap).await;
            left = left.saturating_sub(nap);
            let began = Instant::now();
            if renews && lock.renew(Timestamp::from_millis(0)).await.is_ok() {
                room.enter(who, began + TERM);
            }
        }
        let began = Instant::now();
        if lock.check().await.is_ok() {
            room.enter(who, began);
        }
        room.leave(who);
        let _ended = lock.release().await;
    }
    entries
}
