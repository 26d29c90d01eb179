use super::*;
use crate::model::{LaunchConfigurationName, TemplateVersion};

/// Lists every refusal there is with what its way out says: a new one does not compile without.
macro_rules! ways_out {
    ($($variant:pat => $refusal:expr, $word:literal;)*) => {
        fn all() -> Vec<Refusal> {
            vec![$($refusal),*]
        }

        fn word(refusal: &Refusal) -> &'static str {
            match refusal {
                $($variant => $word,)*
            }
        }
    };
}

fn environment() -> EnvironmentName {
    EnvironmentName::new("web")
}

fn group() -> ScalingGroupName {
    ScalingGroupName::new("web-live")
}

fn listener() -> ListenerKey {
    ListenerKey::new(LoadBalancerName::new("front"), 18080)
}

fn target_group() -> TargetGroupName {
    TargetGroupName::new("web-http")
}

fn load_balancer() -> LoadBalancerName {
    LoadBalancerName::new("front")
}

fn template() -> LaunchSource {
    let template = LaunchTemplateName::new("web");
    LaunchSource::Template { template, version: TemplateVersion::Latest }
}

ways_out! {
    Refusal::NotUpgraded(_) =>
        Refusal::NotUpgraded(environment()),
        "run `bluegreen upgrade web` first";
    Refusal::Split(_) =>
        Refusal::Split(environment()),
        "send all traffic to one colour with `bluegreen switch web --to COLOR`";
    Refusal::IsLive { .. } =>
        Refusal::IsLive { environment: environment(), color: Color::Green },
        "switch first: `bluegreen switch web`";
    Refusal::GreenIsLive(_) =>
        Refusal::GreenIsLive(environment()),
        "`bluegreen switch web --to blue`";
    Refusal::NotOurs(_) =>
        Refusal::NotOurs(ResourceKey::Listener(listener())),
        "tag it with the run that made it";
    Refusal::RuleNotOurs(_) =>
        Refusal::RuleNotOurs(RouteKey::rule(listener(), 1)),
        "tag it with the run that made it";
    Refusal::Ruled(_) =>
        Refusal::Ruled(listener()),
        "move or delete its rules first";
    Refusal::Unread { .. } =>
        Refusal::Unread { environment: environment(), why: "nobody knows".to_owned() },
        "`bluegreen status web` must work first";
    Refusal::Overtaken { .. } =>
        Refusal::Overtaken { run: RunId::new("01a"), overtaken: Vec::new() },
        "newest run first";
    Refusal::SplitBefore(_) =>
        Refusal::SplitBefore(environment()),
        "`bluegreen switch web --to COLOR`";
    Refusal::FloatMoved { .. } =>
        Refusal::FloatMoved { group: group(), launch: template(), pinned: 7 },
        "leave it pinned";
    Refusal::Deleting(_) =>
        Refusal::Deleting(group()),
        "wait until it is gone";
    Refusal::Managed { .. } =>
        Refusal::Managed { group: group(), operator: "eks".to_owned() },
        "where `eks` is run";
    Refusal::Suspended { .. } =>
        Refusal::Suspended { group: group(), process: Process::Launch, effect: "no machine" },
        "resume-processes --auto-scaling-group-name web-live --scaling-processes Launch`";
    Refusal::Protected { .. } =>
        Refusal::Protected { group: group(), protected: vec!["i-1".to_owned(), "i-2".to_owned()] },
        "--auto-scaling-group-name web-live --instance-ids i-1 i-2`";
    Refusal::Refreshing { .. } =>
        Refusal::Refreshing { group: group(), state: "InProgress".to_owned() },
        "wait for it to end, or cancel it";
    Refusal::Uncarried { .. } =>
        Refusal::Uncarried { group: group(), features: vec!["a mood".to_owned()] },
        "remove it from the group";
    Refusal::Unknown { .. } =>
        Refusal::Unknown { group: group(), members: vec!["Mood".to_owned()] },
        "`--ignore-unknown`";
    Refusal::LoadBalancerKind { .. } =>
        Refusal::LoadBalancerKind { name: load_balancer(), kind: "a gateway".to_owned() },
        "application and network load balancers";
    Refusal::Unguarded(_) =>
        Refusal::Unguarded(load_balancer()),
        "make the load balancer again with a security group";
    Refusal::TargetGroupKind { .. } =>
        Refusal::TargetGroupKind { name: target_group(), reason: "functions".to_owned() },
        "take this one off the scaling group";
    Refusal::NameTooLong { .. } =>
        Refusal::NameTooLong { what: "alarm", name: "w".repeat(256), limit: 255 },
        "set a shorter `green_suffix`";
    Refusal::NameTaken { .. } =>
        Refusal::NameTaken { what: "alarm", name: "web-green".to_owned() },
        "rename or delete it";
    Refusal::NoIdlePort { .. } =>
        Refusal::NoIdlePort {
            load_balancer: load_balancer(),
            needed: 4,
            range: "18080-18081".parse().unwrap(),
            why: "0 have a listener".to_owned(),
        },
        "widen `idle_ports`";
    Refusal::NoIdleListener(_) =>
        Refusal::NoIdleListener(target_group()),
        "check `idle_ports`";
    Refusal::CutsConnections(_) =>
        Refusal::CutsConnections(load_balancer()),
        "agree to that with `cuts_connections = true`";
    Refusal::Sticky { .. } =>
        Refusal::Sticky { route: RouteKey::default_of(listener()), reason: "so".to_owned() },
        "set `health = \"idle-listener\"`";
    Refusal::NoRules(_) =>
        Refusal::NoRules(load_balancer()),
        "set `health = \"idle-listener\"`";
    Refusal::Quota { .. } =>
        Refusal::Quota { of: "it".to_owned(), what: "rules", used: 2, needed: 4, limit: 5 },
        "ask AWS for a higher quota";
    Refusal::ForeignListener(_) =>
        Refusal::ForeignListener(listener()),
        "check `idle_ports`";
    Refusal::Unmeasured(_) =>
        Refusal::Unmeasured(target_group()),
        "say `unmeasured = \"quiet\"`";
    Refusal::LaunchKind { .. } =>
        Refusal::LaunchKind {
            group: group(),
            launch: LaunchSource::Configuration(LaunchConfigurationName::new("web-1")),
        },
        "launch from a launch template or a launch configuration";
    Refusal::IsTemplate(_) =>
        Refusal::IsTemplate(LaunchTemplateName::new("web")),
        "leave `--to-template` out";
    Refusal::TemplateTaken(_) =>
        Refusal::TemplateTaken(LaunchTemplateName::new("web")),
        "give `--to-template` another name";
    Refusal::NoImage(_) =>
        Refusal::NoImage(ImageId::new("ami-0a")),
        "the account and the region";
    Refusal::NoLaunchSource(_) =>
        Refusal::NoLaunchSource(template()),
        "the account and the region";
    Refusal::NoSize =>
        Refusal::NoSize,
        "give the size with `--size`";
    Refusal::Inconsistent(_) =>
        Refusal::Inconsistent(PlanError::NoOp("web-live".to_owned())),
        "this is a mistake in bluegreen";
}

#[test]
fn every_refusal_has_a_way_out_and_only_a_mistake_of_ours_is_called_one() {
    for refusal in all() {
        let hint = refusal.hint();
        assert!(hint.contains(word(&refusal)), "{refusal}: {hint}");
        let is_ours = matches!(refusal, Refusal::Inconsistent(_));
        assert_eq!(hint.contains("mistake in bluegreen"), is_ours, "{refusal}: {hint}");
    }
}
