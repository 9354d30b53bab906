//! One customer: a connection, the orders placed over it, and an exact count of what was answered.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{CONTENT_TYPE, HOST, HeaderValue};
use hyper::{Method, Request, StatusCode};
use serde::Deserialize;

use super::action::{Action, fair};
use super::random::Random;
use crate::demo::client::{Answer, ClientError, Connection, send_and_hang_up};
use crate::demo::service::{LOAD, NewOrder, Order, Outcome, Refusal, WaitingRoom};
use crate::demo::tally::{Ended, RequestKey, SharedTally};

/// Acts on tickets, one after the other.
#[derive(Debug)]
pub(super) struct Customer {
    service: SocketAddr,
    waiting: WaitingRoom,
    tally: Arc<SharedTally>,
    connection: Option<Connection>,
    /// Placed, and not yet settled.
    open: VecDeque<i64>,
    /// Settled last.
    queued: Option<i64>,
}

/// A customer with so many open orders settles one before placing another, so that accounts keep some credit.
const OPEN: usize = 16;

/// How long the service may take to notice that a client has gone.
const NOTICE: Duration = Duration::from_secs(10);

/// An order that there is not.
const UNKNOWN: i64 = i64::MAX;

#[derive(Deserialize)]
struct Refused {
    refused: Refusal,
}

impl Customer {
    pub(super) fn new(service: SocketAddr, waiting: WaitingRoom, tally: Arc<SharedTally>) -> Customer {
        Customer { service, waiting, tally, connection: None, open: VecDeque::new(), queued: None }
    }

    /// Makes one request.
    pub(super) async fn act(&mut self, ticket: u64) {
        match (Action::of(ticket), self.open.front().copied()) {
            (Action::Place(_), Some(order)) if self.open.len() >= OPEN => self.settle(order).await,
            (Action::Settle, Some(order)) => self.settle(order).await,
            (Action::Show, Some(order)) => self.get("/orders/{id}", order).await,
            (Action::HangUp, Some(order)) => self.hang_up(order).await,
            (Action::Place(order), _) => self.place(order).await,
            (Action::Settle | Action::Show | Action::HangUp, None) => {
                self.place(fair(&mut Random::new(ticket))).await;
            }
            (Action::Wait, _) => self.get("/orders/{id}/wait", self.queued.unwrap_or(UNKNOWN)).await,
            (Action::ShowUnknown, _) => self.get("/orders/{id}", UNKNOWN).await,
            (Action::Stray(method, path), _) => {
                self.send(method, None, &path, None).await;
            }
            (Action::Odd(method, route), order) => {
                self.send(method, Some(route), &path(route, order.unwrap_or(UNKNOWN)), None).await;
            }
            (Action::Health, _) => {
                self.send("GET", Some("/health"), "/health", None).await;
            }
        }
    }

    async fn get(&mut self, route: &'static str, order: i64) {
        self.send("GET", Some(route), &path(route, order), None).await;
    }

    async fn place(&mut self, order: NewOrder) {
        let Some(answer) = self.send("POST", Some("/orders"), "/orders", Some(&order)).await else { return };
        if answer.status == StatusCode::CREATED {
            if let Some(order) = self.read::<Order>(&answer) {
                self.open.push_back(order.id);
                self.tally.lock().outcome(Outcome::Placed(order.what));
            }
        } else if answer.status.is_client_error()
            && let Some(Refused { refused }) = self.read(&answer)
        {
            self.tally.lock().outcome(Outcome::Refused(refused));
        }
    }

    async fn settle(&mut self, order: i64) {
        let route = "/orders/{id}/settle";
        let Some(answer) = self.send("POST", Some(route), &path(route, order), None).await else { return };
        if answer.status == StatusCode::ACCEPTED
            && let Some(order) = self.read::<Order>(&answer)
        {
            self.open.retain(|open| *open != order.id);
            self.queued = Some(order.id);
            self.tally.lock().outcome(Outcome::Queued(order.what));
        }
    }

    /// Waits for an order that nobody will settle meanwhile, and hangs up as soon as the service waits too.
    async fn hang_up(&mut self, order: i64) {
        let route = "/orders/{id}/wait";
        let request = request("GET", &path(route, order), None);
        let key = RequestKey::new(request.method(), Some(route), "1.1");
        self.tally.lock().sent();
        let ended = match send_and_hang_up(self.service, request, self.waiting.is_taken(order)).await {
            Ok(Some(answer)) => Ended::Status(answer.status.as_u16()),
            // It counts once the service has noticed: a settlement that came before that would be answered.
            Ok(None) => match tokio::time::timeout(NOTICE, self.waiting.is_free(order)).await {
                Ok(()) => Ended::Cancelled,
                Err(_) => {
                    return self.tally.lock().unanswered(format!("GET {route}: hanging up was not noticed"));
                }
            },
            Err(error) => return self.tally.lock().unanswered(format!("GET {route}: {error}")),
        };
        self.tally.lock().ended(key, ended);
    }

    /// Sends a request and counts it. `None` if there was no answer.
    async fn send(
        &mut self,
        method: &str,
        route: Option<&str>,
        path: &str,
        order: Option<&NewOrder>,
    ) -> Option<Answer> {
        let request = request(method, path, order);
        let key = RequestKey::new(request.method(), route, "1.1");
        self.tally.lock().sent();
        match self.answer(request).await {
            Ok(answer) => {
                self.tally.lock().ended(key, Ended::Status(answer.status.as_u16()));
                Some(answer)
            }
            Err(error) => {
                self.connection = None;
                self.tally.lock().unanswered(format!("{method} {}: {error}", route.unwrap_or(path)));
                None
            }
        }
    }

    async fn answer(&mut self, request: Request<Full<Bytes>>) -> Result<Answer, ClientError> {
        let connection = match &mut self.connection {
            Some(connection) => connection,
            none => none.insert(Connection::open(self.service).await?),
        };
        connection.send(request).await
    }

    fn read<'a, T: Deserialize<'a>>(&self, answer: &'a Answer) -> Option<T> {
        let read = serde_json::from_slice(&answer.body);
        read.inspect_err(|error| self.tally.lock().unanswered(format!("an answer cannot be read: {error}")))
            .ok()
    }
}

fn path(route: &str, order: i64) -> String {
    route.replace("{id}", &order.to_string())
}

fn request(method: &str, path: &str, order: Option<&NewOrder>) -> Request<Full<Bytes>> {
    let body = order.map(serde_json::to_vec).transpose().ok().flatten().unwrap_or_default();
    let mut request = Request::new(Full::from(body));
    *request.method_mut() = Method::from_bytes(method.as_bytes()).unwrap_or_default();
    *request.uri_mut() = path.parse().unwrap_or_default();
    let headers = request.headers_mut();
    headers.insert(HOST, HeaderValue::from_static("orders"));
    headers.insert(LOAD, HeaderValue::from_static("1"));
    if order.is_some() {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    request
}
