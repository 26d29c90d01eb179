//! What AWS knows of an account beside what the fake reasons about.

mod acl;

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use bluegreen_core::model::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub(super) use acl::{AclEntry, LAST};

/// The network ACL of that network.
pub(super) const ACL: &str = "acl-00000001";

/// The network that every region begins with.
pub(super) const VPC: &str = "vpc-00000001";

/// Networks, identities, and whatever else must be answered to describe calls.
///
/// Everything here is data that may be saved and loaded.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Facts {
    /// Counts whatever gets a number.
    pub(super) counter: u64,
    /// The unique part of ARNs, by `kind/name`: another one each time a name is made again.
    pub(super) identities: BTreeMap<String, String>,
    /// The last parts of the addresses of load balancers, by name.
    pub(super) places: BTreeMap<String, u8>,
    /// The load balancers, by name.
    pub(super) load_balancers: BTreeMap<String, LoadBalancerFacts>,
    /// The security groups, by id.
    pub(super) security_groups: BTreeMap<String, SecurityGroup>,
    /// The subnets, by id.
    pub(super) subnets: BTreeMap<String, Subnet>,
    /// The networks, by id, each with its range.
    pub(super) vpcs: BTreeMap<String, String>,
    /// User data in base64, by its digest.
    pub(super) user_data: BTreeMap<String, String>,
    /// Whatever one service keeps of a resource, by `kind/name`, then by field: when it was made,
    /// certificates of listeners, descriptions of template versions.
    pub(super) notes: BTreeMap<String, BTreeMap<String, Value>>,
    /// The machines that were ever launched, for a while after they are gone too, by id.
    #[serde(default)]
    pub(super) instances: BTreeMap<String, InstanceFacts>,
    /// The entries of the network ACL that all subnets live by.
    #[serde(default = "open_acl")]
    pub(super) acl: Vec<AclEntry>,
    /// What happened to the machines of scaling groups, by group, oldest first.
    #[serde(default)]
    pub(super) activities: BTreeMap<String, Vec<Activity>>,
}

/// What AWS knows of a machine that a scaling group launched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct InstanceFacts {
    pub(super) group: Option<String>,
    pub(super) image: String,
    /// What kind of machine it is: `t3.micro`.
    pub(super) kind: String,
    /// The launch template with the version that was launched, or the launch configuration.
    pub(super) source: Option<(String, Option<u64>)>,
    pub(super) launched: Timestamp,
    /// Why it is terminated, if that is not its group's size.
    pub(super) cause: Option<String>,
    /// Whether somebody said that it is not healthy.
    pub(super) condemned: bool,
    /// When it began to terminate.
    pub(super) leaving: Option<Timestamp>,
    /// When it was gone.
    pub(super) gone: Option<Timestamp>,
}

/// Something that happened to the machines of a scaling group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Activity {
    /// Its number.
    pub(super) id: u64,
    /// The machine, unless none was launched.
    pub(super) instance: Option<String>,
    pub(super) description: String,
    pub(super) cause: String,
    /// As AWS spells it: `Successful`, `InProgress`, `Failed`.
    pub(super) status: String,
    pub(super) message: Option<String>,
    pub(super) began: Timestamp,
    pub(super) ended: Option<Timestamp>,
}

/// What AWS knows of a load balancer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct LoadBalancerFacts {
    pub(super) scheme: String,
    pub(super) vpc: String,
    pub(super) subnets: Vec<String>,
    pub(super) security_groups: Vec<String>,
    /// Those that somebody set.
    pub(super) attributes: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) ip_address_type: String,
}

/// A security group.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct SecurityGroup {
    pub(super) name: String,
    pub(super) description: String,
    pub(super) vpc: String,
    pub(super) ingress: Vec<SecurityRule>,
    pub(super) tags: BTreeMap<String, String>,
}

/// A rule of a security group that lets something in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SecurityRule {
    /// Its id, `sgr-…`.
    pub(super) id: String,
    /// `tcp`, `udp`, `icmp`, or `-1` for all.
    pub(super) protocol: String,
    pub(super) from: Option<u16>,
    pub(super) to: Option<u16>,
    pub(super) cidr: Option<String>,
    pub(super) cidr6: Option<String>,
    pub(super) group: Option<String>,
    pub(super) prefix_list: Option<String>,
    pub(super) description: Option<String>,
}

/// A subnet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Subnet {
    pub(super) vpc: String,
    pub(super) zone: String,
    pub(super) cidr: String,
}

impl Facts {
    /// Makes the facts of a region in which nothing was made yet: its default network.
    pub(super) fn of_region(region: &str) -> Self {
        let subnet = |zone: &str, cidr: &str| Subnet {
            vpc: VPC.to_owned(),
            zone: format!("{region}{zone}"),
            cidr: cidr.to_owned(),
        };
        Self {
            vpcs: [(VPC.to_owned(), "10.0.0.0/16".to_owned())].into(),
            subnets: [
                ("subnet-0000000a".to_owned(), subnet("a", "10.0.0.0/24")),
                ("subnet-0000000b".to_owned(), subnet("b", "10.0.1.0/24")),
            ]
            .into(),
            acl: open_acl(),
            ..Self::default()
        }
    }

    /// Returns a number that nothing had before.
    pub(super) fn next(&mut self) -> u64 {
        self.counter += 1;
        self.counter
    }

    /// Returns the unique part of the ARN or id of a thing: the same one as long as it exists.
    pub(super) fn identity(&mut self, kind: &str, name: &str) -> String {
        let key = format!("{kind}/{name}");
        if let Some(known) = self.identities.get(&key) {
            return known.clone();
        }
        // Looks like one of AWS's, and is the same in every run.
        let number = self.next().wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let identity = format!("{number:016x}");
        self.identities.insert(key, identity.clone());
        identity
    }

    /// Forgets everything about a thing that is gone: the next of the name is another one.
    pub(super) fn forget(&mut self, kind: &str, name: &str) {
        let key = format!("{kind}/{name}");
        self.identities.remove(&key);
        self.notes.remove(&key);
    }

    /// Gives things other names, all at once: they keep their identity and what is noted.
    pub(super) fn rename(&mut self, kind: &str, names: &[(String, String)]) {
        let key = |name: &str| format!("{kind}/{name}");
        let taken: Vec<_> = names
            .iter()
            .map(|(old, new)| {
                let old = key(old);
                (key(new), self.identities.remove(&old), self.notes.remove(&old))
            })
            .collect();
        for (new, identity, notes) in taken {
            self.identities.remove(&new);
            self.notes.remove(&new);
            self.identities.extend(identity.map(|identity| (new.clone(), identity)));
            self.notes.extend(notes.map(|notes| (new, notes)));
        }
    }

    /// Notes something about a thing.
    pub(super) fn note(&mut self, kind: &str, name: &str, field: &str, value: impl Into<Value>) {
        let notes = self.notes.entry(format!("{kind}/{name}")).or_default();
        notes.insert(field.to_owned(), value.into());
    }

    /// Forgets something that was noted about a thing.
    pub(super) fn erase(&mut self, kind: &str, name: &str, field: &str) {
        if let Some(notes) = self.notes.get_mut(&format!("{kind}/{name}")) {
            notes.remove(field);
        }
    }

    /// Returns what is noted about a thing.
    pub(super) fn noted(&self, kind: &str, name: &str, field: &str) -> Option<&Value> {
        self.notes.get(&format!("{kind}/{name}"))?.get(field)
    }

    /// Returns whether there is any guard, and which ports it lets everybody or somebody reach.
    pub(super) fn guard(&self, security_groups: &[String]) -> (bool, BTreeMap<u16, String>) {
        let groups = security_groups.iter().filter_map(|id| self.security_groups.get(id));
        let mut open = BTreeMap::new();
        for rule in groups.flat_map(|group| &group.ingress) {
            let Some(source) = rule.outside() else { continue };
            let range = (rule.from.unwrap_or(0), rule.to.unwrap_or(u16::MAX));
            let (protocol, (from, to)) = match rule.protocol.as_str() {
                "tcp" | "6" => ("6", range),
                "udp" | "17" => ("17", range),
                "-1" => ("-1", (0, u16::MAX)),
                _ => continue,
            };
            for port in from..=to {
                if !acl::lets_in(&self.acl, source, protocol, port) {
                    continue;
                }
                open.entry(port).or_insert_with(|| source.to_owned());
            }
        }
        (!security_groups.is_empty(), open)
    }
}

/// Returns the entries that a network ACL begins with.
fn open_acl() -> Vec<AclEntry> {
    [false, true].map(AclEntry::all).into()
}

impl SecurityRule {
    /// Returns the source, if it is not one within private networks.
    fn outside(&self) -> Option<&str> {
        let is_private = |cidr: &str| {
            let address = cidr.split('/').next().and_then(|text| text.parse::<Ipv4Addr>().ok());
            address.is_some_and(|address| address.is_private())
        };
        let cidr = self.cidr.as_deref().filter(|cidr| !is_private(cidr));
        cidr.or(self.cidr6.as_deref()).or(self.prefix_list.as_deref())
    }
}
