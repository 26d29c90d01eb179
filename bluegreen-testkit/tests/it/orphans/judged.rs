//! What speaks for keeping an orphan, thing by thing, and what else stays with it.

use std::collections::BTreeSet;

use bluegreen_core::model::{
    AccountId, Actions, Alarm, AlarmName, Capacity, EnvironmentName, Instance, InstanceId,
    LaunchSource, Lifecycle, ListenerKey, ListenerSettings, LoadBalancerName, Opaque, Policy,
    PolicyKey, PolicyName, ResourceKey, Route, RouteKey, RunId, ScalingGroup, ScalingGroupName,
    ScalingGroupSettings, TargetGroupName,
};
use bluegreen_core::plan::{Census, Findings, Making, OpenRun, Orphan, Unclaimed, Unread, orphans};
use bluegreen_testkit::fake::{target_group, template};
use serde_json::json;

fn environment(name: &str) -> EnvironmentName {
    EnvironmentName::new(name)
}

fn group(name: &str) -> ScalingGroupName {
    ScalingGroupName::new(name)
}

fn port(port: u16) -> ListenerKey {
    ListenerKey::new(LoadBalancerName::new("front"), port)
}

fn to(name: &str) -> Actions {
    Actions::forward_to(TargetGroupName::new(name))
}

fn unclaimed(resource: ResourceKey, of: &str) -> Unclaimed {
    Unclaimed { resource, run: RunId::new("01a"), environment: Some(environment(of)) }
}

fn scaling_group(name: &str) -> (ScalingGroup, Making) {
    let settings = ScalingGroupSettings {
        launch: template("web", 1),
        capacity: Capacity::ZERO,
        target_groups: [TargetGroupName::new("web-http")].into(),
        tags: [].into(),
        details: Opaque::default(),
        uncarried: vec![],
        unknown: vec![],
    };
    let found = ScalingGroup {
        name: group(name),
        account: AccountId::new("123456789012"),
        capacity: Capacity::ZERO,
        launch: settings.launch.clone(),
        instances: vec![],
        target_groups: settings.target_groups.clone(),
        suspended: [].into(),
        tags: [].into(),
        deleting: false,
        operator: None,
    };
    let making = Making {
        settings,
        policies: vec![],
        schedules: vec![],
        alarms: vec![],
        fittings: [].into(),
        can_launch: true,
    };
    (found, making)
}

fn listening(census: &mut Census, findings: &mut Findings, at: u16, of: &str) {
    let settings = ListenerSettings {
        protocol: "HTTP".to_owned(),
        actions: to("web-http"),
        tags: [].into(),
        tls: Opaque::default(),
    };
    census.unclaimed.push(unclaimed(ResourceKey::Listener(port(at)), of));
    findings.listeners.insert(port(at), (settings, None));
    findings.routes.push(route(RouteKey::default_of(port(at)), "web-http"));
}

fn route(key: RouteKey, name: &str) -> Route {
    Route { key, actions: to(name), takes: None }
}

fn attached(census: &mut Census, findings: &mut Findings, name: &str, of: &str) {
    let (found, making) = scaling_group(name);
    census.unclaimed.push(unclaimed(ResourceKey::ScalingGroup(group(name)), of));
    findings.groups.push(found);
    findings.makings.insert(group(name), making);
}

/// A group, its target group and the listener that checks it, of which nobody needs any.
fn left_over() -> (Census, Findings) {
    let (mut census, mut findings) = (Census::default(), Findings::default());
    for name in ["web", "jobs"] {
        let ports = "18080-18099".parse().expect("a range");
        census.configured.insert(environment(name), ports);
    }
    attached(&mut census, &mut findings, "web", "web");
    let name = TargetGroupName::new("web-http");
    census.unclaimed.push(unclaimed(ResourceKey::TargetGroup(name.clone()), "web"));
    findings.target_groups.insert(name, (target_group(80, "HTTP"), 0));
    listening(&mut census, &mut findings, 18080, "web");
    (census, findings)
}

/// Says why the group, the target group and the listener are kept; nothing if they may go.
fn verdicts(census: &Census, findings: &Findings) -> [String; 3] {
    let all = orphans(census, findings);
    let why = |resource: ResourceKey| {
        let of = |one: &&Orphan| one.resource == resource;
        let one = all.iter().find(of).unwrap_or_else(|| panic!("{resource} is listed"));
        one.kept.as_ref().map(ToString::to_string).unwrap_or_default()
    };
    [
        why(ResourceKey::ScalingGroup(group("web"))),
        why(ResourceKey::TargetGroup(TargetGroupName::new("web-http"))),
        why(ResourceKey::Listener(port(18080))),
    ]
}

/// What is so, and why each of the three is kept then.
type Row = (fn(&mut Census, &mut Findings), [&'static str; 3]);

#[track_caller]
fn check(rows: &[Row]) {
    for (nth, (touch, wanted)) in rows.iter().enumerate() {
        let (mut census, mut findings) = left_over();
        touch(&mut census, &mut findings);
        assert_eq!(verdicts(&census, &findings), *wanted, "row {nth}");
    }
}

const ATTACHED: &str = "scaling group web is attached to it";
const NEEDED: &str = "it keeps target group web-http checked, which stays";
const ROUTED: &str = "route front:18080 names it";

fn making(findings: &mut Findings) -> &mut Making {
    findings.makings.get_mut(&group("web")).expect("it is there")
}

fn policy(uncarried: Option<&str>) -> Policy {
    Policy {
        name: PolicyName::new("busy"),
        counts_requests_of: None,
        details: Opaque::default(),
        alarms: vec![],
        uncarried: uncarried.map(str::to_owned),
    }
}

fn alarm(sets_off: &[&str], uncarried: Option<&str>) -> Alarm {
    let policy = |name: &&str| PolicyKey { group: group(name), policy: PolicyName::new("busy") };
    Alarm {
        name: AlarmName::new("hot"),
        dimensions: vec![],
        sets_off: sets_off.iter().map(policy).collect(),
        details: Opaque::default(),
        uncarried: uncarried.map(str::to_owned),
    }
}

#[test]
fn a_group_that_has_machines_or_that_others_work_on_stays_with_what_checks_it() {
    check(&[
        (|_, _| {}, ["", "", ""]),
        (|_, found| found.groups[0].deleting = true, ["it is being deleted", ATTACHED, NEEDED]),
        (
            |_, found| found.groups[0].operator = Some("eks".to_owned()),
            ["`eks` manages it, which refuses our changes", ATTACHED, NEEDED],
        ),
        (
            |_, found| {
                found.groups[0].instances.push(Instance {
                    id: InstanceId::new("i-1"),
                    lifecycle: Lifecycle::Terminating,
                    healthy: false,
                    protected: false,
                    launched: None,
                });
            },
            ["it has machines: 1", ATTACHED, NEEDED],
        ),
        (
            |_, found| found.groups[0].capacity = Capacity::new(0, 1, 5),
            ["it is to have machines: 1", ATTACHED, NEEDED],
        ),
        (|_, found| found.groups[0].capacity = Capacity::new(0, 0, 5), ["", "", ""]),
    ]);
}

#[test]
fn a_group_that_could_not_be_made_again_stays() {
    let kept = |what| [what, ATTACHED, NEEDED];
    check(&[
        (
            |_, found| making(found).settings.uncarried.push("a mood".to_owned()),
            kept("it could not be made again as it is: a mood"),
        ),
        (
            |_, found| making(found).settings.unknown.push("member Mood".to_owned()),
            kept("it could not be made again as it is: member Mood"),
        ),
        (
            |_, found| {
                making(found).settings.launch = LaunchSource::Unsupported("thin air".to_owned());
            },
            kept("it could not be made again as it is: thin air"),
        ),
        (
            |_, found| making(found).can_launch = false,
            kept("it could not be made again as it is: web version 1, which is not there"),
        ),
        (
            |_, found| making(found).policies.push(policy(Some("a forecast"))),
            kept("it could not be made again as it is: scaling policy busy (a forecast)"),
        ),
        (
            |_, found| making(found).alarms.push(alarm(&["web"], Some("a query"))),
            kept("it could not be made again as it is: alarm hot (a query)"),
        ),
        (
            |_, found| making(found).alarms.push(alarm(&["web", "jobs"], None)),
            kept("it could not be made again as it is: alarm hot, which also sets off jobs/busy"),
        ),
        (
            |_, found| {
                making(found).policies.push(policy(None));
                making(found).alarms.push(alarm(&["web"], None));
            },
            ["", "", ""],
        ),
    ]);
}

#[test]
fn a_target_group_that_somebody_needs_stays_with_what_checks_it() {
    check(&[
        (
            |_, found| {
                found.target_groups.values_mut().for_each(|(_, targets)| *targets = 1);
            },
            ["", "targets are registered in it: 1", NEEDED],
        ),
        (
            |census, found| attached(census, found, "jobs", "jobs"),
            ["", "scaling group jobs is attached to it", NEEDED],
        ),
        // What goes with it does not hold it.
        (|census, found| attached(census, found, "web-2", "web"), ["", "", ""]),
        (|census, found| listening(census, found, 18081, "web"), ["", "", ""]),
        (
            |census, found| listening(census, found, 18081, "jobs"),
            ["", "route front:18081 names it", ""],
        ),
        (
            |_, found| found.routes.push(route(RouteKey::default_of(port(80)), "web-http")),
            ["", "route front:80 names it", ""],
        ),
        (
            |_, found| found.routes.push(route(RouteKey::default_of(port(80)), "jobs-http")),
            ["", "", ""],
        ),
        (
            |_, found| found.routes.push(route(RouteKey::rule(port(80), 7), "web-http")),
            ["", "route front:80 rule 7 names it", ""],
        ),
    ]);
}

fn settings(findings: &mut Findings) -> &mut ListenerSettings {
    &mut findings.listeners.get_mut(&port(18080)).expect("it is there").0
}

#[test]
fn a_listener_that_may_serve_or_could_not_be_made_again_stays_with_what_it_names() {
    check(&[
        (
            |_, found| {
                found.listeners.get_mut(&port(18080)).expect("there").1 = Some("sg-1".to_owned());
            },
            ["", ROUTED, "it may serve requests: sg-1"],
        ),
        (
            |census, _| {
                let ports = "18081-18099".parse().expect("a range");
                census.configured.insert(environment("web"), ports);
            },
            ["", ROUTED, "it may serve requests: 18080 is not among the idle ports 18081-18099"],
        ),
        (
            |_, found| "HTTPS".clone_into(&mut settings(found).protocol),
            ["", ROUTED, "it could not be made again as it is: its certificate"],
        ),
        (
            |_, found| "TLS".clone_into(&mut settings(found).protocol),
            ["", ROUTED, "it could not be made again as it is: its certificate"],
        ),
        (
            |_, found| {
                "HTTPS".clone_into(&mut settings(found).protocol);
                settings(found).tls = Opaque::new(json!({"certificate": "arn"}));
            },
            ["", "", ""],
        ),
        (
            |_, found| found.routes.push(route(RouteKey::rule(port(18080), 7), "jobs-http")),
            ["", ROUTED, "it could not be made again as it is: its rules (1)"],
        ),
        (
            |_, found| found.routes.push(route(RouteKey::rule(port(18081), 7), "jobs-http")),
            ["", "", ""],
        ),
    ]);
}

#[test]
fn what_the_tags_tell_keeps_everything_before_any_look() {
    let all = |why| [why, why, why];
    check(&[
        (
            |census, _| {
                let unread = Unread { environment: environment("jobs"), why: "denied".to_owned() };
                census.unread.push(unread);
            },
            all("environment `jobs` could not be read, and may claim it"),
        ),
        (
            |census, _| census.unclaimed.iter_mut().for_each(|one| one.environment = None),
            all("its tags name no environment"),
        ),
        (
            |census, _| {
                census.configured.remove(&environment("web"));
            },
            all("environment `web` is not configured here, and may be elsewhere"),
        ),
        (|census, _| open(census, "web"), all("run 01b of `web` has not ended")),
        (|census, _| open(census, "jobs"), ["", "", ""]),
    ]);
}

fn open(census: &mut Census, of: &str) {
    let (run, environment, touches) = (RunId::new("01b"), environment(of), BTreeSet::new());
    census.open.push(OpenRun { run, environment, touches });
}

/// Names an environment that is configured nowhere.
fn name(census: &mut Census) {
    census.configured.remove(&environment("web"));
    census.named.insert(environment("web"));
}

#[test]
fn nothing_goes_of_an_environment_that_is_only_named_while_a_route_names_something_of_it() {
    const IN_USE: &str = "`web` is in use: route front:80 names web-http";
    check(&[
        (|census, _| name(census), ["", "", ""]),
        (
            |census, found| {
                name(census);
                found.routes.push(route(RouteKey::default_of(port(80)), "web-http"));
            },
            [IN_USE, "route front:80 names it", IN_USE],
        ),
        (
            |census, found| {
                name(census);
                found.routes.push(route(RouteKey::default_of(port(80)), "jobs-http"));
            },
            ["", "", ""],
        ),
    ]);
}

#[test]
fn only_what_is_wanted_and_not_kept_by_its_tags_is_worth_a_look() {
    let (mut census, mut findings) = left_over();
    attached(&mut census, &mut findings, "jobs", "jobs");
    let looked_at = |census: &Census| -> Vec<String> {
        census.candidates().map(|one| one.resource.to_string()).collect()
    };
    assert_eq!(looked_at(&census).len(), 4);
    census.named.insert(environment("jobs"));
    assert_eq!(looked_at(&census), ["scaling group jobs"]);
    open(&mut census, "jobs");
    assert_eq!(looked_at(&census), [""; 0]);
}
