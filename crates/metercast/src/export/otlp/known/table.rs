//! The answers that are known, in the order in which they are looked for: what is said before who says it.
//!
//! What receivers answer is as their documentation, their source and reports of their users have it; `conformance/doctor` has an
//! answer for each, and holds the sentences to them.

use super::Receiver::{
    Axiom, CloudWatch, Datadog, Dynatrace, Elastic, GrafanaCloud, Honeycomb, Mimir, NewRelic, Prometheus,
};
use super::{By, Rule};
use crate::export::otlp::error::Code;

/// Who asks is not known, or may not.
pub(super) const AUTH: &[By] =
    &[By::Http(401), By::Http(403), By::Grpc(Code::UNAUTHENTICATED), By::Grpc(Code::PERMISSION_DENIED)];

/// The data is not what the receiver takes.
const DATA: &[By] = &[By::Http(400), By::Grpc(Code::INVALID_ARGUMENT), By::Points];

const DELTA: &str = "it takes deltas only; set temporality = \"delta\", or the preset of this receiver";
const CLOCK: &str = "set the clock of this machine right; if it is, the data has waited for too long";

pub(super) const RULES: &[Rule] = &[
    // Whatever stands there.
    Rule {
        of: &[],
        by: &[By::Http(400)],
        // Servers in Go, and nginx.
        says: &["http request to an https server", "http request was sent to https port"],
        mend: "the receiver wants an encrypted connection; write https:// in the endpoint",
    },
    // Prometheus, Mimir and those that store as they do.
    Rule {
        of: &[],
        by: &[By::Http(404)],
        says: &["otlp write receiver needs to be enabled"],
        mend: OTLP_RECEIVER,
    },
    Rule {
        of: &[],
        by: DATA,
        says: &["invalid temporality and type combination"],
        mend: "it takes cumulative values only; set temporality = \"cumulative\", or leave it out",
    },
    Rule {
        of: &[],
        by: AUTH,
        says: &["no org id"],
        mend: "Mimir wants to know the tenant; set headers = { \"x-scope-orgid\" = \"TENANT\" }",
    },
    Rule {
        of: &[],
        by: &[By::Http(429), By::Grpc(Code::RESOURCE_EXHAUSTED)],
        says: &["ingestion rate limit", "err-mimir-tenant-max-ingestion-rate"],
        mend: "the tenant sends more than its limit; make the exporter's interval longer, let fewer series out, or have \
               ingestion_rate raised",
    },
    Rule {
        of: &[],
        by: &[By::Http(400), By::Http(429), By::Points],
        says: &["per-user series limit", "err-mimir-max-series-per-user"],
        mend: "the tenant has as many series as it may; let fewer out, or have max_global_series_per_user raised",
    },
    Rule {
        of: &[],
        by: DATA,
        says: &[
            "out of order",
            "out-of-order",
            "duplicate sample for timestamp",
            "err-mimir-sample-duplicate-timestamp",
        ],
        mend: "two processes push the same series; let each have a service.instance.id of its own, and send it along \
               (resource)",
    },
    Rule {
        of: &[],
        by: DATA,
        says: &["out of bounds", "too far in the past", "too far in the future"],
        mend: CLOCK,
    },
    // Vendors, by what they say.
    Rule {
        of: &[],
        by: DATA,
        says: &[
            "does not accept cumulative",
            "unsupported_metric_type_monotonic_cumulative",
            "unsupported metric temporality",
        ],
        mend: DELTA,
    },
    Rule {
        of: &[],
        by: AUTH,
        says: &["missing required scope"],
        mend: "the token lacks the scope; make one with metrics.ingest",
    },
    Rule {
        of: &[],
        by: &[By::Http(400), By::Http(401), By::Grpc(Code::UNAUTHENTICATED)],
        says: &["missing 'x-honeycomb-dataset'", "missing x-honeycomb-dataset"],
        mend: "a key of Honeycomb Classic wants a dataset; set dataset, or use the key of an environment",
    },
    Rule {
        of: &[],
        by: AUTH,
        says: &["missing 'x-honeycomb-team'", "missing x-honeycomb-team"],
        mend: "Honeycomb wants its key in the header x-honeycomb-team; set preset = \"honeycomb\" and auth = { token = \"KEY\" }",
    },
    Rule { of: &[], by: AUTH, says: &["unknown api key"], mend: HONEYCOMB_KEY },
    Rule {
        of: &[],
        by: AUTH,
        says: &["'authorization: apikey", "anonymous access not permitted"],
        mend: ELASTIC,
    },
    Rule {
        of: &[],
        by: AUTH,
        says: &[
            "missing authentication token",
            "credential should be scoped to",
            "security token included in the request",
        ],
        mend: CLOUDWATCH,
    },
    // Vendors, by who they are.
    Rule {
        of: &[GrafanaCloud],
        by: &[By::Http(401), By::Grpc(Code::UNAUTHENTICATED)],
        says: &[],
        mend: "the user of basic auth is the number of the stack (instance id), and the password a token of the same stack \
               with the scope metrics:write; Grafana Cloud shows both under OpenTelemetry",
    },
    Rule {
        of: &[GrafanaCloud],
        by: &[By::Http(403)],
        says: &[],
        mend: "the token lacks the scope metrics:write, or is one of another stack",
    },
    Rule {
        of: &[GrafanaCloud],
        by: &[By::Http(404), By::Http(405)],
        says: &[],
        mend: "the endpoint is https://otlp-gateway-ZONE.grafana.net/otlp; copy it from Grafana Cloud, under OpenTelemetry",
    },
    Rule {
        of: &[Mimir],
        by: &[By::Http(404), By::Http(405)],
        says: &[],
        mend: "Mimir takes OTLP at /otlp/v1/metrics; is this Mimir's own port, or a gateway that passes that path on?",
    },
    Rule { of: &[Prometheus], by: &[By::Http(404)], says: &[], mend: OTLP_RECEIVER },
    Rule {
        of: &[Datadog],
        by: AUTH,
        says: &[],
        mend: "the API key (not an application key) is not one of this site; is the endpoint that of yours, such as \
               https://otlp.datadoghq.eu?",
    },
    Rule {
        of: &[Datadog],
        by: &[By::Http(404), By::Http(405)],
        says: &[],
        mend: "Datadog takes metrics at https://otlp.SITE/v1/metrics, such as https://otlp.datadoghq.eu; not every site has that",
    },
    Rule {
        of: &[Datadog],
        by: &[By::Http(413)],
        says: &[],
        mend: "Datadog takes 500 KB at once, 5 MB if compressed; set preset = \"datadog\", or max_request_size",
    },
    Rule {
        of: &[Dynatrace],
        by: &[By::Http(401)],
        says: &[],
        mend: "the token is sent as Api-Token TOKEN in the header authorization; is it one of this environment, and not expired?",
    },
    Rule {
        of: &[Dynatrace],
        by: &[By::Http(403)],
        says: &[],
        mend: "the token lacks the scope; make one with metrics.ingest",
    },
    Rule {
        of: &[Dynatrace],
        by: &[By::Http(404), By::Http(405)],
        says: &[],
        mend: "the host is ENVIRONMENT.live.dynatrace.com, with live in it; that of the pages for people takes no metrics",
    },
    Rule {
        of: &[NewRelic],
        by: AUTH,
        says: &[],
        mend: "New Relic wants a license key (of the type INGEST - LICENSE) in the header api-key, of the region of the endpoint: \
               otlp.nr-data.net in the US, otlp.eu01.nr-data.net in the EU",
    },
    Rule { of: &[Honeycomb], by: AUTH, says: &[], mend: HONEYCOMB_KEY },
    Rule {
        of: &[Axiom],
        by: AUTH,
        says: &[],
        mend: "is it an API token that may ingest into this dataset, and is the endpoint that of the organization's region?",
    },
    Rule {
        of: &[Axiom],
        by: &[By::Http(400), By::Http(404)],
        says: &["dataset"],
        mend: "metrics need a dataset of the kind metrics of their own; set preset = \"axiom\" and dataset to its name",
    },
    Rule { of: &[Elastic], by: AUTH, says: &[], mend: ELASTIC },
    Rule { of: &[CloudWatch], by: AUTH, says: &[], mend: CLOUDWATCH },
];

/// Where a receiver wants to know who pushes, and the exporter does not say it.
pub(super) const NO_AUTH: &str = "the exporter says nothing of who pushes; set its auth or headers";

const OTLP_RECEIVER: &str = "Prometheus takes OTLP only if it is started with --web.enable-otlp-receiver";
const HONEYCOMB_KEY: &str = "is the key an ingest key that may send to this dataset, and one of the endpoint's region: \
                             api.honeycomb.io in the US, api.eu1.honeycomb.io in the EU?";
const ELASTIC: &str = "set the header authorization to ApiKey KEY, as Elastic encodes it, or auth = { bearer = \"SECRET TOKEN\" }";
const CLOUDWATCH: &str = "AWS wants requests signed by SigV4, which metercast does not do; push to an OpenTelemetry Collector \
                          that signs them, or to the CloudWatch agent";
