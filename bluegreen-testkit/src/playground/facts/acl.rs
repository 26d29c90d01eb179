use std::net::Ipv4Addr;

use serde::{Deserialize, Serialize};

/// The number under which AWS shows what no entry is about, which does not get through.
pub(in crate::playground) const LAST: u16 = 32_767;

/// An entry of a network ACL.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::playground) struct AclEntry {
    /// Entries are looked at in this order; the first that fits decides.
    pub(in crate::playground) number: u16,
    pub(in crate::playground) egress: bool,
    /// The number of the protocol, or `-1` for all.
    pub(in crate::playground) protocol: String,
    pub(in crate::playground) allow: bool,
    pub(in crate::playground) cidr: Option<String>,
    pub(in crate::playground) cidr6: Option<String>,
    pub(in crate::playground) ports: Option<(u16, u16)>,
}

impl AclEntry {
    /// Lets everything through, as a default ACL does.
    pub(in crate::playground) fn all(egress: bool) -> Self {
        Self {
            number: 100,
            egress,
            protocol: "-1".to_owned(),
            allow: true,
            cidr: Some("0.0.0.0/0".to_owned()),
            cidr6: None,
            ports: None,
        }
    }

    fn is_about(&self, protocol: &str, port: u16) -> bool {
        let is_protocol = self.protocol == "-1" || protocol == "-1" || self.protocol == protocol;
        !self.egress
            && is_protocol
            && self.ports.is_none_or(|(from, to)| (from..=to).contains(&port))
    }
}

/// Returns whether a network ACL lets anything through from a source to a port.
///
/// What is shut out must be shut out whole, by an entry for all protocols or for that one; a source
/// that is no range of IPv4 addresses is shut out by what no entry lets in.
pub(super) fn lets_in(entries: &[AclEntry], source: &str, protocol: &str, port: u16) -> bool {
    let mut entries: Vec<&AclEntry> =
        entries.iter().filter(|entry| entry.is_about(protocol, port)).collect();
    entries.sort_by_key(|entry| entry.number);
    for entry in entries {
        let range = entry.cidr.as_deref().or(entry.cidr6.as_deref()).unwrap_or_default();
        let is_whole = entry.protocol == "-1" || entry.protocol == protocol;
        match (entry.allow, parse(range).zip(parse(source))) {
            (true, None) => return true,
            (true, Some((range, source))) if meets(range, source) => return true,
            (false, Some((range, source))) if is_whole && holds(range, source) => return false,
            _ => {}
        }
    }
    false
}

type Range = (u32, u32);

fn parse(text: &str) -> Option<Range> {
    let (address, bits) = text.split_once('/')?;
    let address: Ipv4Addr = address.parse().ok()?;
    let bits: u32 = bits.parse().ok().filter(|bits| *bits <= 32)?;
    Some((u32::from(address), bits))
}

fn holds((outer, bits): Range, (inner, more): Range) -> bool {
    let prefix = |address: u32| address.checked_shr(32 - bits).unwrap_or(0);
    bits <= more && prefix(outer) == prefix(inner)
}

fn meets(one: Range, other: Range) -> bool {
    holds(one, other) || holds(other, one)
}
