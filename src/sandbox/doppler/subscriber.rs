//! A subscriber as Doppler holds it, and as it is shown.

use serde::ser::SerializeSeq;
use serde::{Deserialize, Serialize, Serializer};

use super::account::Account;
use super::answer::{Href, Link};
use super::campaign::Delivery;
use super::stamp::Stamp;
use crate::sandbox::settings::ListReference;

/// A person in the account, in any number of lists.
#[derive(Clone, Debug)]
pub struct Subscriber {
    /// As first written; compared without case.
    pub email: String,
    /// By field number, in the order first set. An emptied field stays with an empty text.
    pub values: Vec<(usize, String)>,
    /// List id and the place in its order of joining.
    pub lists: Vec<(u64, u64)>,
    /// Where the person stands, unsubscription apart.
    pub standing: Standing,
    /// Set once the person is out.
    pub unsubscription: Option<Unsubscription>,
    /// Engagement, from 0.
    pub score: u8,
    /// Campaigns sent, oldest first.
    pub deliveries: Vec<Delivery>,
    /// Changes of permission and consent fields, oldest first.
    pub permissions: Vec<PermissionChange>,
    /// What a keyword is looked for in: address and names, lower case.
    pub haystack: String,
}

/// Where a subscriber stands who has not unsubscribed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Standing {
    /// Gets mail.
    #[default]
    Active,
    /// Has not confirmed the double opt-in.
    Pending,
    /// On hold until the account's plan has room.
    StandBy,
}

/// How a person got out.
#[derive(Clone, Debug)]
pub struct Unsubscription {
    /// Epoch milliseconds.
    pub at: i64,
    /// By what.
    pub kind: UnsubscriptionType,
    /// With `manual` only.
    pub reason: Option<ManualReason>,
    /// Free text, at most 200 characters.
    pub comment: String,
}

/// What ended a subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum UnsubscriptionType {
    /// The address does not exist.
    HardBounce,
    /// The mailbox refused too often.
    SoftBounce,
    /// Never opened anything.
    NeverOpen,
    /// By the person or the account's owner, see [`ManualReason`].
    Manual,
    /// The mail program's abuse link.
    AbuseLink,
    /// The mail provider's complaint channel.
    FeedbackLoop,
    /// By Doppler.
    InternalPolicies,
}

impl UnsubscriptionType {
    /// Whether the person did it; then adding answers 400.9, else 400.6.
    pub fn is_own_will(self) -> bool {
        matches!(self, Self::Manual | Self::AbuseLink | Self::FeedbackLoop)
    }
}

/// Why, where someone chose to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ManualReason {
    /// By the account's owner.
    #[default]
    Administrative,
    /// "I never subscribed."
    SubscriberRequestNeverSubscribed,
    /// "The content is not interesting."
    SubscriberRequestNotInterestingContent,
    /// "This is spam."
    SubscriberRequestIsSpam,
    /// "Too many e-mails."
    SubscriberRequestTooManyEmails,
    /// Any other.
    SubscriberRequestOther,
}

/// One change of a permission.
#[derive(Clone, Debug)]
pub struct PermissionChange {
    /// Field number.
    pub field: usize,
    /// Epoch milliseconds.
    pub at: i64,
    /// `None`: withdrawn.
    pub value: Option<String>,
    /// How it came, for example `Formulario`.
    pub origin: &'static str,
}

impl Subscriber {
    /// A new one, in no list.
    pub fn new(email: &str) -> Self {
        Self {
            email: email.to_owned(),
            values: Vec::new(),
            lists: Vec::new(),
            standing: Standing::Active,
            unsubscription: None,
            score: 0,
            deliveries: Vec::new(),
            permissions: Vec::new(),
            haystack: email.to_lowercase(),
        }
    }

    /// The raw `status`.
    pub fn status(&self) -> &'static str {
        match (&self.unsubscription, self.standing) {
            (Some(_), _) => "unsubscribed",
            (None, Standing::Active) => "active",
            (None, Standing::Pending) => "pending",
            (None, Standing::StandBy) => "standBy",
        }
    }

    /// A field's value.
    pub fn value(&self, field: usize) -> Option<&str> {
        self.values.iter().find(|(id, _)| *id == field).map(|(_, value)| value.as_str())
    }
}

/// A subscriber as the API shows it.
#[derive(Clone, Copy)]
pub struct Shown<'a> {
    subscriber: &'a Subscriber,
    account: &'a Account,
    reference: ListReference,
}

impl<'a> Shown<'a> {
    /// Shows `subscriber`, naming its lists as the settings say.
    pub fn new(subscriber: &'a Subscriber, account: &'a Account, by: ListReference) -> Self {
        Self { subscriber, account, reference: by }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    email: &'a str,
    fields: Fields<'a>,
    belongs_to_lists: Lists<'a>,
    unsubscribed_date: Text<Stamp>,
    unsubscription_type: Text<UnsubscriptionType>,
    manual_unsubscription_reason: Text<ManualReason>,
    unsubscription_comment: &'a str,
    status: &'static str,
    can_be_reactivated: bool,
    is_being_reactivated: bool,
    score: u8,
    #[serde(rename = "_links")]
    links: [Link<'a>; 4],
}

impl Serialize for Shown<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let subscriber = self.subscriber;
        let email = subscriber.email.as_str();
        let out = subscriber.unsubscription.as_ref();
        Body {
            email,
            fields: Fields(*self),
            belongs_to_lists: Lists(*self),
            unsubscribed_date: Text(out.map(|out| Stamp(out.at))),
            unsubscription_type: Text(out.map(|out| out.kind)),
            manual_unsubscription_reason: Text(out.and_then(|out| out.reason)),
            unsubscription_comment: out.map(|out| out.comment.as_str()).unwrap_or_default(),
            status: subscriber.status(),
            can_be_reactivated: out.is_some_and(|out| !out.kind.is_own_will()),
            is_being_reactivated: false,
            score: subscriber.score,
            links: [
                Link::account_home(),
                Link {
                    href: Href::Subscriber(email),
                    description: "Get subscriber.",
                    rel: "/docs/rels/get-subscriber self",
                },
                Link {
                    href: Href::Deliveries(email),
                    description: "Get subscriber's campaign history",
                    rel: "related",
                },
                Link {
                    href: Href::PermissionsCsv(email),
                    description: "Get subscriber's complete permission history as CSV",
                    rel: "/docs/rels/get-permission-history-csv",
                },
            ],
        }
        .serialize(to)
    }
}

/// Absent is an empty text in this object.
struct Text<T>(Option<T>);

impl<T: Serialize> Serialize for Text<T> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Some(value) => value.serialize(to),
            None => to.serialize_str(""),
        }
    }
}

struct Lists<'a>(Shown<'a>);

impl Serialize for Lists<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let lists = &self.0.subscriber.lists;
        let mut seq = to.serialize_seq(Some(lists.len()))?;
        for (id, _) in lists {
            match self.0.reference {
                ListReference::Ids => seq.serialize_element(&format_args!("{id}"))?,
                ListReference::Names => seq.serialize_element(self.0.account.list_name(*id))?,
            }
        }
        seq.end()
    }
}

struct Fields<'a>(Shown<'a>);

#[derive(Serialize)]
struct FieldValue<'a> {
    name: &'a str,
    value: &'a str,
    predefined: bool,
    private: bool,
    readonly: bool,
    #[serde(rename = "type")]
    kind: super::value::FieldType,
    #[serde(rename = "permissionHTML", skip_serializing_if = "Option::is_none")]
    permission_html: Option<&'static str>,
}

impl Serialize for Fields<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let values = self.0.subscriber.values.iter();
        to.collect_seq(values.filter_map(|(id, value)| {
            let field = self.0.account.fields.get(*id)?;
            Some(FieldValue {
                name: &field.name,
                value,
                predefined: field.predefined,
                private: field.private,
                readonly: field.readonly(),
                kind: field.kind,
                permission_html: field.permission_html(),
            })
        }))
    }
}
