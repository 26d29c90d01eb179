//! Networks, subnets and zones.

use super::filter::{self, Filters};
use super::{Call, WireError, Xml, tags};

/// Describes subnets.
pub(super) fn subnets(call: &Call<'_>) -> Result<Xml, WireError> {
    let Call { site, params, .. } = call;
    let wanted = params.list("SubnetId");
    let facts = site.facts();
    if let Some(id) = wanted.iter().find(|id| !facts.subnets.contains_key(*id)) {
        let message = format!("The subnet ID '{id}' does not exist");
        return Err(WireError::new("InvalidSubnetID.NotFound", message));
    }
    let filters = Filters::read(params);
    let mut shown = vec![];
    for (id, subnet) in &facts.subnets {
        let tags = tags::of(&facts, id);
        let admitted = filters.admit(|name| {
            Some(vec![match name {
                "subnet-id" => id.clone(),
                "vpc-id" => subnet.vpc.clone(),
                "availability-zone" | "availabilityZone" => subnet.zone.clone(),
                "cidr-block" | "cidr" | "cidrBlock" => subnet.cidr.clone(),
                "state" => "available".to_owned(),
                "default-for-az" | "defaultForAz" => "true".to_owned(),
                _ => return filter::of_tags(name, tags.iter()),
            }])
        })?;
        if admitted && (wanted.is_empty() || wanted.contains(id)) {
            let arn = format!("arn:aws:ec2:{}:{}:subnet/{id}", site.region, site.account);
            shown.push(
                Xml::new()
                    .text("subnetId", id)
                    .text("subnetArn", arn)
                    .text("vpcId", &subnet.vpc)
                    .text("availabilityZone", &subnet.zone)
                    .text("cidrBlock", &subnet.cidr)
                    .text("state", "available")
                    .text("ownerId", &site.account)
                    .text("availableIpAddressCount", 251)
                    .text("defaultForAz", true)
                    .text("mapPublicIpOnLaunch", true)
                    .with(tags::show(&tags)),
            );
        }
    }
    super::listed(params, "subnetSet", shown)
}

/// Describes networks.
pub(super) fn vpcs(call: &Call<'_>) -> Result<Xml, WireError> {
    let Call { site, params, .. } = call;
    let wanted = params.list("VpcId");
    let facts = site.facts();
    if let Some(id) = wanted.iter().find(|id| !facts.vpcs.contains_key(*id)) {
        let message = format!("The vpc ID '{id}' does not exist");
        return Err(WireError::new("InvalidVpcID.NotFound", message));
    }
    let filters = Filters::read(params);
    let mut shown = vec![];
    for (id, cidr) in &facts.vpcs {
        let tags = tags::of(&facts, id);
        let admitted = filters.admit(|name| {
            Some(vec![match name {
                "vpc-id" => id.clone(),
                "cidr" | "cidr-block" => cidr.clone(),
                "state" => "available".to_owned(),
                "is-default" | "isDefault" => "true".to_owned(),
                _ => return filter::of_tags(name, tags.iter()),
            }])
        })?;
        if admitted && (wanted.is_empty() || wanted.contains(id)) {
            shown.push(
                Xml::new()
                    .text("vpcId", id)
                    .text("ownerId", &site.account)
                    .text("state", "available")
                    .text("cidrBlock", cidr)
                    .text("dhcpOptionsId", "default")
                    .text("instanceTenancy", "default")
                    .text("isDefault", true)
                    .with(tags::show(&tags)),
            );
        }
    }
    super::listed(params, "vpcSet", shown)
}

/// Describes the zones of the region.
pub(super) fn zones(call: &Call<'_>) -> Result<Xml, WireError> {
    let Call { site, params, .. } = call;
    let region = &site.region;
    let wanted = params.list("ZoneName");
    let names = ["a", "b"].map(|zone| format!("{region}{zone}"));
    if let Some(unknown) = wanted.iter().find(|name| !names.contains(name)) {
        let message = format!("Invalid availability zone: [{unknown}]");
        return Err(super::invalid(message));
    }
    let filters = Filters::read(params);
    let mut shown = vec![];
    for name in names {
        let admitted = filters.admit(|field| {
            Some(vec![match field {
                "zone-name" => name.clone(),
                "region-name" => region.clone(),
                "state" => "available".to_owned(),
                _ => return None,
            }])
        })?;
        if admitted && (wanted.is_empty() || wanted.contains(&name)) {
            shown.push(
                Xml::new()
                    .text("zoneName", &name)
                    .text("zoneState", "available")
                    .text("regionName", region)
                    .text("zoneType", "availability-zone")
                    .text("optInStatus", "opt-in-not-required"),
            );
        }
    }
    Ok(Xml::new().list("availabilityZoneInfo", "item", shown))
}
