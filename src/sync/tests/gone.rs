//! People who were deleted in one system.

use super::World;
use super::model::set_field;
use super::rules::{field, kinds};
use crate::sync::{
    Deleted, Deletion, Extra, Input, Other, Outcome, Payload, Plan, Suppressed, WhenChanged,
    WhenUnchanged, plan, settle,
};
use crate::unified::{
    ActionKind, ContactId, CreateRule, DndStatus, Sighting, SubscriberStatus, System, fixture,
};
use System::{Doppler, HighLevel};

/// A person in agreement who was deleted in one system.
fn deleted(system: System, deletion: Deletion) -> World {
    let mut world = World::paired();
    world.highlevel_mut().first_name = Some("Ana".to_owned());
    world.settle_down();
    world.writes.clear();
    world.deletion = deletion;
    world.gone.push(system);
    match system {
        Doppler => world.subscribers.clear(),
        HighLevel => world.highlevel = None,
    }
    world
}

fn unchanged(unchanged: WhenUnchanged) -> Deletion {
    Deletion { unchanged, ..Deletion::default() }
}

fn recreate() -> Deletion {
    Deletion { changed: WhenChanged::Recreate, ..Deletion::default() }
}

#[test]
fn by_itself_a_deletion_deletes_nobody_and_makes_nobody() {
    for system in System::ALL {
        let mut world = deleted(system, Deletion::default());
        world.settle_down();
        assert_eq!(world.writes, []);
        assert_eq!(world.links.len(), 1, "{system:?}");
        assert!(world.links.iter().all(|link| link.system != system));
        assert_eq!(kinds(&world), []);
    }
}

#[test]
fn who_is_gone_in_both_is_gone() {
    let mut world = deleted(HighLevel, unchanged(WhenUnchanged::Delete));
    world.subscribers.clear();
    world.gone.push(Doppler);
    world.settle_down();
    assert_eq!((world.links.len(), world.writes.len()), (0, 0));
    assert_eq!(kinds(&world), []);
}

#[test]
fn a_tag_may_say_that_somebody_was_deleted() {
    let mut world = deleted(Doppler, unchanged(WhenUnchanged::Tag));
    world.settle_down();
    assert_eq!(world.highlevel.as_ref().unwrap().tags, ["deleted in doppler"]);
    let mut world = deleted(HighLevel, unchanged(WhenUnchanged::Tag));
    world.settle_down();
    assert_eq!(field(&world, "TAGS"), "deleted in highlevel");
    assert_eq!(kinds(&world), []);
}

#[test]
fn somebody_deleted_may_be_opted_out_or_deleted() {
    for policy in [WhenUnchanged::Unsubscribe, WhenUnchanged::Delete] {
        let mut world = deleted(HighLevel, unchanged(policy));
        world.settle_down();
        let subscriber = world.subscriber().unwrap();
        assert_eq!(subscriber.status, SubscriberStatus::Unsubscribed, "{policy:?}");
        assert!(subscriber.lists.is_empty() && world.links.len() == 1);
    }
    let mut world = deleted(Doppler, unchanged(WhenUnchanged::Unsubscribe));
    world.settle_down();
    assert_eq!(world.highlevel.as_ref().unwrap().email_dnd, Some(DndStatus::Active));
    let mut world = deleted(Doppler, unchanged(WhenUnchanged::Delete));
    world.settle_down();
    assert_eq!((world.highlevel.is_none(), world.links.len()), (true, 0));
}

#[test]
fn a_policy_that_could_not_be_carried_out_is_not_forgotten() {
    let mut world = deleted(HighLevel, unchanged(WhenUnchanged::Unsubscribe));
    world.down.push(Doppler);
    world.settle_down();
    assert_eq!(world.links.len(), 2, "the link is what tells the next run");
    world.down.clear();
    let plan = world.plan();
    let failed = |_: &_| Outcome::Failed { code: "X".to_owned(), message: String::new() };
    let outcomes: Vec<Outcome> = plan.actions.iter().map(failed).collect();
    let settled = world.with_input(|input| settle(input, &plan, &outcomes));
    assert_eq!(settled.links, []);
    world.settle_down();
    assert_eq!(world.subscriber().unwrap().status, SubscriberStatus::Unsubscribed);
    assert_eq!(world.links.len(), 1);
}

#[test]
fn who_changed_meanwhile_is_kept_or_made_again() {
    let mut world = deleted(HighLevel, unchanged(WhenUnchanged::Delete));
    set_field(world.subscriber_mut(), "LASTNAME", "Paz");
    world.settle_down();
    assert_eq!(world.subscriber().unwrap().status, SubscriberStatus::Active, "it is kept");
    assert_eq!((world.highlevel.is_none(), world.links.len()), (true, 1));

    let mut world = deleted(HighLevel, recreate());
    set_field(world.subscriber_mut(), "LASTNAME", "Paz");
    world.settle_down();
    let made = world.highlevel.clone().expect("made again");
    assert_eq!((made.first_name.as_deref(), made.last_name.as_deref()), (Some("Ana"), Some("Paz")));
    assert_eq!(world.links.len(), 2);
    assert_eq!(kinds(&world), []);

    let mut world = deleted(HighLevel, recreate());
    world.settle_down();
    assert!(world.highlevel.is_none(), "nothing changed");
}

#[test]
fn who_is_made_again_in_doppler_needs_a_rule_and_has_not_opted_out() {
    let rule = CreateRule { system: Doppler, when: None, list: Some("1".to_owned()) };
    let changed = |rules: &[CreateRule]| {
        let mut world = deleted(Doppler, recreate());
        world.mapping.create_in = rules.to_vec();
        world.highlevel_mut().last_name = Some("Paz".to_owned());
        world
    };
    let mut world = changed(&[]);
    world.settle_down();
    assert!(world.subscribers.is_empty());
    let mut world = changed(std::slice::from_ref(&rule));
    world.settle_down();
    assert_eq!(field(&world, "LASTNAME"), "Paz");
    let mut world = changed(&[rule]);
    world.highlevel_mut().email_dnd = Some(DndStatus::Active);
    world.settle_down();
    assert!(world.subscribers.is_empty());
}

#[test]
fn nobody_is_made_in_a_direction_that_is_paused() {
    let rule = || vec![CreateRule { system: Doppler, when: None, list: Some("1".to_owned()) }];
    let mut world = World::new();
    world.highlevel = Some(fixture::contact());
    world.mapping.create_in = rule();
    world.settings.paused_to_doppler = true;
    world.settle_down();
    assert!(world.subscribers.is_empty() && !world.plan().reasons.is_empty());
    world.settings.paused_to_doppler = false;
    world.settle_down();
    assert_eq!(world.subscribers.len(), 1);

    // Nor again; that is not forgotten meanwhile.
    let mut world = deleted(Doppler, recreate());
    world.mapping.create_in = rule();
    world.highlevel_mut().last_name = Some("Paz".to_owned());
    world.settings.paused_to_doppler = true;
    world.settle_down();
    assert!(world.subscribers.is_empty());
    world.settings.paused_to_doppler = false;
    world.settle_down();
    assert_eq!(field(&world, "LASTNAME"), "Paz");
}

#[test]
fn one_of_many_who_were_deleted_waits_for_a_decision() {
    for policy in [WhenUnchanged::Tag, WhenUnchanged::Unsubscribe, WhenUnchanged::Delete] {
        let mut world = deleted(HighLevel, unchanged(policy));
        let made = |world: &World, deleted: Deleted| {
            world.with_input(|input| {
                plan(&Input { extra: Extra { deleted, ..input.extra }, ..*input })
            })
        };
        let few = made(&world, Deleted::Few);
        assert!(few.actions.len() > 1, "{few:?}");
        let many = made(&world, Deleted::Many);
        assert_eq!((many.actions.len(), many.holds.len()), (0, 1), "{many:?}");
        world.hold(many.holds[0].clone());
        // Time alone is no decision; somebody who looked at a run is.
        let later = made(&world, Deleted::Few);
        assert_eq!((later.actions.len(), later.over.len()), (0, 0), "{later:?}");
        assert_eq!(made(&world, Deleted::Waived).actions, few.actions);
        world.decide("GO_ON");
        assert_eq!(made(&world, Deleted::Many).actions, few.actions);
        world.decide("LEAVE");
        let left = kinds_of(&made(&world, Deleted::Many));
        assert_eq!(left, [ActionKind::Unlink]);
    }
}

fn kinds_of(plan: &Plan) -> Vec<ActionKind> {
    plan.actions.iter().map(|action| action.kind).collect()
}

#[test]
fn two_records_that_became_one_are_one_contact() {
    let world = deleted(HighLevel, unchanged(WhenUnchanged::Delete));
    let record = Sighting {
        system: HighLevel,
        key: "h2".to_owned(),
        email: Some("ana@example.com".to_owned()),
        phone: None,
    };
    let contact = ContactId(uuid::Uuid::from_u128(9));
    let other = Other {
        contact,
        record: record.clone(),
        can_join: false,
        succeeds: true,
        counterpart: None,
    };
    let made = world.with_input(|input| {
        plan(&Input { extra: Extra { successor: Some(&other), ..input.extra }, ..*input })
    });
    let kinds: Vec<ActionKind> = made.actions.iter().map(|action| action.kind).collect();
    assert_eq!(kinds, [ActionKind::Unlink, ActionKind::Link]);
    assert_eq!(made.actions[1].payload, Payload::Link(record));
}

#[test]
fn two_who_each_have_a_subscriber_become_one_when_somebody_says_so() {
    let mut world = deleted(HighLevel, unchanged(WhenUnchanged::Delete));
    let seen = |system, key: &str| Sighting {
        system,
        key: key.to_owned(),
        email: Some("nora@example.com".to_owned()),
        phone: None,
    };
    let other = Other {
        contact: ContactId(uuid::Uuid::from_u128(9)),
        record: seen(HighLevel, "h2"),
        can_join: false,
        succeeds: false,
        counterpart: Some(seen(Doppler, "nora@example.com")),
    };
    let made = |world: &World| {
        world.with_input(|input| {
            plan(&Input { extra: Extra { successor: Some(&other), ..input.extra }, ..*input })
        })
    };
    let kinds = kinds_of;
    let asked = made(&world);
    assert_eq!((kinds(&asked), asked.holds.len()), (Vec::new(), 1), "nothing is done meanwhile");
    let choices: Vec<&str> =
        asked.holds[0].resolutions.iter().map(|one| one.choice.as_str()).collect();
    assert_eq!(choices, ["JOIN", "LEAVE"]);

    world.hold(asked.holds[0].clone());
    world.decide("JOIN");
    world.subscriber_mut().lists = vec!["1".to_owned()];
    let first = made(&world);
    assert_eq!(kinds(&first), [ActionKind::RemoveFromList]);
    assert!(first.holds.is_empty() && first.over.is_empty(), "the decision stands: {first:?}");
    world.subscriber_mut().lists.clear();
    let then = made(&world);
    let unlink_and_link = [ActionKind::Unlink, ActionKind::Link];
    assert_eq!(kinds(&then), [unlink_and_link, unlink_and_link].concat());
    assert_eq!(then.over.len(), 1);

    world.decide("LEAVE");
    let left = made(&world);
    let as_anybody = [ActionKind::Unlink, ActionKind::Unsubscribe];
    assert_eq!(kinds(&left), as_anybody, "what is set for people who are deleted");
    assert_eq!((left.holds.len(), left.over.len()), (0, 1));
}

/// The plan where that is remembered of the person's addresses.
fn suppressed(world: &World, suppressed: Suppressed) -> Plan {
    world.with_input(|input| {
        let extra = Extra { suppressed, ..input.extra };
        plan(&Input { extra, ..*input })
    })
}

#[test]
fn who_opted_out_and_comes_again_is_opted_out_again() {
    let again = |world: &World| suppressed(world, Suppressed::Before);
    let mut world = World::new();
    world.highlevel = Some(fixture::contact());
    world.mapping.create_in =
        vec![CreateRule { system: Doppler, when: None, list: Some("1".to_owned()) }];
    let made = again(&world);
    let writes: Vec<_> = made.actions.iter().filter(|action| action.is_write()).collect();
    assert_eq!(writes.len(), 1, "{writes:?}");
    assert_eq!((writes[0].system, writes[0].kind), (HighLevel, ActionKind::Unsubscribe));
    // As long as that did not succeed, the next run says the same.
    world.agreement = made.agreement;
    assert!(again(&world).actions.iter().any(|action| action.kind == ActionKind::Unsubscribe));

    let mut world = World::new();
    let subscriber = fixture::subscriber(&[]);
    world.subscribers.insert(subscriber.email.clone(), subscriber);
    world.link(Doppler, "ana@example.com");
    let made = again(&world);
    assert!(matches!(made.actions[0].payload, Payload::OptOut { .. }), "{:?}", made.actions);
    let Payload::CreateContact(draft) = &made.actions[1].payload else { panic!("{made:?}") };
    assert!(draft.email_dnd.is_some(), "and is made so elsewhere");
    // Who was met as mailable since had their say.
    let paired = World::paired();
    assert_eq!(again(&paired).actions, []);
}

#[test]
fn who_gets_the_address_of_one_who_opted_out_is_opted_out() {
    let mut world = World::paired();
    let made = suppressed(&world, Suppressed::Anew);
    let unsubscribed = |made: &Plan| {
        let mut systems: Vec<_> = made
            .actions
            .iter()
            .filter(|action| action.kind == ActionKind::Unsubscribe)
            .map(|action| action.system)
            .collect();
        systems.sort_unstable();
        systems
    };
    assert_eq!(unsubscribed(&made), [Doppler, HighLevel], "{:?}", made.actions);
    assert!(made.agreement.is_out());
    // As long as that did not succeed, the next run says the same, though the address is not new any more.
    world.agreement = made.agreement;
    let next = suppressed(&world, Suppressed::Nothing);
    assert_eq!(unsubscribed(&next), [Doppler, HighLevel], "{:?}", next.actions);
}

#[test]
fn nothing_is_done_about_who_has_an_erased_persons_address() {
    let mut world = World::new();
    world.highlevel = Some(fixture::contact());
    world.mapping.create_in =
        vec![CreateRule { system: Doppler, when: None, list: Some("1".to_owned()) }];
    let made = world.with_input(|input| {
        let extra = Extra { erased: true, ..input.extra };
        plan(&Input { extra, ..*input })
    });
    let kinds: Vec<ActionKind> = made.actions.iter().map(|action| action.kind).collect();
    assert_eq!(kinds, [ActionKind::Skip, ActionKind::Skip]);
    assert!(made.actions.iter().all(|action| action.reason.contains("was erased")), "{made:?}");
    assert_eq!(made.agreement, world.agreement, "and nothing of it is remembered");
}
