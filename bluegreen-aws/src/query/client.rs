use std::sync::Arc;

use aws_runtime::auth::SigV4OperationSigningConfig;
use aws_runtime::auth::sigv4::{SCHEME_ID, SigV4AuthScheme};
use aws_runtime::invocation_id::InvocationIdInterceptor;
use aws_runtime::request_info::RequestInfoInterceptor;
use aws_runtime::retries::classifiers::AwsErrorCodeClassifier;
use aws_runtime::service_clock_skew::{ServiceClockSkewClassifier, ServiceClockSkewInterceptor};
use aws_runtime::user_agent::{ApiMetadata, UserAgentInterceptor};
use aws_smithy_runtime::client::orchestrator::operation::{Operation, OperationBuilder};
use aws_smithy_runtime::client::retries::classifiers::{
    HttpStatusCodeClassifier, TransientErrorClassifier,
};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::auth::static_resolver::StaticAuthSchemeOptionResolver;
use aws_smithy_runtime_api::client::auth::{
    AuthSchemeOptionResolverParams, SharedAuthScheme, SharedAuthSchemeOptionResolver,
};
use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
use aws_smithy_runtime_api::client::identity::SharedIdentityResolver;
use aws_smithy_runtime_api::client::orchestrator::{
    HttpRequest, HttpResponse, OrchestratorError, SensitiveOutput,
};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponentsBuilder;
use aws_smithy_runtime_api::client::runtime_plugin::StaticRuntimePlugin;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::{FrozenLayer, Layer};
use aws_smithy_types::retry::RetryConfig;
use aws_types::region::{Region, SigningRegion};
use aws_types::{SdkConfig, SigningName};

use super::Service;
use super::endpoint;
use super::error::QueryError;
use super::form::Form;
use super::reply::Reply;
use crate::InvalidConfig;
use crate::budget::{Budget, ChargeRetries};

/// Assembles what the SDK's code generator would have made for the service.
pub(super) fn operation(
    config: &SdkConfig,
    budget: &Arc<Budget>,
    service: Service,
) -> Result<Operation<Form, Reply, QueryError>, InvalidConfig> {
    let region = config.region().ok_or(InvalidConfig::NoRegion)?;
    let retries = config.retry_config().cloned().unwrap_or_else(RetryConfig::standard);
    let builder = Operation::builder()
        .service_name(service.id)
        // One operation serves all actions, so that they share connections and credentials.
        .operation_name("Query")
        .behavior_version(config.behavior_version().unwrap_or_else(BehaviorVersion::latest))
        .endpoint_url(&endpoint::url(config, service, region.as_ref()))
        .standard_retry(&retries)
        .runtime_plugin(
            StaticRuntimePlugin::new()
                .with_config(layer(config, service, signing_region(service, region)))
                .with_runtime_components(components(config)),
        )
        .interceptor(ChargeRetries::new(budget, service.charge));
    let version = service.version;
    Ok(with_wire(with_retries(with_environment(builder, config)), version).build())
}

/// A service with one endpoint for all regions is signed for the region of that.
fn signing_region(service: Service, region: &Region) -> SigningRegion {
    if service.global {
        SigningRegion::from_static(endpoint::global(service.prefix, region.as_ref()).1)
    } else {
        SigningRegion::from(region.clone())
    }
}

/// Takes over what the caller's configuration brings along; the rest is left to the defaults.
fn with_environment(mut builder: OperationBuilder, config: &SdkConfig) -> OperationBuilder {
    if let Some(client) = config.http_client() {
        builder = builder.http_client(client);
    }
    if let Some(sleep) = config.sleep_impl() {
        builder = builder.sleep_impl(sleep);
    }
    if let Some(time) = config.time_source() {
        builder = builder.time_source(time);
    }
    if let Some(timeouts) = config.timeout_config() {
        builder = builder.timeout_config(timeouts.clone());
    }
    builder
}

/// Retries what the SDK's own clients retry.
///
/// Every mutation made here is harmless to repeat: a creation carries a client
/// token or replaces what has its name, a deletion names what it deletes.
fn with_retries(builder: OperationBuilder) -> OperationBuilder {
    builder
        .with_connection_poisoning()
        .retry_classifier(HttpStatusCodeClassifier::default())
        .retry_classifier(AwsErrorCodeClassifier::<QueryError>::new())
        .retry_classifier(TransientErrorClassifier::<QueryError>::new())
        .retry_classifier(ServiceClockSkewClassifier::<QueryError>::new())
        .interceptor(ServiceClockSkewInterceptor::new())
        .interceptor(RequestInfoInterceptor::new())
        .interceptor(InvocationIdInterceptor::new())
        .interceptor(UserAgentInterceptor::new())
}

fn with_wire(
    builder: OperationBuilder,
    version: &'static str,
) -> OperationBuilder<Form, Reply, QueryError> {
    builder.serializer(move |form: Form| serialize(&form, version)).deserializer(deserialize)
}

fn serialize(form: &Form, version: &str) -> Result<HttpRequest, BoxError> {
    let mut request = HttpRequest::new(SdkBody::from(form.encode(version)));
    request.set_method("POST")?;
    request.headers_mut().insert("content-type", "application/x-www-form-urlencoded");
    Ok(request)
}

fn deserialize(response: &HttpResponse) -> Result<Reply, OrchestratorError<QueryError>> {
    // The runtime has read the whole body by now.
    let body = response.body().bytes().unwrap_or_default();
    if response.status().is_success() {
        Ok(Reply::new(response.status(), body))
    } else {
        Err(OrchestratorError::operation(QueryError::parse(body)))
    }
}

fn layer(config: &SdkConfig, service: Service, region: SigningRegion) -> FrozenLayer {
    let mut layer = Layer::new(service.id);
    layer.store_put(AuthSchemeOptionResolverParams::new(()));
    layer.store_put(SigV4OperationSigningConfig {
        region: Some(region),
        name: Some(SigningName::from_static(service.prefix)),
        ..Default::default()
    });
    layer.store_put(ApiMetadata::new(service.prefix, env!("CARGO_PKG_VERSION")));
    // Replies hold user data.
    layer.store_put(SensitiveOutput);
    if let Some(name) = config.app_name() {
        layer.store_put(name.clone());
    }
    layer.freeze()
}

fn components(config: &SdkConfig) -> RuntimeComponentsBuilder {
    let mut components = RuntimeComponentsBuilder::new("query");
    components.push_auth_scheme(SharedAuthScheme::new(SigV4AuthScheme::new()));
    components.set_auth_scheme_option_resolver(Some(SharedAuthSchemeOptionResolver::new(
        StaticAuthSchemeOptionResolver::new(vec![SCHEME_ID]),
    )));
    // Without credentials the call fails as those of the SDK's clients do: it cannot be signed.
    if let Some(credentials) = config.credentials_provider() {
        components.set_identity_resolver(SCHEME_ID, SharedIdentityResolver::new(credentials));
    }
    if let Some(cache) = config.identity_cache() {
        components.set_identity_cache(Some(cache));
    }
    components
}
