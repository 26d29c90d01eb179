use std::collections::{BTreeMap, BTreeSet};

use bluegreen_core::model::{
    Actions, Alarm, AlarmName, Capacity, Fitting, GroupTag, ImageId, LaunchConfigurationName,
    LaunchSource, LaunchTemplateName, ListenerKey, LoadBalancerKind, LoadBalancerName, Mark,
    Opaque, Policy, PolicyKey, PolicyName, Process, RouteKey, RuleSettings, ScalingGroupName,
    Schedule, ScheduleName, Tags, TargetGroupName, TargetGroupSettings, TemplateVersion, TestMatch,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Value, json};

/// Everything that an account is configured to be, as plain data.
///
/// Two worlds are equal if nobody could tell their configurations apart. Machines, their health
/// and everything else that moves by itself is not part of it; nor is a scaling group that is
/// being deleted, nor which numbers of template versions were used before.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct World {
    /// The load balancers, with their listeners.
    pub load_balancers: BTreeMap<LoadBalancerName, LoadBalancerState>,
    /// The target groups.
    pub target_groups: BTreeMap<TargetGroupName, TargetGroupSettings>,
    /// The scaling groups, with what scales them.
    pub scaling_groups: BTreeMap<ScalingGroupName, ScalingGroupState>,
    /// The launch templates, with their versions.
    pub templates: BTreeMap<LaunchTemplateName, TemplateState>,
    /// The launch configurations.
    pub configurations: BTreeMap<LaunchConfigurationName, LaunchData>,
    /// The alarms that set off scaling policies.
    pub alarms: BTreeMap<AlarmName, Alarm>,
    /// The images that can be launched.
    pub images: BTreeSet<ImageId>,
}

/// A load balancer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoadBalancerState {
    /// On which layer it balances.
    #[serde(serialize_with = "kind_as_text", deserialize_with = "kind_from_text")]
    pub kind: LoadBalancerKind,
    /// Whether the cloud refuses to delete it.
    pub deletion_protection: bool,
    /// Its tags.
    pub tags: Tags,
    /// The ports that the outside can reach, each with what opens it.
    pub openings: BTreeMap<u16, String>,
    /// The ports that the network ACLs of its subnets shut, whatever else lets in.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub shut: BTreeSet<u16>,
    /// Whether it has a security group at all; without one every port is open.
    pub guarded: bool,
    /// Its listeners by port.
    pub listeners: BTreeMap<u16, ListenerState>,
}

/// A listener.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListenerState {
    /// The protocol as the provider spells it.
    pub protocol: String,
    /// What it does when no rule matches.
    pub actions: Actions,
    /// Its rules by priority.
    pub rules: BTreeMap<u32, RuleState>,
    /// Its tags.
    pub tags: Tags,
    /// What belongs to TLS; empty if it listens in the clear.
    #[serde(default, skip_serializing_if = "Opaque::is_empty")]
    pub tls: Opaque,
}

/// A rule of a listener.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleState {
    /// Which requests it takes.
    pub conditions: Opaque,
    /// What it does with them.
    pub actions: Actions,
    /// Its tags.
    #[serde(default, skip_serializing_if = "Tags::is_empty")]
    pub tags: Tags,
}

/// A scaling group, with what scales it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScalingGroupState {
    /// How many machines it is to have.
    pub capacity: Capacity,
    /// What it starts machines from.
    pub launch: LaunchSource,
    /// The target groups in which it registers its machines.
    pub target_groups: BTreeSet<TargetGroupName>,
    /// Its tags.
    pub tags: BTreeMap<String, GroupTag>,
    /// Subnets, health checks, hooks and every other setting.
    pub details: Opaque,
    /// What a clone could not carry.
    pub uncarried: Vec<String>,
    /// What the program does not know.
    #[serde(default)]
    pub unknown: Vec<String>,
    /// What it is fitted with.
    #[serde(default)]
    pub fittings: BTreeMap<Fitting, Opaque>,
    /// The processes that somebody suspended.
    pub suspended: BTreeSet<Process>,
    /// The service that manages it, which refuses everybody else's changes.
    pub operator: Option<String>,
    /// Its policies.
    pub policies: BTreeMap<PolicyName, Policy>,
    /// Its scheduled actions.
    pub schedules: BTreeMap<ScheduleName, Schedule>,
}

/// A launch template.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemplateState {
    /// Its versions by number.
    pub versions: BTreeMap<u64, VersionState>,
    /// The number of the default version.
    pub default: u64,
    /// Its tags.
    #[serde(default)]
    pub tags: Tags,
}

/// A version of a launch template.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionState {
    /// What it launches.
    pub data: LaunchData,
    /// The mark that it carries, if one of our runs made it.
    pub mark: Option<Mark>,
}

/// What a machine is launched from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LaunchData {
    /// The image.
    pub image: ImageId,
    /// The digest of the user data, if there is any.
    pub user_data: Option<String>,
    /// Everything else.
    pub details: Opaque,
}

impl LaunchData {
    /// Makes what launches `image` and nothing else.
    pub fn of(image: impl Into<String>) -> Self {
        Self { image: ImageId::new(image), user_data: None, details: Opaque::default() }
    }
}

impl TemplateState {
    /// Returns the number that a version has, or that it means now.
    pub fn number(&self, version: &TemplateVersion) -> Option<u64> {
        match version {
            TemplateVersion::Number(number) => {
                self.versions.contains_key(number).then_some(*number)
            }
            TemplateVersion::Latest => self.versions.keys().next_back().copied(),
            TemplateVersion::Default => Some(self.default),
            TemplateVersion::Marked(mark) => {
                let mut numbered = self.versions.iter();
                numbered.find(|(_, one)| one.mark.as_ref() == Some(mark)).map(|(number, _)| *number)
            }
        }
    }
}

impl ListenerState {
    /// Returns what the listener does by default and by each of its rules.
    pub fn routes(&self) -> impl Iterator<Item = (Option<u32>, &Actions)> {
        let rules = self.rules.iter().map(|(priority, rule)| (Some(*priority), &rule.actions));
        std::iter::once((None, &self.actions)).chain(rules)
    }
}

impl RuleState {
    /// Makes the test rule that the settings describe, with its conditions as AWS spells them.
    pub fn of(settings: RuleSettings) -> Self {
        let RuleSettings { takes: TestMatch { header, value, sources }, actions, tags } = settings;
        let mut conditions = vec![json!({
            "Field": "http-header",
            "HttpHeaderConfig": {"HttpHeaderName": header, "Values": [value]},
        })];
        if !sources.is_empty() {
            conditions.push(json!({"Field": "source-ip", "SourceIpConfig": {"Values": sources}}));
        }
        Self { conditions: Opaque::new(conditions.into()), actions, tags }
    }

    /// Returns which requests it takes, if it takes only those that have one value of one header.
    pub fn takes(&self) -> Option<TestMatch> {
        let mut found = None;
        let mut sources = Vec::new();
        for condition in self.conditions.value().as_array()? {
            let values = |config: &Value| -> Option<Vec<String>> {
                let values = config["Values"].as_array()?.iter();
                values.map(|value| value.as_str().map(str::to_owned)).collect()
            };
            match condition["Field"].as_str()? {
                "http-header" if found.is_none() => {
                    let config = &condition["HttpHeaderConfig"];
                    let mut values = values(config)?;
                    let value = values.pop().filter(|_| values.is_empty())?;
                    found = Some((config["HttpHeaderName"].as_str()?.to_owned(), value));
                }
                "source-ip" => sources = values(&condition["SourceIpConfig"])?,
                _ => return None,
            }
        }
        found.map(|(header, value)| TestMatch { header, value, sources })
    }

    /// Returns whether no request reaches it that does not know how.
    pub fn is_test(&self) -> bool {
        self.takes().is_some_and(|takes| takes.is_ours())
    }
}

impl LoadBalancerState {
    /// Returns what lets the outside reach `port`, if anything does.
    pub fn opening(&self, port: u16) -> Option<&str> {
        if self.shut.contains(&port) {
            return None;
        }
        match self.openings.get(&port) {
            Some(opening) => Some(opening),
            None => (!self.guarded).then_some("no security group"),
        }
    }
}

impl World {
    /// Returns a listener.
    pub fn listener(&self, key: &ListenerKey) -> Option<&ListenerState> {
        self.load_balancers.get(&key.load_balancer)?.listeners.get(&key.port)
    }

    /// Returns a listener to be changed.
    pub fn listener_mut(&mut self, key: &ListenerKey) -> Option<&mut ListenerState> {
        self.load_balancers.get_mut(&key.load_balancer)?.listeners.get_mut(&key.port)
    }

    /// Returns a rule.
    pub fn rule(&self, key: &RouteKey) -> Option<&RuleState> {
        self.listener(&key.listener)?.rules.get(&key.priority?)
    }

    /// Returns whether requests from outside may take a route.
    pub fn is_open_route(&self, key: &RouteKey) -> bool {
        self.is_open(&key.listener) && !self.rule(key).is_some_and(RuleState::is_test)
    }

    /// Returns what a route does.
    pub fn actions(&self, key: &RouteKey) -> Option<&Actions> {
        let listener = self.listener(&key.listener)?;
        match key.priority {
            None => Some(&listener.actions),
            Some(priority) => Some(&listener.rules.get(&priority)?.actions),
        }
    }

    /// Returns what a route does, to be changed.
    pub fn actions_mut(&mut self, key: &RouteKey) -> Option<&mut Actions> {
        let listener = self.listener_mut(&key.listener)?;
        match key.priority {
            None => Some(&mut listener.actions),
            Some(priority) => Some(&mut listener.rules.get_mut(&priority)?.actions),
        }
    }

    /// Returns every default action and rule, in order.
    pub fn routes(&self) -> impl Iterator<Item = (RouteKey, &Actions)> {
        self.load_balancers.iter().flat_map(|(name, balancer)| {
            balancer.listeners.iter().flat_map(move |(port, listener)| {
                listener.routes().map(move |(priority, actions)| {
                    let listener = ListenerKey::new(name.clone(), *port);
                    (RouteKey { listener, priority }, actions)
                })
            })
        })
    }

    /// Returns, for every target group that a route names with whatever weight, by which load
    /// balancers it is named.
    pub fn references(&self) -> BTreeMap<TargetGroupName, BTreeSet<LoadBalancerName>> {
        let mut references: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
        for (key, actions) in self.routes() {
            for target_group in actions.forward().into_iter().flat_map(|one| one.weights().keys()) {
                let balancers = references.entry(target_group.clone()).or_default();
                balancers.insert(key.listener.load_balancer.clone());
            }
        }
        references
    }

    /// Returns whether the outside can reach a listener.
    pub fn is_open(&self, listener: &ListenerKey) -> bool {
        let balancer = self.load_balancers.get(&listener.load_balancer);
        balancer.is_some_and(|one| one.opening(listener.port).is_some())
    }

    /// Returns what a source launches now, if it exists.
    pub fn launch_data(&self, source: &LaunchSource) -> Option<&LaunchData> {
        if let Some((template, version)) = source.template() {
            let template = self.templates.get(template)?;
            return Some(&template.versions.get(&template.number(version)?)?.data);
        }
        match source {
            LaunchSource::Configuration(name) => self.configurations.get(name),
            _ => None,
        }
    }

    /// Returns a policy.
    pub fn policy(&self, key: &PolicyKey) -> Option<&Policy> {
        self.scaling_groups.get(&key.group)?.policies.get(&key.policy)
    }
}

/// The model gives the kinds of load balancers no text of their own.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes fields by reference")]
fn kind_as_text<S: Serializer>(kind: &LoadBalancerKind, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(match kind {
        LoadBalancerKind::Application => "application",
        LoadBalancerKind::Network => "network",
        LoadBalancerKind::Gateway => "gateway",
        _ => "other",
    })
}

fn kind_from_text<'de, D: Deserializer<'de>>(from: D) -> Result<LoadBalancerKind, D::Error> {
    match String::deserialize(from)?.as_str() {
        "application" => Ok(LoadBalancerKind::Application),
        "network" => Ok(LoadBalancerKind::Network),
        "gateway" => Ok(LoadBalancerKind::Gateway),
        other => Err(serde::de::Error::custom(format!("`{other}` is no kind of load balancer"))),
    }
}
