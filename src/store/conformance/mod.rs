//! What every store must hold, whatever database is behind it: each case is a promise of
//! [`Store`](super::Store), run by each implementation through [`conformance!`].
//!
//! To add a case: a function here in the file of its topic and its name in the macro's list.

pub mod copies;
pub mod deliveries;
pub mod idempotency;
pub mod identity;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};

use super::{Known, Sighting, Store};
use crate::unified::System::{Doppler, HighLevel};
use crate::unified::{ContactId, WorkspaceId};

/// Where a store's data lives; opened twice, both see the same.
#[async_trait]
pub trait Place: Sync {
    type Store: Store;

    async fn open(&self) -> Self::Store;
}

/// Makes a test of every case; the argument is an expression for an empty [`Place`].
macro_rules! conformance {
    ($place:expr) => {
        $crate::store::conformance::conformance! {
            $place;
            identity: {
                ids_come_in_order_and_stay, both_halves_of_a_person_are_one,
                a_batch_may_hold_both_halves, what_cannot_be_told_is_kept_apart,
                a_proof_merges_and_both_ids_answer, changes_move_the_lookups,
                workspaces_know_nothing_of_each_other, ids_outlive_the_store,
                two_who_see_a_new_person_mint_one_id, odd_texts_are_texts,
                a_write_that_was_given_up_harms_nobody, any_batch_is_as_good_as_one_by_one
            }
            copies: {
                the_newest_copy_stays, absence_is_remembered, many_copies_at_once,
                copies_of_odd_things, copies_are_a_workspaces_own
            }
            deliveries: { first_sight_is_kept, a_merge_keeps_the_earliest_sight }
            idempotency: {
                the_first_use_decides, keys_of_others_do_not_clash, a_claim_can_be_given_back,
                a_lapsed_claim_can_be_taken_up, doubt_is_told_at_once, a_day_later_it_is_forgotten,
                one_of_many_gets_the_key
            }
        }
    };
    ($place:expr; $($topic:ident: { $($case:ident),+ })+) => {
        $(mod $topic {
            use super::*;
            $(#[tokio::test]
            async fn $case() {
                let place = $place;
                $crate::store::conformance::$topic::$case(&place).await;
            })+
        })+
    };
}
pub(crate) use conformance;

/// A time to count from, plus some seconds.
pub fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_790_000_000, 0).unwrap() + TimeDelta::seconds(seconds)
}

/// An open store with the workspace `w`.
pub async fn open<P: Place>(place: &P) -> (P::Store, WorkspaceId) {
    let store = place.open().await;
    let workspace = WorkspaceId::from("w");
    store.workspace(&workspace, "Main", at(0)).await.unwrap();
    (store, workspace)
}

pub fn subscriber(email: &str) -> Sighting {
    Sighting { system: Doppler, key: email.to_owned(), email: Some(email.to_owned()), phone: None }
}

pub fn contact(key: &str, email: Option<&str>) -> Sighting {
    Sighting {
        system: HighLevel,
        key: key.to_owned(),
        email: email.map(str::to_owned),
        phone: None,
    }
}

pub fn with_phone(sighting: Sighting, phone: &str) -> Sighting {
    Sighting { phone: Some(phone.to_owned()), ..sighting }
}

pub fn ids(known: &[Known]) -> Vec<ContactId> {
    known.iter().map(|known| known.id).collect()
}
