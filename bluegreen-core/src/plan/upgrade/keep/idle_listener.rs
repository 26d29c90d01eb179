use super::{UpgradeSurvey, idle_ports, made_tags};
use crate::change::{CloudChange, Edit};
use crate::model::{Actions, Color, Environment, Listener, ListenerSettings, Member, Opaque};
use crate::plan::Refusal;

/// Gives both colours listeners of their own, so that both are checked before, during and after a
/// switch.
pub(super) fn changes(
    environment: &Environment,
    survey: &UpgradeSurvey,
) -> Result<Vec<CloudChange>, Refusal> {
    let ports = idle_ports::assign(environment, survey)?;
    let mut changes = Vec::new();
    for (pair, member) in environment.pairs.iter().zip(&environment.blue.members) {
        let (protocol, tls) = protocol(environment, member)?;
        for color in Color::BOTH {
            let Some(listener) = ports.get(pair.get(color)) else { continue };
            let settings = ListenerSettings {
                protocol: protocol.clone(),
                actions: Actions::forward_to(pair.get(color).clone()),
                tags: made_tags(environment, &survey.run, color, Some(pair)),
                tls: tls.clone(),
            };
            changes.push(CloudChange::Listener(Edit::create(listener.clone(), settings)));
        }
    }
    Ok(changes)
}

/// Says how a listener listens that keeps a target group and its counterpart checked, with what
/// belongs to TLS if it has to speak it.
///
/// It only has to exist, so it listens in the clear wherever the load balancer allows that. Facts:
/// an application load balancer takes any pair of HTTP and HTTPS, except that HTTP2 and gRPC need
/// an HTTPS listener; a network load balancer takes TCP for TCP, TLS for TLS, UDP for UDP and
/// `TCP_UDP` for `TCP_UDP`, among others.
fn protocol(environment: &Environment, member: &Member) -> Result<(String, Opaque), Refusal> {
    let group = &member.target_group;
    let newer = matches!(group.protocol_version.as_deref(), Some("HTTP2" | "GRPC"));
    match group.protocol.as_str() {
        "HTTP" | "HTTPS" if newer => secure(environment, member, "HTTPS"),
        "HTTP" | "HTTPS" => Ok(("HTTP".to_owned(), Opaque::default())),
        "TLS" => secure(environment, member, "TLS"),
        "TCP" | "UDP" | "TCP_UDP" => Ok((group.protocol.clone(), Opaque::default())),
        other => {
            let reason = format!("no idle listener is known for its protocol {other}");
            Err(Refusal::TargetGroupKind { name: group.name.clone(), reason })
        }
    }
}

/// Borrows the certificate of a live listener that sends to the target group.
fn secure(
    environment: &Environment,
    member: &Member,
    protocol: &str,
) -> Result<(String, Opaque), Refusal> {
    let name = &member.target_group.name;
    let serves = |listener: &&Listener| {
        listener.protocol == protocol
            && !listener.tls.is_empty()
            && environment.routes.iter().any(|route| {
                let forward = route.actions.forward();
                route.key.listener == listener.key && forward.is_some_and(|one| one.names(name))
            })
    };
    if let Some(listener) = environment.listeners.iter().find(serves) {
        return Ok((protocol.to_owned(), listener.tls.clone()));
    }
    let reason = format!(
        "its idle listener must speak {protocol}, and no live {protocol} listener sends to it whose \
         certificate could be used"
    );
    Err(Refusal::TargetGroupKind { name: name.clone(), reason })
}
