//! `metercast doctor`: what a configuration comes to, and what is said of receivers that do not take what they are sent.

mod configuration;
mod hostile;
mod known;
mod real;
mod running;
mod secrets;
mod server;
mod support;
