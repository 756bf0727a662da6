//! The calls.

use std::num::NonZeroU32;
use std::sync::Arc;

use async_trait::async_trait;
use reqwest::header::HeaderMap;
use serde::de::{DeserializeOwned, IgnoredAny};

use crate::clock::Clock;
use crate::config::doppler::Doppler;
use crate::unified::{Delivery, FieldDefinition, List, Subscriber, System};
use crate::upstream::{
    Allowance, Call, CredentialKind, Directory, Error, Kind, Mailing, PAGE_SIZE, Query, Request,
    Route, Segment, Setup, SetupError, SubscriberPage, Token, Transport, UpstreamStatus,
};

use super::{convert, refusal, routes, wire};

/// Lists are served up to 200 a page (`doppler-for-shopify`, `doppler-client.js`).
const LISTS_A_PAGE: u32 = 200;
/// Where paging ends whatever Doppler says, so that a wrong page count cannot keep us for ever.
const MOST_PAGES: u32 = 100;

/// A Doppler account.
pub struct Client {
    transport: Transport,
    account: String,
}

impl Client {
    /// Sets up the connection; makes no call.
    pub fn new(config: &Doppler, clock: &Clock) -> Result<Self, SetupError> {
        let account = config.account.as_deref().filter(|account| !account.is_empty());
        let key = config.api_key.as_ref().filter(|_| account.is_some());
        let transport = Transport::new(Setup {
            system: System::Doppler,
            base_url: &config.base_url,
            account,
            connections: config.connections,
            connect_timeout: config.connect_timeout,
            timeout: config.timeout,
            headers: HeaderMap::new(),
            credentials: Arc::new(Token::new("token", key, CredentialKind::ApiKey)),
            allowance: Allowance::own(clock.clone(), config.rate, config.burst),
            refusal: refusal::kind,
            scopes: &[],
            write_scope: None,
            clock: clock.clone(),
        })?;
        Ok(Self { transport, account: account.unwrap_or_default().to_owned() })
    }

    async fn get<T: DeserializeOwned + Send>(
        &self,
        call: &Call,
        route: &'static Route,
        query: Query,
    ) -> Result<T, Error> {
        let values = [Segment::email(&self.account)];
        self.transport.call(call, Request::new(route, &values).query(query)).await
    }

    async fn get_of<T: DeserializeOwned + Send>(
        &self,
        call: &Call,
        route: &'static Route,
        email: &str,
        query: Query,
    ) -> Result<T, Error> {
        let values = [Segment::email(&self.account), Segment::email(email)];
        self.transport.call(call, Request::new(route, &values).query(query)).await
    }
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
