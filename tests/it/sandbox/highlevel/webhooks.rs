//! Webhooks: each event against its schema, the signature over the exact bytes, disturbances.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use base64::Engine as _;
use ed25519_dalek::pkcs8::DecodePublicKey;
use ed25519_dalek::{Signature, VerifyingKey};
use serde_json::{Value, json};
use tandem::sandbox::control::edit::EditOp;

use super::vendor::{LOCATION, Vendor};
use crate::openapi;
use crate::time::PATIENCE;

/// Receives what a vendor sends and checks signatures and schemas.
struct Receiver {
    got: Arc<Mutex<Vec<(HeaderMap, Bytes)>>>,
    answers: Arc<Mutex<Vec<u16>>>,
}

impl Receiver {
    async fn start(vendor: &Vendor) -> Self {
        let got = Arc::new(Mutex::new(Vec::new()));
        let answers = Arc::new(Mutex::new(Vec::<u16>::new()));
        let (held, next) = (Arc::clone(&got), Arc::clone(&answers));
        let receive = move |headers: HeaderMap, body: Bytes| async move {
            held.lock().unwrap().push((headers, body));
            let status = next.lock().unwrap().pop().unwrap_or(200);
            StatusCode::from_u16(status).unwrap()
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let router = Router::new().route("/hook", post(receive));
        vendor.tasks.spawn(async move { axum::serve(listener, router).await });
        let receiver = Self { got, answers };
        change(vendor, json!({"url": url}));
        receiver
    }

    /// The types in their order of arrival, when there are `count`.
    async fn types(&self, count: usize) -> Vec<String> {
        let bodies = self.bodies(count).await;
        bodies.iter().map(|body| body["type"].as_str().unwrap().to_owned()).collect()
    }

    async fn bodies(&self, count: usize) -> Vec<Value> {
        let arrived = async {
            while self.got.lock().unwrap().len() < count {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, arrived).await.unwrap();
        let got = self.got.lock().unwrap();
        assert_eq!(got.len(), count);
        got.iter().map(|(_, body)| serde_json::from_slice(body).unwrap()).collect()
    }

    /// Whether each signature fits its body.
    fn verified(&self, vendor: &Vendor) -> Vec<bool> {
        let key = VerifyingKey::from_public_key_pem(&vendor.fake.webhook_public_key_pem()).unwrap();
        let got = self.got.lock().unwrap();
        let fits = |(headers, body): &(HeaderMap, Bytes)| {
            let header = headers["x-ghl-signature"].to_str().unwrap();
            let bytes = base64::engine::general_purpose::STANDARD.decode(header);
            let signature = bytes.ok().and_then(|bytes| Signature::from_slice(&bytes).ok());
            signature.is_some_and(|signature| key.verify_strict(body, &signature).is_ok())
        };
        got.iter().map(fits).collect()
    }
}

fn change(vendor: &Vendor, settings: Value) {
    vendor.fake.webhooks().change(serde_json::from_value(settings).unwrap());
}

fn edit(vendor: &Vendor, edit: &Value) {
    let body = edit.to_string();
    vendor.fake.edit(&EditOp::parse(body.as_bytes()).unwrap()).unwrap();
}

fn fits_its_schema(body: &Value) {
    let schema = openapi::read(&format!("webhooks/{}.schema.json", body["type"].as_str().unwrap()));
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<_> = validator.iter_errors(body).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:?} in {body}");
    for name in ["appId", "timestamp", "webhookId"] {
        assert!(body[name].is_string(), "{name} in {body}");
    }
    let is_agencys = body["type"] == "UNINSTALL" && body["companyId"].is_string();
    assert_ne!(body["locationId"].is_string(), is_agencys, "{body}");
}

#[tokio::test]
async fn every_write_fires_its_event_signed() {
    let vendor = Vendor::new();
    let receiver = Receiver::start(&vendor).await;
    let own = json!({"locationId": LOCATION, "email": "ana@example.com", "tags": ["a"]});
    let ana = vendor.post("/contacts/", own).await.text("/contact/id");
    let at = |rest: &str| format!("/contacts/{ana}{rest}");
    vendor.put(&at(""), json!({"city": "Rosario"})).await;
    vendor.put(&at(""), json!({"city": "Rosario"})).await;
    vendor.put(&at(""), json!({"inboundDndSettings": {"all": {"status": "active"}}})).await;
    vendor.put(&at(""), json!({"dndSettings": {"Email": {"status": "active"}}})).await;
    vendor.post(&at("/tags"), json!({"tags": ["b"]})).await;
    vendor.post(&at("/tags"), json!({"tags": ["B"]})).await;
    let note =
        vendor.post(&at("/notes"), json!({"body": "x", "userId": "u"})).await.text("/note/id");
    vendor.put(&at(&format!("/notes/{note}")), json!({"body": "y"})).await;
    vendor.delete(&at(&format!("/notes/{note}"))).await;
    let due = json!({"title": "Call", "dueDate": "2026-12-01T10:00:00Z", "completed": false, "body": "b"});
    let task = vendor.post(&at("/tasks"), due).await.text("/task/id");
    let task = at(&format!("/tasks/{task}"));
    vendor.put(&task, json!({"title": "Write"})).await;
    vendor.put(&format!("{task}/completed"), json!({"completed": true})).await;
    vendor.delete(&task).await;
    vendor.delete(&at("")).await;
    let expected = [
        "ContactCreate",
        "ContactUpdate",
        "ContactDndUpdate",
        "ContactTagUpdate",
        "NoteCreate",
        "NoteUpdate",
        "NoteDelete",
        "TaskCreate",
        "TaskComplete",
        "TaskDelete",
        "ContactDelete",
    ];
    assert_eq!(receiver.types(expected.len()).await, expected);
    let bodies = receiver.bodies(expected.len()).await;
    bodies.iter().for_each(fits_its_schema);
    assert!(receiver.verified(&vendor).into_iter().all(|fits| fits));
    assert!(bodies[4].get("userId").is_none(), "GH#312");
    assert!(bodies[7].get("contactId").is_none() && bodies[7].get("body").is_none(), "GH#332");
    assert_eq!(bodies[8]["contactId"], json!(ana));
}

#[tokio::test]
async fn what_a_person_does_fires_too() {
    let vendor = Vendor::new();
    let receiver = Receiver::start(&vendor).await;
    change(&vendor, json!({"bareTaskCreate": false}));
    vendor.person("ana@example.com");
    let bea = vendor.person("bea@example.com");
    for op in [
        json!({"op": "upsert", "fields": {"firstName": "Ana"}}),
        json!({"op": "changeEmail", "to": "anita@example.com"}),
    ] {
        let mut op = op;
        op["system"] = json!("HIGHLEVEL");
        op["email"] = json!("ana@example.com");
        edit(&vendor, &op);
    }
    for op in [
        json!({"op": "tag", "tags": ["x"]}),
        json!({"op": "untag", "tags": ["x"]}),
        json!({"op": "note", "body": "n"}),
        json!({"op": "task", "title": "t"}),
        json!({"op": "appointment", "title": "a"}),
        json!({"op": "unsubscribe", "type": "SMS"}),
        json!({"op": "merge", "into": bea}),
        json!({"op": "uninstall"}),
        json!({"op": "install"}),
        json!({"op": "uninstall", "agency": true}),
    ] {
        let mut op = op;
        op["system"] = json!("HIGHLEVEL");
        if !op["op"].as_str().unwrap().ends_with("install") {
            op["email"] = json!("anita@example.com");
        }
        edit(&vendor, &op);
    }
    let expected = [
        "ContactUpdate",
        "ContactUpdate",
        "ContactTagUpdate",
        "ContactTagUpdate",
        "NoteCreate",
        "TaskCreate",
        "AppointmentCreate",
        "ContactDndUpdate",
        "ContactDelete",
        "UNINSTALL",
        "INSTALL",
        "UNINSTALL",
    ];
    assert_eq!(receiver.types(expected.len()).await, expected);
    let bodies = receiver.bodies(expected.len()).await;
    bodies.iter().for_each(fits_its_schema);
    assert!(bodies[5]["contactId"].is_string());
    let whose =
        |place: usize| ["locationId", "companyId"].map(|name| bodies[place][name].is_string());
    assert_eq!((whose(9), whose(11)), ([true, false], [false, true]));
    let state = vendor.fake.snapshot();
    let left = state["contacts"].as_array().unwrap();
    assert_eq!((left.len(), &left[0]["notes"][0]["body"]), (1, &json!("n")));
}

#[tokio::test]
async fn an_appointment_fires_when_it_is_booked_changed_and_deleted() {
    let vendor = Vendor::new();
    let receiver = Receiver::start(&vendor).await;
    let ana = vendor.person("ana@example.com");
    let edited = |more: Value| {
        let mut op = json!({"system": "HIGHLEVEL", "op": "appointment", "contactId": ana});
        op.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        vendor.fake.edit(&EditOp::parse(op.to_string().as_bytes()).unwrap())
    };
    let booked = edited(json!({"title": "Demo", "startTime": "2026-12-01T10:00:00Z"})).unwrap();
    let id = booked["appointmentId"].clone();
    edited(json!({"appointmentId": id, "startTime": "2026-12-02T10:00:00Z", "status": "showed"}))
        .unwrap();
    let shown = vendor.get(&format!("/contacts/{ana}/appointments")).await;
    let held = shown.body["events"][0].clone();
    assert_eq!((&held["title"], &held["appointmentStatus"]), (&json!("Demo"), &json!("showed")));
    let day = |name: &str| held[name].as_str().unwrap()[..13].to_owned();
    assert_eq!(
        (day("startTime").as_str(), day("endTime").as_str()),
        ("2026-12-02 07", "2026-12-02 08")
    );
    edited(json!({"appointmentId": id, "delete": true})).unwrap();
    for nothing in [json!({"appointmentId": id}), json!({"delete": true})] {
        assert!(edited(nothing.clone()).is_err(), "{nothing}");
    }
    change(&vendor, json!({"wrongAppointmentType": true}));
    let other = edited(json!({})).unwrap()["appointmentId"].clone();
    edited(json!({"appointmentId": other, "delete": true})).unwrap();
    let expected = [
        "AppointmentCreate",
        "AppointmentUpdate",
        "AppointmentDelete",
        "AppointmentCreate",
        "AppointmentCreate",
    ];
    assert_eq!(receiver.types(expected.len()).await, expected);
    let bodies = receiver.bodies(expected.len()).await;
    bodies.iter().for_each(fits_its_schema);
    assert!(bodies[..3].iter().all(|body| body["appointment"]["id"] == id));
    assert_eq!(bodies[1]["appointment"]["appointmentStatus"], "showed");
    let none = vendor.get(&format!("/contacts/{ana}/appointments")).await;
    assert_eq!(none.body["events"], json!([]));
}

#[tokio::test]
async fn a_delivery_that_never_succeeds_is_tried_thirteen_times() {
    let vendor = Vendor::new();
    let receiver = Receiver::start(&vendor).await;
    receiver.answers.lock().unwrap().extend([500; 20]);
    vendor.post("/contacts/", json!({"locationId": LOCATION, "email": "a@example.com"})).await;
    let over = async {
        while vendor.fake.webhooks().results()["deliveries"][0]["outcome"] != "gave-up" {
            vendor.advance(600);
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, over).await.unwrap();
    assert_eq!(receiver.bodies(13).await.len(), 13);
    vendor.tasks.stop();
}

#[tokio::test]
async fn deliveries_can_be_disturbed() {
    let vendor = Vendor::new();
    let receiver = Receiver::start(&vendor).await;
    let email = |n: u32| format!("p{n}@example.com");
    let add = async |n: u32| {
        vendor.post("/contacts/", json!({"locationId": LOCATION, "email": email(n)})).await;
    };
    change(&vendor, json!({"lose": 1.0}));
    add(1).await;
    change(&vendor, json!({"lose": 0.0, "duplicate": 1.0, "tamper": 1.0}));
    add(2).await;
    let bodies = receiver.bodies(2).await;
    assert_eq!(bodies[0], bodies[1]);
    assert_eq!(bodies[0]["email"], json!(email(2)));
    assert_eq!(receiver.verified(&vendor), [false, false]);
    change(&vendor, json!({"duplicate": 0.0, "tamper": 0.0, "reorder": 1.0}));
    add(3).await;
    change(&vendor, json!({"reorder": 0.0}));
    add(4).await;
    let bodies = receiver.bodies(4).await;
    assert_eq!((&bodies[2]["email"], &bodies[3]["email"]), (&json!(email(4)), &json!(email(3))));
    change(&vendor, json!({"unsigned": true, "unknown": 1.0}));
    add(5).await;
    assert_eq!(receiver.types(6).await[4], "KnowledgeBaseUpdate");
    assert_eq!(receiver.got.lock().unwrap()[5].0["x-ghl-signature"], "N/A");
    let results = vendor.fake.webhooks().results();
    assert_eq!(results["deliveries"][0]["outcome"], "lost");
    // What arrived is over once its answer is back.
    let answered = async {
        while vendor.fake.webhooks().results()["pending"] != 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, answered).await.unwrap();
    change(&vendor, json!({"url": null}));
    add(6).await;
    assert_eq!(vendor.fake.webhooks().results()["pending"], 0);
}

#[tokio::test]
async fn a_failed_delivery_is_retried_with_the_same_bytes() {
    let vendor = Vendor::new();
    let receiver = Receiver::start(&vendor).await;
    receiver.answers.lock().unwrap().extend([503, 500]);
    vendor.post("/contacts/", json!({"locationId": LOCATION, "email": "a@example.com"})).await;
    receiver.bodies(1).await;
    for count in [2, 3] {
        let arrived = async {
            while receiver.got.lock().unwrap().len() < count {
                vendor.advance(10);
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, arrived).await.unwrap();
    }
    let bodies = receiver.bodies(3).await;
    assert!(bodies.iter().all(|body| *body == bodies[0]));
    let delivered = async {
        while vendor.fake.webhooks().results()["deliveries"][0]["outcome"] != "delivered" {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, delivered).await.unwrap();
    change(&vendor, json!({"retry": "too-many-requests"}));
    receiver.answers.lock().unwrap().push(500);
    vendor.post("/contacts/", json!({"locationId": LOCATION, "email": "b@example.com"})).await;
    let ended = async {
        while vendor.fake.webhooks().results()["deliveries"][1]["outcome"] != "gave-up" {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, ended).await.unwrap();
    vendor.tasks.stop();
}
