//! What metercast is told: by the program, by a file, by the environment.
//!
//! Everything that can be set is in one [`Config`], put together by a [`ConfigBuilder`]. For each single
//! value the highest source that says something counts. From the lowest:
//!
//! 1. the defaults of this page;
//! 2. the program's own defaults: [`service`](ConfigBuilder::service),
//!    [`default_exporter`](ConfigBuilder::default_exporter);
//! 3. the file;
//! 4. the standard variables of the environment;
//! 5. variables of the application's own, if it has a [prefix](ConfigBuilder::env_prefix);
//! 6. what the program pins: [`exporter`](ConfigBuilder::exporter),
//!    [`resource_attribute`](ConfigBuilder::resource_attribute) and such.
//!
//! # The file
//!
//! [`schema`](schema()) is a JSON Schema of it, for editors. [`Config::sources`] says of each value which source it is from.
//!
//! TOML of up to 4 MiB (with the Cargo feature `config`, which is on unless switched off) or, if its name ends with `.yaml`
//! or `.yml`, YAML of up to 1 MiB (with the Cargo feature `yaml`: version 1.2, its core schema). A file may
//! include 256 others, 16 MiB together. Words are written exactly as they stand here; only those of variables count in any
//! case. Everything is in the table `telemetry`; the other tables of the file belong to the application. A key that is not in this table is an
//! error.
//!
//! ```toml
//! [telemetry.exporters.central]
//! type = "otlp"
//! endpoint = "http://collector:4318"
//! auth = { bearer = "token" }
//! ```
//!
//! A text may refer to what stands elsewhere: `"${env:NAME}"` is a variable, `"${file:path}"` the content of a file (without line
//! breaks at its end, at most 64 KiB), which is looked for from the file that says it; behind `:-` may stand what counts if there
//! is none, as in `"${env:NAME:-default}"`. `$$` is the character `$`. Such a text may stand for a number and for true or false
//! too. What it refers to is never in a message; and of a text that may be a secret nothing but the references is, neither what
//! stands beside them nor a default. The paths of `tls` start from the file that says them too.
//!
//! | key | value | default |
//! | --- | --- | --- |
//! | `include` | a list of files that lie below this one, the later over the earlier; one that is included again counts once, where it is first; `*` and `?` may stand in the name of a file, not of a folder; up to 8 deep | `[]` |
//! | `enabled` | `false`: nothing runs, and no new series are recorded | `true` |
//! | `shutdown_timeout` | how long the final flush may take, a length of time, not 0 | `"5s"` |
//! | `on_sigterm` | `"auto"`, `"flush"`, `"exit"` or `"ignore"`, see [`OnSigterm`] | `"auto"` |
//! | `on_error` | `"fail"` or `"degrade"`, see [`OnError`] | `"fail"` |
//! | `self_metrics` | `false`: what exporters measure of themselves is not recorded, so that two scrapes of an idle program are the same bytes | `true` |
//! | `exemplars` | `"trace_based"`, `"always_on"` or `"always_off"`, see [`ExemplarFilter`] | `"trace_based"` |
//! | `resource` | a table of attributes: strings, booleans, integers, floats; not `telemetry.sdk.*` | see [`Resource`](crate::resource::Resource) |
//! | `views` | how metrics look in every exporter that is not private, below its own views: a list of tables, see below | `[]` |
//! | `buckets` | bounds of histograms that declare none: finite and increasing | by the unit |
//! | `cardinality_limit` | the most series that an exporter shows of each metric, at least 1 | none |
//! | `traces` | a table for traces, which `metercast-tracing` keeps and pushes, see below | |
//! | `instruments` | what is measured of requests, if the program has [stages](ConfigBuilder::stages) for them: see [below](#instruments) | `{}` |
//! | `exporters.NAME` | a table for each exporter; 1 to 64 of `A-Z a-z 0-9 _ -` | see below |
//! | `exporters.NAME.type` | `"prometheus"`, `"otlp"`, `"pushgateway"` or `"stdout"`; may be left out if the exporter is named so, or if the program describes it | |
//! | `exporters.NAME.enabled` | `false`: this exporter does not run; has no effect on one that the program pins | `true` |
//! | `exporters.NAME.env` | `true`: the standard variables shape this exporter too | `false` |
//! | `exporters.NAME.visibility` | which metrics it takes: `"public"`, `"private"` or `"both"` | `"public"` |
//! | `exporters.NAME.include`, `exclude` | lists of patterns such as `"http.*"` for names of metrics, see [`Filter`](crate::view::Filter) | `[]`: all |
//! | `exporters.NAME.include_scopes`, `exclude_scopes` | the same for instrumentation scopes | `[]`: all |
//! | `exporters.NAME.views`, `buckets`, `cardinality_limit` | as above, for this exporter | as above |
//!
//! Of an exporter of the type `prometheus`:
//!
//! | key | value | default |
//! | --- | --- | --- |
//! | `listen` | `host:port`; port 0 is any free one; no two exporters on the same | `"127.0.0.1:9464"` |
//! | `path` | where the page is, with a slash in front | `"/metrics"` |
//! | `any_path` | `true`: the page is under every path | `false` |
//! | `auth` | `{ bearer = "token" }`: lets in only who has the token | none |
//! | `tls` | `{ certificate = "tls.crt", key = "tls.key" }`: PEM files to encrypt with, read again when they change; needs the Cargo feature `tls` | none |
//! | `health` | whether the listener says how the program is, to everybody; see [`Health`](crate::Health) | `true`, or with `any_path` `false` |
//! | `liveness_path`, `readiness_path` | where it says that the program is alive, and whether it is ready | `"/-/healthy"`, `"/-/ready"` |
//! | `reload` | `true`: a POST to `/-/reload` reads file and environment again ([`Telemetry::reread`](crate::Telemetry::reread)), one to `/-/reload/plan` says what that would do; who may read the page may do so | `false` |
//! | `max_in_flight` | how many scrapes may be under way at once, 1 to 1000; others are answered 503 | `16` |
//! | `timeout` | how long a scrape may wait for its page before it is answered 503, a length of time, not 0 | `"10s"` |
//! | `live` | whether there is a page for people at `/`, with its data under `/live`: for programs on this machine, and for who has the token; needs the Cargo feature `live` | `true` with that feature |
//! | `live_history` | when that page begins to keep its history: `"first_use"`, or `"always"`, from the start; see [`LiveHistory`] | `"first_use"` |
//! | `live_lines` | how many lines of history there may be, 1 to 10000, each of 18,720 bytes | `300` |
//! | `profile` | `"otel"` or `"metrics-rs"`, see [`Profile`](crate::Profile) | `"otel"` |
//! | `strategy` | how names are translated, see [`Strategy`](crate::Strategy): `"UnderscoreEscapingWithSuffixes"`, `"UnderscoreEscapingWithoutSuffixes"`, `"NoUTF8EscapingWithSuffixes"` or `"NoTranslation"`; not beside the profile `"metrics-rs"` | the first |
//! | `namespace` | what stands in front of every name, and a `_` behind it; not of those that are complete for Prometheus already | none |
//! | `unit_suffix`, `total_suffix` | whether names end with their unit, those of counters with `_total` | as the strategy says |
//! | `scope_labels` | `true`: every line says which library measured | `false` |
//! | `target_info` | `true`: the page begins with the attributes of the resource | `false` |
//! | `resource_labels` | `"all"`, `"none"`, or a list of those attributes that stand on every line | `"none"` |
//! | `created` | `true`: OpenMetrics and protobuf say of each series when it began to count, in OpenMetrics by one more line | `false` |
//! | `exemplars` | `false`: no exemplars, though the format has them | `true` |
//!
//! Of an exporter of the type `otlp`:
//!
//! | key | value | default |
//! | --- | --- | --- |
//! | `preset` | a known receiver, such as `"grafana-cloud"`: see [`Preset`] | none |
//! | `endpoint` | a URL, base or full: `/v1/metrics` is added unless it is there; `https://` needs the Cargo feature `tls`; or a Unix socket, `unix:///run/otel.sock` | `"http://localhost:4318"`, with gRPC port 4317 |
//! | `protocol` | `"http/protobuf"`, `"http/json"` or, with the Cargo feature `grpc`, `"grpc"` | `"http/protobuf"` |
//! | `insecure` | `true`: a gRPC endpoint without a scheme is not encrypted | `false` |
//! | `interval` | from one push to the next, a length of time, not 0 | `"60s"` |
//! | `timeout` | for one push with all its attempts, a length of time; `"0s"` is no limit | `"10s"` |
//! | `compression` | `"gzip"`, `"none"` or, with the Cargo feature `zstd`, `"zstd"` | `"none"`, with a preset `"gzip"` |
//! | `tls` | `{ ca = "ca.pem", client_certificate = "me.pem", client_key = "me.key" }`, none of which must be there | the certificates that browsers trust, compiled in (the crate `webpki-roots`); those of the system are not read |
//! | `proxy` | `"http://user:password@host:port"` or `"none"` | as the environment says |
//! | `temporality` | `"cumulative"`, `"delta"` or `"lowmemory"`, see [`TemporalityPreference`] | `"cumulative"`, or the preset's |
//! | `histograms` | `"explicit"` or `"exponential"`, for those that do not say so themselves | `"explicit"` |
//! | `max_request_size` | the most bytes of a request before it is compressed, 4096 to 67108864; what is more is sent in several | 64 MiB, or what the preset's receiver takes |
//! | `auth` | `{ bearer = "token" }`, `{ basic = { user = "name", password = "word" } }` or, with a preset, `{ token = "key" }` | none |
//! | `dataset` | the name of a dataset, for a preset that has such | none |
//! | `headers` | a table, `{ "x-scope" = "a" }` | none |
//! | `resource` | which attributes of the resource are sent along: `"all"`, `"none"` or a list | `"all"` |
//!
//! Of an exporter of the type `pushgateway`, which needs the Cargo feature `otlp` and is for programs that no Prometheus
//! reaches (a batch job calls [`Pushgateway`](crate::Pushgateway) itself):
//!
//! | key | value | default |
//! | --- | --- | --- |
//! | `url` | that of the gateway, without `/metrics` | |
//! | `job` | the name of the job, a label of every series there | |
//! | `grouping` | a table of more labels, `{ instance = "host-1" }`; who has the same job and the same labels overwrites each other | none |
//! | `interval` | from one push to the next, a length of time, not 0 | `"60s"` |
//! | `timeout` | for one push, a length of time, not 0 | `"10s"` |
//! | `auth` | `{ bearer = "token" }` or `{ basic = { user = "name", password = "word" } }` | none |
//! | `tls`, `proxy` | as those of the type `otlp` | |
//! | `profile`, `strategy` and what follows them | as those of the type `prometheus`; the page is in text format 0.0.4 | |
//!
//! Of an exporter of the type `stdout`:
//!
//! | key | value | default |
//! | --- | --- | --- |
//! | `interval` | from one print to the next, a length of time, not 0 | `"10s"` |
//! | `resource` | which attributes of the resource are printed on every line: `"all"`, `"none"` or a list | `"none"` |
//!
//! Of an exporter that the program describes as its [own](Custom), which the file shapes by its name, without a type:
//!
//! | key | value | default |
//! | --- | --- | --- |
//! | `interval` | from one export to the next, a length of time, not 0 | `"60s"` |
//! | `resource` | which attributes of the resource are sent along: `"all"`, `"none"` or a list | `"all"` |
//!
//! Of `traces`, which there are if there is an `endpoint`, from whichever source, or if `enabled` is `true`:
//!
//! | key | value | default |
//! | --- | --- | --- |
//! | `enabled` | whether there are traces | whether there is an endpoint |
//! | `endpoint` | as that of the type `otlp`, with `/v1/traces` | `"http://localhost:4318"`, with gRPC port 4317 |
//! | `sampler` | which traces are kept, see [`Sampler`]: `"always_on"`, `"always_off"`, `"traceidratio"`, or one of these with `parentbased_` in front | `"parentbased_always_on"` |
//! | `sampler_arg` | the part that is kept, 0 to 1, for the samplers by ratio | `1` |
//! | `filter` | which spans there are, such as `"info,hyper=off"`: levels, and levels of targets; it says nothing of what is logged | `"info"` |
//! | `max_queue_size` | how many spans may wait; more are dropped and counted | `2048` |
//! | `max_batch_size` | how many spans are pushed at once | `512` |
//! | `limits` | how much a span may have: `{ attributes = 128, events = 128, links = 128, event_attributes = 128, link_attributes = 128, value_length = 256 }` | 128, and texts of any length |
//! | `interval` | from one push to the next, unless a batch is full before | `"5s"` |
//! | `protocol`, `insecure`, `timeout`, `compression`, `tls`, `proxy`, `max_request_size`, `auth`, `headers`, `resource` | as those of the type `otlp` | |
//!
//! A view says which metrics it is about, and what becomes of them; see [`View`](crate::view::View). Views of a higher source
//! stand behind those of a lower. Those that select:
//!
//! | key | value |
//! | --- | --- |
//! | `name`, `scope` | a pattern such as `"http.*"` for the name of the metric, of its instrumentation scope |
//! | `scope_version` | the version of the scope |
//! | `kind` | `"counter"`, `"up_down_counter"`, `"gauge"`, `"histogram"` or `"summary"` |
//! | `observable` | whether callbacks say the values |
//! | `unit_is` | the unit that the program declares; `""` is none |
//! | `visibility` | `"public"` or `"private"` |
//!
//! Those that change something, at least one of which must be there:
//!
//! | key | value |
//! | --- | --- |
//! | `rename` | another name; `name` is the whole name of one metric then |
//! | `alias` | a second name, under which the metric is shown once more; not beside `rename`; `name` likewise |
//! | `description`, `unit` | another description, another unit, in UCUM, to which values are converted |
//! | `keep_labels`, `drop_labels` | lists of patterns for the keys of labels |
//! | `rename_labels` | a table, `{ "http.route" = "route" }`; after labels were kept and dropped |
//! | `exemplar_labels` | whether the labels that this view takes stay with exemplars; if several views take some, each must say so |
//! | `buckets` | bounds for a histogram: finite and increasing |
//! | `exponential` | `true`, or `{ max_size = 160, max_scale = 20 }`: buckets that follow the values |
//! | `aggregation` | `"drop"`: the metric is left out; `"default"`: undoes what an earlier view says of it and of buckets |
//! | `gauges` | what stands for several gauges whose labels become equal: `"newest"`, `"sum"`, `"min"` or `"max"` |
//! | `cardinality_limit` | the most series of this metric, at least 1 |
//!
//! A length of time is a whole number and a unit: `"500ms"`, `"60s"`, `"5m"`, `"2h"`; at most a year.
//!
//! # Instruments
//!
//! The table `instruments` has a table for each [stage](crate::dynamic) of the program, and in it an instrument under each name:
//!
//! ```toml
//! [telemetry.instruments]
//! default_requirement_level = "recommended"
//!
//! [telemetry.instruments.router]
//! "http.server.active_requests" = true
//! "http.server.request.duration" = { attributes = { "http.route" = false, "http.request.method" = { alias = "method" } } }
//!
//! [telemetry.instruments.router."acme.slow"]
//! type = "histogram"
//! value = "duration"
//! unit = "ms"
//! condition = { all = [{ eq = [200, { response_status = "code" }] }, { exists = { request_header = "x-tenant" } }] }
//! attributes = { tenant = { request_header = "x-tenant" }, region = { env = "REGION", default = "none" } }
//! ```
//!
//! | key | value | default |
//! | --- | --- | --- |
//! | `default_requirement_level` | which attributes a standard instrument has of which nothing is said: `"none"`, `"required"` or `"recommended"`, see [`Level`](crate::dynamic::Level) | `"required"` |
//! | `STAGE.NAME`, of an instrument that the stage knows | `true`, `false`, or a table with `attributes` and `condition`; an attribute is `true`, `false`, `{ alias = "name" }`, or a selector, also under a key of one's own | `false`, unless the program says otherwise |
//! | `STAGE.NAME`, of any other | a table with the keys that follow; a name that the program measures under itself is an error | |
//! | `type` | `"counter"`, `"up_down_counter"`, `"gauge"` or `"histogram"`; a name keeps its type, its unit and its description as long as the program runs, and another type or unit is an error | |
//! | `value` | `"unit"` (one for each request; an up-down counter is up as long as it lasts), `"duration"`, `"event_unit"`, `"event_duration"` (since the event before), `"field_unit"`, a selector, `{ event_custom = SELECTOR }` or `{ field_custom = SELECTOR }`. What a selector finds is a number, or a text that is one, or nothing is recorded | |
//! | `unit` | in UCUM; a duration is converted to it, and it is then `"s"`, `"ms"`, `"us"` or `"ns"` | `""`, of a duration `"s"` |
//! | `description` | what it measures, in words | `""` |
//! | `attributes` | up to 32 labels, each a selector | `{}` |
//! | `condition` | what must hold for it to record | `true` |
//!
//! A selector is a table with one of the names that the stage has, such as `{ request_header = "x-tenant" }`, or everywhere
//! `{ static = "value" }`, `{ env = "VARIABLE" }` (read with the file) or `{ duration = true }`. Beside it may stand `default`, which counts
//! where there is no value, and for an attribute `redact`: `true`, or a pattern such as `"*@*"`; what matches is shown as `***`.
//!
//! A condition is `true`, `false`, `{ eq = [A, B] }`, `{ gt = [A, B] }`, `{ lt = [A, B] }`, `{ exists = SELECTOR }`, `{ all = [...] }`,
//! `{ any = [...] }` or `{ not = CONDITION }`, up to 16 deep; A and B are selectors or values, not both values. A number is compared with a
//! number, also where that stands in a text; two texts are equal if their letters are; what has no value is neither equal, nor more,
//! nor less. It is looked at as soon as its values are there: if a request is broken off while it is still open, nothing is recorded. A value that comes too late for what is recorded,
//! such as the status for an up-down counter, is an error. Of a condition on events it is enough that it holds at one of them.
//!
//! # Which exporters there are
//!
//! Those that the program or the file names. If neither names any, there is the standard exporter
//! `prometheus`. The environment adds the standard exporter `otlp` if it has an endpoint for it; and if
//! `OTEL_METRICS_EXPORTER` is set, it alone decides which of the standard exporters `otlp`, `prometheus` and `stdout`
//! there are beside those that the file names or the program pins. [`without_exporter`](ConfigBuilder::without_exporter) has
//! the last word.
//!
//! # The environment
//!
//! An empty variable is unset. Numbers and words that cannot be used are warned of and passed over; a URL, a
//! header or a host that cannot be used is an error, and so is what this build has no Cargo feature for. Numbers are
//! milliseconds. Words count in any case.
//!
//! | variable | value |
//! | --- | --- |
//! | `OTEL_SDK_DISABLED` | `true`: nothing is recorded, nothing runs, and no problem elsewhere is an error |
//! | `OTEL_CONFIG_FILE` | a declarative file of OpenTelemetry, with the Cargo feature `yaml`; no other variable of OpenTelemetry counts beside it |
//! | `OTEL_SERVICE_NAME` | `service.name`; wins over the next |
//! | `OTEL_RESOURCE_ATTRIBUTES` | `key=value,key2=value2`, percent-encoded; one error and the whole variable is ignored |
//! | `OTEL_METRICS_EXPORTER` | a list of `otlp`, `prometheus` and `console`, which is the exporter `stdout`; or `none` |
//! | `OTEL_METRICS_EXEMPLAR_FILTER` | `trace_based`, `always_on` or `always_off` |
//!
//! These shape the exporter `otlp` unless a file names it, and any that has `env = true`:
//!
//! | variable | value |
//! | --- | --- |
//! | `OTEL_EXPORTER_OTLP_METRICS_ENDPOINT` | the full URL, used as it is; no path is `/` |
//! | `OTEL_EXPORTER_OTLP_ENDPOINT` | the base URL, as in a file |
//! | `OTEL_EXPORTER_OTLP_METRICS_PROTOCOL`, `OTEL_EXPORTER_OTLP_PROTOCOL` | `http/protobuf`, `http/json` or `grpc` |
//! | `OTEL_EXPORTER_OTLP_METRICS_INSECURE`, `OTEL_EXPORTER_OTLP_INSECURE` | `true`: gRPC to an endpoint without a scheme is not encrypted |
//! | `OTEL_EXPORTER_OTLP_METRICS_HEADERS`, `OTEL_EXPORTER_OTLP_HEADERS` | `name=value,name2=value2`, the values percent-encoded |
//! | `OTEL_EXPORTER_OTLP_METRICS_COMPRESSION`, `OTEL_EXPORTER_OTLP_COMPRESSION` | `gzip`, `none` or, which is no standard, `zstd` |
//! | `OTEL_EXPORTER_OTLP_METRICS_TIMEOUT`, `OTEL_EXPORTER_OTLP_TIMEOUT` | for one push with all its attempts; 0 is no limit |
//! | `OTEL_EXPORTER_OTLP_METRICS_CERTIFICATE`, `OTEL_EXPORTER_OTLP_CERTIFICATE` | a PEM file with what is trusted |
//! | `OTEL_EXPORTER_OTLP_METRICS_CLIENT_CERTIFICATE`, `OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE` | a PEM file to show who we are |
//! | `OTEL_EXPORTER_OTLP_METRICS_CLIENT_KEY`, `OTEL_EXPORTER_OTLP_CLIENT_KEY` | a PEM file with the private key to it |
//! | `OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE` | `cumulative`, `delta` or `lowmemory` |
//! | `OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION` | `explicit_bucket_histogram` or `base2_exponential_bucket_histogram` |
//! | `OTEL_METRIC_EXPORT_INTERVAL` | from one push to the next, not 0; it shapes the exporters `stdout` and `pushgateway` too |
//! | `OTEL_METRIC_EXPORT_TIMEOUT` | a second limit for one push: the shorter of the two counts; 0 or unset is no second limit |
//!
//! These shape traces; of `OTEL_EXPORTER_OTLP_TRACES_*` there are all that stand above with `METRICS`, but for temporality and
//! aggregation, and instead of those without either. What is wrong with them is no error: then there are no traces, and
//! [`Config::traces_problem`] says why. See [`environment_for_traces_alone`](ConfigBuilder::environment_for_traces_alone) too.
//!
//! | variable | value |
//! | --- | --- |
//! | `OTEL_TRACES_EXPORTER` | `otlp`: there are traces, also without an endpoint; `none`: there are none |
//! | `OTEL_TRACES_SAMPLER`, `OTEL_TRACES_SAMPLER_ARG` | as `sampler` and `sampler_arg` |
//! | `OTEL_BSP_SCHEDULE_DELAY` | from one push to the next |
//! | `OTEL_BSP_EXPORT_TIMEOUT` | a second limit for one push: the shorter of the two counts; 0 or unset is no second limit |
//! | `OTEL_BSP_MAX_QUEUE_SIZE`, `OTEL_BSP_MAX_EXPORT_BATCH_SIZE` | how many spans may wait, and go at once |
//! | `OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT`, `OTEL_SPAN_EVENT_COUNT_LIMIT`, `OTEL_SPAN_LINK_COUNT_LIMIT` | how much a span may have |
//! | `OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT`, `OTEL_LINK_ATTRIBUTE_COUNT_LIMIT`, `OTEL_ATTRIBUTE_COUNT_LIMIT` | how many attributes events and links may have; the last is for these and for spans |
//! | `OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT`, `OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT` | how long texts may be, in characters |
//!
//! Where two variables stand in a row the first replaces the second, unless it is a word or a number that cannot be used.
//! These shape the exporter `prometheus` unless a file names it, and any that has `env = true`:
//!
//! | variable | value |
//! | --- | --- |
//! | `OTEL_EXPORTER_PROMETHEUS_HOST` | the host to listen on |
//! | `OTEL_EXPORTER_PROMETHEUS_PORT` | the port to listen on |
//!
//! And this what measures HTTP, unless the program says it; see [`known_http_methods`]:
//!
//! | variable | value |
//! | --- | --- |
//! | `OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS` | the methods that are told apart, with commas; all others are `_OTHER` |
//!
//! And these every push, unless its exporter says what its proxy is; of each the lower-case spelling wins. Loopback
//! and Unix sockets are reached directly.
//!
//! | variable | value |
//! | --- | --- |
//! | `HTTPS_PROXY`, `HTTP_PROXY` | the proxy for `https://` and for `http://`; the second is not read in a CGI program, where it may be a stranger's |
//! | `ALL_PROXY` | the proxy where there is none of these |
//! | `NO_PROXY` | hosts, domains, addresses and blocks of addresses that are reached directly; `*` is all |
//!
//! With [`env_prefix("SHOP")`](ConfigBuilder::env_prefix) there are variables for the keys of a file, such as
//! `SHOP__EXPORTERS__CENTRAL__ENDPOINT`. What cannot be used in these is an error.
//!
//! # OpenTelemetry's declarative files
//!
//! With the Cargo feature `yaml`, the file that `OTEL_CONFIG_FILE` names, or
//! [`declarative_file`](ConfigBuilder::declarative_file), is read in the versions 1.0 and 1.1 of its schema: `resource`, and
//! `meter_provider` with its readers, views and meters; what only metercast has stands under `distribution.metercast`. It counts
//! as a file above ours. `docs/declarative.md` says of every key what becomes of it. Such a file may have 1 MiB.
//!
//! # Files of other applications
//!
//! A [`Mapping`] says which keys of another application's file are which of ours, so that its operators need not change it;
//! [`Mapping::payjoin`], [`Mapping::osapi`] and [`Mapping::gateway`] are there. See [`ConfigBuilder::mapping`].
//!
//! # What exporters say of themselves
//!
//! With the labels `otel.component.name` (the exporter's name) and `otel.component.type`, by the semantic conventions:
//!
//! | metric | kind | what |
//! | --- | --- | --- |
//! | `otel.sdk.exporter.metric_data_point.exported` | counter | points handed over, or with `error.type` not; of a page its series, at each scrape |
//! | `otel.sdk.exporter.metric_data_point.inflight` | up-down counter | points on their way |
//! | `otel.sdk.exporter.operation.duration` | histogram, s | exports, failed ones with `error.type` |
//! | `otel.sdk.metric_reader.collection.duration` | histogram, s | readings of the store |
//! | `metercast.exporter.failures` | counter | exports that failed; 0 once one was tried |
//! | `metercast.exporter.last_success` | gauge, s since 1970 | the last export that succeeded, or the last scrape |
//! | `metercast.exporter.series.overflowed` | gauge | with `metric`: series that a limit of the exporter had no room for at its last reading; they are one with `otel.metric.overflow` |
//! | `metercast.config.last_reload_successful` | gauge | without labels: 1, or 0 if the last reload was refused, or the program panicked at its part of it; once there was one, or from the start if anybody but the program may reload |
//! | `metercast.config.last_reload_success_timestamp` | gauge, s since 1970 | without labels: when that was last successful |
//!
//! Of a page there are its points, the readings and when the last was; the rest its scraper knows better. `self_metrics = false`
//! switches all of them off.

// From what is asked to what is answered: the sources, how they are laid over each other, what that comes to,
mod builder;
mod complete;
#[cfg(feature = "yaml")]
mod declarative;
mod env;
#[cfg(feature = "config")]
mod file;
mod files;
mod instruments;
#[cfg(feature = "config")]
mod keys;
mod layer;
#[cfg(feature = "config")]
mod mapping;
mod process;
#[cfg(feature = "config")]
mod read;
mod resolve;
#[cfg(feature = "config")]
mod schema;
#[cfg(feature = "config")]
mod substitute;
#[cfg(feature = "config")]
mod syntax;
#[cfg(feature = "config")]
mod toml;
#[cfg(feature = "config")]
mod translation;
#[cfg(feature = "config")]
mod tree;
#[cfg(feature = "yaml")]
mod yaml;

// the settings,
mod connection;
mod custom;
mod exporter;
mod gateway;
mod listener;
mod live_history;
mod otlp;
mod page;
mod prometheus;
mod pushgateway;
mod server_tls;
mod signal;
mod stdout;
mod traces;

// the values that they are made of,
mod address;
mod auth;
mod duration;
mod endpoint;
mod exemplars;
mod filled;
#[cfg(feature = "config")]
mod filling;
mod has;
mod headers;
mod on_error;
mod on_sigterm;
mod pem_file;
mod percent;
mod projection;
mod proxy;
mod resource_attributes;
mod secret;
mod url;

// where they are said, and what there is to say about them.
mod error;
mod place;
mod sources;
mod suggest;

#[cfg(test)]
mod tests;

pub use crate::ExemplarFilter;
#[cfg(any(feature = "otlp", feature = "live"))]
pub(crate) use auth::from_base64;
#[cfg(feature = "otlp")]
pub(crate) use auth::{base64, basic, bearer};
pub use builder::ConfigBuilder;
pub use complete::Config;
pub(crate) use custom::SharedExporter;
pub use custom::{Custom, CustomConfig};
pub use endpoint::Endpoint;
pub use env::known_http_methods;
pub use error::{ConfigError, Problem};
pub use exporter::{Exporter, ExporterConfig};
#[cfg(feature = "otlp")]
pub(crate) use gateway::{Gateway, check_job, check_label};
pub use listener::ListenerConfig;
#[cfg(feature = "serve")]
pub(crate) use listener::{PLAN, RELOAD};
pub use live_history::LiveHistory;
#[cfg(feature = "config")]
pub use mapping::{Conversion, Mapping};
pub use on_error::OnError;
pub use on_sigterm::OnSigterm;
pub use otlp::{
    Compression, HistogramAggregation, Otlp, OtlpConfig, Preset, Protocol, TemporalityPreference, TlsConfig,
};
pub use prometheus::{Prometheus, PrometheusConfig};
pub use proxy::ProxyConfig;
pub use pushgateway::{Pushgateway, PushgatewayConfig};
pub use resource_attributes::ResourceAttributes;
#[cfg(feature = "config")]
pub use schema::{schema, schema_of};
#[cfg(feature = "otlp")]
pub(crate) use secret::Secret;
pub use server_tls::ServerTls;
#[cfg(all(feature = "serve", feature = "tls"))]
pub(crate) use server_tls::{ServerPem, Stamp};
#[cfg(feature = "otlp")]
pub(crate) use signal::Signal;
pub use sources::{Setting, Source, Sources};
pub(crate) use stdout::Writer;
pub use stdout::{Stdout, StdoutConfig};
pub use traces::{Sampler, SpanLimits, Traces, TracesConfig};
