//! A wire that answers what a test wrote down, for what no emulator says.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::retry::RetryConfig;
use aws_types::SdkConfig;
use aws_types::region::Region;

use crate::AwsCloud;

/// What is answered to one request.
pub(crate) enum Answer {
    /// An answer of the service.
    Http(u16, &'static str),
    /// An answer of the service, with headers.
    #[cfg(feature = "s3")]
    Headed(u16, &'static [(&'static str, &'static str)], &'static str),
    /// The connection breaks.
    Broken,
}

/// Answers request after request, and notes them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wire {
    answers: Arc<Mutex<VecDeque<Answer>>>,
    requests: Arc<Mutex<Vec<Request>>>,
}

/// A request as it was sent.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) uri: String,
    pub(crate) body: String,
    pub(crate) authorization: String,
    pub(crate) user_agent: String,
}

impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Answer")
    }
}

impl Wire {
    pub(crate) fn new(answers: impl IntoIterator<Item = Answer>) -> Self {
        let answers = Arc::new(Mutex::new(answers.into_iter().collect()));
        Self { answers, ..Self::default() }
    }

    /// Returns the requests so far.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }

    /// Returns a configuration as a caller has it.
    pub(crate) fn config(&self) -> aws_types::sdk_config::Builder {
        let credentials = Credentials::new("AKID", "secret", None, None, "test");
        SdkConfig::builder()
            .region(Region::new("eu-west-1"))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .retry_config(RetryConfig::standard())
            .http_client(self.clone())
    }

    /// Returns a cloud on this wire.
    pub(crate) fn cloud(&self) -> AwsCloud {
        AwsCloud::new(&self.config().build()).unwrap()
    }
}

impl HttpClient for Wire {
    fn http_connector(
        &self,
        _: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Wire {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let header = |name: &str| request.headers().get(name).unwrap_or_default().to_owned();
        let body = request.body().bytes().unwrap_or_default();
        self.requests.lock().unwrap().push(Request {
            uri: request.uri().to_owned(),
            body: String::from_utf8(body.to_vec()).unwrap(),
            authorization: header("authorization"),
            user_agent: header("x-amz-user-agent"),
        });
        let answer = self.answers.lock().unwrap().pop_front();
        HttpConnectorFuture::ready(match answer {
            Some(Answer::Http(status, body)) => {
                let status = StatusCode::try_from(status).unwrap();
                Ok(HttpResponse::new(status, SdkBody::from(body)))
            }
            #[cfg(feature = "s3")]
            Some(Answer::Headed(status, headers, body)) => {
                let status = StatusCode::try_from(status).unwrap();
                let mut response = HttpResponse::new(status, SdkBody::from(body));
                for (name, value) in headers {
                    response.headers_mut().insert(*name, *value);
                }
                Ok(response)
            }
            Some(Answer::Broken) => Err(ConnectorError::io("connection reset".into())),
            None => panic!("there was one request too many: {}", request.uri()),
        })
    }
}
