//! EC2, as far as deployments need it: launch templates, images, machines, networks.
//!
//! # Limits
//!
//! There is no `RunInstances`: machines are launched by scaling groups. Templates that keep their
//! image in a parameter store launch nothing. What user data is can only be told of what was
//! given over the wire. The code that refuses the deletion of a default version is a guess.

mod filter;
mod images;
mod instances;
mod network;
mod network_acls;
mod rules;
mod security_groups;
mod tags;
mod templates;
pub(super) mod user_data;
mod versions;

#[cfg(test)]
mod tests;

use super::{Call, Params, WireError, Xml, paging};

/// Answers one call.
pub(super) fn answer(call: &Call<'_>) -> Result<Xml, WireError> {
    super::autoscaling::observe(call.site);
    let answer = match call.action {
        "CreateLaunchTemplate" => templates::create(call),
        "DeleteLaunchTemplate" => templates::delete(call),
        "ModifyLaunchTemplate" => templates::modify(call),
        "DescribeLaunchTemplates" => templates::describe(call),
        "CreateLaunchTemplateVersion" => versions::create(call),
        "DeleteLaunchTemplateVersions" => versions::delete(call),
        "DescribeLaunchTemplateVersions" => versions::describe(call),
        "DescribeInstances" => instances::describe(call),
        "TerminateInstances" => instances::terminate(call),
        "StopInstances" => instances::stop(call),
        "DescribeImages" => images::describe(call),
        "RegisterImage" => images::register(call),
        "CreateImage" => images::create(call),
        "DeregisterImage" => images::deregister(call),
        "DescribeSubnets" => network::subnets(call),
        "DescribeVpcs" => network::vpcs(call),
        "DescribeAvailabilityZones" => network::zones(call),
        "DescribeNetworkAcls" => network_acls::describe(call),
        "CreateNetworkAclEntry" => network_acls::put(call, false),
        "ReplaceNetworkAclEntry" => network_acls::put(call, true),
        "DeleteNetworkAclEntry" => network_acls::delete(call),
        "CreateSecurityGroup" => security_groups::create(call),
        "DeleteSecurityGroup" => security_groups::delete(call),
        "DescribeSecurityGroups" => security_groups::describe(call),
        "DescribeSecurityGroupRules" => rules::describe(call),
        "AuthorizeSecurityGroupIngress" => rules::authorize(call),
        "RevokeSecurityGroupIngress" => rules::revoke(call),
        "CreateTags" => tags::create(call),
        "DeleteTags" => Ok(tags::delete(call)),
        "DescribeTags" => tags::describe(call),
        action => Err(WireError::unknown_action(action)),
    };
    if super::is_mutating(call.action) {
        super::autoscaling::observe(call.site);
    }
    answer
}

/// Returns a parameter that must be there.
fn need<'a>(params: &'a Params, name: &str) -> Result<&'a str, WireError> {
    params.text(name).filter(|text| !text.is_empty()).ok_or_else(|| missing(name))
}

fn missing(name: &str) -> WireError {
    let message = format!("The request must contain the parameter {name}");
    WireError::new("MissingParameter", message)
}

fn invalid(message: impl Into<String>) -> WireError {
    WireError::new("InvalidParameterValue", message)
}

/// Writes the answer of an action that says no more than that it is done.
fn done() -> Xml {
    Xml::new().text("return", true)
}

/// Cuts out the page that a request asks for, and writes it as a list.
fn listed(params: &Params, name: &str, items: Vec<Xml>) -> Result<Xml, WireError> {
    let size = match params.number::<usize>("MaxResults")? {
        Some(size) if (1..=1000).contains(&size) => size,
        Some(size) => {
            let message = format!("Value ( {size} ) for parameter maxResults is invalid.");
            return Err(invalid(message));
        }
        None => usize::MAX / 2,
    };
    let (page, next) =
        paging::page(items, size, params.text("NextToken")).map_err(|paging::UnknownToken| {
            WireError::new("InvalidNextToken", "The token is not valid")
        })?;
    Ok(Xml::new().list(name, "item", page).maybe("nextToken", next))
}
