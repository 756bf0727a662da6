//! What HighLevel's webhooks say: whom they are about, and no more.
//!
//! The event's members are at the top level, with `type`, `locationId`, `timestamp` and `webhookId`
//! beside them. Seen live against the documents: `TaskCreate` without `contactId`
//! (highlevel-api-docs#332), appointment events of the wrong `type` (all are read alike here).
//!
//! To add an event: a row in [`KINDS`] and what it is about in [`about`].

use chrono::{DateTime, Utc};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::config;
use crate::upstream::{About, Inbound, Notice, Post, Unverified};

use super::lenient::{moment, text};
use super::oauth::app_of;
use super::signature::Verifier;

/// The events that are known, of which some are about nothing that we keep.
const KINDS: [&str; 18] = [
    "ContactCreate",
    "ContactUpdate",
    "ContactDelete",
    "ContactTagUpdate",
    "ContactDndUpdate",
    "NoteCreate",
    "NoteUpdate",
    "NoteDelete",
    "TaskCreate",
    "TaskComplete",
    "TaskDelete",
    "AppointmentCreate",
    "AppointmentUpdate",
    "AppointmentDelete",
    "INSTALL",
    "UNINSTALL",
    "UPDATE",
    OTHER,
];
/// What every other event is called.
const OTHER: &str = "other";
/// The longest id that is believed to be one.
const LONGEST_ID: usize = 64;

/// HighLevel's webhooks.
#[derive(Debug)]
pub struct Webhooks {
    verifier: Verifier,
    /// Our app, if the config names one: HighLevel signs for all apps with one key, so what befell
    /// another app may be sent here by whoever received it.
    app: Option<String>,
}

impl Webhooks {
    /// With the published key and those of the config.
    pub fn new(config: &config::highlevel::HighLevel) -> Self {
        let added = config.webhook_public_key.as_deref().unwrap_or_default();
        Self {
            verifier: Verifier::new(added, config.legacy_webhook_signatures),
            app: config.client_id.as_deref().and_then(app_of).map(str::to_owned),
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Event {
    #[serde(rename = "type", deserialize_with = "text")]
    kind: Option<String>,
    #[serde(deserialize_with = "text")]
    location_id: Option<String>,
    #[serde(deserialize_with = "text")]
    company_id: Option<String>,
    #[serde(deserialize_with = "text")]
    app_id: Option<String>,
    #[serde(deserialize_with = "text")]
    webhook_id: Option<String>,
    #[serde(deserialize_with = "moment")]
    timestamp: Option<DateTime<Utc>>,
    #[serde(deserialize_with = "text")]
    id: Option<String>,
    #[serde(deserialize_with = "text")]
    contact_id: Option<String>,
    #[serde(deserialize_with = "text")]
    title: Option<String>,
    appointment: Option<Appointment>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Appointment {
    #[serde(deserialize_with = "text")]
    contact_id: Option<String>,
}

impl Inbound for Webhooks {
    fn verify(&self, post: Post<'_>) -> Result<(), Unverified> {
        self.verifier.verify(post)
    }

    fn read(&self, body: &[u8]) -> Option<Notice> {
        // A list of values would pass for the members of an event in their order.
        if body.trim_ascii_start().first() != Some(&b'{') {
            return None;
        }
        let event: Event = serde_json::from_slice(body).ok()?;
        let kind = event.kind.as_deref()?;
        let kind = KINDS.into_iter().find(|known| *known == kind).unwrap_or(OTHER);
        let ours = self.app.is_none() || event.app_id == self.app;
        let about = about(kind, &event).filter(|about| ours || !about.is_of_an_app());
        let about = about.unwrap_or(About::Other);
        // One without an id is the same as another of the same words.
        let plain =
            |id: &String| id.len() <= LONGEST_ID && id.bytes().all(|b| b.is_ascii_graphic());
        let id = event.webhook_id.filter(plain);
        let id = id.unwrap_or_else(|| format!("{:x}", Sha256::digest(body)));
        Some(Notice { id, kind, account: event.location_id, at: event.timestamp, about })
    }
}

fn about(kind: &str, event: &Event) -> Option<About> {
    let id = |id: &Option<String>| id.clone().filter(|id| id.len() <= LONGEST_ID);
    let contact = || id(&event.contact_id).map(Into::into);
    Some(match kind {
        _ if kind.starts_with("Contact") => About::Contact(id(&event.id)?.into()),
        _ if kind.starts_with("Note") => About::Notes(contact()?),
        _ if kind.starts_with("Task") => match contact() {
            Some(contact) => About::Tasks(contact),
            None => About::Task { id: id(&event.id)?, title: event.title.clone()? },
        },
        _ if kind.starts_with("Appointment") => {
            let nested = event.appointment.as_ref().and_then(|held| id(&held.contact_id));
            About::Appointments(nested.map(Into::into).or_else(contact)?)
        }
        "INSTALL" => About::Installed,
        // That of an agency names no location.
        "UNINSTALL" => match id(&event.company_id).filter(|_| event.location_id.is_none()) {
            Some(company) => About::TakenBack(company),
            None => About::Uninstalled,
        },
        _ => About::Other,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn webhooks() -> Webhooks {
        Webhooks::new(&config::highlevel::HighLevel::default())
    }

    fn read(body: &Value) -> Notice {
        webhooks().read(body.to_string().as_bytes()).unwrap()
    }

    #[test]
    fn an_event_is_an_object() {
        assert!(webhooks().read(br#" {"type": "ContactUpdate", "id": "c"}"#).is_some());
        let list = br#"["ContactUpdate", "l", null, null, "c", null, null, null]"#;
        assert!(webhooks().read(list).is_none());
        assert!(webhooks().read(b"").is_none());
    }

    #[test]
    fn every_documented_example_is_understood() {
        let contact = "cnt00000000000000001";
        let examples: [(&str, &str, About); 16] = [
            ("ContactCreate", CONTACT_CREATE, About::Contact(contact.into())),
            ("ContactUpdate", CONTACT_UPDATE, About::Contact(contact.into())),
            ("ContactDelete", CONTACT_DELETE, About::Contact(contact.into())),
            ("ContactTagUpdate", CONTACT_TAG, About::Contact(contact.into())),
            ("ContactDndUpdate", CONTACT_DND, About::Contact(contact.into())),
            ("NoteCreate", NOTE_CREATE, About::Notes(contact.into())),
            ("NoteUpdate", NOTE_UPDATE, About::Notes(contact.into())),
            ("NoteDelete", NOTE_DELETE, About::Notes(contact.into())),
            ("TaskCreate", TASK_CREATE, About::Tasks(contact.into())),
            ("TaskComplete", TASK_COMPLETE, About::Tasks(contact.into())),
            ("TaskDelete", TASK_DELETE, About::Tasks(contact.into())),
            ("AppointmentCreate", APPOINTMENT_CREATE, About::Appointments(contact.into())),
            ("AppointmentUpdate", APPOINTMENT_UPDATE, About::Appointments(contact.into())),
            ("AppointmentDelete", APPOINTMENT_DELETE, About::Appointments(contact.into())),
            ("INSTALL", INSTALL, About::Installed),
            ("UNINSTALL", UNINSTALL, About::Uninstalled),
        ];
        for (kind, body, about) in examples {
            let notice = webhooks().read(body.as_bytes()).unwrap();
            assert_eq!((notice.kind, &notice.about), (kind, &about));
            assert_eq!(notice.account.as_deref(), Some("loc00000000000000001"), "{kind}");
            assert!(notice.at.is_some() && notice.id.len() == 36, "{kind}");
        }
        let agencys = webhooks().read(UNINSTALL_AGENCY.as_bytes()).unwrap();
        let company = "cmp00000000000000001".to_owned();
        assert_eq!((agencys.about, agencys.account), (About::TakenBack(company), None));
        let bare = webhooks().read(BARE_TASK.as_bytes()).unwrap();
        let task = About::Task { id: "tsk00000000000000001".into(), title: "Proposal".into() };
        assert_eq!(bare.about, task);
    }

    #[test]
    fn what_befell_another_app_is_about_nothing() {
        let client_id = Some("ours-x1".to_owned());
        let config = config::highlevel::HighLevel { client_id, ..Default::default() };
        let about = |kind: &str, app: &Value| {
            let body = json!({"type": kind, "appId": app, "locationId": "l", "id": "c"});
            Webhooks::new(&config).read(body.to_string().as_bytes()).unwrap().about
        };
        for other in [json!("other"), json!("ours-x1"), Value::Null] {
            assert_eq!(about("UNINSTALL", &other), About::Other, "{other}");
            assert_eq!(about("INSTALL", &other), About::Other, "{other}");
            assert_eq!(about("ContactUpdate", &other), About::Contact("c".into()), "{other}");
        }
        assert_eq!(about("UNINSTALL", &json!("ours")), About::Uninstalled);
        let body = json!({"type": "UNINSTALL", "appId": "other", "companyId": "c"});
        let config = config::highlevel::HighLevel {
            client_id: Some("ours-x1".to_owned()),
            ..Default::default()
        };
        let others = Webhooks::new(&config).read(body.to_string().as_bytes()).unwrap();
        assert_eq!(others.about, About::Other);
        assert_eq!(about("INSTALL", &json!("ours")), About::Installed);
    }

    #[test]
    fn what_is_odd_is_about_nothing() {
        let long = "x".repeat(65);
        for body in [
            json!({"type": "KnowledgeBaseUpdate", "id": "c1"}),
            json!({"type": "ContactUpdate", "id": long}),
            json!({"type": "ContactUpdate"}),
            json!({"type": "NoteCreate", "contactId": ["c1"]}),
            json!({"type": "AppointmentCreate", "appointment": {"contactId": null}}),
        ] {
            assert_eq!(read(&body).about, About::Other, "{body}");
        }
        assert_eq!(read(&json!({"type": "KnowledgeBaseUpdate"})).kind, "other");
        for none in ["", "[]", "7", "{}", r#"{"type": 7}"#, "\u{feff}{}", r#"{"type": "X""#] {
            let notice = webhooks().read(none.as_bytes());
            assert!(notice.is_none_or(|notice| notice.about == About::Other), "{none}");
        }
    }

    #[test]
    fn one_without_an_id_is_known_by_its_words() {
        let body = json!({"type": "ContactUpdate", "id": "c1"});
        assert_eq!(read(&body).id, read(&body).id);
        assert_ne!(read(&body).id, read(&json!({"type": "ContactUpdate", "id": "c2"})).id);
    }

    macro_rules! examples {
        ($($name:ident = $file:literal;)+) => {
            $(const $name: &str = include_str!(
                concat!("../../tests/fixtures/highlevel/webhooks/", $file, ".example.json")
            );)+
        };
    }
    examples! {
        CONTACT_CREATE = "ContactCreate";
        CONTACT_UPDATE = "ContactUpdate";
        CONTACT_DELETE = "ContactDelete";
        CONTACT_TAG = "ContactTagUpdate";
        CONTACT_DND = "ContactDndUpdate";
        NOTE_CREATE = "NoteCreate";
        NOTE_UPDATE = "NoteUpdate";
        NOTE_DELETE = "NoteDelete";
        TASK_CREATE = "TaskCreate";
        TASK_COMPLETE = "TaskComplete";
        TASK_DELETE = "TaskDelete";
        BARE_TASK = "TaskCreate.live-2026-09";
        APPOINTMENT_CREATE = "AppointmentCreate";
        APPOINTMENT_UPDATE = "AppointmentUpdate";
        APPOINTMENT_DELETE = "AppointmentDelete";
        INSTALL = "INSTALL.location";
        UNINSTALL = "UNINSTALL.location";
        UNINSTALL_AGENCY = "UNINSTALL.agency";
    }
}
