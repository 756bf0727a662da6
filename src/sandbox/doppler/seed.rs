//! What the Doppler fake starts with: definitions common to every sandbox, and people as plain
//! values, taken as they are.

use super::Doppler;
use super::account::Account;
use super::campaign::{Campaign, CampaignStatus, Delivery, Tally};
use super::field::Field;
use super::value::FieldType;

pub use super::campaign::DeliveryStatus;
pub use super::subscriber::{ManualReason, Standing, UnsubscriptionType};

/// A subscriber as seeded.
#[derive(Clone, Debug)]
pub struct SeedSubscriber {
    /// The identity.
    pub email: String,
    /// By name; values in their written form.
    pub fields: Vec<(&'static str, String)>,
    /// Places in [`LISTS`].
    pub lists: Vec<usize>,
    /// Active, pending or on hold.
    pub standing: Standing,
    /// By what and why the person is out, and when (epoch milliseconds).
    pub unsubscription: Option<(UnsubscriptionType, Option<ManualReason>, i64)>,
    /// Places in [`CAMPAIGNS`], what became of the mail, and clicks.
    pub deliveries: Vec<(usize, DeliveryStatus, u32)>,
    /// 0 to 3.
    pub score: u8,
    /// Epoch milliseconds.
    pub added: i64,
}

/// The account's own fields: name, type, private.
pub const FIELDS: &[(&str, FieldType, bool)] = &[
    ("PHONE", FieldType::Phone, true),
    ("COMPANY", FieldType::String, true),
    ("ADDRESS", FieldType::String, true),
    ("CITY", FieldType::String, true),
    ("STATE", FieldType::String, true),
    ("ZIP", FieldType::String, true),
    ("TAGS", FieldType::String, true),
    ("presupuesto", FieldType::Number, true),
    ("NroCliente", FieldType::String, true),
    ("esSocio", FieldType::Boolean, true),
    ("FechaAlta", FieldType::Date, true),
    ("AceptaOfertas", FieldType::Permission, false),
];

/// The account's lists.
pub const LISTS: &[&str] =
    &["Newsletter", "Customers", "Prospects", "Events", "Año Nuevo & promos", "Old import"];

/// A campaign: name, subject, type, status, places in [`LISTS`], days before the start.
type SeedCampaign =
    (&'static str, &'static str, &'static str, CampaignStatus, &'static [usize], i64);

/// The account's campaigns.
pub const CAMPAIGNS: &[SeedCampaign] = &[
    ("Welcome", "Welcome aboard", "Automation", CampaignStatus::Shipped, &[0], 300),
    ("Autumn news", "What is new this autumn", "Manual", CampaignStatus::Shipped, &[0, 1], 200),
    ("Summer sale", "Up to 40 % off", "Manual", CampaignStatus::Shipped, &[0, 1, 2], 90),
    ("Encuesta", "¿Nos das tu opinión?", "Manual", CampaignStatus::Shipped, &[1], 30),
    ("Last call", "Seats are running out", "Automation", CampaignStatus::Shipping, &[2], 0),
    ("Open house", "You are invited", "Manual", CampaignStatus::Scheduled, &[3], -14),
    ("Ideas", "To be written", "Manual", CampaignStatus::Draft, &[], 0),
];

/// The first campaign's id.
const FIRST_CAMPAIGN: u64 = 12_330_001;
/// Milliseconds.
const DAY: i64 = 86_400_000;

impl Doppler {
    /// Adds the definitions and `people`. `start` is the day the seeded history ends with.
    pub fn seed(&self, people: Vec<SeedSubscriber>, start: i64) {
        let mut account = self.write();
        for (name, kind, private) in FIELDS {
            account.fields.add(Field::custom(name, *kind, *private));
        }
        let lists: Vec<u64> =
            LISTS.iter().map(|name| account.add_list(name, start - 400 * DAY)).collect();
        for (id, row) in (FIRST_CAMPAIGN..).zip(CAMPAIGNS) {
            let (name, subject, kind, status, recipients, days) = *row;
            let sent = (status != CampaignStatus::Draft).then_some(start - days * DAY);
            let campaign = Campaign {
                name: name.to_owned(),
                subject: subject.to_owned(),
                kind,
                status,
                scheduled: sent,
                recipients: recipients.iter().filter_map(|at| lists.get(*at).copied()).collect(),
                tally: Tally::default(),
            };
            account.campaigns.insert(id, campaign);
        }
        for person in people {
            add(&mut account, person, &lists);
        }
    }
}

fn add(account: &mut Account, person: SeedSubscriber, lists: &[u64]) {
    let (id, _) = account.ensure(&person.email);
    for (name, value) in &person.fields {
        if let Some(field) = account.fields.find(name) {
            account.set(id, field, value, (person.added, "Formulario"));
        }
    }
    if person.unsubscription.is_none() {
        for list in person.lists.iter().filter_map(|at| lists.get(*at)) {
            account.join(id, *list, person.added);
        }
    }
    for (at, status, clicks) in person.deliveries {
        let campaign = FIRST_CAMPAIGN + at as u64;
        let delivery = Delivery { campaign, status, clicks };
        if let Some(campaign) = account.campaigns.get_mut(&campaign) {
            campaign.tally.sent(delivery, campaign.scheduled.unwrap_or(person.added));
        }
        if let Some(subscriber) = account.subscriber_mut(id) {
            subscriber.deliveries.push(delivery);
        }
    }
    let Some(subscriber) = account.subscriber_mut(id) else { return };
    subscriber.standing = person.standing;
    subscriber.score = person.score;
    if let Some((kind, reason, at)) = person.unsubscription {
        let comment = String::new();
        account.unsubscribe(id, super::subscriber::Unsubscription { at, kind, reason, comment });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn campaigns_name_lists_that_exist() {
        let places = CAMPAIGNS.iter().flat_map(|campaign| campaign.4);
        assert!(places.into_iter().all(|place| *place < LISTS.len()));
    }
}
