//! Certificates and a TLS server for tests.

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, SanType};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// An authority of the test's own.
pub struct Authority {
    /// Its certificate, as `--ca` takes it.
    pub pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    /// Makes one.
    #[must_use]
    pub fn new() -> Authority {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "an authority of a test");
        let pem = params.self_signed(&key).unwrap().pem();
        Authority { pem, issuer: Issuer::new(params, key) }
    }

    /// A certificate for these names, with changes, and its key.
    #[must_use]
    pub fn sign(&self, names: &[SanType], change: impl FnOnce(&mut CertificateParams)) -> Identity {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.subject_alt_names = names.to_vec();
        change(&mut params);
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Identity { certificate: certificate.der().clone(), key: key.serialize_der() }
    }
}

impl Default for Authority {
    fn default() -> Self {
        Self::new()
    }
}

/// A certificate and its key.
pub struct Identity {
    certificate: CertificateDer<'static>,
    key: Vec<u8>,
}

impl Identity {
    /// One that it has signed itself.
    #[must_use]
    pub fn of_itself(names: &[SanType]) -> Identity {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.subject_alt_names = names.to_vec();
        Identity { certificate: params.self_signed(&key).unwrap().der().clone(), key: key.serialize_der() }
    }
}

/// A server over TLS that answers every request with the same bytes, once a connection.
pub struct TlsServer {
    /// Where it listens.
    pub addr: SocketAddr,
    asked: Arc<AtomicUsize>,
}

impl TlsServer {
    /// Starts one.
    #[must_use]
    pub fn start(identity: Identity, answer: &str) -> TlsServer {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap().with_no_client_auth();
        let key = PrivateKeyDer::try_from(identity.key).unwrap();
        let config = Arc::new(config.with_single_cert(vec![identity.certificate], key).unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = TlsServer { addr: listener.local_addr().unwrap(), asked: Arc::default() };
        let (asked, answer) = (Arc::clone(&server.asked), answer.to_owned());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let mut stream = StreamOwned::new(ServerConnection::new(Arc::clone(&config)).unwrap(), stream);
                let mut head = [0; 4096];
                // A client that does not like the certificate goes away here.
                if let Ok(size) = stream.read(&mut head)
                    && size > 0
                {
                    asked.fetch_add(1, Ordering::SeqCst);
                    let _ = stream.write_all(answer.as_bytes());
                    stream.conn.send_close_notify();
                    let _ = stream.flush();
                }
            }
        });
        server
    }

    /// Requests that came through.
    #[must_use]
    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}
