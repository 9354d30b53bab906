//! `metercast grafana`, `alerts` and `k8s`: what they print of the services and of programs that are odd, held against Grafana's rules and
//! Prometheus' own tools.

#[expect(dead_code, reason = "pages are for others")]
#[path = "../judge/support.rs"]
mod support;

mod catalogue;
mod dashboard;

mod alerts;
mod kubernetes;
mod mistakes;
mod objectives;
mod odd;
mod schema;
mod services;
