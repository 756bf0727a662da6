//! A strict fake of HighLevel's Contacts API, with its OAuth, custom fields, tags and webhooks.
//!
//! Written from GoHighLevel/highlevel-api-docs at 0af86a4 and from what integrators recorded of
//! the live API; where neither says, the code says what is assumed. `routes` lists everything that
//! can be called with the right it needs. `model` is what is stored, `view` and `rows` how it is
//! shown, `dto` how bodies are checked, `directory` the storage with its indexes and the delay
//! of search. `webhook` signs and sends.
//!
//! To add an operation: a line in `routes`, a handler beside its like, and a valid request in the
//! walk of the tests, which holds it against the official specification.

pub mod seed;
pub mod webhook;

mod appointment;
mod bulk;
mod call;
mod contact;
mod directory;
mod dto;
mod edit;
mod enrol;
mod event;
mod fields;
mod limit;
mod list;
mod location;
mod location_fields;
mod model;
mod note;
mod oauth;
mod phone;
mod reply;
mod routes;
mod rows;
mod search;
mod snapshot;
mod tag;
mod task;
mod tokens;
mod view;
mod when;
mod write;

use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, Weak};

use serde_json::Value;

pub use self::tokens::{AGENCY_TOKEN, COMPANY, Control as TokenControl};

use self::directory::Directory;
use self::fields::Field;
use self::limit::Limits;
use self::seed::STANDARD_FIELDS;
use self::tokens::Tokens;
use self::webhook::Webhooks;
use self::when::Millis;
use super::credentials::{ACCOUNTS, Account};
use super::here;
use super::ids::Ids;
use super::shared::Shared;

/// The location's IANA zone; appointment times are shown in it, without saying so.
pub const TIMEZONE: chrono_tz::Tz = chrono_tz::America::Argentina::Buenos_Aires;
/// The location's country, which completes phone numbers.
const COUNTRY: &str = "AR";

/// One HighLevel location. Several know nothing of each other but that a token of one leads there.
#[derive(Debug)]
pub struct HighLevel {
    account: &'static Account,
    /// All locations of the sandbox.
    agency: Arc<RwLock<Vec<Weak<HighLevel>>>>,
    shared: Arc<Shared>,
    directory: RwLock<Directory>,
    tokens: Tokens,
    limits: Limits,
    webhooks: Webhooks,
    /// Trace ids come from their own sequence, so that reads do not shift the ids of later writes.
    traces: Ids,
}

impl HighLevel {
    /// An empty location with the [`STANDARD_FIELDS`].
    pub fn new(shared: Arc<Shared>) -> Arc<Self> {
        Self::found(shared, &ACCOUNTS[0], None)
    }

    /// Another empty location of the same agency, served by the same routes.
    pub fn beside(&self, account: &'static Account) -> Arc<Self> {
        Self::found(Arc::clone(&self.shared), account, Some(self))
    }

    fn found(shared: Arc<Shared>, account: &'static Account, beside: Option<&Self>) -> Arc<Self> {
        // The definitions come first and so have the same ids for the same seed.
        let seeded = |(position, seed)| Field::seeded(&shared.ids, position, seed);
        let fields: Vec<Field> =
            here::within(account, || (0..).zip(STANDARD_FIELDS).map(seeded).collect());
        let webhooks = beside.map_or_else(|| Webhooks::new(&shared), |one| one.webhooks.clone());
        let traces = Ids::new(u64::from_le_bytes(shared.ids.bytes()));
        let directory = RwLock::new(Directory::new(fields));
        let (tokens, limits) = (Tokens::new(account), Limits::default());
        let agency = beside.map(|one| Arc::clone(&one.agency)).unwrap_or_default();
        let fake = Self {
            account,
            agency: Arc::clone(&agency),
            shared,
            directory,
            tokens,
            limits,
            webhooks,
            traces,
        };
        let fake = Arc::new(fake);
        agency.write().unwrap_or_else(PoisonError::into_inner).push(Arc::downgrade(&fake));
        fake
    }

    /// All locations.
    fn everywhere(&self) -> Vec<Arc<Self>> {
        let agency = self.agency.read().unwrap_or_else(PoisonError::into_inner);
        agency.iter().filter_map(Weak::upgrade).collect()
    }

    /// The location whose token, code or refresh token this is.
    fn of_token(&self, token: &str) -> Option<Arc<Self>> {
        self.everywhere().into_iter().find(|fake| fake.tokens.knows(token))
    }

    /// The location with an id.
    fn of_location(&self, location: &str) -> Option<Arc<Self>> {
        self.everywhere().into_iter().find(|fake| fake.account.location == location)
    }

    /// Everything stored, sorted, as `GET /control/state` shows it.
    pub fn snapshot(&self) -> Value {
        snapshot::take(&self.read())
    }

    /// Does what `POST /control/tokens` asks.
    pub fn control_tokens(&self, control: TokenControl) {
        for fake in self.everywhere() {
            fake.tokens.control(control);
        }
    }

    /// Where webhooks go, how they are disturbed and what became of them.
    pub fn webhooks(&self) -> &Webhooks {
        &self.webhooks
    }

    /// The key that verifies `X-GHL-Signature`, as PEM.
    pub fn webhook_public_key_pem(&self) -> String {
        self.webhooks.public_key_pem()
    }

    fn now(&self) -> Millis {
        Millis(self.shared.clock.now_ms())
    }

    fn read(&self) -> RwLockReadGuard<'_, Directory> {
        self.directory.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Directory> {
        self.directory.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// The directory after search has caught up with everything it may see by now.
    fn searchable(&self) -> RwLockReadGuard<'_, Directory> {
        let delay = i64::try_from(self.shared.settings().index_delay_ms).unwrap_or(i64::MAX / 2);
        let now = self.now();
        if self.read().is_behind(now, delay) {
            self.write().catch_up(now, delay);
        }
        self.read()
    }
}
