//! What could not be read beside both sides: nothing is done about it, and it is not forgotten.

use chrono::TimeDelta;

use super::World;
use super::edits::note_in_doubt;
use crate::sync::{Extra, Input, Outcome, Plan, Side, Target, When, plan, settle};
use crate::unified::{ActionKind, EditChange, EditId, Note, System, UserErrorCode, WriteOutcome};

const CODE: &str = "UPSTREAM_RATE_LIMITED";

pub fn not_tried() -> Outcome {
    Outcome::NotTried { code: CODE.to_owned(), reason: String::new() }
}

/// A plan that waits and is tried again: what its one action is.
fn waits(world: &World, plan: &Plan) -> (System, ActionKind) {
    let [action] = plan.actions.as_slice() else { panic!("{:#?}", plan.actions) };
    assert_eq!(action.when, When::Later { code: CODE.to_owned() });
    assert!(plan.needs.is_empty(), "{:?}", plan.needs);
    let outcomes = [not_tried()];
    let settled = world.with_input(|input| settle(input, plan, &outcomes));
    assert_eq!(settled.failures.len(), 1, "it is tried again");
    let writes = settled.edits.iter().flat_map(|edit| &edit.writes);
    let mut writes = writes.filter(|write| write.system == action.system);
    assert!(writes.all(|write| write.outcome == WriteOutcome::Queued), "{:?}", settled.edits);
    (action.system, action.kind)
}

#[test]
fn another_address_waits_until_it_can_be_looked_up_who_has_it() {
    let mut world = World::paired();
    world.subscriber_mut().lists = vec!["1".to_owned()];
    world.settle_down();
    world.highlevel_mut().email = Some("ana@new.example".to_owned());
    let plan = world.with_input(|input| {
        let target = Some(Target { side: Side::Unread { code: CODE }, contact: None });
        plan(&Input { extra: Extra { target, ..input.extra }, ..*input })
    });
    assert_eq!(waits(&world, &plan), (System::Doppler, ActionKind::Rename));
}

#[test]
fn a_rename_that_was_begun_is_ended_while_highlevel_cannot_be_asked() {
    let mut world = World::paired();
    world.subscriber_mut().lists = vec!["1".to_owned()];
    world.settle_down();
    let value = crate::unified::Canonical::Text("ana@new.example".to_owned());
    let fields = [("email".to_owned(), value)].into();
    let (tags, lists, create_in) = (Vec::new(), Vec::new(), None);
    world.ask(EditChange::Upsert { fields, tags, lists, create_in });
    world.wait(60);
    let target = Some(Target { side: Side::Absent, contact: None });
    let begun =
        world.with_input(|input| plan(&Input { extra: Extra { target, ..input.extra }, ..*input }));
    let renames = |action: &&crate::sync::Action| action.kind == ActionKind::Rename;
    let rename = begun.actions.iter().find(renames).unwrap();
    let pending = [crate::unified::PendingWrite {
        id: world.id(),
        contact: world.contact,
        system: System::Doppler,
        action: ActionKind::Rename,
        edit: None,
        fields: Vec::new(),
        body: serde_json::to_string(&rename.payload).unwrap(),
        begun_at: world.now,
    }];
    world.down.push(System::HighLevel);
    let then = |pending: &[crate::unified::PendingWrite]| {
        world.with_input(|input| {
            plan(&Input { extra: Extra { pending, target, ..input.extra }, ..*input })
        })
    };
    let (waits, ends) = (then(&[]), then(&pending));
    let is_made = |plan: &Plan| {
        plan.actions.iter().find(renames).is_some_and(|rename| rename.when == When::Now)
    };
    assert!(!is_made(&waits) && is_made(&ends), "{waits:#?} {ends:#?}");
}

#[test]
fn a_note_in_doubt_waits_until_the_notes_can_be_read() {
    let mut world = World::paired();
    let pending = [note_in_doubt(&mut world, TimeDelta::seconds(9))];
    let plan = world.with_input(|input| {
        let extra = Extra { pending: &pending, notes: Some(Err(CODE)), ..input.extra };
        plan(&Input { extra, ..*input })
    });
    assert_eq!(waits(&world, &plan), (System::HighLevel, ActionKind::Note));
}

#[test]
fn the_last_note_is_shown_once_the_notes_can_be_read() {
    let mut world = World::paired();
    world.mapping.notes.last_note_field = Some("NOTE".to_owned());
    let (id, body) = ("n1".to_owned(), Some("called".to_owned()));
    world.notes = vec![Note { id, body, title: None, created_at: None, author_id: None }];
    let plan = world.with_input(|input| {
        plan(&Input { extra: Extra { notes: Some(Err(CODE)), ..input.extra }, ..*input })
    });
    assert_eq!(waits(&world, &plan), (System::HighLevel, ActionKind::Note));
    world.settle_down();
    assert_eq!(world.subscriber().unwrap().field("NOTE"), Some("called"));
}

/// A client asks for a field by a name that neither the mapping nor Doppler has, while HighLevel's fields are
/// not known; what the plan is, by why they are not.
fn nonsense(code: &'static str) -> (World, Plan, EditId) {
    let mut world = World::paired();
    let value = crate::unified::Canonical::Text("x".to_owned());
    let fields = [("nonsense".to_owned(), value)].into();
    let (tags, lists, create_in) = (Vec::new(), Vec::new(), None);
    let edit = world.ask(EditChange::Upsert { fields, tags, lists, create_in });
    world.definitions.highlevel = None;
    let plan = world.with_input(|input| {
        let defined = [crate::sync::Defined::Unread { code }; 2];
        plan(&Input { extra: Extra { defined, ..input.extra }, ..*input })
    });
    (world, plan, edit)
}

#[test]
fn a_name_that_no_known_field_has_waits_for_the_fields() {
    let (world, plan, _) = nonsense(CODE);
    assert_eq!(waits(&world, &plan), (System::HighLevel, ActionKind::Update));
}

#[test]
fn fields_that_no_scope_shows_are_not_waited_for() {
    let (world, plan, edit) = nonsense("SCOPE_MISSING");
    assert_eq!(plan.actions, [], "nothing is tried again");
    let settled = world.with_input(|input| settle(input, &plan, &[]));
    let settled = settled.edits.iter().find(|settled| settled.edit == edit).unwrap();
    assert!(settled.writes.iter().all(|write| write.outcome == WriteOutcome::Rejected));
    for error in &settled.errors {
        assert_eq!(error.code, UserErrorCode::NotFound);
        assert!(error.message.contains("the scope"), "{}", error.message);
    }
    assert_eq!(settled.errors.len(), 2);
}
