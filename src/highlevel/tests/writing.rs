//! Contacts written to the fake, each request held against the official specification.

use std::sync::Arc;

use serde_json::json;

use crate::sandbox::credentials::HIGHLEVEL_READ_ONLY_TOKEN;
use crate::sandbox::highlevel::seed::{SeedContact, SeedDnd};
use crate::unified::{
    Address, Assign, ContactDraft, ContactEdit, DndStatus, EmailDnd, HighLevelContact, HighLevelId,
};
use crate::upstream::double::{Double, Outcome};
use crate::upstream::script::call;
use crate::upstream::{Crm as _, Directory as _, Kind, SearchTerm, UpstreamState};

use super::lab::Lab;
use super::*;

fn ana() -> ContactDraft {
    ContactDraft {
        email: Some("ana.new@example.com".to_owned()),
        phone: Some("+5491155550199".to_owned()),
        first_name: Some("Ana".to_owned()),
        last_name: Some("Paz".to_owned()),
        company_name: Some("Lumen".to_owned()),
        birthday: "1990-09-25".parse().ok(),
        address: Address {
            line1: Some("Rua 1".to_owned()),
            city: Some("Rosario".to_owned()),
            state: Some("SF".to_owned()),
            postal_code: Some("2000".to_owned()),
            country: Some("AR".to_owned()),
        },
        source: Some("tandem".to_owned()),
        assigned_to: Some("y0BeYjuRIlDwsDcOHOJo".to_owned()),
        tags: vec!["VIP".to_owned()],
        email_dnd: Some(true),
        custom_fields: Vec::new(),
    }
}

async fn read(client: &Client, id: &HighLevelId) -> HighLevelContact {
    client.contact(&call(), id).await.unwrap().unwrap()
}

#[tokio::test]
async fn a_contact_is_created_changed_cleared_and_deleted() {
    let lab = Lab::start(false).await;
    let (client, call) = (lab.client(|_| {}), call());
    let made = client.create_contact(&call, &ana()).await.unwrap();
    assert_eq!(read(&client, &made.id).await, made, "the answer is the whole contact");
    assert_eq!(made.name.as_deref(), Some("Ana Paz"));
    assert_eq!((made.email, made.phone), (ana().email, ana().phone));
    assert_eq!((made.address, made.birthday), (ana().address, ana().birthday));
    assert_eq!((made.company_name, made.source), (ana().company_name, ana().source));
    assert_eq!((made.dnd, made.email_dnd), (Some(false), Some(DndStatus::Active)));
    assert_eq!(made.tags, ["vip"]);

    let set = |text: &str| Assign::Set(text.to_owned());
    let edit = ContactEdit {
        first_name: set("Anna"),
        email: set("anna@example.com"),
        country: Some("BR".to_owned()),
        birthday: Assign::Set("1991-01-02".parse().unwrap()),
        ..ContactEdit::default()
    };
    let changed = client.update_contact(&call, &made.id, &edit).await.unwrap();
    assert_eq!(read(&client, &made.id).await, changed);
    assert_eq!(changed.first_name.as_deref(), Some("Anna"));
    assert_eq!(changed.email.as_deref(), Some("anna@example.com"));
    assert_eq!(changed.birthday.unwrap().to_string(), "1991-01-02");
    assert_eq!(changed.last_name.as_deref(), Some("Paz"), "what is not given stays");
    assert_eq!(changed.address.country.as_deref(), Some("BR"));
    assert_eq!((changed.phone, changed.tags), (ana().phone, vec!["vip".to_owned()]));

    let clear = ContactEdit {
        email: Assign::Clear,
        last_name: Assign::Clear,
        birthday: Assign::Clear,
        address_line1: Assign::Clear,
        city: Assign::Clear,
        state: Assign::Clear,
        source: Assign::Clear,
        assigned_to: Assign::Clear,
        ..ContactEdit::default()
    };
    let cleared = client.update_contact(&call, &made.id, &clear).await.unwrap();
    let texts = [
        cleared.email,
        cleared.last_name,
        cleared.address.line1,
        cleared.address.city,
        cleared.address.state,
        cleared.source,
        cleared.assigned_to,
    ];
    assert!(texts.iter().all(Option::is_none), "{texts:?}");
    assert_eq!(cleared.birthday, None);
    assert_eq!(cleared.address.postal_code.as_deref(), Some("2000"));
    assert_eq!(cleared.company_name.as_deref(), Some("Lumen"));

    client.delete_contact(&call, &made.id).await.unwrap();
    assert_eq!(client.contact(&call, &made.id).await.unwrap(), None);
    let gone = client.delete_contact(&call, &made.id).await.unwrap_err();
    assert_eq!((gone.kind.clone(), gone.in_doubt()), (Kind::NotFound, false));
    let gone = client.update_contact(&call, &made.id, &edit).await.unwrap_err();
    assert_eq!(gone.kind, Kind::NotFound);
    lab.journal();
}

#[tokio::test]
async fn who_is_in_the_way_is_named() {
    let lab = Lab::start(false).await;
    let (client, call) = (lab.client(|_| {}), call());
    let first = client.create_contact(&call, &ana()).await.unwrap();
    let by = |field: &str| Kind::Duplicate {
        id: Some(first.id.to_string()),
        field: Some(field.to_owned()),
    };
    let error = client.create_contact(&call, &ana()).await.unwrap_err();
    assert_eq!((error.kind.clone(), error.in_doubt()), (by("email"), false));
    let only_phone = ContactDraft { email: None, ..ana() };
    assert_eq!(client.create_contact(&call, &only_phone).await.unwrap_err().kind, by("phone"));

    let other = ContactDraft { first_name: ana().first_name, ..ContactDraft::default() };
    let other = client.create_contact(&call, &other).await.unwrap();
    let edit = ContactEdit { email: Assign::from(ana().email), ..ContactEdit::default() };
    assert_eq!(client.update_contact(&call, &other.id, &edit).await.unwrap_err().kind, by("email"));

    let nobody = client.create_contact(&call, &ContactDraft::default()).await.unwrap_err();
    assert_eq!(nobody.kind, Kind::Rejected { fields: vec![] });
}

#[tokio::test]
async fn tags_are_added_and_removed_one_by_one() {
    let lab = Lab::start(false).await;
    let (client, call) = (lab.client(|_| {}), call());
    let id = client.create_contact(&call, &ana()).await.unwrap().id;
    let tags = |tags: &[&str]| tags.iter().map(|&tag| tag.to_owned()).collect::<Vec<_>>();
    let all = client.add_tags(&call, &id, &tags(&["Vip", " New Lead "])).await.unwrap();
    assert_eq!(all, ["vip", "new lead"]);
    let all = client.add_tags(&call, &id, &tags(&["new lead"])).await.unwrap();
    assert_eq!(all, ["vip", "new lead"], "adding twice is adding once");
    let all = client.remove_tags(&call, &id, &tags(&["VIP", "unknown"])).await.unwrap();
    assert_eq!(all, ["new lead"]);
    assert_eq!(read(&client, &id).await.tags, all);
    let nobody = "zzzzzzzzzzzzzzzzzzzz".into();
    let gone = client.add_tags(&call, &nobody, &tags(&["a"])).await.unwrap_err();
    assert_eq!(gone.kind, Kind::NotFound);
}

/// A contact of the fake with these channels.
fn silenced(lab: &Lab, channels: &[(&'static str, &'static str)]) -> HighLevelId {
    let dnd = channels.iter().map(|&(channel, status)| SeedDnd {
        channel,
        status,
        message: Some("by hand".to_owned()),
        code: Some("103".to_owned()),
    });
    let seed = SeedContact { dnd_settings: dnd.collect(), ..SeedContact::default() };
    lab.sandbox.highlevel().seed(seed).as_str().into()
}

async fn silence(client: &Client, id: &HighLevelId, on: bool) -> Result<HighLevelContact, Kind> {
    let dnd = EmailDnd::new(on, &read(client, id).await);
    let edit = ContactEdit { email_dnd: Some(dnd), ..ContactEdit::default() };
    client.update_contact(&call(), id, &edit).await.map_err(|error| error.kind)
}

#[tokio::test]
async fn silencing_mail_leaves_the_other_channels_whether_updates_merge_or_replace() {
    for replaces in [false, true] {
        let lab = Lab::start(false).await;
        let change = json!({"dndReplaces": replaces});
        lab.sandbox.shared().switches.change(serde_json::from_value(change).unwrap());
        let client = lab.client(|_| {});
        let channels =
            [("SMS", "active"), ("Call", "permanent"), ("FB", "inactive"), ("GMB", "active")];
        let id = silenced(&lab, &channels);
        let before = read(&client, &id).await;
        let after = silence(&client, &id, true).await.unwrap();
        assert_eq!((after.dnd, after.email_dnd), (Some(false), Some(DndStatus::Active)));
        let settings = |contact: &HighLevelContact| contact.dnd_settings.as_ref().unwrap().value();
        let (before, after) = (settings(&before), settings(&after));
        for channel in ["SMS", "Call", "GMB"] {
            assert_eq!(after[channel], before[channel], "{channel}, replaces: {replaces}");
        }
        assert_ne!(after["FB"]["status"], "active");
        let after = silence(&client, &id, false).await.unwrap();
        assert_eq!(after.email_dnd, Some(DndStatus::Inactive));
        assert_eq!(after.dnd_settings.unwrap().value()["SMS"], before["SMS"]);
    }
}

#[tokio::test]
async fn what_is_permanent_is_not_lifted() {
    let lab = Lab::start(false).await;
    let client = lab.client(|_| {});
    let id = silenced(&lab, &[("Email", "permanent")]);
    let out = Err(Kind::OptedOut { own_will: false });
    assert_eq!(silence(&client, &id, false).await.map(drop), out);
    assert_eq!(read(&client, &id).await.email_dnd, Some(DndStatus::Permanent));
}

#[tokio::test]
async fn a_create_in_doubt_says_so_and_is_not_repeated() {
    for (kind, told) in [
        ("created-but-422", Kind::Rejected { fields: vec![] }),
        ("drop", Kind::Unavailable),
        ("bad-json", Kind::Malformed),
    ] {
        let lab = Lab::start(false).await;
        let client = lab.client(|_| {});
        lab.fault(json!({"system": "HIGHLEVEL", "kind": kind, "route": "/contacts/"}));
        let error = client.create_contact(&call(), &ana()).await.unwrap_err();
        assert_eq!((&error.kind, error.in_doubt()), (&told, true), "{kind}");
        assert_eq!(lab.journal().len(), 1, "{kind}");
        let term = SearchTerm::Email(ana().email.unwrap());
        let found = client.duplicate(&call(), &term).await.unwrap().unwrap();
        assert_eq!(found.first_name, ana().first_name, "{kind}: it was created");
    }
}

#[tokio::test]
async fn absolute_values_are_sent_again_when_the_answer_is_lost() {
    let lab = Lab::start(false).await;
    let (client, call) = (lab.client(|_| {}), call());
    let id = client.create_contact(&call, &ana()).await.unwrap().id;
    let edit = ContactEdit { city: Assign::Set("Salta".to_owned()), ..ContactEdit::default() };
    let drop = |times: u64| {
        lab.journal();
        lab.fault(json!({"system": "HIGHLEVEL", "kind": "drop", "times": times}));
    };
    drop(2);
    client.update_contact(&call, &id, &edit).await.unwrap();
    assert_eq!(lab.journal().len(), 3);
    drop(3);
    let error = client.update_contact(&call, &id, &edit).await.unwrap_err();
    assert_eq!((&error.kind, error.in_doubt()), (&Kind::Unavailable, true));
    assert_eq!(lab.journal().len(), 3);
    drop(1);
    client.add_tags(&call, &id, &["a".to_owned()]).await.unwrap();
    drop(1);
    client.delete_contact(&call, &id).await.unwrap();
    let statuses: Vec<_> = lab.journal().into_iter().map(|row| row.status).collect();
    assert_eq!(statuses, [Some(200), Some(400)], "the first try deleted it");
}

#[tokio::test]
async fn a_credential_that_only_reads_writes_nothing() {
    let lab = Lab::start(false).await;
    let client = lab.client(|config| {
        config.token = Some(SecretString::from(HIGHLEVEL_READ_ONLY_TOKEN));
        config.scopes = Vec::new();
    });
    let error = client.create_contact(&call(), &ana()).await.unwrap_err();
    assert_eq!(error.kind, Kind::ScopeMissing("contacts.write"));
    assert!(!error.in_doubt());
    assert_eq!(client.status().state, UpstreamState::ReadOnly);
    let error = client.delete_contact(&call(), &"zzzzzzzzzzzzzzzzzzzz".into()).await.unwrap_err();
    assert_eq!(error.kind, Kind::ScopeMissing("contacts.write"));
}

#[tokio::test]
async fn a_double_lets_writes_go_wrong_and_remembers_them() {
    let lab = Lab::start(false).await;
    let (crm, call) = (Double::new(Arc::new(lab.client(|_| {}))), call());
    crm.next("create_contact", Outcome::Refuse(Kind::Busy));
    crm.next("create_contact", Outcome::LoseRequest);
    crm.next("create_contact", Outcome::LoseAnswer);
    let term = SearchTerm::Email(ana().email.unwrap());
    for (kind, in_doubt, there) in
        [(Kind::Busy, false, false), (Kind::Timeout, true, false), (Kind::Timeout, true, true)]
    {
        let error = crm.create_contact(&call, &ana()).await.unwrap_err();
        assert_eq!((&error.kind, error.in_doubt()), (&kind, in_doubt));
        assert_eq!(crm.duplicate(&call, &term).await.unwrap().is_some(), there, "{kind:?}");
    }
    let found = crm.duplicate(&call, &term).await.unwrap().unwrap();
    crm.delete_contact(&call, &found.id).await.unwrap();
    let made = crm.made();
    assert_eq!(made.len(), 4);
    assert_eq!((made[2].operation, &made[2].what["first_name"]), ("create_contact", &json!("Ana")));
    assert_eq!((made[3].operation, made[3].target.as_str()), ("delete_contact", found.id.as_str()));
}
