//! How a push reaches its receiver, as code says it of every exporter that pushes over HTTP.

use std::path::PathBuf;

use super::otlp::Otlp;
use super::proxy::Proxy;
use super::pushgateway::Pushgateway;

macro_rules! connected {
    ($($exporter:ty),*) => {$(
        impl $exporter {
            /// Trusts the certificates in this PEM file, and no others, when the URL is `https://`.
            pub fn ca(mut self, file: impl Into<PathBuf>) -> Self {
                self.ca = Some(file.into());
                self
            }

            /// Shows this certificate, with the private key to it, to a receiver that asks who is there (mTLS); both are PEM
            /// files.
            pub fn client_identity(mut self, certificate: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Self {
                self.client_identity = Some((certificate.into(), key.into()));
                self
            }

            /// Goes through this HTTP proxy, `http://host:port` or with `user:password@` in front of the host; `"none"` is no
            /// proxy. Unless it is said, the variables `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY` decide.
            pub fn proxy(mut self, proxy: &str) -> Self {
                self.proxy = Some(Proxy::parse(proxy));
                self
            }
        }
    )*};
}

connected!(Otlp, Pushgateway);
