//! What Doppler knows of a person.

use chrono::TimeDelta;
use rand::RngExt;
use rand::rngs::ChaCha8Rng;

use super::person::{Person, pick, some, today};
use crate::sandbox::doppler::seed::{
    DeliveryStatus, ManualReason, SeedSubscriber, Standing, UnsubscriptionType,
};

/// Ways to be out, in turn.
const WAYS_OUT: &[(UnsubscriptionType, Option<ManualReason>)] = &[
    (UnsubscriptionType::Manual, Some(ManualReason::SubscriberRequestTooManyEmails)),
    (UnsubscriptionType::HardBounce, None),
    (UnsubscriptionType::Manual, Some(ManualReason::Administrative)),
    (UnsubscriptionType::SoftBounce, None),
    (UnsubscriptionType::NeverOpen, None),
    (UnsubscriptionType::AbuseLink, None),
    (UnsubscriptionType::Manual, Some(ManualReason::SubscriberRequestIsSpam)),
    (UnsubscriptionType::FeedbackLoop, None),
    (UnsubscriptionType::InternalPolicies, None),
];

/// Campaigns that went out, see the account's definitions.
const SENT: usize = 4;

/// The subscriber that belongs to a person.
pub fn subscriber(person: &Person, rng: &mut ChaCha8Rng) -> SeedSubscriber {
    let (city, state, zip) = person.town;
    let mut fields: Vec<(&'static str, String)> = vec![
        ("FIRSTNAME", person.first.clone()),
        ("LASTNAME", person.last.clone()),
        ("COUNTRY", person.place.country.to_owned()),
        ("PHONE", person.phone.clone()),
        ("CITY", city.to_owned()),
        ("TAGS", person.tags.join(", ")),
    ];
    let optional = [
        ("GENDER", 2, person.gender.to_string()),
        ("BIRTHDAY", 2, person.birthday.to_string()),
        ("CONSENT", 3, pick(&["true", "True", "False"], rng).to_owned()),
        ("COMPANY", 1, person.company.unwrap_or_default().to_owned()),
        ("ADDRESS", 2, person.address.clone()),
        ("STATE", 2, state.to_owned()),
        ("ZIP", 2, zip.to_owned()),
        (
            "presupuesto",
            4,
            format!("{}.{:02}", rng.random_range(0..90_000), rng.random_range(0..100)),
        ),
        ("NroCliente", 4, format!("C-{:06}", rng.random_range(0..1_000_000))),
        ("esSocio", 4, rng.random::<bool>().to_string()),
        ("FechaAlta", 4, person.added.date_naive().to_string()),
        ("AceptaOfertas", 3, pick(&["true", "false", "none"], rng).to_owned()),
    ];
    for (name, one_in, value) in optional {
        if rng.random_ratio(1, one_in) {
            fields.push((name, value));
        }
    }
    let mut lists = some(&[0, 1, 2, 3, 4], 3, rng);
    if lists.is_empty() && rng.random_ratio(4, 5) {
        lists.push(0);
    }
    let mut subscriber = SeedSubscriber {
        email: person.email.clone(),
        fields,
        lists,
        standing: pick(&STANDINGS, rng),
        unsubscription: None,
        deliveries: deliveries(rng),
        score: rng.random_range(0..=3),
        added: person.added.timestamp_millis(),
    };
    if rng.random_ratio(1, 12) {
        let way = pick(WAYS_OUT, rng);
        leave(&mut subscriber, way, rng);
    }
    subscriber
}

/// Mostly active; two in twenty wait for a confirmation or for room.
const STANDINGS: [Standing; 20] = {
    let mut all = [Standing::Active; 20];
    all[0] = Standing::Pending;
    all[1] = Standing::StandBy;
    all
};

fn leave(
    subscriber: &mut SeedSubscriber,
    (kind, reason): (UnsubscriptionType, Option<ManualReason>),
    rng: &mut ChaCha8Rng,
) {
    let ago = TimeDelta::seconds(rng.random_range(3600..180 * 86_400));
    let at = (today() - ago).timestamp_millis().max(subscriber.added);
    subscriber.unsubscription = Some((kind, reason, at));
    subscriber.standing = Standing::Active;
    let bounce = match kind {
        UnsubscriptionType::HardBounce => DeliveryStatus::HardBounced,
        UnsubscriptionType::SoftBounce => DeliveryStatus::SoftBounced,
        UnsubscriptionType::NeverOpen
        | UnsubscriptionType::Manual
        | UnsubscriptionType::AbuseLink
        | UnsubscriptionType::FeedbackLoop
        | UnsubscriptionType::InternalPolicies => return,
    };
    if let Some(last) = subscriber.deliveries.last_mut() {
        (last.1, last.2) = (bounce, 0);
    }
}

fn deliveries(rng: &mut ChaCha8Rng) -> Vec<(usize, DeliveryStatus, u32)> {
    let mut campaigns = some(&[0, 1, 2, 3], SENT, rng);
    campaigns.sort_unstable();
    let row = |campaign| match rng.random_range(0..10) {
        0..5 => (campaign, DeliveryStatus::Opened, rng.random_range(0..4)),
        5..9 => (campaign, DeliveryStatus::NotOpened, 0),
        _ => (campaign, DeliveryStatus::SoftBounced, 0),
    };
    campaigns.into_iter().map(row).collect()
}
