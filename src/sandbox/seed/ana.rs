//! Ana Paz, whom the documents and examples speak of: in both systems, with something of everything
//! and one value that differs. She is in every sandbox that has anyone at all.

use chrono::{NaiveDate, TimeDelta};
use serde_json::json;

use super::highlevel::USERS;
use super::person::today;
use crate::sandbox::doppler::seed::{DeliveryStatus, SeedSubscriber, Standing};
use crate::sandbox::highlevel::seed::{SeedAppointment, SeedContact, SeedNote, SeedTask};

/// Her address in both systems.
pub const EMAIL: &str = "ana.paz@example.com";
/// Her phone number in both systems.
pub const PHONE: &str = "+5491155550101";

/// Ana in Doppler: she works for `Estudio Paz`.
pub fn subscriber() -> SeedSubscriber {
    let fields = [
        ("FIRSTNAME", "Ana"),
        ("LASTNAME", "Paz"),
        ("BIRTHDAY", "1990-09-25"),
        ("GENDER", "F"),
        ("COUNTRY", "AR"),
        ("CONSENT", "true"),
        ("PHONE", PHONE),
        ("COMPANY", "Estudio Paz"),
        ("ADDRESS", "Av. Corrientes 1234"),
        ("CITY", "Buenos Aires"),
        ("STATE", "CABA"),
        ("ZIP", "C1043AAZ"),
        ("TAGS", "vip, newsletter"),
        ("NroCliente", "C-000001"),
        ("AceptaOfertas", "true"),
    ];
    SeedSubscriber {
        email: EMAIL.to_owned(),
        fields: fields.into_iter().map(|(name, value)| (name, value.to_owned())).collect(),
        lists: vec![0, 1],
        standing: Standing::Active,
        unsubscription: None,
        deliveries: vec![
            (0, DeliveryStatus::Opened, 2),
            (1, DeliveryStatus::Opened, 0),
            (2, DeliveryStatus::NotOpened, 0),
        ],
        score: 3,
        added: (today() - TimeDelta::days(400)).timestamp_millis(),
    }
}

/// Ana in HighLevel: she works for `Estudio Paz & Asociados`.
pub fn contact() -> SeedContact {
    let user = Some(USERS[0].to_owned());
    let added = today() - TimeDelta::days(390);
    let start = today() + TimeDelta::days(20) + TimeDelta::hours(14);
    let note = |body: &str, days| SeedNote {
        body: body.to_owned(),
        user_id: user.clone(),
        date_added: Some(added + TimeDelta::days(days)),
        ..SeedNote::default()
    };
    let task = |title: &str, completed, days| SeedTask {
        title: title.to_owned(),
        body: None,
        assigned_to: user.clone(),
        due_date: Some(today() + TimeDelta::days(days)),
        completed,
    };
    SeedContact {
        first_name: Some("Ana".to_owned()),
        last_name: Some("Paz".to_owned()),
        email: Some(EMAIL.to_owned()),
        phone: Some(PHONE.to_owned()),
        company_name: Some("Estudio Paz & Asociados".to_owned()),
        address1: Some("Av. Corrientes 1234".to_owned()),
        city: Some("Buenos Aires".to_owned()),
        state: Some("CABA".to_owned()),
        postal_code: Some("C1043AAZ".to_owned()),
        country: Some("AR".to_owned()),
        website: Some("https://paz.example.com".to_owned()),
        timezone: Some("America/Argentina/Buenos_Aires".to_owned()),
        gender: Some("female".to_owned()),
        date_of_birth: NaiveDate::from_ymd_opt(1990, 9, 25),
        tags: vec!["vip".to_owned(), "newsletter".to_owned()],
        custom_fields: vec![
            ("contact.plan".to_owned(), json!("gold")),
            ("contact.interests".to_owned(), json!(["music", "travel"])),
            ("contact.orders".to_owned(), json!(12)),
            ("contact.renewal_date".to_owned(), json!("2026-06-30")),
        ],
        notes: vec![
            note("Asked for the price list.", 10),
            note("Prefers to be called in the afternoon.", 45),
        ],
        tasks: vec![
            task("Send the contract", true, -10),
            task("Call about the renewal", false, 30),
        ],
        appointments: vec![SeedAppointment {
            title: "Product demo".to_owned(),
            start,
            end: start + TimeDelta::minutes(45),
            status: "confirmed".to_owned(),
            address: Some("https://meet.example.com/ana".to_owned()),
            notes: None,
            assigned_user_id: user.clone(),
        }],
        source: Some("Website form".to_owned()),
        kind: Some("customer".to_owned()),
        assigned_to: user.clone(),
        date_added: Some(added),
        date_updated: Some(today() - TimeDelta::days(3)),
        ..SeedContact::default()
    }
}
