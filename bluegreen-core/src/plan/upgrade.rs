mod clone;
mod keep;
mod mentions;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Decision, Refusal, check_free, checked};
use crate::change::{CloudChange, Edit, ImageNote};
use crate::model::{
    Alarm, AlarmName, Color, Environment, Fitting, LaunchSource, Limits, LoadBalancer,
    LoadBalancerName, Member, Opaque, Pair, Policy, PolicyName, PortRange, ResourceKey, Route,
    RunId, ScalingGroup, ScalingGroupName, ScalingGroupSettings, Schedule, ScheduleName, Tags,
    TargetGroupName, TargetGroupSettings, TemplateVersion, tag_key,
};
use crate::transaction::Stage;

/// The longest name of a target group that every cloud so far allows.
const LONGEST_TARGET_GROUP: usize = 32;
/// The longest name of a scaling group or an alarm that every cloud so far allows.
const LONGEST_NAME: usize = 255;

/// What may be said about an upgrade.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct UpgradeOptions {
    /// Whether a clone may lack what this version does not know.
    #[serde(default)]
    pub ignore_unknown: bool,
}

impl UpgradeOptions {
    /// Lets the clone lack what this version does not know; the plan says what that is.
    #[must_use]
    pub fn ignoring_unknown(mut self) -> Self {
        self.ignore_unknown = true;
        self
    }
}

/// How the green resources are named: like the blue ones, with a suffix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    suffix: String,
}

impl Names {
    /// Names green resources by adding `suffix`.
    pub fn new(suffix: impl Into<String>) -> Self {
        Self { suffix: suffix.into() }
    }

    /// Names the green counterpart of a target group.
    pub fn target_group(&self, blue: &TargetGroupName) -> TargetGroupName {
        TargetGroupName::new(self.green(blue.as_str()))
    }

    /// Names the green counterpart of a scaling group.
    pub fn scaling_group(&self, blue: &ScalingGroupName) -> ScalingGroupName {
        ScalingGroupName::new(self.green(blue.as_str()))
    }

    /// Names the green counterpart of a scaling policy.
    ///
    /// Two groups may have policies of the same name; but whoever reads an alarm or a bill should
    /// see which colour it is about.
    pub fn policy(&self, blue: &PolicyName) -> PolicyName {
        PolicyName::new(self.green(blue.as_str()))
    }

    /// Names the green counterpart of a scheduled action.
    pub fn schedule(&self, blue: &ScheduleName) -> ScheduleName {
        ScheduleName::new(self.green(blue.as_str()))
    }

    /// Names the green counterpart of an alarm.
    pub fn alarm(&self, blue: &AlarmName) -> AlarmName {
        AlarmName::new(self.green(blue.as_str()))
    }

    /// Returns the name of the blue counterpart; what has none keeps its name.
    pub(crate) fn blue<'a>(&self, green: &'a str) -> &'a str {
        green.strip_suffix(&self.suffix).filter(|blue| !blue.is_empty()).unwrap_or(green)
    }

    fn green(&self, blue: &str) -> String {
        format!("{blue}{}", self.suffix)
    }
}

/// What an upgrade must know beyond the environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpgradeSurvey {
    /// The run that it is planned for.
    pub run: RunId,
    /// How green resources are named.
    pub names: Names,
    /// Where idle listeners may go.
    pub idle_ports: PortRange,
    /// The load balancers of the environment.
    pub load_balancers: Vec<LoadBalancer>,
    /// The idle ports that the outside can reach, each with what opens it.
    pub open_ports: BTreeMap<LoadBalancerName, BTreeMap<u16, String>>,
    /// How many of a thing the account may have.
    pub limits: Limits,
    /// The rules of every listener of the load balancers, those of others too.
    pub rules: Vec<Route>,
    /// What would make the blue target groups again.
    pub target_groups: BTreeMap<TargetGroupName, TargetGroupSettings>,
    /// What would make the blue scaling group again.
    pub group: ScalingGroupSettings,
    /// The policies of the blue scaling group.
    pub policies: Vec<Policy>,
    /// The alarms that set off those policies.
    pub alarms: Vec<Alarm>,
    /// The scheduled actions of the blue scaling group.
    pub schedules: Vec<Schedule>,
    /// What the blue scaling group is fitted with.
    pub fittings: BTreeMap<Fitting, Opaque>,
    /// The number behind the template version that the group launches, if that one floats.
    pub version: Option<u64>,
    /// Which green names are taken already: of target groups, of the scaling group, of alarms.
    pub taken: BTreeSet<String>,
}

/// Plans to give an environment its second colour, next to what serves.
///
/// Changes no live target group and no live size; no live route either, unless both colours are to
/// be kept in them: then the new one gets weight 0.
pub fn upgrade(
    environment: &Environment,
    options: &UpgradeOptions,
    survey: &UpgradeSurvey,
) -> Result<Decision, Refusal> {
    if environment.is_upgraded() {
        return Ok(Decision::upgraded_already());
    }
    check(environment, options, survey)?;
    let launch = pinned(&survey.group.launch, survey.version);
    let kept = keep::changes(environment, survey)?;
    let clone = clone::Clone::new(environment, survey, launch.clone());
    checked(vec![
        Stage::changes("prepare what is there", prepare(environment, survey, launch)),
        Stage::changes("make the green target groups", clone.target_groups()),
        Stage::changes("keep both colours checked", kept),
        Stage::changes("make the green scaling group, of size 0", vec![clone.scaling_group()]),
        // Before anything can act: a machine that was started would not be as the others.
        Stage::changes("suspend what is suspended, hold it while it is idle", clone.processes()),
        Stage::changes("fit it as the blue one is", clone.fittings()),
        Stage::changes("clone what scales it", clone.policies()),
        Stage::changes("clone the alarms", clone.alarms()),
        // Last, and so lifted first on the way back, which could not delete it otherwise.
        Stage::changes("protect it as the blue one is", clone.protection()),
    ])
}

fn check(
    environment: &Environment,
    options: &UpgradeOptions,
    survey: &UpgradeSurvey,
) -> Result<(), Refusal> {
    let group = &environment.blue.group;
    check_free(group)?;
    for member in &environment.blue.members {
        check_target_group(member)?;
    }
    let unsupported = matches!(survey.group.launch, LaunchSource::Unsupported(_));
    if unsupported && survey.group.uncarried.is_empty() {
        let launch = survey.group.launch.clone();
        return Err(Refusal::LaunchKind { group: group.name.clone(), launch });
    }
    let features = uncarried(environment, survey);
    if !features.is_empty() {
        return Err(Refusal::Uncarried { group: group.name.clone(), features });
    }
    if !options.ignore_unknown && !survey.group.unknown.is_empty() {
        let members = survey.group.unknown.clone();
        return Err(Refusal::Unknown { group: group.name.clone(), members });
    }
    check_names(environment, survey)
}

fn check_target_group(member: &Member) -> Result<(), Refusal> {
    let group = &member.target_group;
    let why = match group.target_type.as_str() {
        "instance" => return Ok(()),
        // Somebody else registers them, and would have to register those of both colours.
        "ip" => "addresses, and a scaling group registers its instances only",
        "lambda" => "functions, and a scaling group has none",
        "alb" => "load balancers, and a scaling group has none",
        _ => "not known to this version",
    };
    let reason = format!("its targets are of type {}: {why}", group.target_type);
    Err(Refusal::TargetGroupKind { name: group.name.clone(), reason })
}

/// Names everything that a clone could not carry.
fn uncarried(environment: &Environment, survey: &UpgradeSurvey) -> Vec<String> {
    let own = mentions::Own::of(environment);
    let why = |uncarried: &Option<String>, details: &Opaque| {
        uncarried.clone().or_else(|| own.mentioned_in(details))
    };
    let policies = survey.policies.iter().filter_map(|policy| {
        let why = why(&policy.uncarried, &policy.details)?;
        Some(format!("scaling policy {} ({why})", policy.name))
    });
    let alarms = survey.alarms.iter().filter_map(|alarm| {
        let literal = alarm.dimensions.iter().find_map(|one| own.mentioned_by(one));
        let why = why(&alarm.uncarried, &alarm.details).or(literal)?;
        Some(format!("alarm {} ({why})", alarm.name))
    });
    survey.group.uncarried.iter().cloned().chain(policies).chain(alarms).collect()
}

/// Refuses names that are too long or taken, all of them before anything is made.
fn check_names(environment: &Environment, survey: &UpgradeSurvey) -> Result<(), Refusal> {
    let names = &survey.names;
    let target_groups = environment.blue.members.iter().map(|member| {
        let name = names.target_group(&member.target_group.name);
        ("target group", name.as_str().to_owned(), LONGEST_TARGET_GROUP)
    });
    let group = names.scaling_group(&environment.blue.group.name).as_str().to_owned();
    let group = ("scaling group", group, LONGEST_NAME);
    let alarms = survey
        .alarms
        .iter()
        .map(|alarm| ("alarm", names.alarm(&alarm.name).as_str().to_owned(), LONGEST_NAME));
    let policies = survey.policies.iter().map(|policy| {
        ("scaling policy", names.policy(&policy.name).as_str().to_owned(), LONGEST_NAME)
    });
    let schedules = survey.schedules.iter().map(|schedule| {
        let name = names.schedule(&schedule.name).as_str().to_owned();
        ("scheduled action", name, LONGEST_NAME)
    });
    let all = target_groups.chain([group]).chain(alarms).chain(policies).chain(schedules);
    for (what, name, limit) in all {
        if name.len() > limit {
            return Err(Refusal::NameTooLong { what, name, limit });
        }
        if survey.taken.contains(&name) {
            return Err(Refusal::NameTaken { what, name });
        }
    }
    Ok(())
}

/// Replaces a floating version by the number in use: a deploy makes versions, and a group that
/// follows the newest would launch them.
fn pinned(launch: &LaunchSource, version: Option<u64>) -> LaunchSource {
    version.map_or_else(
        || launch.clone(),
        |number| launch.with_version(TemplateVersion::Number(number)),
    )
}

/// Pins, tags and protects what is there; touches no route, no target and no size.
fn prepare(
    environment: &Environment,
    survey: &UpgradeSurvey,
    launch: LaunchSource,
) -> Vec<CloudChange> {
    let group = &environment.blue.group;
    let mut changes = Vec::new();
    let image = environment.blue.image.as_ref();
    let image = image.and_then(|image| ImageNote::resolved(&launch, image));
    if launch != group.launch {
        let pin = Edit::new(group.name.clone(), group.launch.clone(), launch);
        changes.push(CloudChange::Launch(pin));
    }
    changes.extend(adopt_group(environment, group, image.as_deref()));
    for member in &environment.blue.members {
        let name = &member.target_group.name;
        let tags = survey.target_groups.get(name).map(|found| found.tags.clone());
        let wanted = [(tag_key::PAIR, name.as_str())];
        let resource = ResourceKey::TargetGroup(name.clone());
        changes.extend(adopt(environment, resource, &tags.unwrap_or_default(), &wanted));
    }
    for load_balancer in survey.load_balancers.iter().filter(|one| !one.deletion_protection) {
        let edit = Edit::new(load_balancer.name.clone(), false, true);
        changes.push(CloudChange::DeletionProtection(edit));
    }
    changes
}

fn adopt_group(
    environment: &Environment,
    group: &ScalingGroup,
    image: Option<&str>,
) -> Option<CloudChange> {
    let tags = group.tags.iter().map(|(key, tag)| (key.clone(), tag.value.clone())).collect();
    let image: Vec<_> = image.map(|image| (tag_key::IMAGE, image)).into_iter().collect();
    adopt(environment, ResourceKey::ScalingGroup(group.name.clone()), &tags, &image)
}

/// Tags something that was there as blue; the run tag is left to what a run makes.
fn adopt(
    environment: &Environment,
    resource: ResourceKey,
    tags: &Tags,
    more: &[(&str, &str)],
) -> Option<CloudChange> {
    let wanted =
        [(tag_key::ENVIRONMENT, environment.name.as_str()), (tag_key::COLOR, Color::Blue.as_str())];
    let wanted = wanted.iter().chain(more);
    let after: BTreeMap<String, Option<String>> =
        wanted.map(|(key, value)| ((*key).to_owned(), Some((*value).to_owned()))).collect();
    let before = after.keys().map(|key| (key.clone(), tags.get(key).cloned())).collect();
    (before != after).then(|| CloudChange::Tags(Edit::new(resource, before, after)))
}

/// Returns the tags of something that the run makes.
fn made_tags(environment: &Environment, run: &RunId, color: Color, pair: Option<&Pair>) -> Tags {
    let mut tags = Tags::from([
        (tag_key::ENVIRONMENT.to_owned(), environment.name.as_str().to_owned()),
        (tag_key::COLOR.to_owned(), color.as_str().to_owned()),
        (tag_key::RUN.to_owned(), run.as_str().to_owned()),
    ]);
    if let Some(pair) = pair {
        tags.insert(tag_key::PAIR.to_owned(), pair.name().to_owned());
    }
    tags
}
