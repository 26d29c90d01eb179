use bluegreen_core::model::{Actions, LoadBalancerKind, LoadBalancerName, TargetGroupName};

use super::super::{Call, Params, WireError, Xml};
use crate::fake::{FakeCloud, World};
use crate::playground::facts::LoadBalancerFacts;
use crate::playground::site::Site;

fn site() -> Site {
    let site = Site::new("123456789012", "us-east-1", 10, 0, FakeCloud::default());
    let world = World::default()
        .with_template("web", &["ami-0a", "ami-0b"])
        .with_load_balancer("web", LoadBalancerKind::Application)
        .with_target_group("served", 80)
        .with_listener("web", 80, "HTTP", Actions::forward_to(TargetGroupName::new("served")));
    site.cloud().edit(|all| *all = world);
    site
}

fn call(site: &Site, action: &str, form: &str) -> Result<String, WireError> {
    let params = Params::read(form.as_bytes());
    let answer = super::answer(&Call { site, action, params: &params });
    answer.map(|xml: Xml| xml.document("R", "n"))
}

fn between<'a>(text: &'a str, name: &str) -> &'a str {
    let (_, rest) = text.split_once(&format!("<{name}>")).expect("it is there");
    rest.split('<').next().unwrap_or_default()
}

#[tokio::test(start_paused = true)]
async fn numbers_of_versions_are_never_used_again_unless_the_template_is_another_one() {
    let site = site();
    let create = "LaunchTemplateName=web&SourceVersion=1&LaunchTemplateData.InstanceType=t3.nano";
    let made = call(&site, "CreateLaunchTemplateVersion", create).expect("it is made");
    assert_eq!((between(&made, "versionNumber"), between(&made, "imageId")), ("3", "ami-0a"));
    let delete = "LaunchTemplateName=web&LaunchTemplateVersion.1=3&LaunchTemplateVersion.2=9";
    let gone = call(&site, "DeleteLaunchTemplateVersions", delete).expect("one is deleted");
    assert!(gone.contains("<code>launchTemplateVersionDoesNotExist</code>"), "{gone}");
    let made = call(&site, "CreateLaunchTemplateVersion", create).expect("it is made");
    assert_eq!(between(&made, "versionNumber"), "4");

    let default = "LaunchTemplateName=web&LaunchTemplateVersion.1=1";
    assert!(call(&site, "DeleteLaunchTemplateVersions", default).is_err(), "it is the default");
    call(&site, "DeleteLaunchTemplate", "LaunchTemplateName=web").expect("it is deleted");
    let first = "LaunchTemplateName=web&LaunchTemplateData.ImageId=ami-0a";
    let made = call(&site, "CreateLaunchTemplate", first).expect("it is made again");
    assert_eq!(between(&made, "latestVersionNumber"), "1");
    let made = call(&site, "CreateLaunchTemplateVersion", create).expect("it is made");
    assert_eq!(between(&made, "versionNumber"), "2");
}

#[tokio::test(start_paused = true)]
async fn the_mark_of_a_run_is_the_description_of_its_version() {
    let site = site();
    let form = "LaunchTemplateName=web&SourceVersion=1&VersionDescription=bluegreen%20r1%20a%2F1\
                &LaunchTemplateData.ImageId=ami-0b&LaunchTemplateData.UserData=aGk=";
    let made = call(&site, "CreateLaunchTemplateVersion", form).expect("it is made");
    assert_eq!(between(&made, "versionDescription"), "bluegreen r1 a/1");
    assert_eq!(between(&made, "userData"), "aGk=");
    let template = site.cloud().world().templates.into_values().next().expect("there is one");
    let version = &template.versions[&3];
    assert_eq!(
        version.mark.as_ref().map(bluegreen_core::model::Mark::as_str),
        Some("bluegreen r1 a/1")
    );
    assert_eq!(version.data.user_data.as_ref().map(String::len), Some(64));
    let bad = "LaunchTemplateName=web&LaunchTemplateData.UserData=%25";
    let error = call(&site, "CreateLaunchTemplateVersion", bad).expect_err("it is no base64");
    assert_eq!(error.code, "InvalidUserData.Malformed");
}

#[tokio::test(start_paused = true)]
async fn a_security_group_decides_which_ports_are_open() {
    let site = site();
    let made = call(&site, "CreateSecurityGroup", "GroupName=open&GroupDescription=d");
    let made = made.expect("it is made");
    let id = between(&made, "groupId");
    let balancer =
        LoadBalancerFacts { security_groups: vec![id.to_owned()], ..LoadBalancerFacts::default() };
    site.facts().load_balancers.insert("web".to_owned(), balancer);
    site.follow_security_groups();
    let is_open =
        || site.cloud().world().load_balancers[&LoadBalancerName::new("web")].opening(80).is_some();
    assert!(!is_open());
    let rule = format!("GroupId={id}&IpProtocol=tcp&FromPort=80&ToPort=90&CidrIp=0.0.0.0/0");
    let opened = call(&site, "AuthorizeSecurityGroupIngress", &rule).expect("it is opened");
    assert!(is_open());
    let error = call(&site, "DeleteSecurityGroup", &format!("GroupId={id}"));
    assert_eq!(error.expect_err("it is in use").code, "DependencyViolation");
    let rule = between(&opened, "securityGroupRuleId");
    let revoke = format!("GroupId={id}&SecurityGroupRuleId.1={rule}");
    call(&site, "RevokeSecurityGroupIngress", &revoke).expect("it is closed");
    assert!(!is_open());
    let error =
        call(&site, "AuthorizeSecurityGroupIngress", &format!("GroupId={id}&IpProtocol=tcp"));
    assert!(error.is_err(), "it names no ports");
}
