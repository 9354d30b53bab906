//! What is answered where, and to whom.

use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, post};
use axum::{Json, Router};
use metercast_tower::{Scrape, ScrapeService};

use crate::access::{Access, Denied, Tenant};
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

/// Who asks; found out before anything else of the request is looked at.
struct Caller(Option<Tenant>);

impl FromRequestParts<Service> for Caller {
    type Rejection = Denied;

    async fn from_request_parts(parts: &mut Parts, service: &Service) -> Result<Caller, Denied> {
        service.access.tenant(&parts.headers).map(Caller)
    }
}

async fn execute(
    Caller(tenant): Caller,
    State(service): State<Service>,
    Json(execution): Json<Execution>,
) -> Response {
    Json(execution.run(&service.tools, tenant.as_deref()).await).into_response()
}

async fn metrics(Caller(tenant): Caller, State(service): State<Service>, request: Request) -> Response {
    let scrape = match tenant {
        Some(tenant) => service.scrape.tenant(TENANT, &tenant),
        None => service.scrape,
    };
    ScrapeService::new(scrape).answer(&request).await.map(axum::body::Body::new)
}

impl IntoResponse for Denied {
    fn into_response(self) -> Response {
        let headers = [(header::WWW_AUTHENTICATE, "Bearer")];
        (StatusCode::UNAUTHORIZED, headers, "a token is missing, or nobody's\n").into_response()
    }
}
