//! The proxy in front of the real thing, and, where only the proxy matters, of a stand-in.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, sleep, timeout};

use super::*;

const ELB: &str = "elasticloadbalancing";
// A target group of this type needs no VPC.
const GROUP: [(&str, &str); 2] = [("Name", "blue"), ("TargetType", "lambda")];

/// Makes one call that must be answered.
async fn ask(proxy: &Proxy, service: &str, action: &str, params: &[(&str, &str)]) -> QueryReply {
    query(&proxy.url(), service, action, params).await.expect("the call is answered")
}

/// Makes one call whose connection must be cut.
async fn is_cut(proxy: &Proxy, action: &str) -> bool {
    query(&proxy.url(), ELB, action, &[]).await.is_err()
}

/// A server that counts the requests it gets and says `done` to each.
async fn stand_in() -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let count = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&count);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            counter.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(async move {
                let _read = stream.read(&mut [0; 4096]).await.unwrap();
                stream
                    .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone")
                    .await
                    .unwrap();
            });
        }
    });
    (address, count)
}

async fn proxy_of_stand_in() -> (Proxy, Arc<AtomicUsize>) {
    let (address, count) = stand_in().await;
    (Proxy::start(address).await.unwrap(), count)
}

#[tokio::test]
async fn calls_reach_moto_and_are_noted() {
    let emulator = Emulator::start().await;
    let proxy = emulator.proxy().await;

    let made = ask(&proxy, ELB, "CreateTargetGroup", &GROUP).await;
    assert_eq!(made.status, 200, "{}", made.body);
    // Asked directly, moto knows what was made through the proxy.
    let found = query(&emulator.url(), ELB, "DescribeTargetGroups", &[]).await.unwrap();
    assert!(found.body.contains("<TargetGroupName>blue</TargetGroupName>"), "{}", found.body);
    let refused = ask(&proxy, ELB, "DescribeTargetGroups", &[("Names.member.1", "red")]).await;
    assert!(refused.body.contains("TargetGroupNotFound"), "{}", refused.body);

    let calls = proxy.calls();
    let [create, describe] = calls.as_slice() else { panic!("two calls, not {calls:?}") };
    assert_eq!((create.service.as_str(), create.action.as_str()), (ELB, "CreateTargetGroup"));
    assert_eq!(create.params["Name"], "blue");
    assert_eq!((create.mutating, create.status), (true, Some(200)));
    assert_eq!((describe.mutating, describe.status), (false, Some(400)));
    assert!(create.started < create.finished.unwrap());
    assert!(create.finished.unwrap() <= describe.started);

    proxy.clear();
    assert!(proxy.calls().is_empty());
}

#[tokio::test]
async fn what_moto_lacks_is_answered_as_by_aws() {
    const AS: &str = "autoscaling";
    const REFRESHES: &str = "DescribeInstanceRefreshes";
    const NOTIFICATIONS: &str = "DescribeNotificationConfigurations";
    let emulator = Emulator::start().await;
    let proxy = emulator.proxy().await;
    let of_blue = [("AutoScalingGroupName", "blue")];

    for (action, list) in [
        (REFRESHES, "<InstanceRefreshes></InstanceRefreshes>"),
        (NOTIFICATIONS, "<NotificationConfigurations></NotificationConfigurations>"),
        ("DescribeTrafficSources", "<TrafficSources></TrafficSources>"),
    ] {
        let reply = ask(&proxy, AS, action, &of_blue).await;
        assert_eq!(reply.status, 200, "{action}");
        assert!(reply.body.contains(&format!("<{action}Result>{list}")), "{}", reply.body);
    }
    assert_eq!(proxy.calls()[0].emulator_status, Some(500), "moto still lacks it");

    proxy.set_instance_refresh("blue", "InProgress");
    let reply = ask(&proxy, AS, REFRESHES, &of_blue).await;
    assert!(reply.body.contains("<Status>InProgress</Status>"), "{}", reply.body);
    let reply = ask(&proxy, AS, REFRESHES, &[("AutoScalingGroupName", "green")]).await;
    assert!(!reply.body.contains("InProgress"), "{}", reply.body);

    proxy.add_notification("blue", "arn:aws:sns:us-east-1:1:topic", "autoscaling:TEST");
    let reply = ask(&proxy, AS, NOTIFICATIONS, &[("AutoScalingGroupNames.member.1", "blue")]).await;
    assert!(reply.body.contains("<TopicARN>arn:aws:sns:us-east-1:1:topic<"), "{}", reply.body);
    let reply =
        ask(&proxy, AS, NOTIFICATIONS, &[("AutoScalingGroupNames.member.1", "green")]).await;
    assert!(!reply.body.contains("TopicARN"), "{}", reply.body);

    // What is not a gap stays an error, and so does a gap if nobody is to fill it.
    assert_eq!(ask(&proxy, AS, "StartInstanceRefresh", &of_blue).await.status, 500);
    let proxy = proxy.without_fillers();
    assert_eq!(ask(&proxy, AS, REFRESHES, &of_blue).await.status, 500);
}

#[tokio::test]
async fn a_lost_reply_and_an_error_after_leave_their_effect() {
    let emulator = Emulator::start().await;
    let proxy = emulator.proxy().await;
    proxy.fail_mutation(0, Fault::LoseReply);
    proxy.fail_mutation(1, Fault::error_after());

    assert!(query(&proxy.url(), ELB, "CreateTargetGroup", &GROUP).await.is_err());
    let mut green = GROUP;
    green[0].1 = "green";
    let reply = ask(&proxy, ELB, "CreateTargetGroup", &green).await;
    assert_eq!(reply.status, 500);
    assert!(reply.body.contains("<Code>InternalFailure</Code>"), "{}", reply.body);

    let found = ask(&proxy, ELB, "DescribeTargetGroups", &[]).await;
    for name in ["blue", "green"] {
        let element = format!("<TargetGroupName>{name}</TargetGroupName>");
        assert!(found.body.contains(&element), "{}", found.body);
    }
    let seen: Vec<_> = proxy.calls().iter().map(|c| (c.status, c.emulator_status)).collect();
    assert_eq!(seen, [(None, Some(200)), (Some(500), Some(200)), (Some(200), Some(200))]);
}

#[tokio::test]
async fn a_refused_or_dropped_call_never_arrives() {
    let (proxy, arrived) = proxy_of_stand_in().await;
    proxy.fail_mutation(1, Fault::refuse(403, "AccessDenied", "not you & not <him>"));
    proxy.fail_action("DescribeRules", 1, Fault::Drop);

    assert_eq!(ask(&proxy, ELB, "ModifyRule", &[]).await.body, "done");
    let refused = ask(&proxy, ELB, "ModifyRule", &[]).await;
    assert_eq!(refused.status, 403);
    let error = "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code>\
                 <Message>not you &amp; not &lt;him&gt;</Message></Error>";
    assert!(refused.body.starts_with(error), "{}", refused.body);
    assert_eq!(ask(&proxy, ELB, "ModifyRule", &[]).await.body, "done");

    assert_eq!(ask(&proxy, ELB, "DescribeRules", &[]).await.body, "done");
    assert!(is_cut(&proxy, "DescribeRules").await);
    assert_eq!(ask(&proxy, ELB, "DescribeRules", &[]).await.body, "done");

    assert_eq!(arrived.load(Ordering::SeqCst), 4);
    assert_eq!(proxy.calls()[1].emulator_status, None);
    assert_eq!(proxy.calls()[4].status, None);
}

#[tokio::test]
async fn each_service_throttles_in_its_own_words() {
    let (proxy, arrived) = proxy_of_stand_in().await;
    proxy.fail(Trigger::action("DescribeTags", 0).onwards(), Fault::Throttle);

    let query = ask(&proxy, ELB, "DescribeTags", &[]).await;
    assert_eq!(query.status, 400);
    assert!(query.body.contains("<Error><Type>Sender</Type><Code>Throttling</Code>"));
    let ec2 = ask(&proxy, "ec2", "DescribeTags", &[]).await;
    assert_eq!(ec2.status, 503);
    assert!(ec2.body.contains("<Response><Errors><Error><Code>RequestLimitExceeded</Code>"));
    assert_eq!(arrived.load(Ordering::SeqCst), 0);

    proxy.heal();
    assert_eq!(ask(&proxy, ELB, "DescribeTags", &[]).await.body, "done");
}

#[tokio::test]
async fn a_delay_holds_every_answer_but_not_one_behind_the_other() {
    let (proxy, _) = proxy_of_stand_in().await;
    let delay = Duration::from_millis(300);
    proxy.delay(delay);

    let begin = Instant::now();
    let calls = (0..8).map(|_| ask(&proxy, ELB, "DescribeRules", &[]));
    futures_util::future::join_all(calls).await;
    let elapsed = begin.elapsed();
    assert!(elapsed >= delay, "held for {elapsed:?} only");
    assert!(elapsed < delay * 4, "eight calls took {elapsed:?}: they waited for each other");
    assert!(proxy.calls().iter().all(|call| call.finished.unwrap() >= call.started + delay));
}

#[tokio::test]
async fn a_stalled_call_lands_after_its_caller_has_left() {
    let (proxy, arrived) = proxy_of_stand_in().await;
    proxy.fail_mutation(0, Fault::Stall(Duration::from_millis(400)));

    let url = proxy.url();
    let gave_up = timeout(Duration::from_millis(100), query(&url, ELB, "ModifyRule", &[])).await;
    assert!(gave_up.is_err(), "the call was answered at once");
    assert_eq!(arrived.load(Ordering::SeqCst), 0);
    assert_eq!(proxy.calls()[0].finished, None);

    timeout(Duration::from_secs(20), async {
        while proxy.calls()[0].finished.is_none() {
            sleep(Duration::from_millis(20)).await;
        }
    })
    .await
    .expect("the stalled call is finished some time");
    assert_eq!(arrived.load(Ordering::SeqCst), 1);
    assert_eq!(proxy.calls()[0].emulator_status, Some(200));
}

#[tokio::test]
async fn a_request_is_forwarded_byte_for_byte() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = Proxy::start(listener.local_addr().unwrap()).await.unwrap();
    let sent = "POST /path?b=2&a=%20 HTTP/1.1\r\nHost: elb.example.com\r\nX-Amz-Date: 20260101T000000Z\
                \r\nauthorization: AWS4 Credential=a/b\r\nContent-Length: 7\r\n\r\nA=1&b=%";

    let mut caller = TcpStream::connect(proxy.url().trim_start_matches("http://")).await.unwrap();
    caller.write_all(sent.as_bytes()).await.unwrap();
    let (mut emulator, _) = listener.accept().await.unwrap();
    let mut received = vec![0; sent.len()];
    emulator.read_exact(&mut received).await.unwrap();
    assert_eq!(String::from_utf8_lossy(&received), sent);
}

#[tokio::test]
async fn permissions_can_be_enforced() {
    let emulator = Emulator::start().await;
    let proxy = emulator.proxy().await;
    assert_eq!(ask(&proxy, ELB, "DescribeLoadBalancers", &[]).await.status, 200);
    emulator.enforce_permissions().await.unwrap();
    let refused = ask(&proxy, ELB, "DescribeLoadBalancers", &[]).await;
    assert_eq!(refused.status, 403);
    assert!(refused.body.contains("InvalidClientTokenId"), "{}", refused.body);
}

#[tokio::test]
async fn moto_ends_with_its_emulator() {
    let emulator = Emulator::start().await;
    let url = emulator.url();
    query(&url, ELB, "DescribeLoadBalancers", &[]).await.expect("moto serves");
    drop(emulator);
    timeout(Duration::from_secs(20), async {
        while query(&url, ELB, "DescribeLoadBalancers", &[]).await.is_ok() {
            sleep(Duration::from_millis(20)).await;
        }
    })
    .await
    .expect("moto is gone");
}
