//! The template of the route that matched a request: `http.route`.

use crate::exchange::{RequestHead, ResponseHead};

/// Says which route a request matched, where axum does not: in the extensions of the request, put there by a layer or router
/// outside of ours, or in those of the response, by the service inside.
///
/// ```
/// use std::convert::Infallible;
/// use http_body_util::Full;
/// use metercast_tower::{HttpRoute, InMemoryReader, Store, bytes::Bytes, http::{Request, Response}};
/// # use metercast_tower::FutureMetricsExt;
/// use tower::{Layer, ServiceExt, service_fn};
///
/// async fn answer(_request: Request<Full<Bytes>>) -> Result<Response<Full<Bytes>>, Infallible> {
///     let mut response = Response::new(Full::from("an item"));
///     response.extensions_mut().insert(HttpRoute("/items/{id}"));
///     Ok(response)
/// }
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let service = metercast_tower::server().layer(service_fn(answer));
/// let request = Request::get("/items/7").body(Full::default()).unwrap();
/// drop(service.oneshot(request).await);
///
/// let snapshot = InMemoryReader::new(Store::current()).collect();
/// let labels = &snapshot.family("http.server.request.duration").unwrap().series[0].labels;
/// assert_eq!(labels.get("http.route"), Some(&"/items/{id}".into()));
/// # }.with_metrics());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HttpRoute(pub &'static str);

/// What is known of a request's route.
#[derive(Clone, Debug)]
pub(super) enum Route {
    Unmatched,
    Said(HttpRoute),
    #[cfg(feature = "axum")]
    Axum(axum::extract::MatchedPath),
}

impl Route {
    pub(super) fn of_request(request: &RequestHead<'_>) -> Route {
        if let Some(route) = request.extension::<HttpRoute>() {
            return Route::Said(*route);
        }
        #[cfg(feature = "axum")]
        if let Some(path) = request.extension::<axum::extract::MatchedPath>() {
            return Route::Axum(path.clone());
        }
        Route::Unmatched
    }

    /// The service knows better.
    pub(super) fn answered(&mut self, response: &ResponseHead<'_>) {
        if let Some(route) = response.extension::<HttpRoute>() {
            *self = Route::Said(*route);
        }
    }

    pub(super) fn as_str(&self) -> Option<&str> {
        match self {
            Route::Unmatched => None,
            Route::Said(route) => Some(route.0),
            #[cfg(feature = "axum")]
            Route::Axum(path) => Some(path.as_str()),
        }
    }
}
