use bluegreen_core::cloud::CloudErrorKind;

use super::*;
use crate::canned::{Answer, Wire};

const BALANCER: &str = "arn:aws:elasticloadbalancing:eu-west-1:1:loadbalancer/app/web/01";

fn ok(body: String) -> Answer {
    Answer::Http(200, Box::leak(body.into_boxed_str()))
}

fn balancer() -> Answer {
    ok(format!(
        "<DescribeLoadBalancersResponse><DescribeLoadBalancersResult><LoadBalancers><member>\
         <LoadBalancerArn>{BALANCER}</LoadBalancerArn><LoadBalancerName>web</LoadBalancerName>\
         <Type>application</Type></member></LoadBalancers></DescribeLoadBalancersResult>\
         </DescribeLoadBalancersResponse>"
    ))
}

fn listeners(ports: &[u16], marker: Option<&str>, action: &str) -> Answer {
    let member = |port: &u16| {
        format!(
            "<member><ListenerArn>{BALANCER}/{port}</ListenerArn>\
             <LoadBalancerArn>{BALANCER}</LoadBalancerArn><Port>{port}</Port>\
             <Protocol>HTTP</Protocol><DefaultActions><member>{action}</member>\
             </DefaultActions></member>"
        )
    };
    let members = ports.iter().map(member).collect::<Vec<_>>().concat();
    let marker = marker.map(|one| format!("<NextMarker>{one}</NextMarker>")).unwrap_or_default();
    ok(format!(
        "<DescribeListenersResponse><DescribeListenersResult><Listeners>{members}</Listeners>\
         {marker}</DescribeListenersResult></DescribeListenersResponse>"
    ))
}

const REDIRECT: &str = "<Type>redirect</Type><RedirectConfig><StatusCode>HTTP_301</StatusCode>\
    </RedirectConfig>";

#[tokio::test]
async fn every_page_is_read() {
    let wire = Wire::new([
        balancer(),
        listeners(&[443], Some("m1"), REDIRECT),
        listeners(&[], Some("m2"), REDIRECT),
        listeners(&[80], None, REDIRECT),
    ]);
    let found = wire.cloud().listeners(&LoadBalancerName::new("web")).await.unwrap();
    let ports: Vec<_> = found.iter().map(|one| one.key.port).collect();
    assert_eq!(ports, [80, 443]);
    assert!(wire.requests()[3].body.contains("Marker=m2"));
}

#[tokio::test]
async fn pages_that_go_round_in_circles_end_in_an_error() {
    for markers in [["m1", "m1", "m1"], ["m1", "m2", "m1"]] {
        let pages = markers.into_iter().map(|one| listeners(&[80], Some(one), REDIRECT));
        let wire = Wire::new([balancer()].into_iter().chain(pages));
        let error = wire.cloud().listeners(&LoadBalancerName::new("web")).await.unwrap_err();
        assert_eq!(error.kind(), CloudErrorKind::Rejected);
    }
}

#[tokio::test]
async fn an_action_that_is_new_is_named() {
    let wire = Wire::new([balancer(), listeners(&[80], None, "<Type>teleport</Type>")]);
    let error = wire.cloud().listeners(&LoadBalancerName::new("web")).await.unwrap_err();
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert_eq!(source, "action type `teleport` is not known to this version");
}
