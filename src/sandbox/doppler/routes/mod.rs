//! Every route of the Doppler fake on one screen. To add one: a row of [`TABLE`], and its handler in
//! the file named after what it is about.
//!
//! Each path is served with and without a slash at its end, as the live system does.

mod account;
mod campaign;
mod field;
mod import;
mod list;
mod member;
mod subscriber;
mod unsubscribed;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::{MethodFilter, on};
use futures_util::future::BoxFuture;

use super::Doppler;
use super::call::{Call, Handler, run};
use super::problem::Problem;

const GET: MethodFilter = MethodFilter::GET;
const POST: MethodFilter = MethodFilter::POST;
const PUT: MethodFilter = MethodFilter::PUT;
const DELETE: MethodFilter = MethodFilter::DELETE;

/// Below `/accounts/{accountName}`.
const TABLE: &[(MethodFilter, &str, Handler)] = &[
    (GET, "", account::home),
    (GET, "/lists", list::page),
    (POST, "/lists", list::create),
    (GET, "/lists/{listId}", list::get),
    (PUT, "/lists/{listId}", list::rename),
    (DELETE, "/lists/{listId}", list::delete),
    (GET, "/lists/{listId}/subscribers", member::page),
    (POST, "/lists/{listId}/subscribers", member::add),
    (POST, "/lists/{listId}/subscribers/import", import::into_list),
    (POST, "/lists/{listId}/subscribers/doble-optin/{templateId}", member::add_double_opt_in),
    (DELETE, "/lists/{listId}/subscribers/{email}", member::remove),
    (GET, "/subscribers", subscriber::page),
    (POST, "/subscribers/import", import::into_account),
    (GET, "/subscribers/{email}", subscriber::get),
    (GET, "/subscribers/{email}/deliveries", subscriber::deliveries),
    (GET, "/subscribers/{email}/permissions-history.csv", subscriber::permissions_csv),
    (GET, "/subscribers/{email}/permissions-history/{fieldName}", subscriber::permissions),
    (GET, "/unsubscribed", unsubscribed::page),
    (POST, "/unsubscribed", unsubscribed::add),
    (POST, "/unsubscribed/import", import::unsubscribed),
    (GET, "/fields", field::collection),
    (POST, "/fields", field::create),
    (PUT, "/fields/{name}", field::edit),
    (DELETE, "/fields/{name}", field::delete),
    (GET, "/tasks", import::tasks),
    (GET, "/tasks/{taskId}", import::task),
    (GET, "/campaigns", campaign::page),
    (GET, "/campaigns/{campaignId}", campaign::get),
    (GET, "/campaigns/{campaignId}/recipients", campaign::recipients),
    (GET, "/campaigns/{campaignId}/results-summary", campaign::summary),
    (GET, "/campaigns/{campaignId}/preview", campaign::preview),
];

/// All routes, and 404.0 for the rest.
pub fn router(doppler: &Arc<Doppler>) -> Router {
    let mut router = Router::new().route("/", on(GET, call_of(account::index)));
    for (method, path, handler) in TABLE {
        for slash in ["", "/"] {
            let path = format!("/accounts/{{accountName}}{path}{slash}");
            router = router.route(&path, on(*method, call_of(*handler)));
        }
    }
    router
        .method_not_allowed_fallback(call_of(no_route))
        .fallback(call_of(no_route))
        .with_state(Arc::clone(doppler))
}

/// The index alone: a router nested at `/doppler` serves it there but not at `/doppler/`.
pub fn index(doppler: &Arc<Doppler>) -> Router {
    Router::new().route("/", on(GET, call_of(account::index))).with_state(Arc::clone(doppler))
}

fn no_route(_: &Call) -> Result<Response, Problem> {
    Err(Problem::no_route())
}

fn call_of(
    handler: Handler,
) -> impl Fn(State<Arc<Doppler>>, Request) -> BoxFuture<'static, Response> + Clone + Send + Sync + 'static
{
    move |State(doppler), request| Box::pin(run(doppler, handler, request))
}
