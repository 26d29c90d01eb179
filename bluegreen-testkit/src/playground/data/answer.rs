//! Answers that a load balancer gives itself.

use bytes::Bytes;
use hyper::header::{CONTENT_TYPE, HeaderValue, LOCATION, SERVER};
use hyper::http::request::Parts;
use hyper::{Response, StatusCode};
use serde_json::Value;

use super::body::Body;
use super::condition::host;
use super::spelling::text;

/// A fixed response.
#[derive(Clone, Debug)]
pub(super) struct Fixed {
    status: StatusCode,
    content_type: HeaderValue,
    body: Bytes,
}

/// A redirect, its parts still with placeholders.
#[derive(Clone, Debug)]
pub(super) struct Redirect {
    status: StatusCode,
    protocol: String,
    host: String,
    port: String,
    path: String,
    query: String,
}

impl Fixed {
    pub(super) fn read(action: &Value) -> Option<Self> {
        let status = text(action, "status_code")?.parse().ok()?;
        let content_type = text(action, "content_type").unwrap_or_else(|| "text/plain".to_owned());
        Some(Self {
            status: StatusCode::from_u16(status).ok()?,
            content_type: content_type.parse().ok()?,
            body: text(action, "message_body").unwrap_or_default().into(),
        })
    }

    pub(super) fn answer(&self) -> Response<Body> {
        let mut answer = made(self.status, self.body.clone());
        answer.headers_mut().insert(CONTENT_TYPE, self.content_type.clone());
        answer
    }
}

impl Redirect {
    pub(super) fn read(action: &Value) -> Option<Self> {
        let part = |name: &str, usual: &str| text(action, name).unwrap_or_else(|| usual.to_owned());
        let status = match text(action, "status_code")?.as_str() {
            "HTTP_301" => StatusCode::MOVED_PERMANENTLY,
            "HTTP_302" => StatusCode::FOUND,
            _ => return None,
        };
        Some(Self {
            status,
            protocol: part("protocol", "#{protocol}"),
            host: part("host", "#{host}"),
            port: part("port", "#{port}"),
            path: part("path", "/#{path}"),
            query: part("query", "#{query}"),
        })
    }

    /// Sends the client elsewhere; `protocol` and `port` are those of the listener.
    pub(super) fn answer(&self, request: &Parts, protocol: &str, port: u16) -> Response<Body> {
        let path = request.uri.path().trim_start_matches('/');
        let filled = |part: &str| {
            part.replace("#{protocol}", &protocol.to_lowercase())
                .replace("#{host}", host(request).unwrap_or_default())
                .replace("#{port}", &port.to_string())
                .replace("#{path}", path)
                .replace("#{query}", request.uri.query().unwrap_or_default())
        };
        let scheme = filled(&self.protocol).to_lowercase();
        let (host, port, path) = (filled(&self.host), filled(&self.port), filled(&self.path));
        let query = filled(&self.query);
        let mark = if query.is_empty() { "" } else { "?" };
        let location = format!("{scheme}://{host}:{port}{path}{mark}{query}");
        let Ok(location) = HeaderValue::from_str(&location) else {
            return refusal(StatusCode::BAD_REQUEST);
        };
        let mut answer = made(self.status, Bytes::new());
        answer.headers_mut().insert(LOCATION, location);
        answer
    }
}

/// Answers a request that cannot be sent on.
pub(super) fn refusal(status: StatusCode) -> Response<Body> {
    let title = format!("{} {}", status.as_u16(), status.canonical_reason().unwrap_or("Error"));
    let page = format!(
        "<html>\r\n<head><title>{title}</title></head>\r\n\
         <body>\r\n<center><h1>{title}</h1></center>\r\n</body>\r\n</html>\r\n"
    );
    let mut answer = made(status, page.into());
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/html"));
    answer
}

fn made(status: StatusCode, body: Bytes) -> Response<Body> {
    let mut answer = Response::new(Body::Whole(Some(body)));
    *answer.status_mut() = status;
    // As application load balancers call themselves.
    answer.headers_mut().insert(SERVER, HeaderValue::from_static("awselb/2.0"));
    answer
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_redirect_keeps_what_it_does_not_change() {
        let action = json!({"type": "redirect", "protocol": "HTTPS", "port": "443",
            "path": "/new/#{path}", "status_code": "HTTP_301"});
        let redirect = Redirect::read(&action).unwrap();
        let request = hyper::Request::get("/a/b?c=d").header("host", "example.com:80");
        let request = request.body(()).unwrap().into_parts().0;
        let answer = redirect.answer(&request, "HTTP", 80);
        assert_eq!(answer.status(), 301);
        assert_eq!(answer.headers()["location"], "https://example.com:443/new/a/b?c=d");
    }
}
