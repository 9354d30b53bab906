//! What clients counted beside what services say, and beside what the collector was told: they are the same numbers.

use std::fmt;

use conformance::page::Page;

use crate::stage::Stage;
use crate::tally::Tally;

/// A number that two sides know.
#[derive(Clone, Debug, PartialEq)]
pub struct Agreement {
    /// What it is.
    pub what: String,
    /// What clients counted.
    pub counted: f64,
    /// What is said of it.
    pub said: f64,
}

impl Agreement {
    fn new(what: impl Into<String>, counted: u64, said: Option<f64>) -> Agreement {
        Agreement { what: what.into(), counted: counted as f64, said: said.unwrap_or(0.0) }
    }

    /// Whether both say the same.
    pub fn holds(&self) -> bool {
        self.counted == self.said
    }

    /// All numbers that stand on pages, once nobody asks any more.
    ///
    /// # Panics
    ///
    /// If a page is not there.
    pub fn of_pages(stage: &Stage, tally: &Tally) -> Vec<Agreement> {
        let mut all = relay(stage, tally);
        all.extend(executor(&Page::get(&stage.addresses.executor_page), tally));
        all.extend(job_server(stage, tally));
        all.extend(router(&Page::get(&stage.addresses.router_page), tally));
        all
    }

    /// All numbers that the collector was told, once those have ended who tell it.
    pub fn of_collector(stage: &Stage, tally: &Tally) -> Vec<Agreement> {
        let pushed = stage.collector.pushed();
        let sum = |by: &str, name: &str, labels: &[(&str, &str)]| pushed.sum(by, name, labels);
        let mut all = Vec::new();
        let mut answered = 0;
        for (service, what, number) in tally.each() {
            let words: Vec<&str> = what.split(' ').collect();
            if let ("mailroom", [method, endpoint, status]) = (service, &words[..]) {
                answered += number;
                let labels = [("method", *method), ("endpoint", *endpoint), ("status_code", *status)];
                let said = sum("mailroom", "http_requests_total", &labels);
                all.push(Agreement::new(format!("mailroom, pushed: {what}"), number, said));
            }
        }
        let of_mailroom = |what: &str| tally.get("mailroom", what);
        for version in ["1", "2"] {
            let said = sum("mailroom", "db_entries_total", &[("version", version)]);
            let counted = of_mailroom(&format!("(entry {version})"));
            all.push(Agreement::new(
                format!("mailroom, pushed: entries of version {version}"),
                counted,
                said,
            ));
        }
        all.extend([
            Agreement::new(
                "mailroom, pushed: requests that were answered",
                answered,
                sum("mailroom", "http_requests_total", &[]),
            ),
            Agreement::new(
                "mailroom, pushed: requests that were started",
                answered,
                sum("mailroom", "http_requests_started_total", &[]),
            ),
            Agreement::new(
                "mailroom, pushed: requests in flight",
                0,
                sum("mailroom", "http_requests_in_flight", &[]),
            ),
            Agreement::new(
                "mailroom, pushed: tunnels that were refused",
                of_mailroom("GET /{gateway} 503"),
                sum("mailroom", "bootstrap_tunnel_shed_total", &[]),
            ),
            Agreement::new("mailroom, pushed: tunnels", 0, sum("mailroom", "bootstrap_active_tunnels", &[])),
        ]);
        let of_executor = |what: &str| tally.get("executor", what);
        for status in ["completed", "failed"] {
            let said = sum("executor", "executor.execution.outcomes", &[("status", status)]);
            let counted = of_executor(&format!("execution {status}"));
            all.push(Agreement::new(format!("executor, pushed: executions that {status}"), counted, said));
        }
        let said = sum("executor", "executor.tool_calls", &[]);
        all.push(Agreement::new("executor, pushed: calls of tools", tally.sum("executor", "(tool "), said));
        for status in ["200", "404", "500"] {
            let counted = tally.get("router", &format!("answer {status}"));
            for by in ["router", "vendor"] {
                let said = sum(by, "gateway.operations", &[("http.response.status_code", status)]);
                all.push(Agreement::new(
                    format!("router, pushed to its {by}: answers {status}"),
                    counted,
                    said,
                ));
            }
        }
        all.extend([
            Agreement::new(
                "router, pushed: requests, by an instrument of its configuration",
                tally.sum("router", ""),
                sum("router", "acme.requests", &[]),
            ),
            Agreement::new(
                "router, pushed to its vendor: calls of upstreams that were answered",
                stage.upstream.calls_of(&["items.", "status."]),
                sum("vendor", "gateway.operations.fetch", &[]),
            ),
            Agreement::new(
                "router, pushed: open connections",
                0,
                sum("router", "gateway.open_connections", &[]),
            ),
        ]);
        all
    }
}

fn relay(stage: &Stage, tally: &Tally) -> Vec<Agreement> {
    let page = Page::get(&stage.addresses.relay_page);
    let of = |what: &str| tally.get("relay", what);
    let stored = ["1", "7", "other"].map(|kind| of(&format!("event {kind} stored"))).iter().sum::<u64>()
        + of("workflow 202");
    let refused = ["1", "7", "other"].map(|kind| of(&format!("event {kind} database"))).iter().sum::<u64>();
    let strangers = of("(auth nip42_invalid)");
    let mut all = Vec::new();
    let mut add = |what: &str, counted: u64, name: &str, labels: &[&str]| {
        all.push(Agreement::new(format!("relay: {what}"), counted, page.sum(name, labels)));
    };
    add("connections", of("connection"), "buzz_ws_connections_total", &[]);
    add("connections that are open", 0, "buzz_ws_connections_active", &[]);
    add("subscriptions that are open", 0, "buzz_subscriptions_active", &[]);
    add(
        "clients that were sent away since they did not read",
        0,
        "buzz_ws_backpressure_disconnects_total",
        &[],
    );
    add("clients who said who they are", of("connection"), "buzz_auth_attempts_total", &[]);
    add("strangers", strangers, "buzz_auth_failures_total", &["reason=\"nip42_invalid\""]);
    for kind in ["1", "7", "other"] {
        let label = format!("kind=\"{kind}\"");
        add(
            &format!("events of kind {kind}"),
            tally.sum("relay", &format!("event {kind} ")),
            "buzz_events_received_total",
            &[&label],
        );
        add(
            &format!("events of kind {kind} that were kept"),
            of(&format!("event {kind} stored")),
            "buzz_events_stored_total",
            &[&label],
        );
    }
    add(
        "events of workflows",
        tally.sum("relay", "workflow "),
        "buzz_events_received_total",
        &["kind=\"9000\""],
    );
    add("workflows", tally.sum("relay", "workflow "), "buzz_workflow_runs_total", &[]);
    add(
        "events of workflows that were kept",
        of("workflow 202"),
        "buzz_events_stored_total",
        &["kind=\"9000\""],
    );
    add(
        "events that the database did not take",
        refused + of("workflow 502"),
        "buzz_events_rejected_total",
        &["reason=\"database\""],
    );
    add("events that were refused", refused + of("workflow 502"), "buzz_events_rejected_total", &[]);
    add("events that were handed out", stored, "buzz_fanout_recipients_count", &[]);
    add("events that clients got", of("(delivered)"), "buzz_fanout_recipients_sum", &[]);
    add("files", of("upload 201"), "buzz_media_uploads_total", &[]);
    for (what, action) in
        [("item", "/api/items/{id}"), ("upload", "/api/media"), ("workflow", "/api/workflows/{trigger}")]
    {
        for code in ["200", "201", "202", "502"] {
            let labels = [format!("code=\"{code}\""), format!("action=\"{action}\"")];
            let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
            add(&format!("{action} {code}"), of(&format!("{what} {code}")), "http_requests_total", &labels);
        }
    }
    let sum = |name: &str| page.sum(name, &[]).unwrap_or(0.0);
    // What Redis did not take is a line of the log.
    let untold = stage
        .service("relay")
        .said()
        .iter()
        .filter(|line| line.contains("were not told of an event"))
        .count();
    all.push(Agreement::new(
        "relay: events that other nodes were told of, and those that they were not",
        stored,
        Some(sum("buzz_multinode_fanout_total") + untold as f64),
    ));
    all.push(Agreement::new(
        "relay: entries of the audit log, and those that found no room",
        stored + of("upload 201"),
        Some(sum("buzz_audit_log_seconds_count") + sum("buzz_audit_send_errors_total")),
    ));
    all
}

fn executor(page: &Page, tally: &Tally) -> Vec<Agreement> {
    let of = |what: &str| tally.get("executor", what);
    let executions = tally.sum("executor", "execution ");
    let mut all = Vec::new();
    let mut add = |what: &str, counted: u64, name: &str, labels: &[&str]| {
        all.push(Agreement::new(format!("executor: {what}"), counted, page.sum(name, labels)));
    };
    for status in ["completed", "failed"] {
        let label = format!("status=\"{status}\"");
        let counted = of(&format!("execution {status}"));
        add(&format!("executions that {status}"), counted, "executor_execution_outcomes", &[&label]);
    }
    add(
        "executions, those included that were broken off",
        executions,
        "executor_execution_duration_ms_count",
        &[],
    );
    add("executions that were begun", executions, "executor_trigger", &[]);
    add("executions by schedule", of("execution broken off"), "executor_trigger", &["bucket=\"schedule\""]);
    add("executions that run", 0, "executor_executions_active", &[]);
    for tool in ["ok", "broken", "wait"] {
        let label = format!("namespace=\"{tool}\"");
        add(
            &format!("calls of tools of {tool}"),
            of(&format!("(tool {tool})")),
            "executor_tool_calls",
            &[&label],
        );
    }
    all
}

fn job_server(stage: &Stage, tally: &Tally) -> Vec<Agreement> {
    let (controller, agent) =
        (Page::get(&stage.addresses.controller_page), Page::get(&stage.addresses.agent_page));
    let mut all = Vec::new();
    for method in ["POST", "GET"] {
        for status in ["200", "201", "404", "503"] {
            let labels = [format!("method=\"{method}\""), format!("status=\"{status}\"")];
            let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
            let counted = tally.get("osapi", &format!("{method} {status}"));
            let said = controller.sum("http_server_request_total", &labels);
            all.push(Agreement::new(format!("controller: {method} {status}"), counted, said));
        }
    }
    all.extend([
        Agreement::new(
            "controller: jobs that were taken",
            tally.get("osapi", "POST 201"),
            controller.sum("osapi_jobs_created_total", &[]),
        ),
        Agreement::new(
            "controller: jobs that were taken, and are done",
            tally.get("osapi", "POST 201"),
            Some(tally.sum("osapi", "(job ") as f64),
        ),
        Agreement::new("controller: requests", 0, controller.sum("http_server_active_requests", &[])),
        Agreement::new("agent: jobs that are worked on", 0, agent.sum("osapi_jobs_active", &[])),
    ]);
    all
}

fn router(page: &Page, tally: &Tally) -> Vec<Agreement> {
    let mut all = Vec::new();
    for status in ["200", "404", "500"] {
        let label = format!("http_response_status_code=\"{status}\"");
        let counted = tally.get("router", &format!("answer {status}"));
        let said = page.sum("gateway_operations_total", &[&label]);
        all.push(Agreement::new(format!("router: answers {status}"), counted, said));
    }
    all.extend([
        Agreement::new(
            "router: answers",
            tally.sum("router", "answer "),
            page.sum("gateway_operations_total", &[]),
        ),
        Agreement::new(
            "router: requests, by an instrument of its configuration",
            tally.sum("router", ""),
            page.sum("acme_requests_total", &[]),
        ),
        Agreement::new("router: requests now", 0, page.sum("http_server_active_requests", &[])),
        Agreement::new("router: connections now", 0, page.sum("gateway_open_connections", &[])),
    ]);
    all
}

impl fmt::Display for Agreement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.holds() { '=' } else { '!' };
        write!(f, "{:>8} {sign} {:<8} {}", self.counted, self.said, self.what)
    }
}
