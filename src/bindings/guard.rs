//! The address guard: where a push may go.
//!
//! It answers twice: when a callback URL is configured ([`Guard::check_url`]) and when a name has
//! been resolved, about the very address that is dialled next ([`Guard::check_resolved`]). An
//! address inside an address (IPv4 in IPv6, NAT64, 6to4) must pass in both forms.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::str::FromStr;

use ipnet::IpNet;
use url::{Host, Url};

use super::ranges::{Ranges, faces_of};
use crate::config::Config;
use crate::domain::excerpt::{WORD_CHARS_MAX, excerpt};

/// Longest callback URL; receivers with longer ones do not exist outside attacks.
pub const URL_BYTES_MAX: usize = 2048;

/// An entry of `http.allow` or `http.deny`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rule {
    /// A network, or one address.
    Net(IpNet),
    /// A host name and every name below it.
    Host(String),
}

/// A text that is neither a network, an address nor a host name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{:?} is no network such as 10.0.0.0/8, no address and no host name", excerpt(.given, WORD_CHARS_MAX))]
pub struct BadRule {
    /// The text as it came.
    pub given: String,
}

/// `10.0.0.0/8`, `10.1.2.3`, `internal.example`, `*.internal.example`.
impl FromStr for Rule {
    type Err = BadRule;

    fn from_str(text: &str) -> Result<Self, BadRule> {
        let given = text.trim();
        let bare = given.trim_start_matches('[').trim_end_matches(']');
        if let Ok(net) = bare.parse::<IpNet>() {
            return Ok(Self::Net(net.trunc()));
        }
        if let Ok(address) = bare.parse::<IpAddr>() {
            return Ok(Self::Net(IpNet::from(address.to_canonical())));
        }
        let name = given.strip_prefix('*').unwrap_or(given);
        match Host::parse(name.trim_matches('.')) {
            // A star anywhere else would look like a pattern and mean nobody.
            Ok(Host::Domain(name)) if !name.contains('*') => {
                // A letter without width may have stood behind the last dot.
                Ok(Self::Host(name.trim_matches('.').to_owned()))
            }
            Ok(_) | Err(_) => Err(BadRule {
                given: text.to_owned(),
            }),
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Net(net) => net.fmt(formatter),
            Self::Host(name) => name.fmt(formatter),
        }
    }
}

/// What may be called.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Policy {
    /// True while the broker itself listens on loopback: who can reach it can reach the rest too.
    pub is_private_allowed: bool,
    /// Private targets that are allowed nevertheless (`http.allow`).
    pub allow: Vec<Rule>,
    /// Targets that are refused (`http.deny`); stronger than `allow`.
    pub deny: Vec<Rule>,
}

/// A target that is refused. The text is a sentence for the person who configured it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Not a URL at all.
    #[error(
        "callback URL is not a URL: {reason}; hint: give one such as https://receiver.example/intent"
    )]
    NotUrl {
        /// What the parser says.
        reason: String,
    },
    /// Longer than [`URL_BYTES_MAX`].
    #[error("callback URL has {bytes} bytes, at most {URL_BYTES_MAX} are allowed")]
    TooLong {
        /// How long it is.
        bytes: usize,
    },
    /// Neither http nor https.
    #[error("callback URL has scheme {scheme}; hint: only http and https are pushed to")]
    Scheme {
        /// The scheme.
        scheme: String,
    },
    /// A name or password inside, which would end in lists and logs.
    #[error("callback URL carries a user name or password; hint: leave it out, pushes are signed")]
    Credentials,
    /// An address that is never a target.
    #[error(
        "{target} is refused: {why} addresses are never called, and http.allow cannot change that; hint: give the receiver another address"
    )]
    Never {
        /// The address, with the name it came from.
        target: String,
        /// What it is.
        why: &'static str,
    },
    /// A private address while the broker is open to others.
    #[error(
        "{target} is refused: it is {why}, and this broker listens beyond loopback; hint: add {way_out} to http.allow if it is meant"
    )]
    Private {
        /// The address, with the name it came from.
        target: String,
        /// What it is.
        why: &'static str,
        /// What would have to be allowed.
        way_out: String,
    },
    /// Denied by the operator.
    #[error(
        "{target} is refused by http.deny ({rule}); hint: take it out there, http.allow does not overrule it"
    )]
    Denied {
        /// The address or name.
        target: String,
        /// The entry.
        rule: String,
    },
}

/// The guard of one egress policy. The default one refuses everything private.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Guard {
    policy: Policy,
    ranges: Ranges,
}

impl Guard {
    /// A guard that follows `policy`.
    #[must_use]
    pub fn new(policy: Policy) -> Self {
        Self {
            policy,
            ranges: Ranges::default(),
        }
    }

    /// The guard that `http.allow`, `http.deny` and the listener's address ask for.
    ///
    /// # Errors
    /// [`BadRule`] names the entry that is no rule.
    pub fn of(config: &Config) -> Result<Self, BadRule> {
        let rules = |texts: &[String]| {
            let rules = texts.iter().map(|text| text.parse::<Rule>());
            rules.collect::<Result<Vec<_>, _>>()
        };
        Ok(Self::new(Policy {
            is_private_allowed: config.listen.ip().is_loopback(),
            allow: rules(&config.http.allow)?,
            deny: rules(&config.http.deny)?,
        }))
    }

    /// Checks a callback URL as far as that can be done without resolving its name.
    ///
    /// # Errors
    /// [`Refused`]: not http or https, with credentials, or a host that may not be called.
    pub fn check_url(&self, text: &str) -> Result<Url, Refused> {
        if text.len() > URL_BYTES_MAX {
            return Err(Refused::TooLong { bytes: text.len() });
        }
        let url = Url::parse(text).map_err(|error| Refused::NotUrl {
            reason: error.to_string(),
        })?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(Refused::Scheme {
                scheme: url.scheme().to_owned(),
            });
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Refused::Credentials);
        }
        match url.host() {
            Some(Host::Ipv4(address)) => self.check_addr(IpAddr::V4(address))?,
            Some(Host::Ipv6(address)) => self.check_addr(IpAddr::V6(address))?,
            Some(Host::Domain(name)) => self.check_name(name)?,
            None => {
                return Err(Refused::NotUrl {
                    reason: "it has no host".to_owned(),
                });
            }
        }
        Ok(url)
    }

    /// Checks an address that was given as such.
    ///
    /// # Errors
    /// [`Refused`] when it may not be called.
    pub fn check_addr(&self, address: IpAddr) -> Result<(), Refused> {
        self.check(None, address)
    }

    /// Checks an address that `host` resolved to: allowed names excuse private addresses.
    ///
    /// # Errors
    /// [`Refused`] when it may not be called.
    pub fn check_resolved(&self, host: &str, address: IpAddr) -> Result<(), Refused> {
        self.check(Some(host), address)
    }

    /// Names that say what they are without being resolved (RFC 6761), and denied ones.
    fn check_name(&self, name: &str) -> Result<(), Refused> {
        if let Some(rule) = host_rule(&self.policy.deny, name) {
            return Err(Refused::Denied {
                target: name.to_owned(),
                rule: rule.to_string(),
            });
        }
        let is_local = is_at_or_below(name, "localhost");
        if is_local && !self.is_excused(Some(name), &[IpAddr::V4(Ipv4Addr::LOCALHOST)]) {
            return Err(Refused::Private {
                target: name.to_owned(),
                why: "loopback",
                way_out: name.to_owned(),
            });
        }
        Ok(())
    }

    fn check(&self, host: Option<&str>, address: IpAddr) -> Result<(), Refused> {
        let target = match host {
            Some(host) => format!("{address} (resolved from {host})"),
            None => address.to_string(),
        };
        let faces = faces_of(address);
        if let Some(why) = faces.iter().find_map(|face| self.ranges.never(*face)) {
            return Err(Refused::Never { target, why });
        }
        let denied = host
            .and_then(|host| host_rule(&self.policy.deny, host))
            .or_else(|| net_rule(&self.policy.deny, &faces));
        if let Some(rule) = denied {
            return Err(Refused::Denied {
                target,
                rule: rule.to_string(),
            });
        }
        for face in &faces {
            if let Some(why) = self.ranges.private(*face)
                && !self.is_excused(host, &[*face, address])
            {
                return Err(Refused::Private {
                    target,
                    why,
                    way_out: host
                        .map_or_else(|| face.to_string(), |host| format!("{face} or {host}")),
                });
            }
        }
        Ok(())
    }

    /// True when a private address may be called all the same.
    fn is_excused(&self, host: Option<&str>, addresses: &[IpAddr]) -> bool {
        self.policy.is_private_allowed
            || net_rule(&self.policy.allow, addresses).is_some()
            || host.is_some_and(|host| host_rule(&self.policy.allow, host).is_some())
    }
}

fn net_rule<'a>(rules: &'a [Rule], addresses: &[IpAddr]) -> Option<&'a Rule> {
    rules.iter().find(|rule| match rule {
        Rule::Net(net) => addresses.iter().any(|address| net.contains(address)),
        Rule::Host(_) => false,
    })
}

fn host_rule<'a>(rules: &'a [Rule], host: &str) -> Option<&'a Rule> {
    rules.iter().find(|rule| match rule {
        Rule::Net(_) => false,
        Rule::Host(name) => is_at_or_below(host, name),
    })
}

/// True for the name itself and every name below it; a final dot makes no difference.
fn is_at_or_below(host: &str, name: &str) -> bool {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    host.strip_suffix(name)
        .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guard(is_private_allowed: bool, allow: &[&str], deny: &[&str]) -> Guard {
        let rules = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect();
        Guard::new(Policy {
            is_private_allowed,
            allow: rules(allow),
            deny: rules(deny),
        })
    }

    fn open() -> Guard {
        guard(true, &["0.0.0.0/0", "::/0"], &[])
    }

    #[test]
    fn link_local_and_metadata_are_refused_in_every_spelling_even_when_all_is_allowed() {
        for url in [
            "http://169.254.169.254/latest/meta-data",
            "http://169.254.169.254./",
            "http://2852039166/",
            "http://0xa9fea9fe/",
            "http://0251.0376.0251.0376/",
            "http://[::ffff:169.254.169.254]/",
            "http://[::169.254.169.254]/",
            "http://[64:ff9b::169.254.169.254]/",
            "http://[2002:a9fe:a9fe::1]/",
            "http://[::ffff:0:169.254.169.254]/",
            "http://[2001:0:1::5601:5601]/",
            "http://[fd00:ec2::254]/",
            "http://[fe80::1]/",
            "http://100.100.100.200/",
            "http://0.0.0.0:8100/",
            "http://[::]/",
            "http://224.0.0.1/",
            "http://255.255.255.255/",
            "http://[ff02::1]/",
        ] {
            let refused = open().check_url(url).unwrap_err();
            assert!(matches!(refused, Refused::Never { .. }), "{url}: {refused}");
        }
    }

    #[test]
    fn private_ranges_follow_the_listener_and_the_allow_list() {
        for address in [
            "127.0.0.1",
            "10.1.2.3",
            "172.31.0.1",
            "192.168.0.1",
            "100.64.0.1",
            "198.19.0.1",
            "192.0.0.8",
            "240.0.0.1",
            "::1",
            "fc00::1",
            "fd12::1",
            "::ffff:10.0.0.1",
            "64:ff9b::10.0.0.1",
            "2002:0a00:0001::1",
        ] {
            let address: IpAddr = address.parse().unwrap();
            assert_eq!(
                guard(true, &[], &[]).check_addr(address),
                Ok(()),
                "{address}"
            );
            let refused = guard(false, &[], &[]).check_addr(address).unwrap_err();
            let text = refused.to_string();
            assert!(
                text.contains("http.allow") && text.contains(&address.to_string()),
                "{text}"
            );
        }
        let some = guard(false, &["10.0.0.0/8", "hooks.internal"], &[]);
        assert_eq!(some.check_addr("10.9.9.9".parse().unwrap()), Ok(()));
        assert_eq!(some.check_addr("::ffff:10.9.9.9".parse().unwrap()), Ok(()));
        assert!(some.check_addr("192.168.0.1".parse().unwrap()).is_err());
        let private = "192.168.0.1".parse().unwrap();
        assert_eq!(some.check_resolved("a.hooks.internal", private), Ok(()));
        assert!(some.check_resolved("badhooks.internal", private).is_err());
        let metadata = "169.254.169.254".parse().unwrap();
        assert!(some.check_resolved("a.hooks.internal", metadata).is_err());
    }

    #[test]
    fn public_addresses_pass_and_http_deny_overrules_http_allow() {
        let some = guard(true, &["8.0.0.0/8"], &["8.8.8.0/24", "*.bad.example"]);
        for fine in ["1.1.1.1", "2606:4700::1111", "64:ff9b::1.1.1.1", "8.8.4.4"] {
            assert_eq!(some.check_addr(fine.parse().unwrap()), Ok(()), "{fine}");
        }
        for denied in [
            "http://8.8.8.8/",
            "http://[::ffff:8.8.8.8]/",
            "http://x.BAD.example./",
        ] {
            let refused = some.check_url(denied).unwrap_err();
            assert!(
                matches!(refused, Refused::Denied { .. }),
                "{denied}: {refused}"
            );
        }
        assert!(
            some.check_resolved("x.bad.example", "1.1.1.1".parse().unwrap())
                .is_err()
        );
    }

    #[test]
    fn only_plain_http_urls_are_callback_urls() {
        let guard = guard(false, &[], &[]);
        for (url, says) in [
            ("ftp://receiver.example/", "scheme ftp"),
            ("file:///etc/passwd", "scheme file"),
            ("receiver.example/intent", "not a URL"),
            ("http://", "not a URL"),
            ("http://user@receiver.example/", "user name or password"),
            ("http://:secret@receiver.example/", "user name or password"),
            ("http://localhost:8080/", "http.allow"),
            ("http://api.localhost./", "http.allow"),
        ] {
            let text = guard.check_url(url).unwrap_err().to_string();
            assert!(text.contains(says), "{url}: {text}");
            assert!(!text.contains("secret"), "{text}");
        }
        let long = format!("http://receiver.example/{}", "x".repeat(2048));
        assert!(matches!(
            guard.check_url(&long),
            Err(Refused::TooLong { .. })
        ));
        let url = guard
            .check_url("HTTPS://Receiver.Example:8443/intent?x=1")
            .unwrap();
        assert_eq!(url.as_str(), "https://receiver.example:8443/intent?x=1");
        assert!(
            guard_allowing_localhost()
                .check_url("http://localhost:8080/")
                .is_ok()
        );
    }

    #[test]
    fn the_configuration_decides_by_its_listener_and_its_lists() {
        let data = std::path::Path::new("unused");
        let of = |listen: &str, sets: &[&str]| {
            let mut config = Config::in_directory(data, sets).unwrap();
            config.listen = listen.parse().unwrap();
            Guard::of(&config).unwrap()
        };
        let at_home: IpAddr = "192.168.1.9".parse().unwrap();
        let (local, open) = ("127.0.0.1:8100", "0.0.0.0:8100");
        assert!(of(local, &[]).check_addr(at_home).is_ok());
        assert!(of(open, &[]).check_addr(at_home).is_err());
        let allow = ["http.allow=192.168.1.0/24"];
        assert!(of(open, &allow).check_addr(at_home).is_ok());
        let deny = ["http.deny=192.168.0.0/16"];
        assert!(of(local, &deny).check_addr(at_home).is_err());
    }

    fn guard_allowing_localhost() -> Guard {
        guard(false, &["localhost"], &[])
    }

    #[test]
    fn rules_are_networks_addresses_or_names() {
        assert_eq!(
            "10.1.2.3/8".parse::<Rule>().unwrap().to_string(),
            "10.0.0.0/8"
        );
        assert_eq!("[::1]".parse::<Rule>().unwrap().to_string(), "::1/128");
        assert_eq!(
            "*.A.example".parse::<Rule>().unwrap().to_string(),
            "a.example"
        );
        assert_eq!("r.\u{200b}".parse::<Rule>().unwrap().to_string(), "r");
        for bad in ["", "*", ".*", "a.*.b", "10.0.0.0/99", "a b", "http://x"] {
            assert!(bad.parse::<Rule>().is_err(), "{bad:?}");
        }
    }
}
