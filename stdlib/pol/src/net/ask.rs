//! `polnet`: what a list of rules says of a connection, on plain data.

use super::{Host, Rules, Verdict, canonical, is_nobody, port_number};
use crate::{Data, PolError, PolErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// `{eff, row, rule, why}` for a host (a name, or an address in any spelling), an address that it leads to, and a port. What is nil is not
/// known: a name alone is asked whether it may be looked up; without a port, whether there is one.
pub(crate) fn ask(rules: &Data<'_>, host: &Data<'_>, ip: &Data<'_>, port: &Data<'_>) -> Result<Data<'static>, PolError> {
    let rules = Rules::from_data(rules)?;
    let malformed = |text: String| PolError::new(PolErrorKind::Malformed, text);
    let host = match host {
        Data::Nil => None,
        other => Some(Host::parse(other.as_str("the host")?).map_err(|bad| malformed(format!("the host: {}", bad.text())))?),
    };
    let ip = match ip {
        Data::Nil => None,
        other => match Host::parse(other.as_str("the ip")?) {
            Ok(Host::Address(ip)) => Some(ip),
            _ => return Err(malformed("the ip is no address".to_owned())),
        },
    };
    let port = match port {
        Data::Nil => None,
        Data::Num(n) => Some(port_number(*n).ok_or_else(|| malformed("a port is a whole number from 0 to 65535".to_owned()))?),
        other => return Err(PolError::wrong_type("the port", "a number", other.type_name())),
    };
    let verdict = match (&host, ip) {
        (None, None) => return Err(malformed("a host or an ip is needed".to_owned())),
        (Some(Host::Address(address)), Some(ip)) if *address != canonical(ip) => {
            return Err(malformed("the host is an address, and the ip another".to_owned()));
        }
        (Some(Host::Address(address)), _) => on(&rules, None, *address, port),
        (Some(local), None) if local.is_localhost() => {
            let both = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)].map(|ip| on(&rules, None, ip, port));
            let [v4, v6] = both;
            if v4.allow { v4 } else { v6 }
        }
        (Some(host), None) => rules.judge(host.as_name(), None, port),
        (host, Some(ip)) => on(&rules, host.as_ref().and_then(Host::as_name), ip, port),
    };
    Ok(told(&rules, &verdict))
}

fn on(rules: &Rules, name: Option<&str>, ip: IpAddr, port: Option<u16>) -> Verdict {
    let verdict = rules.judge(name, Some(ip), port);
    if is_nobody(ip) {
        return Verdict { allow: false, row: None, special: Some("no single host".to_owned()) };
    }
    verdict
}

fn told(rules: &Rules, verdict: &Verdict) -> Data<'static> {
    let text = |text: String| Data::Str(text.into());
    let rule = verdict.row.and_then(|row| rules.all().get(row)).map(ToString::to_string);
    let why = match (&rule, &verdict.special) {
        (Some(rule), _) => format!("the rule {rule}"),
        (None, Some(what)) => format!("the address is special ({what}), and no rule names it"),
        (None, None) => "no rule matches".to_owned(),
    };
    #[allow(clippy::cast_precision_loss, reason = "a place in a short list")]
    let row = verdict.row.map_or(Data::Nil, |row| Data::Num(row as f64));
    Data::Object(vec![
        ("eff".into(), Data::Bool(verdict.allow)),
        ("row".into(), row),
        ("rule".into(), rule.map_or(Data::Nil, text)),
        ("why".into(), text(why)),
    ])
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn allows(rules: &'static [&'static str], host: &'static str, ip: Option<&'static str>) -> Result<bool, String> {
        let text = |text: &'static str| Data::Str(text.into());
        let rules = Data::List(rules.iter().map(|rule| text(rule)).collect());
        let told = ask(&rules, &text(host), &ip.map_or(Data::Nil, text), &Data::Num(443.0)).map_err(|error| error.to_string())?;
        Ok(*told.field("eff").unwrap() == Data::Bool(true))
    }

    #[test]
    fn nobody_is_reached_by_whatever_rule_and_a_host_is_its_own_address() {
        assert_eq!(allows(&["0.0.0.0"], "0.0.0.0", None), Ok(false));
        assert_eq!(allows(&["10.0.0.1"], "10.0.0.1", None), Ok(true));
        assert_eq!(allows(&["10.0.0.1"], "10.0.0.1", Some("10.0.0.1")), Ok(true));
        assert!(allows(&["10.0.0.1"], "10.0.0.1", Some("10.0.0.2")).unwrap_err().contains("another"));
        assert_eq!(allows(&["127.0.0.1"], "localhost", None), Ok(true));
        assert_eq!(allows(&["[::1]"], "localhost", None), Ok(true));
        assert_eq!(allows(&["*"], "localhost", None), Ok(false));
        assert_eq!(allows(&["a.test"], "a.test", Some("0.0.0.0")), Ok(false));
    }
}
