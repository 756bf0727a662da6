//! One WebSocket from its first message to its last.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_graphql::ServerError;
use async_graphql::parser::types::OperationType;
use axum::extract::ws::{Message, WebSocket};
use futures_util::StreamExt;
use futures_util::stream::{self, AbortHandle, BoxStream, SelectAll, abortable};
use serde_json::{Map, Value};
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout};

use super::PROTOCOL;
use super::chatter::Chatter;
use super::message::{ClientMessage, Close, ServerMessage};
use crate::auth::{Admitted, Denied};
use crate::graphql::{Answer, CachePolicy, Caller, ErrorCode, extend, refusal};
use crate::http::access::{bearer_in_payload, ending};
use crate::http::clients::{Who, name};
use crate::http::executor::Executor;
use crate::http::front::Front;
use crate::http::graphql::{Shape, answers, asks_for_cost, parse_request, refused};
use crate::http::peer::Peer;
use crate::http::places::{Full, Place};
use crate::http::record::Counted;

/// After so many silent keep-alive intervals the client is taken for gone.
const SILENT_INTERVALS: u32 = 3;

/// How long a client may take to answer a close. A connection that is dropped with something of the
/// client's unread is reset, and the client may lose the reason that was on its way to it.
const FAREWELL: Duration = Duration::from_secs(1);

/// The state of one connection.
pub(super) struct Connection<E> {
    front: Front<E>,
    /// The token of the upgrade request, for clients that can set headers.
    token: Option<String>,
    /// Where it comes from.
    peer: Option<Peer>,
    admitted: Option<Admitted>,
    /// How to stop each running operation.
    running: HashMap<Arc<str>, AbortHandle>,
    operations: SelectAll<BoxStream<'static, Event>>,
    heard: Instant,
    chatter: Chatter,
    /// Among the sockets of its address, then among those of its client.
    place: Option<Place<Who>>,
    _counted: Counted,
}

/// What a running operation led to.
enum Event {
    Answer(Arc<str>, Box<Answer>),
    Done(Arc<str>),
}

/// What to do after a step.
type Step = Result<(), End>;

/// Why a connection ends.
enum End {
    /// The gateway closes it.
    Close(Close),
    /// It is gone already.
    Gone,
}

impl From<Close> for End {
    fn from(close: Close) -> Self {
        Self::Close(close)
    }
}

impl<E: Executor> Connection<E> {
    pub fn new(
        front: Front<E>,
        token: Option<String>,
        (peer, place): (Option<Peer>, Option<Place<Who>>),
    ) -> Self {
        let counted = Counted::new(&front.meters.sockets);
        Self {
            front,
            token,
            peer,
            admitted: None,
            running: HashMap::new(),
            operations: SelectAll::new(),
            heard: Instant::now(),
            chatter: Chatter::new(Instant::now()),
            place,
            _counted: counted,
        }
    }

    /// Serves the socket until one side ends it. Everything that still runs on it is dropped then.
    pub async fn serve(mut self, mut socket: WebSocket) {
        let end = if socket.protocol().is_some_and(|it| it == PROTOCOL) {
            self.run(&mut socket).await
        } else {
            End::Close(Close::subprotocol())
        };
        if let End::Close(close) = end {
            let _ = timeout(self.front.settings.send_timeout, socket.send(close.frame())).await;
            // What still runs ends now, not when the client is done with listening.
            drop(self);
            let _ =
                timeout(FAREWELL, async { while let Some(Ok(_)) = socket.recv().await {} }).await;
        }
    }

    async fn run(&mut self, socket: &mut WebSocket) -> End {
        let tasks = self.front.tasks.clone();
        let init = tokio::time::sleep(self.front.settings.init_timeout);
        let mut init = std::pin::pin!(init);
        let every = self.front.settings.keep_alive;
        let mut keep_alive = interval_at(Instant::now() + every, every);
        keep_alive.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let step = tokio::select! {
                () = tasks.stopping() => Err(Close::going_away().into()),
                () = init.as_mut(), if self.admitted.is_none() => Err(Close::init_timeout().into()),
                () = ending(&self.front.clock, self.admitted.as_ref().and_then(|it| it.until)) => {
                    Err(Close::expired().into())
                }
                _ = keep_alive.tick() => self.keep_alive(socket).await,
                message = socket.recv() => match message {
                    Some(Ok(message)) => self.receive(socket, message).await,
                    Some(Err(_)) => Err(Close::unreadable().into()),
                    None => Err(End::Gone),
                },
                Some(event) = self.operations.next() => self.emit(socket, event).await,
            };
            if let Err(end) = step {
                return end;
            }
        }
    }

    /// Asks for a sign of life, or ends a connection that gave none for long.
    async fn keep_alive(&mut self, socket: &mut WebSocket) -> Step {
        if self.heard.elapsed() >= self.front.settings.keep_alive * SILENT_INTERVALS {
            return Err(Close::silent().into());
        }
        self.send(socket, Message::Ping(bytes::Bytes::new())).await
    }

    async fn receive(&mut self, socket: &mut WebSocket, message: Message) -> Step {
        self.heard = Instant::now();
        let text = match message {
            Message::Text(text) => text,
            // The transport answers pings by itself.
            Message::Ping(_) => return Ok(self.chatter.one_more(self.heard)?),
            Message::Pong(_) => return Ok(()),
            Message::Binary(_) => return Err(Close::invalid("a message must be text").into()),
            Message::Close(_) => return Err(End::Gone),
        };
        match ClientMessage::parse(&text)? {
            ClientMessage::ConnectionInit { payload } => {
                self.authenticate(payload.as_ref()).await?;
                self.send(socket, ServerMessage::ConnectionAck.frame()).await
            }
            ClientMessage::Ping { payload } => {
                self.chatter.one_more(self.heard)?;
                self.send(socket, ServerMessage::Pong { payload }.frame()).await
            }
            ClientMessage::Pong => Ok(self.chatter.one_more(self.heard)?),
            ClientMessage::Subscribe { id, payload } => self.subscribe(socket, id, payload).await,
            ClientMessage::Complete { id } => match self.running.remove(id.as_str()) {
                // Its beginning was counted.
                Some(operation) => {
                    operation.abort();
                    Ok(())
                }
                None => Ok(self.chatter.one_more(self.heard)?),
            },
        }
    }

    async fn authenticate(&mut self, payload: Option<&Value>) -> Result<(), Close> {
        if self.admitted.is_some() {
            return Err(Close::too_many_inits());
        }
        let token = bearer_in_payload(payload).or(self.token.as_deref());
        let admitted = self.front.admitted(token, self.peer).await;
        let admitted = admitted.map_err(|denied| match denied {
            Denied::Missing => Close::forbidden("a token is needed in connection_init"),
            Denied::Unauthenticated(why) | Denied::Forbidden(why) => Close::forbidden(why),
            Denied::Unavailable => Close::unavailable(),
        })?;
        let who = Who::Client(name(&admitted.requester));
        self.place = self.front.clients.socket(who).map_err(|Full { most }| {
            self.front.unusual.refused(&admitted.requester);
            Close::too_many_sockets(most)
        })?;
        self.admitted = Some(admitted);
        Ok(())
    }

    /// Starts an operation.
    async fn subscribe(
        &mut self,
        socket: &mut WebSocket,
        id: String,
        payload: Map<String, Value>,
    ) -> Step {
        let Admitted { requester, until } =
            self.admitted.clone().ok_or_else(Close::unauthorized)?;
        if self.running.contains_key(id.as_str()) {
            return Err(Close::duplicate(&id).into());
        }
        let mut request = parse_request(payload).map_err(|refusal| {
            self.front.unusual.refused(&requester);
            Close::invalid(&refusal.message)
        })?;
        let request_id = self.front.new_request_id();
        let limit = self.front.settings.operations_per_socket;
        let kind = if self.running.len() < limit {
            let admitted = self.front.count(&requester, (self.peer, 1)).map_err(ServerError::from);
            admitted.and_then(|()| self.front.executor.operation(&mut request))
        } else {
            Err(too_many(limit))
        };
        let kind = match kind {
            Ok(kind) => kind,
            Err(error) => {
                let answer = refused(error, &request_id);
                if answer.refuses() {
                    self.front.unusual.refused(&requester);
                }
                return self.send_error(socket, &id, &answer).await;
            }
        };
        let caller = Caller {
            requester,
            until,
            cache: CachePolicy::default(),
            wants_cost: asks_for_cost(&request),
            request_id,
            deadline: Instant::now() + self.front.settings.request_timeout,
        };
        self.start(id.into(), request, caller, kind);
        Ok(())
    }

    fn start(
        &mut self,
        id: Arc<str>,
        request: async_graphql::Request,
        caller: Caller,
        kind: OperationType,
    ) {
        let answered = Arc::clone(&id);
        let done = Event::Done(Arc::clone(&id));
        let events = answers(&self.front, request, caller, kind)
            .map(move |answer| Event::Answer(Arc::clone(&answered), Box::new(answer)))
            .chain(stream::once(async move { done }));
        // The whole of it, so that nothing of an operation that was completed by the client comes
        // later, when its id may be another's.
        let (events, handle) = abortable(events);
        self.operations.push(events.boxed());
        self.running.insert(id, handle);
    }

    /// Writes what an operation led to.
    async fn emit(&mut self, socket: &mut WebSocket, event: Event) -> Step {
        match event {
            Event::Answer(id, answer) if answer.executed => {
                let next = ServerMessage::Next { id: &id, payload: Shape(&answer) };
                self.send(socket, next.frame()).await
            }
            Event::Answer(id, answer) => {
                if let Some(operation) = self.running.remove(&id) {
                    operation.abort();
                }
                self.send_error(socket, &id, &answer).await
            }
            Event::Done(id) => {
                self.running.remove(&id);
                self.send(socket, ServerMessage::Complete { id: &id }.frame()).await
            }
        }
    }

    async fn send_error(&mut self, socket: &mut WebSocket, id: &str, answer: &Answer) -> Step {
        let payload = &answer.response.errors;
        self.send(socket, ServerMessage::Error { id, payload }.frame()).await
    }

    async fn send(&mut self, socket: &mut WebSocket, message: Message) -> Step {
        match timeout(self.front.settings.send_timeout, socket.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(End::Gone),
        }
    }
}

fn too_many(limit: usize) -> ServerError {
    let message = format!("at most {limit} operations may run on one WebSocket");
    let mut error = refusal(message, ErrorCode::RateLimited);
    extend(&mut error, "limit", limit);
    error
}
