//! What `bench/http.py` compares with: plain reqwest on a current-thread runtime, one client, one GET after the other.
#![allow(clippy::unwrap_used, reason = "a tool of the bench")]

fn main() {
    let mut args = std::env::args().skip(1);
    let (url, count) = (args.next().unwrap(), args.next().unwrap().parse::<u32>().unwrap());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let roots = rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let tls = rustls::ClientConfig::builder_with_provider(std::sync::Arc::new(rustls::crypto::ring::default_provider()));
    let tls = tls.with_safe_default_protocol_versions().unwrap().with_root_certificates(roots).with_no_client_auth();
    let client = reqwest::Client::builder().no_proxy().tls_backend_preconfigured(tls).build().unwrap();
    let bytes = runtime.block_on(async {
        let mut bytes = 0;
        for _ in 0..count {
            bytes += client.get(&url).send().await.unwrap().text().await.unwrap().len();
        }
        bytes
    });
    println!("{bytes}");
}
