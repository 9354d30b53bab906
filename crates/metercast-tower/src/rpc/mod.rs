//! Calls of gRPC, which look like any request until their content type is read, and succeed with 200 whatever their status is.

mod call;
mod status;

pub(crate) use call::{Call, RpcMethods, RpcSystem};
pub(crate) use status::{GrpcStatus, Side};
