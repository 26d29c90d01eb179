//! What is to be done about an orphan that is kept.

use bluegreen_core::model::{
    EnvironmentName, ListenerKey, LoadBalancerName, RouteKey, RunId, ScalingGroupName,
    TargetGroupName,
};
use bluegreen_core::plan::Kept;

#[test]
fn what_is_kept_says_what_to_do_first_unless_it_can_only_be_waited_for() {
    let environment = || EnvironmentName::new("web");
    let target_group = || TargetGroupName::new("web-http");
    let route = || RouteKey::default_of(ListenerKey::new(LoadBalancerName::new("front"), 80));
    let in_use =
        Kept::InUse { environment: environment(), route: route(), target_group: target_group() };
    let open = Kept::Open { run: RunId::new("01a"), environment: environment() };
    for (kept, word) in [
        (Kept::Unread(environment()), "`bluegreen status web`"),
        (Kept::NoEnvironment, "by hand if nobody needs it"),
        (Kept::NotConfigured(environment()), "`bluegreen orphans web --delete`"),
        (open, "`bluegreen recover 01a`"),
        (in_use, "use the configuration that it is in"),
        (Kept::Routed(route()), "take it out of that route"),
        (Kept::Attached(ScalingGroupName::new("web-live")), "delete web-live first"),
        (Kept::Targets(2), "deregister them"),
        (Kept::MayServe("sg-1".to_owned()), "close the port"),
        (Kept::Needed(target_group()), "what target group web-http needs"),
        (Kept::Machines(1), "wait until its machines are gone"),
        (Kept::Size(1), "wait until its machines are gone"),
        (Kept::Managed("eks".to_owned()), "where `eks` is run"),
        (Kept::NotRemade(vec!["a mood".to_owned()]), "by hand if nobody needs it"),
    ] {
        let hint = kept.hint().expect("something can be done");
        assert!(hint.contains(word), "{kept}: {hint}");
    }
    assert_eq!(Kept::Deleting.hint(), None);
}
