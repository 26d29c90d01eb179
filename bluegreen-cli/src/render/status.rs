use std::collections::BTreeMap;
use std::fmt::Write as _;

use bluegreen_core::gate::health;
use bluegreen_core::model::{
    Color, Colors, Environment, HealthState, LaunchSource, Liveness, Member, Route, RunId, Side,
    TemplateVersion,
};
use bluegreen_core::plan::{Disparity, expired_hold};
use serde::Serialize;

use super::table::Table;
use super::text::{BAD, BOLD, ODD, color, styled};

/// An environment as it is now. The fields are a contract: more may come, none of these change.
#[derive(Debug, Serialize)]
pub(crate) struct StatusReport {
    environment: String,
    account: String,
    region: String,
    upgraded: bool,
    live: Option<Color>,
    split: bool,
    /// How both colours are kept checked.
    health: String,
    routes: Vec<RouteReport>,
    colors: BTreeMap<Color, ColorReport>,
    run: Option<RunId>,
    /// The colour that serves although a run that never came back holds it.
    #[serde(skip_serializing_if = "Option::is_none")]
    expired_hold: Option<HoldReport>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parity: Option<Vec<Disparity>>,
    #[serde(skip)]
    alias: String,
}

#[derive(Debug, Serialize)]
struct HoldReport {
    color: Color,
    run: RunId,
}

#[derive(Debug, Serialize)]
struct RouteReport {
    load_balancer: String,
    port: u16,
    priority: Option<u32>,
    weights: Colors<u32>,
    #[serde(skip)]
    name: String,
}

#[derive(Debug, Serialize)]
struct ColorReport {
    scaling_group: String,
    version: String,
    image: Option<String>,
    min: u32,
    desired: u32,
    max: u32,
    in_service: usize,
    /// The run that holds the colour while it is idle.
    #[serde(skip_serializing_if = "Option::is_none")]
    held_by: Option<RunId>,
    target_groups: Vec<TargetGroupReport>,
}

/// A header that only a test rule takes.
#[derive(Debug, Serialize)]
struct TestHeader {
    name: String,
    value: String,
}

#[derive(Debug, Serialize)]
struct TargetGroupReport {
    name: String,
    idle_port: Option<u16>,
    /// What keeps it checked while it is idle.
    checked_by: Option<String>,
    /// What a request must say to get here by its test rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    test_header: Option<TestHeader>,
    healthy: usize,
    unhealthy: usize,
    initial: usize,
    draining: usize,
    unused: usize,
    unavailable: usize,
    strays: usize,
}

impl StatusReport {
    /// Sums up what was observed; `run` is the environment's open run.
    pub(crate) fn new(
        environment: &Environment,
        alias: &str,
        region: &str,
        run: Option<RunId>,
    ) -> Self {
        let upgraded = environment.is_upgraded();
        let liveness = environment.liveness();
        let live = match liveness {
            Liveness::Live(color) if upgraded => Some(color),
            _ => None,
        };
        let side = |color| Some((color, ColorReport::new(environment, environment.side(color)?)));
        Self {
            environment: environment.name.to_string(),
            account: environment.account.to_string(),
            region: region.to_owned(),
            upgraded,
            live,
            split: liveness == Liveness::Split,
            health: environment.health.to_string(),
            routes: environment
                .routes
                .iter()
                .map(|one| RouteReport::new(environment, one))
                .collect(),
            colors: Color::BOTH.into_iter().filter_map(side).collect(),
            run,
            expired_hold: expired_hold(environment)
                .map(|one| HoldReport { color: one.color, run: one.hold.run }),
            parity: None,
            alias: alias.to_owned(),
        }
    }

    /// Adds where the colours differ.
    pub(crate) fn with_parity(self, parity: Vec<Disparity>) -> Self {
        Self { parity: Some(parity), ..self }
    }
}

impl RouteReport {
    fn new(environment: &Environment, route: &Route) -> Self {
        Self {
            load_balancer: route.key.listener.load_balancer.to_string(),
            port: route.key.listener.port,
            priority: route.key.priority,
            weights: environment.weights(route),
            name: route.key.to_string(),
        }
    }
}

impl ColorReport {
    fn new(environment: &Environment, side: &Side) -> Self {
        let group = &side.group;
        Self {
            scaling_group: group.name.to_string(),
            version: version(&group.launch),
            image: side.image.as_ref().map(ToString::to_string),
            min: group.capacity.min,
            desired: group.capacity.desired,
            max: group.capacity.max,
            in_service: group.in_service(),
            held_by: group.hold().map(|hold| hold.run),
            target_groups: side
                .members
                .iter()
                .map(|one| TargetGroupReport::new(environment, side, one))
                .collect(),
        }
    }
}

impl TargetGroupReport {
    fn new(environment: &Environment, side: &Side, member: &Member) -> Self {
        let count = health(&side.group, &member.health);
        Self {
            name: member.target_group.name.to_string(),
            idle_port: member.idle_listener.as_ref().map(|listener| listener.port),
            checked_by: environment.kept_checked_by(member).map(|route| route.to_string()),
            test_header: member.test_rule.as_ref().map(|rule| TestHeader {
                name: rule.takes.header.clone(),
                value: rule.takes.value.clone(),
            }),
            healthy: count.of(HealthState::Healthy),
            unhealthy: count.of(HealthState::Unhealthy),
            initial: count.of(HealthState::Initial),
            draining: count.of(HealthState::Draining),
            unused: count.of(HealthState::Unused),
            unavailable: count.of(HealthState::Unavailable),
            strays: count.strays,
        }
    }

    /// Returns what is not zero, in words.
    fn words(&self) -> String {
        let words: Vec<String> = [
            (self.healthy, "healthy"),
            (self.unhealthy, "unhealthy"),
            (self.initial, "initial"),
            (self.draining, "draining"),
            (self.unused, "unused"),
            (self.unavailable, "unavailable"),
            (self.strays, "stray"),
        ]
        .into_iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, word)| format!("{number} {word}"))
        .collect();
        if words.is_empty() { "no targets".to_owned() } else { words.join(", ") }
    }
}

/// Returns the version of a launch template, or the name of what else is launched.
fn version(launch: &LaunchSource) -> String {
    match launch.template() {
        Some((_, TemplateVersion::Number(number))) => number.to_string(),
        Some((_, version)) => version.to_string(),
        None => launch.to_string(),
    }
}

/// Returns a status for people.
pub(crate) fn status(report: &StatusReport) -> String {
    let liveness = match report.live {
        _ if report.split => styled(BAD.bold(), "split"),
        Some(live) => format!("{} is live", color(live)),
        None => "not upgraded".to_owned(),
    };
    let StatusReport { environment, account, alias, region, .. } = report;
    let name = styled(BOLD, environment);
    let mut text = format!("{name}  {liveness}  (account {account} {alias}, {region})\n");
    if report.split {
        let hint = format!(
            "  its routes do not agree: `bluegreen switch {environment} --to COLOR` makes one live\n"
        );
        text.push_str(&hint);
    }
    if let Some(run) = &report.run {
        let open = styled(ODD.bold(), "open run");
        writeln!(text, "  {open} {run}: under way, or `bluegreen recover {run}` goes on")
            .expect("writing to a string cannot fail");
    }
    if let Some(HoldReport { color: side, run }) = &report.expired_hold {
        let expired = styled(ODD.bold(), "expired hold");
        writeln!(
            text,
            "  {expired}: {} serves and does not scale, run {run} never let go of it; the next \
             operation does",
            color(*side)
        )
        .expect("writing to a string cannot fail");
    }
    for table in [routes(report), groups(report), target_groups(report)] {
        text.push('\n');
        text.push_str(&table.lines(2));
    }
    if let Some(parity) = &report.parity {
        text.push('\n');
        text.push_str(&differences(parity));
    }
    text
}

/// Lists where the colours differ, what is not intended first.
fn differences(parity: &[Disparity]) -> String {
    let astray = parity.iter().filter(|one| one.intended.is_none()).count();
    let heading = match (astray, parity.len() - astray) {
        (0, intended) => {
            format!("  the colours differ in {intended} fields, all of them intended\n")
        }
        (astray, intended) => format!(
            "  the colours differ in {} fields that nobody intended, and {intended} that are intended\n",
            styled(BAD.bold(), &astray.to_string())
        ),
    };
    let (intended, others): (Vec<_>, Vec<_>) =
        parity.iter().partition(|one| one.intended.is_some());
    let lines = others.into_iter().chain(intended).map(|one| {
        let shown = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
        let why = one.intended.map_or_else(|| styled(BAD, "not intended"), str::to_owned);
        let (blue, green) = (shown(&one.blue), shown(&one.green));
        // Values may be long: each has a line of its own.
        format!("  {}: {why}\n    blue   {blue}\n    green  {green}\n", one.field)
    });
    std::iter::once(heading).chain(lines).collect::<Vec<_>>().join("\n")
}

fn routes(report: &StatusReport) -> Table {
    let mut table = Table::new(&["ROUTE", ">BLUE", ">GREEN"]);
    for route in &report.routes {
        let green = if report.upgraded { route.weights.green.to_string() } else { "-".to_owned() };
        table.row([route.name.clone(), route.weights.blue.to_string(), green]);
    }
    table
}

fn groups(report: &StatusReport) -> Table {
    let names = ["COLOR", "SCALING GROUP", "VERSION", "IMAGE", ">MIN", ">WANT", ">MAX", ">RUNNING"];
    let mut table = Table::new(&names);
    for (side, group) in &report.colors {
        table.row([
            color(*side),
            group.scaling_group.clone(),
            group.version.clone(),
            group.image.clone().unwrap_or_else(|| "-".to_owned()),
            group.min.to_string(),
            group.desired.to_string(),
            group.max.to_string(),
            group.in_service.to_string(),
        ]);
    }
    table
}

fn target_groups(report: &StatusReport) -> Table {
    // Almost everywhere an idle listener does it, whose load balancer is known.
    let has_listeners = report.health == "idle-listener";
    let by = if has_listeners { ">IDLE PORT" } else { "CHECKED BY" };
    let mut table = Table::new(&["COLOR", "TARGET GROUP", by, "TARGETS"]);
    for (side, group) in &report.colors {
        for target_group in &group.target_groups {
            let by = if has_listeners {
                target_group.idle_port.map(|port| port.to_string())
            } else {
                target_group.checked_by.clone()
            };
            let by = by.unwrap_or_else(|| "-".to_owned());
            table.row([color(*side), target_group.name.clone(), by, target_group.words()]);
        }
    }
    table
}
