//! An agency's installation among many workspaces: where it waits, and in which it is used.

use serde_json::{Value, json};
use tandem::sandbox::credentials::ACCOUNTS;

use super::connecting::{CONFIRM, grant, highlevel};
use super::{Client, second, with_accounts};
use crate::connecting::agency::{AGENCYS, COMPANY};

const HELD: &str = "{ heldInstalls { id account agency locations } }";
const NAMES: &str = "{ workspaces { nodes { id name } } }";

async fn held(client: &Client<'_>) -> Vec<Value> {
    client.data(HELD, json!({})).await["heldInstalls"].as_array().unwrap().clone()
}

async fn install(operator: &Client<'_>, choices: &[(&str, &str)]) {
    let choices = [&AGENCYS, choices].concat();
    let (status, said) = grant(operator, Value::Null, &choices).await;
    assert_eq!(status, 202, "{said}");
}

async fn confirm(client: &Client<'_>, variables: Value) -> Value {
    client.data(CONFIRM, variables).await["confirmInstall"].clone()
}

async fn names(operator: &Client<'_>) -> Vec<(String, String)> {
    let data = operator.data(NAMES, json!({})).await;
    let nodes = data["workspaces"]["nodes"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    nodes.map(|node| (text(&node["name"]), text(&node["id"]))).collect()
}

fn refusal(answer: &Value) -> (&Value, &Value) {
    let error = &answer["userErrors"][0];
    (&error["code"], &error["field"][0])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_workspace_is_made_for_a_location_that_is_given_out() {
    let world = with_accounts(4).start().await;
    let operator = Client::operator(&world);
    let one = second(&world, "One").await;
    let [second, third, fourth] = [1, 2, 3].map(|place| ACCOUNTS[place].location);
    install(&operator, &[("location_id", second), ("also", third)]).await;
    let id = held(&operator).await[0]["id"].clone();
    let invalid = json!("INVALID");

    let unnamed = confirm(&operator, json!({"i": id, "n": "Two"})).await;
    assert_eq!(refusal(&unnamed), (&invalid, &json!("location")), "two are approved: {unnamed:#}");
    let wrong = confirm(&operator, json!({"i": id, "n": "Two", "l": fourth})).await;
    assert_eq!(refusal(&wrong), (&invalid, &json!("location")), "{wrong:#}");
    let odd = confirm(&operator, json!({"i": id, "n": "Two", "l": " "})).await;
    assert_eq!(refusal(&odd), (&invalid, &json!("location")), "{odd:#}");
    let taken = confirm(&operator, json!({"i": id, "n": "Two", "l": second})).await;
    assert_eq!(refusal(&taken), (&json!("DUPLICATE"), &json!("location")), "{taken:#}");
    let named = confirm(&operator, json!({"i": id, "n": "One", "l": third})).await;
    assert_eq!(refusal(&named), (&json!("DUPLICATE"), &json!("newWorkspace")), "{named:#}");
    assert_eq!(names(&operator).await.len(), 2, "none was made for what came to nothing");
    assert_eq!(held(&operator).await[0]["id"], id);

    let made = confirm(&operator, json!({"i": id, "n": "Two", "l": third})).await;
    assert_eq!(made["userErrors"], json!([]), "{made:#}");
    assert_eq!(
        (&made["workspace"]["name"], &made["upstream"]["account"]),
        (&json!("Two"), &json!(third))
    );
    let two = Client::of(&world, made["workspace"]["key"].as_str().unwrap());
    world.shows("its people", async || two.people().await.len() > 10).await;
    assert_eq!(highlevel(&one).await["account"], second, "the others are as they were");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_name_it_is_the_one_that_there_is() {
    let world = with_accounts(3).start().await;
    let operator = Client::operator(&world);
    let one = second(&world, "One").await;
    let empty = operator.create("Empty").await;
    let all = names(&operator).await;
    let id_of = |name: &str| all.iter().find(|(of, _)| of == name).unwrap().1.clone();
    let invalid = (json!("INVALID"), json!("location"));
    let wait = async |choices: &[(&str, &str)]| {
        install(&operator, choices).await;
        held(&operator).await[0]["id"].clone()
    };
    // The one that the workspace is connected to, whatever was approved beside it.
    let id = wait(&[("also", ACCOUNTS[1].location), ("also", ACCOUNTS[2].location)]).await;
    let used = confirm(&operator, json!({"i": id, "w": id_of("One")})).await;
    assert_eq!(used["userErrors"], json!([]), "{used:#}");
    let is_at = async |client: &Client<'_>, place: usize| {
        let there = || async { highlevel(client).await["account"] == ACCOUNTS[place].location };
        world.shows("the connection", there).await;
    };
    is_at(&one, 1).await;
    one.data(super::DISCONNECT, json!({"s": "HIGHLEVEL"})).await;

    // None that is known.
    let id = wait(&[("location_id", ACCOUNTS[2].location), ("untold", "yes")]).await;
    let unknown = confirm(&operator, json!({"i": id, "w": id_of("Empty")})).await;
    assert_eq!(refusal(&unknown), (&invalid.0, &invalid.1), "{unknown:#}");
    // The only one that was approved.
    let id = wait(&[("location_id", ACCOUNTS[2].location)]).await;
    let used = confirm(&operator, json!({"i": id, "w": id_of("Empty")})).await;
    assert_eq!(used["userErrors"], json!([]), "{used:#}");
    is_at(&empty, 2).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_waits_for_the_operator_whomever_the_agency_has_connected() {
    let world = with_accounts(3).start().await;
    let operator = Client::operator(&world);
    let one = operator.create("One").await;
    let all = names(&operator).await;
    let (_, id_of_one) = all.iter().find(|(of, _)| of == "One").unwrap();
    for place in [1, 2] {
        install(&operator, &[("location_id", ACCOUNTS[place].location)]).await;
        // Whoever serves one of the agency's customers learns nothing of the others.
        assert_eq!((held(&operator).await.len(), held(&one).await.len()), (1, 0));
        let waits = held(&operator).await[0].clone();
        assert_eq!(waits["account"], COMPANY);
        let location = json!(ACCOUNTS[place].location);
        let asked = json!({"i": waits["id"], "n": "Mine", "l": location});
        let stranger = confirm(&one, asked).await;
        assert_eq!(refusal(&stranger), (&json!("NOT_FOUND"), &json!("install")), "{stranger:#}");
        if place == 1 {
            let used = confirm(&operator, json!({"i": waits["id"], "w": id_of_one})).await;
            assert_eq!(used["userErrors"], json!([]), "{used:#}");
        }
    }
    world.end().await;
}
