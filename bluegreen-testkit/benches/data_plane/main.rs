//! How many requests the playground's data plane forwards, and how long they take, beside nginx in
//! front of the same machines, in turn and in one run.
//!
//! Needs nginx and wrk, which Debian has as `nginx-light` and `wrk`. `ROUNDS=9` measures more often,
//! `SECONDS_EACH=10` for longer.

#![expect(clippy::print_stdout, reason = "it has nothing else to say it with")]

mod nginx;
mod stack;
mod wrk;

use std::error::Error;
use std::time::Duration;

use stack::Stack;
use wrk::Measured;

fn wanted(name: &str, usual: u64) -> Result<u64, Box<dyn Error>> {
    match std::env::var(name) {
        Ok(text) => Ok(text.parse()?),
        Err(_) => Ok(usual),
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    // `cargo test --benches` only asks whether it can be run at all.
    if std::env::args().any(|argument| argument == "--test") {
        return Ok(());
    }
    let rounds = wanted("ROUNDS", 5)?;
    let time = Duration::from_secs(wanted("SECONDS_EACH", 5)?);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let stack = runtime.block_on(Stack::start())?;
    let nginx = runtime.block_on(nginx::Nginx::start(&stack.machines))?;
    // Connections are opened and caches filled before anything counts.
    for address in [stack.listener, nginx.address()] {
        wrk::measure(address, Duration::from_secs(1))?;
    }
    println!("{:>10} {:>16} {:>16} {:>8}", "", "playground", "nginx", "ratio");
    let mut ratios = Vec::new();
    for round in 1..=rounds {
        let ours = wrk::measure(stack.listener, time)?;
        let theirs = wrk::measure(nginx.address(), time)?;
        row(&format!("round {round}"), "/s", ours.rate, theirs.rate);
        row("", "ms p99", ours.p99_ms, theirs.p99_ms);
        ratios.push((ours.rate / theirs.rate, ours.p99_ms / theirs.p99_ms));
    }
    println!("throughput of the playground / nginx: {}", spread(ratios.iter().map(|one| one.0)));
    println!("p99 latency of the playground / nginx: {}", spread(ratios.iter().map(|one| one.1)));
    Ok(())
}

fn row(name: &str, unit: &str, ours: f64, theirs: f64) {
    let (ours, theirs, ratio) = (
        format!("{ours:.1} {unit}"),
        format!("{theirs:.1} {unit}"),
        format!("{:.2}", ours / theirs),
    );
    println!("{name:>10} {ours:>16} {theirs:>16} {ratio:>8}");
}

/// Writes the least, the middle and the greatest of some ratios.
fn spread(ratios: impl Iterator<Item = f64>) -> String {
    let mut all: Vec<f64> = ratios.collect();
    all.sort_by(f64::total_cmp);
    match (all.first(), all.get(all.len() / 2), all.last()) {
        (Some(least), Some(middle), Some(greatest)) => {
            format!("{middle:.2} ({least:.2} to {greatest:.2})")
        }
        _ => "not measured".to_owned(),
    }
}

/// Refuses a measurement in which something failed: it would flatter whoever failed fast.
fn checked(measured: Measured, failed: u64) -> Result<Measured, Box<dyn Error>> {
    if failed > 0 {
        return Err(format!("{failed} requests failed").into());
    }
    Ok(measured)
}
