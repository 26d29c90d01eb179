//! The server that runs on machines unless somebody has a better one.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderName, HeaderValue, USER_AGENT};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use super::endpoint::BUFFER;
use super::fate::Fate;
use super::line::Line;
use crate::playground::topology::MachineView;

/// How load balancers call themselves when they check a target.
pub(super) const CHECKER: &str = "ELB-HealthChecker/2.0";

/// How many connections one server has at most.
const MOST: usize = 4096;

/// The server of one machine.
#[derive(Debug)]
pub(super) struct Server {
    said: ArcSwap<Said>,
    fate: Arc<Fate>,
}

/// What a server says of itself.
#[derive(Debug)]
struct Said {
    /// A JSON object but for its end: the path is added for each request.
    opening: String,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Said {
    fn of(machine: &MachineView) -> Self {
        let color = machine.color.as_deref().unwrap_or_default();
        let (version, instance) = (machine.image.as_str(), machine.instance.as_str());
        let said = json!({"version": version, "color": color, "instance": instance}).to_string();
        let header = |name: &'static str, value: &str| {
            Some((HeaderName::from_static(name), HeaderValue::from_str(value).ok()?))
        };
        let headers = [
            header("x-version", version),
            header("x-color", color),
            header("x-instance", instance),
        ];
        Self {
            opening: said.trim_end_matches('}').to_owned(),
            headers: headers.into_iter().flatten().collect(),
        }
    }
}

impl Server {
    pub(super) fn new(machine: &MachineView, fate: Arc<Fate>) -> Self {
        Self { said: ArcSwap::from_pointee(Said::of(machine)), fate }
    }

    /// Says something else of itself from now on: groups are tagged anew while they serve.
    pub(super) fn describe(&self, machine: &MachineView) {
        self.said.store(Arc::new(Said::of(machine)));
    }

    /// Serves until it is dropped, and cuts every connection then.
    pub(super) async fn serve(self: Arc<Self>, socket: TcpListener, tls: Option<TlsAcceptor>) {
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                Some(_) = connections.join_next(), if !connections.is_empty() => {}
                accepted = socket.accept(), if connections.len() < MOST => match accepted {
                    Ok((stream, _)) => {
                        drop(connections.spawn(Arc::clone(&self).connection(stream, tls.clone())));
                    }
                    Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
                },
            }
        }
    }

    async fn connection(self: Arc<Self>, stream: TcpStream, tls: Option<TlsAcceptor>) {
        drop(stream.set_nodelay(true));
        let stream = match tls {
            None => Line::Plain(stream),
            Some(tls) => match tls.accept(stream).await {
                Ok(secure) => Line::Secure(Box::new(secure)),
                Err(_) => return,
            },
        };
        let service = service_fn(|request| self.answer(request));
        let mut builder = http1::Builder::new();
        builder.max_buf_size(BUFFER);
        // Whoever breaks off has its reasons.
        drop(builder.serve_connection(TokioIo::new(stream), service).await);
    }

    async fn answer(
        &self,
        request: Request<Incoming>,
    ) -> Result<Response<Full<Bytes>>, Infallible> {
        let agent = request.headers().get(USER_AGENT);
        let is_check = agent.is_some_and(|agent| agent.as_bytes() == CHECKER.as_bytes());
        let status = self.fate.suffer(is_check).await;
        let status = status.and_then(|status| StatusCode::from_u16(status).ok());
        let path = serde_json::Value::from(request.uri().path()).to_string();
        let said = self.said.load();
        let text = [&said.opening, ",\"path\":", &path, "}\n"].concat();
        let mut answer = Response::new(Full::new(Bytes::from(text)));
        *answer.status_mut() = status.unwrap_or_default();
        let headers = answer.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        for (name, value) in &said.headers {
            headers.insert(name.clone(), value.clone());
        }
        Ok(answer)
    }
}
