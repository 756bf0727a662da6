//! The domain's small enums under their public names.

use async_graphql::Enum;

use crate::unified;

/// One of the two systems behind a contact.
#[derive(Clone, Copy, Debug, Enum, Eq, PartialEq)]
#[graphql(name = "System", remote = "unified::System")]
pub enum SystemName {
    /// fromdoppler.com: e-mail marketing.
    Doppler,
    /// GoHighLevel / LeadConnector: contacts, notes, tasks.
    #[graphql(name = "HIGHLEVEL")]
    HighLevel,
}

/// Whether a person may be mailed: the most restrictive of what both systems say.
#[derive(Clone, Copy, Debug, Enum, Eq, PartialEq)]
#[graphql(remote = "unified::ContactStatus")]
pub enum ContactStatus {
    /// Mail came back for good.
    Bounced,
    /// The person, or somebody for them, opted out.
    Unsubscribed,
    /// A double opt-in or a plan upgrade is awaited.
    Pending,
    /// May be mailed.
    Active,
    /// In no list and reached by nothing.
    Inactive,
}

/// Where an answer came from.
#[derive(Clone, Copy, Debug, Enum, Eq, PartialEq)]
#[graphql(remote = "unified::FreshnessSource")]
pub enum FreshnessSource {
    /// Read from the system for this request.
    Live,
    /// Read a little earlier.
    Cache,
    /// The copy in the store, because the system could not be asked.
    LastKnown,
}

/// What became of an e-mail.
#[derive(Clone, Copy, Debug, Enum, Eq, PartialEq)]
#[graphql(remote = "unified::DeliveryStatus")]
pub enum DeliveryStatus {
    /// Delivered and, as far as can be told, not opened.
    NotOpened,
    /// Opened.
    Opened,
    /// Came back for now.
    SoftBounced,
    /// Came back for good.
    HardBounced,
    /// Something Doppler says that Tandem does not know.
    Unknown,
}

/// Who wins when the systems disagree about a field.
#[derive(Clone, Copy, Debug, Enum, Eq, PartialEq)]
#[graphql(remote = "unified::MappingRule")]
pub enum MappingRule {
    /// The owner's value counts.
    Owner,
    /// The later change counts as far as times prove it, else the owner's value.
    Newest,
    /// Both count, as a set.
    Merge,
    /// Nobody's, until a person decides.
    Hold,
}
