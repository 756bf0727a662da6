//! From HighLevel's words to the plain models. Pure.

use chrono::{DateTime, NaiveDate};
use chrono_tz::Tz;

use crate::unified::{
    Address, Appointment, CustomFieldValue, DndStatus, FieldDefinition, HighLevelContact, JsonText,
    Location, Note, System, Task,
};
use crate::upstream::{SearchPage, SearchRow};

use super::{local_time, wire};

/// A contact that was read singly, of which everything is known; `None` if it belongs to another
/// location, or is none.
pub(super) fn contact(from: wire::Contact, location: &str) -> Option<HighLevelContact> {
    let complete = HighLevelContact { complete: true, ..row(from, location)? };
    Some(complete)
}

/// A contact as the answer to its creation shows it: whole but for the full name.
pub(super) fn created(from: wire::Contact, location: &str) -> Option<HighLevelContact> {
    let mut contact = contact(from, location)?;
    if contact.name.is_none() {
        let parts = [contact.first_name.as_deref(), contact.last_name.as_deref()];
        let parts: Vec<&str> = parts.into_iter().flatten().collect();
        contact.name = (!parts.is_empty()).then(|| parts.join(" "));
    }
    Some(contact)
}

/// A contact of a listing.
pub(super) fn row(from: wire::Contact, location: &str) -> Option<HighLevelContact> {
    let elsewhere = from.location_id.as_deref().is_some_and(|id| id != location);
    if elsewhere || from.id.is_empty() {
        return None;
    }
    let mut tags = from.tags;
    tags.shrink_to_fit();
    let fields = from.custom_fields.into_iter().filter_map(custom_field);
    let mut custom_fields: Vec<CustomFieldValue> = fields.collect();
    custom_fields.shrink_to_fit();
    Some(HighLevelContact {
        id: from.id.into(),
        location_id: location.to_owned(),
        email: from.email,
        phone: from.phone,
        name: from.name.or(from.contact_name),
        first_name: from.first_name,
        last_name: from.last_name,
        company_name: from.company_name,
        complete: from.dnd.given && from.date_of_birth.given,
        birthday: from.date_of_birth.value.as_deref().and_then(date),
        address: Address {
            line1: from.address1.or(from.address),
            city: from.city,
            state: from.state,
            postal_code: from.postal_code,
            country: from.country.map(|country| country.to_ascii_uppercase()),
        },
        kind: from.kind,
        source: from.source,
        assigned_to: from.assigned_to,
        dnd: from.dnd.value,
        email_dnd: from.dnd_settings.as_ref().and_then(email_dnd),
        dnd_settings: from.dnd_settings,
        bounced: from.bounce_email.unwrap_or_default(),
        unsubscribed: from.unsubscribe_email.unwrap_or_default(),
        tags,
        custom_fields,
        date_added: from.date_added,
        date_updated: from.date_updated,
    })
}

/// All of a list, in no more memory than they take: they are kept, mostly one or two, and a list that
/// is being read has room for four.
pub(super) fn all<From, To>(from: Vec<From>, convert: impl FnMut(From) -> To) -> Vec<To> {
    let mut all: Vec<To> = from.into_iter().map(convert).collect();
    all.shrink_to_fit();
    all
}

fn custom_field(from: wire::CustomField) -> Option<CustomFieldValue> {
    from.id.map(|id| CustomFieldValue { id, value: from.value })
}

/// Version 2021-07-28 writes `Email`, later ones `email`.
fn email_dnd(settings: &JsonText) -> Option<DndStatus> {
    let settings = settings.value();
    let channel = settings.get("Email").or_else(|| settings.get("email"))?;
    match channel.get("status")?.as_str()? {
        "active" => Some(DndStatus::Active),
        "inactive" => Some(DndStatus::Inactive),
        "permanent" => Some(DndStatus::Permanent),
        _ => None,
    }
}

/// A birthday in any of the documented forms: year first or month first, with `-`, `/`, `.` or `_`,
/// with or without a time.
fn date(text: &str) -> Option<NaiveDate> {
    let moment = DateTime::parse_from_rfc3339(text).map(|moment| moment.to_utc().date_naive());
    moment.ok().or_else(|| {
        let day = text.split(['T', ' ']).next()?;
        let mut parts = day.split(['-', '/', '.', '_']);
        let (first, second, third) = (parts.next()?, parts.next()?, parts.next()?);
        if parts.next().is_some() {
            return None;
        }
        let (year, month, day) =
            if first.len() == 4 { (first, second, third) } else { (third, first, second) };
        NaiveDate::from_ymd_opt(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?)
    })
}

pub(super) fn page(from: wire::SearchAnswer, location: &str) -> SearchPage {
    let rows = from.contacts.into_iter().filter_map(|mut contact| {
        let cursor = std::mem::take(&mut contact.search_after);
        Some(SearchRow { contact: row(contact, location)?, cursor })
    });
    SearchPage { rows: rows.collect(), total: from.total }
}

pub(super) fn note(from: wire::Note) -> Note {
    Note {
        id: from.id,
        body: from.body,
        title: from.title,
        created_at: from.date_added,
        author_id: from.user_id,
    }
}

pub(super) fn task(from: wire::Task) -> Task {
    Task {
        id: from.id,
        title: from.title,
        body: from.body,
        due_at: from.due_date,
        completed: from.completed.unwrap_or_default(),
        assigned_to: from.assigned_to,
    }
}

/// A task of the search over all tasks, with its contact; `None` if the row does not tell both ids.
pub(super) fn found_task(from: wire::FoundTask) -> Option<(String, Task)> {
    let task = Task {
        id: from.id.or(from.underscore_id)?,
        title: from.title,
        body: from.body,
        due_at: from.due_date,
        completed: from.completed.unwrap_or_default(),
        assigned_to: from.assigned_to,
    };
    Some((from.contact_id?, task))
}

/// Puts a contact's tasks in the order in which they are due, those that never are at the end.
/// HighLevel states no order, and its two ways to ask for tasks do not have the same.
pub(super) fn sort_tasks(tasks: &mut [Task]) {
    let due = |task: &Task| (task.due_at.is_none(), task.due_at);
    tasks.sort_by(|a, b| due(a).cmp(&due(b)).then_with(|| a.id.cmp(&b.id)));
}

pub(super) fn appointment(from: wire::Event, zone: Tz) -> Appointment {
    let time = |text: Option<String>| text.map_or((None, None), |t| local_time::parse(&t, zone));
    let (starts_local, starts_at) = time(from.start_time);
    let (ends_local, ends_at) = time(from.end_time);
    Appointment {
        id: from.id,
        title: from.title,
        status: from.appointment_status.or(from.status),
        starts_local,
        ends_local,
        starts_at,
        ends_at,
        calendar_id: from.calendar_id,
        address: from.address,
    }
}

pub(super) fn field(from: wire::Field) -> FieldDefinition {
    FieldDefinition {
        system: System::HighLevel,
        key: from.field_key.unwrap_or_else(|| from.id.clone()),
        name: from.name.unwrap_or_default(),
        id: Some(from.id),
        kind: from.data_type.unwrap_or_default(),
        options: from.picklist_options,
        read_only: false,
        predefined: false,
    }
}

pub(super) fn location(from: wire::Location) -> Location {
    Location {
        id: from.id,
        name: from.name,
        timezone: from.timezone,
        country: from.country.map(|country| country.to_ascii_uppercase()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn birthdays_come_in_all_documented_forms() {
        let expected = NaiveDate::from_ymd_opt(1990, 9, 25);
        for form in [
            "1990-09-25T00:00:00.000Z",
            "1990-09-25",
            "1990/09/25",
            "09/25/1990",
            "09-25-1990",
            "1990.09.25",
            "09.25.1990",
            "1990_09_25",
            "09_25_1990",
            "1990-09-25 00:00:00",
        ] {
            assert_eq!(date(form), expected, "{form}");
        }
        for nonsense in ["", "1990", "25/09/1990", "1990-02-30", "1-2-3-4", "soon"] {
            assert_eq!(date(nonsense), None, "{nonsense}");
        }
    }
}
