use bluegreen_core::cloud::{
    CloudErrorKind, ReadIdentity, ReadScalingGroups, ReadTargetGroups, WriteScalingGroups,
};
use bluegreen_core::model::{
    Capacity, LaunchSource, LaunchTemplateName, Opaque, ScalingGroupName, ScalingGroupSettings,
    TargetGroupName, TemplateVersion,
};

use super::*;
use crate::canned::{Answer, Wire};

fn answer(status: u16, code: &str, message: &str) -> Answer {
    let body = format!(
        "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message>\
         </Error><RequestId>1</RequestId></ErrorResponse>"
    );
    Answer::Http(status, Box::leak(body.into_boxed_str()))
}

fn web() -> ScalingGroupName {
    ScalingGroupName::new("web")
}

async fn resize(answers: Vec<Answer>) -> CloudError {
    let wire = Wire::new(answers);
    wire.cloud().set_capacity(&web(), Capacity::ZERO).await.unwrap_err()
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_sorted_by_what_can_be_done_about_it() {
    use CloudErrorKind as Kind;
    for (status, code, message, kind) in [
        (403, "AccessDenied", "User is not authorized", Kind::Denied),
        (403, "ExpiredToken", "The security token is expired", Kind::Credentials),
        (403, "InvalidClientTokenId", "invalid", Kind::Credentials),
        (403, "SignatureDoesNotMatch", "Signature not yet current", Kind::Credentials),
        (400, "ScalingActivityInProgress", "wait", Kind::Busy),
        (
            400,
            "ValidationError",
            "AutoScalingGroup name not found - 'web' not found",
            Kind::NotFound,
        ),
        (400, "ValidationError", "Max bound, 1, must be greater", Kind::Rejected),
        (400, "SomethingNew", "no", Kind::Rejected),
    ] {
        let error = resize(vec![answer(status, code, message)]).await;
        assert_eq!(error.kind(), kind, "{code}: {message}");
        assert_eq!(error.operation(), "UpdateAutoScalingGroup");
        let source = std::error::Error::source(&error).unwrap().to_string();
        assert_eq!(source, format!("{code}: {message}"));
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_repeated_is_sorted_in_the_end() {
    use CloudErrorKind as Kind;
    for (status, code, kind) in [
        (400, "Throttling", Kind::Busy),
        (500, "ResourceContention", Kind::Busy),
        (500, "InternalFailure", Kind::OutcomeUnknown),
        (503, "ServiceUnavailable", Kind::OutcomeUnknown),
    ] {
        let answers = (0..3).map(|_| answer(status, code, "later")).collect();
        assert_eq!(resize(answers).await.kind(), kind, "{code}");
    }
    let broken = resize(vec![Answer::Broken, Answer::Broken, Answer::Broken]).await;
    assert_eq!(broken.kind(), Kind::OutcomeUnknown);
    let torn =
        resize(vec![Answer::Http(502, "<html>bad gateway</html>"), Answer::Broken, Answer::Broken]);
    assert_eq!(torn.await.kind(), Kind::OutcomeUnknown);
}

#[tokio::test(start_paused = true)]
async fn a_failed_read_changed_nothing() {
    let answers = (0..3).map(|_| answer(500, "InternalFailure", "later"));
    let error = Wire::new(answers).cloud().scaling_groups(&[web()]).await.unwrap_err();
    assert_eq!(error.kind(), CloudErrorKind::Busy);
}

#[tokio::test]
async fn without_credentials_nothing_is_sent() {
    use aws_credential_types::provider::error::CredentialsError;
    use aws_credential_types::provider::{SharedCredentialsProvider, future};

    #[derive(Debug)]
    struct Nobody;
    impl aws_credential_types::provider::ProvideCredentials for Nobody {
        fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
        where
            Self: 'a,
        {
            let error = CredentialsError::not_loaded("no providers in chain provided credentials");
            future::ProvideCredentials::ready(Err(error))
        }
    }

    let wire = Wire::new([]);
    let nobody = SharedCredentialsProvider::new(Nobody);
    let config = wire.config().credentials_provider(nobody).build();
    let cloud = crate::AwsCloud::new(&config).unwrap();
    let error = cloud.account().await.unwrap_err();
    assert_eq!(error.kind(), CloudErrorKind::Credentials);
    let error = cloud.set_capacity(&web(), Capacity::ZERO).await.unwrap_err();
    assert_eq!(error.kind(), CloudErrorKind::Credentials);
    let image = bluegreen_core::model::ImageId::new("ami-1");
    let error = bluegreen_core::cloud::ReadLaunch::image_exists(&cloud, &image).await.unwrap_err();
    assert_eq!(error.kind(), CloudErrorKind::Credentials);
    assert!(wire.requests().is_empty());
}

const NO_GROUPS: &str = "<DescribeAutoScalingGroupsResponse><DescribeAutoScalingGroupsResult>\
    <AutoScalingGroups/></DescribeAutoScalingGroupsResult></DescribeAutoScalingGroupsResponse>";

fn settings() -> ScalingGroupSettings {
    ScalingGroupSettings {
        launch: LaunchSource::Template {
            template: LaunchTemplateName::new("web"),
            version: TemplateVersion::Number(1),
        },
        capacity: Capacity::ZERO,
        target_groups: [].into(),
        tags: [].into(),
        details: Opaque::new(serde_json::json!({})),
        uncarried: Vec::new(),
        unknown: Vec::new(),
    }
}

#[tokio::test(start_paused = true)]
async fn a_creation_that_may_have_landed_is_not_repeated() {
    for lost in [Answer::Broken, answer(500, "InternalFailure", "later")] {
        let wire = Wire::new([Answer::Http(200, NO_GROUPS), lost]);
        let error = wire.cloud().create_scaling_group(&web(), &settings()).await.unwrap_err();
        assert_eq!(error.kind(), CloudErrorKind::OutcomeUnknown);
        assert_eq!(wire.requests().len(), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn a_creation_that_was_throttled_is_repeated() {
    let wire = Wire::new([
        Answer::Http(200, NO_GROUPS),
        answer(400, "Throttling", "Rate exceeded"),
        Answer::Http(200, "<CreateAutoScalingGroupResponse/>"),
    ]);
    wire.cloud().create_scaling_group(&web(), &settings()).await.unwrap();
}

#[tokio::test]
async fn a_group_of_the_name_that_is_on_its_way_out_is_busy() {
    let dying = "AutoScalingGroup by this name already exists - A group with the name web already \
                 exists and is pending delete.";
    let wire = Wire::new([Answer::Http(200, NO_GROUPS), answer(400, "AlreadyExists", dying)]);
    let error = wire.cloud().create_scaling_group(&web(), &settings()).await.unwrap_err();
    assert_eq!(error.kind(), CloudErrorKind::Busy);
}

#[tokio::test]
async fn what_is_gone_is_deleted() {
    let gone = "AutoScalingGroup name not found - AutoScalingGroup 'web' not found";
    for answer in
        [answer(400, "ValidationError", gone), answer(400, "ValidationError", "pending delete")]
    {
        Wire::new([answer]).cloud().delete_scaling_group(&web()).await.unwrap();
    }
    let error = answer(400, "ResourceInUse", "there are instances");
    let error = Wire::new([error]).cloud().delete_scaling_group(&web()).await.unwrap_err();
    assert_eq!(error.kind(), CloudErrorKind::Busy);
}

#[tokio::test(start_paused = true)]
async fn an_operation_that_an_emulator_lacks_is_taken_as_empty() {
    let page = || Answer::Http(500, "<!doctype html><title>500</title>");
    let wire = Wire::new([page()]);
    let config = wire.config().endpoint_url("http://127.0.0.1:5000").build();
    let cloud = crate::AwsCloud::new(&config).unwrap();
    assert_eq!(cloud.instance_refresh(&web()).await.unwrap(), None);
    assert_eq!(wire.requests().len(), 1);

    let aws = Wire::new([page(), page(), page()]);
    assert!(aws.cloud().instance_refresh(&web()).await.is_err());
}

#[tokio::test]
async fn a_missing_name_does_not_hide_the_others() {
    let group = |name: &str| {
        let body = format!(
            "<DescribeTargetGroupsResponse><DescribeTargetGroupsResult><TargetGroups><member>\
             <TargetGroupArn>arn:aws:elasticloadbalancing:eu-west-1:1:targetgroup/{name}/01\
             </TargetGroupArn><TargetGroupName>{name}</TargetGroupName><Protocol>HTTP</Protocol>\
             <Port>80</Port><TargetType>instance</TargetType></member></TargetGroups>\
             </DescribeTargetGroupsResult></DescribeTargetGroupsResponse>"
        );
        Answer::Http(200, Box::leak(body.into_boxed_str()))
    };
    let missing = || answer(400, "TargetGroupNotFound", "One or more target groups not found");
    let wire = Wire::new([missing(), group("blue"), missing()]);
    let names = [TargetGroupName::new("blue"), TargetGroupName::new("green")];
    let found = wire.cloud().target_groups(&names).await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].name, names[0]);
    assert!(wire.cloud().target_groups(&[]).await.unwrap().is_empty());
}
