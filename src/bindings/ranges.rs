//! Ranges of addresses that are not simply public, and addresses inside addresses.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

/// Never a target, whatever is configured: the machine's neighbours, its cloud's metadata services,
/// and addresses that are nobody's. Sources: IANA special-purpose registries, vendors' manuals.
const NEVER: [(&str, &str); 14] = [
    ("0.0.0.0/8", "this network"),
    ("169.254.0.0/16", "link-local"),
    ("100.100.100.200/32", "a cloud's metadata service"),
    ("168.63.129.16/32", "a cloud's metadata service"),
    ("192.0.0.192/32", "a cloud's metadata service"),
    ("224.0.0.0/4", "multicast"),
    ("255.255.255.255/32", "broadcast"),
    ("::/128", "unspecified"),
    ("100::/64", "a black hole"),
    ("fd00:ec2::/32", "a cloud's metadata service"),
    ("fd20:ce::254/128", "a cloud's metadata service"),
    ("fd00:c1::/32", "a cloud's metadata service"),
    ("fe80::/10", "link-local"),
    ("ff00::/8", "multicast"),
];

/// Targets only while the broker itself listens on loopback, or when they are allow-listed.
const PRIVATE: [(&str, &str); 20] = [
    ("10.0.0.0/8", "private"),
    ("100.64.0.0/10", "carrier-grade NAT"),
    ("127.0.0.0/8", "loopback"),
    ("172.16.0.0/12", "private"),
    ("192.0.0.0/24", "protocol assignments"),
    ("192.0.2.0/24", "documentation"),
    ("192.88.99.0/24", "a retired relay"),
    ("192.168.0.0/16", "private"),
    ("198.18.0.0/15", "benchmarking"),
    ("198.51.100.0/24", "documentation"),
    ("203.0.113.0/24", "documentation"),
    ("240.0.0.0/4", "reserved"),
    ("::1/128", "loopback"),
    ("64:ff9b:1::/48", "a local translator"),
    ("2001::/23", "protocol assignments"),
    ("2001:db8::/32", "documentation"),
    ("3fff::/20", "documentation"),
    ("5f00::/16", "segment routing"),
    ("fc00::/7", "private"),
    ("fec0::/10", "site-local"),
];

/// The tables, ready for lookups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ranges {
    never: Vec<(IpNet, &'static str)>,
    private: Vec<(IpNet, &'static str)>,
}

impl Default for Ranges {
    fn default() -> Self {
        Self {
            never: table(&NEVER),
            private: table(&PRIVATE),
        }
    }
}

impl Ranges {
    /// What an address is that is never a target.
    pub(super) fn never(&self, address: IpAddr) -> Option<&'static str> {
        find(&self.never, address)
    }

    /// What an address is that needs to be allowed.
    pub(super) fn private(&self, address: IpAddr) -> Option<&'static str> {
        find(&self.private, address)
    }
}

/// The address and every address hidden inside it.
pub(super) fn faces_of(address: IpAddr) -> Vec<IpAddr> {
    let mut faces = vec![address.to_canonical()];
    if let IpAddr::V6(outer) = address
        && let Some(inner) = inner_of(outer)
    {
        let inner = IpAddr::V4(inner);
        if !faces.contains(&inner) {
            faces.push(inner);
        }
    }
    faces
}

/// The IPv4 address that a gateway would make of an IPv6 one.
const fn inner_of(outer: Ipv6Addr) -> Option<Ipv4Addr> {
    let (high, low) = match outer.segments() {
        // Unspecified and loopback have lines of their own.
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => return None,
        // IPv4-mapped, ::ffff:0:0/96 (RFC 4291); translated, ::ffff:0:0:0/96 (RFC 2765); NAT64's
        // well-known prefix, 64:ff9b::/96 (RFC 6052); 6to4, 2002::/16 (RFC 3056); and the retired
        // IPv4-compatible ::/96.
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low]
        | [0, 0, 0, 0, 0xffff, 0, high, low]
        | [0x64, 0xff9b, 0, 0, 0, 0, high, low]
        | [0x2002, high, low, ..] => (high, low),
        // Teredo, 2001::/32: the client's address, every bit turned over (RFC 4380).
        [0x2001, 0, .., high, low] => (!high, !low),
        _ => return None,
    };
    let [first, second] = high.to_be_bytes();
    let [third, fourth] = low.to_be_bytes();
    Some(Ipv4Addr::new(first, second, third, fourth))
}

fn table(lines: &[(&str, &'static str)]) -> Vec<(IpNet, &'static str)> {
    lines
        .iter()
        .filter_map(|&(net, why)| Some((net.parse().ok()?, why)))
        .collect()
}

fn find(table: &[(IpNet, &'static str)], address: IpAddr) -> Option<&'static str> {
    table
        .iter()
        .find_map(|(net, why)| net.contains(&address).then_some(*why))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_tables_is_a_network() {
        let ranges = Ranges::default();
        assert_eq!(ranges.never.len(), NEVER.len());
        assert_eq!(ranges.private.len(), PRIVATE.len());
    }

    #[test]
    fn an_address_inside_an_address_is_found() {
        let inside = |text: &str| faces_of(text.parse().unwrap()).last().unwrap().to_string();
        for text in [
            "::ffff:10.1.2.3",
            "::ffff:0:10.1.2.3",
            "64:ff9b::10.1.2.3",
            "2002:0a01:0203::1",
            "2001:0:1:2:3:4:f5fe:fdfc",
            "::10.1.2.3",
            "10.1.2.3",
        ] {
            assert_eq!(inside(text), "10.1.2.3", "{text}");
        }
        for text in ["::1", "::", "2606:4700::1111"] {
            assert_eq!(inside(text), text);
        }
    }
}
