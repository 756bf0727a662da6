//! The operations that are used. There are no scopes: an API key may do everything.

use reqwest::Method;

use crate::unified::System::Doppler;
use crate::upstream::Route;

pub(super) static ACCOUNT: Route = read("/accounts/{accountName}");
pub(super) static SUBSCRIBER: Route = read("/accounts/{accountName}/subscribers/{email}");
pub(super) static SUBSCRIBERS: Route = read("/accounts/{accountName}/subscribers");
pub(super) static LISTS: Route = read("/accounts/{accountName}/lists");
pub(super) static FIELDS: Route = read("/accounts/{accountName}/fields");
pub(super) static DELIVERIES: Route =
    read("/accounts/{accountName}/subscribers/{email}/deliveries");
pub(super) static CAMPAIGNS: Route = read("/accounts/{accountName}/campaigns");
pub(super) static RESULTS: Route =
    read("/accounts/{accountName}/campaigns/{campaignId}/results-summary");
pub(super) static RECIPIENTS: Route =
    read("/accounts/{accountName}/campaigns/{campaignId}/recipients");
pub(super) static LIST: Route = read("/accounts/{accountName}/lists/{listId}");
pub(super) static LIST_SUBSCRIBERS: Route =
    read("/accounts/{accountName}/lists/{listId}/subscribers");
pub(super) static UNSUBSCRIBED: Route = read("/accounts/{accountName}/unsubscribed");
pub(super) static TASK: Route = read("/accounts/{accountName}/tasks/{taskId}");

/// Creates or updates: absolute values, so that twice is once.
pub(super) static PUT_SUBSCRIBER: Route =
    repeatable(Method::POST, "/accounts/{accountName}/lists/{listId}/subscribers");
pub(super) static REMOVE_FROM_LIST: Route =
    repeatable(Method::DELETE, "/accounts/{accountName}/lists/{listId}/subscribers/{email}");
pub(super) static UNSUBSCRIBE: Route =
    repeatable(Method::POST, "/accounts/{accountName}/unsubscribed");
pub(super) static IMPORT: Route = write("/accounts/{accountName}/subscribers/import");
pub(super) static IMPORT_INTO_LIST: Route =
    write("/accounts/{accountName}/lists/{listId}/subscribers/import");
pub(super) static CREATE_LIST: Route = write("/accounts/{accountName}/lists");
pub(super) static CREATE_FIELD: Route = write("/accounts/{accountName}/fields");

const fn read(template: &'static str) -> Route {
    Route::read(Doppler, Method::GET, template, "")
}

const fn repeatable(method: Method, template: &'static str) -> Route {
    Route::repeatable(Doppler, method, template, "")
}

const fn write(template: &'static str) -> Route {
    Route::write(Doppler, Method::POST, template, "")
}
