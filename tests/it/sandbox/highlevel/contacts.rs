//! What HighLevel does with a contact: duplicates, clearing, tags, DND, custom fields.

use serde_json::{Value, json};
use tandem::sandbox::highlevel::seed::{SeedContact, SeedDnd};

use super::vendor::{LOCATION, Vendor};

fn own(more: Value) -> Value {
    let mut body = json!({"locationId": LOCATION});
    if let Value::Object(more) = more {
        body.as_object_mut().unwrap().extend(more);
    }
    body
}

#[tokio::test]
async fn a_duplicate_is_refused_in_the_locations_order() {
    let vendor = Vendor::new();
    let ana = vendor.person("ana@example.com");
    let bea = vendor
        .post("/contacts/", own(json!({"firstName": "Bea", "phone": "+1 888-888-8888"})))
        .await;
    assert_eq!(bea.text("/contact/phone"), "+18888888888");
    let both = own(json!({"email": "ANA@example.com", "phone": "+18888888888"}));
    let refused = vendor.post("/contacts/", both.clone()).await;
    assert_eq!(refused.status, 400);
    assert_eq!(refused.body["message"], "This location does not allow duplicated contacts.");
    assert_eq!(
        refused.body["meta"],
        json!({"contactId": ana, "contactName": null, "matchingField": "email"})
    );
    vendor.settings(json!({"duplicateOrder": ["phone", "email"]}));
    let refused = vendor.post("/contacts/", both.clone()).await;
    assert_eq!(refused.text("/meta/matchingField"), "phone");
    assert_eq!(refused.text("/meta/contactName"), "Bea");
    let taken = vendor.put(&format!("/contacts/{ana}"), json!({"phone": "+18888888888"})).await;
    assert_eq!(taken.text("/meta/contactId"), bea.text("/contact/id"));
    vendor.settings(json!({"allowDuplicates": true}));
    assert_eq!(vendor.post("/contacts/", both).await.status, 201);
}

#[tokio::test]
async fn upsert_updates_the_first_match_and_drops_what_belongs_to_another() {
    let vendor = Vendor::new();
    let ana = vendor.person("ana@example.com");
    vendor
        .post("/contacts/", own(json!({"email": "bea@example.com", "phone": "+18888888888"})))
        .await;
    let body =
        own(json!({"email": "ana@example.com", "phone": "+18888888888", "firstName": "Ana"}));
    let answer = vendor.post("/contacts/upsert", body.clone()).await;
    assert_eq!((&answer.body["new"], answer.text("/contact/id")), (&json!(false), ana));
    assert_eq!(answer.body["contact"]["phone"], Value::Null);
    let fresh = vendor.post("/contacts/upsert", own(json!({"email": "c@example.com"}))).await;
    assert_eq!(fresh.body["new"], true);
    vendor.settings(json!({"allowDuplicates": true}));
    let mut again = body;
    again["createNewIfDuplicateAllowed"] = json!(true);
    assert_eq!(vendor.post("/contacts/upsert", again).await.body["new"], true);
}

#[tokio::test]
async fn a_created_contact_may_be_answered_with_422() {
    let vendor = Vendor::new();
    vendor.fault(json!({"system": "HIGHLEVEL", "kind": "created-but-422", "times": 1}));
    let body = own(json!({"email": "ana@example.com"}));
    assert_eq!(vendor.post("/contacts/", body).await.status, 422);
    let path = format!("/contacts/search/duplicate?locationId={LOCATION}&email=ana%40example.com");
    assert_eq!(vendor.get(&path).await.text("/contact/email"), "ana@example.com");
}

#[tokio::test]
async fn an_update_is_partial_null_clears_and_tags_are_replaced() {
    let vendor = Vendor::new();
    let body = own(json!({
        "name": "Ana María Paz", "email": "ana@example.com", "city": "Rosario", "tags": ["One", "two"],
        "dateOfBirth": "09_25_1990", "country": "AR", "phone": "011 5555 0101",
    }));
    let created = vendor.post("/contacts/", body).await;
    assert_eq!(created.text("/contact/firstName"), "Ana");
    assert_eq!(created.text("/contact/lastName"), "María Paz");
    assert_eq!(created.text("/contact/phone"), "+541155550101");
    assert_eq!(created.text("/contact/dateOfBirth"), "1990-09-25T00:00:00.000Z");
    assert_eq!(
        (&created.body["contact"]["birthMonth"], &created.body["contact"]["birthDay"]),
        (&json!(9), &json!(25))
    );
    assert_eq!(created.body["contact"]["tags"], json!(["one", "two"]));
    let path = format!("/contacts/{}", created.text("/contact/id"));
    let update = json!({"city": null, "tags": ["Three"], "dateOfBirth": null});
    let updated = vendor.put(&path, update).await;
    assert_eq!(updated.body["succeded"], true);
    let contact = vendor.get(&path).await.body["contact"].clone();
    assert_eq!(contact["city"], Value::Null);
    assert_eq!(contact["dateOfBirth"], Value::Null);
    assert_eq!(contact["tags"], json!(["three"]));
    assert_eq!(contact["email"], "ana@example.com");
    for wrong in [json!({"companyName": "x"}), json!({"gender": "x"}), json!({"country": null})] {
        assert_eq!(vendor.put(&path, wrong).await.status, 422);
    }
    let tags = vendor.post(&format!("{path}/tags"), json!({"tags": ["THREE", "Four"]})).await;
    assert_eq!(
        (&tags.body["tags"], &tags.body["tagsAdded"]),
        (&json!(["three", "four"]), &json!(["four"]))
    );
}

#[tokio::test]
async fn a_permanent_dnd_stays() {
    let vendor = Vendor::new();
    let sms = SeedDnd { channel: "SMS", status: "permanent", message: None, code: None };
    let ana = vendor.fake.seed(SeedContact {
        email: Some("ana@example.com".to_owned()),
        dnd_settings: vec![sms],
        ..SeedContact::default()
    });
    let path = format!("/contacts/{ana}");
    let lift = json!({"firstName": "Ana", "dndSettings": {"SMS": {"status": "inactive"}}});
    let refused = vendor.put(&path, lift).await;
    assert_eq!(refused.status, 400);
    assert_eq!(refused.text("/message"), "Not authorized to update permanent dnd setting for SMS");
    let email = json!({"dndSettings": {"Email": {"status": "active", "message": "by mail", "code": "103"}}});
    let answer = vendor.put(&path, email).await;
    let expected = json!({
        "Email": {"status": "active", "message": "by mail", "code": "103"}, "SMS": {"status": "permanent"},
    });
    assert_eq!(answer.body["contact"]["dndSettings"], expected);
    assert_eq!(
        answer.body["contact"]["firstName"],
        Value::Null,
        "a refused update changes nothing"
    );
}

#[tokio::test]
async fn custom_fields_are_written_by_id_or_key_and_read_by_id() {
    let vendor = Vendor::new();
    let path = format!("/contacts/{}", vendor.person("ana@example.com"));
    let (plan, orders) = (vendor.field("contact.plan").await, vendor.field("contact.orders").await);
    let topics = vendor.field("contact.topics").await;
    let write = |fields: Value| vendor.put(&path, json!({"customFields": fields}));
    let answer = write(json!([
        {"key": "plan", "field_value": "gold"}, {"id": orders, "field_value": 3},
        {"id": topics, "field_value": ["offers", "news"]},
    ]))
    .await;
    let expected = json!([
        {"id": plan, "value": "gold"}, {"id": orders, "value": 3},
        {"id": topics, "value": ["offers", "news"]},
    ]);
    assert_eq!(answer.body["contact"]["customFields"], expected);
    let by_key = vendor_refuses(&vendor, &path, json!([{"key": "orders", "field_value": 4}])).await;
    assert_eq!(by_key, json!(["customFields.0.id must be a string"]));
    let wrong =
        vendor_refuses(&vendor, &path, json!([{"id": topics, "field_value": "offers"}])).await;
    assert_eq!(wrong, json!(["customFields.0.field_value must be an array of strings"]));
    let cleared = write(json!([{"id": plan, "field_value": ""}])).await;
    assert_eq!(cleared.body["contact"]["customFields"].as_array().unwrap().len(), 2);
}

async fn vendor_refuses(vendor: &Vendor, path: &str, fields: Value) -> Value {
    let answer = vendor.put(path, json!({"customFields": fields})).await;
    assert_eq!(answer.status, 422);
    answer.body["message"].clone()
}

#[tokio::test]
async fn bulk_tags_tell_each_contacts_fate() {
    let vendor = Vendor::new();
    let (ana, gone) = (vendor.person("ana@example.com"), vendor.person("gone@example.com"));
    vendor.delete(&format!("/contacts/{gone}")).await;
    let body = json!({"contacts": [ana, gone, "x"], "tags": ["Hot"], "locationId": LOCATION});
    let answer = vendor.post("/contacts/bulk/tags/update/add", body).await;
    assert_eq!(answer.body["errorCount"], 2);
    let told: Vec<_> =
        answer.body["responses"].as_array().unwrap().iter().map(|r| r["message"].clone()).collect();
    assert_eq!(
        told,
        ["Tags updated", "contact is deleted", "contact id is not a valid firebase id"]
    );
    assert_eq!(answer.body["responses"][0]["tagsAdded"], json!(["hot"]));
}
