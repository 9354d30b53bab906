//! The requests that the order service answers.

use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::book::NotQueued;
use super::metrics::{OPEN_AMOUNT, ORDER_AMOUNT, ORDERS_PLACED, ORDERS_REFUSED};
use super::order::{NewOrder, Order, Outcome, Refusal, Status};
use super::store::{Store, StoreError};
use super::waiting::WaitingRoom;
use super::worker::Queue;

/// What all handlers share.
#[derive(Clone, Debug)]
pub(super) struct Orders {
    pub(super) store: Store,
    pub(super) queue: Queue,
    pub(super) waiting: WaitingRoom,
}

/// How long a request waits for a settlement before it is told how far the order is.
const PATIENCE: Duration = Duration::from_secs(30);

/// `POST /orders`
pub(super) async fn place(
    State(orders): State<Orders>,
    Json(new): Json<NewOrder>,
) -> Result<Response, Failure> {
    let placed = orders.store.run(move |book| book.place(new), record_place).await?;
    Ok(match placed {
        Ok(order) => answer(StatusCode::CREATED, order, Outcome::Placed(order.what)),
        Err(refusal) => {
            let status = match refusal {
                Refusal::CreditLimit | Refusal::MarketClosed => StatusCode::CONFLICT,
                Refusal::InvalidAmount => StatusCode::UNPROCESSABLE_ENTITY,
            };
            answer(status, json!({ "refused": refusal }), Outcome::Refused(refusal))
        }
    })
}

/// `GET /orders/{id}`
pub(super) async fn show(State(orders): State<Orders>, Path(id): Path<i64>) -> Result<Json<Order>, Failure> {
    orders.find(id).await.map(Json)
}

/// `POST /orders/{id}/settle`
pub(super) async fn settle(State(orders): State<Orders>, Path(id): Path<i64>) -> Result<Response, Failure> {
    let place = orders.queue.reserve().ok_or(Failure::QueueFull)?;
    let queue = move |queued: &Result<Order, NotQueued>| {
        if let Ok(order) = queued {
            place.take(*order);
        }
    };
    match orders.store.run(move |book| book.queue(id), queue).await? {
        Ok(order) => Ok(answer(StatusCode::ACCEPTED, order, Outcome::Queued(order.what))),
        Err(NotQueued::Unknown) => Err(Failure::NoSuchOrder(id)),
        Err(NotQueued::Already(status)) => Err(Failure::Already(status)),
    }
}

/// `GET /orders/{id}/wait`: answers when the order is settled.
pub(super) async fn wait(State(orders): State<Orders>, Path(id): Path<i64>) -> Result<Json<Order>, Failure> {
    // The seat is taken before the book is looked into, so that a settlement in between is not missed.
    let seat = orders.waiting.enter(id);
    let order = orders.find(id).await?;
    if order.status == Status::Settled {
        return Ok(Json(order));
    }
    let _ = tokio::time::timeout(PATIENCE, seat.settled()).await;
    orders.find(id).await.map(Json)
}

/// `GET /health`
pub(super) async fn health() -> &'static str {
    "well\n"
}

impl Orders {
    async fn find(&self, id: i64) -> Result<Order, Failure> {
        self.store.run(move |book| book.find(id), |_| {}).await?.ok_or(Failure::NoSuchOrder(id))
    }
}

fn record_place(placed: &Result<Order, Refusal>) {
    match placed {
        Ok(Order { what, .. }) => {
            ORDERS_PLACED.add(1, (what.side, what.region));
            ORDER_AMOUNT.record(what.amount.unsigned_abs(), (what.side,));
            OPEN_AMOUNT.add(what.amount, (what.region,));
        }
        Err(refusal) => ORDERS_REFUSED.add(1, (*refusal,)),
    }
}

/// An answer that says what became of the order, to the client and to whoever counts answers.
fn answer(status: StatusCode, body: impl serde::Serialize, outcome: Outcome) -> Response {
    let mut answer = (status, Json(body)).into_response();
    answer.extensions_mut().insert(outcome);
    answer
}

/// Why there is no better answer.
#[derive(Debug)]
pub(super) enum Failure {
    NoSuchOrder(i64),
    Already(Status),
    QueueFull,
    Store(StoreError),
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Failure {
        Failure::Store(error)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let (status, error) = match self {
            Failure::NoSuchOrder(id) => (StatusCode::NOT_FOUND, format!("there is no order {id}")),
            Failure::Already(status) => {
                (StatusCode::CONFLICT, format!("the order is {} already", status.as_str()))
            }
            Failure::QueueFull => {
                (StatusCode::SERVICE_UNAVAILABLE, "too many orders wait to be settled; try again".to_owned())
            }
            Failure::Store(StoreError::Closed) => {
                (StatusCode::SERVICE_UNAVAILABLE, "the service is being stopped".to_owned())
            }
            Failure::Store(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
        };
        (status, Json(json!({ "error": error }))).into_response()
    }
}
