//! The heads of a request and of its response, as profiles see them.

use std::any::Any;

use http::{Extensions, HeaderMap, Method, Request, Response, StatusCode, Uri, Version};
use http_body::Body;

/// A request without its body.
#[derive(Clone, Copy, Debug)]
pub struct RequestHead<'a> {
    method: &'a Method,
    uri: &'a Uri,
    version: Version,
    headers: &'a HeaderMap,
    extensions: &'a Extensions,
    body_size: Option<u64>,
}

impl<'a> RequestHead<'a> {
    /// That of this request.
    pub fn of<B: Body>(request: &'a Request<B>) -> RequestHead<'a> {
        RequestHead {
            method: request.method(),
            uri: request.uri(),
            version: request.version(),
            headers: request.headers(),
            extensions: request.extensions(),
            body_size: request.body().size_hint().exact(),
        }
    }

    /// The method; clients may make some up.
    pub fn method(&self) -> &'a Method {
        self.method
    }

    /// The URI: for servers of HTTP/1 mostly a path without a host.
    pub fn uri(&self) -> &'a Uri {
        self.uri
    }

    /// The path, as the client wrote it: never a label.
    pub fn path(&self) -> &'a str {
        self.uri.path()
    }

    /// The version of HTTP.
    pub fn version(&self) -> Version {
        self.version
    }

    /// All headers.
    pub fn headers(&self) -> &'a HeaderMap {
        self.headers
    }

    /// The first header of this name, if it is visible ASCII.
    pub fn header(&self, name: &str) -> Option<&'a str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// What layers and routers outside of ours have found out, and what the caller of a client says.
    pub fn extensions(&self) -> &'a Extensions {
        self.extensions
    }

    /// What is there of this type in the extensions.
    pub fn extension<T: Any + Send + Sync>(&self) -> Option<&'a T> {
        self.extensions.get()
    }

    /// How many bytes the body has, as far as its head says: its `Content-Length`, or the length of a body that is in memory.
    pub fn body_size(&self) -> Option<u64> {
        self.body_size
    }
}

/// A response without its body.
#[derive(Clone, Copy, Debug)]
pub struct ResponseHead<'a> {
    status: StatusCode,
    version: Version,
    headers: &'a HeaderMap,
    extensions: &'a Extensions,
}

impl<'a> ResponseHead<'a> {
    /// That of this response.
    pub fn of<B>(response: &'a Response<B>) -> ResponseHead<'a> {
        ResponseHead {
            status: response.status(),
            version: response.version(),
            headers: response.headers(),
            extensions: response.extensions(),
        }
    }

    /// The status.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The version of HTTP: what a server answered a client in.
    pub fn version(&self) -> Version {
        self.version
    }

    /// All headers.
    pub fn headers(&self) -> &'a HeaderMap {
        self.headers
    }

    /// The first header of this name, if it is visible ASCII.
    pub fn header(&self, name: &str) -> Option<&'a str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// What the service that answered says beside the response.
    pub fn extensions(&self) -> &'a Extensions {
        self.extensions
    }

    /// What is there of this type in the extensions.
    pub fn extension<T: Any + Send + Sync>(&self) -> Option<&'a T> {
        self.extensions.get()
    }
}
