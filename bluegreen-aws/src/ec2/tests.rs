use bluegreen_core::cloud::{CloudErrorKind, ReadLaunch, ReadNetwork, WriteLaunch};
use bluegreen_core::model::{
    ImageId, LaunchEdit, LaunchSource, LaunchTemplateName, LoadBalancerName, Mark, PortRange,
    RunId, TemplateVersion, UserData,
};

use crate::canned::{Answer, Wire};

const NO_VERSIONS: &str = "<DescribeLaunchTemplateVersionsResponse><launchTemplateVersionSet/>\
    </DescribeLaunchTemplateVersionsResponse>";

const UNKNOWN_TEMPLATE: &str = "<Response><Errors><Error>\
    <Code>InvalidLaunchTemplateName.NotFoundException</Code>\
    <Message>The specified launch template, with template name web, does not exist.</Message>\
    </Error></Errors><RequestID>1</RequestID></Response>";

const THROTTLED: &str = "<Response><Errors><Error><Code>RequestLimitExceeded</Code>\
    <Message>Request limit exceeded.</Message></Error></Errors><RequestID>2</RequestID></Response>";

/// As AWS lists versions: newest first, white space between elements, much that is not needed.
const VERSIONS: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<DescribeLaunchTemplateVersionsResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">
    <requestId>65cadec1-b364-4354-8ca8-4176dexample</requestId>
    <launchTemplateVersionSet>
        <item>
            <launchTemplateId>lt-068f72b72934aff71</launchTemplateId>
            <launchTemplateName>web</launchTemplateName>
            <versionNumber>7</versionNumber>
            <versionDescription>bluegreen r1 deploy</versionDescription>
            <createTime>2026-01-31T12:00:00.000Z</createTime>
            <defaultVersion>false</defaultVersion>
            <launchTemplateData>
                <imageId>ami-7</imageId>
                <userData>aHVudGVyMg==</userData>
                <networkInterfaceSet/>
            </launchTemplateData>
        </item>
        <item>
            <versionNumber>3</versionNumber>
            <defaultVersion>true</defaultVersion>
            <launchTemplateData><imageId>ami-3</imageId></launchTemplateData>
        </item>
        <item>
            <versionNumber>2</versionNumber>
            <defaultVersion>false</defaultVersion>
            <launchTemplateData/>
        </item>
    </launchTemplateVersionSet>
</DescribeLaunchTemplateVersionsResponse>"#;

const CREATED: &str = "<CreateLaunchTemplateVersionResponse><launchTemplateVersion>\
    <versionNumber>8</versionNumber></launchTemplateVersion>\
    <warning><errorSet><item><code>InvalidAMIID.NotFound</code><message>no such image</message>\
    </item></errorSet></warning></CreateLaunchTemplateVersionResponse>";

fn template() -> LaunchTemplateName {
    LaunchTemplateName::new("web")
}

fn mark() -> Mark {
    Mark::new(&RunId::new("r2"), "deploy")
}

fn source(version: TemplateVersion) -> LaunchSource {
    LaunchSource::Template { template: template(), version }
}

fn edit() -> LaunchEdit {
    LaunchEdit {
        source: source(TemplateVersion::Number(7)),
        image: Some(ImageId::new("ami-8")),
        user_data: Some(UserData::new(b"hunter2".to_vec())),
    }
}

#[tokio::test]
async fn a_call_is_signed_and_goes_to_the_region() {
    let wire = Wire::new([Answer::Http(200, NO_VERSIONS)]);
    let found = wire.cloud().template_version(&template(), &TemplateVersion::Latest).await;
    assert_eq!(found.unwrap(), None);
    let requests = wire.requests();
    let [request] = requests.as_slice() else { panic!("one request: {requests:?}") };
    assert_eq!(request.uri, "https://ec2.eu-west-1.amazonaws.com/");
    assert_eq!(
        request.body,
        "Action=DescribeLaunchTemplateVersions&Version=2016-11-15\
         &LaunchTemplateName=web&LaunchTemplateVersion.1=%24Latest"
    );
    assert!(request.authorization.contains("/eu-west-1/ec2/aws4_request"), "{request:?}");
    assert!(request.user_agent.contains("api/ec2/"), "{request:?}");
}

#[tokio::test]
async fn versions_are_told_apart_in_one_answer() {
    let wire = Wire::new([Answer::Http(200, VERSIONS)]);
    let wanted = [
        source(TemplateVersion::Latest),
        source(TemplateVersion::Default),
        source(TemplateVersion::Number(2)),
        source(TemplateVersion::Number(3)),
    ];
    let mut images = wire.cloud().images(&wanted).await.unwrap();
    images.sort_by_key(|(source, _)| source.to_string());
    let images: Vec<_> =
        images.iter().map(|(source, image)| format!("{source}: {image}")).collect();
    assert_eq!(
        images,
        ["web version $Default: ami-3", "web version $Latest: ami-7", "web version 3: ami-3"]
    );
    assert_eq!(wire.requests().len(), 1);
}

#[tokio::test]
async fn a_template_that_is_not_there_has_no_versions() {
    let wire = Wire::new([Answer::Http(400, UNKNOWN_TEMPLATE)]);
    let found = wire.cloud().launch_source_exists(&source(TemplateVersion::Number(1))).await;
    assert!(!found.unwrap());
}

#[tokio::test(start_paused = true)]
async fn a_throttle_is_repeated() {
    let wire = Wire::new([Answer::Http(503, THROTTLED), Answer::Http(200, VERSIONS)]);
    let found = wire.cloud().template_version(&template(), &TemplateVersion::Number(7)).await;
    assert!(found.unwrap().is_some());
    assert_eq!(wire.requests().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_throttle_that_stays_is_busy() {
    let throttled = || Answer::Http(503, THROTTLED);
    let wire = Wire::new([throttled(), throttled(), throttled()]);
    let error = wire.cloud().image_exists(&ImageId::new("ami-1")).await.unwrap_err();
    assert_eq!(error.kind(), CloudErrorKind::Busy);
    assert_eq!(error.operation(), "DescribeImages");
}

#[tokio::test]
async fn a_new_version_carries_its_mark_and_token() {
    let wire = Wire::new([
        Answer::Http(200, NO_VERSIONS),
        Answer::Http(200, VERSIONS),
        Answer::Http(200, CREATED),
    ]);
    wire.cloud().create_template_version(&template(), &mark(), &edit()).await.unwrap();
    let body = &wire.requests()[2].body;
    for part in [
        "Action=CreateLaunchTemplateVersion&",
        "&LaunchTemplateName=web&ClientToken=",
        "&SourceVersion=7&VersionDescription=bluegreen%20r2%20deploy",
        "&LaunchTemplateData.ImageId=ami-8&LaunchTemplateData.UserData=aHVudGVyMg%3D%3D",
    ] {
        assert!(body.contains(part), "{part} is not in {body}");
    }
}

#[tokio::test]
async fn a_version_that_carries_the_mark_is_not_made_again() {
    let wire = Wire::new([Answer::Http(200, VERSIONS)]);
    let mark = Mark::new(&RunId::new("r1"), "deploy");
    wire.cloud().create_template_version(&template(), &mark, &edit()).await.unwrap();
    assert_eq!(wire.requests().len(), 1);
}

#[tokio::test]
async fn user_data_that_is_not_at_hand_is_refused() {
    let wire = Wire::new([]);
    let redacted = edit().user_data.map(UserData::redacted);
    let edit = LaunchEdit { user_data: redacted, ..edit() };
    let error =
        wire.cloud().create_template_version(&template(), &mark(), &edit).await.unwrap_err();
    assert_eq!(error.kind(), CloudErrorKind::Rejected);
    assert!(wire.requests().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_to_a_creation_is_asked_for_again_with_the_same_token() {
    let wire = Wire::new([
        Answer::Http(200, NO_VERSIONS),
        Answer::Http(200, VERSIONS),
        Answer::Broken,
        Answer::Http(200, CREATED),
    ]);
    wire.cloud().create_template_version(&template(), &mark(), &edit()).await.unwrap();
    let requests = wire.requests();
    assert_eq!(requests[2].body, requests[3].body);
}

#[tokio::test]
async fn an_answer_that_cannot_be_read_leaves_the_outcome_open() {
    let wire = Wire::new([
        Answer::Http(200, NO_VERSIONS),
        Answer::Http(200, VERSIONS),
        Answer::Http(200, "<html>welcome to the hotel network</html>"),
    ]);
    let error =
        wire.cloud().create_template_version(&template(), &mark(), &edit()).await.unwrap_err();
    assert_eq!(error.kind(), CloudErrorKind::OutcomeUnknown);
}

fn deleted(code: &str) -> &'static str {
    Box::leak(
        format!(
            "<DeleteLaunchTemplateVersionsResponse>\
             <unsuccessfullyDeletedLaunchTemplateVersionSet><item><versionNumber>7</versionNumber>\
             <responseError><code>{code}</code><message>no</message></responseError></item>\
             </unsuccessfullyDeletedLaunchTemplateVersionSet></DeleteLaunchTemplateVersionsResponse>"
        )
        .into_boxed_str(),
    )
}

#[tokio::test]
async fn a_deletion_is_judged_by_what_is_said_of_each_version() {
    let mark = Mark::new(&RunId::new("r1"), "deploy");
    for (code, expected) in [
        ("launchTemplateVersionDoesNotExist", None),
        ("unexpectedError", Some(CloudErrorKind::OutcomeUnknown)),
        ("defaultVersionCannotBeDeleted", Some(CloudErrorKind::Rejected)),
    ] {
        let wire = Wire::new([Answer::Http(200, VERSIONS), Answer::Http(200, deleted(code))]);
        let answer = wire.cloud().delete_template_version(&template(), &mark).await;
        assert_eq!(answer.err().map(|error| error.kind()), expected, "{code}");
        assert!(wire.requests()[1].body.ends_with("&LaunchTemplateVersion.1=7"));
    }
}

#[tokio::test]
async fn a_mark_is_looked_for_on_every_page() {
    let first = "<R><launchTemplateVersionSet/><nextToken>t1</nextToken></R>";
    let wire = Wire::new([Answer::Http(200, first), Answer::Http(200, VERSIONS)]);
    let version = TemplateVersion::Marked(Mark::new(&RunId::new("r1"), "deploy"));
    let found = wire.cloud().template_version(&template(), &version).await.unwrap();
    assert_eq!(found, Some(7));
    assert!(wire.requests()[1].body.ends_with("&NextToken=t1"));
}

#[tokio::test]
async fn pages_that_repeat_end_in_an_error() {
    let page = "<R><launchTemplateVersionSet/><nextToken>t1</nextToken></R>";
    let wire = Wire::new([Answer::Http(200, page), Answer::Http(200, page)]);
    let version = TemplateVersion::Marked(mark());
    let error = wire.cloud().template_version(&template(), &version).await.unwrap_err();
    assert_eq!(error.kind(), CloudErrorKind::Rejected);
}

#[tokio::test]
async fn an_image_exists_if_it_can_be_launched() {
    let answer = |status, body| Wire::new([Answer::Http(status, body)]);
    let state = |state: &str| -> &'static str {
        let body = format!(
            "<DescribeImagesResponse><imagesSet><item><imageId>ami-1</imageId>\
             <imageState>{state}</imageState></item></imagesSet></DescribeImagesResponse>"
        );
        Box::leak(body.into_boxed_str())
    };
    let unknown = "<Response><Errors><Error><Code>InvalidAMIID.NotFound</Code><Message/>\
        </Error></Errors><RequestID/></Response>";
    for (wire, expected) in [
        (answer(200, state("available")), true),
        (answer(200, state("pending")), false),
        (answer(200, "<R><imagesSet/></R>"), false),
        (answer(400, unknown), false),
    ] {
        let found = wire.cloud().image_exists(&ImageId::new("ami-1")).await;
        assert_eq!(found.unwrap(), expected);
    }
}

fn load_balancer(more: &str) -> &'static str {
    let body = format!(
        "<DescribeLoadBalancersResponse><DescribeLoadBalancersResult><LoadBalancers><member>\
         <LoadBalancerArn>arn:aws:elasticloadbalancing:eu-west-1:1:loadbalancer/app/web/01\
         </LoadBalancerArn><LoadBalancerName>web</LoadBalancerName><Type>application</Type>{more}\
         </member></LoadBalancers></DescribeLoadBalancersResult></DescribeLoadBalancersResponse>"
    );
    Box::leak(body.into_boxed_str())
}

async fn open(answers: Vec<Answer>) -> Vec<String> {
    let wire = Wire::new(answers);
    let ports = PortRange::new(18_080, 18_081).unwrap();
    let open = wire.cloud().open_ports(&LoadBalancerName::new("web"), ports).await.unwrap();
    open.into_iter().map(|(port, why)| format!("{port}: {why}")).collect()
}

#[tokio::test]
async fn a_security_group_opens_ports_to_the_outside() {
    let balancer = load_balancer(
        "<Scheme>internet-facing</Scheme><IpAddressType>ipv4</IpAddressType>\
         <SecurityGroups><member>sg-1</member></SecurityGroups>",
    );
    let groups = "<DescribeSecurityGroupsResponse><securityGroupInfo><item><groupId>sg-1</groupId>\
        <ipPermissions>\
        <item><ipProtocol>tcp</ipProtocol><fromPort>443</fromPort><toPort>443</toPort>\
        <ipRanges><item><cidrIp>0.0.0.0/0</cidrIp></item></ipRanges></item>\
        <item><ipProtocol>-1</ipProtocol>\
        <groups><item><groupId>sg-2</groupId></item></groups><ipRanges/>\
        <ipv6Ranges><item><cidrIpv6>fd00::/8</cidrIpv6></item></ipv6Ranges></item>\
        <item><ipProtocol>tcp</ipProtocol><fromPort>18000</fromPort><toPort>18080</toPort>\
        <ipRanges><item><cidrIp>10.0.0.0/8</cidrIp></item>\
        <item><cidrIp>8.8.8.0/24</cidrIp></item></ipRanges></item>\
        </ipPermissions></item></securityGroupInfo></DescribeSecurityGroupsResponse>";
    let found = open(vec![Answer::Http(200, balancer), Answer::Http(200, groups)]).await;
    assert_eq!(found, ["18080: security group sg-1 lets in 8.8.8.0/24"]);
}

#[tokio::test]
async fn without_a_security_group_every_port_of_a_network_load_balancer_is_open() {
    let application = load_balancer("<Scheme>internet-facing</Scheme>");
    assert!(open(vec![Answer::Http(200, application)]).await.is_empty());
    let network = application.replace("application", "network").leak();
    assert_eq!(open(vec![Answer::Http(200, network)]).await.len(), 2);
    let internal = load_balancer("<Scheme>internal</Scheme><IpAddressType>ipv4</IpAddressType>");
    assert!(open(vec![Answer::Http(200, internal)]).await.is_empty());
}

/// What the network ACL of the load balancer's subnets says, entry by entry.
async fn open_behind(entries: &str, subnets: &[&str]) -> Vec<String> {
    let zones: Vec<String> =
        subnets.iter().map(|id| format!("<member><SubnetId>{id}</SubnetId></member>")).collect();
    let zones = zones.concat();
    let balancer = load_balancer(&format!(
        "<Scheme>internet-facing</Scheme><IpAddressType>ipv4</IpAddressType>\
         <AvailabilityZones>{zones}</AvailabilityZones>\
         <SecurityGroups><member>sg-1</member></SecurityGroups>"
    ));
    let groups = "<DescribeSecurityGroupsResponse><securityGroupInfo><item><groupId>sg-1</groupId>\
        <ipPermissions><item><ipProtocol>tcp</ipProtocol><fromPort>18080</fromPort>\
        <toPort>18080</toPort><ipRanges><item><cidrIp>8.8.8.0/24</cidrIp></item>\
        <item><cidrIp>9.9.9.0/24</cidrIp></item></ipRanges></item>\
        </ipPermissions></item></securityGroupInfo></DescribeSecurityGroupsResponse>";
    let acls = format!(
        "<DescribeNetworkAclsResponse><networkAclSet><item><networkAclId>acl-1</networkAclId>\
         <associationSet><item><subnetId>subnet-a</subnetId></item></associationSet>\
         <entrySet>{entries}<item><ruleNumber>1</ruleNumber><protocol>-1</protocol>\
         <ruleAction>deny</ruleAction><egress>true</egress><cidrBlock>0.0.0.0/0</cidrBlock></item>\
         </entrySet></item></networkAclSet></DescribeNetworkAclsResponse>"
    );
    let answers = [balancer, groups, acls.leak()].map(|body| Answer::Http(200, body));
    open(answers.into()).await
}

fn entry(number: u32, action: &str, protocol: &str, range: &str, ports: (u16, u16)) -> String {
    let (from, to) = ports;
    format!(
        "<item><ruleNumber>{number}</ruleNumber><protocol>{protocol}</protocol>\
         <ruleAction>{action}</ruleAction><egress>false</egress><cidrBlock>{range}</cidrBlock>\
         <portRange><from>{from}</from><to>{to}</to></portRange></item>"
    )
}

#[tokio::test]
async fn a_network_acl_closes_what_a_security_group_opens() {
    let all = "0.0.0.0/0";
    let allow = entry(200, "allow", "-1", all, (0, 65_535));
    let eight = "18080: security group sg-1 lets in 8.8.8.0/24";
    let nine = "18080: security group sg-1 lets in 9.9.9.0/24";
    let a = &["subnet-a"];
    // Whatever is allowed first, is allowed.
    assert_eq!(open_behind(&allow, a).await, [eight]);
    let late = entry(300, "deny", "6", all, (18_000, 18_099));
    assert_eq!(open_behind(&format!("{late}{allow}"), a).await, [eight]);
    let deny = entry(100, "deny", "6", all, (18_000, 18_099));
    assert!(open_behind(&format!("{allow}{deny}"), a).await.is_empty());
    // Only of that protocol, of those ports, of all those addresses, in every subnet.
    for other in [
        entry(100, "deny", "17", all, (18_000, 18_099)),
        entry(100, "deny", "6", all, (18_081, 18_099)),
        entry(100, "deny", "6", "8.8.8.0/25", (18_000, 18_099)),
    ] {
        assert_eq!(open_behind(&format!("{allow}{other}"), a).await, [eight], "{other}");
    }
    let half = entry(100, "deny", "6", "8.8.8.0/24", (18_000, 18_099));
    assert_eq!(open_behind(&format!("{allow}{half}"), a).await, [nine]);
    let both = &["subnet-a", "subnet-b"];
    assert_eq!(open_behind(&format!("{allow}{deny}"), both).await, [eight]);
    // What no entry is about does not get through.
    assert!(open_behind("", a).await.is_empty());
}
