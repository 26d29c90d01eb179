//! Whether network ACLs close what security groups open.

use super::Opening;
use super::cidr::Cidr;
use crate::ec2::NetworkAcl;

/// Returns whether nothing of an opening gets through to a port, in any subnet.
///
/// Entries are looked at by their number, and the first that fits decides: what is shut out must be
/// shut out whole before anything of it is let in. What cannot be told counts as let in.
pub(super) fn closes(
    acls: &[NetworkAcl],
    subnets: &[String],
    opening: &Opening,
    port: u16,
) -> bool {
    let range = opening.range.as_deref().and_then(Cidr::parse);
    !subnets.is_empty()
        && subnets.iter().all(|subnet| {
            let acl = acls.iter().find(|acl| acl.is_of(subnet));
            acl.is_some_and(|acl| {
                opening.protocols.iter().all(|protocol| shuts_out(acl, range, protocol, port))
            })
        })
}

fn shuts_out(acl: &NetworkAcl, range: Option<Cidr>, protocol: &str, port: u16) -> bool {
    for entry in acl.ingress().into_iter().filter(|entry| entry.covers(protocol, port)) {
        let about = Cidr::parse(entry.range());
        let decides = match (range, about) {
            (Some(range), Some(about)) if entry.allows() => about.meets(range),
            (Some(range), Some(about)) => about.holds(range),
            // Nobody knows which addresses are meant, on one side or the other.
            _ => entry.allows(),
        };
        if decides {
            return !entry.allows();
        }
    }
    // What no entry is about does not get through.
    true
}
