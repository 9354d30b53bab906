//! What the executor measures. In the cloud each series has its tenant; whoever asks sees his own, without that label.

use metercast_tower::{labels, metrics};

labels! {
    /// How an execution ended.
    pub(crate) enum Status { Completed, Failed }
    /// What made an execution begin.
    pub(crate) one_of Trigger { "manual", "schedule", "webhook" } else "other"
}

metrics! {
    /// Number of executions by how they ended
    pub(crate) static OUTCOMES: Counter<u64> = "executor.execution.outcomes" {
        labels: { status: Status, tenant: Option<&str> }
    };
    /// Duration of executions, those included that were broken off
    pub(crate) static EXECUTION_DURATION: Histogram<f64> = "executor.execution.duration_ms" {
        unit: "ms",
        buckets: [10, 20, 40, 80, 160, 320, 640, 1280, 2560, 5120, 10240, 20480, 40960, 81920],
        labels: { tenant: Option<&str> }
    };
    /// Executions that run now
    pub(crate) static ACTIVE: UpDownCounter<i64> = "executor.executions.active" { labels: { tenant: Option<&str> } };
    /// Number of executions by what made them begin
    pub(crate) static TRIGGERS: Frequency<u64> = "executor.trigger" { labels: { bucket: Trigger, tenant: Option<&str> } };
    /// Number of tool invocations
    // Callers choose the path; `names` bounds how many of them are told apart.
    pub(crate) static TOOL_CALLS: Counter<u64> = "executor.tool_calls" {
        labels: { tool_path: &str, namespace: &str, tenant: Option<&str> }
    };
    /// Duration of tool invocations
    pub(crate) static TOOL_CALL_DURATION: Histogram<f64> = "executor.tool_call.duration_ms" {
        unit: "ms",
        buckets: [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024],
        labels: { tenant: Option<&str> }
    };
    /// Size of what tools answered
    pub(crate) static RESULT_BYTES: Summary<u64> = "executor.result_bytes" {
        unit: "By", quantiles: [0.5, 0.9, 0.99], labels: { tenant: Option<&str> }
    };
}
