//! Fields of which a record shows nothing any more: emptied, or deleted with their definition.

use super::World;
use super::model::set_field;
use super::rules::field;
use crate::sync::{
    Action, Defined, Deleted, Deletion, Extra, Input, Need, Outcome, Plan, When, WhenChanged,
    WhenUnchanged, plan,
};
use crate::unified::choice::LEAVE;
use crate::unified::{ActionKind, CreateRule, EditChange, HoldKind, System, WriteOutcome};
use System::{Doppler, HighLevel};

const UNREAD: Defined = Defined::Unread { code: "UPSTREAM_TIMEOUT" };

/// The plan with definitions of an age.
fn with(world: &World, defined: Defined) -> Plan {
    world.with_input(|input| {
        let extra = Extra { defined: [defined; 2], ..input.extra };
        plan(&Input { extra, ..*input })
    })
}

/// Somebody with values in both systems, of which those of one are emptied.
fn emptied(system: System) -> World {
    let mut world = World::paired();
    world.highlevel_mut().address.city = Some("Salta".to_owned());
    set_field(world.subscriber_mut(), "PLAN", "gold");
    world.settle_down();
    assert_eq!(field(&world, "CITY"), "Salta");
    match system {
        Doppler => set_field(world.subscriber_mut(), "CITY", ""),
        HighLevel => world.highlevel_mut().custom_fields.clear(),
    }
    world.writes.clear();
    world
}

#[test]
fn what_looks_emptied_counts_only_once_the_field_is_known_to_be_there() {
    for system in System::ALL {
        let mut world = emptied(system);
        let asks = with(&world, Defined::Before);
        assert_eq!((asks.needs, asks.actions), (vec![Need::Definitions(system)], Vec::new()));
        assert_eq!(asks.agreement, world.agreement, "nothing is agreed meanwhile");

        let waits = with(&world, UNREAD);
        assert_eq!((waits.needs.len(), waits.actions.len()), (0, 1), "{:#?}", waits.actions);
        let action = &waits.actions[0];
        assert_eq!(action.when, When::Later { code: "UPSTREAM_TIMEOUT".to_owned() });
        assert_eq!((action.system, action.is_write()), (system, false));
        assert_eq!(waits.agreement, world.agreement);

        let clears = with(&world, Defined::Since);
        assert_eq!(clears.actions[0].kind, ActionKind::Update, "{:#?}", clears.actions);
        assert_eq!((clears.actions[0].system, clears.actions.len()), (system.other(), 1));
        world.settle_down();
        assert_eq!(world.writes.len(), 1);
    }
}

#[test]
fn a_record_that_shows_an_empty_field_shows_that_it_is_there() {
    let mut world = emptied(Doppler);
    let shown = crate::unified::SubscriberField {
        name: "City".to_owned(),
        value: Some(String::new()),
        kind: "string".to_owned(),
        predefined: false,
        read_only: false,
    };
    world.subscriber_mut().fields.push(shown);
    let clears = with(&world, Defined::Before);
    assert_eq!((clears.needs, clears.actions[0].system), (Vec::new(), HighLevel));
}

#[test]
fn the_other_fields_go_on_and_an_edit_of_this_one_waits() {
    let mut world = emptied(Doppler);
    set_field(world.subscriber_mut(), "LASTNAME", "Paz");
    let plan = with(&world, Defined::Before);
    let [action] = plan.actions.as_slice() else { panic!("{:#?}", plan.actions) };
    assert_eq!((action.system, action.fields[0].field.as_str()), (HighLevel, "lastName"));

    let value = crate::unified::Canonical::Text("Jujuy".to_owned());
    let fields = [("address.city".to_owned(), value)].into();
    let (tags, lists, create_in) = (Vec::new(), Vec::new(), None);
    let edit = world.ask(EditChange::Upsert { fields, tags, lists, create_in });
    let plan = with(&world, UNREAD);
    let outcomes: Vec<_> = plan.actions.iter().map(|_| super::unread::not_tried()).collect();
    let settled = world.with_input(|input| crate::sync::settle(input, &plan, &outcomes));
    let edit = settled.edits.iter().find(|one| one.edit == edit).unwrap();
    let write = edit.writes.iter().find(|write| write.system == Doppler).unwrap();
    assert_eq!(write.outcome, WriteOutcome::Queued);
    assert_eq!(settled.failures[0].system, Doppler, "it is tried again");
}

#[test]
fn whoever_may_have_changed_is_not_treated_as_deleted_yet() {
    let mut world = emptied(Doppler);
    world.highlevel = None;
    world.gone.push(HighLevel);
    let (unchanged, changed) = (WhenUnchanged::Unsubscribe, WhenChanged::Keep);
    world.deletion = Deletion { unchanged, changed };
    let asks = with(&world, Defined::Before);
    assert_eq!((asks.needs, asks.actions), (vec![Need::Definitions(Doppler)], Vec::new()));
    let kept = with(&world, Defined::Since);
    assert_eq!(kept.actions.len(), 1, "the person changed, and only the link goes");
}

/// Somebody of whom it is not known whether they changed in HighLevel, and who is gone in Doppler.
fn perhaps_changed(unchanged: WhenUnchanged, changed: WhenChanged) -> World {
    let mut world = emptied(HighLevel);
    world.subscribers.clear();
    world.gone.push(Doppler);
    world.deletion = Deletion { unchanged, changed };
    world
}

#[test]
fn nothing_is_agreed_that_tells_whether_somebody_changed_before_that_is_asked() {
    let mut world = perhaps_changed(WhenUnchanged::Delete, WhenChanged::Keep);
    world.highlevel_mut().last_name = Some("Paz".to_owned());
    let waits = with(&world, UNREAD);
    assert_eq!(waits.agreement, world.agreement);
    assert!(waits.actions.iter().all(|action| !action.is_write()), "{:#?}", waits.actions);

    let mut world = perhaps_changed(WhenUnchanged::Delete, WhenChanged::Recreate);
    world.highlevel_mut().last_name = Some("Paz".to_owned());
    let list = Some("1".to_owned());
    world.mapping.create_in.push(CreateRule { system: Doppler, when: None, list });
    let waits = with(&world, UNREAD);
    assert!(waits.actions.iter().all(|action| !action.is_write()), "{:#?}", waits.actions);
    let made = with(&world, Defined::Since);
    let [unlinks, makes] = made.actions.as_slice() else { panic!("{:#?}", made.actions) };
    assert_eq!((unlinks.kind, makes.kind), (ActionKind::Unlink, ActionKind::Create));
}

#[test]
fn a_question_about_somebody_is_not_over_because_nothing_is_known_yet() {
    let mut world = World::paired();
    set_field(world.subscriber_mut(), "PLAN", "gold");
    world.settle_down();
    world.subscribers.clear();
    world.gone.push(Doppler);
    world.deletion = Deletion { unchanged: WhenUnchanged::Delete, ..Deletion::default() };
    let asked = world.with_input(|input| {
        let (deleted, defined) = (Deleted::Many, [Defined::Since; 2]);
        plan(&Input { extra: Extra { deleted, defined, ..input.extra }, ..*input })
    });
    let [question] = asked.holds.as_slice() else { panic!("{asked:#?}") };
    assert_eq!(question.kind, HoldKind::MassDelete);
    world.hold(question.clone());
    world.decide(LEAVE);
    world.highlevel_mut().custom_fields.clear();
    assert_eq!(with(&world, UNREAD).over, []);
}

#[test]
fn an_opt_out_does_not_wait_for_what_may_be_gone() {
    let mut world = perhaps_changed(WhenUnchanged::Delete, WhenChanged::Keep);
    let out = world.ask(EditChange::Unsubscribe { reason: None });
    let note = world.ask(EditChange::AddTags(vec!["vip".to_owned()]));
    let plan = with(&world, UNREAD);
    let writes = plan.actions.iter().filter(|action| action.is_write());
    let writes: Vec<_> = writes.map(|action| (action.system, action.kind)).collect();
    assert_eq!(writes, [(HighLevel, ActionKind::Unsubscribe)]);
    let done = Outcome::Done { side: None, result: None };
    let outcome = |action: &Action| {
        if action.is_write() { done.clone() } else { super::unread::not_tried() }
    };
    let outcomes: Vec<_> = plan.actions.iter().map(outcome).collect();
    let settled = world.with_input(|input| crate::sync::settle(input, &plan, &outcomes));
    let came_to = |edit| {
        let edit = settled.edits.iter().find(|one| one.edit == edit).unwrap();
        let write = edit.writes.iter().find(|write| write.system == HighLevel);
        write.map(|write| write.outcome)
    };
    assert_eq!(came_to(out), Some(WriteOutcome::Applied));
    assert_eq!(came_to(note), Some(WriteOutcome::Queued));
}

#[test]
fn tags_do_not_go_with_their_field() {
    let mut world = World::paired();
    world.highlevel_mut().tags = vec!["vip".to_owned()];
    world.settle_down();
    assert_eq!(field(&world, "TAGS"), "vip");
    set_field(world.subscriber_mut(), "TAGS", "");
    let asks = with(&world, Defined::Before);
    assert_eq!((asks.needs, asks.actions), (vec![Need::Definitions(Doppler)], Vec::new()));
    assert_eq!(with(&world, UNREAD).actions.len(), 1);
    let clears = with(&world, Defined::Since);
    assert_eq!(clears.actions[0].kind, ActionKind::Untag, "somebody took it away");

    let known = world.definitions.clone();
    world.definitions.doppler.as_mut().unwrap().retain(|field| field.key != "TAGS");
    world.settle_down();
    assert_eq!(world.highlevel.as_ref().unwrap().tags, ["vip"]);
    // It is there again, and empty.
    world.definitions = known;
    world.settle_down();
    assert_eq!(world.highlevel.as_ref().unwrap().tags, ["vip"]);
    assert_eq!(field(&world, "TAGS"), "vip");
}
