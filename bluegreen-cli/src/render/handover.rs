//! What is live, for those who keep the rest as code: Terraform and `CloudFormation`.

use std::collections::BTreeMap;

use bluegreen_core::model::{
    Color, Colors, Environment, LaunchSource, Liveness, Route, Side, TargetGroupName,
};
use serde::Serialize;

/// An environment as code wants to know it.
#[derive(Debug, Serialize)]
pub(crate) struct Handover {
    #[serde(skip)]
    environment: String,
    live: Color,
    upgraded: bool,
    routes: Vec<RouteValue>,
    scaling_groups: BTreeMap<Color, GroupValue>,
    target_groups: BTreeMap<Color, Vec<String>>,
}

#[derive(Debug, Serialize)]
struct RouteValue {
    load_balancer: String,
    port: u16,
    priority: Option<u32>,
    /// The target group that gets the requests; of several the one that gets most.
    target_group: String,
    weights: Colors<u32>,
}

#[derive(Debug, Serialize)]
struct GroupValue {
    name: String,
    min: u32,
    desired: u32,
    max: u32,
    launch_template: Option<String>,
    /// A number as Terraform and `CloudFormation` want it: in quotes.
    launch_version: Option<String>,
    launch_configuration: Option<String>,
    image: Option<String>,
}

/// A parameter of the Systems Manager, as `aws ssm put-parameter --cli-input-json` takes it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Parameter {
    name: String,
    r#type: &'static str,
    value: String,
    overwrite: bool,
}

impl Handover {
    /// Takes what was observed; `None` if the environment is split, so that nothing is live.
    pub(crate) fn new(environment: &Environment) -> Option<Self> {
        let Liveness::Live(live) = environment.liveness() else { return None };
        let names = |side: &Side| {
            side.members.iter().map(|member| member.target_group.name.to_string()).collect()
        };
        Some(Self {
            environment: environment.name.to_string(),
            live,
            upgraded: environment.is_upgraded(),
            routes: environment
                .routes
                .iter()
                .filter_map(|route| RouteValue::new(environment, route))
                .collect(),
            scaling_groups: environment
                .sides()
                .map(|(color, side)| (color, GroupValue::new(side)))
                .collect(),
            target_groups: environment.sides().map(|(color, side)| (color, names(side))).collect(),
        })
    }

    fn parameters(&self) -> Vec<Parameter> {
        let parameter = |path: &str, value: String| Parameter {
            name: format!("/bluegreen/{}/{path}", plain(&self.environment)),
            r#type: "String",
            value,
            overwrite: true,
        };
        let mut all = vec![parameter("live", self.live.to_string())];
        for route in &self.routes {
            let rule = route.priority.map(|one| format!("/{one}")).unwrap_or_default();
            let path = format!("routes/{}/{}{rule}", route.load_balancer, route.port);
            all.push(parameter(&path, route.target_group.clone()));
        }
        for (color, group) in &self.scaling_groups {
            let numbers = [("min", group.min), ("desired", group.desired), ("max", group.max)];
            let texts = [
                ("launch-template", &group.launch_template),
                ("launch-version", &group.launch_version),
                ("launch-configuration", &group.launch_configuration),
                ("image", &group.image),
            ];
            all.push(parameter(&format!("{color}/scaling-group"), group.name.clone()));
            all.extend(
                numbers
                    .map(|(what, value)| parameter(&format!("{color}/{what}"), value.to_string())),
            );
            let there = texts.into_iter().filter_map(|(what, value)| Some((what, value.clone()?)));
            all.extend(there.map(|(what, value)| parameter(&format!("{color}/{what}"), value)));
        }
        for (color, names) in &self.target_groups {
            let list = parameter(&format!("{color}/target-groups"), names.join(","));
            all.push(Parameter { r#type: "StringList", ..list });
        }
        all
    }
}

impl RouteValue {
    fn new(environment: &Environment, route: &Route) -> Option<Self> {
        let weights = route.actions.forward()?.weights();
        let most = |(name, weight): (&TargetGroupName, &u32)| (*weight, name.clone());
        let (_, target_group) = weights.iter().map(most).max()?;
        Some(Self {
            load_balancer: route.key.listener.load_balancer.to_string(),
            port: route.key.listener.port,
            priority: route.key.priority,
            target_group: target_group.to_string(),
            weights: environment.weights(route),
        })
    }
}

impl GroupValue {
    fn new(side: &Side) -> Self {
        let group = &side.group;
        let (template, version) = group.launch.template().unzip();
        let configuration = match &group.launch {
            LaunchSource::Configuration(name) => Some(name.to_string()),
            // It is not for us to say how anything else is launched.
            _ => None,
        };
        Self {
            name: group.name.to_string(),
            min: group.capacity.min,
            desired: group.capacity.desired,
            max: group.capacity.max,
            launch_template: template.map(ToString::to_string),
            launch_version: version.map(ToString::to_string),
            launch_configuration: configuration,
            image: side.image.as_ref().map(ToString::to_string),
        }
    }
}

/// Replaces what may not be in the name of a parameter.
///
/// <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html>
fn plain(name: &str) -> String {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-._/".contains(letter);
    name.chars().map(|letter| if is_plain(letter) { letter } else { '_' }).collect()
}

/// Returns values of one variable of Terraform, `bluegreen`: a map of environments by name.
pub(crate) fn tfvars(handovers: &[Handover]) -> String {
    let by_name: BTreeMap<&str, &Handover> =
        handovers.iter().map(|one| (one.environment.as_str(), one)).collect();
    let text = serde_json::to_string_pretty(&BTreeMap::from([("bluegreen", by_name)]));
    format!("{}\n", text.expect("values have string keys"))
}

/// Returns parameters of the Systems Manager, one on each line.
pub(crate) fn ssm(handovers: &[Handover]) -> String {
    let lines = handovers.iter().flat_map(Handover::parameters).map(|parameter| {
        format!("{}\n", serde_json::to_string(&parameter).expect("a parameter is plain text"))
    });
    lines.collect()
}

#[cfg(test)]
mod tests {
    use bluegreen_core::cloud::ReadScalingGroups as _;
    use bluegreen_core::model::{LaunchTemplateName, Opaque, ScalingGroupName, TemplateVersion};
    use bluegreen_testkit::{FakeCloud, World};

    use super::*;

    #[tokio::test]
    async fn a_group_of_mixed_instances_is_handed_over_with_its_template() {
        let name = ScalingGroupName::new("nginx-live");
        let mut world = World::example();
        let group = world.scaling_groups.get_mut(&name).expect("it is in the example");
        group.launch = LaunchSource::Mixed {
            template: LaunchTemplateName::new("nginx"),
            version: TemplateVersion::Number(1),
            policy: Opaque::default(),
        };
        let found = FakeCloud::new(world).scaling_groups(&[name]).await.expect("it can be read");
        let group = found.into_iter().next().expect("it is there");
        let value = GroupValue::new(&Side { group, image: None, members: vec![] });
        assert_eq!(value.launch_template.as_deref(), Some("nginx"));
        assert_eq!(value.launch_version.as_deref(), Some("1"));
    }

    #[test]
    fn names_of_parameters_have_no_odd_letters() {
        assert_eq!(plain("IE-L-NGINX"), "IE-L-NGINX");
        assert_eq!(plain("a:b@c+d/e.f_g"), "a_b_c_d/e.f_g");
    }
}
