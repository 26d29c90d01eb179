use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Scope, Task};

/// Actions that some tasks take on some resources: one line of the table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Need {
    /// What the statement is called.
    pub(crate) name: &'static str,
    /// The actions, as IAM spells them.
    pub(crate) actions: &'static [&'static str],
    /// Who takes them.
    pub(crate) by: &'static [Task],
    /// On what.
    pub(crate) on: &'static [Place],
    /// Under which condition.
    pub(crate) only: Only,
    /// How they come to be asked for.
    pub(crate) way: Way,
    /// The one way of keeping target groups checked that takes them; any if nothing is said.
    /// Deleting orphans takes them all: who knows how they came to be.
    pub(crate) health: Option<&'static str>,
}

impl Need {
    /// Returns the ARNs of what they are taken on.
    pub(super) fn arns(&self, scope: &Scope) -> Vec<String> {
        self.on.iter().flat_map(|place| place.arns(scope)).collect()
    }

    /// Returns whether a task takes the actions.
    pub(super) fn is_for(&self, task: Task, scope: &Scope) -> bool {
        let is_kept_so = self.health.is_none_or(|health| health == scope.health.as_str());
        self.by.contains(&task) && (is_kept_so || task == Task::Orphans)
    }
}

/// How an action comes to be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// By a call of its name.
    Called,
    /// By AWS, within a call of another name; or by a call that only some groups ask for.
    Checked,
}

/// What an action is taken on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Anything: the action knows no resources.
    Anything,
    LoadBalancer,
    Listener,
    Rule,
    /// The target groups that were there first.
    BlueTargetGroup,
    /// The target groups that an upgrade makes.
    GreenTargetGroup,
    /// The scaling groups of both colours.
    Groups,
    /// The scaling group that an upgrade makes.
    GreenGroup,
    /// The alarms that an upgrade makes.
    GreenAlarm,
    LaunchTemplate,
    LaunchConfiguration,
    InstanceRole,
    Bucket,
    Objects,
}

/// Under which condition an action is allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Only {
    Always,
    /// What is made carries the environment's tag.
    TaggedByUs,
    /// What is changed carries the environment's tag.
    Ours,
    /// Tags are set as something is made.
    AsMade(&'static [&'static str]),
    /// Tags are set as a launch template is made.
    TemplateMade,
    /// Tags with keys of this tool are set.
    OurKeys,
    /// Machines are launched from a launch template.
    FromTemplate,
    /// A role is given to machines.
    ToMachines,
}

impl Place {
    /// Returns the ARNs.
    pub(super) fn arns(self, scope: &Scope) -> Vec<String> {
        let balancing = |kind: &str, rest: &str| -> Vec<String> {
            let names = names(&scope.load_balancers);
            let each = names.iter().map(|name| format!("{kind}/*/{name}/{rest}"));
            each.map(|resource| scope.arn("elasticloadbalancing", &resource)).collect()
        };
        let group = |name: &str| {
            scope.arn("autoscaling", &format!("autoScalingGroup:*:autoScalingGroupName/{name}"))
        };
        let target_group =
            |name: &str| scope.arn("elasticloadbalancing", &format!("targetgroup/{name}/*"));
        let (partition, account, suffix) = (scope.partition(), &scope.account, &scope.suffix);
        match self {
            Self::Anything => vec!["*".to_owned()],
            Self::LoadBalancer => balancing("loadbalancer", "*"),
            // The last parts are ids.
            Self::Listener => balancing("listener", "*/*"),
            Self::Rule => balancing("listener-rule", "*/*/*"),
            Self::BlueTargetGroup => {
                names(&scope.target_groups).iter().map(|name| target_group(name)).collect()
            }
            Self::GreenTargetGroup => names(&scope.target_groups)
                .iter()
                .map(|name| target_group(&format!("{name}{suffix}")))
                .collect(),
            Self::Groups => vec![group(scope.blue.as_str()), group(scope.green.as_str())],
            Self::GreenGroup => vec![group(scope.green.as_str())],
            Self::GreenAlarm => vec![scope.arn("cloudwatch", &format!("alarm:*{suffix}"))],
            // EC2 knows them by ids, which no configuration has.
            Self::LaunchTemplate => vec![scope.arn("ec2", "launch-template/*")],
            Self::LaunchConfiguration => {
                vec![scope.arn("autoscaling", "launchConfiguration:*:launchConfigurationName/*")]
            }
            Self::InstanceRole => names(&scope.instance_roles)
                .iter()
                .map(|name| format!("arn:{partition}:iam::{account}:role/{name}"))
                .collect(),
            Self::Bucket => scope
                .bucket
                .iter()
                .map(|bucket| format!("arn:{partition}:s3:::{}", bucket.name))
                .collect(),
            Self::Objects => scope
                .bucket
                .iter()
                .map(|bucket| match bucket.prefix.as_str() {
                    "" => format!("arn:{partition}:s3:::{}/*", bucket.name),
                    prefix => format!("arn:{partition}:s3:::{}/{prefix}/*", bucket.name),
                })
                .collect(),
        }
    }
}

/// Returns the names that are known, or what stands for any.
fn names<T: std::fmt::Display>(known: &[T]) -> Vec<String> {
    if known.is_empty() {
        return vec!["*".to_owned()];
    }
    known.iter().map(ToString::to_string).collect()
}

impl Only {
    /// Returns the condition as IAM writes it.
    ///
    /// <https://docs.aws.amazon.com/service-authorization/latest/reference/list_awselasticloadbalancingv2.html>
    pub(super) fn condition(self, scope: &Scope) -> BTreeMap<String, Value> {
        let environment = scope.environment.as_str();
        let (operator, test) = match self {
            Self::Always => return BTreeMap::new(),
            Self::TaggedByUs => {
                ("StringEquals", json!({ "aws:RequestTag/bluegreen:environment": environment }))
            }
            Self::Ours => {
                ("StringEquals", json!({ "aws:ResourceTag/bluegreen:environment": environment }))
            }
            Self::AsMade(actions) => {
                ("StringEquals", json!({ "elasticloadbalancing:CreateAction": actions }))
            }
            Self::TemplateMade => {
                ("StringEquals", json!({ "ec2:CreateAction": "CreateLaunchTemplate" }))
            }
            Self::OurKeys => ("ForAllValues:StringLike", json!({ "aws:TagKeys": ["bluegreen:*"] })),
            Self::FromTemplate => {
                let template = Place::LaunchTemplate.arns(scope);
                ("ArnLike", json!({ "ec2:LaunchTemplate": template }))
            }
            Self::ToMachines => {
                ("StringEquals", json!({ "iam:PassedToService": "ec2.amazonaws.com" }))
            }
        };
        BTreeMap::from([(operator.to_owned(), test)])
    }
}
