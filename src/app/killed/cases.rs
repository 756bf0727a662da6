//! The kinds of edit that are interrupted, and what must be true afterwards.

use serde_json::{Value, json};

use super::ground::Seen;

/// One kind of edit.
pub struct Case {
    pub mutation: &'static str,
    /// Its input for a person by their address.
    pub input: fn(&str) -> Value,
    /// Whether both systems know the person before.
    pub is_known: bool,
    /// In how many systems it is a call.
    pub systems_written: u32,
    /// How the person stands afterwards.
    pub state: &'static str,
    /// Fails unless it took effect once; given the step, and the person before and after it.
    pub holds: fn(&str, &Seen, &Seen),
}

impl Case {
    /// Fails unless whoever asks again is told that it was done.
    pub fn told_again(&self, step: &str, answer: &Value) {
        assert_eq!(answer["userErrors"], json!([]), "{step}: {answer:#}");
        let writes = answer["writes"].as_array().unwrap();
        assert!(!writes.is_empty(), "{step}: {answer:#}");
        for write in writes {
            // Doppler has no way to delete anybody, and says so.
            let is_kept = self.mutation == "deleteContact" && write["system"] == "DOPPLER";
            let done: &[&str] = if is_kept { &["SKIPPED"] } else { &["APPLIED", "UNCHANGED"] };
            let outcome = write["outcome"].as_str().unwrap();
            assert!(done.contains(&outcome), "{step}: {answer:#}");
        }
    }
}

/// The person is in both systems.
fn both<'a>(step: &str, seen: &'a Seen) -> (&'a Value, &'a Value) {
    match (&seen.subscriber, &seen.contact) {
        (Some(subscriber), Some(contact)) => (subscriber, contact),
        _ => panic!("{step}: {seen:#?}"),
    }
}

fn names(step: &str, seen: &Seen) -> [(String, String); 2] {
    let (subscriber, contact) = both(step, seen);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let fields = &subscriber["fields"];
    [
        (text(&fields["FIRSTNAME"]), text(&fields["LASTNAME"])),
        (text(&contact["firstName"]), text(&contact["lastName"])),
    ]
}

pub fn a_new_person() -> Case {
    Case {
        mutation: "upsertContact",
        input: |email| json!({"email": email, "firstName": "Nora", "lastName": "Neu"}),
        is_known: false,
        systems_written: 2,
        state: "IN_SYNC",
        holds: |step, _, seen| {
            let name = ("Nora".to_owned(), "Neu".to_owned());
            assert_eq!(names(step, seen), [name.clone(), name], "{step}");
            let (subscriber, _) = both(step, seen);
            assert_eq!(subscriber["status"], "active", "{step}");
            assert_eq!(subscriber["lists"], json!(["Newsletter"]), "{step}");
        },
    }
}

pub fn a_change() -> Case {
    Case {
        mutation: "upsertContact",
        input: |email| json!({"email": email, "lastName": "New"}),
        is_known: true,
        systems_written: 2,
        state: "IN_SYNC",
        holds: |step, _, seen| {
            let name = ("Ada".to_owned(), "New".to_owned());
            assert_eq!(names(step, seen), [name.clone(), name], "{step}");
        },
    }
}

pub fn tags() -> Case {
    Case {
        mutation: "addTags",
        input: |email| json!({"contact": {"email": email}, "tags": ["vip", "expo"]}),
        is_known: true,
        systems_written: 2,
        state: "IN_SYNC",
        holds: |step, _, seen| {
            let (subscriber, contact) = both(step, seen);
            assert_eq!(contact["tags"], json!(["expo", "vip"]), "{step}");
            let field = subscriber["fields"]["TAGS"].as_str().unwrap_or_default();
            let mut tags: Vec<&str> = field.split(", ").collect();
            tags.sort_unstable();
            assert_eq!(tags, ["expo", "vip"], "{step}");
        },
    }
}

pub fn a_note() -> Case {
    Case {
        mutation: "createNote",
        input: |email| json!({"contact": {"email": email}, "body": "Asked for prices"}),
        is_known: true,
        systems_written: 1,
        state: "IN_SYNC",
        holds: |step, before, seen| {
            let (_, contact) = both(step, seen);
            let notes = contact["notes"].as_array().unwrap();
            let bodies: Vec<_> = notes.iter().map(|note| &note["body"]).collect();
            assert_eq!(bodies, ["Asked for prices"], "{step}");
            assert_eq!(seen.subscriber, before.subscriber, "{step}");
        },
    }
}

pub fn a_task() -> Case {
    Case {
        mutation: "createTask",
        input: |email| json!({"contact": {"email": email}, "title": "Call", "dueAt": "2027-01-02T10:00:00Z"}),
        is_known: true,
        systems_written: 1,
        state: "IN_SYNC",
        holds: |step, before, seen| {
            let (_, contact) = both(step, seen);
            let tasks = contact["tasks"].as_array().unwrap();
            let titles: Vec<_> = tasks.iter().map(|task| &task["title"]).collect();
            assert_eq!(titles, ["Call"], "{step}");
            assert_eq!(seen.subscriber, before.subscriber, "{step}");
        },
    }
}

pub fn an_opt_out() -> Case {
    Case {
        mutation: "unsubscribe",
        input: |email| json!({"contact": {"email": email}}),
        is_known: true,
        systems_written: 2,
        state: "IN_SYNC",
        holds: |step, _, seen| {
            let (subscriber, contact) = both(step, seen);
            assert_eq!(subscriber["status"], "unsubscribed", "{step}");
            assert_eq!(contact["dndSettings"]["Email"]["status"], "active", "{step}");
            assert_eq!(contact["dnd"], json!(false), "{step}");
        },
    }
}

pub fn a_deletion() -> Case {
    Case {
        mutation: "deleteContact",
        input: |email| json!({"contact": {"email": email}}),
        is_known: true,
        systems_written: 1,
        state: "UNLINKED",
        holds: |step, before, seen| {
            assert_eq!(seen.contact, None, "{step}");
            assert_eq!(seen.subscriber, before.subscriber, "{step}");
        },
    }
}
