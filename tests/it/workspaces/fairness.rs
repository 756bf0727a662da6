//! One workspace's load is not another's wait.

use serde_json::json;
use tandem::sandbox::credentials::ACCOUNTS;

use super::{Client, second, with_accounts};
use crate::connecting::ANA;

/// Ten thousand people of the operator's own workspace wait for a system that never answers; somebody
/// of another workspace is changed inside HighLevel, and that change reaches Doppler.
#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_who_wait_hold_nobody_else_up() {
    let world = with_accounts(2).hearing().start().await;
    let one = second(&world, "One").await;
    // Both know Ana, and what both systems agree upon about her.
    let sync = "mutation($e: EmailAddress!) { syncContact(input: {contact: {email: $e}}) { \
        contact { id } userErrors { code } } }";
    let id = "query($e: EmailAddress!) { contact(by: {email: $e}) { id } }";
    for client in [&one, &Client::operator(&world)] {
        client.data(id, json!({"e": ANA})).await;
    }
    world.switch_sync_on().await;
    one.data(sync, json!({"e": ANA})).await;
    for (system, account) in [("DOPPLER", ACCOUNTS[0].doppler), ("HIGHLEVEL", ACCOUNTS[0].location)]
    {
        world.fault(json!({"system": system, "kind": "hang", "account": account})).await;
    }
    for statement in crowd() {
        world.run(&statement).await;
    }
    let edit = json!({"system": "HIGHLEVEL", "op": "upsert", "email": ANA,
        "fields": {"firstName": "Anahí"}});
    let webhooks = json!({"url": world.url("/webhooks/highlevel")});
    world.control("/webhooks", webhooks).await;
    world.control("/edit?account=2", edit).await;
    let arrived = || async {
        let state = world.control_get("/state?account=2").await;
        let people = state["doppler"]["subscribers"].as_array().unwrap().clone();
        let ana = people.into_iter().find(|one| one["email"] == ANA).unwrap();
        ana["fields"]["FIRSTNAME"] == "Anahí"
    };
    world.until("the other workspace's change arrives", arrived).await;
    world.clear_faults().await;
    world.end().await;
}

/// Ten thousand contacts with links in both systems, and work for each.
fn crowd() -> Vec<String> {
    let mut statements = Vec::new();
    for from in (0..10_000).step_by(1_000) {
        let of = |row: &dyn Fn(i32) -> String| {
            (from..from + 1_000).map(row).collect::<Vec<_>>().join(", ")
        };
        let contacts = of(&|n| format!("('default', '{n:032x}')"));
        let links = of(&|n| {
            format!(
                "('default', 'DOPPLER', 'p{n}@example.com', '{n:032x}', 'p{n}@example.com', NULL, 0)"
            )
        });
        let work = of(&|n| format!("('default', 'contact', '{n:032x}', 1, 1, 0)"));
        statements.extend([
            format!("INSERT INTO contact (workspace, id) VALUES {contacts}"),
            format!(
                "INSERT INTO link (workspace, system, key, contact, email, phone, seen_at) \
                 VALUES {links}"
            ),
            format!("INSERT INTO work (workspace, kind, key, priority, gen, due_at) VALUES {work}"),
        ]);
    }
    statements
}
