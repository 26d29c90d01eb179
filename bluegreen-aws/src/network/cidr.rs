use std::net::IpAddr;

/// A range of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cidr {
    address: IpAddr,
    bits: u32,
}

impl Cidr {
    /// Reads one such as `10.0.0.0/8`; `None` if it is none.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (address, bits) = text.split_once('/')?;
        let (address, bits): (IpAddr, u32) = (address.parse().ok()?, bits.parse().ok()?);
        (bits <= if address.is_ipv4() { 32 } else { 128 }).then_some(Self { address, bits })
    }

    /// Returns whether every address of the other one is in this one.
    pub(super) fn holds(self, other: Self) -> bool {
        self.address.is_ipv4() == other.address.is_ipv4()
            && self.bits <= other.bits
            && self.prefix(self.bits) == other.prefix(self.bits)
    }

    /// Returns whether they have an address in common.
    pub(super) fn meets(self, other: Self) -> bool {
        self.holds(other) || other.holds(self)
    }

    fn prefix(self, bits: u32) -> u128 {
        let (value, width) = match self.address {
            IpAddr::V4(address) => (u128::from(u32::from(address)), 32),
            IpAddr::V6(address) => (u128::from(address), 128),
        };
        value.checked_shr(width - bits).unwrap_or(0)
    }

    /// Returns whether it is one of a private network.
    ///
    /// <https://www.rfc-editor.org/rfc/rfc1918>, <https://www.rfc-editor.org/rfc/rfc6598>,
    /// <https://www.rfc-editor.org/rfc/rfc4193>.
    pub(super) fn is_private(self) -> bool {
        const PRIVATE: [&str; 9] = [
            "10.0.0.0/8",
            "172.16.0.0/12",
            "192.168.0.0/16",
            "100.64.0.0/10",
            "127.0.0.0/8",
            "169.254.0.0/16",
            "fc00::/7",
            "fe80::/10",
            "::1/128",
        ];
        PRIVATE.into_iter().filter_map(Self::parse).any(|range| range.holds(self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(text: &str) -> Cidr {
        Cidr::parse(text).unwrap()
    }

    #[test]
    fn private_ranges_are_not_outside() {
        for text in ["10.0.0.0/8", "10.1.2.3/32", "172.31.0.0/16", "192.168.1.0/24", "fd00::/8"] {
            assert!(range(text).is_private(), "{text}");
        }
        for text in ["0.0.0.0/0", "10.0.0.0/7", "172.32.0.0/16", "8.8.8.8/32", "::/0"] {
            assert!(!range(text).is_private(), "{text}");
        }
        assert_eq!(Cidr::parse("nonsense"), None);
        assert_eq!(Cidr::parse("10.0.0.0/33"), None);
    }

    #[test]
    fn ranges_hold_and_meet_each_other() {
        assert!(range("0.0.0.0/0").holds(range("8.8.8.0/24")));
        assert!(range("::/0").holds(range("2001:db8::/32")));
        assert!(!range("8.8.8.0/24").holds(range("0.0.0.0/0")));
        assert!(range("8.8.8.0/24").meets(range("0.0.0.0/0")));
        assert!(!range("8.8.8.0/24").meets(range("8.8.9.0/24")));
        assert!(!range("0.0.0.0/0").meets(range("::/0")));
    }
}
