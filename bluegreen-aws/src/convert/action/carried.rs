use std::collections::BTreeMap;

use aws_sdk_elasticloadbalancingv2::types as sdk;
use serde::{Deserialize, Serialize};

use super::super::ConvertError;

/// An action that the core carries and never looks into.
///
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_Action.html>
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case", deny_unknown_fields)]
pub(super) enum Carried {
    Redirect(Redirect),
    FixedResponse(FixedResponse),
    AuthenticateOidc(Oidc),
    AuthenticateCognito(Cognito),
    JwtValidation(Jwt),
    /// A forward all of whose weights are 0.
    Forward(RawForward),
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Redirect {
    protocol: Option<String>,
    port: Option<String>,
    host: Option<String>,
    path: Option<String>,
    query: Option<String>,
    status_code: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FixedResponse {
    status_code: Option<String>,
    content_type: Option<String>,
    message_body: Option<String>,
}

/// Has no client secret: AWS does not tell it, and keeps it if asked to.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Oidc {
    issuer: Option<String>,
    authorization_endpoint: Option<String>,
    token_endpoint: Option<String>,
    user_info_endpoint: Option<String>,
    client_id: Option<String>,
    session_cookie_name: Option<String>,
    scope: Option<String>,
    session_timeout: Option<i64>,
    authentication_request_extra_params: Option<BTreeMap<String, String>>,
    on_unauthenticated_request: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Cognito {
    user_pool_arn: Option<String>,
    user_pool_client_id: Option<String>,
    user_pool_domain: Option<String>,
    session_cookie_name: Option<String>,
    scope: Option<String>,
    session_timeout: Option<i64>,
    authentication_request_extra_params: Option<BTreeMap<String, String>>,
    on_unauthenticated_request: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Jwt {
    jwks_endpoint: Option<String>,
    issuer: Option<String>,
    #[serde(default)]
    additional_claims: Vec<Claim>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Claim {
    name: Option<String>,
    format: Option<String>,
    #[serde(default)]
    values: Vec<String>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawForward {
    target_groups: Vec<RawTarget>,
    sticky: Option<bool>,
    sticky_seconds: Option<i32>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTarget {
    arn: Option<String>,
    weight: Option<i32>,
}

type Builder = sdk::builders::ActionBuilder;

impl Carried {
    /// Reads an action; one of a kind that is not known is refused by its name.
    pub(super) fn read(action: &sdk::Action) -> Result<Self, ConvertError> {
        use sdk::ActionTypeEnum as Type;
        let kind = action.r#type().ok_or(ConvertError::Missing("Type"))?;
        let missing = |name| ConvertError::Missing(name);
        Ok(match kind {
            Type::Redirect => Self::Redirect(Redirect::read(
                action.redirect_config().ok_or_else(|| missing("RedirectConfig"))?,
            )),
            Type::FixedResponse => Self::FixedResponse(FixedResponse::read(
                action.fixed_response_config().ok_or_else(|| missing("FixedResponseConfig"))?,
            )),
            Type::AuthenticateOidc => Self::AuthenticateOidc(Oidc::read(
                action
                    .authenticate_oidc_config()
                    .ok_or_else(|| missing("AuthenticateOidcConfig"))?,
            )),
            Type::AuthenticateCognito => Self::AuthenticateCognito(Cognito::read(
                action
                    .authenticate_cognito_config()
                    .ok_or_else(|| missing("AuthenticateCognitoConfig"))?,
            )),
            Type::JwtValidation => Self::JwtValidation(Jwt::read(
                action.jwt_validation_config().ok_or_else(|| missing("JwtValidationConfig"))?,
            )),
            Type::Forward => Self::Forward(RawForward::read(
                action.forward_config().ok_or_else(|| missing("ForwardConfig"))?,
            )),
            other => {
                let value = other.as_str().to_owned();
                return Err(ConvertError::Unknown { what: "action type", value });
            }
        })
    }

    /// Writes the action back.
    pub(super) fn write(self) -> Builder {
        use sdk::ActionTypeEnum as Type;
        let builder = sdk::Action::builder();
        match self {
            Self::Redirect(config) => {
                builder.r#type(Type::Redirect).redirect_config(config.write())
            }
            Self::FixedResponse(config) => {
                builder.r#type(Type::FixedResponse).fixed_response_config(config.write())
            }
            Self::AuthenticateOidc(config) => {
                builder.r#type(Type::AuthenticateOidc).authenticate_oidc_config(config.write())
            }
            Self::AuthenticateCognito(config) => builder
                .r#type(Type::AuthenticateCognito)
                .authenticate_cognito_config(config.write()),
            Self::JwtValidation(config) => {
                builder.r#type(Type::JwtValidation).jwt_validation_config(config.write())
            }
            Self::Forward(config) => builder.r#type(Type::Forward).forward_config(config.write()),
        }
    }
}

impl Redirect {
    fn read(config: &sdk::RedirectActionConfig) -> Self {
        Self {
            protocol: text(config.protocol()),
            port: text(config.port()),
            host: text(config.host()),
            path: text(config.path()),
            query: text(config.query()),
            status_code: config.status_code().map(|code| code.as_str().to_owned()),
        }
    }

    fn write(self) -> sdk::RedirectActionConfig {
        sdk::RedirectActionConfig::builder()
            .set_protocol(self.protocol)
            .set_port(self.port)
            .set_host(self.host)
            .set_path(self.path)
            .set_query(self.query)
            .set_status_code(self.status_code.as_deref().map(Into::into))
            .build()
    }
}

impl FixedResponse {
    fn read(config: &sdk::FixedResponseActionConfig) -> Self {
        Self {
            status_code: text(config.status_code()),
            content_type: text(config.content_type()),
            message_body: text(config.message_body()),
        }
    }

    fn write(self) -> sdk::FixedResponseActionConfig {
        sdk::FixedResponseActionConfig::builder()
            .set_status_code(self.status_code)
            .set_content_type(self.content_type)
            .set_message_body(self.message_body)
            .build()
    }
}

impl Oidc {
    fn read(config: &sdk::AuthenticateOidcActionConfig) -> Self {
        Self {
            issuer: text(config.issuer()),
            authorization_endpoint: text(config.authorization_endpoint()),
            token_endpoint: text(config.token_endpoint()),
            user_info_endpoint: text(config.user_info_endpoint()),
            client_id: text(config.client_id()),
            session_cookie_name: text(config.session_cookie_name()),
            scope: text(config.scope()),
            session_timeout: config.session_timeout(),
            authentication_request_extra_params: sorted(
                config.authentication_request_extra_params(),
            ),
            on_unauthenticated_request: config
                .on_unauthenticated_request()
                .map(|behaviour| behaviour.as_str().to_owned()),
        }
    }

    fn write(self) -> sdk::AuthenticateOidcActionConfig {
        sdk::AuthenticateOidcActionConfig::builder()
            .set_issuer(self.issuer)
            .set_authorization_endpoint(self.authorization_endpoint)
            .set_token_endpoint(self.token_endpoint)
            .set_user_info_endpoint(self.user_info_endpoint)
            .set_client_id(self.client_id)
            .set_session_cookie_name(self.session_cookie_name)
            .set_scope(self.scope)
            .set_session_timeout(self.session_timeout)
            .set_authentication_request_extra_params(unsorted(
                self.authentication_request_extra_params,
            ))
            .set_on_unauthenticated_request(
                self.on_unauthenticated_request.as_deref().map(Into::into),
            )
            .use_existing_client_secret(true)
            .build()
    }
}

impl Cognito {
    fn read(config: &sdk::AuthenticateCognitoActionConfig) -> Self {
        Self {
            user_pool_arn: text(config.user_pool_arn()),
            user_pool_client_id: text(config.user_pool_client_id()),
            user_pool_domain: text(config.user_pool_domain()),
            session_cookie_name: text(config.session_cookie_name()),
            scope: text(config.scope()),
            session_timeout: config.session_timeout(),
            authentication_request_extra_params: sorted(
                config.authentication_request_extra_params(),
            ),
            on_unauthenticated_request: config
                .on_unauthenticated_request()
                .map(|behaviour| behaviour.as_str().to_owned()),
        }
    }

    fn write(self) -> sdk::AuthenticateCognitoActionConfig {
        sdk::AuthenticateCognitoActionConfig::builder()
            .set_user_pool_arn(self.user_pool_arn)
            .set_user_pool_client_id(self.user_pool_client_id)
            .set_user_pool_domain(self.user_pool_domain)
            .set_session_cookie_name(self.session_cookie_name)
            .set_scope(self.scope)
            .set_session_timeout(self.session_timeout)
            .set_authentication_request_extra_params(unsorted(
                self.authentication_request_extra_params,
            ))
            .set_on_unauthenticated_request(
                self.on_unauthenticated_request.as_deref().map(Into::into),
            )
            .build()
    }
}

impl Jwt {
    fn read(config: &sdk::JwtValidationActionConfig) -> Self {
        let claims = config.additional_claims().iter();
        Self {
            jwks_endpoint: text(config.jwks_endpoint()),
            issuer: text(config.issuer()),
            additional_claims: claims
                .map(|claim| Claim {
                    name: text(claim.name()),
                    format: claim.format().map(|format| format.as_str().to_owned()),
                    values: claim.values().to_vec(),
                })
                .collect(),
        }
    }

    fn write(self) -> sdk::JwtValidationActionConfig {
        let mut builder = sdk::JwtValidationActionConfig::builder()
            .set_jwks_endpoint(self.jwks_endpoint)
            .set_issuer(self.issuer);
        for claim in self.additional_claims {
            builder = builder.additional_claims(
                sdk::JwtValidationActionAdditionalClaim::builder()
                    .set_name(claim.name)
                    .set_format(claim.format.as_deref().map(Into::into))
                    .set_values(Some(claim.values))
                    .build(),
            );
        }
        builder.build()
    }
}

impl RawForward {
    fn read(config: &sdk::ForwardActionConfig) -> Self {
        let stickiness = config.target_group_stickiness_config();
        Self {
            target_groups: config
                .target_groups()
                .iter()
                .map(|target| RawTarget {
                    arn: text(target.target_group_arn()),
                    weight: target.weight(),
                })
                .collect(),
            sticky: stickiness.and_then(sdk::TargetGroupStickinessConfig::enabled),
            sticky_seconds: stickiness.and_then(sdk::TargetGroupStickinessConfig::duration_seconds),
        }
    }

    fn write(self) -> sdk::ForwardActionConfig {
        let stickiness = self.sticky.map(|enabled| {
            sdk::TargetGroupStickinessConfig::builder()
                .enabled(enabled)
                .set_duration_seconds(self.sticky_seconds)
                .build()
        });
        let targets = self.target_groups.into_iter().map(|target| {
            sdk::TargetGroupTuple::builder()
                .set_target_group_arn(target.arn)
                .set_weight(target.weight)
                .build()
        });
        sdk::ForwardActionConfig::builder()
            .set_target_groups(Some(targets.collect()))
            .set_target_group_stickiness_config(stickiness)
            .build()
    }
}

fn text(value: Option<&str>) -> Option<String> {
    value.map(str::to_owned)
}

type Params = std::collections::HashMap<String, String>;

fn sorted(params: Option<&Params>) -> Option<BTreeMap<String, String>> {
    let params = params.filter(|params| !params.is_empty())?;
    Some(params.iter().map(|(key, value)| (key.clone(), value.clone())).collect())
}

fn unsorted(params: Option<BTreeMap<String, String>>) -> Option<Params> {
    params.map(|params| params.into_iter().collect())
}
