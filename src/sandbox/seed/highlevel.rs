//! What HighLevel knows of a person.

use chrono::TimeDelta;
use rand::RngExt;
use rand::rngs::ChaCha8Rng;
use serde_json::{Value, json};

use super::person::{Person, pick, some, today};
use crate::sandbox::highlevel::seed::{SeedAppointment, SeedContact, SeedDnd, SeedNote, SeedTask};

/// The people who work with the contacts.
pub const USERS: &[&str] = &["sandboxUser000000001", "sandboxUser000000002"];

const NOTES: &[&str] = &[
    "Asked for the price list.",
    "Prefiere que la llamen por la tarde.",
    "Met at the fair, stand 14.",
    "Перезвонить в понедельник.",
    "資料を送付済み。",
    "Has two children,\nloves football ⚽.",
];
const TASKS: &[&str] =
    &["Call back", "Send the contract", "Preparar presupuesto", "Check the address", "Renewal"];
const APPOINTMENTS: &[&str] = &["Product demo", "Reunión de seguimiento", "Onboarding"];
const SOURCES: &[&str] = &["public api", "Website form", "facebook", "import", "referral"];
const STATUSES: &[&str] = &["confirmed", "new", "showed", "noshow", "cancelled"];

/// The contact that belongs to a person.
pub fn contact(person: &Person, rng: &mut ChaCha8Rng) -> SeedContact {
    let (city, state, postal_code) = person.town;
    let rarely =
        |rng: &mut ChaCha8Rng, value: &str| rng.random_ratio(3, 4).then(|| value.to_owned());
    let touched = TimeDelta::seconds(rng.random_range(0..30 * 86_400));
    let mut contact = SeedContact {
        first_name: Some(person.first.clone()),
        last_name: Some(person.last.clone()),
        email: Some(person.email.clone()),
        phone: Some(person.phone.clone()),
        company_name: person.company.map(str::to_owned),
        address1: rarely(rng, &person.address),
        city: Some(city.to_owned()),
        state: rarely(rng, state),
        postal_code: rarely(rng, postal_code),
        country: Some(person.place.country.to_owned()),
        website: rng.random_ratio(1, 5).then(|| "https://www.example.com/about".to_owned()),
        timezone: rarely(rng, person.place.timezone),
        gender: Some(if person.gender == 'F' { "female" } else { "male" }.to_owned()),
        date_of_birth: rng.random_ratio(1, 2).then_some(person.birthday),
        tags: person.tags.clone(),
        custom_fields: custom_fields(person, rng),
        source: Some(pick(SOURCES, rng).to_owned()),
        kind: rng.random_ratio(1, 4).then(|| "customer".to_owned()),
        assigned_to: rng.random_ratio(1, 2).then(|| pick(USERS, rng).to_owned()),
        date_added: Some(person.added),
        date_updated: Some((person.added + touched).min(today())),
        ..SeedContact::default()
    };
    contact.notes = (0..rng.random_range(0..4)).map(|_| note(person, rng)).collect();
    contact.tasks = (0..rng.random_range(0..3)).map(|_| task(rng)).collect();
    if rng.random_ratio(1, 5) {
        contact.appointments.push(appointment(rng));
    }
    disturb(&mut contact, rng);
    contact
}

/// Some do not want to be disturbed, each in another way.
fn disturb(contact: &mut SeedContact, rng: &mut ChaCha8Rng) {
    let dnd = |channel, status| SeedDnd {
        channel,
        status,
        message: Some("Set by the sandbox".to_owned()),
        code: None,
    };
    match rng.random_range(0..100) {
        0..3 => contact.dnd_settings.push(dnd("Email", "active")),
        3..5 => contact.dnd_settings.push(dnd("SMS", "active")),
        5..7 => contact.dnd = true,
        7 => contact.dnd_settings.push(dnd("Email", "permanent")),
        8 => contact.bounce_email = true,
        9 => contact.unsubscribe_email = true,
        _ => {}
    }
}

/// A third of the location's fields, each in the form it is read in.
fn custom_fields(person: &Person, rng: &mut ChaCha8Rng) -> Vec<(String, Value)> {
    let renewal = today().date_naive() + TimeDelta::days(rng.random_range(-90..365));
    let document = format!("{:08x}-0000-4000-8000-{:012x}", rng.random::<u32>(), 7);
    let file = json!({document.clone(): {
        "documentId": document,
        "meta": {"name": "contract.pdf", "mimetype": "application/pdf", "size": 48_213},
        "url": "https://files.example.com/contract.pdf",
    }});
    let all = [
        ("contact.plan", json!(pick(&["free", "silver", "gold"], rng))),
        ("contact.birthplace", json!(person.town.0)),
        ("contact.remarks", json!("Two lines\nof remarks.")),
        ("contact.orders", json!(rng.random_range(0..40))),
        ("contact.lifetime_value", json!(f64::from(rng.random_range(0..900_000)) / 100.0)),
        ("contact.interests", json!(some(&["music", "sport", "travel"], 3, rng))),
        ("contact.topics", json!(some(&["offers", "news", "events"], 3, rng))),
        ("contact.preferred_channel", json!(pick(&["email", "phone", "chat"], rng))),
        ("contact.renewal_date", json!(renewal.to_string())),
        ("contact.second_phone", json!(format!("{}9", &person.phone[..person.phone.len() - 1]))),
        ("contact.contract", file),
        ("contact.score", json!(f64::from(rng.random_range(0..1000)) / 10.0)),
    ];
    let chosen = all.into_iter().filter(|_| rng.random_ratio(1, 3));
    chosen.map(|(key, value)| (key.to_owned(), value)).collect()
}

fn note(person: &Person, rng: &mut ChaCha8Rng) -> SeedNote {
    let later = TimeDelta::seconds(rng.random_range(0..60 * 86_400));
    SeedNote {
        body: pick(NOTES, rng).to_owned(),
        user_id: Some(pick(USERS, rng).to_owned()),
        date_added: Some((person.added + later).min(today())),
        ..SeedNote::default()
    }
}

fn task(rng: &mut ChaCha8Rng) -> SeedTask {
    SeedTask {
        title: pick(TASKS, rng).to_owned(),
        body: rng.random_ratio(1, 2).then(|| "See the last note.".to_owned()),
        assigned_to: Some(pick(USERS, rng).to_owned()),
        due_date: Some(today() + TimeDelta::hours(rng.random_range(-1000..1000))),
        completed: rng.random_ratio(1, 3),
    }
}

fn appointment(rng: &mut ChaCha8Rng) -> SeedAppointment {
    let start = today() + TimeDelta::hours(rng.random_range(-500..1500));
    SeedAppointment {
        title: pick(APPOINTMENTS, rng).to_owned(),
        start,
        end: start + TimeDelta::minutes(pick(&[30, 45, 60], rng)),
        status: pick(STATUSES, rng).to_owned(),
        address: Some("https://meet.example.com/room".to_owned()),
        notes: None,
        assigned_user_id: Some(pick(USERS, rng).to_owned()),
    }
}
