//! Global ids: a word that says what it is, and what leads there. Clients treat them as opaque.
//!
//! Nothing personal is in an id: people are named by their minted contact id or HighLevel's own
//! ids, never by an address.

use async_graphql::ID;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use uuid::Uuid;

use crate::contacts::{Error, Target};
use crate::unified::{ContactId, HighLevelId, System, WorkspaceId};

/// What a global id names.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum GlobalId {
    Workspace(String),
    Contact(ContactId),
    Note(Target),
    Task(Target),
    Appointment(Target),
    /// A contact and a campaign.
    Delivery(ContactId, String),
    List(i64),
    Hold(Uuid),
    Run(Uuid),
    /// A contact and a system.
    Failure(ContactId, System),
}

/// Between the two halves of an id; neither system's ids contain it.
const SEPARATOR: char = '\n';
/// Longer ids are not ours.
const LONGEST: usize = 1024;

impl GlobalId {
    /// The id as clients see it.
    pub fn encode(&self) -> ID {
        let (word, rest) = match self {
            Self::Workspace(id) => ("workspace", wrap(id)),
            Self::Contact(id) => ("contact", id.to_string()),
            Self::Note(target) => ("note", wrap_target(target)),
            Self::Task(target) => ("task", wrap_target(target)),
            Self::Appointment(target) => ("appointment", wrap_target(target)),
            Self::Delivery(contact, campaign) => {
                ("delivery", wrap(&format!("{contact}{SEPARATOR}{campaign}")))
            }
            Self::List(id) => ("list", id.to_string()),
            Self::Hold(id) => ("hold", id.simple().to_string()),
            Self::Run(id) => ("run", id.simple().to_string()),
            Self::Failure(contact, system) => {
                ("failure", wrap(&format!("{contact}{SEPARATOR}{system}")))
            }
        };
        ID(format!("{word}_{rest}"))
    }

    /// What an id names; `None` if it is none of ours.
    pub fn decode(id: &str) -> Option<Self> {
        let (word, rest) = id.split_once('_').filter(|_| id.len() <= LONGEST)?;
        Some(match word {
            "workspace" => Self::Workspace(unwrap(rest)?),
            "contact" => Self::Contact(rest.parse().ok()?),
            "note" => Self::Note(unwrap_target(rest)?),
            "task" => Self::Task(unwrap_target(rest)?),
            "appointment" => Self::Appointment(unwrap_target(rest)?),
            "delivery" => {
                let text = unwrap(rest)?;
                let (contact, campaign) = text.split_once(SEPARATOR)?;
                Self::Delivery(contact.parse().ok()?, campaign.to_owned())
            }
            "list" => Self::List(rest.parse().ok()?),
            "hold" => Self::Hold(rest.parse().ok()?),
            "run" => Self::Run(rest.parse().ok()?),
            "failure" => {
                let text = unwrap(rest)?;
                let (contact, system) = text.split_once(SEPARATOR)?;
                let system = System::ALL.into_iter().find(|one| one.as_str() == system)?;
                Self::Failure(contact.parse().ok()?, system)
            }
            _ => return None,
        })
    }

    /// The run that an id in the argument `run` names.
    pub fn run(id: &str) -> Result<Uuid, Error> {
        match Self::decode(id) {
            Some(Self::Run(run)) => Ok(run),
            _ => Err(Error::invalid("run", "not the id of a run")),
        }
    }

    /// The workspace that an id in the argument `workspace` names.
    pub fn workspace(id: &str) -> Result<WorkspaceId, Error> {
        match Self::decode(id) {
            Some(Self::Workspace(workspace)) => Ok(WorkspaceId::from(workspace)),
            _ => Err(Error::invalid("workspace", "not the id of a workspace")),
        }
    }

    /// The contact that an id in an argument names.
    pub fn contact(id: &str, argument: &'static str) -> Result<ContactId, Error> {
        match Self::decode(id) {
            Some(Self::Contact(contact)) => Ok(contact),
            _ => Err(Error::invalid(argument, "not the id of a contact")),
        }
    }
}

fn wrap(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(text)
}

fn unwrap(text: &str) -> Option<String> {
    String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok()
}

fn wrap_target(target: &Target) -> String {
    wrap(&format!("{}{SEPARATOR}{}", target.contact, target.id))
}

fn unwrap_target(text: &str) -> Option<Target> {
    let text = unwrap(text)?;
    let (contact, id) = text.split_once(SEPARATOR)?;
    Some(Target { contact: HighLevelId::from(contact), id: id.to_owned() })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn target(contact: &str, id: &str) -> Target {
        Target { contact: HighLevelId::from(contact), id: id.to_owned() }
    }

    proptest! {
        #[test]
        fn every_id_comes_back(contact in "[^\n]{1,40}", id in ".{1,40}", list: i64, bits: u128) {
            let person = ContactId(Uuid::from_u128(bits));
            let all = [
                GlobalId::Workspace(id.clone()),
                GlobalId::Contact(person),
                GlobalId::Note(target(&contact, &id)),
                GlobalId::Task(target(&contact, &id)),
                GlobalId::Appointment(target(&contact, &id)),
                GlobalId::Delivery(person, id.clone()),
                GlobalId::List(list),
                GlobalId::Hold(person.0),
                GlobalId::Run(person.0),
                GlobalId::Failure(person, System::HighLevel),
            ];
            for one in all {
                prop_assert_eq!(GlobalId::decode(&one.encode()), Some(one));
            }
        }

        #[test]
        fn no_text_breaks_it(text in ".{0,200}") {
            let _ = GlobalId::decode(&text);
        }
    }
}
