//! Every route of the fake with the right it needs, and what happens around a handler: faults in
//! HighLevel's own words, the common checks, rate limits and their headers.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{FromRequestParts, MatchedPath, RawPathParams, Request, State};
use axum::http::request::Parts;
use axum::http::{Method, Response};
use axum::routing::{MethodFilter, get, on, post};

use super::call::{Call, Need, authorize, bearer};
use super::limit::{Left, Sizes};
use super::reply::{Answer, Refusal, Reply};
use super::{
    HighLevel, bulk, contact, enrol, list, location, location_fields, note, oauth, search,
};
use super::{tag, task};
use crate::sandbox::fault::{Fault, Kind};
use crate::sandbox::gate::as_told;
use crate::sandbox::here;

/// No documented body comes near it.
const BODY_LIMIT: usize = 4 * 1024 * 1024;

type Handler = fn(&HighLevel, &Call) -> Answer;

const READ: Need = Need::Location("contacts.readonly");
const WRITE: Need = Need::Location("contacts.write");
const TAGS_READ: Need = Need::Location("locations/tags.readonly");
const TAGS_WRITE: Need = Need::Location("locations/tags.write");
const FIELDS_READ: Need = Need::Location("locations/customFields.readonly");
const FIELDS_WRITE: Need = Need::Location("locations/customFields.write");

// The two bulk routes declare no scope; writing without the write scope would be the odder guess.
#[rustfmt::skip]
const ROUTES: &[(MethodFilter, &str, Need, Handler)] = &[
    (MethodFilter::GET, "/contacts/", READ, list::list),
    (MethodFilter::GET, "/contacts", READ, list::list),
    (MethodFilter::POST, "/contacts/", WRITE, contact::create),
    (MethodFilter::POST, "/contacts", WRITE, contact::create),
    (MethodFilter::POST, "/contacts/upsert", WRITE, contact::upsert),
    (MethodFilter::POST, "/contacts/search", READ, search::search),
    (MethodFilter::GET, "/contacts/search/duplicate", READ, contact::duplicate),
    (MethodFilter::GET, "/contacts/business/{businessId}", READ, list::by_business),
    (MethodFilter::POST, "/contacts/bulk/business", WRITE, bulk::business),
    (MethodFilter::POST, "/contacts/bulk/tags/update/{type}", WRITE, bulk::tags),
    (MethodFilter::GET, "/contacts/{contactId}", READ, contact::read),
    (MethodFilter::PUT, "/contacts/{contactId}", WRITE, contact::update),
    (MethodFilter::DELETE, "/contacts/{contactId}", WRITE, contact::delete),
    (MethodFilter::GET, "/contacts/{contactId}/appointments", READ, enrol::appointments),
    (MethodFilter::GET, "/contacts/{contactId}/notes", READ, note::list),
    (MethodFilter::POST, "/contacts/{contactId}/notes", WRITE, note::create),
    (MethodFilter::GET, "/contacts/{contactId}/notes/{id}", READ, note::read),
    (MethodFilter::PUT, "/contacts/{contactId}/notes/{id}", WRITE, note::update),
    (MethodFilter::DELETE, "/contacts/{contactId}/notes/{id}", WRITE, note::delete),
    (MethodFilter::POST, "/contacts/{contactId}/tags", WRITE, tag::add),
    (MethodFilter::DELETE, "/contacts/{contactId}/tags", WRITE, tag::remove),
    (MethodFilter::GET, "/contacts/{contactId}/tasks", READ, task::list),
    (MethodFilter::POST, "/contacts/{contactId}/tasks", WRITE, task::create),
    (MethodFilter::GET, "/contacts/{contactId}/tasks/{taskId}", READ, task::read),
    (MethodFilter::PUT, "/contacts/{contactId}/tasks/{taskId}", WRITE, task::update),
    (MethodFilter::DELETE, "/contacts/{contactId}/tasks/{taskId}", WRITE, task::delete),
    (MethodFilter::PUT, "/contacts/{contactId}/tasks/{taskId}/completed", WRITE, task::complete),
    (MethodFilter::DELETE, "/contacts/{contactId}/campaigns/removeAll", WRITE, enrol::no_campaigns),
    (MethodFilter::POST, "/contacts/{contactId}/campaigns/{campaignId}", WRITE, enrol::campaign),
    (MethodFilter::DELETE, "/contacts/{contactId}/campaigns/{campaignId}", WRITE, enrol::no_campaign),
    (MethodFilter::POST, "/contacts/{contactId}/followers", WRITE, enrol::follow),
    (MethodFilter::DELETE, "/contacts/{contactId}/followers", WRITE, enrol::unfollow),
    (MethodFilter::POST, "/contacts/{contactId}/workflow/{workflowId}", WRITE, enrol::workflow),
    (MethodFilter::DELETE, "/contacts/{contactId}/workflow/{workflowId}", WRITE, enrol::workflow),
    (MethodFilter::GET, "/locations/{locationId}", Need::Either("locations.readonly"), location::read),
    (MethodFilter::GET, "/locations/{locationId}/tags", TAGS_READ, location::tags),
    (MethodFilter::POST, "/locations/{locationId}/tags", TAGS_WRITE, location::create_tag),
    (MethodFilter::GET, "/locations/{locationId}/tags/{tagId}", TAGS_READ, location::tag),
    (MethodFilter::PUT, "/locations/{locationId}/tags/{tagId}", TAGS_WRITE, location::rename_tag),
    (MethodFilter::DELETE, "/locations/{locationId}/tags/{tagId}", TAGS_WRITE, location::delete_tag),
    (MethodFilter::POST, "/locations/{locationId}/tasks/search", Need::Location("locations/tasks.readonly"), task::search),
    (MethodFilter::GET, "/locations/{locationId}/customFields", FIELDS_READ, location_fields::list),
    (MethodFilter::POST, "/locations/{locationId}/customFields", FIELDS_WRITE, location_fields::create),
    (MethodFilter::GET, "/locations/{locationId}/customFields/{id}", FIELDS_READ, location_fields::read),
    (MethodFilter::PUT, "/locations/{locationId}/customFields/{id}", FIELDS_WRITE, location_fields::update),
    (MethodFilter::DELETE, "/locations/{locationId}/customFields/{id}", FIELDS_WRITE, location_fields::delete),
    (MethodFilter::POST, "/oauth/locationToken", Need::Agency("oauth.write"), oauth::location_token),
    (MethodFilter::GET, "/oauth/installedLocations", Need::Agency("oauth.readonly"), oauth::installed),
];

impl HighLevel {
    /// The whole API, without a prefix, so that route templates are HighLevel's own.
    pub fn router(self: &Arc<Self>) -> Router {
        let mut router = Router::new();
        for &(method, path, need, handler) in ROUTES {
            let handle = move |State(fake): State<Arc<Self>>, request: Request| async move {
                let token = bearer(request.headers());
                let fake = token.and_then(|token| fake.of_token(token)).unwrap_or(fake);
                let mut response = fake.handle(request, need, handler).await;
                response.extensions_mut().insert(fake.account);
                response
            };
            router = router.route(path, on(method, handle));
        }
        let consent = || get(oauth::consent_page).post(oauth::approve);
        router
            .route("/oauth/chooselocation", consent())
            .route("/v2/oauth/chooselocation", consent())
            .route("/oauth/token", post(oauth::token))
            .route("/oauth/reconnect", post(oauth::reconnect))
            .fallback(no_route)
            .method_not_allowed_fallback(no_route)
            .with_state(Arc::clone(self))
    }

    async fn handle(&self, request: Request, need: Need, handler: Handler) -> Response<Body> {
        let (parts, body) = request.into_parts();
        let fault = parts.extensions.get::<Arc<Fault>>().cloned();
        let (answer, left) = if exhausts(fault.as_deref()) {
            (Err(Refusal::too_many_requests()), Some(self.look(fault.as_deref())))
        } else {
            self.checked(parts, body, need, handler).await
        };
        let mut response = self.respond(answer);
        if let Some(left) = left {
            left.write(response.headers_mut(), self.shared.settings().daily_reset_header);
        }
        match fault {
            Some(fault) if exhausts(Some(&fault)) => as_told(response, &fault),
            _ => response,
        }
    }

    async fn checked(
        &self,
        mut parts: Parts,
        body: Body,
        need: Need,
        handler: Handler,
    ) -> (Answer, Option<Left>) {
        let now = self.now();
        let limited = self.shared.rate_limit;
        let grant = match authorize(&parts.headers, need, &self.tokens, now) {
            Ok(grant) => grant,
            Err(refusal) => return (Err(refusal), limited.then(|| self.look(None))),
        };
        let sizes = Sizes::of(&self.shared.settings());
        let left = limited.then(|| self.limits.spend(grant.app, sizes, now.0, 1));
        if left.is_some_and(|left| !left.allowed) {
            return (Err(Refusal::too_many_requests()), left);
        }
        let params = path_params(&mut parts).await;
        let Ok(body) = to_bytes(body, BODY_LIMIT).await else {
            let message =
                serde_json::json!({"statusCode": 413, "message": "request entity too large"});
            return (Err(Refusal::of(413, &message)), left);
        };
        let fault = parts.extensions.remove::<Arc<Fault>>();
        let query = parts.uri.query().map(str::to_owned);
        let call = Call { grant, now, fault, params, query, headers: parts.headers, body };
        (here::within(self.account, || handler(self, &call)), left)
    }

    /// The answer with its trace id.
    pub(super) fn respond(&self, answer: Answer) -> Response<Body> {
        answer.unwrap_or_else(Reply::from).into_response(self.traces.uuid())
    }

    /// What is left for private tokens, without spending, or as a fault wants it.
    fn look(&self, fault: Option<&Fault>) -> Left {
        let sizes = Sizes::of(&self.shared.settings());
        let left = self.limits.spend("private", sizes, self.now().0, 0);
        match fault.map(|fault| fault.kind) {
            Some(Kind::RateLimit) => left.without_burst(),
            Some(Kind::DailyExhausted) => left.without_day(),
            _ => left,
        }
    }
}

fn exhausts(fault: Option<&Fault>) -> bool {
    fault.is_some_and(|fault| matches!(fault.kind, Kind::RateLimit | Kind::DailyExhausted))
}

async fn path_params(parts: &mut Parts) -> Vec<(String, String)> {
    let has_params =
        parts.extensions.get::<MatchedPath>().is_some_and(|path| path.as_str().contains('{'));
    if !has_params {
        return Vec::new();
    }
    match RawPathParams::from_request_parts(parts, &()).await {
        Ok(params) => {
            params.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
        }
        Err(_) => Vec::new(),
    }
}

async fn no_route(State(fake): State<Arc<HighLevel>>, request: Request) -> Response<Body> {
    let method: &Method = request.method();
    let mut response = fake.respond(Err(Refusal::no_route(method.as_str(), request.uri().path())));
    if fake.shared.rate_limit {
        let daily_reset = fake.shared.settings().daily_reset_header;
        fake.look(None).write(response.headers_mut(), daily_reset);
    }
    response
}
