//! The control routes. Bad input is 400 with one clear line, `{"error": "..."}`.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::edit::EditOp;
use crate::sandbox::credentials::ACCOUNTS;
use crate::sandbox::doppler::Doppler;
use crate::sandbox::fault::Fault;
use crate::sandbox::here;
use crate::sandbox::highlevel::{HighLevel, TokenControl, webhook};
use crate::sandbox::settings::Change;
use crate::sandbox::shared::{Shared, System};

/// The clock moves by at most ten years at a time.
const LONGEST_ADVANCE: f64 = 10.0 * 366.0 * 86_400.0;

/// What the control routes reach into.
#[derive(Debug)]
pub struct Control {
    /// The common ground.
    pub shared: Arc<Shared>,
    /// Both fakes, of each account.
    pub worlds: Vec<(Arc<Doppler>, Arc<HighLevel>)>,
}

/// `?account=2`: which account is meant, the first one if none is named.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Of {
    account: Option<usize>,
}

type OfAccount = Result<Query<Of>, axum::extract::rejection::QueryRejection>;

impl Control {
    fn highlevel(&self) -> &HighLevel {
        &self.worlds[0].1
    }

    /// Does something about one account.
    fn within<T>(
        &self,
        of: OfAccount,
        work: impl FnOnce(&Arc<Doppler>, &Arc<HighLevel>) -> T,
    ) -> Result<T, Refused> {
        let none = || Refused("`account` is the number of one that there is".to_owned());
        let Query(Of { account }) = of.map_err(|_| none())?;
        let place = account.unwrap_or(1).checked_sub(1).ok_or_else(none)?;
        let (doppler, highlevel) = self.worlds.get(place).ok_or_else(none)?;
        let account = ACCOUNTS.get(place).ok_or_else(none)?;
        Ok(here::within(account, || work(doppler, highlevel)))
    }
}

/// Bad input: one line.
struct Refused(String);

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        (StatusCode::BAD_REQUEST, Json(json!({"error": self.0}))).into_response()
    }
}

type Answer = Result<Json<Value>, Refused>;
type Place = State<Arc<Control>>;

/// Everything below `/control`.
pub fn router(control: Arc<Control>) -> Router {
    Router::new()
        .route("/control/journal", get(read_journal).delete(clear_journal))
        .route("/control/state", get(read_state))
        .route("/control/edit", post(edit))
        .route("/control/faults", get(read_faults).post(add_fault).delete(clear_faults))
        .route("/control/webhooks", get(read_webhooks).post(change_webhooks))
        .route("/control/webhook-key", get(read_webhook_key))
        .route("/control/tokens", post(change_tokens))
        .route("/control/clock", get(read_clock).post(advance))
        .route("/control/settings", get(read_settings).post(change_settings))
        .with_state(control)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Since {
    #[serde(default)]
    since: u64,
    #[serde(default)]
    bodies: bool,
}

async fn read_journal(
    State(control): Place,
    since: Result<Query<Since>, axum::extract::rejection::QueryRejection>,
) -> Result<Response, Refused> {
    let Query(Since { since, bodies }) =
        since.map_err(|_| Refused("`since` is a number, `bodies` is true or false".to_owned()))?;
    Ok(Json(control.shared.journal.page(since, bodies)).into_response())
}

async fn clear_journal(State(control): Place) -> StatusCode {
    control.shared.journal.clear();
    StatusCode::NO_CONTENT
}

async fn read_state(State(control): Place, of: OfAccount) -> Answer {
    let state = control.within(of, |doppler, highlevel| {
        json!({"doppler": doppler.snapshot(), "highlevel": highlevel.snapshot()})
    });
    state.map(Json)
}

async fn edit(State(control): Place, of: OfAccount, body: Bytes) -> Answer {
    let edit = EditOp::parse(&body).map_err(Refused)?;
    let changed = control.within(of, |doppler, highlevel| match edit.system {
        System::Doppler => doppler.edit(&edit),
        System::HighLevel => highlevel.edit(&edit),
    })?;
    changed.map(Json).map_err(Refused)
}

async fn read_faults(State(control): Place) -> Json<Value> {
    Json(json!({"faults": control.shared.faults.list()}))
}

async fn add_fault(State(control): Place, body: Bytes) -> Answer {
    let fault: Fault = read(&body)?;
    fault.check().map_err(Refused)?;
    control.shared.faults.add(fault);
    Ok(Json(json!({"faults": control.shared.faults.list()})))
}

async fn clear_faults(State(control): Place) -> StatusCode {
    control.shared.faults.clear();
    StatusCode::NO_CONTENT
}

async fn read_webhooks(State(control): Place) -> Json<Value> {
    Json(control.highlevel().webhooks().results())
}

async fn change_webhooks(State(control): Place, body: Bytes) -> Answer {
    let change: webhook::Change = read(&body)?;
    change.check().map_err(Refused)?;
    control.highlevel().webhooks().change(change);
    Ok(Json(control.highlevel().webhooks().results()))
}

async fn read_webhook_key(State(control): Place) -> Response {
    let kind = [(CONTENT_TYPE, "application/x-pem-file")];
    (kind, control.highlevel().webhook_public_key_pem()).into_response()
}

async fn change_tokens(State(control): Place, body: Bytes) -> Result<StatusCode, Refused> {
    let change: TokenControl = read(&body)?;
    control.highlevel().control_tokens(change);
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Advance {
    advance_seconds: f64,
}

async fn read_clock(State(control): Place) -> Json<Value> {
    Json(json!({"now": control.shared.clock.now().to_rfc3339()}))
}

async fn advance(State(control): Place, body: Bytes) -> Answer {
    let Advance { advance_seconds } = read(&body)?;
    if !(0.0..=LONGEST_ADVANCE).contains(&advance_seconds) {
        return Err(Refused("`advanceSeconds` must be from 0 to ten years".to_owned()));
    }
    control.shared.clock.advance(Duration::from_secs_f64(advance_seconds));
    Ok(Json(json!({"now": control.shared.clock.now().to_rfc3339()})))
}

async fn read_settings(State(control): Place) -> Json<Value> {
    Json(json!(*control.shared.settings()))
}

async fn change_settings(State(control): Place, body: Bytes) -> Answer {
    let change: Change = read(&body)?;
    Ok(Json(json!(*control.shared.switches.change(change))))
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refused> {
    // Serde would take an array for an object too, member by member.
    if body.trim_ascii_start().first() != Some(&b'{') {
        return Err(Refused("the body must be a JSON object".to_owned()));
    }
    serde_json::from_slice(body).map_err(|error| Refused(error.to_string()))
}
