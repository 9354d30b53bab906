//! What any exporter has: a name, a type, and settings of that type.

use std::fmt;

use super::custom::{Custom, CustomConfig};
use super::error::{Checked, Findings};

use super::layer::{ExporterLayer, Settings};
use super::otlp::{Otlp, OtlpConfig};
use super::place::{Given, Place};
use super::prometheus::{Prometheus, PrometheusConfig};
use super::pushgateway::{Pushgateway, PushgatewayConfig};
use super::stdout::{Stdout, StdoutConfig};
use crate::view::Projection;

/// An exporter as code describes it: what [`ConfigBuilder::exporter`](super::ConfigBuilder::exporter) takes.
/// Made from a [`Prometheus`], an [`Otlp`], a [`Pushgateway`], a [`Stdout`] or a [`Custom`].
#[derive(Debug, Clone)]
#[allow(clippy::large_enum_variant, reason = "there are few of them, and they live as long as the program")]
#[non_exhaustive]
pub enum Exporter {
    /// A page that Prometheus scrapes.
    Prometheus(Prometheus),
    /// A push by OTLP.
    Otlp(Otlp),
    /// A page that is pushed to a Pushgateway.
    Pushgateway(Pushgateway),
    /// Lines of JSON.
    Stdout(Stdout),
    /// The program's own.
    Custom(Custom),
}

impl From<Prometheus> for Exporter {
    fn from(prometheus: Prometheus) -> Self {
        Self::Prometheus(prometheus)
    }
}

impl From<Otlp> for Exporter {
    fn from(otlp: Otlp) -> Self {
        Self::Otlp(otlp)
    }
}

impl From<Pushgateway> for Exporter {
    fn from(pushgateway: Pushgateway) -> Self {
        Self::Pushgateway(pushgateway)
    }
}

impl From<Stdout> for Exporter {
    fn from(stdout: Stdout) -> Self {
        Self::Stdout(stdout)
    }
}

impl From<Custom> for Exporter {
    fn from(custom: Custom) -> Self {
        Self::Custom(custom)
    }
}

impl Exporter {
    /// Checks what code gave under `name`, at this place, and notes what is wrong with it.
    pub(super) fn into_layer(self, name: &str, place: Place, findings: &mut Findings) -> ExporterLayer {
        let kind = match self {
            Self::Prometheus(_) => Kind::Prometheus,
            Self::Otlp(_) => Kind::Otlp,
            Self::Pushgateway(_) => Kind::Pushgateway,
            Self::Stdout(_) => Kind::Stdout,
            Self::Custom(_) => Kind::Custom,
        };
        findings.take(&place, check_name(name, kind));
        let (env, projection, settings) = match self {
            Self::Prometheus(mut prometheus) => (
                prometheus.env,
                std::mem::take(&mut prometheus.projection),
                Settings::Prometheus(prometheus.into_layer(&place, findings)),
            ),
            Self::Otlp(mut otlp) => (
                otlp.env,
                std::mem::take(&mut otlp.projection),
                Settings::Otlp(otlp.into_layer(&place, findings)),
            ),
            Self::Pushgateway(mut pushgateway) => (
                pushgateway.env,
                std::mem::take(&mut pushgateway.projection),
                Settings::Pushgateway(pushgateway.into_layer(&place, findings)),
            ),
            Self::Stdout(mut stdout) => (
                stdout.env,
                std::mem::take(&mut stdout.projection),
                Settings::Stdout(stdout.into_layer(&place, findings)),
            ),
            Self::Custom(mut custom) => (
                custom.env,
                std::mem::take(&mut custom.projection),
                Settings::Custom(custom.into_layer(&place, findings)),
            ),
        };
        let projection = projection.into_layer(&place, findings);
        let env = env.map(|env| Given::new(env, &place.child("env")));
        ExporterLayer { type_place: place, enabled: None, env, projection, settings }
    }
}

/// The settings of one exporter, checked and complete.
///
/// Prints as what it does and where: `prometheus on http://127.0.0.1:9464/metrics`.
#[derive(Debug, Clone, PartialEq)]
#[allow(clippy::large_enum_variant, reason = "there are few of them, and they live as long as the program")]
#[non_exhaustive]
pub enum ExporterConfig {
    /// A page that Prometheus scrapes.
    Prometheus(PrometheusConfig),
    /// A push by OTLP.
    Otlp(OtlpConfig),
    /// A page that is pushed to a Pushgateway.
    Pushgateway(PushgatewayConfig),
    /// Lines of JSON.
    Stdout(StdoutConfig),
    /// The program's own.
    Custom(CustomConfig),
}

impl ExporterConfig {
    /// Which metrics it takes, and how they look.
    pub fn projection(&self) -> &Projection {
        match self {
            Self::Prometheus(prometheus) => prometheus.projection(),
            Self::Otlp(otlp) => otlp.projection(),
            Self::Pushgateway(pushgateway) => pushgateway.projection(),
            Self::Stdout(stdout) => stdout.projection(),
            Self::Custom(custom) => custom.projection(),
        }
    }
}

impl fmt::Display for ExporterConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Prometheus(prometheus) => write!(f, "prometheus {prometheus}"),
            Self::Otlp(otlp) => write!(f, "otlp {otlp}"),
            Self::Pushgateway(pushgateway) => write!(f, "pushgateway {pushgateway}"),
            Self::Stdout(stdout) => write!(f, "stdout {stdout}"),
            Self::Custom(custom) => write!(f, "custom {custom}"),
        }
    }
}

/// The type of an exporter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Prometheus,
    Otlp,
    Pushgateway,
    Stdout,
    /// Described by the program alone.
    Custom,
}

impl Kind {
    /// Those that a file can name.
    pub(super) const ALL: [Self; 4] = [Self::Prometheus, Self::Otlp, Self::Pushgateway, Self::Stdout];

    /// The type as a file names it, which is also the name of the standard exporter of that type, if there is one.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Prometheus => "prometheus",
            Self::Otlp => "otlp",
            Self::Pushgateway => "pushgateway",
            Self::Stdout => "stdout",
            Self::Custom => "custom",
        }
    }

    /// The type of that name.
    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// Checks the name of an exporter of this type.
pub(super) fn check_name(name: &str, kind: Kind) -> Checked<()> {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    if !(1..=64).contains(&name.len()) || !name.bytes().all(is_allowed) {
        return Err(
            "is not a name for an exporter; use 1 to 64 of the characters A-Z, a-z, 0-9, _ and -".to_owned()
        );
    }
    match Kind::named(name) {
        Some(standard) if standard != kind => Err(format!(
            "is the name of the standard {name} exporter; give the {} exporter another",
            kind.name()
        )),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_short_and_plain() {
        let longest = "x".repeat(64);
        for name in ["a", "central", "Grafana_Cloud-2", longest.as_str()] {
            assert_eq!(check_name(name, Kind::Otlp), Ok(()), "{name}");
        }
        let too_long = "x".repeat(65);
        for name in ["", "a b", "a.b", "ü", too_long.as_str()] {
            assert_eq!(
                check_name(name, Kind::Otlp).unwrap_err(),
                "is not a name for an exporter; use 1 to 64 of the characters A-Z, a-z, 0-9, _ and -",
                "{name}"
            );
        }
    }

    #[test]
    fn the_standard_names_belong_to_their_types() {
        assert_eq!(check_name("prometheus", Kind::Prometheus), Ok(()));
        assert_eq!(
            check_name("prometheus", Kind::Otlp).unwrap_err(),
            "is the name of the standard prometheus exporter; give the otlp exporter another"
        );
    }
}
