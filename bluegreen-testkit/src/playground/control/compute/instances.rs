//! Machines.

use bluegreen_core::model::InstanceId;

use super::filter::{self, Filters};
use super::{Call, WireError, Xml, missing, tags};
use crate::fake::{Machine, MachinePhase};
use crate::playground::control::autoscaling::terminate_for;
use crate::playground::control::time;
use crate::playground::facts::{InstanceFacts, VPC};
use crate::playground::site::Site;

/// Where a machine stands, as EC2 says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Pending,
    Running,
    Stopped,
    ShuttingDown,
    Terminated,
}

impl State {
    fn of(machine: &Machine) -> Self {
        match machine.phase {
            MachinePhase::Terminating => Self::ShuttingDown,
            _ if machine.stopped => Self::Stopped,
            MachinePhase::Pending => Self::Pending,
            MachinePhase::InService => Self::Running,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Stopped => "stopped",
            Self::ShuttingDown => "shutting-down",
            Self::Terminated => "terminated",
        }
    }

    fn code(self) -> u8 {
        match self {
            Self::Pending => 0,
            Self::Running => 16,
            Self::ShuttingDown => 32,
            Self::Terminated => 48,
            Self::Stopped => 80,
        }
    }

    fn show(self) -> Xml {
        Xml::new().text("code", self.code()).text("name", self.name())
    }
}

/// Returns every machine with its state, those that are gone for a short time too.
fn all(site: &Site) -> Vec<(InstanceId, State, Option<InstanceFacts>)> {
    let machines = site.cloud().machines();
    let facts = site.facts();
    let known = |id: &InstanceId| facts.instances.get(id.as_str()).cloned();
    let mut all: Vec<_> =
        machines.iter().map(|one| (one.id.clone(), State::of(one), known(&one.id))).collect();
    let gone = facts.instances.iter().filter(|(_, known)| known.gone.is_some());
    all.extend(
        gone.map(|(id, known)| {
            (InstanceId::new(id.as_str()), State::Terminated, Some(known.clone()))
        }),
    );
    all
}

fn unknown(ids: &[&InstanceId]) -> WireError {
    let names: Vec<&str> = ids.iter().map(|id| id.as_str()).collect();
    let message = match names.as_slice() {
        [id] => format!("The instance ID '{id}' does not exist"),
        ids => format!("The instance IDs '{}' do not exist", ids.join(", ")),
    };
    WireError::new("InvalidInstanceID.NotFound", message)
}

/// Refuses machines that are not there.
pub(super) fn known(site: &Site, ids: &[InstanceId]) -> Result<(), WireError> {
    let all = all(site);
    if let Some(id) = ids.iter().find(|id| !id.as_str().starts_with("i-")) {
        let message = format!("Invalid id: \"{id}\" (expecting \"i-...\")");
        return Err(WireError::new("InvalidInstanceID.Malformed", message));
    }
    let absent: Vec<_> =
        ids.iter().filter(|id| !all.iter().any(|(known, ..)| known == *id)).collect();
    if absent.is_empty() { Ok(()) } else { Err(unknown(&absent)) }
}

fn ids(call: &Call<'_>) -> Vec<InstanceId> {
    call.params.list("InstanceId").into_iter().map(InstanceId::new).collect()
}

/// Describes machines, each in a reservation of its own.
pub(super) fn describe(call: &Call<'_>) -> Result<Xml, WireError> {
    let Call { site, params, .. } = call;
    let wanted = ids(call);
    if !wanted.is_empty() && params.has("MaxResults") {
        let message = "The parameter instancesSet cannot be used with the parameter maxResults";
        return Err(WireError::new("InvalidParameterCombination", message));
    }
    known(site, &wanted)?;
    let filters = Filters::read(params);
    let mut shown = vec![];
    for (id, state, known) in all(site) {
        if !wanted.is_empty() && !wanted.contains(&id) {
            continue;
        }
        let tags = tags::of(&site.facts(), id.as_str());
        let image = known.as_ref().map(|known| known.image.clone()).unwrap_or_default();
        let admitted = filters.admit(|name| {
            Some(vec![match name {
                "instance-id" => id.to_string(),
                "instance-state-name" => state.name().to_owned(),
                "instance-state-code" => state.code().to_string(),
                "image-id" => image.clone(),
                "availability-zone" => site.zone_of(&id),
                "vpc-id" => VPC.to_owned(),
                "private-ip-address" => site.address_of_machine(&id).to_string(),
                _ => return filter::of_tags(name, tags.iter()),
            }])
        })?;
        if admitted {
            let instance = show(site, &id, state, known.as_ref()).with(tags::show(&tags));
            let reservation = format!("r-{}", id.as_str().trim_start_matches("i-"));
            shown.push(
                Xml::new()
                    .text("reservationId", reservation)
                    .text("ownerId", &site.account)
                    .list("groupSet", "item", [])
                    .list("instancesSet", "item", [instance]),
            );
        }
    }
    super::listed(params, "reservationSet", shown)
}

fn show(site: &Site, id: &InstanceId, state: State, known: Option<&InstanceFacts>) -> Xml {
    let zone = site.zone_of(id);
    let address = site.address_of_machine(id);
    let subnet = {
        let facts = site.facts();
        let mut subnets = facts.subnets.iter();
        subnets.find(|(_, subnet)| subnet.zone == zone).map(|(id, _)| id.clone())
    };
    let is_there = state != State::Terminated;
    Xml::new()
        .text("instanceId", id)
        .maybe("imageId", known.map(|known| known.image.as_str()))
        .node("instanceState", state.show())
        .maybe("instanceType", known.map(|known| known.kind.as_str()))
        .maybe("launchTime", known.map(|known| time::text(known.launched)))
        .node("placement", Xml::new().text("availabilityZone", &zone).text("tenancy", "default"))
        .node("monitoring", Xml::new().text("state", "disabled"))
        .maybe("privateIpAddress", is_there.then_some(address))
        .maybe("subnetId", subnet.filter(|_| is_there))
        .maybe("vpcId", is_there.then_some(VPC))
        .text("architecture", "x86_64")
        .text("rootDeviceType", "ebs")
        .text("virtualizationType", "hvm")
}

fn changed(site: &Site, ids: &[InstanceId], before: &[(InstanceId, State)]) -> Vec<Xml> {
    let after = all(site);
    let state =
        |id: &InstanceId| after.iter().find(|(one, ..)| one == id).map(|(_, state, _)| *state);
    let show = |id: &InstanceId| {
        let (_, old) = before.iter().find(|(one, _)| one == id)?;
        Some(
            Xml::new()
                .text("instanceId", id)
                .node("currentState", state(id).unwrap_or(State::Terminated).show())
                .node("previousState", old.show()),
        )
    };
    ids.iter().filter_map(show).collect()
}

fn states(site: &Site) -> Vec<(InstanceId, State)> {
    all(site).into_iter().map(|(id, state, _)| (id, state)).collect()
}

/// Terminates machines; their groups replace them.
pub(super) fn terminate(call: &Call<'_>) -> Result<Xml, WireError> {
    let site = call.site;
    let ids = ids(call);
    if ids.is_empty() {
        return Err(missing("InstanceId"));
    }
    known(site, &ids)?;
    let before = states(site);
    let alive = |id: &&InstanceId| {
        let state = before.iter().find(|(one, _)| one == *id).map(|(_, state)| *state);
        !matches!(state, Some(State::ShuttingDown | State::Terminated))
    };
    for id in ids.iter().filter(alive) {
        let cause = "an instance was taken out of service in response to an EC2 health check \
                     indicating it has been terminated or stopped.";
        terminate_for(site, id, cause.to_owned(), false);
    }
    Ok(Xml::new().list("instancesSet", "item", changed(site, &ids, &before)))
}

/// Stops machines behind the backs of their groups.
pub(super) fn stop(call: &Call<'_>) -> Result<Xml, WireError> {
    let site = call.site;
    let ids = ids(call);
    if ids.is_empty() {
        return Err(missing("InstanceId"));
    }
    known(site, &ids)?;
    let before = states(site);
    let wrong = before.iter().find(|(id, state)| {
        ids.contains(id) && matches!(state, State::ShuttingDown | State::Terminated)
    });
    if let Some((id, _)) = wrong {
        let message =
            format!("The instance '{id}' is not in a state from which it can be stopped.");
        return Err(WireError::new("IncorrectInstanceState", message));
    }
    for id in &ids {
        site.cloud().stop_instance(id);
    }
    Ok(Xml::new().list("instancesSet", "item", changed(site, &ids, &before)))
}
