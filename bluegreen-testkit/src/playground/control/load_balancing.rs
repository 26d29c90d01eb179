//! Elastic Load Balancing, version 2: load balancers, listeners, rules, target groups.
//!
//! The configuration is the world of the fake; what AWS knows beside it lies in the facts of the
//! site. Errors have AWS's codes and, where they were seen, AWS's words.
//!
//! # Limits
//!
//! Targets are machines on the port of their target group: targets with a port of their own, IP
//! addresses and load balancers cannot be registered, and target groups of functions not be made. Trust stores, capacity
//! reservations and resource policies are not there. Certificates are taken as they are named; the
//! playground serves one of its own. Forwards all of whose weights are 0 send nothing anywhere and
//! leave their target groups unchecked. Defaults of redirects and authentications are not spelled
//! out when they are described.

mod account;
mod action;
mod arn;
mod attribute;
mod certificate;
mod check;
mod condition;
mod listener;
mod load_balancer;
mod network;
mod page;
mod refusal;
mod route;
mod rule;
mod tag;
mod target;
mod target_group;
mod tree;

#[cfg(test)]
mod tests;

pub(super) use arn::Names;
pub(super) use tree::Tree;

use super::{Call, WireError, Xml};

/// Answers one call.
pub(super) fn answer(call: &Call<'_>) -> Result<Xml, WireError> {
    match call.action {
        "CreateLoadBalancer" => load_balancer::create(call),
        "DescribeLoadBalancers" => load_balancer::describe(call),
        "DeleteLoadBalancer" => load_balancer::delete(call),
        "DescribeLoadBalancerAttributes" => attribute::describe_of_load_balancer(call),
        "ModifyLoadBalancerAttributes" => attribute::modify_of_load_balancer(call),
        "SetSecurityGroups" => network::set_security_groups(call),
        "SetSubnets" => network::set_subnets(call),
        "SetIpAddressType" => network::set_ip_address_type(call),
        "CreateListener" => listener::create(call),
        "ModifyListener" => listener::modify(call),
        "DeleteListener" => listener::delete(call),
        "DescribeListeners" => listener::describe(call),
        "DescribeListenerAttributes" => attribute::describe_of_listener(call),
        "ModifyListenerAttributes" => attribute::modify_of_listener(call),
        "AddListenerCertificates" => certificate::add(call),
        "RemoveListenerCertificates" => certificate::remove(call),
        "DescribeListenerCertificates" => certificate::describe(call),
        "CreateRule" => rule::create(call),
        "ModifyRule" => rule::modify(call),
        "DeleteRule" => rule::delete(call),
        "DescribeRules" => rule::describe(call),
        "SetRulePriorities" => rule::set_priorities(call),
        "CreateTargetGroup" => target_group::create(call),
        "ModifyTargetGroup" => target_group::modify(call),
        "DeleteTargetGroup" => target_group::delete(call),
        "DescribeTargetGroups" => target_group::describe(call),
        "DescribeTargetGroupAttributes" => attribute::describe_of_target_group(call),
        "ModifyTargetGroupAttributes" => attribute::modify_of_target_group(call),
        "RegisterTargets" => target::register(call),
        "DeregisterTargets" => target::deregister(call),
        "DescribeTargetHealth" => target::describe_health(call),
        "AddTags" => tag::add(call),
        "RemoveTags" => tag::remove(call),
        "DescribeTags" => tag::describe(call),
        "DescribeAccountLimits" => account::describe_limits(call),
        "DescribeSSLPolicies" => account::describe_policies(call),
        action => Err(WireError::unknown_action(action)),
    }
}
