//! What a resolver finds in its context: the handles of the request and its loaders.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use async_graphql::{Context, Result};
use tokio::time::Instant;

use crate::contacts::{
    Admin, Connections, Contacts, Eraser, Error, Observer, Person, Reader, Realm, Session, Wanted,
    Writer,
};

use super::loaders::{Sides, SidesLoader};
use super::loads::Loads;

/// One operation's scopes: one for a query or mutation, a new one for each event of a subscription,
/// whose own deadline, cache and bookkeeping begin with the event.
pub struct Scopes {
    current: Mutex<Arc<Scope>>,
    contacts: Contacts,
    realm: Realm,
    loads: Loads,
    /// What an event has until its answer must be out.
    patience: Duration,
}

/// The handles that one answer is made with.
pub struct Scope {
    pub session: Arc<Session>,
    reader: Result<Reader, Error>,
    sides: Option<Arc<SidesLoader>>,
    /// The same for people as they were last known.
    recalled: OnceLock<(Reader, Arc<SidesLoader>)>,
}

impl Scopes {
    /// Begins with the scope of `session`.
    pub fn new(
        (contacts, realm): (Contacts, Realm),
        session: Arc<Session>,
        loads: Loads,
        patience: Duration,
    ) -> Self {
        let current = Mutex::new(Arc::new(Scope::new(&contacts, session, &loads)));
        Self { current, contacts, realm, loads, patience }
    }

    /// Goes on with a fresh scope of the same requester.
    pub fn renew(&self) {
        let requester = self.current().session.requester.clone();
        let deadline = Instant::now() + self.patience;
        let now_ms = self.contacts.clock().now_ms();
        let session = Session::new(requester, Wanted::default(), now_ms, deadline);
        let scope = Arc::new(Scope::new(&self.contacts, Arc::new(session), &self.loads));
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = scope;
    }

    /// The right to read, of the current scope.
    pub fn reader(&self) -> Result<Reader, Error> {
        self.current().reader.clone()
    }

    fn recalled(&self) -> Result<(Reader, Arc<SidesLoader>), Error> {
        let scope = self.current();
        let reader = scope.reader.clone()?;
        let recalled = scope.recalled.get_or_init(|| {
            let reader = reader.recalling();
            let sides = Arc::new(Sides::loader(reader.clone(), &self.loads));
            (reader, sides)
        });
        Ok(recalled.clone())
    }

    fn current(&self) -> Arc<Scope> {
        Arc::clone(&self.current.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Scope {
    fn new(contacts: &Contacts, session: Arc<Session>, loads: &Loads) -> Self {
        let reader = contacts.reader(Arc::clone(&session));
        let sides =
            reader.as_ref().ok().map(|reader| Arc::new(Sides::loader(reader.clone(), loads)));
        Self { session, reader, sides, recalled: OnceLock::new() }
    }
}

/// How resolvers get at their handles.
pub trait ContextExt {
    /// The operation's scopes.
    fn scopes(&self) -> Result<&Scopes>;
    /// The use cases themselves.
    fn contacts(&self) -> Result<&Contacts>;
    /// The right to the workspaces there are.
    fn realm(&self) -> Result<&Realm>;
    /// The request's dealings.
    fn session(&self) -> Result<Arc<Session>>;
    /// The right to read.
    fn reader(&self) -> Result<Reader>;
    /// The right to write.
    fn writer(&self) -> Result<Writer>;
    /// The right to watch sync.
    fn observer(&self) -> Result<Observer>;
    /// The right to run sync.
    fn admin(&self) -> Result<Admin>;
    /// The right to erase people.
    fn eraser(&self) -> Result<Eraser>;
    /// The right to connect.
    fn connections(&self) -> Result<Connections>;
    /// The request's loader.
    fn sides(&self) -> Result<Arc<SidesLoader>>;
    /// The right to read what was last known, without a call.
    fn recalled_reader(&self) -> Result<Reader>;
    /// The request's loader of people's two sides as they were last known.
    fn recalled_sides(&self) -> Result<Arc<SidesLoader>>;
}

impl ContextExt for Context<'_> {
    fn scopes(&self) -> Result<&Scopes> {
        self.data::<Arc<Scopes>>().map(|scopes| &**scopes)
    }

    fn contacts(&self) -> Result<&Contacts> {
        Ok(&self.scopes()?.contacts)
    }

    fn realm(&self) -> Result<&Realm> {
        Ok(&self.scopes()?.realm)
    }

    fn session(&self) -> Result<Arc<Session>> {
        Ok(Arc::clone(&self.scopes()?.current().session))
    }

    fn reader(&self) -> Result<Reader> {
        Ok(self.scopes()?.reader()?)
    }

    fn writer(&self) -> Result<Writer> {
        let scopes = self.scopes()?;
        Ok(scopes.contacts.writer(Arc::clone(&scopes.current().session))?)
    }

    fn observer(&self) -> Result<Observer> {
        let scopes = self.scopes()?;
        Ok(scopes.contacts.observer(Arc::clone(&scopes.current().session))?)
    }

    fn admin(&self) -> Result<Admin> {
        let scopes = self.scopes()?;
        Ok(scopes.contacts.admin(Arc::clone(&scopes.current().session))?)
    }

    fn eraser(&self) -> Result<Eraser> {
        let scopes = self.scopes()?;
        Ok(scopes.contacts.eraser(Arc::clone(&scopes.current().session))?)
    }

    fn connections(&self) -> Result<Connections> {
        let scopes = self.scopes()?;
        Ok(scopes.contacts.connections(&scopes.current().session)?)
    }

    fn sides(&self) -> Result<Arc<SidesLoader>> {
        let scope = self.scopes()?.current();
        scope.reader.clone()?;
        Ok(scope.sides.clone().ok_or(Error::Internal("no loader"))?)
    }

    fn recalled_reader(&self) -> Result<Reader> {
        Ok(self.scopes()?.recalled()?.0)
    }

    fn recalled_sides(&self) -> Result<Arc<SidesLoader>> {
        Ok(self.scopes()?.recalled()?.1)
    }
}

/// A person by identity, as a loader's key.
#[derive(Clone)]
pub struct PersonKey(pub Arc<Person>);

impl PartialEq for PersonKey {
    fn eq(&self, other: &Self) -> bool {
        self.0.id == other.0.id
    }
}

impl Eq for PersonKey {}

impl std::hash::Hash for PersonKey {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.0.id.hash(state);
    }
}
