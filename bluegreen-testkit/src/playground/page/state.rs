//! How everything stands, as the page shows it.

use bluegreen_core::model::{Actions, HealthState, ScalingGroupName};
use bluegreen_core::operation::{run_details, runs};
use serde_json::{Value, json};

use crate::playground::topology::{ListenerView, Topology};
use crate::playground::{Shared, Site, report};

/// How many of the last calls and runs are shown.
const CALLS: usize = 30;
const RUNS: usize = 5;

/// Returns everything; of the course of a load only what is newer than a bin.
pub(super) async fn all(shared: &Shared, from: usize) -> Value {
    let sites: Vec<Value> = shared.all_sites().iter().map(|site| of_site(site)).collect();
    let calls: Vec<Value> = {
        let calls = shared.calls();
        let last = calls.iter().rev().filter(|call| call.mutating || call.error.is_some());
        last.take(CALLS).map(|call| json!(call)).collect()
    };
    json!({
        "sites": sites,
        "faults": shared.faults.standing(),
        "load": load(shared, from).await,
        "calls": calls,
        "runs": of_store(shared).await,
    })
}

/// Returns how the load goes; nothing if there was none.
pub(super) async fn load(shared: &Shared, from: usize) -> Value {
    let loading = shared.load.lock().await;
    let Some(loading) = &*loading else { return Value::Null };
    json!({
        "rate": loading.load.options().rate,
        "from": from,
        "bins": loading.load.bins(from),
        "marks": loading.load.marks(),
        "changes": report::changes(shared, loading),
        "scores": loading.load.scores(),
    })
}

fn of_site(site: &Site) -> Value {
    let topology = site.topology();
    let target_groups = topology.target_groups.iter().map(|(name, group)| {
        let targets = group.targets.iter().map(
            |target| json!({"instance": target.instance.as_str(), "state": word(target.state)}),
        );
        json!({
            "name": name.as_str(),
            "port": group.port,
            "used": group.used,
            "targets": targets.collect::<Vec<_>>(),
        })
    });
    json!({
        "account": site.account,
        "region": site.region,
        "listeners": topology.listeners.iter().map(of_listener).collect::<Vec<_>>(),
        "target_groups": target_groups.collect::<Vec<_>>(),
        "machines": of_machines(&topology),
    })
}

fn of_listener(listener: &ListenerView) -> Value {
    let to = |actions: &Actions| -> Vec<Value> {
        let weights = actions.forward().into_iter().flat_map(|forward| {
            let all = forward.weights().iter();
            all.map(move |(name, weight)| {
                json!({"target_group": name.as_str(), "weight": weight, "reached": forward.reaches(name)})
            })
        });
        weights.collect()
    };
    let rules = listener
        .rules
        .iter()
        .map(|rule| json!({"priority": rule.priority, "to": to(&rule.actions)}));
    json!({
        "load_balancer": listener.load_balancer.as_str(),
        "address": listener.address.to_string(),
        "port": listener.port,
        "protocol": listener.protocol,
        "open": listener.open,
        "to": to(&listener.actions),
        "rules": rules.collect::<Vec<_>>(),
    })
}

fn of_machines(topology: &Topology) -> Vec<Value> {
    let machines = topology.machines.iter().map(|machine| {
        json!({
            "instance": machine.instance.as_str(),
            "group": machine.group.as_ref().map(ScalingGroupName::as_str),
            "color": machine.color,
            "image": machine.image.as_str(),
            "zone": machine.zone,
            "address": machine.address.to_string(),
            "terminating": machine.terminating,
            "stopped": machine.stopped,
        })
    });
    machines.collect()
}

/// Returns the last runs of the store, the newest with all its steps; nothing if it cannot be read.
async fn of_store(shared: &Shared) -> Value {
    let Some(store) = &shared.options.store else { return Value::Null };
    let Ok(all) = runs(&**store).await else { return Value::Null };
    let details = match all.first() {
        Some(newest) => run_details(&**store, &newest.run).await.ok(),
        None => None,
    };
    let steps = details
        .iter()
        .flat_map(|details| &details.steps)
        .map(|step| json!({"step": step.step.0, "text": step.what, "state": step.state}));
    let list = all.iter().take(RUNS).map(|run| {
        json!({
            "run": run.run.as_str(),
            "operation": run.operation,
            "environment": run.environment.as_str(),
            "state": run.state.as_str(),
        })
    });
    json!({"list": list.collect::<Vec<_>>(), "steps": steps.collect::<Vec<_>>()})
}

fn word(state: HealthState) -> &'static str {
    match state {
        HealthState::Initial => "initial",
        HealthState::Healthy => "healthy",
        HealthState::Unhealthy => "unhealthy",
        HealthState::Unused => "unused",
        HealthState::Draining => "draining",
        HealthState::Unavailable => "unavailable",
    }
}
