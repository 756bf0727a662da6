//! What clients ask for.

use std::collections::BTreeMap;

use chrono::TimeDelta;

use super::World;
use super::model::set_field;
use crate::sync::{Need, Part, Payload, Plan, Scope, When};
use crate::unified::{
    ActionKind, Canonical, DndStatus, EditChange, EditId, MappingRule, Note, NoteDraft,
    PendingWrite, SubscriberStatus, System, UserErrorCode, WriteOutcome, fixture,
};
use WriteOutcome::{Applied, Queued, Rejected, Skipped, Unchanged};

fn upsert(fields: &[(&str, &str)]) -> EditChange {
    let value = |value: &str| match value {
        "" => Canonical::Null,
        text => Canonical::Text(text.to_owned()),
    };
    EditChange::Upsert {
        fields: fields.iter().map(|(name, text)| ((*name).to_owned(), value(text))).collect(),
        tags: Vec::new(),
        lists: Vec::new(),
        create_in: None,
    }
}

fn both(doppler: WriteOutcome, highlevel: WriteOutcome) -> BTreeMap<System, WriteOutcome> {
    [(System::Doppler, doppler), (System::HighLevel, highlevel)].into()
}

fn only(system: System, outcome: WriteOutcome) -> BTreeMap<System, WriteOutcome> {
    [(system, outcome)].into()
}

fn error(plan: &Plan, edit: EditId) -> Option<UserErrorCode> {
    plan.edits.iter().filter(|part| part.edit == edit).find_map(|part| match &part.part {
        Part::Known(known) => known.error.as_ref().map(|error| error.code),
        Part::Depends(_) => None,
    })
}

#[test]
fn an_edit_is_written_to_both_systems_and_says_so() {
    let mut world = World::paired();
    let edit = world.ask(upsert(&[("firstName", "Ana"), ("plan", "gold")]));
    world.settle_down();
    assert_eq!(world.outcome(edit), both(Applied, Applied));
    assert_eq!(world.subscriber().unwrap().field("PLAN"), Some("gold"));
    assert_eq!(world.highlevel.as_ref().unwrap().custom_fields.len(), 1);
    let again = world.ask(upsert(&[("firstName", "Ana")]));
    world.settle_down();
    assert_eq!(world.outcome(again), both(Unchanged, Unchanged));
    let cleared = world.ask(upsert(&[("contact.plan", "")]));
    world.settle_down();
    assert_eq!(world.outcome(cleared), both(Applied, Applied));
    assert_eq!(world.subscriber().unwrap().field("PLAN"), None);
}

#[test]
fn with_one_system_down_the_rest_lands_when_it_returns() {
    let mut world = World::paired();
    world.down.push(System::Doppler);
    let edit = world.ask(upsert(&[("firstName", "Ana")]));
    world.settle_down();
    assert_eq!(world.outcome(edit), both(Queued, Applied));
    world.down.clear();
    world.settle_down();
    assert_eq!(world.outcome(edit), both(Applied, Applied));
    assert_eq!(world.subscriber().unwrap().field("FIRSTNAME"), Some("Ana"));
}

#[test]
fn a_later_change_in_highlevel_beats_a_queued_edit_only_by_the_rule() {
    for (rule, owner, expected) in [
        (MappingRule::Owner, System::HighLevel, "Eva"),
        (MappingRule::Owner, System::Doppler, "Ana"),
        (MappingRule::Newest, System::HighLevel, "Eva"),
    ] {
        let mut world = World::paired();
        world.mapping.fields[0].rule = rule;
        world.mapping.fields[0].owner = Some(owner);
        world.down.push(System::HighLevel);
        world.ask(upsert(&[("firstName", "Ana")]));
        world.settle_down();
        world.wait(100);
        world.highlevel_mut().first_name = Some("Eva".to_owned());
        world.down.clear();
        world.settle_down();
        assert_eq!(world.subscriber().unwrap().field("FIRSTNAME"), Some(expected), "{rule:?}");
        assert!(world.edits.is_empty());
    }
}

#[test]
fn a_new_person_is_created_where_rules_and_the_client_say() {
    let mut world = World::new();
    let fields = [("email", "ana@example.com"), ("firstName", "Ana")];
    let edit = world.ask(upsert(&fields));
    world.settle_down();
    assert_eq!(world.outcome(edit), both(Skipped, Applied));
    assert!(world.subscribers.is_empty());

    let mut world = World::new();
    let EditChange::Upsert { fields, .. } = upsert(&fields) else { unreachable!() };
    let edit = world.ask(EditChange::Upsert {
        fields,
        tags: vec!["Vip".to_owned()],
        lists: vec!["2".to_owned(), "1".to_owned()],
        create_in: None,
    });
    world.settle_down();
    assert_eq!(world.outcome(edit), both(Applied, Applied));
    assert_eq!(world.subscriber().unwrap().lists, ["2", "1"]);
    assert_eq!(world.highlevel.as_ref().unwrap().tags, ["vip"]);
    assert_eq!(world.links.len(), 2);

    let mut world = World::new();
    let EditChange::Upsert { fields, .. } = upsert(&[("email", "ana@example.com")]) else {
        unreachable!()
    };
    let create_in = Some(vec![System::Doppler]);
    let edit =
        world.ask(EditChange::Upsert { fields, tags: Vec::new(), lists: Vec::new(), create_in });
    world.settle_down();
    assert_eq!(world.outcome(edit), both(Skipped, Skipped), "no list chosen, and not asked for");

    let mut world = World::new();
    let edit = world.ask(upsert(&[("address.city", "Rosario")]));
    world.settle_down();
    assert_eq!(
        world.outcome(edit),
        both(Skipped, Skipped),
        "HighLevel takes nobody without a name"
    );
}

#[test]
fn unless_sync_is_running_only_what_the_edit_names_is_written() {
    let mut world = World::paired();
    world.scope = Scope::Edits;
    world.agreement = crate::unified::Agreement::default();
    let highlevel = world.highlevel_mut();
    highlevel.last_name = Some("Paz".to_owned());
    highlevel.tags = vec!["theirs".to_owned()];
    set_field(world.subscriber_mut(), "TAGS", "ours");
    let edit = world.ask(upsert(&[("firstName", "Ana")]));
    let tag = world.ask(EditChange::AddTags(vec!["new".to_owned()]));
    world.settle_down();
    assert_eq!(world.outcome(edit), both(Applied, Applied));
    assert_eq!(world.outcome(tag), both(Applied, Applied));
    let subscriber = world.subscriber().unwrap();
    assert_eq!(subscriber.field("LASTNAME"), None);
    assert_eq!(subscriber.field("TAGS"), Some("ours, new"));
    assert_eq!(world.highlevel.as_ref().unwrap().tags, ["theirs", "new"]);
    // When it starts to run, what each side had of its own is still known to be new.
    world.scope = Scope::Everything;
    world.settle_down();
    let subscriber = world.subscriber().unwrap();
    assert_eq!(subscriber.field("LASTNAME"), Some("Paz"));
    assert_eq!(subscriber.field("TAGS"), Some("ours, new, theirs"));

    // Nobody is created by an edit of somebody else's system.
    let mut alone = World::new();
    alone.scope = Scope::Edits;
    alone.highlevel = Some(fixture::contact());
    alone.link(System::HighLevel, "h1");
    let edit = alone.ask(upsert(&[("firstName", "Ana")]));
    alone.settle_down();
    assert_eq!(alone.outcome(edit), both(Skipped, Applied));
}

#[test]
fn lists_are_joined_and_left_by_clients_and_never_by_who_opted_out() {
    let mut world = World::paired();
    let join = world.ask(EditChange::AddToList("2".to_owned()));
    let joined = world.ask(EditChange::AddToList("1".to_owned()));
    let missing = world.ask(EditChange::AddToList("9".to_owned()));
    assert_eq!(error(&world.plan(), missing), Some(UserErrorCode::NotFound));
    world.settle_down();
    assert_eq!(world.outcome(join), only(System::Doppler, Applied));
    assert_eq!(world.outcome(joined), only(System::Doppler, Unchanged));
    assert_eq!(world.outcome(missing), only(System::Doppler, Rejected));
    let leave = world.ask(EditChange::RemoveFromList("1".to_owned()));
    world.settle_down();
    assert_eq!(world.outcome(leave), only(System::Doppler, Applied));
    assert_eq!(world.subscriber().unwrap().lists, ["2"]);

    world.highlevel_mut().email_dnd = Some(DndStatus::Active);
    let refused = world.ask(EditChange::AddToList("1".to_owned()));
    assert_eq!(error(&world.plan(), refused), Some(UserErrorCode::OptedOut));
    world.settle_down();
    assert_eq!(world.outcome(refused), only(System::Doppler, Rejected));
}

#[test]
fn unsubscribing_reaches_both_and_is_idempotent() {
    let mut world = World::paired();
    let edit = world.ask(EditChange::Unsubscribe { reason: None });
    world.settle_down();
    assert_eq!(world.outcome(edit), both(Applied, Applied));
    assert_eq!(world.subscriber().unwrap().status, SubscriberStatus::Unsubscribed);
    assert_eq!(world.highlevel.as_ref().unwrap().email_dnd, Some(DndStatus::Active));
    let again = world.ask(EditChange::Unsubscribe { reason: None });
    world.settle_down();
    assert_eq!(world.outcome(again), both(Unchanged, Unchanged));
}

#[test]
fn a_subscriber_in_no_list_is_updated_by_an_import() {
    let mut world = World::paired();
    world.subscriber_mut().lists.clear();
    world.ask(upsert(&[("firstName", "Ana")]));
    let plan = world.plan();
    let update = plan.actions.iter().find(|action| action.system == System::Doppler).unwrap();
    assert!(matches!(&update.payload, Payload::UpdateSubscriber { list: None, .. }));
    assert!(plan.reasons.iter().any(|reason| reason.contains("import")));
    let again = world.with_input(|input| {
        let extra = crate::sync::Extra { importing: true, ..input.extra };
        crate::sync::plan(&crate::sync::Input { extra, ..*input })
    });
    assert!(again.actions.iter().all(|action| action.system != System::Doppler), "no second one");
}

#[test]
fn doppler_deletes_nobody_and_says_so() {
    let mut world = World::paired();
    let edit = world.ask(EditChange::Delete { systems: System::ALL.to_vec() });
    world.settle_down();
    assert_eq!(world.outcome(edit), both(Skipped, Applied));
    assert!(world.highlevel.is_none());
    let subscriber = world.subscriber().unwrap();
    assert_eq!((&subscriber.status, subscriber.lists.len()), (&SubscriberStatus::Active, 1));
    assert_eq!(world.links.len(), 1);
    world.settle_down();
    assert!(world.highlevel.is_none(), "and the next run does not make the person again");
}

/// A note that a client asks for and whose creation was begun a time ago; nobody knows whether it was made.
pub fn note_in_doubt(world: &mut World, ago: TimeDelta) -> PendingWrite {
    let draft = NoteDraft { body: "called".to_owned(), title: None };
    let edit = world.ask(EditChange::CreateNote(draft));
    PendingWrite {
        id: world.id(),
        contact: world.contact,
        system: System::HighLevel,
        action: ActionKind::Note,
        edit: Some(edit),
        fields: Vec::new(),
        body: String::new(),
        begun_at: world.now - ago,
    }
}

#[test]
fn a_note_whose_creation_is_in_doubt_is_looked_for_first() {
    let mut world = World::paired();
    let pending = [note_in_doubt(&mut world, TimeDelta::zero())];
    let written = |after: TimeDelta| Note {
        id: "n1".to_owned(),
        body: Some(" called ".to_owned()),
        title: None,
        created_at: Some(world.now + after),
        author_id: None,
    };
    let plan = |notes: Option<&[Note]>| {
        world.with_input(|input| {
            let extra =
                crate::sync::Extra { pending: &pending, notes: notes.map(Ok), ..input.extra };
            crate::sync::plan(&crate::sync::Input { extra, ..*input })
        })
    };
    let asks = plan(None);
    assert_eq!((asks.needs, asks.actions), (vec![Need::Notes], Vec::new()));
    let found = plan(Some(&[written(TimeDelta::seconds(1))]));
    assert_eq!(found.actions, []);
    let Part::Known(known) = &found.edits[0].part else { panic!("{found:?}") };
    assert_eq!((known.write.outcome, known.result.as_deref()), (Applied, Some("n1")));
    let older = plan(Some(&[written(TimeDelta::hours(-1))]));
    assert_eq!(older.actions[0].kind, ActionKind::Note, "that one was another");
}

#[test]
fn a_note_is_written_once_and_its_id_is_the_result() {
    let mut world = World::paired();
    let draft = NoteDraft { body: "called".to_owned(), title: None };
    let edit = world.ask(EditChange::CreateNote(draft));
    world.settle_down();
    world.settle_down();
    assert_eq!(world.notes.len(), 1);
    let done = world.finished.iter().find(|done| done.id == edit).unwrap();
    assert_eq!(done.result.as_deref(), Some(world.notes[0].id.as_str()));

    let mut nobody = World::new();
    nobody.subscribers = world.subscribers.clone();
    nobody.gone.push(System::HighLevel);
    let draft = NoteDraft { body: "called".to_owned(), title: None };
    let edit = nobody.ask(EditChange::CreateNote(draft));
    assert_eq!(error(&nobody.plan(), edit), Some(UserErrorCode::NotSupported));
}

#[test]
fn a_field_that_nobody_has_is_refused_and_one_that_cannot_be_looked_up_waits() {
    let mut world = World::paired();
    let edit = world.ask(upsert(&[("nonsense", "x"), ("firstName", "Ana")]));
    assert_eq!(error(&world.plan(), edit), Some(UserErrorCode::NotFound));
    let unread = crate::unified::Definitions { highlevel: None, ..world.definitions.clone() };
    let known = std::mem::replace(&mut world.definitions, unread);
    assert_eq!(error(&world.plan(), edit), None);
    world.settle_down();
    assert_eq!(world.outcome(edit), both(Queued, Queued));
    world.definitions = known;
    world.settle_down();
    assert_eq!(world.outcome(edit), both(Rejected, Rejected));
    assert_eq!(world.subscriber().unwrap().field("FIRSTNAME"), Some("Ana"));
}

#[test]
fn a_row_that_leaves_consent_out_puts_nobody_on_a_list() {
    let mut world = World::new();
    world.mapping.create_in.push(crate::unified::CreateRule {
        system: System::Doppler,
        when: None,
        list: Some("1".to_owned()),
    });
    let mut row = fixture::contact();
    (row.complete, row.dnd) = (false, None);
    world.highlevel = Some(row);
    let plan = world.plan();
    let create = plan.actions.iter().find(|action| action.kind == ActionKind::Create).unwrap();
    assert_ne!(create.when, When::Now);
}

#[test]
fn a_reconcile_that_is_asked_for_says_what_it_did() {
    let mut world = World::paired();
    let idle = world.ask(EditChange::Sync);
    world.settle_down();
    assert_eq!(world.outcome(idle), both(Unchanged, Unchanged));
    world.highlevel_mut().first_name = Some("Ana".to_owned());
    let busy = world.ask(EditChange::Sync);
    world.settle_down();
    assert_eq!(world.outcome(busy), both(Applied, Unchanged));
}

#[test]
fn an_edit_that_a_person_must_decide_about_waits() {
    let mut world = World::paired();
    let edit = world.ask(upsert(&[("firstName", &"x".repeat(401))]));
    world.settle_down();
    assert_eq!(world.outcome(edit), both(Queued, Applied));
    world.decide("LEAVE");
    world.settle_down();
    assert!(world.edits.is_empty(), "{:?}", world.edits);
    assert!(world.plan().actions.iter().all(|action| action.when != When::Now));
}

#[test]
fn what_a_person_gave_up_is_not_written_and_what_comes_after_is() {
    let mut world = World::paired();
    world.down = vec![System::Doppler, System::HighLevel];
    let edit = world.ask(upsert(&[("firstName", "Ana"), ("lastName", "Paz")]));
    let tags = world.ask(EditChange::AddTags(vec!["vip".to_owned()]));
    world.settle_down();
    let now = world.now;
    world.agreement.given_up.insert(System::Doppler, now);
    world.wait(60);
    world.down.clear();
    for scope in [Scope::Edits, Scope::Everything] {
        world.scope = scope;
        world.settle_down();
        assert_eq!(world.highlevel.as_ref().unwrap().first_name.as_deref(), Some("Ana"));
        assert_eq!(world.highlevel.as_ref().unwrap().tags, ["vip"]);
        assert_eq!(world.subscriber().unwrap().fields, [], "{scope:?}");
    }
    for edit in [edit, tags] {
        assert_eq!(world.outcome(edit)[&System::HighLevel], Applied);
    }
    // The side that was spared has its say as before, and so has a client.
    set_field(world.subscriber_mut(), "LASTNAME", "Vega");
    world.settle_down();
    assert_eq!(world.highlevel.as_ref().unwrap().last_name.as_deref(), Some("Vega"));
    let again = world.ask(upsert(&[("firstName", "Ana")]));
    world.settle_down();
    assert_eq!(world.outcome(again)[&System::Doppler], Applied);
    assert_eq!(world.subscriber().unwrap().field("FIRSTNAME"), Some("Ana"));
}

#[test]
fn a_creation_that_was_given_up_is_not_made_until_somebody_asks_again() {
    let mut world = World::new();
    let (when, list) = (None, Some("1".to_owned()));
    world.mapping.create_in.push(crate::unified::CreateRule {
        system: System::Doppler,
        when,
        list,
    });
    world.highlevel = Some(fixture::contact());
    let now = world.now;
    world.agreement.given_up.insert(System::Doppler, now);
    world.settle_down();
    assert_eq!(world.subscriber(), None);
    world.wait(1);
    world.ask(upsert(&[("firstName", "Ana")]));
    world.settle_down();
    assert_eq!(world.subscriber().unwrap().field("FIRSTNAME"), Some("Ana"));
}

#[test]
fn what_is_asked_for_while_a_run_decides_is_not_lost() {
    let mut world = World::paired();
    // The run that comes to this began before the edits and is recorded after them.
    let field = world.ask(upsert(&[("firstName", "Ana")]));
    let tags = world.ask(EditChange::AddTags(vec!["vip".to_owned()]));
    set_field(world.subscriber_mut(), "FIRSTNAME", "Anita");
    set_field(world.subscriber_mut(), "TAGS", "expo");
    let later = std::mem::take(&mut world.edits);
    world.reconcile();
    world.edits = later;
    world.settle_down();
    for edit in [field, tags] {
        assert_eq!(world.outcome(edit), both(Applied, Applied));
    }
    assert_eq!(world.subscriber().unwrap().field("FIRSTNAME"), Some("Ana"));
    assert_eq!(world.highlevel.as_ref().unwrap().tags, ["expo", "vip"]);
}

/// As after a start while Doppler is down: nobody has read yet which fields it has.
#[test]
fn what_belongs_into_fields_that_could_not_be_read_waits_for_them() {
    for down in [vec![System::Doppler], Vec::new()] {
        let mut world = World::paired();
        let known = world.definitions.doppler.take();
        world.down = down;
        let asked = [
            world.ask(upsert(&[("firstName", "Ana"), ("lastName", "Paz")])),
            world.ask(EditChange::AddTags(vec!["vip".to_owned()])),
        ];
        world.settle_down();
        for edit in asked {
            assert_eq!(world.outcome(edit), both(Queued, Applied), "{:?}", world.down);
        }
        // What nobody asked for waits as well.
        world.highlevel_mut().address.city = Some("Salta".to_owned());
        world.settle_down();
        let plan = world.plan();
        let waits = |name: &str| {
            let named = |action: &&crate::sync::Action| {
                action.fields.iter().any(|field| field.field == name)
            };
            let mut all = plan.actions.iter().filter(|action| action.when != When::Now);
            all.any(|action| named(&action))
        };
        for name in ["firstName", "lastName", "address.city", "tags"] {
            assert!(waits(name), "{name}: {:#?}", plan.actions);
        }
        world.definitions.doppler = known;
        world.down.clear();
        world.settle_down();
        for edit in asked {
            assert_eq!(world.outcome(edit), both(Applied, Applied));
        }
        let held = world.subscriber().unwrap();
        let fields = ["FIRSTNAME", "LASTNAME", "CITY", "TAGS"].map(|name| held.field(name));
        assert_eq!(fields, [Some("Ana"), Some("Paz"), Some("Salta"), Some("vip")]);
    }
}

#[test]
fn nobody_is_made_without_a_name_because_the_fields_could_not_be_read() {
    let mut world = World::new();
    let known = world.definitions.doppler.take();
    let EditChange::Upsert { fields, .. } =
        upsert(&[("email", "ana@example.com"), ("firstName", "Ana")])
    else {
        unreachable!()
    };
    let (tags, lists, create_in) = (Vec::new(), vec!["1".to_owned()], None);
    let edit = world.ask(EditChange::Upsert { fields, tags, lists, create_in });
    world.settle_down();
    assert_eq!(world.outcome(edit), both(Queued, Applied));
    assert!(world.subscribers.is_empty());
    world.definitions.doppler = known;
    world.settle_down();
    assert_eq!(world.outcome(edit), both(Applied, Applied));
    assert_eq!(world.subscriber().unwrap().field("FIRSTNAME"), Some("Ana"));
}
