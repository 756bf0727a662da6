//! From Doppler's words to the plain models. Pure.

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};

use crate::unified::{
    Campaign, Delivery, DeliveryStatus, FieldDefinition, ImportCounts, ImportState, ImportTask,
    List, Subscriber, SubscriberField, SubscriberStatus, System,
};
use crate::upstream::{PAGE_SIZE, SubscriberPage};

use super::wire;

pub(super) fn subscriber(from: wire::Subscriber) -> Subscriber {
    let unsubscribed = from.unsubscribed_date.filter(|text| !text.is_empty());
    Subscriber {
        email: from.email,
        status: SubscriberStatus::from(from.status.as_deref().unwrap_or_default()),
        lists: from.belongs_to_lists.into_iter().map(String::from).collect(),
        fields: from.fields.into_iter().map(field_value).collect(),
        unsubscribed_at: unsubscribed.or(from.unsubscription_date).as_deref().and_then(moment),
        unsubscription_type: from.unsubscription_type.filter(|text| !text.is_empty()),
        score: from.score.map(whole),
    }
}

fn field_value(from: wire::FieldValue) -> SubscriberField {
    SubscriberField {
        name: from.name,
        value: from.value.map(String::from).filter(|value| !value.is_empty()),
        kind: from.kind.unwrap_or_default(),
        predefined: from.predefined.unwrap_or_default(),
        read_only: from.readonly.unwrap_or_default(),
    }
}

/// `asked` stands in for what a page does not say of itself.
pub(super) fn page(from: wire::Page<wire::Subscriber>, asked: u32) -> SubscriberPage {
    let count = u32::try_from(from.items.len()).unwrap_or(u32::MAX);
    SubscriberPage {
        number: from.current_page.unwrap_or(asked),
        size: from.page_size.filter(|size| *size > 0).unwrap_or(PAGE_SIZE),
        pages: from.pages_count.unwrap_or(asked),
        total: from.items_count.unwrap_or(count),
        items: from.items.into_iter().map(subscriber).collect(),
    }
}

pub(super) fn list(from: wire::List) -> List {
    List {
        id: from.list_id,
        name: from.name.unwrap_or_default(),
        subscribers_count: from.subscribers_count,
    }
}

pub(super) fn field(from: wire::Field) -> FieldDefinition {
    FieldDefinition {
        system: System::Doppler,
        key: from.name.clone(),
        id: None,
        name: from.name,
        kind: from.kind.unwrap_or_default(),
        options: Vec::new(),
        read_only: from.readonly.unwrap_or_default(),
        predefined: from.predefined.unwrap_or_default(),
    }
}

pub(super) fn delivery(from: wire::Delivery) -> Delivery {
    let status = match from.delivery_status.as_deref() {
        Some("notOpened") => DeliveryStatus::NotOpened,
        Some("opened") => DeliveryStatus::Opened,
        Some("softBounced") => DeliveryStatus::SoftBounced,
        Some("hardBounced") => DeliveryStatus::HardBounced,
        _ => DeliveryStatus::Unknown,
    };
    Delivery {
        campaign_id: from.campaign_id.into(),
        campaign_name: from.campaign_name,
        campaign_subject: from.campaign_subject,
        status,
        clicks: from.clicks_count.unwrap_or_default(),
    }
}

pub(super) fn campaign(from: wire::Campaign) -> Campaign {
    Campaign {
        id: from.campaign_id.into(),
        is_out: matches!(from.status.as_deref(), Some("shipping" | "shipped")),
        sent_at: from.scheduled_date.as_deref().and_then(moment),
    }
}

pub(super) fn results(from: wire::Results) -> String {
    let numbers = [
        from.total_shipped,
        from.total_times_opened,
        from.unique_opens,
        from.total_clicks,
        from.unique_clicks,
        from.total_hard_bounces,
        from.total_soft_bounces,
        from.total_unsubscribers,
    ];
    numbers.map(|number| number.map(String::from).unwrap_or_default()).join(" ")
}

/// An import has ended when it says so or has a date of its end; the words for those that failed are
/// not known.
pub(super) fn task(from: wire::Task) -> ImportTask {
    let status = from.status.unwrap_or_default().to_ascii_lowercase();
    let failed = ["fail", "error", "cancel"].iter().any(|word| status.contains(word));
    let ended = from.finish_date.is_some_and(|date| !date.is_empty()) || status == "completed";
    let state = match (failed, ended) {
        (true, _) => ImportState::Failed,
        (false, true) => ImportState::Completed(counts(&from.import_details)),
        (false, false) => ImportState::Running,
    };
    ImportTask { id: from.task_id.into(), state }
}

fn counts(from: &wire::Counters) -> ImportCounts {
    let sum = |counters: &[Option<u32>]| counters.iter().flatten().sum();
    ImportCounts {
        processed: sum(&[from.processed]),
        created: sum(&[from.new_subscribers]),
        updated: sum(&[from.updated]),
        invalid_emails: sum(&[from.invalid_emails]),
        opted_out: sum(&[from.unsubscribed_by_user]),
        undeliverable: sum(&[
            from.soft_bounceds,
            from.hard_bounceds,
            from.subscriber_bounceds,
            from.never_open_bounceds,
            from.users_in_black_list,
        ]),
        mismatched: sum(&[from.amount_headers_and_fields_dont_match]),
    }
}

/// A moment with or without an offset; without one it is UTC, as all of Doppler's output is.
fn moment(text: &str) -> Option<DateTime<Utc>> {
    let text = text.trim();
    let with_offset = DateTime::parse_from_rfc3339(text).map(|moment| moment.to_utc());
    let without = || NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f");
    let date = || text.parse::<NaiveDate>().ok()?.and_hms_opt(0, 0, 0);
    with_offset.ok().or_else(|| without().ok().or_else(date).map(|local| local.and_utc()))
}

#[expect(clippy::cast_possible_truncation, reason = "a score is a small number")]
fn whole(score: f64) -> i64 {
    score.round() as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_come_in_several_forms() {
        let expected = "2015-12-23T01:28:31.140Z".parse::<DateTime<Utc>>().unwrap();
        for form in [
            "2015-12-23T01:28:31.14Z",
            "2015-12-23T01:28:31.14",
            "2015-12-22T22:28:31.14-03:00",
            " 2015-12-23T01:28:31.1400000Z ",
        ] {
            assert_eq!(moment(form), Some(expected), "{form}");
        }
        assert_eq!(moment("2015-12-23"), "2015-12-23T00:00:00Z".parse().ok());
        assert_eq!(moment(""), None);
        assert_eq!(moment("yesterday"), None);
    }
}
