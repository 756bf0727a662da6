//! What only the mailing system (Doppler) has.

use std::num::NonZeroU32;

use async_trait::async_trait;

use crate::unified::{Delivery, FieldDefinition, List, Subscriber};

use super::{Call, Directory, Error};

/// Reading subscribers, lists, fields and deliveries.
#[async_trait]
pub trait Mailing: Directory {
    /// One subscriber by e-mail address; `None` if there is none. One call.
    async fn subscriber(&self, call: &Call, email: &str) -> Result<Option<Subscriber>, Error>;

    /// One page of the account's subscribers, in no stated order. One call.
    async fn subscribers(
        &self,
        call: &Call,
        number: NonZeroU32,
        keyword: Option<&str>,
    ) -> Result<SubscriberPage, Error>;

    /// All lists. One call per 200.
    async fn lists(&self, call: &Call) -> Result<Vec<List>, Error>;

    /// All field definitions. One call.
    async fn fields(&self, call: &Call) -> Result<Vec<FieldDefinition>, Error>;

    /// All deliveries to one subscriber; empty if there is no such subscriber. One call per 100.
    async fn deliveries(&self, call: &Call, email: &str) -> Result<Vec<Delivery>, Error>;
}

/// A page of subscribers as the system cut it.
#[derive(Clone, Debug, PartialEq)]
pub struct SubscriberPage {
    pub items: Vec<Subscriber>,
    /// Which page this is, from 1.
    pub number: u32,
    /// How many a full page holds by the system's word, which may differ from what was asked.
    pub size: u32,
    pub pages: u32,
    /// How many subscribers there are in all.
    pub total: u32,
}

/// How many subscribers a page is asked to hold. Doppler serves at most 100.
pub const PAGE_SIZE: u32 = 100;
