//! The operations that are used, with the scope that each needs by the official OpenAPI files.

use reqwest::Method;

use crate::unified::System::HighLevel;
use crate::upstream::{Route, Segment};

/// Without it a connection only reads.
pub(super) const WRITE_SCOPE: &str = "contacts.write";

const READ_SCOPE: &str = "contacts.readonly";

pub(super) static CONTACT: Route = read("/contacts/{contactId}", READ_SCOPE);
pub(super) static DUPLICATE: Route = read("/contacts/search/duplicate", READ_SCOPE);
pub(super) static NOTES: Route = read("/contacts/{contactId}/notes", READ_SCOPE);
pub(super) static TASKS: Route = read("/contacts/{contactId}/tasks", READ_SCOPE);
pub(super) static APPOINTMENTS: Route = read("/contacts/{contactId}/appointments", READ_SCOPE);
pub(super) static FIELDS: Route =
    read("/locations/{locationId}/customFields", "locations/customFields.readonly");
pub(super) static TAGS: Route = read("/locations/{locationId}/tags", "locations/tags.readonly");
pub(super) static LOCATION: Route = read("/locations/{locationId}", "locations.readonly");

/// A POST that changes nothing, so it may be repeated.
pub(super) static SEARCH: Route =
    Route::read(HighLevel, Method::POST, "/contacts/search", READ_SCOPE);
/// Another one.
pub(super) static TASK_SEARCH: Route = Route::read(
    HighLevel,
    Method::POST,
    "/locations/{locationId}/tasks/search",
    "locations/tasks.readonly",
);

pub(super) static CREATE_CONTACT: Route = write(Method::POST, "/contacts/");
pub(super) static UPDATE_CONTACT: Route = repeatable(Method::PUT, "/contacts/{contactId}");
pub(super) static DELETE_CONTACT: Route = repeatable(Method::DELETE, "/contacts/{contactId}");
pub(super) static ADD_TAGS: Route = repeatable(Method::POST, "/contacts/{contactId}/tags");
pub(super) static REMOVE_TAGS: Route = repeatable(Method::DELETE, "/contacts/{contactId}/tags");

pub(super) static CREATE_NOTE: Route = write(Method::POST, "/contacts/{contactId}/notes");
pub(super) static UPDATE_NOTE: Route = repeatable(Method::PUT, "/contacts/{contactId}/notes/{id}");
pub(super) static DELETE_NOTE: Route = write(Method::DELETE, "/contacts/{contactId}/notes/{id}");
pub(super) static CREATE_TASK: Route = write(Method::POST, "/contacts/{contactId}/tasks");
pub(super) static UPDATE_TASK: Route =
    repeatable(Method::PUT, "/contacts/{contactId}/tasks/{taskId}");
pub(super) static COMPLETE_TASK: Route =
    repeatable(Method::PUT, "/contacts/{contactId}/tasks/{taskId}/completed");
pub(super) static DELETE_TASK: Route =
    write(Method::DELETE, "/contacts/{contactId}/tasks/{taskId}");

/// Words that HighLevel's routes have where others have an id. Sent as an id, one of them would reach
/// another route.
const ROUTE_WORDS: [&str; 7] =
    ["bulk", "business", "completed", "removeall", "remove-all", "search", "upsert"];

/// A contact's, note's or task's id as a path segment; `None` for what cannot be one.
pub(super) fn id(value: &str) -> Option<Segment<'_>> {
    let is_word = ROUTE_WORDS.iter().any(|word| word.eq_ignore_ascii_case(value));
    if is_word { None } else { Segment::id(value) }
}

const fn read(template: &'static str, scope: &'static str) -> Route {
    Route::read(HighLevel, Method::GET, template, scope)
}

const fn write(method: Method, template: &'static str) -> Route {
    Route::write(HighLevel, method, template, WRITE_SCOPE)
}

/// Writing the same again changes nothing.
const fn repeatable(method: Method, template: &'static str) -> Route {
    Route::repeatable(HighLevel, method, template, WRITE_SCOPE)
}
