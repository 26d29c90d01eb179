//! The load, made by a process of its own.

use std::error::Error;
use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

/// What one run came to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Measured {
    /// Requests a second.
    pub(crate) rate: f64,
    /// The latency that one request of a hundred exceeds, in milliseconds.
    pub(crate) p99_ms: f64,
}

/// Asks for the same page again and again, on 32 connections.
pub(crate) fn measure(address: SocketAddr, time: Duration) -> Result<Measured, Box<dyn Error>> {
    let output = Command::new("wrk")
        .args(["--threads", "1", "--connections", "32", "--latency"])
        .arg("--duration")
        .arg(format!("{}s", time.as_secs()))
        .arg(format!("http://{address}/"))
        .output()
        .map_err(|error| format!("wrk cannot be run ({error}): install it, on Debian as `wrk`"))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    read(&text)
        .ok_or_else(|| format!("wrk said: {text}").into())
        .and_then(|(measured, failed)| super::checked(measured, failed))
}

/// Reads what wrk prints: what it measured, and how many requests failed.
fn read(text: &str) -> Option<(Measured, u64)> {
    let after =
        |label: &str| text.lines().find_map(|line| line.trim().strip_prefix(label)).map(str::trim);
    let rate = after("Requests/sec:")?.parse().ok()?;
    let p99_ms = milliseconds(after("99%")?)?;
    let numbers = |line: &str| -> u64 {
        line.split(|letter: char| !letter.is_ascii_digit())
            .filter_map(|one| one.parse::<u64>().ok())
            .sum()
    };
    let failed = after("Non-2xx or 3xx responses:").map_or(0, numbers)
        + after("Socket errors:").map_or(0, numbers);
    Some((Measured { rate, p99_ms }, failed))
}

fn milliseconds(text: &str) -> Option<f64> {
    let units = [("us", 0.001), ("ms", 1.0), ("s", 1000.0)];
    units.iter().find_map(|(unit, factor)| {
        text.strip_suffix(unit)?.parse::<f64>().ok().map(|value| value * factor)
    })
}
