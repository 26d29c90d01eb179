//! Which attributes there are, what they are if nobody says anything, and what they can be.

use bluegreen_core::model::LoadBalancerKind;

/// An attribute.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known {
    pub(super) key: &'static str,
    pub(super) usual: &'static str,
    can_be: CanBe,
}

#[derive(Clone, Copy, Debug)]
enum CanBe {
    Flag,
    Text,
    Number(u32, u32),
    NumberOr(u32, u32, &'static str),
    OneOf(&'static [&'static str]),
}

use CanBe::{Flag, Number, NumberOr, OneOf, Text};

impl Known {
    /// Returns whether the attribute can have a value.
    pub(super) fn takes(&self, value: &str) -> bool {
        let within =
            |least, most| value.parse::<u32>().is_ok_and(|number| (least..=most).contains(&number));
        match self.can_be {
            Flag => matches!(value, "true" | "false"),
            Text => true,
            Number(least, most) => within(least, most),
            NumberOr(least, most, other) => value == other || within(least, most),
            OneOf(values) => values.contains(&value),
        }
    }
}

const fn known(key: &'static str, usual: &'static str, can_be: CanBe) -> Known {
    Known { key, usual, can_be }
}

const LOGS: [Known; 3] = [
    known("access_logs.s3.enabled", "false", Flag),
    known("access_logs.s3.bucket", "", Text),
    known("access_logs.s3.prefix", "", Text),
];

const OF_EVERY_LOAD_BALANCER: [Known; 1] = [known("deletion_protection.enabled", "false", Flag)];

const OF_APPLICATION: [Known; 15] = [
    known("load_balancing.cross_zone.enabled", "true", Flag),
    known("client_keep_alive.seconds", "3600", Number(60, 604_800)),
    known("connection_logs.s3.enabled", "false", Flag),
    known("connection_logs.s3.bucket", "", Text),
    known("connection_logs.s3.prefix", "", Text),
    known("idle_timeout.timeout_seconds", "60", Number(1, 4000)),
    known("ipv6.deny_all_igw_traffic", "false", Flag),
    known(
        "routing.http.desync_mitigation_mode",
        "defensive",
        OneOf(&["monitor", "defensive", "strictest"]),
    ),
    known("routing.http.drop_invalid_header_fields.enabled", "false", Flag),
    known("routing.http.preserve_host_header.enabled", "false", Flag),
    known("routing.http.x_amzn_tls_version_and_cipher_suite.enabled", "false", Flag),
    known("routing.http.xff_client_port.enabled", "false", Flag),
    known(
        "routing.http.xff_header_processing.mode",
        "append",
        OneOf(&["append", "preserve", "remove"]),
    ),
    known("routing.http2.enabled", "true", Flag),
    known("waf.fail_open.enabled", "false", Flag),
];

const ZONAL_SHIFT: [Known; 1] = [known("zonal_shift.config.enabled", "false", Flag)];

const OF_NETWORK: [Known; 3] = [
    known("load_balancing.cross_zone.enabled", "false", Flag),
    known("ipv6.deny_all_igw_traffic", "false", Flag),
    known(
        "dns_record.client_routing_policy",
        "any_availability_zone",
        OneOf(&[
            "any_availability_zone",
            "availability_zone_affinity",
            "partial_availability_zone_affinity",
        ]),
    ),
];

const OF_GATEWAY: [Known; 1] = [known("load_balancing.cross_zone.enabled", "false", Flag)];

/// Returns the attributes of a load balancer.
pub(super) fn of_load_balancer(kind: LoadBalancerKind) -> Vec<Known> {
    let common = &OF_EVERY_LOAD_BALANCER[..];
    match kind {
        LoadBalancerKind::Network => [common, &LOGS, &ZONAL_SHIFT, &OF_NETWORK].concat(),
        LoadBalancerKind::Gateway => [common, &OF_GATEWAY].concat(),
        _ => [common, &LOGS, &ZONAL_SHIFT, &OF_APPLICATION].concat(),
    }
}

const OF_HTTP_LISTENER: [Known; 10] = [
    known("routing.http.response.server.enabled", "true", Flag),
    known("routing.http.response.strict_transport_security.header_value", "", Text),
    known("routing.http.response.access_control_allow_origin.header_value", "", Text),
    known("routing.http.response.access_control_allow_methods.header_value", "", Text),
    known("routing.http.response.access_control_allow_headers.header_value", "", Text),
    known("routing.http.response.access_control_allow_credentials.header_value", "", Text),
    known("routing.http.response.access_control_expose_headers.header_value", "", Text),
    known("routing.http.response.access_control_max_age.header_value", "", Text),
    known("routing.http.response.content_security_policy.header_value", "", Text),
    known("routing.http.response.x_frame_options.header_value", "", Text),
];

const OF_HTTPS_LISTENER: [Known; 8] = [
    known(
        "routing.http.request.x_amzn_mtls_clientcert_serial_number.header_name",
        "X-Amzn-Mtls-Clientcert-Serial-Number",
        Text,
    ),
    known(
        "routing.http.request.x_amzn_mtls_clientcert_issuer.header_name",
        "X-Amzn-Mtls-Clientcert-Issuer",
        Text,
    ),
    known(
        "routing.http.request.x_amzn_mtls_clientcert_subject.header_name",
        "X-Amzn-Mtls-Clientcert-Subject",
        Text,
    ),
    known(
        "routing.http.request.x_amzn_mtls_clientcert_validity.header_name",
        "X-Amzn-Mtls-Clientcert-Validity",
        Text,
    ),
    known(
        "routing.http.request.x_amzn_mtls_clientcert_leaf.header_name",
        "X-Amzn-Mtls-Clientcert-Leaf",
        Text,
    ),
    known(
        "routing.http.request.x_amzn_mtls_clientcert.header_name",
        "X-Amzn-Mtls-Clientcert",
        Text,
    ),
    known("routing.http.request.x_amzn_tls_version.header_name", "X-Amzn-Tls-Version", Text),
    known(
        "routing.http.request.x_amzn_tls_cipher_suite.header_name",
        "X-Amzn-Tls-Cipher-Suite",
        Text,
    ),
];

const OF_TCP_LISTENER: [Known; 1] = [known("tcp.idle_timeout.seconds", "350", Number(60, 6000))];

/// Returns the attributes of a listener of a protocol.
pub(super) fn of_listener(protocol: &str) -> Vec<Known> {
    match protocol {
        "HTTP" => OF_HTTP_LISTENER.to_vec(),
        "HTTPS" => [&OF_HTTP_LISTENER[..], &OF_HTTPS_LISTENER].concat(),
        // A gateway's listener has no protocol.
        "TCP" | "" => OF_TCP_LISTENER.to_vec(),
        _ => vec![],
    }
}

const OF_EVERY_TARGET_GROUP: [Known; 7] = [
    known("deregistration_delay.timeout_seconds", "300", Number(0, 3600)),
    known("stickiness.enabled", "false", Flag),
    known(
        "load_balancing.cross_zone.enabled",
        "use_load_balancer_configuration",
        OneOf(&["true", "false", "use_load_balancer_configuration"]),
    ),
    known(
        "target_group_health.dns_failover.minimum_healthy_targets.count",
        "1",
        NumberOr(1, 1000, "off"),
    ),
    known(
        "target_group_health.dns_failover.minimum_healthy_targets.percentage",
        "off",
        NumberOr(1, 100, "off"),
    ),
    known(
        "target_group_health.unhealthy_state_routing.minimum_healthy_targets.count",
        "1",
        Number(1, 1000),
    ),
    known(
        "target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage",
        "off",
        NumberOr(1, 100, "off"),
    ),
];

const OF_HTTP_TARGET_GROUP: [Known; 7] = [
    known("stickiness.type", "lb_cookie", OneOf(&["lb_cookie", "app_cookie"])),
    known("stickiness.lb_cookie.duration_seconds", "86400", Number(1, 604_800)),
    known("stickiness.app_cookie.duration_seconds", "86400", Number(1, 604_800)),
    known("stickiness.app_cookie.cookie_name", "", Text),
    known("slow_start.duration_seconds", "0", NumberOr(30, 900, "0")),
    known(
        "load_balancing.algorithm.type",
        "round_robin",
        OneOf(&["round_robin", "least_outstanding_requests", "weighted_random"]),
    ),
    known("load_balancing.algorithm.anomaly_mitigation", "off", OneOf(&["on", "off"])),
];

const OF_TCP_TARGET_GROUP: [Known; 4] = [
    known(
        "stickiness.type",
        "source_ip",
        OneOf(&["source_ip", "source_ip_dest_ip", "source_ip_dest_ip_proto"]),
    ),
    known("proxy_protocol_v2.enabled", "false", Flag),
    known("target_health_state.unhealthy.connection_termination.enabled", "true", Flag),
    known("target_health_state.unhealthy.draining_interval_seconds", "0", Number(0, 360_000)),
];

/// Returns the attributes of a target group.
pub(super) fn of_target_group(protocol: &str, target_type: &str) -> Vec<Known> {
    if matches!(protocol, "HTTP" | "HTTPS") {
        return [&OF_EVERY_TARGET_GROUP[..], &OF_HTTP_TARGET_GROUP].concat();
    }
    let is_udp = matches!(protocol, "UDP" | "TCP_UDP");
    let yes_or_no = |yes: bool| if yes { "true" } else { "false" };
    let cuts =
        known("deregistration_delay.connection_termination.enabled", yes_or_no(is_udp), Flag);
    let keeps_ip = target_type == "instance" || is_udp;
    let keeps_ip = known("preserve_client_ip.enabled", yes_or_no(keeps_ip), Flag);
    [&OF_EVERY_TARGET_GROUP[..], &OF_TCP_TARGET_GROUP, &[cuts, keeps_ip]].concat()
}
