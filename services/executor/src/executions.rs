//! Executions: the calls of tools that a caller asks for, one after the other until one fails.

use serde::{Deserialize, Serialize};

use crate::metrics::{ACTIVE, EXECUTION_DURATION, OUTCOMES, Status, TRIGGERS};
use crate::tools::Tools;

/// What a caller asks for.
#[derive(Debug, Deserialize)]
pub(crate) struct Execution {
    /// What made it begin, such as `manual`.
    trigger: String,
    /// The tools to be called.
    calls: Vec<String>,
}

/// What came of it.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    status: &'static str,
    calls: Vec<Call>,
}

#[derive(Debug, Serialize)]
struct Call {
    tool: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

impl Execution {
    /// Runs it for a tenant.
    pub(crate) async fn run(self, tools: &Tools, tenant: Option<&str>) -> Report {
        TRIGGERS.record(&self.trigger, (tenant,));
        // Both end with this future, also if it is dropped because the caller went away.
        let _active = ACTIVE.guard((tenant,));
        let _timer = EXECUTION_DURATION.start((tenant,));
        let mut report = Report { status: "completed", calls: Vec::new() };
        for tool in self.calls {
            let (bytes, error) = match tools.call(&tool, tenant).await {
                Ok(answer) if answer.is_success => (Some(answer.bytes), None),
                Ok(answer) => (Some(answer.bytes), Some("the tool failed".to_owned())),
                Err(error) => (None, Some(error)),
            };
            let failed = error.is_some();
            report.calls.push(Call { tool, bytes, error });
            if failed {
                report.status = "failed";
                break;
            }
        }
        let status = if report.status == "failed" { Status::Failed } else { Status::Completed };
        OUTCOMES.add(1, (status, tenant));
        report
    }
}
