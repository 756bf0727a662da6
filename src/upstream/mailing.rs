//! What only the mailing system (Doppler) has.

use std::num::NonZeroU32;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::unified::{
    Campaign, Delivery, FieldDefinition, FieldDraft, ImportTask, List, Subscriber, SubscriberEdit,
};

use super::{Call, Directory, Error};

/// Reading subscribers, lists, fields and deliveries; writing subscribers, lists and fields. One
/// call each unless it says otherwise.
///
/// A list is named by its id. A list that does not exist is [`super::Kind::ListGone`] in every call
/// that names one, and never confused with a subscriber that does not.
#[async_trait]
pub trait Mailing: Directory {
    /// One subscriber by e-mail address; `None` if there is none.
    async fn subscriber(&self, call: &Call, email: &str) -> Result<Option<Subscriber>, Error>;

    /// One page of the account's subscribers, in no stated order.
    async fn subscribers(
        &self,
        call: &Call,
        number: NonZeroU32,
        keyword: Option<&str>,
    ) -> Result<SubscriberPage, Error>;

    /// All lists. One call per 200.
    async fn lists(&self, call: &Call) -> Result<Vec<List>, Error>;

    /// All field definitions.
    async fn fields(&self, call: &Call) -> Result<Vec<FieldDefinition>, Error>;

    /// All deliveries to one subscriber; empty if there is no such subscriber. One call per 100.
    async fn deliveries(&self, call: &Call, email: &str) -> Result<Vec<Delivery>, Error>;

    /// One page of the account's campaigns, in no stated order, and whether it is the last.
    async fn campaigns(
        &self,
        call: &Call,
        number: NonZeroU32,
    ) -> Result<(Vec<Campaign>, bool), Error>;

    /// What came of a campaign so far: a text that is another one once anything of it changed.
    async fn results(&self, call: &Call, campaign: &str) -> Result<String, Error>;

    /// The ids of the lists that a campaign goes to.
    async fn recipients(&self, call: &Call, campaign: &str) -> Result<Vec<String>, Error>;

    /// One page of a list's subscribers, in no stated order.
    async fn list_subscribers(
        &self,
        call: &Call,
        list: &str,
        number: NonZeroU32,
    ) -> Result<SubscriberPage, Error>;

    /// One page of those who unsubscribed at or after `from` and before `to`.
    async fn unsubscribed(
        &self,
        call: &Call,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
        number: NonZeroU32,
    ) -> Result<SubscriberPage, Error>;

    /// Creates the subscriber or changes the fields that are given, and puts it into the list. Safe
    /// to repeat. [`super::Kind::OptedOut`] for one who may not be added (again);
    /// [`super::Kind::Rejected`] with the names of fields that do not exist or do not take the value.
    async fn put_subscriber(
        &self,
        call: &Call,
        list: &str,
        edit: &SubscriberEdit,
    ) -> Result<(), Error>;

    /// Takes a subscriber out of a list; the account keeps it. Safe to repeat: one who is not in
    /// the list is a success.
    async fn remove_from_list(&self, call: &Call, list: &str, email: &str) -> Result<(), Error>;

    /// Opts a person out of all mail, out of every list and for good. Safe to repeat, and remembered
    /// for an address that Doppler does not know yet.
    async fn unsubscribe(&self, call: &Call, email: &str) -> Result<(), Error>;

    /// Starts an import into a list or, with `None`, into no list, which is the only way to write to
    /// a subscriber who is in none. Not to be repeated blindly, though its rows are absolute values.
    ///
    /// At most 10,000 edits, all of the same fields: Doppler clears what a row lacks, so others are
    /// refused as [`super::Kind::Rejected`] without a call. When it is over Doppler calls `callback`
    /// with nothing worth reading. Into a list it costs two calls, the first to see whether another
    /// import is running there: then it is [`super::Kind::Busy`].
    async fn import(
        &self,
        call: &Call,
        list: Option<&str>,
        edits: &[SubscriberEdit],
        callback: Option<&str>,
    ) -> Result<ImportTask, Error>;

    /// How far an import is.
    async fn import_task(&self, call: &Call, id: &str) -> Result<ImportTask, Error>;

    /// Makes a list. [`super::Kind::Duplicate`] when there is one of that name in any case,
    /// [`super::Kind::Full`] when the account may have no more.
    async fn create_list(&self, call: &Call, name: &str) -> Result<List, Error>;

    /// Makes a field.
    async fn create_field(&self, call: &Call, field: &FieldDraft) -> Result<(), Error>;
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
