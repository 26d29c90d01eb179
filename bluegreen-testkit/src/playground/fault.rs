//! What goes wrong in a playground, and for how long.
//!
//! Faults are plain data: the command line, scenario files, the page and programs all say them in
//! the same way.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bluegreen_core::model::ScalingGroupName;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::topology::MachineView;

/// Something that goes wrong until it is lifted, or for a while, or so many times.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fault {
    /// What goes wrong.
    #[serde(flatten)]
    pub what: Trouble,
    /// For how many seconds; for ever if that is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<f64>,
    /// How many times; each time if that is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u32>,
}

/// What goes wrong.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "on", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Trouble {
    /// With the servers on machines.
    Instance {
        /// Which machines.
        #[serde(flatten)]
        of: Machines,
        /// How.
        #[serde(flatten)]
        how: Ailment,
    },
    /// On the way from load balancers to machines.
    Network {
        /// To which machines.
        #[serde(flatten)]
        to: Machines,
        /// How.
        #[serde(flatten)]
        how: Weather,
    },
    /// With calls of the control plane.
    Api {
        /// Of which calls.
        #[serde(flatten)]
        of: Calls,
        /// How.
        #[serde(flatten)]
        how: Refusal,
    },
}

/// Which machines: those that are everything that is said; all of them if nothing is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Machines {
    /// The machine of this id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// Those of this scaling group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Those launched from this image.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// Those in this zone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// Those of groups tagged with this colour.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub color: Option<String>,
}

/// What a server does.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Ailment {
    /// The process is gone.
    Crash,
    /// It takes connections and never answers.
    Hang,
    /// It answers with this status, to checks as well.
    Fails {
        /// The status, 500 to 599 as a rule.
        status: u16,
    },
    /// It answers late.
    Slow {
        /// By so many milliseconds.
        ms: u64,
    },
    /// It is well and sick in turns.
    Flaps {
        /// For so many milliseconds each.
        ms: u64,
    },
    /// It takes longer to boot.
    SlowBoot {
        /// By so many milliseconds.
        ms: u64,
    },
    /// It answers, but never passes a check.
    NeverHealthy,
    /// It passes every check, and answers this share of requests with status 500: a version that
    /// breaks under traffic.
    BreaksUnderTraffic {
        /// From 0 to 1.
        share: f64,
    },
}

/// What happens to connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Weather {
    /// Everything arrives late.
    Delay {
        /// By so many milliseconds.
        ms: u64,
    },
    /// Answers come in drops.
    Drip {
        /// So many bytes a second.
        bytes: u64,
    },
    /// Connections are made and nothing gets through.
    Stall,
    /// Connections break off when the answer begins.
    Reset,
    /// Connections are refused.
    Refuse,
    /// Nothing gets through, as if the zone were cut off: connections are not even made.
    Partition,
}

/// Which calls: those that are everything that is said; all of them if nothing is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Calls {
    /// Calls of this service, as signatures name it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// Calls of this action.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    /// Calls that change something.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub mutating: bool,
}

/// What becomes of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Refusal {
    /// It is refused as one too many.
    Throttle,
    /// It fails with an internal error, and changes nothing.
    Error,
    /// The service is out: 503.
    Outage,
    /// It is done, and the connection breaks before the answer.
    LoseReply,
    /// It is answered late.
    Delay {
        /// By so many milliseconds.
        ms: u64,
    },
    /// It is done, and reads show it late; what others change meanwhile may be late with it.
    ///
    /// Calls that change nothing are not affected.
    Lag {
        /// By so many milliseconds.
        ms: u64,
    },
}

impl Machines {
    /// Returns whether a machine is one of them.
    pub fn includes(&self, machine: &MachineView) -> bool {
        let is = |wanted: &Option<String>, found: Option<&str>| {
            wanted.as_deref().is_none_or(|wanted| found == Some(wanted))
        };
        is(&self.instance, Some(machine.instance.as_str()))
            && is(&self.group, machine.group.as_ref().map(ScalingGroupName::as_str))
            && is(&self.image, Some(machine.image.as_str()))
            && is(&self.zone, Some(&machine.zone))
            && is(&self.color, machine.color.as_deref())
    }
}

impl Calls {
    /// Returns whether a call is one of them.
    pub fn includes(&self, service: &str, action: &str, mutating: bool) -> bool {
        self.service.as_deref().is_none_or(|wanted| wanted == service)
            && self.action.as_deref().is_none_or(|wanted| wanted == action)
            && (mutating || !self.mutating)
    }
}

impl Fault {
    /// Gives the image that it names, if it names one, another name.
    pub fn name_images(&mut self, name: impl Fn(&str) -> String) {
        let (Trouble::Instance { of: machines, .. } | Trouble::Network { to: machines, .. }) =
            &mut self.what
        else {
            return;
        };
        machines.image = machines.image.as_deref().map(name);
    }
}

/// A fault that is in force.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Standing {
    /// By which it can be lifted.
    pub id: u64,
    /// The fault.
    #[serde(flatten)]
    pub fault: Fault,
    #[serde(skip)]
    until: Option<Instant>,
}

/// Everything that goes wrong now.
#[derive(Debug, Default)]
pub struct Faults {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    last: u64,
    standing: Vec<Standing>,
}

impl Faults {
    /// Lets something go wrong from now on; returns by which it can be lifted.
    pub fn add(&self, fault: Fault) -> u64 {
        let mut inner = self.inner();
        inner.last += 1;
        let id = inner.last;
        let seconds = fault.seconds.filter(|seconds| seconds.is_finite() && *seconds >= 0.0);
        let until =
            seconds.map(|seconds| Instant::now() + Duration::from_secs_f64(seconds.min(1e9)));
        inner.standing.push(Standing { id, fault, until });
        id
    }

    /// Lifts a fault; `false` if there is none of this id.
    pub fn lift(&self, id: u64) -> bool {
        let mut inner = self.inner();
        let before = inner.standing.len();
        inner.standing.retain(|one| one.id != id);
        inner.standing.len() < before
    }

    /// Lifts every fault.
    pub fn clear(&self) {
        self.inner().standing.clear();
    }

    /// Returns what goes wrong now.
    pub fn standing(&self) -> Vec<Standing> {
        self.inner().standing.clone()
    }

    /// Returns what becomes of a call, and counts it.
    pub fn of_call(&self, service: &str, action: &str, mutating: bool) -> Option<Refusal> {
        self.take(|what| match what {
            Trouble::Api { of, how } if of.includes(service, action, mutating) => Some(*how),
            _ => None,
        })
    }

    /// Returns what the server of a machine does, every ailment of it.
    pub fn of_machine(&self, machine: &MachineView) -> Vec<Ailment> {
        let standing = self.standing();
        let ailments = standing.iter().filter_map(|one| match &one.fault.what {
            Trouble::Instance { of, how } if of.includes(machine) => Some(*how),
            _ => None,
        });
        ailments.collect()
    }

    /// Returns what happens on the way to a machine.
    pub fn on_the_way_to(&self, machine: &MachineView) -> Vec<Weather> {
        let standing = self.standing();
        let weather = standing.iter().filter_map(|one| match &one.fault.what {
            Trouble::Network { to, how } if to.includes(machine) => Some(*how),
            _ => None,
        });
        weather.collect()
    }

    fn take<T>(&self, matches: impl Fn(&Trouble) -> Option<T>) -> Option<T> {
        let mut inner = self.inner();
        let found = inner.standing.iter().enumerate();
        let (at, how) = found
            .map(|(at, one)| (at, matches(&one.fault.what)))
            .find_map(|(at, how)| Some((at, how?)))?;
        let left = &mut inner.standing[at].fault.times;
        *left = left.map(|left| left.saturating_sub(1));
        if *left == Some(0) {
            inner.standing.remove(at);
        }
        Some(how)
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        inner.standing.retain(|one| one.until.is_none_or(|until| now < until));
        inner
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_one_flat_table() {
        let text = r#"on = "instance"
image = "ami-0b"
is = "breaks-under-traffic"
share = 0.5
seconds = 3.0
"#;
        let fault: Fault = toml::from_str(text).expect("it is a fault");
        let Trouble::Instance { of, how } = &fault.what else { panic!("{fault:?}") };
        assert_eq!(of.image.as_deref(), Some("ami-0b"));
        assert_eq!(*how, Ailment::BreaksUnderTraffic { share: 0.5 });
        let json = serde_json::to_value(&fault).expect("it can be written");
        assert_eq!(serde_json::from_value::<Fault>(json).expect("and read"), fault);
    }

    #[tokio::test]
    async fn a_fault_goes_wrong_as_often_as_it_is_told() {
        let faults = Faults::default();
        let what = Trouble::Api {
            of: Calls { mutating: true, ..Calls::default() },
            how: Refusal::Throttle,
        };
        faults.add(Fault { what, seconds: None, times: Some(1) });
        assert_eq!(faults.of_call("ec2", "DescribeImages", false), None);
        assert_eq!(faults.of_call("ec2", "CreateTags", true), Some(Refusal::Throttle));
        assert_eq!(faults.of_call("ec2", "CreateTags", true), None);
    }
}
