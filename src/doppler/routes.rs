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

const fn read(template: &'static str) -> Route {
    Route::read(Doppler, Method::GET, template, "")
}
