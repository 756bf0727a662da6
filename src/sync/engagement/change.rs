//! What happened between two readings of a person's deliveries. Pure.
//!
//! What was there when a person was first read is no news: it is remembered and not told. Told is what
//! is not as it was, and of a first reading only campaigns that went out after rounds had begun.

use std::collections::BTreeMap;

use crate::store::Reading;
use crate::unified::{Delivery, DeliveryStatus, Engagement};

use super::round::Looked;

/// How much of a campaign's name is repeated.
const LONGEST_NAME: usize = 80;

/// What a reading is compared with.
pub(super) struct Ground<'a> {
    /// The campaigns that count.
    pub campaigns: &'a BTreeMap<String, Looked>,
    /// The last reading.
    pub before: Option<&'a Reading>,
    /// Whether the mapping asks for notes.
    pub notes: bool,
}

/// What came of comparing.
#[derive(Debug, Default, Eq, PartialEq)]
pub(super) struct Happened {
    /// To be remembered.
    pub engagements: Vec<Engagement>,
    /// In words for people, without personal data.
    pub messages: Vec<String>,
    /// Whether a mail came back for good.
    pub bounced: bool,
}

/// Compares deliveries with the last reading of them.
pub(super) fn compare(ground: &Ground<'_>, now: &[Delivery]) -> Happened {
    let mut happened = Happened::default();
    let old: &[Engagement] = ground.before.map_or(&[], |before| &before.engagements);
    // Notes about campaigns that do not count any more stay as they are.
    let others = old.iter().filter(|old| now.iter().all(|new| new.campaign_id != old.campaign));
    happened.engagements.extend(others.filter(|old| keeps(ground, old)).cloned());
    for delivery in now {
        let before = old.iter().find(|old| old.campaign == delivery.campaign_id);
        let looked = ground.campaigns.get(&delivery.campaign_id);
        if looked.is_none() && before.is_none_or(|before| !before.noted) {
            continue;
        }
        let is_news =
            before.is_some() || looked.is_some_and(|looked| was_not_there(ground, looked));
        let message = is_news.then(|| message(before, delivery)).flatten();
        let noted = message.is_some() && ground.notes;
        happened.bounced |= message.is_some() && delivery.status == DeliveryStatus::HardBounced;
        happened.messages.extend(message);
        happened.engagements.push(Engagement {
            campaign: delivery.campaign_id.clone(),
            name: delivery.campaign_name.as_deref().map(|name| short(name).to_owned()),
            status: delivery.status,
            clicks: delivery.clicks,
            noted: noted || before.is_some_and(|before| before.noted),
        });
    }
    happened.engagements.sort_by(|a, b| a.campaign.cmp(&b.campaign));
    happened
}

fn keeps(ground: &Ground<'_>, old: &Engagement) -> bool {
    old.noted || ground.campaigns.contains_key(&old.campaign)
}

/// Whether a delivery that was never seen was not there before: the last reading would have shown it,
/// or the campaign went out since.
fn was_not_there(ground: &Ground<'_>, looked: &Looked) -> bool {
    let read = ground.before.map(|before| before.asked_at.timestamp_millis());
    looked.is_new || read.is_some_and(|at| at >= looked.first_seen)
}

/// What happened, if anything did.
fn message(before: Option<&Engagement>, now: &Delivery) -> Option<String> {
    let status = before.map_or(DeliveryStatus::NotOpened, |before| before.status);
    let clicks = before.map_or(0, |before| before.clicks);
    let name = match &now.campaign_name {
        Some(name) => short(name),
        None => &now.campaign_id,
    };
    let clicked = now.clicks > clicks;
    let opened = status != now.status && now.status == DeliveryStatus::Opened;
    Some(match now.status {
        DeliveryStatus::HardBounced if status != now.status => {
            format!("The campaign {name} could not be delivered, for good")
        }
        DeliveryStatus::SoftBounced if status != now.status => {
            format!("The campaign {name} could not be delivered for now")
        }
        _ if opened && clicked => format!("Opened the campaign {name} and followed a link in it"),
        _ if opened => format!("Opened the campaign {name}"),
        _ if clicked => format!("Followed a link in the campaign {name}"),
        DeliveryStatus::NotOpened
        | DeliveryStatus::Opened
        | DeliveryStatus::SoftBounced
        | DeliveryStatus::HardBounced
        | DeliveryStatus::Unknown => return None,
    })
}

fn short(name: &str) -> &str {
    let end = name.char_indices().nth(LONGEST_NAME).map_or(name.len(), |(at, _)| at);
    &name[..end]
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta, Utc};

    use super::super::round::Round;
    use super::*;
    use crate::unified::Campaign;

    const DAYS: TimeDelta = TimeDelta::days(14);

    fn at(hours: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_790_000_000, 0).unwrap() + TimeDelta::hours(hours)
    }

    /// What is known once `old` was there when looking began, at 0, and `new` went out at 5.
    fn campaigns() -> BTreeMap<String, Looked> {
        let campaign =
            |id: &str, at| Campaign { id: id.to_owned(), is_out: true, sent_at: Some(at) };
        let mut first = Round::at(None, at(0), DAYS);
        first.next();
        first.campaigns((1, true), &[campaign("old", at(-9))], DAYS);
        while first.next().is_some() {}
        let mut second = Round::at(Some(&first.to_json()), at(6), DAYS);
        second.next();
        second.campaigns((1, true), &[campaign("old", at(-9)), campaign("new", at(5))], DAYS);
        second.campaigns
    }

    fn delivery(id: &str, status: DeliveryStatus, clicks: u32) -> Delivery {
        Delivery {
            campaign_id: id.to_owned(),
            campaign_name: Some(format!("The {id} one")),
            campaign_subject: None,
            status,
            clicks,
        }
    }

    fn told(before: Option<&Reading>, now: &[Delivery]) -> Vec<String> {
        compare(&Ground { campaigns: &campaigns(), before, notes: false }, now).messages
    }

    fn reading(hours: i64, now: &[Delivery]) -> Reading {
        let ground = Ground { campaigns: &campaigns(), before: None, notes: false };
        Reading { asked_at: at(hours), engagements: compare(&ground, now).engagements }
    }

    use DeliveryStatus::{HardBounced, NotOpened, Opened, SoftBounced};

    #[test]
    fn a_first_reading_tells_only_of_what_went_out_since() {
        let now = [
            delivery("old", Opened, 3),
            delivery("new", Opened, 1),
            delivery("ancient", HardBounced, 0),
        ];
        assert_eq!(told(None, &now), ["Opened the campaign The new one and followed a link in it"]);
        let seen = reading(7, &now);
        assert_eq!(seen.engagements.len(), 2, "a campaign that does not count is not kept");
        assert!(told(Some(&seen), &now).is_empty(), "the same again is no news");
    }

    #[test]
    fn what_is_not_as_it_was_is_told_once() {
        let seen = reading(7, &[delivery("old", NotOpened, 0)]);
        let message = |status, clicks| told(Some(&seen), &[delivery("old", status, clicks)]);
        assert!(message(NotOpened, 0).is_empty());
        assert_eq!(message(Opened, 0), ["Opened the campaign The old one"]);
        assert_eq!(
            message(SoftBounced, 0),
            ["The campaign The old one could not be delivered for now"]
        );
        let seen = reading(7, &[delivery("old", Opened, 1)]);
        let message = |status, clicks| told(Some(&seen), &[delivery("old", status, clicks)]);
        assert_eq!(message(Opened, 2), ["Followed a link in the campaign The old one"]);
        assert!(message(Opened, 0).is_empty(), "fewer clicks are no event");
    }

    #[test]
    fn what_a_reading_would_have_shown_was_not_there() {
        let nothing = Reading { asked_at: at(1), engagements: Vec::new() };
        let now = [delivery("old", HardBounced, 0)];
        let ground = Ground { campaigns: &campaigns(), before: Some(&nothing), notes: true };
        let happened = compare(&ground, &now);
        assert_eq!(
            happened.messages,
            ["The campaign The old one could not be delivered, for good"]
        );
        assert!(happened.bounced && happened.engagements[0].noted);
        let unread = Reading { asked_at: at(-1), engagements: Vec::new() };
        assert!(told(Some(&unread), &now).is_empty(), "it may have been there by then");
    }

    #[test]
    fn only_what_happened_while_notes_were_asked_for_is_noted() {
        let seen = reading(7, &[delivery("old", Opened, 1), delivery("new", NotOpened, 0)]);
        let now = [delivery("old", Opened, 1), delivery("new", Opened, 0)];
        let ground = Ground { campaigns: &campaigns(), before: Some(&seen), notes: true };
        let engagements = compare(&ground, &now).engagements;
        let noted: Vec<_> = engagements.iter().map(|one| (&*one.campaign, one.noted)).collect();
        assert_eq!(noted, [("new", true), ("old", false)]);
        // The campaigns count no more, but their notes are kept.
        let before = Reading { asked_at: at(8), engagements };
        let nothing = BTreeMap::new();
        let ground = Ground { campaigns: &nothing, before: Some(&before), notes: true };
        let kept = compare(&ground, &[]).engagements;
        assert_eq!(kept.iter().map(|one| &*one.campaign).collect::<Vec<_>>(), ["new"]);
    }
}
