//! Certificates by an authority that nobody knows but who is told.

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, ServerConfig, ServerConnection};

/// An authority, and a certificate for `localhost` that it has signed; all in PEM.
#[derive(Debug)]
pub struct Authority {
    /// The certificate of the authority.
    pub authority: String,
    /// The certificate that it has signed.
    pub certificate: String,
    /// The key of that.
    pub key: String,
}

/// Somebody who shows a certificate of an authority, and says nothing more.
#[derive(Debug)]
pub struct Shown {
    /// `https://localhost:port`.
    pub url: String,
    trusting: Arc<AtomicUsize>,
}

impl Authority {
    /// One that there was not before.
    ///
    /// # Panics
    ///
    /// If the certificates cannot be made.
    #[expect(clippy::new_without_default, reason = "each is another")]
    pub fn new() -> Authority {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new(vec![]).expect("no names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = params.self_signed(&key).expect("a certificate").pem();
        let issuer = Issuer::new(params, key);
        let key = KeyPair::generate().expect("a key");
        let params = CertificateParams::new(vec!["localhost".to_owned()]).expect("a name");
        let certificate = params.signed_by(&key, &issuer).expect("a certificate").pem();
        Authority { authority, certificate, key: key.serialize_pem() }
    }

    /// For who has the certificate, and speaks these protocols.
    ///
    /// # Panics
    ///
    /// If the certificate is none.
    pub fn server(&self, protocols: &[&str]) -> Arc<ServerConfig> {
        let chain = vec![CertificateDer::from_pem_slice(self.certificate.as_bytes()).expect("PEM")];
        let key = PrivateKeyDer::from_pem_slice(self.key.as_bytes()).expect("PEM");
        let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let builder = builder.with_safe_default_protocol_versions().expect("those of ring");
        let mut config = builder.with_no_client_auth().with_single_cert(chain, key).expect("they fit");
        config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
        Arc::new(config)
    }

    /// For who trusts the authority and nobody else.
    ///
    /// # Panics
    ///
    /// If its certificate is none.
    pub fn client(&self) -> Arc<ClientConfig> {
        let mut roots = RootCertStore::empty();
        roots
            .add(CertificateDer::from_pem_slice(self.authority.as_bytes()).expect("PEM"))
            .expect("a certificate");
        let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let builder = builder.with_safe_default_protocol_versions().expect("those of ring");
        Arc::new(builder.with_root_certificates(roots).with_no_client_auth())
    }

    /// Shows the certificate to whoever connects, until the program ends.
    ///
    /// # Panics
    ///
    /// If there is no free port.
    pub fn show(&self, protocols: &[&str]) -> Shown {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("https://localhost:{}", listener.local_addr().expect("bound").port());
        let (config, trusting) = (self.server(protocols), Arc::<AtomicUsize>::default());
        let counted = Arc::clone(&trusting);
        thread::spawn(move || {
            for mut stream in listener.incoming().map_while(Result::ok) {
                let mut connection = ServerConnection::new(Arc::clone(&config)).expect("a configuration");
                // Who does not trust it goes away during the handshake.
                while connection.is_handshaking() && connection.complete_io(&mut stream).is_ok() {}
                if !connection.is_handshaking() {
                    counted.fetch_add(1, Relaxed);
                }
            }
        });
        Shown { url, trusting }
    }
}

impl Shown {
    /// How many have trusted it.
    pub fn trusting(&self) -> usize {
        self.trusting.load(Relaxed)
    }
}
