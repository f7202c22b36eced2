//! Why a request that was allowed did not come to an answer, by kind. The words after `http:` are the kind's own; scripts may rely on them.

use super::target::Target;
use ilu_sbx::Stop;
use std::error::Error;
use std::fmt;
use std::io;

/// What failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The request itself is wrong: nothing was sent.
    Request(String),
    /// No connection to any of the allowed addresses.
    Connect(String),
    /// There was none when the time was over.
    NoConnection(u64),
    /// The connection is not the promised one.
    Tls(String),
    /// The time for the whole request is over.
    TimedOut(u64),
    /// More came than was to be taken.
    TooLarge(String),
    /// What came is not HTTP.
    Protocol(String),
    /// The connection went away.
    Dropped(String),
    /// A redirect that is not followed.
    Redirect(String),
}

impl Failure {
    const fn kind(&self) -> &'static str {
        match self {
            Failure::Request(_) => "bad request",
            Failure::Connect(_) => "can't connect",
            Failure::Tls(_) => "TLS",
            Failure::TimedOut(_) | Failure::NoConnection(_) => "timed out",
            Failure::TooLarge(_) => "too large",
            Failure::Protocol(_) | Failure::Dropped(_) => "protocol",
            Failure::Redirect(_) => "redirect",
        }
    }

    /// As the script sees it; `at` is what was asked.
    #[must_use]
    pub fn stop(&self, at: Option<&Target>) -> Stop {
        let at = at.map(|target| format!(" {}", target.place())).unwrap_or_default();
        Stop::Failed(format!("http: {}:{at}{}{self}", self.kind(), if at.is_empty() { " " } else { ": " }))
    }

    /// What a connection says that stands, in words that show nothing of the host.
    #[must_use]
    pub fn of_hyper(error: &hyper::Error) -> Failure {
        let mut source: Option<&(dyn Error + 'static)> = Some(error);
        while let Some(error) = source {
            if let Some(tls) = error.downcast_ref::<rustls::Error>() {
                return Failure::Tls(tls_text(tls));
            }
            if let Some(hyper) = error.downcast_ref::<hyper::Error>()
                && let Some(failure) = of_hyper(hyper)
            {
                return failure;
            }
            if let Some(io) = error.downcast_ref::<io::Error>() {
                let (io, tls) = innermost(io);
                return tls.map_or_else(|| of_io(io), |tls| Failure::Tls(tls_text(tls)));
            }
            source = error.source();
        }
        Failure::Protocol("the answer can't be read".to_owned())
    }
}

/// Why there is no connection.
pub fn of_connecting(error: &io::Error) -> Failure {
    let (io, tls) = innermost(error);
    match tls {
        Some(tls) => Failure::Tls(tls_text(tls)),
        None if io.kind() == io::ErrorKind::UnexpectedEof => {
            Failure::Tls("the other side closed the connection during the handshake".to_owned())
        }
        None => Failure::Connect(io_text(io)),
    }
}

fn of_hyper(error: &hyper::Error) -> Option<Failure> {
    if error.is_parse_too_large() {
        return Some(Failure::TooLarge("the answer's header is larger than is taken".to_owned()));
    }
    if error.is_parse_status() {
        return Some(Failure::Protocol("the answer has no valid status line".to_owned()));
    }
    if error.is_parse() {
        return Some(Failure::Protocol("the answer is not valid HTTP/1.1".to_owned()));
    }
    if error.is_incomplete_message() {
        return Some(Failure::Dropped("the connection was closed before the answer was complete".to_owned()));
    }
    if error.is_canceled() {
        return Some(Failure::Dropped("the connection was closed before there was an answer".to_owned()));
    }
    None
}

/// What is wrapped in an error of the system is not among its sources: the error of the system within, and that of TLS if there is one.
fn innermost(mut io: &io::Error) -> (&io::Error, Option<&rustls::Error>) {
    while let Some(inner) = io.get_ref() {
        if let Some(tls) = inner.downcast_ref::<rustls::Error>() {
            return (io, Some(tls));
        }
        let Some(next) = inner.downcast_ref::<io::Error>() else { break };
        io = next;
    }
    (io, None)
}

fn of_io(error: &io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput => Failure::Protocol(io_text(error)),
        _ => Failure::Dropped(format!("the connection broke: {}", io_text(error))),
    }
}

fn io_text(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "connection refused".to_owned(),
        io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted | io::ErrorKind::BrokenPipe => "connection reset".to_owned(),
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => "the network is unreachable".to_owned(),
        io::ErrorKind::TimedOut => "no answer to the connection".to_owned(),
        io::ErrorKind::UnexpectedEof => "the connection was closed early".to_owned(),
        io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput => "the answer's body is not valid HTTP/1.1".to_owned(),
        _ => ilu_sbx::permit::os_text(error),
    }
}

fn tls_text(error: &rustls::Error) -> String {
    use rustls::CertificateError as Cert;
    let text = match error {
        rustls::Error::InvalidCertificate(why) => match why {
            Cert::Expired | Cert::ExpiredContext { .. } => "its certificate has expired",
            Cert::NotValidYet | Cert::NotValidYetContext { .. } => "its certificate is not valid yet",
            Cert::UnknownIssuer => "nobody that is trusted has signed its certificate",
            Cert::NotValidForName | Cert::NotValidForNameContext { .. } => "its certificate is for another host",
            Cert::Revoked => "its certificate was revoked",
            Cert::BadSignature => "its certificate has a wrong signature",
            _ => "its certificate is not valid",
        },
        rustls::Error::PeerIncompatible(_) => "it speaks no version of TLS from 1.2 on that is safe",
        rustls::Error::AlertReceived(alert) => return format!("it refused the handshake ({alert:?})"),
        rustls::Error::InvalidMessage(_) => "what it speaks is not TLS",
        _ => "the handshake failed",
    };
    text.to_owned()
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Request(why)
            | Failure::Connect(why)
            | Failure::Tls(why)
            | Failure::TooLarge(why)
            | Failure::Protocol(why)
            | Failure::Dropped(why)
            | Failure::Redirect(why) => f.write_str(why),
            Failure::NoConnection(ms) => write!(f, "no connection within {ms} ms (option ms)"),
            Failure::TimedOut(ms) => write!(f, "no complete answer within {ms} ms (option ms)"),
        }
    }
}
