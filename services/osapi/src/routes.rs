//! The API.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response as Answer};
use axum::routing::{get, post};
use axum::{Json, Router};
use metercast_tower::{Totals, server};
use serde::Deserialize;
use serde_json::{Value, json};
use tracing::Instrument;
use uuid::Uuid;

use crate::component::Error;
use crate::controller::Controller;
use crate::job::{Job, Op, Response};
use crate::queue::{self, Queue, SUBJECT, is_key};
use crate::telemetry::Measured;
use crate::traces;

/// All routes, measured if anything is, and traced.
pub(crate) fn router(controller: Arc<Controller>, measured: &Measured, host: &str) -> Router {
    let router = match measured.is_enabled() {
        true => routes(controller).layer(server().body_sizes().hosts([host]).and(Totals)),
        false => routes(controller),
    };
    traces::traced(router)
}

fn routes(controller: Arc<Controller>) -> Router {
    Router::new()
        .route("/job", post(create))
        .route("/job/{id}", get(job))
        .route("/node/{hostname}", get(node))
        .with_state(controller)
}

/// What `POST /job` takes.
#[derive(Debug, Deserialize)]
struct Wanted {
    op: Op,
}

async fn create(
    State(controller): State<Arc<Controller>>,
    Json(wanted): Json<Wanted>,
) -> Result<Answer, Unavailable> {
    let queue = controller.queue()?;
    let job = Job { id: Uuid::new_v4().simple().to_string(), op: wanted.op };
    publish(queue, &job).await?;
    // Not before: what is not in the queue is no job.
    controller.jobs.created();
    Ok((StatusCode::CREATED, Json(json!({ "id": job.id }))).into_response())
}

async fn job(
    State(controller): State<Arc<Controller>>,
    Path(id): Path<String>,
) -> Result<Answer, Unavailable> {
    let queue = controller.queue()?;
    if !is_key(&id) {
        return Ok(StatusCode::NOT_FOUND.into_response());
    }
    let Some(job) = queue::get::<Job>(&queue.jobs, &id).await? else {
        return Ok(StatusCode::NOT_FOUND.into_response());
    };
    let response: Option<Response> = queue::get(&queue.responses, &id).await?;
    let status = response.as_ref().map_or(json!("queued"), |response| json!(response.status));
    Ok(Json(json!({ "id": id, "op": job.op, "status": status, "response": response })).into_response())
}

async fn node(
    State(controller): State<Arc<Controller>>,
    Path(hostname): Path<String>,
) -> Result<Answer, Unavailable> {
    let queue = controller.queue()?;
    if !is_key(&hostname) {
        return Ok(StatusCode::NOT_FOUND.into_response());
    }
    Ok(match queue::get::<Value>(&queue.heartbeats, &hostname).await? {
        Some(heartbeat) => Json(heartbeat).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    })
}

async fn publish(queue: &Queue, job: &Job) -> Result<(), Error> {
    queue::put(&queue.jobs, &job.id, job).await?;
    let (span, headers) = traces::publishing(&job.id);
    let published = async {
        queue.context.publish_with_headers(SUBJECT, headers, job.id.clone().into()).await?.await?;
        Ok(())
    };
    published.instrument(span).await
}

impl Controller {
    fn queue(&self) -> Result<&Queue, Unavailable> {
        self.connection.queue().ok_or(Unavailable("there is no connection to NATS yet".into()))
    }
}

/// The queue does not answer.
struct Unavailable(Error);

impl From<Error> for Unavailable {
    fn from(error: Error) -> Unavailable {
        Unavailable(error)
    }
}

impl IntoResponse for Unavailable {
    fn into_response(self) -> Answer {
        (StatusCode::SERVICE_UNAVAILABLE, Json(json!({ "error": self.0.to_string() }))).into_response()
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use allocation_counter::measure;
    use axum::body::Body;
    use axum::http::{Request, header};
    use metercast_jobs::Delivery;
    use metercast_tower::Store;
    use tower::ServiceExt;

    use super::*;
    use crate::component::Component;
    use crate::queue::Connection;
    use crate::settings::Settings;

    /// How often memory is asked for by a request for a job and its answer, of which there was one before.
    fn of_request(router: &Router) -> u64 {
        let ask = || {
            let request = Request::post("/job").header(header::CONTENT_TYPE, "application/json");
            let request = request.body(Body::from(r#"{"op":"ok"}"#)).unwrap();
            let answer = pin!(router.clone().oneshot(request)).poll(&mut Context::from_waker(Waker::noop()));
            let Poll::Ready(Ok(answer)) = answer else { panic!("it waits for nothing") };
            assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE, "there is no NATS");
        };
        ask();
        measure(ask).count_total
    }

    #[test]
    fn without_metrics_neither_a_request_nor_a_job_asks_for_memory_for_them() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let mut settings = Settings::of(Value::Null, []).unwrap();
        // Nobody is there, and what waits for it does not run meanwhile.
        settings.nats.server.port = 1;
        let connection = runtime.block_on(Connection::begin(&settings)).unwrap();
        for is_enabled in [false, true] {
            settings.telemetry.metrics.enabled = is_enabled;
            settings.controller.metrics.port = Some(0);
            settings.agent.metrics.port = Some(0);
            let store = Store::new();
            store.scope(|| {
                let measured = Measured::start(Component::Controller, &settings, &store).unwrap();
                let jobs = measured.jobs().unwrap();
                let controller = Arc::new(Controller { connection: connection.clone(), jobs });
                let bare = of_request(&routes(Arc::clone(&controller)));
                let of_metrics = of_request(&router(Arc::clone(&controller), &measured, "api")) - bare;
                assert_eq!(of_metrics > 0, is_enabled, "{of_metrics}");

                let agent = Measured::start(Component::Agent, &settings, &store).unwrap();
                let worker = agent.jobs().unwrap().worker("a1");
                let job = || {
                    controller.jobs.created();
                    worker.begin(Delivery::nth(2).of(5)).fail();
                    worker.begin(Delivery::first().of(5)).complete();
                };
                job();
                let of_jobs = measure(job).count_total;
                if !is_enabled {
                    assert_eq!(of_jobs, 0);
                }
                agent.end();
                measured.end();
            });
        }
    }
}
