//! Records in every order, for a plan of toys.

use bluegreen_core::model::{EnvironmentName, RunId};
use bluegreen_core::transaction::{Header, Plan, Record, Stage, StepId};

use super::toy::{ToyChange, ToyGate};
use super::walk::Walk;

/// How many records are tried: long enough for every way through a small plan.
const RECORDS: usize = 64;

/// Takes the bytes for a plan, and then for records; those that are illegal are left out.
pub fn check(data: &[u8]) {
    let mut bytes = data.iter().copied();
    let plan = plan(&mut bytes);
    let steps = plan.steps().count();
    let environment = EnvironmentName::new("toys");
    let header = Header::new(RunId::new("run"), "play", environment, "nobody", plan);
    let Some(mut walk) = Walk::begin(Record::Begun(Box::new(header))) else { return };
    walk.check();
    for _ in 0..RECORDS {
        let (Some(kind), Some(step)) = (bytes.next(), bytes.next()) else { break };
        // From the one before the first to the one after the last.
        let step = StepId(u32::from(step) % (u32::try_from(steps).unwrap_or(0) + 2));
        let record = record(&walk, kind, step);
        walk.take(record);
    }
    walk.end();
}

/// Makes a plan of up to four stages; every two bits say what comes next.
fn plan(bytes: &mut impl Iterator<Item = u8>) -> Plan<ToyChange, ToyGate> {
    let mut things = 0..;
    let mut change = |is_final| ToyChange::new(things.next().unwrap_or(0), is_final);
    let mut stages = Vec::new();
    for _ in 0..bytes.next().unwrap_or(0) % 5 {
        let byte = bytes.next().unwrap_or(0);
        if byte.is_multiple_of(3) {
            stages.push(Stage::gate("gate", ToyGate));
        } else {
            let changes = (0..=byte % 4).map(|at| change(byte >> (4 + at) & 1 == 1));
            stages.push(Stage::changes("changes", changes.collect()));
        }
    }
    Plan::new(stages).expect("every thing is changed once")
}

fn record(walk: &Walk<ToyChange, ToyGate>, kind: u8, step: StepId) -> Record<ToyChange, ToyGate> {
    let flag = kind & 0x80 != 0;
    match kind % 13 {
        0 if walk.ledger().change(step).is_some() => walk.intended(step),
        0 | 1 => Record::Applied { step },
        2 => Record::Failed { step, error: String::new(), in_doubt: flag },
        3 => Record::Passed { step },
        4 => Record::Unwinding { cause: String::new(), asked: flag },
        5 => Record::Undone { step, remade: flag },
        6 => Record::Resurfaced { step },
        7 => Record::Stuck { step, reason: String::new(), differences: Vec::new() },
        8 => Record::Skipped { step, actor: String::new() },
        9 => Record::Resumed { actor: String::new(), forward: flag },
        10 => Record::Committed,
        11 => Record::RolledBack,
        _ => Record::Abandoned,
    }
}
