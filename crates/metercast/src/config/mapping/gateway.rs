//! The keys of a gateway that routes queries.

use super::{Conversion, Mapping};

impl Mapping {
    /// The tables `telemetry.exporters.metrics.{common, prometheus, otlp}` and `telemetry.instrumentation.instruments` of a gateway's `router.yaml`.
    ///
    /// | their key | ours |
    /// | --- | --- |
    /// | `common.service_name`, `service_namespace` | the attributes `service.name` and `service.namespace` of the resource |
    /// | `common.resource` | `resource` |
    /// | `common.buckets` | a view in front of all others: bounds of every histogram, also of those that declare bounds |
    /// | `common.cardinality_limit` | `cardinality_limit` |
    /// | `common.views[]`: `name`, `rename`, `alias`, `description`, `unit`, `cardinality_limit` | those of `views` |
    /// | `common.views[].aggregation`: `drop`, `default`, `histogram: {buckets}` | `aggregation`, `buckets` |
    /// | `common.views[].allowed_attribute_keys` | `keep_labels` |
    /// | `prometheus.enabled`, `listen`, `path` | those of `exporters.prometheus`; `false`, `127.0.0.1:9090` and `/metrics` if they are not given |
    /// | `prometheus.resource_selector`: `all`, `none` | `exporters.prometheus.resource_labels` |
    /// | `otlp.enabled`, `temporality` | those of `exporters.otlp`; `false` and `cumulative` if they are not given |
    /// | `otlp.endpoint` | `exporters.otlp.endpoint`, as [`Conversion::Endpoint`] has it |
    /// | `otlp.protocol`: `grpc`, `http` | `exporters.otlp.protocol`; `grpc` if it is not given |
    /// | `otlp.http.headers`, `otlp.grpc.metadata` | `exporters.otlp.headers` |
    /// | `otlp.grpc.ca`, `cert`, `key` | `exporters.otlp.tls`, as [`Conversion::Pem`] has them |
    /// | `otlp.batch_processor.scheduled_delay`, `max_export_timeout` | `exporters.otlp.interval`, `timeout`; `5s` and `30s` if they are not given |
    /// | `otlp.batch_processor.max_queue_size`, `max_export_batch_size`, `max_concurrent_exports`, `otlp.grpc.domain_name` | no effect, with a warning |
    ///
    /// | `telemetry.instrumentation.instruments` | `instruments`, for the [stages](crate::config::ConfigBuilder::stages) of the program |
    ///
    /// References are spelled `${env.NAME}` and `${file.path}`. `telemetry.instrumentation.events`, `telemetry.instrumentation.spans`, `telemetry.apollo` and the exporters of
    /// logs and traces are read by others.
    pub fn gateway() -> Mapping {
        const METRICS: &str = "telemetry.exporters.metrics";
        let theirs = |key: &str| format!("{METRICS}.{key}");
        let mapping = Mapping::new()
            .dotted_references()
            .key("telemetry.instrumentation.instruments", "instruments")
            .passed_over("telemetry.instrumentation.events")
            .passed_over("telemetry.instrumentation.spans")
            .passed_over("telemetry.apollo")
            .passed_over("telemetry.exporters.logging")
            .passed_over("telemetry.exporters.tracing");
        let mapping = mapping
            .key(&theirs("common.service_name"), "resource.service.name")
            .key(&theirs("common.service_namespace"), "resource.service.namespace")
            .key(&theirs("common.resource"), "resource")
            .key(&theirs("common.cardinality_limit"), "cardinality_limit")
            // In front of the views, which win over it.
            .convert(&theirs("common.buckets"), "views", Conversion::BoundsOfAll)
            .list(&theirs("common.views"), "views", view());
        let prometheus = theirs("prometheus");
        let mapping = mapping
            .key(&theirs("prometheus.enabled"), "exporters.prometheus.enabled")
            .key(&theirs("prometheus.listen"), "exporters.prometheus.listen")
            .key(&theirs("prometheus.path"), "exporters.prometheus.path")
            .key(&theirs("prometheus.resource_selector"), "exporters.prometheus.resource_labels")
            .default_of(&prometheus, "exporters.prometheus.enabled", false)
            .default_of(&prometheus, "exporters.prometheus.listen", "127.0.0.1:9090");
        let processor = |key: &str| format!("{METRICS}.otlp.batch_processor.{key}");
        let otlp = theirs("otlp");
        mapping
            .key(&theirs("otlp.enabled"), "exporters.otlp.enabled")
            .convert(&theirs("otlp.endpoint"), "exporters.otlp.endpoint", Conversion::Endpoint)
            .convert(
                &theirs("otlp.protocol"),
                "exporters.otlp.protocol",
                Conversion::Words(&[("grpc", "grpc"), ("http", "http/protobuf")]),
            )
            .key(&theirs("otlp.temporality"), "exporters.otlp.temporality")
            .convert(&theirs("otlp.http.headers"), "exporters.otlp.headers", Conversion::Headers)
            .convert(&theirs("otlp.grpc.metadata"), "exporters.otlp.headers", Conversion::Headers)
            .convert(&theirs("otlp.grpc.ca"), "exporters.otlp.tls.ca", Conversion::Pem)
            .convert(&theirs("otlp.grpc.cert"), "exporters.otlp.tls.client_certificate", Conversion::Pem)
            .convert(&theirs("otlp.grpc.key"), "exporters.otlp.tls.client_key", Conversion::Pem)
            .without_effect(
                &theirs("otlp.grpc.domain_name"),
                "certificates are checked for the host of the endpoint",
            )
            .convert(&processor("scheduled_delay"), "exporters.otlp.interval", Conversion::Duration)
            .convert(&processor("max_export_timeout"), "exporters.otlp.timeout", Conversion::Duration)
            .without_effect(&processor("max_queue_size"), "metrics wait in the store, not in a queue")
            .without_effect(
                &processor("max_export_batch_size"),
                "a push is split by the bytes that the receiver takes",
            )
            .without_effect(&processor("max_concurrent_exports"), "one push of metrics follows the other")
            .default_of(&otlp, "exporters.otlp.enabled", false)
            .default_of(&otlp, "exporters.otlp.protocol", "grpc")
            .default_of(&otlp, "exporters.otlp.interval", "5s")
            .default_of(&otlp, "exporters.otlp.timeout", "30s")
    }
}

/// The keys of one view.
fn view() -> Mapping {
    Mapping::new()
        .key("name", "name")
        .key("rename", "rename")
        .key("alias", "alias")
        .key("description", "description")
        .key("unit", "unit")
        .key("aggregation", "aggregation")
        .key("aggregation.histogram.buckets", "buckets")
        .key("allowed_attribute_keys", "keep_labels")
        .key("cardinality_limit", "cardinality_limit")
        .required("name")
}
