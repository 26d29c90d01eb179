use bluegreen_core::cloud::Cloud;
use bluegreen_core::model::PortRange;

use super::{Clause, Fixture, clauses};

pub(super) const CLAUSES: &[(&str, Clause)] = clauses![open_ports_are_told_with_what_opens_them];

/// Returns those of the ports that the network lets the outside reach, each with what opens it.
pub async fn open_ports_are_told_with_what_opens_them(cloud: &dyn Cloud, fixture: &Fixture) {
    let Some(open) = fixture.open_port else { return };
    for (port, is_open) in [(open, true), (fixture.free_port, false)] {
        let range = PortRange::new(port, port).expect("the fixture's ports are above zero");
        let found = cloud.open_ports(&fixture.load_balancer, range).await;
        let found = found.expect("open ports can be read");
        assert_eq!(found.contains_key(&port), is_open, "whether port {port} is open");
        assert!(found.keys().all(|one| range.contains(*one)), "only what was asked for is told");
        assert!(found.values().all(|opening| !opening.is_empty()), "what opens it is told");
    }
}
