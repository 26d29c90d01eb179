//! How long a gate is waited for.

use std::time::Duration;

use bluegreen_testkit::flags::{FlagGate, Flags};
use bluegreen_testkit::journal::MemoryStore;
use tokio::time::Instant;

use crate::gated::{GatedStage, Play, plan};

/// Tells how long a gate is waited for that never holds, or from a time on.
async fn waited(timeout: u64, readings: u32, holds_after: Option<u64>) -> (bool, u64) {
    let play = Play::new(&Flags::default(), &MemoryStore::new());
    let mut gate = FlagGate::new("ready", Some(1), Duration::from_secs(timeout));
    gate.patience.readings = readings;
    let flags = play.flags.clone();
    let holds = async {
        if let Some(seconds) = holds_after {
            tokio::time::sleep(Duration::from_millis(seconds * 1000 - 137)).await;
            flags.set("ready", Some(1));
        }
    };
    let began = Instant::now();
    let run = async {
        let end = play.run(plan(vec![GatedStage::gate("wait", gate)])).await;
        (end.is_ok(), began.elapsed().as_secs())
    };
    tokio::join!(run, holds).0
}

#[tokio::test(start_paused = true)]
async fn a_gate_is_given_up_at_its_timeout_and_holds_after_as_many_readings_as_it_wants() {
    // It is looked at every five seconds.
    assert_eq!(waited(0, 1, None).await, (false, 0));
    assert_eq!(waited(20, 1, None).await, (false, 20));
    assert_eq!(waited(22, 1, None).await, (false, 25));
    for readings in 1..4 {
        let seconds = 10 + 5 * u64::from(readings - 1);
        assert_eq!(waited(60, readings, Some(10)).await, (true, seconds), "{readings}");
    }
}
