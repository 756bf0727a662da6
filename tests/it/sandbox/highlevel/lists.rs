//! `GET /contacts/` and its cursor.

use serde_json::{Value, json};
use tandem::sandbox::highlevel::seed::SeedContact;

use super::vendor::{LOCATION, Vendor};

async fn walk(vendor: &Vendor, limit: usize) -> Vec<String> {
    let mut seen = Vec::new();
    let mut path = format!("/contacts/?locationId={LOCATION}&limit={limit}");
    loop {
        let page = vendor.get(&path).await;
        let contacts = page.body["contacts"].as_array().unwrap();
        seen.extend(contacts.iter().map(|contact| contact["id"].as_str().unwrap().to_owned()));
        let meta = &page.body["meta"];
        if contacts.len() < limit {
            assert_eq!(meta["nextPageUrl"], Value::Null);
            return seen;
        }
        assert!(page.text("/meta/nextPageUrl").starts_with("http://localhost:5058/"));
        let (after, id) = (meta["startAfter"].as_i64().unwrap(), page.text("/meta/startAfterId"));
        path = format!(
            "/contacts/?locationId={LOCATION}&limit={limit}&startAfter={after}&startAfterId={id}"
        );
    }
}

#[tokio::test]
async fn the_cursor_meets_everyone_once_even_where_dates_are_equal() {
    let vendor = Vendor::new();
    let mut all: Vec<String> =
        (0..7).map(|n| vendor.person(&format!("p{n}@example.com"))).collect();
    vendor.advance(1);
    all.extend((7..10).map(|n| vendor.person(&format!("p{n}@example.com"))));
    for limit in [2, 3, 5, 10] {
        let mut seen = walk(&vendor, limit).await;
        assert!(all[7..].iter().all(|id| seen[..3].contains(id)), "newest first");
        seen.sort();
        let mut expected = all.clone();
        expected.sort();
        assert_eq!(seen, expected, "limit {limit}");
    }
}

#[tokio::test]
async fn the_list_has_its_own_fields_and_defaults() {
    let vendor = Vendor::new();
    for n in 0..25 {
        vendor.person(&format!("p{n}@example.com"));
    }
    let page = vendor.get(&format!("/contacts?locationId={LOCATION}")).await;
    assert_eq!(page.body["contacts"].as_array().unwrap().len(), 20);
    assert_eq!((&page.body["count"], &page.body["meta"]["total"]), (&json!(25), &json!(25)));
    let item = page.body["contacts"][0].as_object().unwrap();
    assert!(!item.contains_key("dndSettings") && !item.contains_key("dateOfBirth"));
    assert!(item.contains_key("contactName") && item["phone"].is_null());
    for limit in ["0", "101", "many", "1.5"] {
        let refused = vendor.get(&format!("/contacts/?locationId={LOCATION}&limit={limit}")).await;
        assert_eq!(refused.status, 422, "limit {limit}");
    }
    let refused = vendor.get("/contacts/").await;
    assert_eq!(refused.body["message"], json!(["locationId must be a string"]));
}

#[tokio::test]
async fn a_query_looks_at_names_addresses_and_numbers() {
    let vendor = Vendor::new();
    vendor.fake.seed(SeedContact {
        first_name: Some("Zoë".to_owned()),
        phone: Some("+5491155550101".to_owned()),
        ..SeedContact::default()
    });
    vendor.person("bob@example.com");
    for (query, found) in [("zo%C3%AB", 1), ("BOB@", 1), ("5555", 1), ("nobody", 0)] {
        let page = vendor.get(&format!("/contacts/?locationId={LOCATION}&query={query}")).await;
        assert_eq!(page.body["contacts"].as_array().unwrap().len(), found, "{query}");
        assert_eq!(page.body["meta"]["total"], json!(found));
    }
}

#[tokio::test]
async fn an_empty_list_can_be_faked() {
    let vendor = Vendor::new();
    vendor.person("ana@example.com");
    vendor.fault(json!({"system": "HIGHLEVEL", "route": "/contacts/", "kind": "empty-list"}));
    let page = vendor.get(&format!("/contacts/?locationId={LOCATION}")).await;
    assert_eq!(page.body["contacts"], json!([]));
}
