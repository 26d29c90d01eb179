//! Health checks: real requests, one task for each target that is checked.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bluegreen_core::model::{InstanceId, TargetGroupName};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty};
use hyper::client::conn::http1;
use hyper::header::{CONNECTION, HOST, USER_AGENT};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;

use super::built_in::CHECKER;
use super::endpoint;
use super::fate::Fate;
use super::task::Task;
use super::tls::Tls;
use crate::fake::Thresholds;
use crate::playground::Site;

/// The longest that a first check waits for others not to be made at the same moment.
const SPREAD: Duration = Duration::from_millis(500);

/// How a target is checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Plan {
    pub(super) target_group: TargetGroupName,
    pub(super) instance: InstanceId,
    pub(super) address: SocketAddr,
    /// `HTTP`, `HTTPS`, `TCP`.
    pub(super) protocol: String,
    pub(super) path: String,
    pub(super) matcher: String,
    pub(super) interval: Duration,
    pub(super) timeout: Duration,
    pub(super) thresholds: Thresholds,
    /// Whether the server is somebody's own command.
    pub(super) foreign: bool,
}

/// Checks a target for ever, and tells the site.
pub(super) async fn repeat(plan: Plan, site: Arc<Site>, fate: Arc<Fate>, tls: Tls) {
    tokio::time::sleep(plan.offset()).await;
    let mut turns = tokio::time::interval(plan.interval.max(Duration::from_millis(10)));
    turns.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        turns.tick().await;
        let once = tokio::time::timeout(plan.timeout, plan.once(&fate, &tls)).await;
        let passed = matches!(once, Ok(Ok(true)));
        site.cloud().report_check(&plan.target_group, &plan.instance, passed, plan.thresholds);
    }
}

impl Plan {
    /// Returns when the first check is made: the same for a target each time, another for each.
    fn offset(&self) -> Duration {
        let mut hasher = DefaultHasher::new();
        (&self.target_group, &self.instance).hash(&mut hasher);
        let share = u32::try_from(hasher.finish() % 100).unwrap_or_default();
        self.interval.min(SPREAD) * share / 100
    }

    /// Makes one check; whether it passed.
    async fn once(&self, fate: &Arc<Fate>, tls: &Tls) -> io::Result<bool> {
        let tls = (self.protocol == "HTTPS").then_some(tls);
        let stream = endpoint::connect(self.address, fate, tls).await?;
        if !matches!(self.protocol.as_str(), "HTTP" | "HTTPS") {
            // Whoever takes the connection passes, unless it never does.
            return Ok(!fate.symptoms().never_healthy);
        }
        if self.foreign
            && let Some(status) = fate.suffer(true).await
        {
            return Ok(good(&self.matcher, status));
        }
        let status = self.ask(TokioIo::new(stream)).await.map_err(io::Error::other)?;
        Ok(good(&self.matcher, status.as_u16()))
    }

    async fn ask(
        &self,
        stream: TokioIo<endpoint::ToTarget>,
    ) -> Result<StatusCode, Box<dyn std::error::Error + Send + Sync>> {
        let (mut sender, connection) = http1::handshake(stream).await?;
        let _driver = Task::spawn(async move {
            // Whoever waits for the answer hears of it.
            drop(connection.await);
        });
        let request = Request::get(&self.path)
            .header(HOST, self.address.to_string())
            .header(USER_AGENT, CHECKER)
            .header(CONNECTION, "close")
            .body(Empty::<Bytes>::new())?;
        let response = sender.send_request(request).await?;
        let status = response.status();
        // An answer that breaks off is none.
        let mut body = response.into_body();
        while let Some(frame) = body.frame().await {
            drop(frame?);
        }
        Ok(status)
    }
}

/// Returns whether a status is one of those that a matcher such as `200,301-302` names.
fn good(matcher: &str, status: u16) -> bool {
    matcher.split(',').any(|part| {
        let (from, to) = part.split_once('-').unwrap_or((part, part));
        let number = |text: &str| text.trim().parse::<u16>().ok();
        match (number(from), number(to)) {
            (Some(from), Some(to)) => (from..=to).contains(&status),
            _ => false,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::good;

    #[test]
    fn a_matcher_is_a_list_of_statuses_and_ranges() {
        assert!(good("200", 200) && !good("200", 204));
        assert!(good("200-399", 302) && !good("200-399", 404));
        assert!(good("200, 301-302", 301) && !good("200,301-302", 303));
        assert!(!good("", 200) && !good("200-", 200));
    }
}
