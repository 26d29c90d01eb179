//! Where things may listen: ports below 1024 are not everybody's.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::net::{Ipv4Addr, TcpListener};

/// How far a port is moved that may not be listened on.
const AWAY: u16 = 10_000;

/// An address on which nothing of a playground listens.
const SCRATCH: Ipv4Addr = Ipv4Addr::new(127, 255, 255, 253);

/// Where each of the low ports really is.
#[derive(Debug, Default)]
pub(super) struct Ports(BTreeMap<u16, u16>);

impl Ports {
    /// Returns the port on which to listen instead of `port`; mostly the same one.
    pub(super) fn place(&mut self, port: u16) -> u16 {
        let forbidden = |port| {
            let bound = TcpListener::bind((SCRATCH, port));
            bound.is_err_and(|error| error.kind() == ErrorKind::PermissionDenied)
        };
        self.place_unless(port, forbidden)
    }

    fn place_unless(&mut self, port: u16, forbidden: impl Fn(u16) -> bool) -> u16 {
        if port >= 1024 {
            return port;
        }
        *self.0.entry(port).or_insert_with(|| if forbidden(port) { port + AWAY } else { port })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_that_is_not_everybodys_is_moved_away() {
        let mut ports = Ports::default();
        assert_eq!(ports.place_unless(80, |_| true), 10_080);
        assert_eq!(ports.place_unless(443, |_| false), 443);
        assert_eq!(ports.place_unless(8080, |_| true), 8080);
    }
}
