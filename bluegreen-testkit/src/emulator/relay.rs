//! The way of one request through the proxy.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::header::{CONNECTION, CONTENT_TYPE, HeaderValue};
use hyper::http::request::Parts;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::call::Call;
use super::fault::Fault;
use super::filler::Filler;
use super::proxy::State;
use super::query::exchange;
use super::refusal::Protocol;

type Reply = Response<Full<Bytes>>;

/// The connection is cut instead of answered.
#[derive(Debug, thiserror::Error)]
#[error("the connection is cut")]
struct Cut;

/// Takes connections until it is dropped, and they with it.
pub(super) async fn accept(listener: TcpListener, state: Arc<State>) {
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        match listener.accept().await {
            Ok((stream, _)) => {
                connections.spawn(serve(stream, Arc::clone(&state)));
            }
            // Out of descriptors, most likely: some of them may be given back soon.
            Err(_) => sleep(Duration::from_millis(10)).await,
        }
    }
}

/// Answers the requests of one connection.
async fn serve(stream: TcpStream, state: Arc<State>) {
    let service = service_fn(move |request: Request<Incoming>| {
        let state = Arc::clone(&state);
        async move {
            let (head, body) = request.into_parts();
            let body = body.collect().await.map_err(|_| Cut)?.to_bytes();
            // A task of its own: what is forwarded lands even if the caller has left.
            tokio::spawn(answer(state, head, body)).await.unwrap_or(Err(Cut))
        }
    });
    let _nodelay = stream.set_nodelay(true);
    // It fails when the caller leaves and when we cut: both are as they should be.
    let _ended = http1::Builder::new()
        .preserve_header_case(true)
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

/// Notes a request, spoils it or forwards it, and notes the answer.
async fn answer(state: Arc<State>, head: Parts, body: Bytes) -> Result<Reply, Cut> {
    let call = Call::read(&head, &body, state.now());
    let protocol = Protocol::of(&head, &call);
    let orders = state.begin(call.clone());
    let forward = async {
        let reply = forward(&state, &call, head, body).await?;
        state.landed(orders.number, reply.1);
        Ok(reply.0)
    };
    let reply = match orders.fault {
        None => forward.await,
        Some(Fault::Drop) => Err(Cut),
        Some(Fault::Throttle) => Ok(protocol.throttle()),
        Some(Fault::Refuse { status, code, message }) => {
            Ok(protocol.refuse(status, &code, &message))
        }
        Some(Fault::LoseReply) => forward.await.and(Err(Cut)),
        Some(Fault::ErrorAfter { status, code, message }) => {
            forward.await.map(|_| protocol.refuse(status, &code, &message))
        }
        Some(Fault::Stall(time)) => {
            sleep(time).await;
            forward.await
        }
    };
    sleep(orders.delay).await;
    state.finish(orders.number, reply.as_ref().ok().map(|reply| reply.status().as_u16()));
    reply
}

/// The emulator's answer, or AWS's if the emulator has none, and the status of the emulator's.
async fn forward(
    state: &State,
    call: &Call,
    head: Parts,
    body: Bytes,
) -> Result<(Reply, u16), Cut> {
    let request = Request::from_parts(head, Full::from(body));
    let response = exchange(state.emulator(), request).await.map_err(|_| Cut)?;
    let (mut head, body) = response.into_parts();
    let status = head.status.as_u16();
    if (is_gap(&head) || Filler::knows_better(call))
        && let Some(xml) = state.fill(call)
    {
        let mut reply = Response::new(Full::from(xml));
        reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/xml"));
        return Ok((reply, status));
    }
    let body = body.collect().await.map_err(|_| Cut)?.to_bytes();
    // It is about the emulator's connection, not about the caller's.
    head.headers.remove(CONNECTION);
    Ok((Response::from_parts(head, Full::from(body)), status))
}

/// Whether this is the page of HTML that stands for something not implemented.
fn is_gap(head: &hyper::http::response::Parts) -> bool {
    let kind = head.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    head.status == StatusCode::INTERNAL_SERVER_ERROR
        && kind.is_some_and(|kind| kind.starts_with("text/html"))
}
