//! Where the colours of an environment differ, field by field, and which differences are intended.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::Names;
use crate::model::{
    Alarm, Color, DimensionValue, Environment, Fitting, Opaque, Pair, Policy, Process,
    ScalingGroupName, ScalingGroupSettings, Schedule, TargetGroupName, tag_key,
};
use crate::transaction::{Fields, fields};

/// Everything that a scaling group is set to, with what scales it and what it is fitted with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupWhole {
    /// Its settings.
    pub settings: ScalingGroupSettings,
    /// The processes that are suspended.
    pub suspended: BTreeSet<Process>,
    /// What it is fitted with.
    pub fittings: BTreeMap<Fitting, Opaque>,
    /// Its policies.
    pub policies: Vec<Policy>,
    /// The alarms that set them off.
    pub alarms: Vec<Alarm>,
    /// Its scheduled actions.
    pub schedules: Vec<Schedule>,
}

/// A field in which the colours differ.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Disparity {
    /// The field; what belongs to green goes by the name of its blue counterpart.
    pub field: String,
    /// What blue has; nothing if it has none.
    pub blue: Option<String>,
    /// What green has; nothing if it has none.
    pub green: Option<String>,
    /// Why that is as it should be; nothing if it is not.
    pub intended: Option<&'static str>,
}

/// Compares the colours of an environment that has both.
pub fn parity(
    environment: &Environment,
    names: &Names,
    blue: &GroupWhole,
    green: &GroupWhole,
) -> Vec<Disparity> {
    let view = View { environment, names };
    let blue = view.fields(blue, &|name| name.clone());
    // As it stands, and by the names of its blue counterparts.
    let as_blue = view.fields(green, &|name| view.blue_of(name));
    let green = view.fields(green, &|name| name.clone());
    let all: BTreeSet<&String> = blue.keys().chain(green.keys()).collect();
    let differing = all.into_iter().filter(|field| blue.get(*field) != green.get(*field));
    let rows = differing.map(|field| Disparity {
        field: field.clone(),
        blue: blue.get(field).cloned(),
        green: green.get(field).cloned(),
        intended: if blue.get(field) == as_blue.get(field) {
            Some("named after its colour")
        } else {
            view.intended(field, &blue, &green)
        },
    });
    rows.collect()
}

/// The field of a launch configuration's name.
const CONFIGURATION: &str = "launch.configuration";

struct View<'a> {
    environment: &'a Environment,
    names: &'a Names,
}

impl View<'_> {
    /// Names the blue counterpart of what is the green side's.
    fn blue_of(&self, name: &DimensionValue) -> DimensionValue {
        let group = |name: &ScalingGroupName| {
            let blue = &self.environment.blue.group.name;
            if *name == self.names.scaling_group(blue) { blue.clone() } else { name.clone() }
        };
        let target_group = |name: &TargetGroupName| {
            let pair = self.environment.pairs.iter().find(|pair| pair.green == *name);
            pair.map_or_else(|| name.clone(), |pair: &Pair| pair.blue.clone())
        };
        match name {
            DimensionValue::ScalingGroup(name) => DimensionValue::ScalingGroup(group(name)),
            DimensionValue::TargetGroup(name) => DimensionValue::TargetGroup(target_group(name)),
            DimensionValue::Requests(balancer, name) => {
                DimensionValue::Requests(balancer.clone(), target_group(name))
            }
            other => other.clone(),
        }
    }

    /// Writes a group field by field; what belongs to it goes by the names of the blue side.
    fn fields(
        &self,
        group: &GroupWhole,
        rename: &dyn Fn(&DimensionValue) -> DimensionValue,
    ) -> Fields {
        let GroupWhole { settings, suspended, fittings, policies, alarms, schedules } = group;
        let mut all = Fields::new();
        let mut add = |prefix: &str, more: Fields| {
            all.extend(more.into_iter().map(|(name, value)| match name.as_str() {
                "" => (prefix.to_owned(), value),
                name => (format!("{prefix}.{name}"), value),
            }));
        };
        let renamed = |opaque: &Opaque| opaque.renamed(&|name| rename(name));
        add("launch", fields(&settings.launch));
        add("size", fields(&settings.capacity));
        let target_groups = settings.target_groups.iter().map(|name| {
            match rename(&DimensionValue::TargetGroup(name.clone())) {
                DimensionValue::TargetGroup(name) => name.to_string(),
                _ => name.to_string(),
            }
        });
        let target_groups = target_groups.collect::<Vec<_>>().join(", ");
        add("target groups", Fields::from([(String::new(), target_groups)]));
        add("tags", fields(&settings.tags));
        add("settings", fields(&renamed(&settings.details)));
        for process in suspended {
            add(&format!("suspended.{process}"), Fields::from([(String::new(), "yes".to_owned())]));
        }
        for (fitting, value) in fittings {
            add(&fitting.to_string(), fields(value));
        }
        for policy in policies {
            let mut clone = policy.clone();
            clone.details = renamed(&policy.details);
            clone.alarms.clear();
            let counted = clone.counts_requests_of.take();
            let counted =
                counted.map(|(balancer, name)| rename(&DimensionValue::Requests(balancer, name)));
            let prefix = self.key("policies", policy.name.as_str());
            let mut its = fields(&clone);
            its.remove("name");
            add(&prefix, its);
            add(&format!("{prefix}.counts"), fields(&counted));
        }
        for alarm in alarms {
            let dimensions = alarm.dimensions.iter().map(|one| (&one.name, rename(&one.value)));
            let prefix = self.key("alarms", alarm.name.as_str());
            add(&prefix, fields(&renamed(&alarm.details)));
            add(&format!("{prefix}.dimensions"), fields(&dimensions.collect::<Vec<_>>()));
        }
        for schedule in schedules {
            let prefix = self.key("schedules", schedule.name.as_str());
            add(&prefix, fields(&renamed(&schedule.details)));
        }
        all
    }

    fn key(&self, kind: &str, name: &str) -> String {
        format!("{kind}.{}", self.names.blue(name))
    }

    /// Says why a field may differ, if it may.
    fn intended(&self, field: &str, blue: &Fields, green: &Fields) -> Option<&'static str> {
        if field.starts_with("size.") {
            return Some("each colour has its own size");
        }
        if field.strip_prefix("tags.").is_some_and(tag_key::is_ours) {
            return Some("written by bluegreen");
        }
        let versioned = [".version.number", ".version"].iter().any(|one| field.ends_with(one));
        if field == CONFIGURATION || field.starts_with("launch.") && versioned {
            return Some("each colour has its own version");
        }
        if field == "launch.template.template"
            && (blue.contains_key(CONFIGURATION) || green.contains_key(CONFIGURATION))
        {
            return Some("one colour has a launch template by now");
        }
        let held = Process::HELD_ON_IDLE.iter().any(|one| field == format!("suspended.{one}"));
        let suspended = match (blue.get(field), green.get(field)) {
            (Some(_), None) => Color::Blue,
            (None, Some(_)) => Color::Green,
            _ => return None,
        };
        let idle = match self.environment.liveness() {
            crate::model::Liveness::Live(live) => live.other(),
            crate::model::Liveness::Split => return None,
        };
        (held && suspended == idle).then_some("held while it is idle")
    }
}
