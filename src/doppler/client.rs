//! The calls.

use std::num::NonZeroU32;
use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, SecondsFormat, Utc};
use reqwest::header::HeaderMap;
use serde::Serialize;
use serde::de::{DeserializeOwned, IgnoredAny};

use crate::clock::Clock;
use crate::config::doppler::Doppler;
use crate::unified::{
    Campaign, Delivery, FieldDefinition, FieldDraft, ImportState, ImportTask, List, Subscriber,
    SubscriberEdit, System,
};
use crate::upstream::{
    Allowance, Call, CredentialKind, Credentials, Directory, Error, Kind, Mailing, PAGE_SIZE,
    Query, Request, Route, Segment, Setup, SetupError, SubscriberPage, Token, Transport,
    UpstreamStatus,
};

use super::{body, convert, refusal, routes, wire};

/// Lists are served up to 200 a page (`doppler-for-shopify`, `doppler-client.js`).
const LISTS_A_PAGE: u32 = 200;
/// A list's status while an import into it is under way.
const IMPORTING: &str = "importingSubscribers";
/// Where paging ends whatever Doppler says, so that a wrong page count cannot keep us for ever.
const MOST_PAGES: u32 = 100;

/// A Doppler account.
pub struct Client {
    transport: Transport,
}

impl Client {
    /// Sets up the connection with the config's own key; makes no call.
    #[cfg(test)]
    pub fn new(config: &Doppler, clock: &Clock) -> Result<Self, SetupError> {
        Self::with(config, seed(config), clock)
    }

    /// Sets up the connection to the config's own account; makes no call.
    pub fn with(
        config: &Doppler,
        credentials: Arc<dyn Credentials>,
        clock: &Clock,
    ) -> Result<Self, SetupError> {
        Self::set_up((config, clock), credentials, (config.account.as_deref(), None))
    }

    /// The same over the connections of this one, to another account: the one that is given, else
    /// that of the credential.
    pub fn beside(
        &self,
        (config, clock): (&Doppler, &Clock),
        account: Option<&str>,
        credentials: Arc<dyn Credentials>,
    ) -> Result<Self, SetupError> {
        Self::set_up((config, clock), credentials, (account, Some(&self.transport)))
    }

    fn set_up(
        (config, clock): (&Doppler, &Clock),
        credentials: Arc<dyn Credentials>,
        (account, beside): (Option<&str>, Option<&Transport>),
    ) -> Result<Self, SetupError> {
        let account = account.filter(|account| !account.is_empty());
        let transport = Transport::new(Setup {
            system: System::Doppler,
            base_url: &config.base_url,
            account,
            beside,
            connections: config.connections,
            connect_timeout: config.connect_timeout,
            timeout: config.timeout,
            headers: HeaderMap::new(),
            credentials,
            allowance: Allowance::own(clock.clone(), config.rate, config.burst),
            refusal: refusal::kind,
            scopes: &[],
            write_scope: None,
            clock: clock.clone(),
        })?;
        Ok(Self { transport })
    }

    fn account(&self) -> Arc<str> {
        self.transport.account().unwrap_or_default()
    }

    async fn get<T: DeserializeOwned + Send>(
        &self,
        call: &Call,
        route: &'static Route,
        query: Query,
    ) -> Result<T, Error> {
        let account = self.account();
        let values = [Segment::email(&account)];
        self.transport.call(call, Request::new(route, &values).query(query)).await
    }

    async fn get_by_id<T: DeserializeOwned + Send>(
        &self,
        call: &Call,
        route: &'static Route,
        id: &str,
        query: Query,
    ) -> Result<T, Error> {
        let account = self.account();
        let values = [Segment::email(&account), Segment::id(id)];
        self.transport.call(call, Request::new(route, &values).query(query)).await
    }

    /// Writes something of the account and tells what was made.
    async fn create(
        &self,
        call: &Call,
        route: &'static Route,
        body: &(impl Serialize + Sync),
    ) -> Result<String, Error> {
        let account = self.account();
        let values = [Segment::email(&account)];
        let request = Request::new(route, &values).json(body)?;
        let made: wire::Created = self.transport.call(call, request).await?;
        Ok(made.created_resource_id.into())
    }

    async fn get_of<T: DeserializeOwned + Send>(
        &self,
        call: &Call,
        route: &'static Route,
        email: &str,
        query: Query,
    ) -> Result<T, Error> {
        let account = self.account();
        let values = [Segment::email(&account), Segment::email(email)];
        self.transport.call(call, Request::new(route, &values).query(query)).await
    }
}

/// What the config itself proves us with.
pub fn seed(config: &Doppler) -> Arc<dyn Credentials> {
    let key = config.api_key.as_ref().filter(|_| config.account.is_some());
    let token = Token::new("token", key, CredentialKind::ApiKey);
    Arc::new(token.until(config.api_key_expires))
}

#[async_trait]
impl Directory for Client {
    fn system(&self) -> System {
        System::Doppler
    }

    fn status(&self) -> UpstreamStatus {
        self.transport.status()
    }

    fn view(&self) -> u64 {
        self.transport.view()
    }

    async fn check(&self, call: &Call) -> Result<(), Error> {
        let _: IgnoredAny = self.get(call, &routes::ACCOUNT, Query::default()).await?;
        Ok(())
    }
}

#[async_trait]
impl Mailing for Client {
    async fn subscriber(&self, call: &Call, email: &str) -> Result<Option<Subscriber>, Error> {
        let found = self.get_of(call, &routes::SUBSCRIBER, email, Query::default()).await;
        Ok(absent(found)?.map(convert::subscriber))
    }

    async fn subscribers(
        &self,
        call: &Call,
        number: NonZeroU32,
        keyword: Option<&str>,
    ) -> Result<SubscriberPage, Error> {
        let mut query = page(number.get(), PAGE_SIZE);
        if let Some(keyword) = keyword {
            query = query.with("keyword", keyword);
        }
        let found = self.get(call, &routes::SUBSCRIBERS, query).await?;
        Ok(convert::page(found, number.get()))
    }

    async fn lists(&self, call: &Call) -> Result<Vec<List>, Error> {
        let mut lists = Vec::new();
        for number in 1..=MOST_PAGES {
            let query = page(number, LISTS_A_PAGE).with("state", "active");
            let found: wire::Page<wire::List> = self.get(call, &routes::LISTS, query).await?;
            let last = is_last(&found, number);
            lists.extend(found.items.into_iter().map(convert::list));
            if last {
                break;
            }
        }
        Ok(lists)
    }

    async fn fields(&self, call: &Call) -> Result<Vec<FieldDefinition>, Error> {
        let found: wire::Collection<_> = self.get(call, &routes::FIELDS, Query::default()).await?;
        Ok(found.items.into_iter().map(convert::field).collect())
    }

    async fn deliveries(&self, call: &Call, email: &str) -> Result<Vec<Delivery>, Error> {
        let mut deliveries = Vec::new();
        for number in 1..=MOST_PAGES {
            let query = page(number, PAGE_SIZE);
            let found = self.get_of(call, &routes::DELIVERIES, email, query).await;
            let Some(found) = absent::<wire::Page<wire::Delivery>>(found)? else { break };
            let last = is_last(&found, number);
            deliveries.extend(found.items.into_iter().map(convert::delivery));
            if last {
                break;
            }
        }
        Ok(deliveries)
    }

    async fn campaigns(
        &self,
        call: &Call,
        number: NonZeroU32,
    ) -> Result<(Vec<Campaign>, bool), Error> {
        let query = page(number.get(), PAGE_SIZE);
        let found: wire::Page<wire::Campaign> = self.get(call, &routes::CAMPAIGNS, query).await?;
        let last = is_last(&found, number.get()) || number.get() >= MOST_PAGES;
        Ok((found.items.into_iter().map(convert::campaign).collect(), last))
    }

    async fn results(&self, call: &Call, campaign: &str) -> Result<String, Error> {
        let found = self.get_by_id(call, &routes::RESULTS, campaign, Query::default()).await?;
        Ok(convert::results(found))
    }

    async fn recipients(&self, call: &Call, campaign: &str) -> Result<Vec<String>, Error> {
        let found: wire::Recipients =
            self.get_by_id(call, &routes::RECIPIENTS, campaign, Query::default()).await?;
        Ok(found.lists.into_iter().map(|list| list.id.into()).collect())
    }

    async fn list_subscribers(
        &self,
        call: &Call,
        list: &str,
        number: NonZeroU32,
    ) -> Result<SubscriberPage, Error> {
        let route = &routes::LIST_SUBSCRIBERS;
        let query = page(number.get(), PAGE_SIZE);
        let found = self.get_by_id(call, route, list_id(route, list)?, query).await?;
        Ok(convert::page(found, number.get()))
    }

    async fn unsubscribed(
        &self,
        call: &Call,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
        number: NonZeroU32,
    ) -> Result<SubscriberPage, Error> {
        // Without both dates the live system was seen to answer a gateway's error.
        let query = page(number.get(), PAGE_SIZE).with("from", &iso(from)).with("to", &iso(to));
        let found = self.get(call, &routes::UNSUBSCRIBED, query).await?;
        Ok(convert::page(found, number.get()))
    }

    async fn put_subscriber(
        &self,
        call: &Call,
        list: &str,
        edit: &SubscriberEdit,
    ) -> Result<(), Error> {
        let route = &routes::PUT_SUBSCRIBER;
        let account = self.account();
        let values = [Segment::email(&account), Segment::id(list_id(route, list)?)];
        let request = Request::new(route, &values).json(&body::Subscriber::from(edit))?;
        let done = self.transport.perform(call, request).await;
        done.map_err(|error| named(error, std::slice::from_ref(edit)))
    }

    async fn remove_from_list(&self, call: &Call, list: &str, email: &str) -> Result<(), Error> {
        let route = &routes::REMOVE_FROM_LIST;
        let list = Segment::id(list_id(route, list)?);
        let account = self.account();
        let values = [Segment::email(&account), list, Segment::email(email)];
        let done = self.transport.perform(call, Request::new(route, &values)).await;
        absent(done).map(|_| ())
    }

    async fn unsubscribe(&self, call: &Call, email: &str) -> Result<(), Error> {
        let account = self.account();
        let values = [Segment::email(&account)];
        let request = Request::new(&routes::UNSUBSCRIBE, &values).json(&body::Person { email })?;
        self.transport.perform(call, request).await
    }

    async fn import(
        &self,
        call: &Call,
        list: Option<&str>,
        edits: &[SubscriberEdit],
        callback: Option<&str>,
    ) -> Result<ImportTask, Error> {
        let route = if list.is_some() { &routes::IMPORT_INTO_LIST } else { &routes::IMPORT };
        let body = body::Import::new(edits, callback)
            .map_err(|fields| error(route, Kind::Rejected { fields }))?;
        let name = self.account();
        let account = Segment::email(&name);
        let values = match list {
            None => vec![account],
            Some(list) => {
                let list = list_id(route, list)?;
                let found: wire::List =
                    self.get_by_id(call, &routes::LIST, list, Query::default()).await?;
                if found.current_status.as_deref() == Some(IMPORTING) {
                    return Err(error(route, Kind::Busy));
                }
                vec![account, Segment::id(list)]
            }
        };
        let request = Request::new(route, &values).json(&body)?;
        let made = self.transport.call::<wire::Created>(call, request).await;
        let made = made.map_err(|error| named(error, edits))?;
        Ok(ImportTask { id: made.created_resource_id.into(), state: ImportState::Running })
    }

    async fn import_task(&self, call: &Call, id: &str) -> Result<ImportTask, Error> {
        let found = self.get_by_id(call, &routes::TASK, id, Query::default()).await?;
        Ok(convert::task(found))
    }

    async fn create_list(&self, call: &Call, name: &str) -> Result<List, Error> {
        let made = self.create(call, &routes::CREATE_LIST, &body::List { name }).await?;
        // It was made, and only another reading of the lists can tell under which id.
        let unknown = |_| error(&routes::CREATE_LIST, Kind::Malformed).doubtful();
        let id = made.parse().map_err(unknown)?;
        Ok(List { id, name: name.to_owned(), subscribers_count: Some(0) })
    }

    async fn create_field(&self, call: &Call, field: &FieldDraft) -> Result<(), Error> {
        self.create(call, &routes::CREATE_FIELD, &body::Field::from(field)).await.map(drop)
    }
}

fn error(route: &'static Route, kind: Kind) -> Error {
    Error::new(System::Doppler, route.template, kind)
}

/// A list's id, or that there is no such list: what cannot be an id is none's.
fn list_id<'a>(route: &'static Route, list: &'a str) -> Result<&'a str, Error> {
    match Segment::id(list) {
        Some(_) => Ok(list),
        None => Err(error(route, Kind::ListGone)),
    }
}

/// Puts fields' names where Doppler counts them: `fields[2].value`, of any row.
fn named(mut error: Error, edits: &[SubscriberEdit]) -> Error {
    let name = |key: &str| {
        let (_, counted) = key.rsplit_once("fields[")?;
        let index: usize = counted.split_once(']')?.0.parse().ok()?;
        Some(edits.first()?.fields.get(index)?.0.clone())
    };
    if let Kind::Rejected { fields } = &mut error.kind {
        for field in &mut *fields {
            if let Some(name) = name(field) {
                *field = name;
            }
        }
        fields.dedup();
    }
    error
}

fn iso(moment: DateTime<Utc>) -> String {
    moment.to_rfc3339_opts(SecondsFormat::Millis, true)
}

fn page(number: u32, size: u32) -> Query {
    Query::default().with("page", &number.to_string()).with("per_page", &size.to_string())
}

/// Pages are counted by what came back, since a page may hold fewer than asked for.
fn is_last<T>(page: &wire::Page<T>, number: u32) -> bool {
    page.items.is_empty() || page.pages_count.is_none_or(|pages| number >= pages)
}

/// What does not exist is `None`.
fn absent<T>(found: Result<T, Error>) -> Result<Option<T>, Error> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(Error { kind: Kind::NotFound, .. }) => Ok(None),
        Err(error) => Err(error),
    }
}
