//! What finding things takes, by what they are named with.

use async_graphql::Value;

use super::calls::{Account, Calls};
use crate::graphql::ids::GlobalId;

/// A HighLevel contact by address or number: a search, the same without the index's delay, and the
/// contact that this finds.
const MATCH: u64 = 3;

/// A person by a `ContactBy`: by address or number both systems are asked, and a number may take a
/// scan of Doppler. What it cannot read is taken for the dearest.
pub(super) fn person(by: Option<&Value>, account: Account) -> Calls {
    if given(by, "id") {
        Calls::default()
    } else if given(by, "highlevelId") {
        Calls::highlevel(1)
    } else if given(by, "email") {
        Calls { highlevel: MATCH, doppler: 1 }
    } else {
        Calls { highlevel: MATCH, doppler: account.scan() }
    }
}

/// Something by its global id. What a contact's id names is known without a call, and what is no id
/// names nothing.
pub(super) fn node(id: &Value, account: Account) -> Calls {
    let Value::String(id) = id else { return Calls::default() };
    match GlobalId::decode(id) {
        // All of the contact's, and the contact whose they are or the location's time zone.
        Some(GlobalId::Note(_) | GlobalId::Task(_) | GlobalId::Appointment(_)) => {
            Calls::highlevel(2)
        }
        Some(GlobalId::Delivery(..)) => Calls::doppler(account.subscribers(1) + 1),
        Some(GlobalId::List(_)) => Calls::doppler(1),
        Some(
            GlobalId::Contact(_)
            | GlobalId::Workspace(_)
            | GlobalId::Hold(_)
            | GlobalId::Run(_)
            | GlobalId::Failure(..),
        )
        | None => Calls::default(),
    }
}

/// A mutation: finding the person, reading both sides as they are now, what plans need to know of the
/// systems, the writes, and reading again what they changed.
pub(super) fn write(input: Option<&Value>, account: Account) -> Calls {
    let found = match input {
        Some(Value::Object(input)) if input.contains_key("contact") => {
            // On whom is told only by HighLevel's side, which the origin counts where it is read.
            person(input.get("contact"), account).and(Calls::highlevel(4))
        }
        _ => Calls::highlevel(1),
    };
    found.and(Calls { highlevel: 10, doppler: 8 })
}

fn given(by: Option<&Value>, name: &str) -> bool {
    matches!(by, Some(Value::Object(by)) if by.get(name).is_some_and(|it| *it != Value::Null))
}
