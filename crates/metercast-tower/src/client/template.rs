//! What kind of URL a client asks for: `url.template`.

/// Says in a request's extensions by which template its URL was made, as its path in few words: `/items/{id}`.
///
/// ```
/// use metercast_tower::{UrlTemplate, http::Request};
///
/// let request = Request::get("https://api.example.com/items/7").extension(UrlTemplate("/items/{id}")).body(()).unwrap();
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UrlTemplate(pub &'static str);
