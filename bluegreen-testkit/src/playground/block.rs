//! Which part of the loopback network is whose: several playgrounds run on one machine.

use std::io;
use std::net::{Ipv4Addr, UdpSocket};

/// Holds a part of the network while a playground has it.
const CLAIM: u16 = 4569;

/// A part of the network, `127.N.0.0/16`, that no other playground of this machine has.
#[derive(Debug)]
pub(super) struct Block {
    octet: u8,
    _claim: UdpSocket,
}

impl Block {
    /// Takes the first part that is free.
    pub(super) fn take() -> io::Result<Self> {
        let mut last = None;
        for octet in 10..=250 {
            match UdpSocket::bind((Ipv4Addr::new(127, octet, 255, 254), CLAIM)) {
                Ok(claim) => return Ok(Self { octet, _claim: claim }),
                Err(error) => last = Some(error),
            }
        }
        Err(last.unwrap_or_else(|| io::Error::other("there is no part of the loopback network")))
    }

    /// Returns the second part of every address in it.
    pub(super) fn octet(&self) -> u8 {
        self.octet
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_playgrounds_have_different_addresses() -> io::Result<()> {
        let (one, other) = (Block::take()?, Block::take()?);
        assert_ne!(one.octet(), other.octet());
        Ok(())
    }
}
