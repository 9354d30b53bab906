//! What is answered where, and to whom.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, post};
use axum::{Json, Router};
use metercast_tower::{Scrape, ScrapeService};

use crate::access::{Access, Denied};
use crate::executions::Execution;
use crate::tools::Tools;

/// The label that says whose a series is.
const TENANT: &str = "tenant";

#[derive(Clone)]
struct Service {
    access: Access,
    tools: Tools,
    scrape: Scrape,
}

/// All routes.
pub(crate) fn router(access: Access, tools: Tools, scrape: Scrape) -> Router {
    Router::new()
        .route("/api/executions", post(execute))
        .route("/api/metrics", any(metrics))
        .with_state(Service { access, tools, scrape })
}

async fn execute(
    State(service): State<Service>,
    headers: HeaderMap,
    Json(execution): Json<Execution>,
) -> Result<Response, Denied> {
    let tenant = service.access.tenant(&headers)?;
    Ok(Json(execution.run(&service.tools, tenant.as_deref()).await).into_response())
}

async fn metrics(State(service): State<Service>, request: Request) -> Result<Response, Denied> {
    let scrape = match service.access.tenant(request.headers())? {
        Some(tenant) => service.scrape.tenant(TENANT, &tenant),
        None => service.scrape,
    };
    Ok(ScrapeService::new(scrape).answer(&request).await.map(axum::body::Body::new))
}

impl IntoResponse for Denied {
    fn into_response(self) -> Response {
        let headers = [(header::WWW_AUTHENTICATE, "Bearer")];
        (StatusCode::UNAUTHORIZED, headers, "a token is missing, or nobody's\n").into_response()
    }
}
