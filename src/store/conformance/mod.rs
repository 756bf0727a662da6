//! What every store must hold, whatever database is behind it: each case is a promise of
//! [`Store`](super::Store), run by each implementation through [`conformance!`].
//!
//! To add a case: a function here in the file of its topic and its name in the macro's list.

pub mod budgets;
pub mod copies;
pub mod crash;
pub mod deliveries;
pub mod edits;
pub mod engagement;
pub mod erasure;
pub mod failures;
pub mod fairness;
pub mod history;
pub mod holds;
pub mod idempotency;
pub mod identity;
pub mod imports;
pub mod inbox;
pub mod index;
pub mod merging;
pub mod model;
pub mod polls;
pub mod queue;
pub mod record;
pub mod reservation;
pub mod runs;
pub mod secrets;
pub mod settings;
pub mod workspaces;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};

use uuid::Uuid;

use super::{Accept, Accepted, Claim, Claimed, Known, Lease, Mark, Priority, Sighting, Store};
use crate::unified::System::{Doppler, HighLevel};
use crate::unified::{
    Canonical, ContactId, Edit, EditChange, EditId, EventDraft, EventKind, SyncSettings, SyncState,
    System, SystemWrite, WorkspaceId, WriteOutcome,
};

/// Where a store's data lives; opened twice, both see the same.
#[async_trait]
pub trait Place: Sync + Sized {
    async fn open(&self) -> Arc<dyn Store>;

    /// Where a text stands in what is stored, in whatever form the database has it.
    async fn find(&self, text: &str) -> Vec<String>;

    /// What `store.url` would say.
    fn url(&self) -> String;

    /// Takes it away, once all stores are closed or dropped.
    async fn remove(self);
}

/// Makes a test of every case; the argument is an expression for an empty [`Place`], or
/// `None` where there is no such database to test with.
macro_rules! conformance {
    ($place:expr) => {
        $crate::store::conformance::conformance! {
            $place;
            identity: {
                ids_come_in_order_and_stay, records_tell_whose_they_are, both_halves_of_a_person_are_one,
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
            budgets: {
                changes_at_once_are_one_after_the_other, budgets_are_kept_and_a_workspaces_own
            }
            deliveries: { first_sight_is_kept, a_merge_keeps_the_earliest_sight }
            idempotency: {
                the_first_use_decides, keys_of_others_do_not_clash, a_claim_can_be_given_back,
                a_lapsed_claim_can_be_taken_up, a_day_later_it_is_forgotten, one_of_many_gets_the_key
            }
            reservation: {
                fifty_who_ask_at_once_get_one, a_new_person_is_joined_to_who_reserved_them,
                an_address_decides_before_a_number, a_reservation_ends_with_its_link
            }
            edits: {
                an_accepted_edit_is_all_there, a_key_is_tied_to_the_first_edit,
                an_edit_is_done_when_nothing_is_queued, an_edit_of_a_merged_contact_is_the_survivors,
                an_edit_is_forgotten_later_than_its_key
            }
            record: {
                only_what_it_names_changes, who_lost_the_lease_changes_nothing,
                a_write_is_known_before_it_is_made, links_come_and_go,
                a_record_of_before_is_still_the_persons, a_record_that_is_foreseen_is_nobody_new,
                a_link_may_prove_a_merge, what_a_run_marks_is_marked, an_opt_out_outlives_its_contact
            }
            merging: {
                all_that_was_the_others_is_the_survivors, what_differs_was_never_agreed,
                one_opt_out_is_both, a_merge_and_whoever_resumes_do_not_wait_for_each_other
            }
            queue: {
                marks_coalesce, a_mark_during_a_run_is_not_lost, a_backoff_is_kept,
                who_says_when_to_try_again_is_not_given_up,
                who_waits_does_not_wait_for_the_backoff, the_dead_live_again_when_marked, what_was_put_off_can_be_brought_forward,
                what_waits_for_what_is_paused_does_not_miss_who_resumes,
                what_is_due_can_be_put_off_together,
                what_kills_its_workers_is_given_up, a_lease_can_be_prolonged_and_given_back,
                a_schedule_marks_itself_again, the_next_due_is_known, nobody_gets_what_another_has
            }
            fairness: {
                the_most_urgent_comes_first, only_clients_are_served_while_sync_rests,
                workspaces_take_turns, nobody_gets_more_than_there_is_room_for
            }
            model: { the_queue_does_as_its_model_says }
            holds: {
                a_hold_is_listed_until_it_is_resolved, a_decision_stays_until_it_is_carried_out,
                a_hold_is_resolved_once, a_hold_can_go_away_by_itself,
                what_is_everybodys_is_held_once
            }
            failures: {
                failures_are_listed_by_what_they_are, a_retry_ends_the_backoff,
                a_retry_of_an_edit_does_not_wait_for_sync,
                a_discarded_failure_takes_its_edits_along,
                a_change_that_waited_with_a_discarded_failure_is_looked_at,
                a_run_under_way_writes_nothing_that_was_discarded
            }
            index: {
                what_was_there_before_is_filled_in, a_copy_changes_the_entry, many_come_and_go_at_once,
                who_comes_between_two_pages_disturbs_nobody, merges_and_unlinks_show,
                opening_shows_when_deliveries_are_read, how_people_stand_is_a_condition,
                an_index_is_a_workspaces_own, any_search_is_as_its_model_says
            }
            imports: {
                what_waits_is_sent_or_taken_out, the_end_of_an_import_marks_its_people,
                who_is_left_out_is_written_alone, a_merge_moves_what_is_parked
            }
            inbox: {
                what_comes_again_is_no_news, what_was_looked_at_is_marked_at_once,
                words_are_forgotten_before_ids
            }
            polls: { a_page_is_remembered_whole }
            erasure: {
                nothing_of_an_erased_person_is_left, an_erased_person_does_not_come_back,
                who_works_on_an_erased_person_writes_nothing, what_another_has_too_stays_theirs,
                every_id_of_an_erased_person_is_nobodys, without_the_key_nobody_is_erased,
                an_erasure_keeps_out_writers_of_its_own_workspace, what_names_the_address_of_another_is_theirs_too,
                an_address_is_found_however_it_is_written
            }
            engagement: {
                a_reading_is_remembered_whole, a_reading_of_a_merged_contact_is_the_survivors
            }
            runs: {
                one_run_goes_on_at_a_time, of_two_who_change_a_run_one_does,
                a_run_that_is_stopped_takes_its_hold_along,
                who_lost_the_lease_of_a_run_changes_nothing,
                people_are_counted_by_what_became_of_them, a_listing_tells_who_is_missing,
                a_hold_and_the_run_that_it_stopped_are_decided_at_once,
                polls_are_beside_other_runs_and_few_are_kept
            }
            history: {
                cursors_count_up_and_filters_hold, whoever_reads_on_misses_nothing,
                what_is_forgotten_is_said_to_be
            }
            crash: { what_was_intended_survives_a_kill, what_was_answered_survives_a_kill }
            secrets: {
                a_credential_is_kept_and_forgotten, one_of_many_may_renew,
                who_lost_the_lease_renews_nothing, an_installation_waits_until_it_expires,
                a_key_is_changed_without_a_change, an_account_is_connected_in_one_workspace,
                installations_of_several_accounts_wait, an_installation_waits_until_it_is_used,
                an_end_is_announced_once_a_step
            }
            workspaces: { workspaces_are_made_once_and_listed_in_order }
            settings: {
                a_mapping_is_not_overwritten_unseen, sync_settings_are_kept, everybody_is_counted_once
            }
        }
    };
    ($place:expr; $($topic:ident: { $($case:ident),+ })+) => {
        $(mod $topic {
            use super::*;
            $(#[tokio::test]
            async fn $case() {
                let Some(place) = $place else { return };
                $crate::store::conformance::$topic::$case(&place).await;
                place.remove().await;
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
pub async fn open(place: &impl Place) -> (Arc<dyn Store>, WorkspaceId) {
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

/// A kind of work that is nobody's id.
pub const POLL: &str = super::POLL;
/// The kinds of work that these tests know.
pub const KINDS: [&str; 2] = [super::CONTACT, POLL];

/// A minted contact in HighLevel, younger than those minted before.
pub async fn person(store: &Arc<dyn Store>, w: &WorkspaceId, key: &str) -> ContactId {
    static MINTED: AtomicI64 = AtomicI64::new(-100_000);
    let now = at(MINTED.fetch_add(1, Ordering::Relaxed));
    let known = store.recognize(w, &[contact(key, None)], now).await.unwrap();
    known[0].id
}

/// `h1` in HighLevel, and a younger contact, `ana@example.com` in Doppler. They become one when
/// `h1` gets the address.
pub async fn pair(store: &Arc<dyn Store>, w: &WorkspaceId) -> [ContactId; 2] {
    let older = person(store, w, "h1").await;
    let known = store.recognize(w, &[subscriber("ana@example.com")], at(0)).await.unwrap();
    [older, known[0].id]
}

pub fn event(kind: EventKind, contact: Option<ContactId>) -> EventDraft {
    EventDraft {
        kind,
        contact,
        system: None,
        run: None,
        fields: Vec::new(),
        message: format!("{kind:?}"),
        attempt: None,
        code: None,
    }
}

pub fn edit(contact: ContactId, tag: &str, seconds: i64) -> Edit {
    Edit {
        id: EditId(crate::clock::new_id_at(at(seconds))),
        contact,
        at: at(seconds),
        by: Some("ana".into()),
        change: EditChange::AddTags(vec![tag.to_owned()]),
        writes: Vec::new(),
        result: None,
        errors: Vec::new(),
    }
}

pub async fn accept(store: &Arc<dyn Store>, w: &WorkspaceId, edit: &Edit) -> ContactId {
    let accept = Accept { edit, events: &[], attempt: None };
    match store.accept(w, accept, edit.at).await.unwrap() {
        Accepted::Stored { contact, .. } => contact,
        other @ (Accepted::Before(_) | Accepted::Erased) => panic!("{other:?}"),
    }
}

pub fn write_of(system: System, outcome: WriteOutcome) -> SystemWrite {
    SystemWrite { system, outcome, reason: None, code: None }
}

pub fn text(text: &str) -> Canonical {
    Canonical::Text(text.to_owned())
}

pub async fn run_sync(store: &Arc<dyn Store>, w: &WorkspaceId, state: SyncState) {
    let settings = SyncSettings { state, ..SyncSettings::default() };
    let changed = event(EventKind::SettingsChanged, None);
    store.put_sync_settings(w, &settings, &changed, at(0)).await.unwrap();
}

/// Sync goes on but for these fields.
pub async fn pause_fields(
    store: &Arc<dyn Store>,
    w: &WorkspaceId,
    fields: &[&str],
) -> SyncSettings {
    let settings = SyncSettings {
        state: SyncState::Running,
        paused_fields: fields.iter().map(|&field| field.to_owned()).collect(),
        ..SyncSettings::default()
    };
    let changed = event(EventKind::SettingsChanged, None);
    store.put_sync_settings(w, &settings, &changed, at(0)).await.unwrap();
    settings
}

pub fn a_claim(seconds: i64, limit: u32) -> Claim<'static> {
    Claim {
        kinds: &KINDS,
        token: Uuid::from_u128(rand::random()),
        now: at(seconds),
        until: at(seconds + 30),
        limit,
        rooms: None,
        most_attempts: 100,
    }
}

/// What can be claimed of all kinds, at most `limit`, leased for 30 seconds.
pub async fn claim(store: &Arc<dyn Store>, seconds: i64, limit: u32) -> Vec<Lease> {
    let Claimed { leases, dead } = store.claim(&a_claim(seconds, limit)).await.unwrap();
    assert_eq!(dead, []);
    leases
}

/// The one piece of work there is.
pub async fn claim_only(store: &Arc<dyn Store>, seconds: i64) -> Lease {
    let mut leases = claim(store, seconds, 10).await;
    let lease = leases.pop().expect("there is work");
    assert_eq!(leases, []);
    lease
}

pub async fn mark(store: &Arc<dyn Store>, w: &WorkspaceId, key: &str, seconds: i64) {
    let mark =
        Mark { kind: POLL, key: key.to_owned(), priority: Priority::Client, due: at(seconds) };
    store.mark(w, &[mark]).await.unwrap();
}
