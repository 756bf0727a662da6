//! The transports of the running gateway: HTTP, WebSocket, server-sent events, and what an operator
//! sees of them.

mod answers;
pub mod client;
mod limits;
mod logging;
mod operation;
mod shutdown;
mod streams;
