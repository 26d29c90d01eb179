use bluegreen_core::model::Opaque;

use super::*;

const BLUE: &str = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/blue/01";
const GREEN: &str = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/green/02";

fn name(text: &str) -> TargetGroupName {
    TargetGroupName::new(text)
}

fn arns() -> BTreeMap<TargetGroupName, String> {
    [(name("blue"), BLUE.to_owned()), (name("green"), GREEN.to_owned())].into()
}

fn read_all(actions: &[sdk::Action]) -> Actions {
    read(actions, crate::arn::target_group).unwrap()
}

fn forward(targets: &[(&str, i32)], sticky: Option<i32>) -> sdk::Action {
    let tuples = targets
        .iter()
        .map(|(arn, weight)| {
            sdk::TargetGroupTuple::builder().target_group_arn(*arn).weight(*weight).build()
        })
        .collect();
    let stickiness = sdk::TargetGroupStickinessConfig::builder()
        .enabled(sticky.is_some())
        .set_duration_seconds(sticky)
        .build();
    let config = sdk::ForwardActionConfig::builder()
        .set_target_groups(Some(tuples))
        .target_group_stickiness_config(stickiness)
        .build();
    sdk::Action::builder().r#type(sdk::ActionTypeEnum::Forward).forward_config(config).build()
}

#[test]
fn a_lone_target_group_is_the_same_in_either_form() {
    let single =
        sdk::Action::builder().r#type(sdk::ActionTypeEnum::Forward).target_group_arn(BLUE).build();
    let listed = forward(&[(BLUE, 1)], None);
    assert_eq!(read_all(&[single]), read_all(&[listed]));

    let written = write(&Actions::forward_to(name("blue")), &arns()).unwrap();
    assert_eq!(written[0].target_group_arn(), Some(BLUE));
    assert_eq!(written[0].forward_config(), None);
    assert_eq!(written[0].order(), None);
}

#[test]
fn weights_and_stickiness_survive() {
    let actions = read_all(&[forward(&[(BLUE, 100), (GREEN, 0)], Some(3600))]);
    let found = actions.forward().unwrap();
    assert_eq!(found.weights(), &[(name("blue"), 100), (name("green"), 0)].into());
    assert_eq!(found.stickiness(), Some(&Stickiness { seconds: Some(3600) }));
    assert_eq!(read_all(&write(&actions, &arns()).unwrap()), actions);
}

#[test]
fn an_authentication_survives_without_its_secret() {
    let oidc = sdk::AuthenticateOidcActionConfig::builder()
        .issuer("https://id.example.com")
        .authorization_endpoint("https://id.example.com/authorize")
        .token_endpoint("https://id.example.com/token")
        .user_info_endpoint("https://id.example.com/me")
        .client_id("web")
        .client_secret("hunter2")
        .scope("openid")
        .session_timeout(604_800)
        .authentication_request_extra_params("prompt", "login")
        .on_unauthenticated_request("authenticate".into())
        .build();
    let mut second = forward(&[(BLUE, 1)], None);
    second.order = Some(2);
    let list = [
        second,
        sdk::Action::builder()
            .r#type(sdk::ActionTypeEnum::AuthenticateOidc)
            .order(1)
            .authenticate_oidc_config(oidc.clone())
            .build(),
    ];
    let actions = read_all(&list);
    assert!(!serde_json::to_string(&actions).unwrap().contains("hunter2"));

    let moved = actions.with_forward(&Forward::to(name("green")));
    let written = write(&moved, &arns()).unwrap();
    let mut expected = oidc;
    expected.client_secret = None;
    expected.use_existing_client_secret = Some(true);
    assert_eq!(written[0].authenticate_oidc_config(), Some(&expected));
    assert_eq!(written[1].target_group_arn(), Some(GREEN));
    assert_eq!((written[0].order(), written[1].order()), (Some(1), Some(2)));
}

#[test]
fn every_other_action_survives() {
    use sdk::ActionTypeEnum as Type;
    let redirect = sdk::RedirectActionConfig::builder()
        .protocol("HTTPS")
        .port("443")
        .host("#{host}")
        .status_code("HTTP_301".into())
        .build();
    let fixed = sdk::FixedResponseActionConfig::builder()
        .status_code("503")
        .content_type("text/plain")
        .message_body("later")
        .build();
    let cognito = sdk::AuthenticateCognitoActionConfig::builder()
        .user_pool_arn("arn:aws:cognito-idp:eu-west-1:123456789012:userpool/x")
        .user_pool_client_id("web")
        .user_pool_domain("login")
        .session_timeout(3600)
        .build();
    let claim = sdk::JwtValidationActionAdditionalClaim::builder()
        .name("role")
        .format("single-string".into())
        .values("admin")
        .build();
    let jwt = sdk::JwtValidationActionConfig::builder()
        .jwks_endpoint("https://id.example.com/keys")
        .issuer("https://id.example.com")
        .additional_claims(claim)
        .build();
    let builder = sdk::Action::builder;
    for action in [
        builder().r#type(Type::Redirect).redirect_config(redirect).build(),
        builder().r#type(Type::FixedResponse).fixed_response_config(fixed).build(),
        builder().r#type(Type::AuthenticateCognito).authenticate_cognito_config(cognito).build(),
        builder().r#type(Type::JwtValidation).jwt_validation_config(jwt).build(),
        // All weights 0: the core's type refuses it, and it is not ours to change.
        forward(&[(BLUE, 0), (GREEN, 0)], Some(60)),
    ] {
        let read = read_all(std::slice::from_ref(&action));
        assert_eq!(write(&read, &BTreeMap::new()).unwrap(), [action]);
    }
}

#[test]
fn an_unknown_action_is_refused_by_its_name() {
    let action = sdk::Action::builder().r#type("teleport".into()).build();
    let error = read(&[action], crate::arn::target_group).unwrap_err();
    assert_eq!(error.to_string(), "action type `teleport` is not known to this version");
    let later =
        Opaque::new(serde_json::json!({"type": "redirect", "status_code": "HTTP_301", "new": 1}));
    assert!(write(&Actions::new(vec![Action::Other(later)]), &arns()).is_err());
}
