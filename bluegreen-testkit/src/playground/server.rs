//! The one address of a playground: AWS's protocol for programs, a page for people.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};

use super::Shared;
use super::control::{self, Call, Params, Scope, Service, WireError};
use super::fault::Refusal;

/// The longest body that is read: AWS's limit for query requests is smaller.
const LONGEST: usize = 2 << 20;

pub(super) type Reply = Response<Full<Bytes>>;

/// Serves until it is dropped.
pub(super) async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => drop(tokio::spawn(connection(stream, Arc::clone(&shared)))),
            // Too many files, as a rule: others will be closed.
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
}

async fn connection(stream: TcpStream, shared: Arc<Shared>) {
    // What is answered is small; waiting to send more of it would only delay it.
    drop(stream.set_nodelay(true));
    let service = service_fn(move |request| {
        let shared = Arc::clone(&shared);
        async move { answer(&shared, request).await }
    });
    let mut builder = hyper::server::conn::http1::Builder::new();
    builder.timer(TokioTimer::new());
    // Whoever breaks off has its reasons.
    drop(builder.serve_connection(TokioIo::new(stream), service).await);
}

/// The connection is to be broken off.
#[derive(Debug, thiserror::Error)]
#[error("the reply is lost")]
struct Lost;

async fn answer(shared: &Shared, request: Request<Incoming>) -> Result<Reply, Lost> {
    if request.method() == Method::POST && request.uri().path() == "/" {
        return wire(shared, request).await;
    }
    let (parts, body) = request.into_parts();
    let body = Limited::new(body, LONGEST).collect().await.map(http_body_util::Collected::to_bytes);
    let Ok(body) = body else {
        return Ok(plain(StatusCode::BAD_REQUEST, "the body is too long\n"));
    };
    Ok(super::page::answer(shared, &parts, &body).await)
}

async fn wire(shared: &Shared, request: Request<Incoming>) -> Result<Reply, Lost> {
    let signature = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let Some(Scope { account, region, service }) = signature.and_then(control::scope) else {
        let message = "Request is missing Authentication Token, or is for a service that the playground does not have";
        let error = WireError::new("MissingAuthenticationToken", message).with_status(403);
        return Ok(refusal(&error, Service::SecurityToken, "none"));
    };
    let body = Limited::new(request.into_body(), LONGEST).collect().await;
    let Ok(body) = body.map(http_body_util::Collected::to_bytes) else {
        return Ok(plain(StatusCode::PAYLOAD_TOO_LARGE, "the body is too long\n"));
    };
    let params = Params::read(&body);
    let request_id = shared.next_request_id();
    let action = params.text("Action").unwrap_or_default().to_owned();
    let mutating = control::is_mutating(&action);
    let site = shared.site(&account, &region);
    let fault = shared.faults.of_call(service.name(), &action, mutating);
    let early = match fault {
        Some(Refusal::Throttle) => Some(throttled(service)),
        Some(Refusal::Error) => {
            Some(WireError::new("InternalFailure", "A planned fault").with_status(500))
        }
        Some(Refusal::Outage) => {
            Some(WireError::new("ServiceUnavailable", "A planned outage").with_status(503))
        }
        Some(Refusal::Delay { ms }) => {
            tokio::time::sleep(Duration::from_millis(ms)).await;
            None
        }
        _ => None,
    };
    let early = early.or_else(|| {
        let refused = shared.buckets.refuses(&site, service, &action, &params);
        refused.then(|| throttled(service))
    });
    // What the call changes is told by what was there before, however many steps it takes.
    let before = matches!(fault, Some(Refusal::Lag { .. })).then(|| site.cloud().world());
    let result = if let Some(error) = early {
        Err(error)
    } else {
        let call = Call { site: &site, action: &action, params: &params };
        control::answer(service, &call, &request_id)
    };
    shared.note_call(&site, service, &action, mutating, result.as_ref().err());
    match (fault, before) {
        (Some(Refusal::LoseReply), _) => return Err(Lost),
        (Some(Refusal::Lag { ms }), Some(before)) => {
            site.cloud().lag(before, Duration::from_millis(ms));
        }
        _ => {}
    }
    Ok(match result {
        Ok(body) => xml(StatusCode::OK, body),
        Err(error) => refusal(&error, service, &request_id),
    })
}

fn throttled(service: Service) -> WireError {
    match service {
        Service::Compute => {
            WireError::new("RequestLimitExceeded", "Request limit exceeded.").with_status(503)
        }
        Service::LoadBalancing => WireError::new("ThrottlingException", "Rate exceeded"),
        _ => WireError::new("Throttling", "Rate exceeded"),
    }
}

fn refusal(error: &WireError, service: Service, request_id: &str) -> Reply {
    let status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::BAD_REQUEST);
    xml(status, error.body(service, request_id))
}

fn xml(status: StatusCode, body: String) -> Reply {
    reply(status, "text/xml", body)
}

pub(super) fn plain(status: StatusCode, body: &str) -> Reply {
    reply(status, "text/plain; charset=utf-8", body.to_owned())
}

pub(super) fn reply(status: StatusCode, kind: &'static str, body: impl Into<Bytes>) -> Reply {
    let mut reply = Response::new(Full::new(body.into()));
    *reply.status_mut() = status;
    reply.headers_mut().insert(CONTENT_TYPE, hyper::header::HeaderValue::from_static(kind));
    reply
}
