//! One contact over two systems.

use serde_json::json;

use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn one_person_is_put_together_from_both_systems() {
    let world = World::start().await;
    let query = r"query($email: EmailAddress!) {
        contact(by: {email: $email}) {
            id email phone name firstName lastName companyName birthday country status tags systems
            address { line1 city country }
            lists { id name }
            customFields { name system text definition { key type } }
            notes { nodes { id body createdAt contact { id } } }
            tasks { nodes { id title completed dueAt } pageInfo { hasNextPage } }
            appointments { nodes { id title startsAt } }
            deliveries { nodes { id campaignName status clicks firstSeenAt } }
            doppler { email status lists { name } fields { name value type } score }
            highlevel { contactId email phone tags dnd dateAdded customFields { name text } }
            differences { field doppler highlevel rule owner reason }
            freshness { stale source fetchedAt }
        }
    }";
    let variables = json!({"email": super::ANA});
    let fresh = [("cache-control", "no-cache")];
    let answer = world.ask_with(query, variables, &fresh).await;
    assert!(answer.get("errors").is_none(), "{answer:#}");
    let ana = &answer["data"]["contact"];
    assert_eq!(ana["name"], "Ana Paz");
    for part in ["notes", "tasks", "appointments", "deliveries"] {
        assert!(!ana[part]["nodes"].as_array().unwrap().is_empty(), "{part}: {ana:#}");
    }
    for part in ["tags", "lists", "customFields", "differences"] {
        assert!(!ana[part].as_array().unwrap().is_empty(), "{part}: {ana:#}");
    }
    assert_eq!(ana["email"], "ana.paz@example.com");
    assert_eq!(ana["systems"], json!(["DOPPLER", "HIGHLEVEL"]));
    assert_eq!(ana["freshness"]["source"], "LIVE");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_stands_in_the_order_of_its_question() {
    let world = World::start().await;
    let query = "{ contact(by: {email: \"ana.paz@example.com\"}) { \
        notes { nodes { id } } status doppler { status } name highlevel { contactId } id } }";
    let request = world.http().post(world.url("/graphql")).header("cache-control", "no-cache");
    let answer = request.json(&json!({"query": query})).send().await.unwrap();
    let text = answer.text().await.unwrap();
    let places = ["\"notes\"", "\"status\"", "\"doppler\"", "\"name\"", "\"highlevel\""];
    let places: Vec<usize> = places.map(|name| text.find(name).unwrap()).to_vec();
    assert!(places.is_sorted(), "{text}");
    world.end().await;
}
