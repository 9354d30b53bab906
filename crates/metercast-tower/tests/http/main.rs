//! What the layers measure of real servers and clients: axum, hyper, tonic, reqwest.

mod bodies;
mod bounds;
mod clients;
mod grpc;
mod profiles;
mod storm;
mod support;
