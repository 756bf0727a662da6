//! What users of other tools complain about, and the test that holds it away from here. The complaints, with
//! where they were made, are those that keeping in step was designed against; a new one gets a line here and a
//! test.
//!
//! | complaint | held by |
//! |---|---|
//! | custom fields of HighLevel cannot be updated: wrong JSON for their type | [`fields`]: `custom_fields_of_every_type_are_written`; `highlevel::tests::custom` for each shape |
//! | "get all" fails past a hundred contacts | [`many`]: `everybody_is_listed_past_a_page` |
//! | upsert by phone only is refused | [`fields`]: `a_number_alone_is_enough_for_an_upsert` |
//! | HighLevel's OAuth stops after a while | `app::renewing::an_idle_gateway_renews_before_the_end`, `app::renewing::a_token_that_ended_early_is_renewed_when_it_is_refused` |
//! | two who renew a token at once end it for good, until a restart | [`losing`](super::super::connecting): `twenty_requests_of_one_gateway_renew_once`, `twenty_requests_of_two_gateways_renew_once` |
//! | people are deleted after a run that failed half way | [`many`]: `a_run_that_fails_half_way_deletes_nobody`; [`emptied`](super::emptied) for each policy |
//! | another address makes a duplicate, and the old one is mailed | [`address`] |
//! | two webhooks that arrive together make two people | [`hooks`]: `webhooks_that_arrive_together_make_one_person` |
//! | a later webhook that is applied earlier leaves old values | [`hooks`]: `webhooks_in_the_wrong_order_leave_the_latest_value` |
//! | updates go round for ever, and eat the plan's calls | [`hooks`]: `what_was_written_comes_back_and_writes_nothing`; `sync::tests::rules::winners_that_take_turns_are_frozen_until_somebody_chooses`; [`agreement`](super::agreement) |
//! | a field deleted in one system makes every record fail | [`fields`]: `a_field_that_was_deleted_stops_itself_and_nothing_else` |
//! | the address is one person's and the number another's | [`somebody_elses`](super::somebody_elses) |
//! | switched on with the mapping as it comes, everybody is made twice and mailed | [`many`]: `nothing_is_written_before_somebody_says_so`, `without_a_rule_nobody_is_made_in_doppler` |
//! | people who are in both apps already are there twice | [`keeping`](super::keeping): `switched_on_it_doubles_nobody_and_then_rests` |
//! | somebody who opted out is mailed again | [`never_mailed`](super::never_mailed): a table of ways; [`never_again`](super::never_again), [`consent`](super::consent) |
//! | an enumeration that does not end, or leaves people out | `sync::poll::tests` |

mod address;
mod fields;
mod hooks;
mod many;

use serde_json::{Value, json};

use super::keeping::STEP;
use crate::world::World;

/// What somebody does inside a system.
async fn edit(world: &World, system: &str, email: &str, (op, more): (&str, Value)) {
    let mut body = json!({"system": system, "op": op, "email": email});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    world.control("/edit", body).await;
}

/// Waits until something is so, while time goes by.
async fn comes<F: Future<Output = bool>>(world: &World, what: &str, condition: impl Fn() -> F) {
    world.comes(what, STEP, condition).await;
}
