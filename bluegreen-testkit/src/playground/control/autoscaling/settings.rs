//! The settings of a group that nobody reasons about, in the shape in which they travel through
//! the core: only what is set, by the names that the adapter gives it.

use serde_json::{Map, Value, json};

use super::refusal::{invalid, out_of_range};
use super::{Params, WireError, Xml, hooks, tree};
use crate::playground::site::Site;

/// How the role ends that every account has.
const DEFAULT_ROLE: &str = "/AWSServiceRoleForAutoScaling";

/// The texts, by their names in requests.
const TEXTS: [(&str, &str); 2] =
    [("VPCZoneIdentifier", "vpc_zone_identifier"), ("HealthCheckType", "health_check_type")];

/// The numbers, each with the least that counts: what is less says that there is none.
const NUMBERS: [(&str, &str, i32); 4] = [
    ("HealthCheckGracePeriod", "health_check_grace_period", 0),
    ("DefaultCooldown", "default_cooldown", 0),
    ("DefaultInstanceWarmup", "default_instance_warmup", 0),
    ("MaxInstanceLifetime", "max_instance_lifetime", 1),
];

/// The members that are handed through as they are.
const MEMBERS: [&str; 7] = [
    "AvailabilityZoneDistribution",
    "AvailabilityZoneImpairmentPolicy",
    "CapacityReservationSpecification",
    "DesiredCapacityType",
    "InstanceLifecyclePolicy",
    "NewInstancesProtectedFromScaleIn",
    "PlacementGroup",
];

/// Returns whether a member says what every group has that says nothing.
fn says_nothing(member: &str, value: &Value) -> bool {
    let is = |path: &str, usual: &str| value.pointer(path).is_none_or(|one| one == usual);
    match member {
        "AvailabilityZoneDistribution" => {
            is("/CapacityDistributionStrategy", "balanced-best-effort")
        }
        "AvailabilityZoneImpairmentPolicy" => is("/ZonalShiftEnabled", "false"),
        "CapacityReservationSpecification" => {
            value.get("CapacityReservationTarget").is_none()
                && is("/CapacityReservationPreference", "default")
        }
        "DesiredCapacityType" => value == "" || value == "units",
        "InstanceLifecyclePolicy" => is("/RetentionTriggers/TerminateHookAbandon", "terminate"),
        "NewInstancesProtectedFromScaleIn" => value == "false",
        _ => value == "",
    }
}

/// Returns what AWS sets in a group that says nothing.
fn defaults() -> Map<String, Value> {
    let defaults = json!({
        "health_check_type": "EC2",
        "health_check_grace_period": 0,
        "default_cooldown": 300,
        "termination_policies": ["Default"],
    });
    match defaults {
        Value::Object(defaults) => defaults,
        _ => Map::new(),
    }
}

/// Reads the settings of a group that is made.
pub(super) fn of_creation(params: &Params) -> Result<Value, WireError> {
    let mut settings = defaults();
    read(params, &mut settings)?;
    let hooks = params.structs("LifecycleHookSpecificationList");
    let hooks = hooks.iter().map(hooks::read).collect::<Result<Vec<_>, _>>()?;
    for hook in hooks {
        hooks::insert(&mut settings, hook);
    }
    if !settings.contains_key("vpc_zone_identifier") && !settings.contains_key("availability_zones")
    {
        return Err(invalid("At least one Availability Zone or VPC Subnet is required."));
    }
    Ok(Value::Object(settings))
}

/// Applies an update to the settings of a group.
pub(super) fn updated(params: &Params, old: &Value) -> Result<Value, WireError> {
    let mut settings = old.as_object().cloned().unwrap_or_default();
    let before = settings.clone();
    read(params, &mut settings)?;
    // What has no settings at all keeps none.
    Ok(if settings == before { old.clone() } else { Value::Object(settings) })
}

fn read(params: &Params, settings: &mut Map<String, Value>) -> Result<(), WireError> {
    for (name, key) in TEXTS {
        if let Some(text) = params.text(name) {
            set(settings, key, (!text.is_empty()).then(|| text.into()));
        }
    }
    for (name, key, least) in NUMBERS {
        if let Some(number) = params.number::<i32>(name)? {
            set(settings, key, (number >= least).then(|| number.into()));
        }
    }
    if let Some(life) = settings.get("max_instance_lifetime").and_then(Value::as_i64)
        && life < 86_400
    {
        return Err(out_of_range("maxInstanceLifetime", 86_400, 31_536_000));
    }
    if let Some(role) = params.text("ServiceLinkedRoleARN") {
        let own = !role.is_empty() && !role.ends_with(DEFAULT_ROLE);
        set(settings, "service_linked_role", own.then(|| role.into()));
    }
    if let Some(on) = params.flag("CapacityRebalance")? {
        set(settings, "capacity_rebalance", on.then_some(Value::Bool(true)));
    }
    if params.has("TerminationPolicies") {
        let policies = params.list("TerminationPolicies");
        let policies = if policies.is_empty() { vec!["Default".to_owned()] } else { policies };
        set(settings, "termination_policies", Some(policies.into()));
    }
    if params.has("AvailabilityZones") {
        set(settings, "availability_zones", Some(params.list("AvailabilityZones").into()));
    }
    // Subnets imply their zones.
    if settings.contains_key("vpc_zone_identifier") {
        settings.remove("availability_zones");
    }
    for member in MEMBERS {
        if let Some(value) = tree::read(params, member) {
            let mut members =
                settings.get("members").and_then(Value::as_object).cloned().unwrap_or_default();
            set(&mut members, member, (!says_nothing(member, &value)).then_some(value));
            set(settings, "members", (!members.is_empty()).then_some(Value::Object(members)));
        }
    }
    if params.has("InstanceMaintenancePolicy") {
        set(settings, "maintenance", maintenance(params)?);
    }
    health_check_type(settings)
}

fn set(settings: &mut Map<String, Value>, key: &str, value: Option<Value>) {
    match value {
        Some(value) => drop(settings.insert(key.to_owned(), value)),
        None => drop(settings.remove(key)),
    }
}

fn maintenance(params: &Params) -> Result<Option<Value>, WireError> {
    let part = params.part("InstanceMaintenancePolicy");
    let least = part.number::<i32>("MinHealthyPercentage")?;
    let most = part.number::<i32>("MaxHealthyPercentage")?;
    match (least, most) {
        (Some(-1), Some(-1)) => Ok(None),
        (Some(least), Some(most))
            if (0..=100).contains(&least) && (100..=200).contains(&most) && most - least <= 100 =>
        {
            let policy = json!({"min_healthy_percentage": least, "max_healthy_percentage": most});
            Ok(Some(policy))
        }
        _ => Err(invalid(
            "InstanceMaintenancePolicy needs a MinHealthyPercentage from 0 to 100 and a \
             MaxHealthyPercentage from 100 to 200 that differ by at most 100",
        )),
    }
}

fn health_check_type(settings: &Map<String, Value>) -> Result<(), WireError> {
    let kinds = settings.get("health_check_type").and_then(Value::as_str).unwrap_or("EC2");
    let known = |kind: &str| matches!(kind.trim(), "EC2" | "ELB" | "EBS" | "VPC_LATTICE");
    if kinds.split(',').all(known) {
        return Ok(());
    }
    Err(invalid(format!("Invalid HealthCheckType: {kinds}")))
}

/// Returns whether load balancers decide which machines of a group are healthy.
pub(crate) fn follows_load_balancers(details: &Value) -> bool {
    let kinds = details["health_check_type"].as_str().unwrap_or_default();
    kinds.split(',').any(|kind| kind.trim() == "ELB")
}

/// Writes the settings; what is not set is as AWS has it by default.
pub(super) fn show(site: &Site, details: &Value) -> Xml {
    let mut all = defaults();
    all.extend(details.as_object().cloned().unwrap_or_default());
    let text = |key: &str| all.get(key).and_then(Value::as_str);
    let number = |key: &str| all.get(key).and_then(Value::as_i64);
    let texts = |key: &str| -> Vec<String> {
        let list = all.get(key).and_then(Value::as_array).into_iter().flatten();
        list.filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let subnets = text("vpc_zone_identifier").unwrap_or_default();
    let mut zones = texts("availability_zones");
    if zones.is_empty() {
        zones = zones_of(site, subnets);
    }
    let role = format!(
        "arn:aws:iam::{}:role/aws-service-role/autoscaling.amazonaws.com{DEFAULT_ROLE}",
        site.account
    );
    let mut xml = Xml::new()
        .text("VPCZoneIdentifier", subnets)
        .texts("AvailabilityZones", "member", zones)
        .maybe("HealthCheckType", text("health_check_type"))
        .maybe("HealthCheckGracePeriod", number("health_check_grace_period"))
        .maybe("DefaultCooldown", number("default_cooldown"))
        .maybe("DefaultInstanceWarmup", number("default_instance_warmup"))
        .maybe("MaxInstanceLifetime", number("max_instance_lifetime"))
        .texts("TerminationPolicies", "member", texts("termination_policies"))
        .text("ServiceLinkedRoleARN", text("service_linked_role").unwrap_or(&role))
        .text("CapacityRebalance", details["capacity_rebalance"].as_bool().unwrap_or(false));
    let maintenance = &details["maintenance"];
    if maintenance.is_object() {
        let policy = Xml::new()
            .maybe("MinHealthyPercentage", maintenance["min_healthy_percentage"].as_i64())
            .maybe("MaxHealthyPercentage", maintenance["max_healthy_percentage"].as_i64());
        xml = xml.node("InstanceMaintenancePolicy", policy);
    }
    let members = details["members"].as_object().into_iter().flatten();
    members.fold(xml, |xml, (member, value)| super::handed_through(xml, member, value))
}

/// Returns the zones of subnets; those of the region if none is known.
fn zones_of(site: &Site, subnets: &str) -> Vec<String> {
    let facts = site.facts();
    let named = |id: &str| subnets.is_empty() || subnets.split(',').any(|one| one.trim() == id);
    let mut zones: Vec<String> = facts
        .subnets
        .iter()
        .filter(|(id, _)| named(id))
        .map(|(_, subnet)| subnet.zone.clone())
        .collect();
    zones.sort();
    zones.dedup();
    if zones.is_empty() {
        zones = ["a", "b"].map(|zone| format!("{}{zone}", site.region)).to_vec();
    }
    zones
}

/// Refuses subnets that are not there; those of other groups are taken on trust.
pub(super) fn check_subnets(site: &Site, details: &Value) -> Result<(), WireError> {
    let Some(subnets) = details["vpc_zone_identifier"].as_str() else { return Ok(()) };
    let groups = site.cloud().visible_groups();
    let facts = site.facts();
    let in_use = |id: &str| {
        let of_groups = groups.iter();
        let mut texts = of_groups
            .filter_map(|group| group.state.details.value()["vpc_zone_identifier"].as_str());
        texts.any(|text| text.split(',').any(|one| one.trim() == id))
    };
    for id in subnets.split(',').map(str::trim) {
        if !facts.subnets.contains_key(id) && !in_use(id) {
            return Err(invalid(format!("The subnet ID '{id}' does not exist")));
        }
    }
    Ok(())
}
