//! Single rules, each with its reason.

use super::World;
use super::model::set_field;
use crate::sync::{LinkChange, Outcome, When, settle};
use crate::unified::{
    ActionKind, CreateRule, FieldMapping, HoldKind, MappingDirection, MappingRule, System,
    TagRepresentation, fixture,
};

pub fn kinds(world: &World) -> Vec<(System, ActionKind)> {
    let plan = world.plan();
    plan.actions.iter().map(|action| (action.system, action.kind)).collect()
}

pub fn field(world: &World, name: &str) -> String {
    world.subscriber().unwrap().field(name).unwrap_or_default().to_owned()
}

#[test]
fn a_contact_in_agreement_plans_nothing() {
    let world = World::paired();
    let plan = world.plan();
    assert_eq!((plan.actions, plan.holds, plan.needs), (Vec::new(), Vec::new(), Vec::new()));
}

#[test]
fn when_two_systems_first_meet_the_owner_counts_and_nothing_empty_overwrites() {
    let mut world = World::paired();
    world.agreement = crate::unified::Agreement::default();
    world.mapping.fields[1].initial_owner = Some(System::Doppler);
    // The owner would be the later one by time, which does not count here.
    world.mapping.fields[0].rule = MappingRule::Newest;
    let highlevel = world.highlevel_mut();
    highlevel.first_name = Some("Ana".to_owned());
    highlevel.last_name = Some("Paz".to_owned());
    let subscriber = world.subscriber_mut();
    set_field(subscriber, "FIRSTNAME", "Anita");
    set_field(subscriber, "LASTNAME", "Paz Díaz");
    set_field(subscriber, "CITY", "Rosario");
    world.settle_down();
    let contact = world.highlevel.clone().unwrap();
    assert_eq!(field(&world, "FIRSTNAME"), "Ana");
    assert_eq!(contact.last_name.as_deref(), Some("Paz Díaz"), "the initial owner's");
    assert_eq!(contact.address.city.as_deref(), Some("Rosario"), "HighLevel had nothing to say");
}

#[test]
fn an_owner_wins_a_conflict_and_a_sole_change_wins_whosever_it_is() {
    let mut world = World::paired();
    world.highlevel_mut().first_name = Some("Ana".to_owned());
    world.settle_down();
    set_field(world.subscriber_mut(), "FIRSTNAME", "Anita");
    world.settle_down();
    assert_eq!(world.highlevel.as_ref().unwrap().first_name.as_deref(), Some("Anita"));
    set_field(world.subscriber_mut(), "FIRSTNAME", "Anna");
    world.highlevel_mut().first_name = Some("Ann".to_owned());
    world.settle_down();
    assert_eq!(field(&world, "FIRSTNAME"), "Ann");
}

#[test]
fn a_proved_clear_travels_and_what_cannot_be_cleared_lasts_with_its_reason() {
    let mut world = World::paired();
    let highlevel = world.highlevel_mut();
    highlevel.first_name = Some("Ana".to_owned());
    highlevel.address.country = Some("AR".to_owned());
    world.settle_down();
    set_field(world.subscriber_mut(), "FIRSTNAME", "");
    set_field(world.subscriber_mut(), "COUNTRY", "");
    world.settle_down();
    let contact = world.highlevel.as_ref().unwrap();
    assert_eq!(contact.first_name, None);
    assert_eq!(contact.address.country.as_deref(), Some("AR"));
    let plan = world.plan();
    assert!(
        plan.reasons.iter().any(|reason| reason.contains("cannot clear the country")),
        "{plan:?}"
    );
}

#[test]
fn a_value_that_the_system_rewrites_is_sent_once() {
    let mut world = World::paired();
    world.title_case = true;
    set_field(world.subscriber_mut(), "FIRSTNAME", "ANA");
    assert_eq!(world.settle_down(), 1);
    assert_eq!(world.highlevel.as_ref().unwrap().first_name.as_deref(), Some("Ana"));
    assert_eq!(field(&world, "FIRSTNAME"), "ANA", "and does not come back");
    // Another change is another value.
    world.highlevel_mut().first_name = Some("Anna".to_owned());
    world.settle_down();
    assert_eq!(field(&world, "FIRSTNAME"), "Anna");
}

#[test]
fn an_overflow_waits_for_a_person_and_nothing_is_cut() {
    let mut world = World::paired();
    world.highlevel_mut().first_name = Some("x".repeat(401));
    world.settle_down();
    assert_eq!(field(&world, "FIRSTNAME"), "");
    assert_eq!(world.holds.len(), 1);
    let hold = &world.holds[0].hold;
    assert_eq!((hold.kind, hold.system), (HoldKind::Overflow, Some(System::Doppler)));
    assert!(hold.reason.contains("401 characters"), "{}", hold.reason);
    // The same question is asked once, and is over when the value fits.
    let id = hold.id;
    world.settle_down();
    assert_eq!(world.holds[0].hold.id, id);
    world.highlevel_mut().first_name = Some("short".to_owned());
    world.settle_down();
    assert!(world.holds.is_empty());
    assert_eq!(field(&world, "FIRSTNAME"), "short");
}

#[test]
fn a_difference_that_somebody_leaves_is_not_asked_about_again() {
    let mut world = World::paired();
    world.highlevel_mut().first_name = Some("x".repeat(401));
    world.settle_down();
    world.decide("LEAVE");
    world.settle_down();
    world.settle_down();
    assert!(world.holds.is_empty());
    world.highlevel_mut().first_name = Some("y".repeat(401));
    world.settle_down();
    assert_eq!(world.holds.len(), 1, "another value is another question");
    world.decide("KEEP_DOPPLER");
    world.settle_down();
    assert!(world.holds.is_empty());
    assert_eq!(world.highlevel.as_ref().unwrap().first_name, None, "Doppler's is empty");
}

#[test]
fn the_rule_hold_asks_and_the_answer_is_written_to_both() {
    for (choice, expected) in [("KEEP_DOPPLER", "Anita"), ("KEEP_HIGHLEVEL", "Ana")] {
        let mut world = World::paired();
        world.mapping.fields[0].rule = MappingRule::Hold;
        world.highlevel_mut().first_name = Some("Eva".to_owned());
        world.settle_down();
        set_field(world.subscriber_mut(), "FIRSTNAME", "Anita");
        world.highlevel_mut().first_name = Some("Ana".to_owned());
        world.settle_down();
        let hold = world.holds[0].hold.clone();
        assert_eq!(hold.kind, HoldKind::Conflict);
        let values: Vec<_> = hold.candidates.iter().map(|c| c.value.as_deref()).collect();
        assert_eq!(values, [Some("Anita"), Some("Ana")]);
        assert_eq!(hold.resolutions.len(), 2);
        world.decide(choice);
        world.settle_down();
        assert_eq!(field(&world, "FIRSTNAME"), expected);
        assert_eq!(world.highlevel.as_ref().unwrap().first_name.as_deref(), Some(expected));
        assert!(world.holds.is_empty());
    }
}

#[test]
fn winners_that_take_turns_are_frozen_until_somebody_chooses() {
    let mut world = World::paired();
    for turn in 0..6 {
        world.wait(10);
        if turn % 2 == 0 {
            set_field(world.subscriber_mut(), "FIRSTNAME", &format!("d{turn}"));
        } else {
            world.highlevel_mut().first_name = Some(format!("h{turn}"));
        }
        world.settle_down();
    }
    let hold = world.holds.first().expect("a hold").hold.clone();
    assert_eq!((hold.kind, hold.field.as_deref()), (HoldKind::Oscillation, Some("firstName")));
    let writes = world.writes.len();
    set_field(world.subscriber_mut(), "FIRSTNAME", "d9");
    world.settle_down();
    assert_eq!(world.writes.len(), writes, "frozen");
    world.decide("KEEP_HIGHLEVEL");
    world.settle_down();
    assert!(world.holds.is_empty());
    let kept = world.highlevel.as_ref().unwrap().first_name.clone().unwrap();
    assert_eq!(field(&world, "FIRSTNAME"), kept);
}

#[test]
fn a_field_that_is_gone_holds_the_field_and_not_the_contact() {
    let mut world = World::paired();
    world.highlevel_mut().first_name = Some("Ana".to_owned());
    world.settle_down();
    world.definitions.doppler.as_mut().unwrap().retain(|field| field.key != "FIRSTNAME");
    let highlevel = world.highlevel_mut();
    highlevel.first_name = Some("Eva".to_owned());
    highlevel.last_name = Some("Paz".to_owned());
    let plan = world.plan();
    assert_eq!(plan.holds.len(), 1);
    assert_eq!((plan.holds[0].kind, plan.holds[0].contact), (HoldKind::RemoteFieldGone, None));
    world.settle_down();
    assert_eq!(field(&world, "LASTNAME"), "Paz");

    // One that never was there is only told.
    let mut world = World::paired();
    world.mapping.fields.push(FieldMapping::new("new", "NEW", "contact.plan"));
    assert!(world.plan().holds.is_empty());
    assert!(world.plan().reasons.iter().any(|reason| reason.contains("no field NEW")));
}

#[test]
fn tags_are_lists_where_the_mapping_says_so() {
    let mut world = World::paired();
    world.mapping.tags = TagRepresentation::Lists { prefix: "tag: ".to_owned() };
    world.highlevel_mut().tags = vec!["vip".to_owned(), "expo".to_owned()];
    world.settle_down();
    let names: Vec<_> = world.lists.iter().map(|list| list.name.clone()).collect();
    assert!(names.contains(&"tag: vip".to_owned()) && names.contains(&"tag: expo".to_owned()));
    assert_eq!(world.subscriber().unwrap().lists.len(), 3);
    world.highlevel_mut().tags = vec!["vip".to_owned()];
    world.settle_down();
    assert_eq!(world.subscriber().unwrap().lists.len(), 2);
}

#[test]
fn tags_that_do_not_fit_wait_and_none_is_lost() {
    let mut world = World::paired();
    let many: Vec<String> = (0..80).map(|n| format!("tag-{n}")).collect();
    world.highlevel_mut().tags.clone_from(&many);
    world.settle_down();
    assert_eq!(world.holds[0].hold.kind, HoldKind::Overflow);
    assert_eq!(field(&world, "TAGS"), "");
    assert_eq!(world.highlevel.as_ref().unwrap().tags, many);
    world.decide("LEAVE");
    world.settle_down();
    world.settle_down();
    assert!(world.holds.is_empty());
    world.highlevel_mut().tags.truncate(2);
    world.settle_down();
    assert_eq!(field(&world, "TAGS"), "tag-0, tag-1");
}

#[test]
fn a_derived_field_follows_the_fields_it_is_made_of() {
    let mut world = World::paired();
    world.mapping.fields.retain(|row| row.field != "plan");
    let mut row = FieldMapping::new("greeting", "PLAN", "contact.plan");
    row.highlevel = None;
    row.direction = MappingDirection::ToDoppler;
    row.expression = Some("'Dear ' + firstName".to_owned());
    world.mapping.fields.push(row);
    world.highlevel_mut().first_name = Some("Ana".to_owned());
    world.settle_down();
    assert_eq!(field(&world, "PLAN"), "Dear Ana");
    set_field(world.subscriber_mut(), "PLAN", "mine");
    world.highlevel_mut().first_name = Some("Eva".to_owned());
    world.settle_down();
    assert_eq!(field(&world, "PLAN"), "Dear Eva");
    world.highlevel_mut().first_name = None;
    world.settle_down();
    assert!(world.plan().reasons.iter().any(|reason| reason.contains("could not be worked out")));
}

#[test]
fn the_last_note_is_shown_and_a_field_becomes_notes_once_a_value() {
    let mut world = World::paired();
    world.mapping.notes.last_note_field = Some("NOTE".to_owned());
    world.mapping.notes.note_from_field = Some("PLAN".to_owned());
    world.mapping.fields.retain(|row| row.field != "plan");
    set_field(world.subscriber_mut(), "PLAN", "was there before");
    world.settle_down();
    assert!(world.notes.is_empty(), "what was there when they met is no change");
    set_field(world.subscriber_mut(), "PLAN", "call back");
    world.settle_down();
    assert_eq!(world.notes.len(), 1);
    world.settle_down();
    assert_eq!((world.notes.len(), field(&world, "NOTE").as_str()), (1, "call back"));
    world.notes[0].body = Some("n".repeat(500));
    world.settle_down();
    let shown = field(&world, "NOTE");
    assert!(shown.chars().count() <= 400 && shown.ends_with("[…]"), "{shown}");
}

#[test]
fn a_paused_direction_lets_nothing_through_and_loses_nothing() {
    let mut world = World::paired();
    world.settings.paused_to_doppler = true;
    world.highlevel_mut().first_name = Some("Ana".to_owned());
    world.highlevel_mut().tags = vec!["vip".to_owned()];
    set_field(world.subscriber_mut(), "LASTNAME", "Paz");
    world.settle_down();
    assert_eq!(field(&world, "FIRSTNAME"), "");
    assert_eq!(world.highlevel.as_ref().unwrap().last_name.as_deref(), Some("Paz"));
    world.settings.paused_to_doppler = false;
    world.settle_down();
    assert_eq!(
        (field(&world, "FIRSTNAME"), field(&world, "TAGS")),
        ("Ana".to_owned(), "vip".to_owned())
    );
}

#[test]
fn one_side_that_cannot_be_read_does_not_stop_the_other() {
    let mut world = World::paired();
    world.highlevel_mut().first_name = Some("Ana".to_owned());
    world.down.push(System::Doppler);
    let plan = world.plan();
    assert_eq!(plan.actions.len(), 1);
    let queued = When::Later { code: "UPSTREAM_UNAVAILABLE".to_owned() };
    assert_eq!((plan.actions[0].system, &plan.actions[0].when), (System::Doppler, &queued));
    world.settle_down();
    world.down.clear();
    world.settle_down();
    assert_eq!(field(&world, "FIRSTNAME"), "Ana");
}

#[test]
fn a_change_whose_outcome_is_not_known_is_read_and_not_repeated() {
    let mut world = World::paired();
    world.highlevel_mut().first_name = Some("Ana".to_owned());
    let plan = world.plan();
    let unknown = vec![Outcome::Unknown { code: "UPSTREAM_TIMEOUT".to_owned() }];
    let settled = world.settle_with(&plan, &unknown);
    assert_eq!((settled.failures.len(), settled.failures[0].dead), (1, false));
    world.agreement = settled.agreement;
    // It did take effect.
    set_field(world.subscriber_mut(), "FIRSTNAME", "Ana");
    assert_eq!(kinds(&world), []);
}

#[test]
fn events_and_links_say_what_happened_without_values() {
    let mut world = World::new();
    world.highlevel = Some(fixture::contact());
    world.highlevel_mut().first_name = Some("Secretname".to_owned());
    world.mapping.create_in =
        vec![CreateRule { system: System::Doppler, when: None, list: Some("1".to_owned()) }];
    let plan = world.plan();
    let side = crate::sync::Reread::Doppler(Some(fixture::subscriber(&[])));
    let outcomes: Vec<_> = plan
        .actions
        .iter()
        .map(|action| Outcome::Done { side: action.is_write().then(|| side.clone()), result: None })
        .collect();
    let settled = world.settle_with(&plan, &outcomes);
    assert!(settled.links.iter().all(|link| matches!(link, LinkChange::Linked(_))));
    assert_eq!(settled.links.len(), 2);
    assert_eq!(settled.recovered, [System::Doppler, System::HighLevel]);
    for event in &settled.events {
        assert!(!event.message.contains("Secretname") && !event.message.contains('@'), "{event:?}");
    }
}

impl World {
    fn settle_with(&self, plan: &crate::sync::Plan, outcomes: &[Outcome]) -> crate::sync::Settled {
        self.with_input(|input| settle(input, plan, outcomes))
    }
}

#[test]
fn a_remembered_decision_answers_like_questions_and_no_other() {
    let conflict = |world: &mut World, n: u8| {
        set_field(world.subscriber_mut(), "FIRSTNAME", &format!("Doppler's {n}"));
        world.highlevel_mut().first_name = Some(format!("HighLevel's {n}"));
        world.wait(1);
        world.plan()
    };
    let mut world = World::paired();
    world.mapping.fields[0].rule = MappingRule::Hold;
    world.mapping.fields[1].rule = MappingRule::Hold;
    conflict(&mut world, 1);
    world.settle_down();
    let mut asked = world.holds[0].clone();
    world.decide("KEEP_DOPPLER");
    asked.decision.clone_from(&world.holds[0].decision);
    world.settle_down();
    assert_eq!(world.highlevel.as_ref().unwrap().first_name.as_deref(), Some("Doppler's 1"));
    // Somebody else's, that was decided for all.
    let contact = crate::unified::ContactId(uuid::Uuid::from_u128(99));
    asked.hold.contact = Some(contact);
    asked.remembered = true;
    world.holds.push(asked);
    assert_eq!(world.plan().over, [], "there is no question");
    let plan = conflict(&mut world, 2);
    assert_eq!(plan.holds, []);
    assert!(plan.over[0].reason.contains("decided before"), "{:?}", plan.over);
    world.reconcile();
    assert_eq!(world.highlevel.as_ref().unwrap().first_name.as_deref(), Some("Doppler's 2"));
    set_field(world.subscriber_mut(), "LASTNAME", "Paz");
    world.highlevel_mut().last_name = Some("Vega".to_owned());
    assert_eq!(world.plan().holds.len(), 1, "another field is another question");
}

#[test]
fn a_field_that_is_gone_is_asked_about_once_for_everybody() {
    let mut world = World::paired();
    let known = world.definitions.clone();
    world.definitions.doppler.as_mut().unwrap().retain(|one| one.key != "PLAN");
    world.reconcile();
    let hold = world.holds[0].hold.clone();
    assert_eq!((hold.kind, hold.contact), (HoldKind::RemoteFieldGone, None));
    assert_eq!(world.plan().holds, []);
    // Somebody who never had it does not say that it is back.
    world.agreement = crate::unified::Agreement::default();
    assert_eq!(world.plan().over, []);
    world.definitions = known;
    assert_eq!(world.plan().over.len(), 1);
}
