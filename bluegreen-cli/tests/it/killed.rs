//! The process is killed at every changing call of every operation, while a real endpoint lets that
//! call hang: a recovery leaves the account as it was, field by field, whatever becomes of the call.
//! And where only the answer is lost, the run ends by itself.

use std::process::Stdio;
use std::time::Duration;

use bluegreen_testkit::emulator::account::Account;
use bluegreen_testkit::emulator::{Call, Fault, Trigger};
use futures_util::future::join_all;

use crate::life::LIFE;
use crate::stand::{ENV, Stand};

/// Longer than any test.
const NEVER: Duration = Duration::from_hours(1);
/// After the process was killed, and before its successor believes that the call is lost.
const LATE: Duration = Duration::from_millis(600);
/// How late a call may land, as a recovery is told.
const SETTLE: [&str; 2] = ["--settle", "1s"];

/// What goes wrong with each changing call in turn.
#[derive(Clone, Copy, Debug)]
enum Fate {
    /// The process is killed while the call hangs, and the call lands that much later.
    Killed(Duration),
    /// The call is made, and its answer is cut off.
    Unanswered,
}

/// One operation at a place where all earlier ones have been done.
struct Sweep<'a> {
    stand: &'a Stand,
    operation: &'static str,
    before: Account,
}

impl<'a> Sweep<'a> {
    async fn new(stand: &'a Stand, operation: &'static str) -> Self {
        stand.proxy.heal();
        Self { stand, operation, before: stand.account().await }
    }

    /// Strikes every `step`-th changing call from the `first` on, each in a run of its own; in the
    /// end, the operation is done. Returns how many were struck.
    async fn strike(&self, fate: Fate, first: usize, step: usize) -> usize {
        for struck in 0.. {
            let nth = first + struck * step;
            self.stand.proxy.heal();
            self.stand.proxy.clear();
            let call = match fate {
                Fate::Killed(landing) => self.kill(nth, landing).await,
                Fate::Unanswered => self.lose(nth).await,
            };
            let Some(call) = call else { return struck };
            let what = format!("{}, {fate:?} at {} (call {nth})", self.operation, call.action);
            self.stand.is_back(self.operation, &self.before, &what).await;
        }
        unreachable!("an operation has an end")
    }

    /// Kills the process at one call and recovers; nothing if there was no such call.
    async fn kill(&self, nth: usize, landing: Duration) -> Option<Call> {
        self.stand.proxy.fail(Trigger::mutation(nth), Fault::Stall(landing));
        let call = self.kill_at(nth).await?;
        let said = self.stand.run(&[&["recover", "--yes"][..], &SETTLE].concat()).await;
        let rolled_back = format!("rolled back: {ENV} is as it was before (run ");
        let is_well = said.status == 0 && said.stdout.contains(&rolled_back);
        assert!(is_well, "{}, killed at {} ({nth}): {said:?}", self.operation, call.action);
        Some(call)
    }

    /// Starts the operation and kills it as soon as one of its calls hangs.
    async fn kill_at(&self, nth: usize) -> Option<Call> {
        let mut command = self.stand.mortal(&self.stand.args(self.operation));
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let mut child = child.expect("the binary can be started");
        loop {
            let calls = self.stand.proxy.calls().into_iter();
            if let Some(call) = calls.filter(|call| call.mutating).nth(nth) {
                child.kill().await.expect("a process of one's own");
                assert_eq!(call.emulator_status, None, "it was to hang");
                return Some(call);
            }
            if let Some(status) = child.try_wait().expect("a process of one's own") {
                assert!(status.success(), "{}: {status}", self.operation);
                return None;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Cuts the answer to one call, and to all repetitions of it; nothing if there was no such
    /// call.
    ///
    /// The run ends by itself: as it was before, or committed, and then an undo leads back.
    async fn lose(&self, nth: usize) -> Option<Call> {
        let stand = self.stand;
        stand.proxy.fail(Trigger::mutation(nth).with_retries(), Fault::LoseReply);
        let said = stand.run(&stand.args(self.operation)).await;
        let calls = stand.proxy.calls().into_iter();
        let call = calls.filter(|call| call.mutating).nth(nth);
        let what = format!("{}, unanswered ({nth}, {call:?})", self.operation);
        assert!([0, 1].contains(&said.status), "{what}: {said:?}");
        let call = call?;
        assert!(call.emulator_status.is_some() && call.status.is_none(), "{call:?} was to be cut");
        stand.proxy.heal();
        if said.status == 0 {
            let log = stand.json(&["log"]).await;
            let run = log[0]["run"].as_str().unwrap_or_default();
            let undone = stand.run(&["undo", run, "--yes", "--poll", "100ms"]).await;
            assert_eq!(undone.status, 0, "{what}: {undone:?}");
        }
        Some(call)
    }
}

/// Strikes every changing call of every operation; all at the same time, as far as they do not
/// follow each other.
async fn sweep(fate: Fate) {
    const PARTS: usize = 4;
    let part = async |first| {
        let stand = Stand::new().await;
        Sweep::new(&stand, "upgrade").await.strike(fate, first, PARTS).await
    };
    let rest = async {
        let stand = Stand::before("deploy").await;
        let mut struck = Vec::new();
        for operation in LIFE.into_iter().skip(1) {
            struck.push(Sweep::new(&stand, operation).await.strike(fate, 0, 1).await);
        }
        struck
    };
    let (parts, rest) = tokio::join!(join_all((0..PARTS).map(part)), rest);
    // So that a sweep that strikes nothing is none.
    let struck = [parts.into_iter().sum(), rest[0], rest[1], rest[2]];
    let least = [17, 4, 5, 2];
    assert!(struck.iter().zip(least).all(|(struck, least)| *struck >= least), "{struck:?}");
}

/// Kills a downgrade at each of its changing calls; what it deleted is made again.
#[tokio::test(flavor = "multi_thread")]
async fn a_downgrade_that_is_killed_at_any_call_is_taken_back() {
    const PARTS: usize = 3;
    let part = async |first| {
        let stand = Stand::before("downgrade").await;
        Sweep::new(&stand, "downgrade").await.strike(Fate::Killed(NEVER), first, PARTS).await
    };
    let struck: usize = join_all((0..PARTS).map(part)).await.into_iter().sum();
    assert!(struck >= 10, "{struck}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_killed_at_a_call_that_never_lands_is_taken_back() {
    sweep(Fate::Killed(NEVER)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_killed_at_a_call_that_lands_later_is_taken_back() {
    sweep(Fate::Killed(LATE)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_gets_no_answer_ends_in_place_or_as_it_was() {
    sweep(Fate::Unanswered).await;
}
