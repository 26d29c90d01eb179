//! One request through an application load balancer.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};

use hyper::body::Incoming;
use hyper::header::{
    CONNECTION, HeaderMap, HeaderName, HeaderValue, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION,
    SET_COOKIE, TE, TRAILER, TRANSFER_ENCODING, UPGRADE,
};
use hyper::{Request, Response, StatusCode, Uri, Version};

use super::answer::refusal;
use super::body::{Body, Carried};
use super::cookie;
use super::endpoint::NoAnswer;
use super::group::Member;
use super::listener::Listener;
use super::route::{Act, Split};

static FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
static FORWARDED_PORT: HeaderName = HeaderName::from_static("x-forwarded-port");
static FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
static KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");

/// What concerns one hop only.
static ONE_HOP: [&HeaderName; 9] = [
    &CONNECTION,
    &KEEP_ALIVE,
    &PROXY_AUTHENTICATE,
    &PROXY_AUTHORIZATION,
    &TE,
    &TRAILER,
    &TRANSFER_ENCODING,
    &UPGRADE,
    &PROXY_CONNECTION,
];
static PROXY_CONNECTION: HeaderName = HeaderName::from_static("proxy-connection");

/// Does what the listener says with a request.
pub(super) async fn answer(
    listener: &Listener,
    from: SocketAddr,
    request: Request<Incoming>,
) -> Result<Response<Body>, Infallible> {
    let (parts, body) = request.into_parts();
    let act = listener.routes.load().act(&parts, from.ip()).clone();
    Ok(match act {
        Act::Forward(split) => {
            let mut request = Request::from_parts(parts, body);
            prepare(listener, from.ip(), &mut request);
            forward(listener, &split, request).await
        }
        Act::Fixed(fixed) => own(listener, fixed.answer()),
        Act::Redirect(redirect) => {
            own(listener, redirect.answer(&parts, &listener.protocol, listener.port))
        }
        Act::Refuse => own(listener, refusal(StatusCode::SERVICE_UNAVAILABLE)),
    })
}

/// Counts an answer that no target group has part in.
fn own(listener: &Listener, answer: Response<Body>) -> Response<Body> {
    listener.tally.answer(answer.status().as_u16());
    answer
}

async fn forward(listener: &Listener, split: &Split, request: Request<Incoming>) -> Response<Body> {
    let to_group = cookie::carried(request.headers(), cookie::GROUP);
    let Some(group) = split.choose(to_group, &listener.count) else {
        return own(listener, refusal(StatusCode::SERVICE_UNAVAILABLE));
    };
    let to_target = group.sticky.and_then(|_| cookie::carried(request.headers(), cookie::TARGET));
    let member = group.choose(to_target);
    let exchanged = match member {
        Some(member) => exchange(listener, member, request).await,
        None => Err(StatusCode::SERVICE_UNAVAILABLE),
    };
    let (mut answer, member) = match exchanged {
        Ok(answer) => (answer, member),
        Err(status) => {
            group.tally.answer(status.as_u16());
            (refusal(status), None)
        }
    };
    let headers = answer.headers_mut();
    if let (Some(seconds), Some(member)) = (group.sticky, member) {
        stick(headers, cookie::TARGET, &member.token, seconds);
    }
    if let Some(seconds) = split.sticky {
        stick(headers, cookie::GROUP, &group.token, seconds);
    }
    answer
}

/// Sends a request to a target; the status that the client gets if there is no answer.
async fn exchange(
    listener: &Listener,
    member: &Member,
    request: Request<Incoming>,
) -> Result<Response<Body>, StatusCode> {
    let endpoint = &member.endpoint;
    let under_way = member.tally.begin();
    let patience = listener.patience();
    if endpoint.foreign {
        let suffered = tokio::time::timeout(patience, endpoint.fate.suffer(false)).await;
        let suffered = suffered.map_err(|_| StatusCode::GATEWAY_TIMEOUT)?;
        if let Some(status) = suffered.and_then(|status| StatusCode::from_u16(status).ok()) {
            member.tally.answer(status.as_u16());
            return Ok(refusal(status));
        }
    }
    let (response, lease) =
        endpoint.send(request, patience).await.map_err(|error| match error {
            NoAnswer::Broken => StatusCode::BAD_GATEWAY,
            NoAnswer::Late => StatusCode::GATEWAY_TIMEOUT,
        })?;
    member.tally.answer(response.status().as_u16());
    let (mut parts, incoming) = response.into_parts();
    strip(&mut parts.headers);
    parts.version = Version::HTTP_11;
    let carried = Carried::new(incoming, lease, under_way, patience);
    Ok(Response::from_parts(parts, Body::Carried(Box::new(carried))))
}

/// Makes a request what a target gets.
fn prepare(listener: &Listener, from: IpAddr, request: &mut Request<Incoming>) {
    let path = request.uri().path_and_query().cloned();
    if request.uri().authority().is_some()
        && let Some(path) = path
    {
        *request.uri_mut() = Uri::from(path);
    }
    *request.version_mut() = Version::HTTP_11;
    let headers = request.headers_mut();
    strip(headers);
    let mut chain = String::new();
    for known in headers.get_all(&FORWARDED_FOR) {
        chain.push_str(known.to_str().unwrap_or_default());
        chain.push_str(", ");
    }
    chain.push_str(&from.to_string());
    if let Ok(chain) = HeaderValue::from_str(&chain) {
        headers.insert(FORWARDED_FOR.clone(), chain);
    }
    headers.insert(FORWARDED_PORT.clone(), HeaderValue::from(listener.port));
    let scheme = if listener.secure.is_some() { "https" } else { "http" };
    headers.insert(FORWARDED_PROTO.clone(), HeaderValue::from_static(scheme));
}

fn strip(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|list| list.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in named.iter().chain(ONE_HOP) {
        headers.remove(name);
    }
}

fn stick(headers: &mut HeaderMap, name: &str, value: &str, seconds: u64) {
    // The second one is for requests from other sites, as application load balancers do it.
    let cors = format!("{name}CORS");
    let cookies = [cookie::set(name, value, seconds), cookie::set(&cors, value, seconds)];
    for cookie in cookies.into_iter().flatten() {
        headers.append(SET_COOKIE, cookie);
    }
}
