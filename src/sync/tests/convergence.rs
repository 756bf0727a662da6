//! Whatever is changed wherever in whatever order, with one side unreadable at times: it comes to
//! rest, both sides agree as far as they can, and nothing is written more often than it changed.

use proptest::prelude::*;

use super::World;
use super::model::set_field;
use crate::sync::When;
use crate::unified::projection::Field;
use crate::unified::{
    Canonical, DndStatus, EditChange, MappingDirection, MappingRule, SubscriberStatus, System,
    merge_tags, tags_without,
};

/// A mapped field: its unified name and Doppler's.
const FIELDS: [(&str, &str); 4] = [
    ("firstName", "FIRSTNAME"),
    ("address.city", "CITY"),
    ("companyName", "COMPANY"),
    ("lastName", "LASTNAME"),
];

#[derive(Clone, Debug)]
enum Step {
    Doppler(usize, String),
    HighLevel(usize, String),
    Client(usize, Option<String>),
    DopplerTags(Vec<String>),
    HighLevelTags(Vec<String>),
    ClientTags(bool, String),
    DopplerOptsOut,
    HighLevelOptsOut(bool),
    ClientOptsOut,
    Down(System),
    Up,
    Reconcile,
    Wait,
}

fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => "[a-dA-D]{1,3}",
        1 => Just(String::new()),
        1 => Just(" x  y ".to_owned()),
        1 => Just("ñ".repeat(400)),
        1 => Just("z".repeat(401)),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let tag = || "[a-cA-C]";
    prop_oneof![
        4 => (0..FIELDS.len(), value()).prop_map(|(f, v)| Step::Doppler(f, v)),
        4 => (0..FIELDS.len(), value()).prop_map(|(f, v)| Step::HighLevel(f, v)),
        3 => (0..FIELDS.len(), prop::option::of(value())).prop_map(|(f, v)| Step::Client(f, v)),
        2 => prop::collection::vec(tag(), 0..3).prop_map(Step::DopplerTags),
        2 => prop::collection::vec(tag(), 0..3).prop_map(Step::HighLevelTags),
        2 => (any::<bool>(), tag()).prop_map(|(add, tag)| Step::ClientTags(add, tag)),
        1 => Just(Step::DopplerOptsOut),
        1 => any::<bool>().prop_map(Step::HighLevelOptsOut),
        1 => Just(Step::ClientOptsOut),
        2 => prop_oneof![Just(System::Doppler), Just(System::HighLevel)].prop_map(Step::Down),
        2 => Just(Step::Up),
        5 => Just(Step::Reconcile),
        1 => Just(Step::Wait),
    ]
}

fn upsert(field: &str, value: Canonical) -> EditChange {
    let fields = [(field.to_owned(), value)].into();
    EditChange::Upsert { fields, tags: Vec::new(), lists: Vec::new(), create_in: None }
}

impl World {
    fn take(&mut self, step: Step) {
        self.wait(5);
        match step {
            Step::Doppler(at, value) => {
                // Doppler itself takes no longer value.
                let value: String = value.chars().take(400).collect();
                set_field(self.subscriber_mut(), FIELDS[at].1, &value);
            }
            Step::HighLevel(at, value) => {
                let value = Some(value).filter(|value| !value.is_empty());
                let contact = self.highlevel_mut();
                match FIELDS[at].0 {
                    "firstName" => contact.first_name = value,
                    "lastName" => contact.last_name = value,
                    "companyName" => contact.company_name = value,
                    _ => contact.address.city = value,
                }
            }
            Step::Client(at, value) => {
                let value = value.map_or(Canonical::Null, Canonical::Text);
                self.ask(upsert(FIELDS[at].0, value));
            }
            Step::DopplerTags(tags) => set_field(self.subscriber_mut(), "TAGS", &tags.join(", ")),
            Step::HighLevelTags(tags) => {
                self.highlevel_mut().tags = tags.iter().map(|tag| tag.to_lowercase()).collect();
            }
            Step::ClientTags(true, tag) => drop(self.ask(EditChange::AddTags(vec![tag]))),
            Step::ClientTags(false, tag) => drop(self.ask(EditChange::RemoveTags(vec![tag]))),
            Step::DopplerOptsOut => {
                let subscriber = self.subscriber_mut();
                subscriber.status = SubscriberStatus::Unsubscribed;
                subscriber.lists.clear();
            }
            Step::HighLevelOptsOut(on) => {
                let status = if on { DndStatus::Active } else { DndStatus::Inactive };
                self.highlevel_mut().email_dnd = Some(status);
            }
            Step::ClientOptsOut => drop(self.ask(EditChange::Unsubscribe { reason: None })),
            Step::Down(system) => self.down = vec![system],
            Step::Up => self.down.clear(),
            Step::Reconcile => drop(self.reconcile()),
            Step::Wait => self.wait(1_000),
        }
    }

    /// What is wrong with the end, if anything is.
    fn disagreement(&self) -> Option<String> {
        let plan = self.plan();
        if let Some(action) = plan.actions.iter().find(|action| action.is_write()) {
            return Some(format!("something is left to do: {action:?}"));
        }
        for (name, _) in FIELDS {
            let held = self.holds.iter().any(|open| open.hold.field.as_deref() == Some(name));
            let field = Field::find(name, &self.mapping, &self.definitions).unwrap();
            let subscriber = self.subscriber().unwrap();
            // Doppler takes nothing more of who opted out, and HighLevel never a company's name.
            let fixed =
                name == "companyName" || subscriber.status == SubscriberStatus::Unsubscribed;
            if held || fixed {
                continue;
            }
            let doppler = field.doppler.unwrap().of_subscriber(field.kind, subscriber);
            let highlevel = self.highlevel.as_ref().unwrap();
            let highlevel = field.highlevel.unwrap().of_contact(field.kind, highlevel).unwrap();
            if !field.kind.agrees(&doppler, &highlevel) {
                return Some(format!("{name}: {doppler:?} and {highlevel:?}"));
            }
        }
        None
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn it_always_comes_to_rest_in_agreement(
        steps in prop::collection::vec(step(), 1..25),
        newest in any::<bool>(),
        hold in any::<bool>(),
    ) {
        let mut world = World::paired();
        if newest {
            world.mapping.fields[0].rule = MappingRule::Newest;
        }
        if hold {
            world.mapping.fields[1].rule = MappingRule::Hold;
        }
        let mut changed = [0usize; FIELDS.len()];
        let mut opted_out = false;
        for step in steps {
            if let Step::Doppler(at, _) | Step::HighLevel(at, _) | Step::Client(at, _) = &step {
                changed[*at] += 1;
            }
            let before = world.forbidden();
            let by_a_person = matches!(step, Step::HighLevelOptsOut(false));
            world.take(step);
            opted_out = world.forbidden() || (opted_out && !by_a_person);
            prop_assert!(!before || world.forbidden() || by_a_person, "consent was loosened");
        }
        world.down.clear();
        world.settle_down();
        prop_assert_eq!(world.disagreement(), None);
        for (at, (name, _)) in FIELDS.iter().enumerate() {
            for system in System::ALL {
                let writes = world.writes.iter().filter(|(to, fields)| {
                    *to == system && fields.iter().any(|field| field == name)
                });
                let writes = writes.count();
                prop_assert!(writes <= changed[at], "{}: {} writes for {} changes", name, writes, changed[at]);
            }
        }
        // Applying a plan and planning again plans nothing, again and again.
        let writes = world.writes.len();
        for _ in 0..3 {
            world.wait(700);
            world.reconcile();
        }
        prop_assert_eq!(world.writes.len(), writes);
    }

    #[test]
    fn whichever_side_is_read_first_the_same_value_wins(
        doppler in "[a-d]{0,3}",
        highlevel in "[a-d]{0,3}",
        before in "[a-d]{1,3}",
        owner in prop_oneof![Just(System::Doppler), Just(System::HighLevel)],
    ) {
        let ends = [None, Some(System::Doppler), Some(System::HighLevel)].map(|down| {
            let mut world = World::paired();
            world.mapping.fields[0].owner = Some(owner);
            world.take(Step::HighLevel(0, before.clone()));
            world.settle_down();
            world.take(Step::Doppler(0, doppler.clone()));
            world.take(Step::HighLevel(0, highlevel.clone()));
            world.down.extend(down);
            world.reconcile();
            world.down.clear();
            world.settle_down();
            (world.disagreement(), world.highlevel.unwrap().first_name)
        });
        prop_assert_eq!(&ends[0].0, &None);
        prop_assert_eq!(&ends[0], &ends[1]);
        prop_assert_eq!(&ends[0], &ends[2]);
    }

    #[test]
    fn what_a_slice_is_ordered_by_does_not_matter(values in prop::collection::vec("[a-d]{0,2}", 4)) {
        let mut world = World::paired();
        for (at, value) in values.iter().enumerate() {
            world.take(Step::Doppler(at, value.clone()));
        }
        let plan = world.plan();
        world.links.reverse();
        world.lists.reverse();
        world.definitions.doppler.as_mut().unwrap().reverse();
        world.definitions.highlevel.as_mut().unwrap().reverse();
        world.subscriber_mut().fields.reverse();
        prop_assert_eq!(world.plan(), plan);
    }

    #[test]
    fn tags_of_both_sides_count(
        agreed in prop::collection::btree_set("[a-h]", 0..4),
        doppler in prop::collection::btree_set("[a-h]", 0..4),
        highlevel in prop::collection::btree_set("[a-h]", 0..4),
    ) {
        let list = |set: &std::collections::BTreeSet<String>| set.iter().cloned().collect::<Vec<_>>();
        let mut world = World::paired();
        world.take(Step::HighLevelTags(list(&agreed)));
        world.settle_down();
        world.take(Step::DopplerTags(list(&doppler)));
        world.take(Step::HighLevelTags(list(&highlevel)));
        world.settle_down();
        let (agreed, doppler, highlevel) = (list(&agreed), list(&doppler), list(&highlevel));
        let gone = merge_tags(tags_without(&agreed, &doppler).iter().chain(&tags_without(&agreed, &highlevel)).map(String::as_str));
        let new = merge_tags(tags_without(&doppler, &agreed).iter().chain(&tags_without(&highlevel, &agreed)).map(String::as_str));
        let expected = merge_tags(tags_without(&agreed, &gone).iter().chain(&new).map(String::as_str));
        let held = world.highlevel.as_ref().unwrap().tags.clone();
        prop_assert!(tags_without(&held, &expected).is_empty() && tags_without(&expected, &held).is_empty());
        let text = world.subscriber().unwrap().field("TAGS").unwrap_or_default().to_owned();
        let shown = merge_tags(text.split(", "));
        prop_assert!(tags_without(&shown, &expected).is_empty() && tags_without(&expected, &shown).is_empty());
    }

    #[test]
    fn a_direction_lets_only_its_source_write(
        doppler in "[a-d]{0,3}",
        highlevel in "[a-d]{0,3}",
        to_doppler in any::<bool>(),
    ) {
        let mut world = World::paired();
        let direction = if to_doppler { MappingDirection::ToDoppler } else { MappingDirection::ToHighLevel };
        world.mapping.fields[0].direction = direction;
        world.take(Step::Doppler(0, doppler));
        world.take(Step::HighLevel(0, highlevel));
        let plan = world.plan();
        let target = if to_doppler { System::Doppler } else { System::HighLevel };
        for action in plan.actions.iter().filter(|action| action.when == When::Now && action.is_write()) {
            prop_assert_eq!(action.system, target);
        }
    }
}
