//! What people and scripts ask a playground: the page, and everything on it as JSON.

mod state;

use bytes::Bytes;
use hyper::http::request::Parts;
use hyper::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Shared;
use super::fault::Fault;
use super::server::{Reply, plain, reply};

const PAGE: &str = include_str!("page/index.html");
const STYLE: &str = include_str!("page/style.css");
const PLOT: &str = include_str!("page/plot.js");
const SCRIPT: &str = include_str!("page/page.js");

/// How a load is asked for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    /// Requests a second.
    rate: f64,
    /// The account and the region whose listeners are asked; the first ones if nothing is said.
    account: Option<String>,
    region: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Label {
    label: String,
}

/// Answers a request that is none of AWS's protocol.
pub(super) async fn answer(shared: &Shared, parts: &Parts, body: &Bytes) -> Reply {
    if !is_ours(parts) {
        return plain(StatusCode::FORBIDDEN, "this is for pages and programs of this machine\n");
    }
    let path: Vec<&str> = parts.uri.path().split('/').skip(1).collect();
    match (&parts.method, path.as_slice()) {
        (&Method::GET, [""]) => reply(StatusCode::OK, "text/html; charset=utf-8", PAGE),
        (&Method::GET, ["style.css"]) => reply(StatusCode::OK, "text/css", STYLE),
        (&Method::GET, ["plot.js"]) => reply(StatusCode::OK, "text/javascript", PLOT),
        (&Method::GET, ["page.js"]) => reply(StatusCode::OK, "text/javascript", SCRIPT),
        (&Method::GET, ["api", "state"]) => json_reply(&state::all(shared, from(parts)).await),
        (&Method::GET, ["api", "report"]) => {
            let page = super::report::html("playground", shared).await;
            reply(StatusCode::OK, "text/html; charset=utf-8", page)
        }
        (&Method::GET, ["api", "faults"]) => json_reply(&json!(shared.faults.standing())),
        (&Method::POST, ["api", "faults"]) => match read::<Fault>(body) {
            Ok(fault) => json_reply(&json!({"id": shared.faults.add(fault)})),
            Err(problem) => *problem,
        },
        (&Method::DELETE, ["api", "faults"]) => {
            shared.faults.clear();
            json_reply(&json!({}))
        }
        (&Method::DELETE, ["api", "faults", id]) => {
            if id.parse().is_ok_and(|id| shared.faults.lift(id)) {
                json_reply(&json!({}))
            } else {
                plain(StatusCode::NOT_FOUND, "there is no such fault\n")
            }
        }
        (&Method::POST, ["api", "load"]) => match read::<Wanted>(body) {
            Ok(wanted) => start(shared, wanted).await,
            Err(problem) => *problem,
        },
        (&Method::DELETE, ["api", "load"]) => {
            shared.stop_load().await;
            json_reply(&state::load(shared, 0).await)
        }
        (&Method::POST, ["api", "marks"]) => match read::<Label>(body) {
            Ok(Label { label }) => {
                shared.mark(&label).await;
                json_reply(&json!({}))
            }
            Err(problem) => *problem,
        },
        _ => plain(StatusCode::NOT_FOUND, &format!("there is nothing at {}\n", parts.uri.path())),
    }
}

/// Returns whether a request is made by a page of ours or by no page at all: another site's page
/// must not work the switches of whoever has a playground open.
fn is_ours(parts: &Parts) -> bool {
    let header = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok());
    let host = header("host").unwrap_or_default();
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    let is_local = matches!(name, "127.0.0.1" | "localhost" | "[::1]");
    is_local && header("origin").is_none_or(|origin| origin == format!("http://{host}"))
}

async fn start(shared: &Shared, wanted: Wanted) -> Reply {
    if !wanted.rate.is_finite() || !(0.1..=1e6).contains(&wanted.rate) {
        return plain(StatusCode::BAD_REQUEST, "a rate is from 0.1 to 1000000 requests a second\n");
    }
    let sites = shared.all_sites();
    let is_wanted = |wanted: &Option<String>, found: &str| {
        wanted.as_deref().is_none_or(|wanted| wanted == found)
    };
    let site = sites.into_iter().find(|site| {
        is_wanted(&wanted.account, &site.account)
            && is_wanted(&wanted.region, &site.region)
            && !shared.open_routes(site).is_empty()
    });
    let Some(site) = site else {
        return plain(StatusCode::CONFLICT, "there is no listener that lets requests in\n");
    };
    shared.start_load(&site, wanted.rate).await;
    json_reply(&json!({}))
}

fn from(parts: &Parts) -> usize {
    let query = parts.uri.query().unwrap_or_default();
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    let from = pairs.find(|(key, _)| key == "from").and_then(|(_, value)| value.parse().ok());
    from.unwrap_or_default()
}

fn read<T: for<'a> Deserialize<'a>>(body: &Bytes) -> Result<T, Box<Reply>> {
    serde_json::from_slice(body).map_err(|error| {
        let problem = format!("the body cannot be read: {error}\n");
        Box::new(plain(StatusCode::BAD_REQUEST, &problem))
    })
}

fn json_reply(value: &Value) -> Reply {
    reply(StatusCode::OK, "application/json", value.to_string())
}
