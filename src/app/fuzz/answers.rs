//! What both systems answer, as the fixtures have it.

use serde_json::Value;

macro_rules! fixtures {
    ($folder:literal, $($name:literal)*) => {
        [$(include_str!(concat!("../../../tests/fixtures/", $folder, "/", $name, ".json"))),*]
    };
}

/// All that stands under `body` somewhere.
fn bodies(fixture: &str) -> Vec<Vec<u8>> {
    fn walk(value: &Value, found: &mut Vec<Vec<u8>>) {
        let members = value.as_object().into_iter().flatten();
        for (name, inner) in members {
            if name == "body" {
                found.push(inner.to_string().into_bytes());
            } else {
                walk(inner, found);
            }
        }
        value.as_array().into_iter().flatten().for_each(|inner| walk(inner, found));
    }
    let mut found = Vec::new();
    walk(&serde_json::from_str(fixture).unwrap_or_default(), &mut found);
    found
}

pub(super) fn doppler() -> Vec<Vec<u8>> {
    let fixtures = fixtures!("doppler",
        "campaign-results-summary-200" "deliveries-200" "fields-200" "import-202" "list-200"
        "lists-page-200" "subscriber-200" "subscriber-unsubscribed-200" "subscribers-search-200"
        "task-import-200" "error-400-validation" "error-400-subscriber-unsubscribed"
        "error-404-task" "error-429");
    let mut seeds: Vec<_> = fixtures.into_iter().flat_map(bodies).collect();
    seeds.push(br#"{"items":[{"campaignId":7,"status":"shipped","scheduledDate":"2024-03-01T10:00:00"}],"pagesCount":1}"#.to_vec());
    seeds.push(br#"{"lists":[{"id":7},{"id":"8"}]}"#.to_vec());
    seeds
}

pub(super) fn highlevel() -> Vec<Vec<u8>> {
    const CONTACT: &str = r#"{"id":"c1","locationId":"loc00000000000000001","email":"ana@example.com","phone":"+5491155550101","firstName":"Ana","dateOfBirth":"1990-09-25T00:00:00.000Z","dnd":false,"dndSettings":{"Email":{"status":"active","message":"x","code":"1"}},"tags":["vip",7],"customFields":[{"id":"f1","value":["a"]},{"id":"f2","value":42}],"dateAdded":"2026-11-02T09:15:30.120Z","dateUpdated":1762074930120,"searchAfter":[1762074930120,"c1"],"country":"ar"}"#;
    let answers = [
        format!(r#"{{"contact":{CONTACT}}}"#),
        format!(r#"{{"contacts":[{CONTACT}],"total":1}}"#),
        r#"{"notes":[{"id":"n1","body":"<p>x</p>","userId":"u1","dateAdded":"2026-11-02T09:15:30.120Z"}]}"#.to_owned(),
        r#"{"note":{"id":"n1","body":"x","dateAdded":"2026-11-02T09:15:30.120Z"}}"#.to_owned(),
        r#"{"tasks":[{"id":"t1","_id":"t1","contactId":"c1","title":"Call","dueDate":"2026-11-02T09:15:30.120Z","completed":false}]}"#.to_owned(),
        r#"{"task":{"id":"t1","title":"Call","dueDate":"2026-11-02T09:15:30.120Z","completed":"true"}}"#.to_owned(),
        r#"{"events":[{"id":"e1","title":"x","appointmentStatus":"confirmed","startTime":"2026-10-25 02:30:00","endTime":"2026-10-25T03:30:00+01:00"}]}"#.to_owned(),
        r#"{"customFields":[{"id":"f1","name":"Plan","fieldKey":"contact.plan","dataType":"TEXT","picklistOptions":["a"]}]}"#.to_owned(),
        r#"{"tags":[{"id":"g1","name":"vip"}]}"#.to_owned(),
        r#"{"tags":["vip"]}"#.to_owned(),
        r#"{"location":{"id":"loc00000000000000001","name":"x","timezone":"Europe/Madrid","country":"es"}}"#.to_owned(),
    ];
    let mut seeds: Vec<_> = answers.into_iter().map(String::into_bytes).collect();
    seeds.extend(bodies(include_str!("../../../tests/fixtures/highlevel/errors.json")));
    seeds
}
