//! How an environment keeps both its colours checked.

use std::net::IpAddr;

use bluegreen_core::model::HealthStrategy;

use super::ConfigError;
use super::section::{Found, Section};

/// The most values that AWS lets a condition of a rule have.
const MOST_SOURCES: usize = 3;

/// Reads `health` and what belongs to it; an idle listener is usual.
pub(super) fn read(section: &mut Section<'_>) -> Result<HealthStrategy, ConfigError> {
    let health = section.optional_string("health")?;
    let cuts = section.found_bool("cuts_connections")?;
    let sources = section.optional_strings("test_sources")?;
    let name = health.as_ref().map_or("idle-listener", |health| health.value.as_str());
    let strategy = match name {
        "idle-listener" => HealthStrategy::IdleListener,
        "weight-zero" => HealthStrategy::WeightZero {
            cuts_connections: cuts.as_ref().is_some_and(|cuts| cuts.value),
        },
        "test-rule" => HealthStrategy::TestRule {
            sources: sources.as_ref().map(ranges).transpose()?.unwrap_or_default(),
        },
        other => {
            let text = format!(
                "`{other}` is not a way to keep both colours checked; there is idle-listener, \
                 weight-zero, test-rule"
            );
            return Err(health
                .as_ref()
                .map_or_else(|| section.wrong(&text), |one| one.wrong(&text)));
        }
    };
    if let Some(cuts) = cuts.filter(|_| name != "weight-zero") {
        return Err(cuts.wrong("it belongs to `health = \"weight-zero\"`"));
    }
    if let Some(sources) = sources.filter(|_| name != "test-rule") {
        return Err(sources.wrong("it belongs to `health = \"test-rule\"`"));
    }
    Ok(strategy)
}

fn ranges(found: &Found<'_, Vec<String>>) -> Result<Vec<String>, ConfigError> {
    if let Some(wrong) = found.value.iter().find(|range| !is_range(range)) {
        return Err(found.wrong(format!("`{wrong}` is not a range of addresses like `10.0.0.0/8`")));
    }
    if found.value.is_empty() || found.value.len() > MOST_SOURCES {
        return Err(found.wrong(format!("a rule takes 1 to {MOST_SOURCES} ranges of addresses")));
    }
    Ok(found.value.clone())
}

fn is_range(text: &str) -> bool {
    let parsed = text.split_once('/').and_then(|(address, bits)| {
        Some((address.parse::<IpAddr>().ok()?, bits.parse::<u8>().ok()?))
    });
    parsed.is_some_and(|(address, bits)| bits <= if address.is_ipv4() { 32 } else { 128 })
}
