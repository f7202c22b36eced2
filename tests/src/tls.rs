//! Certificates and a TLS server for tests.

use crate::command::Scratch;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, SanType};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
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

impl Identity {
    /// From files in PEM.
    #[must_use]
    pub fn of_files(certificate: &Path, key: &Path) -> Identity {
        let certificate = CertificateDer::from_pem_file(certificate).unwrap();
        Identity { certificate, key: PrivateKeyDer::from_pem_file(key).unwrap().secret_der().to_vec() }
    }
}

/// What only OpenSSL still makes and speaks: signatures by SHA-1, old versions of TLS. For certificates of 127.0.0.1.
pub struct OpenSsl {
    place: Scratch,
}

/// A server of OpenSSL; ended when it is dropped.
pub struct OpenSslServer {
    /// Where it listens.
    pub addr: String,
    child: Child,
}

impl Drop for OpenSslServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Whatever it would be too careful for is allowed.
const CARELESS: &str = "ALL:@SECLEVEL=0";

impl OpenSsl {
    /// An authority, if the program is installed.
    #[must_use]
    pub fn new() -> Option<OpenSsl> {
        let made = OpenSsl { place: Scratch::new("openssl") };
        made.place.write("san", "subjectAltName=IP:127.0.0.1\n");
        let ca =
            ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-sha256", "-days", "30", "-subj", "/CN=an authority", "-keyout", "ca.key"];
        let there = made.run(&[&ca[..], &["-out", "ca.pem", "-addext", "basicConstraints=critical,CA:TRUE"]].concat());
        let request = ["req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=x", "-keyout", "key.pem", "-out", "request"];
        (there && made.run(&request)).then_some(made)
    }

    fn run(&self, args: &[&str]) -> bool {
        let done = Command::new("openssl").args(args).current_dir(self.place.path()).stdin(Stdio::null()).output();
        done.is_ok_and(|done| done.status.success())
    }

    /// The authority, as `--ca` takes it.
    #[must_use]
    pub fn ca(&self) -> String {
        self.place.at("ca.pem").display().to_string()
    }

    /// A certificate that the authority has signed with this digest.
    #[must_use]
    pub fn sign(&self, digest: &str) -> Identity {
        let (flag, out) = (format!("-{digest}"), format!("{digest}.pem"));
        let args =
            ["x509", "-req", "-in", "request", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "20", "-extfile", "san"];
        assert!(self.run(&[&args[..], &[&flag, "-out", &out]].concat()), "a certificate signed by {digest}");
        Identity::of_files(&self.place.at(&out), &self.place.at("key.pem"))
    }

    /// A server that speaks one version of TLS only, such as `tls1_1`, and says a page to whoever gets that far.
    #[must_use]
    pub fn serve(&self, version: &str) -> OpenSslServer {
        let _ = self.sign("sha256");
        let mut command = Command::new("openssl");
        let version = format!("-{version}");
        command.args([
            "s_server",
            "-accept",
            "127.0.0.1:0",
            "-cert",
            "sha256.pem",
            "-key",
            "key.pem",
            &version,
            "-cipher",
            CARELESS,
            "-www",
        ]);
        let mut child =
            command.current_dir(self.place.path()).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let addr = lines.by_ref().find_map(|line| line.ok()?.strip_prefix("ACCEPT ").map(str::to_owned)).expect("OpenSSL does not listen");
        std::thread::spawn(move || lines.count());
        OpenSslServer { addr, child }
    }

    /// Does a careless client, which trusts the authority, take what a server has?
    #[must_use]
    pub fn takes(&self, addr: &str, version: Option<&str>) -> bool {
        let mut command = Command::new("openssl");
        command.args(["s_client", "-connect", addr, "-CAfile", "ca.pem", "-verify_return_error", "-cipher", CARELESS]);
        command.args(version.map(|version| format!("-{version}"))).current_dir(self.place.path());
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let _ = child.stdin.take().unwrap().write_all(b"GET / HTTP/1.0\r\n\r\n");
        let done = child.wait_with_output().unwrap();
        String::from_utf8_lossy(&done.stdout).contains("Verification: OK")
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
