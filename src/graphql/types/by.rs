//! How a client names a person.

use async_graphql::{ID, OneofObject};

use crate::contacts::{By, Error};
use crate::graphql::ids::GlobalId;
use crate::graphql::scalars::{EmailAddress, PhoneNumber};
use crate::unified::HighLevelId;

/// Names one person by exactly one thing that is known of them, for example
/// `{email: "ana.paz@example.com"}`. If several people answer to it, the error `CONFLICT` names
/// them in `extensions.contacts`.
#[derive(Clone, Debug, OneofObject)]
pub enum ContactBy {
    /// The contact's own id. Costs no upstream call.
    Id(ID),
    /// An e-mail address, in either system.
    Email(EmailAddress),
    /// A phone number with its country code, for example `+541155550199`.
    Phone(PhoneNumber),
    /// HighLevel's id of the contact.
    HighlevelId(String),
}

impl TryFrom<ContactBy> for By {
    type Error = Error;

    fn try_from(by: ContactBy) -> Result<Self, Error> {
        Ok(match by {
            ContactBy::Id(id) => match GlobalId::decode(&id) {
                Some(GlobalId::Contact(id)) => Self::Id(id),
                _ => return Err(Error::invalid("id", "not the id of a contact")),
            },
            ContactBy::Email(email) => Self::Email(email.0),
            ContactBy::Phone(phone) => Self::Phone(phone.0),
            ContactBy::HighlevelId(id) => Self::HighLevelId(HighLevelId::from(id)),
        })
    }
}
