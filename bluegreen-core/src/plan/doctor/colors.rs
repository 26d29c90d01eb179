use super::{Examination, Finding};
use crate::model::{
    Capacity, Color, Environment, LaunchSource, Liveness, Process, TargetGroupSettings, tag_key,
};
use crate::transaction::{Fields, differences, fields};

/// Tells which colour is live.
pub(super) fn liveness(environment: &Environment) -> Vec<Finding> {
    const CHECK: &str = "colours";
    let name = &environment.name;
    vec![match environment.liveness() {
        _ if !environment.is_upgraded() => {
            Finding::note(CHECK, "there is one colour only", "there is nothing to switch to")
                .mended_by(format!("bluegreen upgrade {name}"))
        }
        Liveness::Live(color) => Finding::ok(CHECK, format!("{color} is live")),
        Liveness::Split => Finding::problem(
            CHECK,
            "the live routes do not agree on one colour",
            "both versions serve, and nothing but a switch may begin",
        )
        .mended_by(format!("bluegreen switch {name} --to COLOR")),
    }]
}

/// Finds groups that launch whatever version is the newest.
pub(super) fn templates(environment: &Environment) -> Vec<Finding> {
    const CHECK: &str = "templates";
    let mut findings = Vec::new();
    for (color, side) in environment.sides() {
        let group = &side.group.name;
        match &side.group.launch {
            LaunchSource::Template { version, .. } | LaunchSource::Mixed { version, .. }
                if version.floats() =>
            {
                let what = format!("{group} ({color}) launches version {version}");
                let finding = if environment.is_upgraded() {
                    Finding::problem(
                        CHECK,
                        what,
                        "a deploy makes a version, and this group would launch it",
                    )
                    .mended_by(format!(
                        "aws autoscaling update-auto-scaling-group --auto-scaling-group-name \
                         {group} --launch-template LaunchTemplateName=NAME,Version=NUMBER"
                    ))
                } else {
                    Finding::note(CHECK, what, "an upgrade pins it to the number it means now")
                };
                findings.push(finding);
            }
            LaunchSource::Unsupported(what) => findings.push(Finding::problem(
                CHECK,
                format!("{group} ({color}) launches from {what}"),
                "nothing can be deployed to it",
            )),
            _ => {}
        }
    }
    if findings.is_empty() {
        findings.push(Finding::ok(CHECK, "every group launches a version that stays"));
    }
    findings
}

/// Finds a live colour that is held, and an idle one that is not.
pub(super) fn holds(found: &Examination, environment: &Environment) -> Vec<Finding> {
    const CHECK: &str = "holds";
    let Liveness::Live(live) = environment.liveness() else { return Vec::new() };
    // A run that is under way holds what it needs, and gives it back.
    if !environment.is_upgraded() || !found.open_runs.is_empty() {
        return Vec::new();
    }
    let mut findings = Vec::new();
    if let Some(side) = environment.side(live) {
        let held: Vec<Process> = Process::HELD_ON_IDLE
            .into_iter()
            .filter(|process| side.group.suspended.contains(process))
            .collect();
        if !held.is_empty() {
            let names: Vec<String> = held.iter().map(ToString::to_string).collect();
            let group = &side.group.name;
            findings.push(
                Finding::problem(
                    CHECK,
                    format!("{} of {group} ({live}, live) is suspended", names.join(" and ")),
                    "the colour that serves does not scale",
                )
                .mended_by(format!(
                    "aws autoscaling resume-processes --auto-scaling-group-name {group} \
                     --scaling-processes {}",
                    names.join(" ")
                )),
            );
        }
    }
    if let Some(side) = environment.side(live.other()) {
        let is_held = Process::HELD_ON_IDLE.iter().all(|one| side.group.suspended.contains(one));
        if !is_held && side.group.capacity != Capacity::ZERO {
            let group = &side.group.name;
            let names = Process::HELD_ON_IDLE.map(|one| one.to_string()).join(" ");
            findings.push(
                Finding::warning(
                    CHECK,
                    format!("{group} ({}, idle) scales by itself", live.other()),
                    "it gets no requests, so its policies shrink it, and a switch finds it small",
                )
                .mended_by(format!(
                    "aws autoscaling suspend-processes --auto-scaling-group-name {group} \
                     --scaling-processes {names}"
                )),
            );
        }
    }
    if findings.is_empty() {
        findings.push(Finding::ok(CHECK, "what serves scales, and what is idle is held"));
    }
    findings
}

/// Finds settings in which the colours differ and should not.
pub(super) fn drift(found: &Examination, environment: &Environment) -> Vec<Finding> {
    const CHECK: &str = "drift";
    let Some(parity) = &found.parity else { return Vec::new() };
    let show = |value: Option<&String>| value.cloned().unwrap_or_else(|| "absent".to_owned());
    let tell = |what: &str, field: &str, blue: Option<&String>, green: Option<&String>| {
        let field = if field.is_empty() { "all" } else { field };
        format!("{what} {field}: blue {}, green {}", show(blue), show(green))
    };
    let groups = parity.iter().filter(|one| one.intended.is_none());
    let mut apart: Vec<String> = groups
        .map(|one| tell("scaling group", &one.field, one.blue.as_ref(), one.green.as_ref()))
        .collect();
    for pair in &environment.pairs {
        let settings = |color| Some(comparable(found.target_groups.get(pair.get(color))?));
        let (Some(blue), Some(green)) = (settings(Color::Blue), settings(Color::Green)) else {
            continue;
        };
        apart.extend(
            differences(&blue, &green)
                .into_iter()
                .map(|one| tell(pair.name(), &one.field, one.wanted.as_ref(), one.found.as_ref())),
        );
    }
    if apart.is_empty() {
        return vec![Finding::ok(CHECK, "the colours are alike")];
    }
    vec![
        Finding::warning(
            CHECK,
            format!("the colours differ in {}", apart.join("; ")),
            "after the next switch the service behaves otherwise than before",
        )
        .mended_by(format!("bluegreen status {} --parity", environment.name)),
    ]
}

/// Returns what two target groups of a pair should share.
fn comparable(settings: &TargetGroupSettings) -> Fields {
    let mut all = fields(&settings.details);
    all.insert("delay".to_owned(), format!("{:?}", settings.deregistration_delay));
    let foreign = settings.tags.iter().filter(|(key, _)| !tag_key::is_ours(key));
    all.extend(foreign.map(|(key, value)| (format!("tag {key}"), value.clone())));
    all
}
