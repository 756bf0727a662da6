//! Two gateways on one store, whatever the place of the run: what one changes, the other does not
//! keep.

use serde_json::json;

use super::ana;
use crate::place::Place;
use crate::world::World;

const NOTES: &str = "query($id: ID!) { contact(by: {id: $id}) { notes { nodes { body } } } }";
const CREATE: &str = "mutation($id: ID!, $body: String!) { createNote(input: {contact: {id: $id}, body: $body}) { userErrors { code } } }";

async fn what_one_writes_the_other_shows(place: Place) {
    if !place.is_there() {
        return;
    }
    let world = World::builder().place(place).still().start().await;
    let id = ana(&world).await;
    let variables = json!({"id": id});
    for body in ["Called", "Called again"] {
        // Each of them has them by then.
        let [one, other] = [
            world.data(NOTES, variables.clone()).await,
            world.data(NOTES, variables.clone()).await,
        ];
        assert_eq!(one, other);
        world.data(CREATE, json!({"id": id, "body": body})).await;
        let (world, variables) = (&world, &variables);
        // The clock stands still, so nothing is read again for its age.
        let shown = || async move {
            world.data(NOTES, variables.clone()).await.to_string().contains(&format!("\"{body}\""))
        };
        world.shows("the note", shown).await;
    }
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn over_nats() {
    what_one_writes_the_other_shows(Place::PairNats).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn over_notify() {
    what_one_writes_the_other_shows(Place::PairNotify).await;
}
