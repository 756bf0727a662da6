//! The gateway as a whole, over the sandbox.

mod budget;
mod caching;
mod counting;
mod crash;
mod estimating;
mod events;
mod faults;
mod hostile;
mod identity;
mod index;
mod injection;
mod reading;
mod refusing;
mod several;
mod specified;
mod tags;
mod tasks;
mod waiting;
mod writing;

use serde_json::{Value, json};

use crate::world::World;

/// The person whom the documents' examples are about.
const ANA: &str = "ana.paz@example.com";

/// Ana's contact id.
async fn ana(world: &World) -> String {
    let query = r"query($email: EmailAddress!) { contact(by: {email: $email}) { id } }";
    let data = world.data(query, json!({"email": ANA})).await;
    data["contact"]["id"].as_str().unwrap().to_owned()
}

/// The codes of an answer's errors with their paths.
fn codes(answer: &Value) -> Vec<(String, String)> {
    let errors = answer["errors"].as_array().cloned().unwrap_or_default();
    let code = |error: &Value| error["extensions"]["code"].as_str().unwrap_or("none").to_owned();
    let path = |error: &Value| {
        let path = error["path"].as_array().cloned().unwrap_or_default();
        let parts: Vec<String> =
            path.iter().map(|part| part.to_string().trim_matches('"').to_owned()).collect();
        parts.join(".")
    };
    errors.iter().map(|error| (code(error), path(error))).collect()
}
