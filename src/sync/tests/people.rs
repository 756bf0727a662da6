//! Where a person is and whether they may be mailed.

use super::World;
use super::model::set_field;
use super::rules::{field, kinds};
use crate::sync::{Payload, Scope, When};
use crate::unified::{
    ActionKind, Canonical, CreateRule, DndStatus, EditChange, HoldKind, PendingWrite,
    SubscriberStatus, System, TagRepresentation, WriteOutcome, fixture,
};

#[test]
fn an_opt_out_travels_and_calls_and_messages_are_left_alone() {
    let mut world = World::paired();
    let settings = serde_json::json!({"SMS": {"status": "active"}, "Call": {"status": "inactive"}});
    world.highlevel_mut().dnd_settings = Some((&settings).into());
    world.subscriber_mut().status = SubscriberStatus::Unsubscribed;
    let plan = world.plan();
    let Payload::UpdateContact { edit, .. } = &plan.actions[0].payload else { panic!("{plan:?}") };
    let dnd = edit.email_dnd.as_ref().unwrap();
    assert!(dnd.on());
    assert_eq!(dnd.beside().map(|(channel, _)| channel).collect::<Vec<_>>(), ["SMS"]);
    world.settle_down();
    assert_eq!(world.highlevel.as_ref().unwrap().email_dnd, Some(DndStatus::Active));

    let mut world = World::paired();
    world.highlevel_mut().email_dnd = Some(DndStatus::Permanent);
    assert_eq!(kinds(&world), [(System::Doppler, ActionKind::Unsubscribe)]);
    world.settle_down();
    assert_eq!(world.subscriber().unwrap().status, SubscriberStatus::Unsubscribed);

    let mut world = World::paired();
    let settings = serde_json::json!({"SMS": {"status": "active"}, "Call": {"status": "active"}});
    world.highlevel_mut().dnd_settings = Some((&settings).into());
    assert_eq!(kinds(&world), []);
}

#[test]
fn a_lifted_opt_out_is_a_question_and_never_an_answer() {
    let mut world = World::paired();
    world.highlevel_mut().email_dnd = Some(DndStatus::Active);
    world.settle_down();
    assert_eq!(world.subscriber().unwrap().status, SubscriberStatus::Unsubscribed);
    world.highlevel_mut().email_dnd = Some(DndStatus::Inactive);
    world.settle_down();
    let hold = world.holds[0].hold.clone();
    assert_eq!((hold.kind, hold.system), (HoldKind::Consent, Some(System::HighLevel)));
    assert_eq!(world.subscriber().unwrap().status, SubscriberStatus::Unsubscribed);
    let mut left = world.clone();
    world.decide("OPT_OUT");
    world.settle_down();
    assert_eq!(world.highlevel.as_ref().unwrap().email_dnd, Some(DndStatus::Active));
    assert!(world.holds.is_empty());
    left.decide("LEAVE");
    left.settle_down();
    left.settle_down();
    assert_eq!(left.highlevel.as_ref().unwrap().email_dnd, Some(DndStatus::Inactive));
    assert_eq!(left.subscriber().unwrap().status, SubscriberStatus::Unsubscribed);
    assert!(left.holds.is_empty());
}

#[test]
fn who_came_back_in_doppler_is_mailed_again_only_by_a_persons_word() {
    let mut world = World::paired();
    world.subscriber_mut().status = SubscriberStatus::Unsubscribed;
    world.settle_down();
    world.subscriber_mut().status = SubscriberStatus::Active;
    world.settle_down();
    assert_eq!(world.highlevel.as_ref().unwrap().email_dnd, Some(DndStatus::Active));
    assert_eq!(world.holds[0].hold.kind, HoldKind::Consent);
    let mut again = world.clone();
    world.decide("OPT_IN");
    world.settle_down();
    assert_eq!(world.highlevel.as_ref().unwrap().email_dnd, Some(DndStatus::Inactive));
    again.decide("OPT_OUT");
    again.settle_down();
    assert_eq!(again.subscriber().unwrap().status, SubscriberStatus::Unsubscribed);
}

#[test]
fn an_opted_out_subscriber_takes_no_values_and_is_not_asked_to() {
    let mut world = World::paired();
    world.subscriber_mut().status = SubscriberStatus::Unsubscribed;
    world.settle_down();
    world.highlevel_mut().first_name = Some("Ana".to_owned());
    let plan = world.plan();
    assert_eq!(plan.actions.len(), 1);
    assert_eq!((plan.actions[0].kind, &plan.actions[0].when), (ActionKind::Skip, &When::Never));
    assert!(plan.actions[0].reason.contains("opted out"));
}

#[test]
fn doppler_takes_only_who_a_rule_lets_in() {
    let mut world = World::new();
    world.highlevel = Some(fixture::contact());
    world.highlevel_mut().tags = vec!["vip".to_owned()];
    let reason = |world: &World| world.plan().actions.last().unwrap().reason.clone();
    assert_eq!(reason(&world), "no list chosen");
    let rule = |when: &str| CreateRule {
        system: System::Doppler,
        when: Some(when.to_owned()),
        list: Some("2".to_owned()),
    };
    world.mapping.create_in = vec![rule("'gold' in tags"), rule("nonsense +")];
    assert_eq!(reason(&world), "no list chosen");
    world.mapping.create_in.push(rule("'vip' in tags && status == 'ACTIVE'"));

    let mut without = world.clone();
    without.highlevel_mut().email = None;
    assert_eq!(reason(&without), "no e-mail address");
    let mut out = world.clone();
    out.highlevel_mut().email_dnd = Some(DndStatus::Active);
    assert_eq!(reason(&out), "the person opted out of e-mail");

    world.highlevel_mut().first_name = Some("Ana".to_owned());
    world.settle_down();
    let subscriber = world.subscriber().unwrap();
    assert_eq!(subscriber.lists, ["2"]);
    assert_eq!(
        (field(&world, "FIRSTNAME"), field(&world, "TAGS")),
        ("Ana".to_owned(), "vip".to_owned())
    );
    let writes = world.writes.len();
    world.settle_down();
    assert_eq!(world.writes.len(), writes);
}

#[test]
fn highlevel_takes_everybody_and_an_opt_out_comes_along() {
    let mut world = World::new();
    let gone = crate::unified::Subscriber {
        status: SubscriberStatus::Unsubscribed,
        lists: Vec::new(),
        ..fixture::subscriber(&[("FIRSTNAME", "Ana"), ("TAGS", "Vip")])
    };
    world.subscribers.insert(gone.email.clone(), gone);
    world.settle_down();
    let contact = world.highlevel.clone().unwrap();
    assert_eq!(contact.email_dnd, Some(DndStatus::Active));
    assert_eq!(
        (contact.first_name.as_deref(), contact.tags),
        (Some("Ana"), vec!["vip".to_owned()])
    );
    assert_eq!(world.links.len(), 2);
}

#[test]
fn a_person_who_is_gone_is_forgotten_and_never_made_again() {
    let mut world = World::paired();
    world.highlevel = None;
    world.gone.push(System::HighLevel);
    assert_eq!(kinds(&world), [(System::HighLevel, ActionKind::Unlink)]);
    world.settle_down();
    set_field(world.subscriber_mut(), "FIRSTNAME", "Ana");
    world.settle_down();
    assert!(world.highlevel.is_none());
    assert!(world.agreement.highlevel.is_empty());
}

#[test]
fn another_address_is_a_rename_as_one_unit_and_the_link_survives() {
    let mut world = World::paired();
    let subscriber = world.subscriber_mut();
    subscriber.lists = vec!["1".to_owned(), "2".to_owned()];
    set_field(subscriber, "NOTE", "kept");
    world.highlevel_mut().email = Some("ana@new.example".to_owned());
    world.settle_down();
    let renamed = world.subscriber().unwrap();
    assert_eq!(renamed.email, "ana@new.example");
    assert_eq!((renamed.lists.len(), renamed.field("NOTE")), (2, Some("kept")));
    assert!(world.subscribers["ana@example.com"].lists.is_empty());
    assert_eq!(world.writes.len(), 1);

    // Nobody's opt-out is lost by a new address.
    let mut world = World::paired();
    world.subscriber_mut().status = SubscriberStatus::Unsubscribed;
    world.settle_down();
    world.highlevel_mut().email = Some("ana@new.example".to_owned());
    world.settle_down();
    assert!(!world.subscribers.contains_key("ana@new.example"));
    assert!(world.plan().actions[0].reason.contains("opted out under the old address"));
}

#[test]
fn who_is_being_made_is_made_in_both_systems_even_when_one_comes_later() {
    let rule = CreateRule { system: System::Doppler, when: None, list: Some("1".to_owned()) };
    let new = || {
        let mut world = World::new();
        world.mapping.create_in.push(rule.clone());
        world.scope = Scope::Edits;
        world
    };
    let asked = || {
        let given = [("email", "ana@example.com"), ("firstName", "Ana")];
        let text = |text: &str| Canonical::Text(text.to_owned());
        let fields = given.map(|(name, value)| (name.to_owned(), text(value)));
        let (tags, lists, create_in) = (Vec::new(), Vec::new(), None);
        EditChange::Upsert { fields: fields.into(), tags, lists, create_in }
    };
    let mut world = new();
    world.down.push(System::Doppler);
    let edit = world.ask(asked());
    world.settle_down();
    assert_eq!(world.highlevel.as_ref().unwrap().first_name.as_deref(), Some("Ana"));
    assert_eq!(world.outcome(edit)[&System::Doppler], WriteOutcome::Queued);
    world.down.clear();
    world.settle_down();
    assert_eq!(world.subscriber().unwrap().field("FIRSTNAME"), Some("Ana"));

    // Who was there before is only changed: nobody asked for a new person.
    let mut known = new();
    known.highlevel = Some(fixture::contact());
    known.link(System::HighLevel, "h1");
    let edit = known.ask(asked());
    let creates = |plan: &crate::sync::Plan| {
        plan.actions.iter().any(|action| action.kind == ActionKind::Create)
    };
    assert!(!creates(&known.plan()));
    // Unless the call that makes the person has begun, and died before it said so.
    let pending = [PendingWrite {
        id: uuid::Uuid::from_u128(7),
        contact: known.contact,
        system: System::HighLevel,
        action: ActionKind::Create,
        edit: Some(edit),
        fields: Vec::new(),
        body: "{}".to_owned(),
        begun_at: known.now,
    }];
    let begun = known.with_input(|input| {
        let extra = crate::sync::Extra { pending: &pending, ..input.extra };
        crate::sync::plan(&crate::sync::Input { extra, ..*input })
    });
    assert!(creates(&begun));
    // Nor who is not there any more.
    known.gone.push(System::Doppler);
    let gone = known.with_input(|input| {
        let extra = crate::sync::Extra { pending: &pending, ..input.extra };
        crate::sync::plan(&crate::sync::Input { extra, ..*input })
    });
    assert!(!creates(&gone));
}

#[test]
fn a_tag_whose_list_would_have_too_long_a_name_waits_and_the_others_do_not() {
    let mut world = World::paired();
    world.mapping.tags = TagRepresentation::Lists { prefix: "tag: ".to_owned() };
    world.highlevel_mut().tags = vec!["vip".to_owned(), "x".repeat(100)];
    world.settle_down();
    assert_eq!(world.lists.last().unwrap().name, "tag: vip");
    assert_eq!((world.holds.len(), world.holds[0].hold.kind), (1, HoldKind::Overflow));
    world.decide("LEAVE");
    world.settle_down();
    assert_eq!(world.plan().holds, []);
}

/// What waits for HighLevel.
fn later() -> When {
    When::Later { code: "UPSTREAM_UNAVAILABLE".to_owned() }
}

/// Whether and when a plan joins a list, by whatever action does so.
fn joins(plan: &crate::sync::Plan) -> Vec<When> {
    let kinds = [ActionKind::Create, ActionKind::Subscribe, ActionKind::Tag, ActionKind::Rename];
    let of_doppler = plan.actions.iter().filter(|action| action.system == System::Doppler);
    of_doppler.filter(|action| kinds.contains(&action.kind)).map(|one| one.when.clone()).collect()
}

#[test]
fn no_list_is_joined_while_highlevel_cannot_be_read() {
    let join = EditChange::AddToList("2".to_owned());
    for scope in [Scope::Everything, Scope::Edits] {
        for linked in [true, false] {
            let mut world = World::paired();
            world.scope = scope;
            if !linked {
                world.links.retain(|link| link.system == System::Doppler);
                world.agreement.highlevel.clear();
            }
            world.down.push(System::HighLevel);
            let edit = world.ask(join.clone());
            assert_eq!(joins(&world.plan()), [later()], "{scope:?}, linked: {linked}");
            world.settle_down();
            assert_eq!(world.outcome(edit)[&System::Doppler], WriteOutcome::Queued);
            // Nobody had told of it.
            let mut out = world.clone();
            out.highlevel_mut().email_dnd = Some(DndStatus::Active);
            out.down.clear();
            out.settle_down();
            assert_eq!(out.outcome(edit)[&System::Doppler], WriteOutcome::Rejected);
            assert!(!out.subscriber().unwrap().lists.contains(&"2".to_owned()));
            world.down.clear();
            world.settle_down();
            assert_eq!(world.outcome(edit)[&System::Doppler], WriteOutcome::Applied);
        }
    }
}

#[test]
fn a_workspace_without_highlevel_joins_lists_all_the_same() {
    let mut world = World::paired();
    world.ask(EditChange::AddToList("2".to_owned()));
    let unconnected = |world: &World| {
        let highlevel = crate::sync::Side::Unread { code: "NOT_CONNECTED" };
        world.with_input(|input| crate::sync::plan(&crate::sync::Input { highlevel, ..*input }))
    };
    assert_eq!(joins(&unconnected(&world)), [When::Now], "what it last said counts");
    let mut never_asked = world.clone();
    never_asked.agreement.highlevel.clear();
    assert!(matches!(joins(&unconnected(&never_asked))[..], [When::Later { .. }]));
    never_asked.links.retain(|link| link.system == System::Doppler);
    assert_eq!(joins(&unconnected(&never_asked)), [When::Now], "it never knew the person");
    // What it last said is an opt-out.
    world.highlevel_mut().email_dnd = Some(DndStatus::Active);
    world.settle_down();
    world.ask(EditChange::AddToList("2".to_owned()));
    assert_eq!(joins(&unconnected(&world)), []);
}

#[test]
fn who_is_new_comes_into_no_list_before_the_others() {
    let mut world = World::new();
    world.scope = Scope::Edits;
    let email = ("email".to_owned(), Canonical::Text("ana@example.com".to_owned()));
    let (tags, lists) = (Vec::new(), vec!["1".to_owned(), "2".to_owned()]);
    let fields = [email].into();
    let edit = world.ask(EditChange::Upsert { fields, tags, lists, create_in: None });
    assert_eq!(joins(&world.plan()), [When::Now, When::Now]);
    world.down.push(System::HighLevel);
    assert_eq!(joins(&world.plan()), [later(), later()]);
    world.settle_down();
    assert_eq!(world.subscriber(), None);
    world.highlevel = Some(fixture::contact());
    world.highlevel_mut().email_dnd = Some(DndStatus::Active);
    world.down.clear();
    world.settle_down();
    assert_eq!(world.subscriber(), None);
    assert_eq!(world.outcome(edit)[&System::Doppler], WriteOutcome::Rejected);
}

#[test]
fn a_tag_that_is_a_list_waits_for_highlevel_too() {
    let mut world = World::paired();
    world.scope = Scope::Edits;
    world.mapping.tags = TagRepresentation::Lists { prefix: "tag: ".to_owned() };
    world.down.push(System::HighLevel);
    let edit = world.ask(EditChange::AddTags(vec!["vip".to_owned()]));
    assert_eq!(joins(&world.plan()), [later()]);
    world.settle_down();
    assert_eq!(world.outcome(edit)[&System::Doppler], WriteOutcome::Queued);
    world.down.clear();
    world.settle_down();
    assert_eq!(world.outcome(edit)[&System::Doppler], WriteOutcome::Applied);
    assert_eq!(world.subscriber().unwrap().lists.len(), 2);
}

#[test]
fn an_opt_out_that_is_lifted_while_the_other_side_is_unread_is_not_believed() {
    for lifted in System::ALL {
        let mut world = World::paired();
        world.highlevel_mut().email_dnd = Some(DndStatus::Active);
        world.settle_down();
        match lifted {
            System::Doppler => world.subscriber_mut().status = SubscriberStatus::Active,
            System::HighLevel => world.highlevel_mut().email_dnd = Some(DndStatus::Inactive),
        }
        let agreed = world.agreement.clone();
        world.down.push(lifted.other());
        world.settle_down();
        assert!(agreed.is_out() && world.agreement == agreed, "{lifted}");
        let plan = world.plan();
        assert_eq!((plan.actions.len(), &plan.actions[0].when), (1, &later()), "it waits");
        world.down.clear();
        world.settle_down();
        let hold = world.holds[0].hold.clone();
        assert_eq!((hold.kind, hold.system), (HoldKind::Consent, Some(lifted)));
        let choices: Vec<&str> = hold.resolutions.iter().map(|one| &*one.choice).collect();
        let second = if lifted == System::Doppler { "OPT_IN" } else { "LEAVE" };
        assert_eq!(choices, ["OPT_OUT", second], "all that can be chosen");
        assert!(world.agreement.is_out());
    }
}

#[test]
fn an_opt_out_that_is_on_its_way_goes_on_though_its_own_side_is_unread() {
    let mut world = World::paired();
    world.highlevel_mut().email_dnd = Some(DndStatus::Active);
    world.down.push(System::Doppler);
    world.settle_down();
    world.down = vec![System::HighLevel];
    world.settle_down();
    assert!(world.agreement.is_out());
    assert_eq!(world.subscriber().unwrap().status, SubscriberStatus::Unsubscribed);
}
