//! Secrets: values of the operator's that a script can have sent and never have.
//!
//! What a script holds is a handle. The value is given to one caller only, the native that sends a request, and only for a host that the
//! secret is bound to; it has no text, no size and no order, and nothing here ever puts it into a message or a record.

use crate::denial::{Rule, quote, shell_word};
use crate::handle::Resource;
use crate::ids::{ROOT, SbxId};
use crate::limits::MAX_SUBJECT;
use crate::permit::Permit;
use crate::plain::HandleId;
use crate::run::lock;
use crate::stop::Stop;
use ilu_cap::rights::{Refusal, Subject};
use ilu_pol::net::{Host, Ports, Rule as NetRule, Where};
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

/// Bytes of a secret's value.
pub const MAX_SECRET: usize = 16 << 10;
/// What `typ` says of one.
const KIND: &str = "sec";

/// A value, its name, and the hosts that it may be sent to.
pub struct Secret {
    name: String,
    value: String,
    hosts: Vec<NetRule>,
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secret").field("name", &self.name).field("hosts", &self.hosts).finish_non_exhaustive()
    }
}

impl Secret {
    /// A secret; each host is a network rule's text: a name, `*.DOMAIN`, an address or a network.
    ///
    /// # Errors
    /// The value is empty or too long, there is no host, or one of them is none.
    pub fn new(name: impl Into<String>, value: impl Into<String>, hosts: &[String]) -> Result<Secret, String> {
        let (name, value) = (name.into(), value.into());
        if value.is_empty() || value.len() > MAX_SECRET {
            return Err(format!("a secret's value has from 1 to {MAX_SECRET} bytes"));
        }
        if hosts.is_empty() {
            return Err("a secret is bound to a host".to_owned());
        }
        let hosts = hosts.iter().map(|text| Secret::host(text)).collect::<Result<_, _>>()?;
        Ok(Secret { name, value, hosts })
    }

    /// A host that a secret is bound to.
    ///
    /// # Errors
    /// It is none, or means no host in particular.
    pub fn host(text: &str) -> Result<NetRule, String> {
        let rule = NetRule::from_text(text).map_err(|error| error.to_string())?;
        if !rule.allow || rule.at == Where::Any {
            return Err("a secret is bound to a host: a name, *.DOMAIN, an address or a network".to_owned());
        }
        Ok(rule)
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The value, for a request to this host. In the clear, without TLS, only when the operator named that one port.
    #[must_use]
    pub fn value_for(&self, host: &Host, port: u16, tls: bool) -> Option<&str> {
        let fits = |rule: &NetRule| {
            let one_port = matches!(rule.ports, Ports::Range(from, to) if from == to);
            let is_host = match (host, &rule.at) {
                (Host::Name(name), _) => rule.names(name),
                (Host::Address(address), Where::Network(network)) => network.contains(*address),
                (Host::Address(_), _) => false,
            };
            is_host && rule.ports.contains(port) && (tls || one_port)
        };
        self.hosts.iter().any(fits).then_some(self.value.as_str())
    }

    /// The same for a host as it is written.
    #[must_use]
    pub fn value_for_text(&self, host: &str, port: u16, tls: bool) -> Option<&str> {
        self.value_for(&Host::parse(host).ok()?, port, tls)
    }
}

impl Permit<'_> {
    /// A secret by its name: `__sys_secret`.
    ///
    /// # Errors
    /// It is not granted, or too much is open.
    pub fn secret(&mut self, name: &str) -> Result<HandleId, Stop> {
        self.about(name);
        if name.is_empty() || name.len() > MAX_SUBJECT {
            return Err(Stop::failed("that is no name of a secret"));
        }
        let judge = |s: SbxId| self.realm.tree.node(s).rights.judge(self.native, &Subject::Secret(name));
        let known = || lock(&self.realm.run.secrets).iter().find(|secret| secret.name == name).map(Arc::clone);
        match (judge(self.site.authority), known()) {
            (Ok(()), Some(secret)) => {
                self.rule = Cow::Borrowed("secret");
                self.realm.note_secret(name);
                self.open(Resource::Shared(secret, KIND))
            }
            (Err(Refusal::NotHeld), _) => Err(self.deny(Rule::NotHeld, Some(self.realm.cap_hint(self.site.authority, self.native.row())))),
            (Err(Refusal::Bound), _) => Err(self.deny(Rule::Bound, None)),
            _ => {
                let hint = if self.site.authority != ROOT && judge(ROOT).is_ok() {
                    format!("{{secret: [{}]}} in the options of sbxmk", quote(name))
                } else {
                    format!("--secret {}", shell_word(&format!("{name}=HOST")))
                };
                Err(self.deny(Rule::NoSecret, Some(hint)))
            }
        }
    }

    /// The secret that a handle names, to be sent to a host: asked by what sends, of the host that was decided on.
    ///
    /// # Errors
    /// It is no secret, was revoked, or is bound to other hosts.
    pub fn secret_for(&mut self, id: HandleId, host: &str, port: u16, tls: bool) -> Result<Arc<Secret>, Stop> {
        let secret: Arc<Secret> = self.shared(id, "secret")?;
        if secret.value_for_text(host, port, tls).is_some() {
            Ok(secret)
        } else {
            Err(self.deny(Rule::SecretElsewhere(secret.name.clone()), None))
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_goes_to_its_hosts_and_in_the_clear_only_to_a_port_that_was_named() {
        let hosts = ["api.example.com".to_owned(), "*.corp.example".to_owned(), "127.0.0.1:8080".to_owned()];
        let secret = Secret::new("KEY", "v-hidden", &hosts).unwrap();
        let goes = |host: &str, port, tls| secret.value_for(&Host::parse(host).unwrap(), port, tls).is_some();
        assert!(goes("API.example.com.", 443, true) && goes("a.corp.example", 443, true) && goes("127.1", 8080, false));
        for (host, port, tls) in [
            ("api.example.com", 80, false),
            ("api.example.com", 8443, true),
            ("example.com", 443, true),
            ("evil-api.example.com", 443, true),
            ("corp.example", 443, true),
            ("127.0.0.1", 8081, true),
            ("127.0.0.2", 8080, false),
            ("localhost", 8080, false),
        ] {
            assert!(!goes(host, port, tls), "{host}:{port}");
        }
        assert!(!format!("{secret:?}").contains("v-hidden"));
    }

    #[test]
    fn a_secret_is_bound_to_somebody() {
        for host in ["*", "!x", "", "a.*.b", "localhost:80"] {
            assert!(Secret::new("K", "v", &[host.to_owned()]).is_err(), "{host}");
        }
        assert!(Secret::new("K", "v", &[]).is_err());
        assert!(Secret::new("K", "", &["x".to_owned()]).is_err());
        assert!(Secret::new("K", "x".repeat(MAX_SECRET + 1), &["x".to_owned()]).is_err());
    }
}
