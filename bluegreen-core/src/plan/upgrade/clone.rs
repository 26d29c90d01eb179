use std::collections::{BTreeMap, BTreeSet};

use super::{UpgradeSurvey, made_tags};
use crate::change::{CloudChange, Edit, ImageNote};
use crate::model::{
    Alarm, Capacity, Color, Dimension, DimensionValue, Environment, Fitting, FittingKey, GroupTag,
    LaunchSource, Pair, Policy, PolicyKey, Process, ScalingGroupName, ScalingGroupSettings,
    Schedule, TargetGroupName, tag_key,
};

/// The green side, as an edit of the blue one.
pub(super) struct Clone<'a> {
    environment: &'a Environment,
    survey: &'a UpgradeSurvey,
    launch: LaunchSource,
    group: ScalingGroupName,
    green: BTreeMap<&'a TargetGroupName, &'a TargetGroupName>,
}

impl<'a> Clone<'a> {
    pub(super) fn new(
        environment: &'a Environment,
        survey: &'a UpgradeSurvey,
        launch: LaunchSource,
    ) -> Self {
        let group = survey.names.scaling_group(&environment.blue.group.name);
        let green = environment.pairs.iter().map(|pair| (&pair.blue, &pair.green)).collect();
        Self { environment, survey, launch, group, green }
    }

    pub(super) fn target_groups(&self) -> Vec<CloudChange> {
        let clone = |pair: &Pair| {
            let mut settings = self.survey.target_groups.get(&pair.blue)?.clone();
            settings.tags.extend(self.tags(Color::Green, Some(pair)));
            Some(CloudChange::TargetGroup(Edit::create(pair.green.clone(), settings)))
        };
        self.environment.pairs.iter().filter_map(clone).collect()
    }

    pub(super) fn scaling_group(&self) -> CloudChange {
        let mut settings: ScalingGroupSettings = self.survey.group.clone();
        settings.launch = self.launch.clone();
        settings.capacity = Capacity::ZERO;
        settings.target_groups = self.green.values().map(|name| (*name).clone()).collect();
        let mut tags = self.tags(Color::Green, None);
        tags.extend(self.noted_image().map(|text| (tag_key::IMAGE.to_owned(), text)));
        settings.tags.remove(tag_key::CAPACITY);
        settings.tags.remove(tag_key::HOLD);
        for (key, value) in tags {
            settings.tags.insert(key, GroupTag { value, propagate: false });
        }
        CloudChange::ScalingGroup(Edit::create(self.group.clone(), settings))
    }

    fn noted_image(&self) -> Option<String> {
        let image = self.environment.blue.image.as_ref()?;
        ImageNote::resolved(&self.launch, image)
    }

    /// Suspends what somebody suspended of the blue group, and what would act on an idle one.
    pub(super) fn processes(&self) -> Vec<CloudChange> {
        let held = Process::HELD_ON_IDLE.into_iter();
        let wanted: BTreeSet<Process> =
            self.environment.blue.group.suspended.iter().copied().chain(held).collect();
        let all = |suspended: bool| wanted.iter().map(|one| (*one, suspended)).collect();
        vec![CloudChange::Processes(Edit::new(self.group.clone(), all(false), all(true)))]
    }

    pub(super) fn fittings(&self) -> Vec<CloudChange> {
        self.fitted(|fitting| *fitting != Fitting::DeletionProtection)
    }

    pub(super) fn protection(&self) -> Vec<CloudChange> {
        self.fitted(|fitting| *fitting == Fitting::DeletionProtection)
    }

    fn fitted(&self, is_wanted: impl Fn(&Fitting) -> bool) -> Vec<CloudChange> {
        let wanted = self.survey.fittings.iter().filter(|(fitting, _)| is_wanted(fitting));
        wanted
            .map(|(fitting, value)| {
                let of = FittingKey { group: self.group.clone(), fitting: fitting.clone() };
                CloudChange::Fitting(Edit::create(of, value.clone()))
            })
            .collect()
    }

    pub(super) fn policies(&self) -> Vec<CloudChange> {
        let policies = self.survey.policies.iter().map(|policy| {
            let clone = self.policy(policy);
            let of = PolicyKey { group: self.group.clone(), policy: clone.name.clone() };
            CloudChange::Policy(Edit::create(of, clone))
        });
        let schedules = self.survey.schedules.iter().map(|schedule| {
            let clone = Schedule {
                name: self.survey.names.schedule(&schedule.name),
                details: schedule.details.clone(),
            };
            let of = (self.group.clone(), clone.name.clone());
            CloudChange::Schedule(Edit::create(of, clone))
        });
        policies.chain(schedules).collect()
    }

    fn policy(&self, policy: &Policy) -> Policy {
        let mut clone = policy.clone();
        clone.name = self.survey.names.policy(&policy.name);
        clone.alarms.clear();
        if let Some((_, target_group)) = &mut clone.counts_requests_of {
            *target_group = self.of_green(target_group);
        }
        clone.details = clone.details.renamed(&|name| self.renamed(name));
        clone
    }

    pub(super) fn alarms(&self) -> Vec<CloudChange> {
        self.survey
            .alarms
            .iter()
            .map(|alarm| {
                let clone = self.alarm(alarm);
                CloudChange::Alarm(Edit::create(clone.name.clone(), clone))
            })
            .collect()
    }

    fn alarm(&self, alarm: &Alarm) -> Alarm {
        let blue = &self.environment.blue.group.name;
        let sets_off = alarm.sets_off.iter().filter(|key| key.group == *blue);
        Alarm {
            name: self.survey.names.alarm(&alarm.name),
            dimensions: alarm.dimensions.iter().map(|one| self.dimension(one)).collect(),
            sets_off: sets_off
                .map(|key| PolicyKey {
                    group: self.group.clone(),
                    policy: self.survey.names.policy(&key.policy),
                })
                .collect(),
            details: alarm.details.renamed(&|name| self.renamed(name)),
            uncarried: None,
        }
    }

    fn dimension(&self, dimension: &Dimension) -> Dimension {
        Dimension { name: dimension.name.clone(), value: self.renamed(&dimension.value) }
    }

    /// Names the green counterpart of what is the blue side's; anything else keeps its name.
    fn renamed(&self, name: &DimensionValue) -> DimensionValue {
        match name {
            DimensionValue::ScalingGroup(name) if *name == self.environment.blue.group.name => {
                DimensionValue::ScalingGroup(self.group.clone())
            }
            DimensionValue::TargetGroup(name) => DimensionValue::TargetGroup(self.of_green(name)),
            DimensionValue::Requests(balancer, name) => {
                DimensionValue::Requests(balancer.clone(), self.of_green(name))
            }
            other => other.clone(),
        }
    }

    /// Returns the green counterpart; what is not of the environment stays as it is.
    fn of_green(&self, name: &TargetGroupName) -> TargetGroupName {
        self.green.get(name).map_or_else(|| name.clone(), |green| (*green).clone())
    }

    fn tags(&self, color: Color, pair: Option<&Pair>) -> crate::model::Tags {
        made_tags(self.environment, &self.survey.run, color, pair)
    }
}
