//! Targets as they are: real servers with the habits that gateways meet.

mod connections;
mod heads;
mod http2;
mod uploads;
mod websockets;
