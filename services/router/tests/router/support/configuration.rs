//! The gateway's configuration file, put together for a test.

/// What a test may choose; the rest is that of the scenario.
#[derive(Clone, Debug)]
pub(crate) struct Yaml {
    pub(crate) upstream: String,
    /// Where the vendor's collector is, if there is one.
    pub(crate) vendor: Option<String>,
    /// Where the user's collector is.
    pub(crate) user: String,
    pub(crate) token: String,
    pub(crate) listen: String,
    pub(crate) resource_selector: &'static str,
    /// What stands under `views`, each line as it is in the file.
    pub(crate) views: String,
    /// What is defined for requests of clients beside what the scenario has, each line as it is in the file.
    pub(crate) instruments: String,
    /// The names of the upstreams whose answers are kept.
    pub(crate) cached: Vec<&'static str>,
    /// What stands at the end, as it is.
    pub(crate) rest: String,
}

impl Yaml {
    /// That of the scenario.
    pub(crate) fn new(upstream: &str, user: &str, vendor: &str) -> Yaml {
        Yaml {
            upstream: upstream.to_owned(),
            vendor: Some(vendor.to_owned()),
            user: user.to_owned(),
            token: "first".to_owned(),
            listen: "127.0.0.1:0".to_owned(),
            resource_selector: "none",
            views: String::new(),
            instruments: String::new(),
            cached: Vec::new(),
            rest: String::new(),
        }
    }

    /// The text of the file.
    pub(crate) fn text(&self) -> String {
        let Yaml { upstream, user, token, listen, resource_selector, rest, .. } = self;
        let vendor = match &self.vendor {
            Some(vendor) => format!("private: {{endpoint: \"{vendor}\", interval: 1s}}\n"),
            None => String::new(),
        };
        let cached: Vec<String> = self.cached.iter().map(|name| format!("{name}: true")).collect();
        let cached = cached.join(", ");
        let instruments: String = self.instruments.lines().map(|line| format!("        {line}\n")).collect();
        let views = match self.views.trim_end() {
            "" => "        views: []\n".to_owned(),
            views => {
                let lines: Vec<String> = views.lines().map(|line| format!("          {line}\n")).collect();
                format!("        views:\n{}", lines.concat())
            }
        };
        format!(
            "upstreams: {{accounts: \"{upstream}\", products: \"{upstream}/products\"}}
cache: {{{cached}}}
{vendor}telemetry:
  exporters:
    metrics:
      common:
        service_name: router
        resource: {{environment.name: test}}
        buckets: [0.1, 1, 10]
        cardinality_limit: 2000
{views}      prometheus: {{enabled: true, listen: \"{listen}\", path: /metrics, resource_selector: {resource_selector}}}
      otlp:
        enabled: true
        endpoint: \"{user}\"
        protocol: http
        temporality: delta
        http: {{headers: {{authorization: \"Bearer {token}\"}}}}
        batch_processor: {{scheduled_delay: 1s, max_export_timeout: 5s}}
{rest}  instrumentation:
    instruments:
      default_requirement_level: required
      router:
        http.server.request.duration: true
        http.server.active_requests: true
        acme.requests: {{value: unit, type: counter, unit: \"{{request}}\", description: All requests}}
        acme.slow:
          value: duration
          type: histogram
          unit: ms
          description: Duration of successful requests
          condition: {{eq: [200, {{response_status: code}}]}}
        acme.cost: {{value: {{response_header: x-cost}}, type: histogram, unit: \"{{cost}}\", description: Cost header}}
        acme.get_user:
          value: unit
          type: counter
          unit: \"{{request}}\"
          description: GetUser calls that did not fail
          condition:
            all:
              - exists: {{request_header: x-operation}}
              - eq: [GetUser, {{request_header: x-operation}}]
              - not: {{eq: [500, {{response_status: code}}]}}
          attributes: {{op: {{request_header: x-operation, default: none}}}}
        acme.queue: {{value: {{response_header: x-queue}}, type: gauge, unit: \"{{item}}\", description: Items that wait}}
{instruments}      subgraph:
        http.client.request.duration: {{attributes: {{subgraph.name: true}}}}
"
        )
    }
}
