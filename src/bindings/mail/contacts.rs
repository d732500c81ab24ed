//! Who is written to where.

use std::collections::BTreeMap;

use super::{BadMail, post};
use crate::domain::address::{Address, Home};

/// The mail addresses of people.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Contacts {
    home: Home,
    named: BTreeMap<Address, String>,
    /// In lower case; empty for any.
    domains: Vec<String>,
}

impl Contacts {
    /// Reads `address=mail address` lines and the domains that others may have.
    ///
    /// # Errors
    /// [`BadMail::Contact`] for one that is none.
    pub fn read(contacts: &[String], domains: &[String], home: &Home) -> Result<Self, BadMail> {
        let read = |given: &String| {
            let bad = || BadMail::Contact {
                given: given.clone(),
            };
            let (address, mail) = given.split_once('=').ok_or_else(bad)?;
            let address = Address::parse(address, home).map_err(|_none| bad())?;
            post::is_mailbox(mail)
                .then(|| (address, mail.to_owned()))
                .ok_or_else(bad)
        };
        Ok(Self {
            home: home.clone(),
            named: contacts.iter().map(read).collect::<Result<_, _>>()?,
            domains: domains
                .iter()
                .map(|domain| domain.trim_start_matches('@').to_lowercase())
                .collect(),
        })
    }

    /// Names of the organisation that bare addresses are completed with.
    #[must_use]
    pub const fn home(&self) -> &Home {
        &self.home
    }

    /// Where that person is written to: as configured, or at an address that is a mail address of a
    /// domain that may be written to.
    #[must_use]
    pub fn of(&self, person: &Address) -> Option<String> {
        if let Some(mail) = self.named.get(person) {
            return Some(mail.clone());
        }
        let name = person.key().rsplit('/').next()?;
        let (_, domain) = name.rsplit_once('@')?;
        let is_allowed =
            self.domains.is_empty() || self.domains.iter().any(|allowed| allowed == domain);
        (is_allowed && post::is_mailbox(name)).then(|| name.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contacts(domains: &[&str]) -> Contacts {
        let own = |texts: &[&str]| {
            texts
                .iter()
                .map(|text| (*text).to_owned())
                .collect::<Vec<_>>()
        };
        let named = own(&[
            "finance=anna@example.com",
            "agent://acme/shop/lead=lead@example.org",
        ]);
        Contacts::read(&named, &own(domains), &Home::default()).unwrap()
    }

    fn at(text: &str) -> Address {
        Address::parse(text, &Home::default()).unwrap()
    }

    #[test]
    fn a_person_is_written_to_where_the_configuration_says() {
        let contacts = contacts(&[]);
        assert_eq!(
            contacts.of(&at("finance")).as_deref(),
            Some("anna@example.com")
        );
        assert_eq!(
            contacts.of(&at("acme/shop/lead")).as_deref(),
            Some("lead@example.org")
        );
        assert_eq!(contacts.of(&at("lead")), None, "another organisation's");
    }

    #[test]
    fn an_address_that_is_a_mail_address_is_written_to_if_its_domain_may_be() {
        let anybody = contacts(&[]);
        assert_eq!(
            anybody.of(&at("ops@example.test")).as_deref(),
            Some("ops@example.test")
        );
        let ours = contacts(&["@example.test"]);
        assert_eq!(
            ours.of(&at("ops@example.test")).as_deref(),
            Some("ops@example.test")
        );
        assert_eq!(ours.of(&at("ops@elsewhere.test")), None);
        assert_eq!(ours.of(&at("ops@sub.example.test")), None);
        assert!(
            ours.of(&at("finance")).is_some(),
            "who is named needs no domain"
        );
    }

    #[test]
    fn what_is_no_contact_is_refused_by_name() {
        for given in [
            "finance",
            "finance=",
            "finance=nobody",
            "a b=c@d.example",
            "=c@d.example",
        ] {
            let read = Contacts::read(&[given.to_owned()], &[], &Home::default());
            assert_eq!(
                read,
                Err(BadMail::Contact {
                    given: given.to_owned()
                }),
                "{given}"
            );
        }
    }
}
