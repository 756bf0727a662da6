//! The messages of `graphql-transport-ws` and the codes that end a connection.

use async_graphql::ServerError;
use axum::extract::ws::{CloseFrame, Message};
use serde::Serialize;
use serde_json::{Map, Value};

use super::super::graphql::Shape;

/// The longest reason that fits into a close frame (RFC 6455, section 5.5, less the code).
const REASON_MAX: usize = 123;

/// What a client sends.
#[derive(Debug, PartialEq)]
pub(super) enum ClientMessage {
    ConnectionInit { payload: Option<Value> },
    Ping { payload: Option<Value> },
    Pong,
    Subscribe { id: String, payload: Map<String, Value> },
    Complete { id: String },
}

impl ClientMessage {
    /// Reads a message, or says why it is none.
    pub fn parse(text: &str) -> Result<Self, Close> {
        let invalid = |reason: &str| Close::invalid(reason);
        let Ok(Value::Object(mut members)) = serde_json::from_str(text) else {
            return Err(invalid("a message must be a JSON object"));
        };
        let Some(Value::String(kind)) = members.remove("type") else {
            return Err(invalid("a message must have a type"));
        };
        match kind.as_str() {
            "connection_init" => Ok(Self::ConnectionInit { payload: optional(&mut members)? }),
            "ping" => Ok(Self::Ping { payload: optional(&mut members)? }),
            "pong" => optional(&mut members).map(|_| Self::Pong),
            "complete" => Ok(Self::Complete { id: id(&mut members)? }),
            "subscribe" => {
                let id = id(&mut members)?;
                match members.remove("payload") {
                    Some(Value::Object(payload)) => Ok(Self::Subscribe { id, payload }),
                    _ => Err(invalid("subscribe must have a payload")),
                }
            }
            _ => Err(invalid("there is no such type of message")),
        }
    }
}

fn id(members: &mut Map<String, Value>) -> Result<String, Close> {
    match members.remove("id") {
        Some(Value::String(id)) if !id.is_empty() => Ok(id),
        _ => Err(Close::invalid("the message must have an id")),
    }
}

fn optional(members: &mut Map<String, Value>) -> Result<Option<Value>, Close> {
    match members.remove("payload") {
        None | Some(Value::Null) => Ok(None),
        Some(payload @ Value::Object(_)) => Ok(Some(payload)),
        Some(_) => Err(Close::invalid("the payload must be an object")),
    }
}

/// What the gateway sends.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum ServerMessage<'a> {
    ConnectionAck,
    Pong {
        #[serde(skip_serializing_if = "Option::is_none")]
        payload: Option<Value>,
    },
    Next {
        id: &'a str,
        payload: Shape<'a>,
    },
    Error {
        id: &'a str,
        payload: &'a [ServerError],
    },
    Complete {
        id: &'a str,
    },
}

impl ServerMessage<'_> {
    /// The message as a frame.
    pub fn frame(&self) -> Message {
        let text =
            serde_json::to_string(self).expect("a message has string keys and finite numbers only");
        Message::Text(text.into())
    }
}

/// Why the gateway ends a connection.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Close {
    pub code: u16,
    pub reason: String,
}

impl Close {
    fn new(code: u16, reason: impl Into<String>) -> Self {
        Self { code, reason: reason.into() }
    }

    pub fn going_away() -> Self {
        Self::new(1001, "the gateway stops")
    }

    pub fn silent() -> Self {
        Self::new(1001, "nothing was heard from the client")
    }

    pub fn invalid(reason: &str) -> Self {
        Self::new(4400, reason)
    }

    /// Too large, or no WebSocket frame at all.
    pub fn unreadable() -> Self {
        Self::new(1009, "the message is too large or broken")
    }

    pub fn unauthorized() -> Self {
        Self::new(4401, "Unauthorized")
    }

    /// The token was not taken. Clients of graphql-ws take this code for a reason to come again with
    /// another one, not for the end.
    pub fn forbidden(why: &str) -> Self {
        Self::new(4403, format!("Forbidden: {why}"))
    }

    pub fn expired() -> Self {
        Self::forbidden("the token has expired")
    }

    /// Try again later (IANA's registry of close codes).
    pub fn unavailable() -> Self {
        Self::new(1013, "the token cannot be checked now")
    }

    pub fn subprotocol() -> Self {
        Self::new(4406, "Subprotocol not acceptable")
    }

    pub fn init_timeout() -> Self {
        Self::new(4408, "Connection initialisation timeout")
    }

    pub fn duplicate(id: &str) -> Self {
        Self::new(4409, format!("Subscriber for {id} already exists"))
    }

    pub fn too_many_inits() -> Self {
        Self::new(4429, "Too many initialisation requests")
    }

    pub fn too_many_sockets(most: usize) -> Self {
        Self::new(4429, format!("{most} WebSockets of this client are open; that is the limit"))
    }

    pub fn too_much_chatter() -> Self {
        Self::new(4429, "too many messages that start nothing")
    }

    /// The closing frame.
    pub fn frame(&self) -> Message {
        let mut end = self.reason.len().min(REASON_MAX);
        while !self.reason.is_char_boundary(end) {
            end -= 1;
        }
        Message::Close(Some(CloseFrame { code: self.code, reason: self.reason[..end].into() }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_message() {
        let parse = |text| ClientMessage::parse(text).ok();
        assert_eq!(
            parse(r#"{"type":"connection_init"}"#),
            Some(ClientMessage::ConnectionInit { payload: None })
        );
        assert_eq!(parse(r#"{"type":"pong","payload":{"a":1}}"#), Some(ClientMessage::Pong));
        assert_eq!(
            parse(r#"{"type":"complete","id":"1"}"#),
            Some(ClientMessage::Complete { id: "1".to_owned() })
        );
        assert_eq!(
            parse(r#"{"type":"subscribe","id":"1","payload":{}}"#),
            Some(ClientMessage::Subscribe { id: "1".to_owned(), payload: Map::new() })
        );
    }

    #[test]
    fn closes_on_anything_else() {
        let messages = [
            "",
            "7",
            "{}",
            r#"{"type":7}"#,
            r#"{"type":"start"}"#,
            r#"{"type":"subscribe"}"#,
            r#"{"type":"subscribe","id":"1"}"#,
            r#"{"type":"subscribe","id":1,"payload":{}}"#,
            r#"{"type":"subscribe","id":"","payload":{}}"#,
            r#"{"type":"complete"}"#,
            r#"{"type":"ping","payload":"now"}"#,
            r#"{"type":"connection_init","payload":[]}"#,
        ];
        for message in messages {
            assert_eq!(ClientMessage::parse(message).map_err(|it| it.code), Err(4400), "{message}");
        }
    }

    #[test]
    fn a_reason_fits_into_its_frame() {
        let Message::Close(Some(frame)) = Close::duplicate(&"é".repeat(200)).frame() else {
            panic!("a close frame")
        };
        assert!(frame.reason.len() <= REASON_MAX && frame.reason.starts_with("Subscriber for é"));
    }
}
