//! `POST /contacts/search`: operators, order, both ways to page, the late index.

use std::time::Duration;

use chrono::NaiveDate;
use serde_json::{Value, json};
use tandem::sandbox::highlevel::seed::{SeedContact, SeedDnd};

use super::vendor::{Answer, LOCATION, Vendor};

async fn search(vendor: &Vendor, more: Value) -> Answer {
    let mut body = json!({"locationId": LOCATION, "pageLimit": 100});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    vendor.post("/contacts/search", body).await
}

fn emails(answer: &Answer) -> Vec<String> {
    let rows = answer.body["contacts"].as_array().unwrap();
    rows.iter().map(|row| row["email"].as_str().unwrap_or("-").to_owned()).collect()
}

fn people(vendor: &Vendor) {
    let text = |text: &str| Some(text.to_owned());
    let ana = SeedContact {
        first_name: text("Ana"),
        email: text("Ana@example.com"),
        phone: text("+5491155550101"),
        tags: vec!["vip".to_owned(), "news".to_owned()],
        custom_fields: vec![("contact.orders".to_owned(), json!(12))],
        date_of_birth: NaiveDate::from_ymd_opt(1990, 9, 25),
        ..SeedContact::default()
    };
    let bob = SeedContact {
        first_name: text("bob"),
        email: text("bob@example.com"),
        tags: vec!["news".to_owned()],
        dnd: true,
        dnd_settings: vec![SeedDnd {
            channel: "Email",
            status: "active",
            message: None,
            code: None,
        }],
        ..SeedContact::default()
    };
    vendor.fake.seed(ana);
    vendor.advance(60);
    vendor.fake.seed(bob);
    vendor.advance(60);
    vendor.fake.seed(SeedContact { first_name: text("Cy"), ..SeedContact::default() });
}

#[tokio::test]
async fn operators_and_groups() {
    let vendor = Vendor::new();
    people(&vendor);
    let orders = format!("customFields.{}", vendor.field("contact.orders").await);
    let one = |field: &str, operator: &str, value: Value| json!({"field": field, "operator": operator, "value": value});
    let any = |filters: Value| json!({"group": "OR", "filters": filters});
    let born = json!({"gte": "1990-01-01", "lt": "1991-01-01"});
    let older = json!({"lte": 1_780_000_060_000_i64});
    for (filter, found) in [
        (one("email", "eq", json!("ana@EXAMPLE.com")), vec!["Ana@example.com"]),
        (one("email", "not_eq", json!("ana@example.com")), vec!["-", "bob@example.com"]),
        (one("email", "contains", json!("@example")), vec!["bob@example.com", "Ana@example.com"]),
        (one("email", "not_contains", json!("bob")), vec!["-", "Ana@example.com"]),
        (json!({"field": "email", "operator": "not_exists"}), vec!["-"]),
        (json!({"field": "phone", "operator": "exists"}), vec!["Ana@example.com"]),
        (one("tags", "eq", json!("VIP")), vec!["Ana@example.com"]),
        (one("tags", "not_eq", json!("vip")), vec!["-", "bob@example.com"]),
        (one("dnd", "eq", json!(true)), vec!["bob@example.com"]),
        (one("dndSettings.Email.status", "eq", json!("active")), vec!["bob@example.com"]),
        (one(&orders, "range", json!({"gt": 11, "lte": 12})), vec!["Ana@example.com"]),
        (one("dateOfBirth", "range", born), vec!["Ana@example.com"]),
        (one("dateAdded", "range", older), vec!["bob@example.com", "Ana@example.com"]),
        (one("firstNameLowerCase", "eq", json!("cy")), vec!["-"]),
        (
            any(json!([
                one("email", "eq", json!("ana@example.com")),
                one("phone", "eq", json!("+1"))
            ])),
            vec!["Ana@example.com"],
        ),
        (
            any(json!([
                one("email", "eq", json!("ana@example.com")),
                {"group": "AND", "filters": [one("dnd", "eq", json!(true)), one("tags", "eq", json!("news"))]},
            ])),
            vec!["bob@example.com", "Ana@example.com"],
        ),
    ] {
        let answer = search(&vendor, json!({"filters": [filter]})).await;
        assert_eq!(emails(&answer), found, "{filter}");
        assert_eq!(answer.body["total"], json!(found.len()), "{filter}");
    }
    let both = json!([one("tags", "eq", json!("news")), one("dnd", "eq", json!(false))]);
    assert_eq!(emails(&search(&vendor, json!({"filters": both})).await), ["Ana@example.com"]);
    assert_eq!(emails(&search(&vendor, json!({"query": "BOB"})).await), ["bob@example.com"]);
}

#[tokio::test]
async fn ids_are_told_apart_by_case() {
    let vendor = Vendor::new();
    let (ana, bob) = (vendor.person("ana@example.com"), vendor.person("bob@example.com"));
    let swap = |c: char| {
        if c.is_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() }
    };
    let swapped: String = bob.chars().map(swap).collect();
    let one = |id: &str| json!({"field": "id", "operator": "eq", "value": id});
    let group = json!({"group": "OR", "filters": [one(&ana), one(&swapped)]});
    assert_eq!(emails(&search(&vendor, json!({"filters": [group]})).await), ["ana@example.com"]);
    let not = json!({"field": "id", "operator": "not_eq", "value": ana});
    assert_eq!(emails(&search(&vendor, json!({"filters": [not]})).await), ["bob@example.com"]);
    let swapped = json!({"field": "id", "operator": "not_eq", "value": swapped});
    assert_eq!(search(&vendor, json!({"filters": [swapped]})).await.body["total"], 2);
}

#[tokio::test]
async fn rows_have_what_the_guide_lists() {
    let vendor = Vendor::new();
    people(&vendor);
    let answer = search(&vendor, json!({"pageLimit": 1, "page": 3})).await;
    let row = answer.body["contacts"][0].as_object().unwrap();
    for field in
        ["dnd", "dndSettings", "dateOfBirth", "dateUpdated", "searchAfter", "additionalPhones"]
    {
        assert!(row.contains_key(field), "{field}");
    }
    assert_eq!(row["dateOfBirth"], "1990-09-25T00:00:00.000Z");
    assert_eq!(row["customFields"][0]["value"], 12);
    assert!(row["companyName"].is_null());
}

#[tokio::test]
async fn search_after_goes_on_where_page_mode_ends() {
    let vendor = Vendor::new();
    for n in 0..9 {
        vendor.person(&format!("p{n}@example.com"));
    }
    for sort in [
        json!([{"field": "email", "direction": "asc"}]),
        json!([{"field": "dateUpdated", "direction": "desc"}]),
        json!([{"field": "companyName", "direction": "asc"}, {"field": "email", "direction": "desc"}]),
    ] {
        let whole = emails(&search(&vendor, json!({"sort": sort})).await);
        let mut seen = Vec::new();
        let mut body = json!({"sort": sort, "pageLimit": 2});
        loop {
            let page = search(&vendor, body.clone()).await;
            assert_eq!(page.body["total"], 9);
            let Some(last) = page.body["contacts"].as_array().unwrap().last().cloned() else {
                break;
            };
            seen.extend(emails(&page));
            body["searchAfter"] = last["searchAfter"].clone();
        }
        assert_eq!(seen, whole, "{sort}");
    }
    let far = search(&vendor, json!({"pageLimit": 500, "page": 21})).await;
    assert_eq!(far.status, 400);
    assert_eq!(search(&vendor, json!({"pageLimit": 500, "page": 20})).await.status, 200);
}

#[tokio::test]
async fn wrong_searches_are_refused() {
    let vendor = Vendor::new();
    let long = "x".repeat(76);
    for (body, status) in [
        (json!({"pageLimit": 501}), 422),
        (json!({"pageLimit": "many"}), 422),
        (json!({"page": 0}), 422),
        (json!({"page": 1, "searchAfter": [1, "a"]}), 422),
        (json!({"query": long}), 422),
        (json!({"filters": [{"field": "email", "operator": "eq", "value": long}]}), 422),
        (json!({"filters": [{"field": "email", "operator": "contains", "value": "a*b"}]}), 422),
        (json!({"filters": [{"field": "email"}]}), 422),
        (json!({"sort": [{"field": "email", "direction": "up"}]}), 422),
        (json!({"startAfter": 1}), 422),
        (json!({"searchAfter": []}), 400),
        (json!({"sort": [{"field": "shoeSize", "direction": "asc"}]}), 400),
        (json!({"filters": [{"field": "customFields.nope", "operator": "exists"}]}), 400),
        (json!({"filters": [{"field": "email", "operator": "like", "value": "a"}]}), 400),
    ] {
        assert_eq!(search(&vendor, body.clone()).await.status, status, "{body}");
    }
}

#[tokio::test]
async fn search_sees_a_write_only_after_its_delay() {
    let vendor = Vendor::with(|options| options.index_delay = Duration::from_secs(2));
    let ana = vendor.person("ana@example.com");
    assert_eq!(emails(&search(&vendor, json!({})).await), ["ana@example.com"], "the seed is seen");
    let path = format!("/contacts/{ana}");
    vendor.put(&path, json!({"email": "anita@example.com"})).await;
    vendor.post("/contacts/", json!({"locationId": LOCATION, "email": "bob@example.com"})).await;
    assert_eq!(vendor.get(&path).await.text("/contact/email"), "anita@example.com");
    let by =
        |email: &str| json!({"filters": [{"field": "email", "operator": "eq", "value": email}]});
    assert_eq!(emails(&search(&vendor, by("ana@example.com")).await), ["ana@example.com"]);
    assert_eq!(search(&vendor, by("anita@example.com")).await.body["total"], 0);
    assert_eq!(search(&vendor, json!({})).await.body["total"], 1);
    vendor.advance(2);
    assert_eq!(search(&vendor, by("ana@example.com")).await.body["total"], 0);
    assert_eq!(emails(&search(&vendor, by("anita@example.com")).await), ["anita@example.com"]);
    assert_eq!(search(&vendor, json!({})).await.body["total"], 2);
    vendor.delete(&path).await;
    assert_eq!(search(&vendor, json!({})).await.body["total"], 2, "the dead live on in search");
    vendor.advance(2);
    assert_eq!(search(&vendor, json!({})).await.body["total"], 1);
}
