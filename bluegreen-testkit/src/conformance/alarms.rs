use bluegreen_core::cloud::{Cloud, CloudErrorKind};
use bluegreen_core::model::{Alarm, AlarmName, Policy, PolicyKey, PolicyName};

use super::arrange::{self, refusal};
use super::{Clause, Fixture, clauses, scaling_policies};

pub(super) const CLAUSES: &[(&str, Clause)] = clauses![
    alarms_are_those_that_exist,
    an_alarm_is_put_and_its_policy_tells_it,
    an_alarm_names_policies_that_exist,
    an_alarm_that_is_absent_is_deleted_at_once,
];

/// Returns those of the names that exist.
pub async fn alarms_are_those_that_exist(cloud: &dyn Cloud, fixture: &Fixture) {
    let Some((alarm, policy)) = given(cloud, fixture).await else { return };
    let names = [alarm.name.clone(), AlarmName::new("no-such-alarm")];
    let found = cloud.alarms(&names).await.expect("an unknown name is no error");
    assert_eq!(found, std::slice::from_ref(&alarm), "only the alarm that exists is told");
    assert!(policy.alarms.contains(&alarm.name), "the policy tells what sets it off");
    let key = PolicyKey { group: fixture.scaling_group.clone(), policy: policy.name };
    assert!(alarm.sets_off.contains(&key), "the alarm tells what it sets off");
}

/// Makes an alarm or replaces the one of its name; deletes it.
pub async fn an_alarm_is_put_and_its_policy_tells_it(cloud: &dyn Cloud, fixture: &Fixture) {
    let Some((alarm, policy)) = given(cloud, fixture).await else { return };
    let group = arrange::scaling_group(cloud, fixture, "alarm").await;
    let policy = Policy { alarms: vec![], ..policy };
    cloud.put_policy(&group, &policy).await.expect("a policy can be put");
    let name = AlarmName::new(format!("{}-alarm", fixture.prefix));
    let key = PolicyKey { group: group.clone(), policy: policy.name };
    let wanted = Alarm { name: name.clone(), sets_off: vec![key.clone()], ..alarm };
    for _ in 0..2 {
        cloud.put_alarm(&wanted).await.expect("an alarm can be put and put again");
        let found = cloud.alarms(std::slice::from_ref(&name)).await.expect("alarms can be read");
        assert_eq!(found, std::slice::from_ref(&wanted), "what was put is what is read");
    }
    for _ in 0..2 {
        let deleted = cloud.delete_alarm(&name).await;
        deleted.expect("an alarm can be deleted, present or absent");
    }
    let found = cloud.alarms(&[name]).await.expect("an unknown name is no error");
    assert_eq!(found, [], "the alarm is gone");
    cloud.delete_policy(&key).await.expect("a policy can be deleted");
    arrange::delete_scaling_group(cloud, fixture, &group).await;
}

/// `NotFound` if it names a policy that does not exist.
pub async fn an_alarm_names_policies_that_exist(cloud: &dyn Cloud, fixture: &Fixture) {
    let Some((alarm, _)) = given(cloud, fixture).await else { return };
    let policy = PolicyName::new(format!("{}-absent", fixture.prefix));
    let key = PolicyKey { group: fixture.scaling_group.clone(), policy };
    let name = AlarmName::new(format!("{}-orphan", fixture.prefix));
    let orphan = Alarm { name: name.clone(), sets_off: vec![key], ..alarm };
    let kind = refusal(cloud.put_alarm(&orphan).await, "putting an alarm that sets off nothing");
    assert_eq!(kind, CloudErrorKind::NotFound, "there is no such policy");
    let found = cloud.alarms(&[name]).await.expect("an unknown name is no error");
    assert_eq!(found, [], "nothing was put");
}

/// A delete of what is absent succeeds.
pub async fn an_alarm_that_is_absent_is_deleted_at_once(cloud: &dyn Cloud, fixture: &Fixture) {
    let name = AlarmName::new(format!("{}-absent", fixture.prefix));
    cloud.delete_alarm(&name).await.expect("deleting what is absent succeeds");
}

async fn given(cloud: &dyn Cloud, fixture: &Fixture) -> Option<(Alarm, Policy)> {
    let name = fixture.alarm.as_ref()?;
    let policy = scaling_policies::policy(cloud, fixture, fixture.policy.as_ref()).await?;
    let found = cloud.alarms(std::slice::from_ref(name)).await.expect("alarms can be read");
    let alarm = found.into_iter().next().expect("the fixture's alarm exists");
    Some((alarm, policy))
}
