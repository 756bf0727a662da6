//! What a plan says: actions with reasons, and what execution needs to perform them.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::unified::{
    ActionKind, Agreement, ContactDraft, ContactEdit, ContactId, EditId, HighLevelId, Hold,
    HoldCandidate, HoldKind, HoldResolution, MappingRule, NoteDraft, NoteEdit, Sighting,
    SubscriberEdit, System, SystemWrite, TaskDraft, TaskEdit, UserError,
};

/// What is to be done about a contact now.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    pub contact: ContactId,
    /// In the order in which they are to be performed; consent comes first.
    pub actions: Vec<Action>,
    /// Holds to be opened.
    pub holds: Vec<HoldDraft>,
    /// Holds that are over.
    pub over: Vec<Over>,
    /// What else a reader should know, in words for people.
    pub reasons: Vec<String>,
    /// Of each open edit and system, what is known already and which actions decide the rest.
    pub edits: Vec<EditPart>,
    /// What has to be read before the rest can be planned: read it and plan again.
    pub needs: Vec<Need>,
    /// What is agreed once the plan is recorded, whatever becomes of its actions.
    pub agreement: Agreement,
}

impl Plan {
    /// These actions and nothing else.
    pub fn only(contact: ContactId, actions: Vec<Action>, agreement: Agreement) -> Self {
        Self {
            contact,
            actions,
            holds: Vec::new(),
            over: Vec::new(),
            reasons: Vec::new(),
            edits: Vec::new(),
            needs: Vec::new(),
            agreement,
        }
    }
}

/// One thing to do in one system.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Action {
    pub system: System,
    pub kind: ActionKind,
    pub fields: Vec<PlannedField>,
    /// Why, in words for people.
    pub reason: String,
    pub when: When,
    pub payload: Payload,
    /// The edit that it carries out, where it is one edit's alone (notes, tasks, a deletion).
    pub edit: Option<EditId>,
    /// Which tags it adds to and takes from what was agreed, whatever carries them.
    pub tags: Option<TagsDelta>,
}

/// A change of a set of tags.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct TagsDelta {
    pub add: Vec<String>,
    pub remove: Vec<String>,
}

/// Whether an action can be performed.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum When {
    Now,
    /// Not before the system can be read; `code` is the error's name in the public schema.
    Later {
        code: String,
    },
    /// It tells only what is not done and why.
    Never,
}

/// A field as an action changes it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct PlannedField {
    pub field: String,
    pub before: Option<String>,
    pub after: Option<String>,
    pub rule: MappingRule,
    pub reason: Option<String>,
}

/// What execution needs. Everything that can be said beforehand is in it.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub enum Payload {
    /// Nothing is sent.
    Nothing,
    /// The person was found there: remember it.
    Link(Sighting),
    /// The person is no longer there: forget the link and keep a tombstone.
    Unlink {
        system: System,
        key: String,
    },
    CreateSubscriber {
        list: String,
        edit: SubscriberEdit,
    },
    /// By the list that the subscriber is in; without one by the account's import, which ends later.
    UpdateSubscriber {
        list: Option<String>,
        edit: SubscriberEdit,
    },
    /// The new address into all lists first, then the old one out of them. `adopted`: a subscriber
    /// with the new address is there already. Without a list, the new one comes by import.
    Rename {
        from: String,
        lists: Vec<String>,
        edit: SubscriberEdit,
        adopted: bool,
    },
    Subscribe {
        list: ListTarget,
        email: String,
    },
    RemoveFromList {
        list: String,
        email: String,
    },
    OptOut {
        email: String,
    },
    CreateContact(Box<ContactDraft>),
    UpdateContact {
        id: HighLevelId,
        edit: Box<ContactEdit>,
    },
    AddTags {
        id: HighLevelId,
        tags: Vec<String>,
    },
    RemoveTags {
        id: HighLevelId,
        tags: Vec<String>,
    },
    DeleteContact {
        id: HighLevelId,
    },
    CreateNote {
        contact: HighLevelId,
        draft: NoteDraft,
    },
    UpdateNote {
        contact: HighLevelId,
        note: String,
        edit: NoteEdit,
    },
    DeleteNote {
        contact: HighLevelId,
        note: String,
    },
    CreateTask {
        contact: HighLevelId,
        draft: TaskDraft,
    },
    UpdateTask {
        contact: HighLevelId,
        task: String,
        edit: TaskEdit,
    },
    CompleteTask {
        contact: HighLevelId,
        task: String,
        completed: bool,
    },
    DeleteTask {
        contact: HighLevelId,
        task: String,
    },
}

/// A Doppler list.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum ListTarget {
    Id(String),
    /// To be made unless there is one of that name.
    Named(String),
}

/// A hold to be opened.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct HoldDraft {
    pub kind: HoldKind,
    /// `None`: it is about the workspace, and one is enough for everybody.
    pub contact: Option<ContactId>,
    /// Everybody it is about.
    pub contacts: Vec<ContactId>,
    pub system: Option<System>,
    pub field: Option<String>,
    pub candidates: Vec<HoldCandidate>,
    pub resolutions: Vec<HoldResolution>,
    pub reason: String,
}

impl From<&Hold> for HoldDraft {
    fn from(hold: &Hold) -> Self {
        let Hold {
            kind, contact, contacts, system, field, candidates, resolutions, reason, ..
        } = hold.clone();
        Self { kind, contact, contacts, system, field, candidates, resolutions, reason }
    }
}

impl HoldDraft {
    /// The hold as it is opened.
    pub fn opened(self, id: Uuid, since: DateTime<Utc>) -> Hold {
        let Self { kind, contact, contacts, system, field, candidates, resolutions, reason } = self;
        let run = None;
        Hold {
            id,
            kind,
            contact,
            contacts,
            run,
            system,
            field,
            candidates,
            resolutions,
            reason,
            since,
        }
    }
}

/// A hold that is over.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Over {
    pub hold: Uuid,
    pub field: Option<String>,
    /// In words for people.
    pub reason: String,
}

/// What has to be read before all can be planned.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Need {
    /// HighLevel's notes of the contact.
    Notes,
    /// HighLevel's tasks of the contact.
    Tasks,
    /// The subscriber with this address, and the contact that it is linked to.
    Subscriber(String),
    /// A system's field definitions, no older than what was read of the person.
    Definitions(System),
}

/// What one edit comes to in one system.
#[derive(Clone, Debug, PartialEq)]
pub struct EditPart {
    pub edit: EditId,
    pub system: System,
    pub part: Part,
}

/// Known already, or what decides it.
#[derive(Clone, Debug, PartialEq)]
pub enum Part {
    Known(Known),
    /// Indices into [`Plan::actions`].
    Depends(Vec<usize>),
}

/// An outcome that needs no call.
#[derive(Clone, Debug, PartialEq)]
pub struct Known {
    pub write: SystemWrite,
    /// What is wrong with the edit, if it is refused.
    pub error: Option<UserError>,
    /// The id of the note or task that it turned out to have written.
    pub result: Option<String>,
}

impl Action {
    /// An action to be performed now.
    pub(in crate::sync) fn new(
        system: System,
        kind: ActionKind,
        payload: Payload,
        reason: impl Into<String>,
    ) -> Self {
        Self {
            system,
            kind,
            fields: Vec::new(),
            reason: reason.into(),
            when: When::Now,
            payload,
            edit: None,
            tags: None,
        }
    }

    /// The same with the fields that it changes.
    #[must_use]
    pub(super) fn with(mut self, fields: Vec<PlannedField>) -> Self {
        self.fields = fields;
        self
    }

    /// Whether it sends anything.
    pub fn is_write(&self) -> bool {
        !matches!(self.payload, Payload::Nothing | Payload::Link(_) | Payload::Unlink { .. })
    }
}
