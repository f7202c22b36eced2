//! Whom TLS trusts: the roots that are built in and those that the operator added. Nothing that a script says changes it.

pub use rustls::ClientConfig;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use std::sync::Arc;

/// Looks whether a text in PEM has certificates that could be trusted.
///
/// # Errors
/// What is wrong with it.
pub fn check_authorities(pem: &str) -> Result<(), String> {
    let mut store = RootCertStore::empty();
    add(&mut store, pem)?;
    if store.is_empty() { Err("there is no certificate in it".to_owned()) } else { Ok(()) }
}

fn add(store: &mut RootCertStore, pem: &str) -> Result<(), String> {
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        let certificate = certificate.map_err(|_| "it is not PEM")?;
        store.add(certificate).map_err(|_| "one of its certificates can't be read")?;
    }
    Ok(())
}

/// TLS 1.2 and 1.3, certificates checked against the roots that are built in and the operator's; no session is resumed, so none is shared.
pub fn config(authorities: &str) -> Option<Arc<ClientConfig>> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    add(&mut roots, authorities).ok()?;
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .ok()?;
    let mut config = config.with_root_certificates(roots).with_no_client_auth();
    config.resumption = rustls::client::Resumption::disabled();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Some(Arc::new(config))
}
