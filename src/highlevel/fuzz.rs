//! For `tests/fuzz`: bytes as the answer of every route.

use crate::upstream::fuzz::{each, refusals};

use super::{convert, refusal, routes, wire};

/// The location that answers are of, here.
const LOCATION: &str = "loc00000000000000001";

/// Reads the bytes as each thing that HighLevel answers, and as each of its errors.
pub(crate) fn answer(body: &[u8]) {
    for convert in [convert::contact, convert::created] {
        each(body, |answer: wire::ContactAnswer| {
            answer.contact.and_then(|contact| convert(contact, LOCATION))
        });
    }
    each(body, |answer: wire::SearchAnswer| convert::page(answer, LOCATION));
    each(body, |answer: wire::NotesAnswer| convert::all(answer.notes, convert::note));
    each(body, |answer: wire::NoteAnswer| convert::note(answer.note));
    each(body, |answer: wire::TasksAnswer| {
        let mut tasks = convert::all(answer.tasks, convert::task);
        convert::sort_tasks(&mut tasks);
    });
    each(body, |answer: wire::TaskAnswer| convert::task(answer.task));
    each(body, |answer: wire::TaskSearchAnswer| {
        answer.tasks.into_iter().filter_map(convert::found_task).count()
    });
    // With jumps of an hour, of half an hour, and of a whole day.
    for zone in [
        chrono_tz::Europe::Madrid,
        chrono_tz::Australia::Lord_Howe,
        chrono_tz::Pacific::Apia,
        chrono_tz::UTC,
    ] {
        each(body, |answer: wire::EventsAnswer| {
            convert::all(answer.events, |event| convert::appointment(event, zone))
        });
    }
    each(body, |answer: wire::FieldsAnswer| convert::all(answer.custom_fields, convert::field));
    each(body, |answer: wire::TagsAnswer| answer.tags.into_iter().filter_map(|t| t.name).count());
    each(body, |answer: wire::ContactTags| answer.tags);
    each(body, |answer: wire::LocationAnswer| convert::location(answer.location));
    refusals(body, &[&routes::CONTACT, &routes::CREATE_CONTACT], refusal::kind);
}
