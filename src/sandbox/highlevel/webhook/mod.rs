//! Webhooks: signing, and the queue that sends them in order.
//!
//! The body is compact JSON with the envelope beside the event's own fields, signed by Ed25519 over
//! its exact bytes in `X-GHL-Signature` (docs/webhook/WebhookIntegrationGuide of the developer
//! portal; the older RSA header ended on 2026-09-01). A worker runs only while something is queued,
//! so an idle sandbox has no task. What goes wrong on purpose is in [`settings`].

mod delivery;
mod send;
pub mod settings;

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::pkcs8::EncodePublicKey;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::{Signer, SigningKey};
use serde_json::{Map, Value, json};
use tokio::sync::Notify;

use self::delivery::{Log, Outgoing};
pub use self::settings::Change;

use self::settings::Settings;
use super::event::Event;
use super::when::Millis;
use crate::sandbox::credentials::{OAUTH_CLIENT_ID, OAUTH_VERSION_ID};
use crate::sandbox::here;
use crate::sandbox::outbound::Outbound;
use crate::sandbox::shared::Shared;

/// The sender. Clones are handles on the same one.
#[derive(Clone, Debug)]
pub struct Webhooks(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    key: SigningKey,
    state: Mutex<State>,
    outbound: Outbound,
    /// Something was queued while the worker waits for what is late.
    more: Notify,
}

#[derive(Debug)]
struct State {
    settings: Settings,
    /// Locations that the app was taken off.
    gone: BTreeSet<&'static str>,
    queue: VecDeque<Outgoing>,
    /// An event that lets the next one go first.
    held: Option<Outgoing>,
    working: bool,
    log: Log,
}

impl State {
    fn is_installed(&self) -> bool {
        !self.gone.contains(here::account().location)
    }

    fn has_work(&self) -> bool {
        !self.queue.is_empty() || self.held.is_some()
    }
}

impl Webhooks {
    /// A sender with a key of its own, which follows from the seed. The app counts as installed.
    pub fn new(shared: &Shared) -> Self {
        let state = State {
            settings: Settings::default(),
            gone: BTreeSet::new(),
            queue: VecDeque::new(),
            held: None,
            working: false,
            log: Log::default(),
        };
        let key = SigningKey::from_bytes(&shared.ids.bytes());
        Self(Arc::new(Inner {
            key,
            state: Mutex::new(state),
            outbound: Outbound::default(),
            more: Notify::new(),
        }))
    }

    /// The verifying key as PEM.
    #[expect(clippy::missing_panics_doc, reason = "it cannot")]
    pub fn public_key_pem(&self) -> String {
        let key = self.0.key.verifying_key();
        key.to_public_key_pem(LineEnding::LF).expect("32 bytes always encode")
    }

    /// Changes what is named in `change`.
    pub fn change(&self, change: Change) {
        change.apply(&mut self.lock().settings);
    }

    /// Settings and what became of the latest events, as `GET /control/webhooks` shows them.
    pub fn results(&self) -> Value {
        let state = self.lock();
        let pending = state.queue.len() + usize::from(state.held.is_some());
        json!({
            "settings": state.settings, "installed": state.is_installed(),
            "pending": pending, "deliveries": state.log.entries(),
        })
    }

    /// Whether the app is installed on the location; without it nothing fires.
    pub fn set_installed(&self, installed: bool) {
        let location = here::account().location;
        let mut state = self.lock();
        if installed {
            state.gone.remove(location);
        } else {
            state.gone.insert(location);
        }
    }

    /// Whether anybody listens.
    pub fn are_sent(&self) -> bool {
        self.lock().settings.url.is_some()
    }

    /// Whether the app is installed.
    pub fn is_installed(&self) -> bool {
        self.lock().is_installed()
    }

    /// Queues an event, unless nobody listens. Never waits.
    pub fn fire(&self, shared: &Arc<Shared>, event: Event) {
        let mut state = self.lock();
        let is_life_cycle = matches!(event.kind, "INSTALL" | "UNINSTALL");
        if state.settings.url.is_none() || !(state.is_installed() || is_life_cycle) {
            return;
        }
        if shared.ids.chance(state.settings.unknown) {
            let unknown = Event { kind: "KnowledgeBaseUpdate", fields: Map::new() };
            self.queue(&mut state, shared, unknown);
        }
        self.queue(&mut state, shared, event);
        if state.has_work() && !state.working {
            state.working = true;
            let (sender, shared) = (self.clone(), Arc::clone(shared));
            let tasks = shared.tasks.clone();
            tasks.spawn(async move { sender.work(&shared).await });
        }
        self.0.more.notify_one();
    }

    fn queue(&self, state: &mut State, shared: &Shared, event: Event) {
        let now = Millis(shared.clock.now_ms());
        let settings = &state.settings;
        let id = shared.ids.uuid().to_string();
        let kind = event.kind;
        let body = enveloped(event, settings, &id, now);
        let signature = self.signature(&body, settings, shared);
        let delayed = shared.ids.chance(settings.delay);
        let delay = i64::try_from(settings.delay_ms).unwrap_or(i64::MAX / 2);
        let delay = if delayed { delay } else { 0 };
        let outgoing = Outgoing { id, kind, body, signature, not_before: now.0 + delay };
        if shared.ids.chance(settings.lose) {
            state.log.lost(&outgoing);
            return;
        }
        let twice = shared.ids.chance(settings.duplicate);
        let late = shared.ids.chance(settings.reorder) && state.held.is_none();
        state.log.queued(&outgoing);
        if twice {
            state.queue.push_back(outgoing.clone());
        }
        if late {
            state.held = Some(outgoing);
            return;
        }
        state.queue.push_back(outgoing);
        let held = state.held.take();
        state.queue.extend(held);
    }

    fn signature(&self, body: &str, settings: &Settings, shared: &Shared) -> String {
        if settings.unsigned {
            // The literal that stands for "no signature".
            return "N/A".to_owned();
        }
        let signed =
            if shared.ids.chance(settings.tamper) { format!("{body} ") } else { body.to_owned() };
        STANDARD.encode(self.0.key.sign(signed.as_bytes()).to_bytes())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The part of the client id before the dash.
fn app_id() -> &'static str {
    OAUTH_CLIENT_ID.split('-').next().unwrap_or(OAUTH_CLIENT_ID)
}

fn enveloped(event: Event, settings: &Settings, id: &str, now: Millis) -> String {
    let mut body = event.fields;
    let kind = match event.kind {
        // The pages of these two show the wrong type in their examples.
        "AppointmentUpdate" | "AppointmentDelete" if settings.wrong_appointment_type => {
            "AppointmentCreate"
        }
        kind => kind,
    };
    if kind == "TaskCreate" && settings.bare_task_create {
        // GH#332: seen live, open since 2026-09-05.
        body.remove("contactId");
        body.remove("body");
    }
    // That of an agency is about no location.
    if !(kind == "UNINSTALL" && body.contains_key("companyId")) {
        body.insert("locationId".to_owned(), Value::from(here::account().location));
    }
    for (name, value) in [
        ("type", kind),
        ("appId", app_id()),
        ("versionId", OAUTH_VERSION_ID),
        ("timestamp", &now.iso()),
        ("webhookId", id),
    ] {
        body.insert(name.to_owned(), Value::from(value));
    }
    Value::Object(body).to_string()
}
