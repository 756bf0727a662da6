//! Both systems in memory, as the vendors are: what they refuse, and what they make of a value.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::sync::{
    Defined, Extra, HoldDraft, Input, LinkChange, ListTarget, Need, OpenHold, Outcome, Payload,
    Plan, Reread, Scope, Side, Target, plan, settle,
};
use crate::unified::{
    Agreement, Assign, ContactDraft, ContactEdit, ContactId, CustomFieldValue, CustomValue,
    Definitions, DndStatus, Edit, EditChange, EditId, FieldDefinition, FieldMapping,
    HighLevelContact, HoldDecision, Link, List, Mapping, Note, Subscriber, SubscriberField,
    SubscriberStatus, SyncSettings, System, Task, WriteOutcome, fixture, merge_tags, tags_without,
};

/// One person in both systems, and what Tandem has stored of them.
#[derive(Clone)]
pub struct World {
    pub contact: ContactId,
    /// Doppler's subscribers by address; the person's is the linked one.
    pub subscribers: BTreeMap<String, Subscriber>,
    pub highlevel: Option<HighLevelContact>,
    pub notes: Vec<Note>,
    pub tasks: Vec<Task>,
    pub gone: Vec<System>,
    pub down: Vec<System>,
    pub links: Vec<Link>,
    pub agreement: Agreement,
    pub mapping: Mapping,
    pub definitions: Definitions,
    pub lists: Vec<List>,
    pub edits: Vec<Edit>,
    pub finished: Vec<Edit>,
    pub holds: Vec<OpenHold>,
    pub settings: SyncSettings,
    pub scope: Scope,
    pub deletion: crate::sync::Deletion,
    pub now: DateTime<Utc>,
    /// Every write: the system and the fields it named.
    pub writes: Vec<(System, Vec<String>)>,
    /// Whether HighLevel writes first names with a capital letter.
    pub title_case: bool,
    /// What polls would not show again after the last reconcile.
    pub seen: Vec<(System, crate::store::Version)>,
    next: u128,
}

fn definition(system: System, key: &str, kind: &str) -> FieldDefinition {
    FieldDefinition {
        system,
        key: key.to_owned(),
        id: (system == System::HighLevel).then(|| format!("id-{key}")),
        name: key.to_owned(),
        kind: kind.to_owned(),
        options: Vec::new(),
        read_only: false,
        predefined: false,
    }
}

impl World {
    /// Nobody anywhere yet; sync is running and the default mapping has two custom fields beside.
    pub fn new() -> Self {
        let mut mapping = Mapping::default();
        mapping.fields.push(FieldMapping::new("plan", "PLAN", "contact.plan"));
        mapping.fields.push(FieldMapping::new("seats", "SEATS", "contact.seats"));
        let strings = ["FIRSTNAME", "LASTNAME", "PHONE", "COMPANY", "ADDRESS", "CITY", "STATE"];
        let strings = strings.into_iter().chain(["ZIP", "TAGS", "PLAN", "NOTE"]);
        let doppler = strings.map(|key| definition(System::Doppler, key, "string"));
        let typed = [("BIRTHDAY", "date"), ("COUNTRY", "country"), ("SEATS", "number")];
        let typed = typed.map(|(key, kind)| definition(System::Doppler, key, kind));
        let highlevel = [("contact.plan", "TEXT"), ("contact.seats", "NUMERICAL")];
        let highlevel = highlevel.map(|(key, kind)| definition(System::HighLevel, key, kind));
        let list = |id, name: &str| List { id, name: name.to_owned(), subscribers_count: None };
        Self {
            contact: ContactId(Uuid::from_u128(1)),
            subscribers: BTreeMap::new(),
            highlevel: None,
            notes: Vec::new(),
            tasks: Vec::new(),
            gone: Vec::new(),
            down: Vec::new(),
            links: Vec::new(),
            agreement: Agreement::default(),
            mapping,
            definitions: Definitions {
                doppler: Some(doppler.chain(typed).collect()),
                highlevel: Some(highlevel.to_vec()),
            },
            lists: vec![list(1, "Newsletter"), list(2, "Offers")],
            edits: Vec::new(),
            finished: Vec::new(),
            holds: Vec::new(),
            settings: SyncSettings::default(),
            scope: Scope::Everything,
            deletion: crate::sync::Deletion::default(),
            now: DateTime::from_timestamp(1_790_000_000, 0).unwrap(),
            writes: Vec::new(),
            title_case: false,
            seen: Vec::new(),
            next: 100,
        }
    }

    /// The same person in both systems, linked, with an address and nothing else.
    pub fn paired() -> Self {
        let mut world = Self::new();
        let subscriber = Subscriber { fields: Vec::new(), ..fixture::subscriber(&[]) };
        world.subscribers.insert(subscriber.email.clone(), subscriber);
        world.highlevel = Some(fixture::contact());
        world.link(System::Doppler, "ana@example.com");
        world.link(System::HighLevel, "h1");
        world.settle_down();
        world.writes.clear();
        world
    }

    pub fn link(&mut self, system: System, key: &str) {
        self.links.retain(|link| link.system != system);
        let (key, contact) = (key.to_owned(), self.contact);
        self.links.push(Link { system, key, contact, email: None, phone: None });
    }

    pub fn id(&mut self) -> Uuid {
        self.next += 1;
        Uuid::from_u128(self.next)
    }

    /// The person's subscriber.
    pub fn subscriber(&self) -> Option<&Subscriber> {
        let link = self.links.iter().find(|link| link.system == System::Doppler);
        match link {
            Some(link) => self.subscribers.get(&link.key),
            None => self.subscribers.get("ana@example.com"),
        }
    }

    pub fn subscriber_mut(&mut self) -> &mut Subscriber {
        let key = self.subscriber().unwrap().email.clone();
        self.subscribers.get_mut(&key).unwrap()
    }

    pub fn highlevel_mut(&mut self) -> &mut HighLevelContact {
        let now = self.now;
        let contact = self.highlevel.as_mut().unwrap();
        contact.date_updated = Some(now);
        contact
    }

    pub fn wait(&mut self, seconds: i64) {
        self.now += TimeDelta::seconds(seconds);
    }

    /// A client's mutation.
    pub fn ask(&mut self, change: EditChange) -> EditId {
        let id = EditId(self.id());
        let (contact, at) = (self.contact, self.now);
        let (writes, result) = (Vec::new(), None);
        let errors = Vec::new();
        self.edits.push(Edit { id, contact, at, by: None, change, writes, result, errors });
        id
    }

    /// What became of an edit, by system.
    pub fn outcome(&self, edit: EditId) -> BTreeMap<System, WriteOutcome> {
        let all = self.edits.iter().chain(&self.finished);
        let edit = all.into_iter().find(|one| one.id == edit).unwrap();
        edit.writes.iter().map(|write| (write.system, write.outcome)).collect()
    }

    pub fn hold(&mut self, draft: HoldDraft) {
        let hold = draft.opened(self.id(), self.now);
        self.holds.push(OpenHold { hold, decision: None, remembered: false });
    }

    pub fn decide(&mut self, choice: &str) {
        let at = self.now;
        for open in &mut self.holds {
            let (choice, candidate) = (choice.to_owned(), None);
            open.decision = Some(HoldDecision { choice, candidate, remember: false, at, by: None });
        }
    }

    /// The plan for what can be read now.
    pub fn plan(&self) -> Plan {
        self.with_input(plan)
    }

    fn side<'a, T>(&self, system: System, value: Option<&'a T>) -> Side<&'a T> {
        match value {
            _ if self.down.contains(&system) => Side::Unread { code: "UPSTREAM_UNAVAILABLE" },
            Some(value) => Side::Present(value),
            None if self.gone.contains(&system) => Side::Gone,
            None => Side::Absent,
        }
    }

    /// Reads what a plan asks for beside, as the engine does.
    pub fn with_input<T>(&self, run: impl Fn(&Input<'_>) -> T) -> T {
        let mut input = Input {
            contact: self.contact,
            links: &self.links,
            doppler: self.side(System::Doppler, self.subscriber()),
            highlevel: self.side(System::HighLevel, self.highlevel.as_ref()),
            agreement: &self.agreement,
            mapping: &self.mapping,
            edits: &self.edits,
            holds: &self.holds,
            scope: self.scope,
            deletion: self.deletion,
            settings: &self.settings,
            lists: &self.lists,
            definitions: &self.definitions,
            extra: Extra::default(),
            now: self.now,
        };
        for need in plan(&input).needs {
            match need {
                Need::Notes => input.extra.notes = Some(Ok(&self.notes)),
                Need::Tasks => input.extra.tasks = Some(Ok(&self.tasks)),
                Need::Definitions(system) => {
                    input.extra.defined[system as usize] = Defined::Since;
                }
                Need::Subscriber(email) => {
                    let side = self.side(System::Doppler, self.subscribers.get(&email));
                    let side = if side == Side::Gone { Side::Absent } else { side };
                    input.extra.target = Some(Target { side, contact: None });
                }
            }
        }
        run(&input)
    }

    /// One reconcile: plans, performs, records. Whether anything was written or waits.
    pub fn reconcile(&mut self) -> bool {
        let plan = self.plan();
        let mut after = self.clone();
        let outcomes: Vec<Outcome> = plan
            .actions
            .iter()
            .map(|action| {
                if action.when != crate::sync::When::Now {
                    let (code, reason) = ("X".to_owned(), String::new());
                    return Outcome::NotTried { code, reason };
                }
                if action.is_write() {
                    let fields = action.fields.iter().map(|field| field.field.clone());
                    after.writes.push((action.system, fields.collect()));
                }
                after.perform(&action.payload)
            })
            .collect();
        let settled = self.with_input(|input| settle(input, &plan, &outcomes));
        *self = after;
        (self.agreement, self.seen) = (settled.agreement, settled.seen);
        for change in settled.links {
            match change {
                LinkChange::Linked(to) | LinkChange::Moved { to, .. } => {
                    self.link(to.system, &to.key);
                    self.gone.retain(|system| *system != to.system);
                }
                LinkChange::Unlinked { system, .. } => {
                    self.links.retain(|link| link.system != system);
                    self.gone.push(system);
                }
            }
        }
        for settled in settled.edits {
            let edit = self.edits.iter_mut().find(|edit| edit.id == settled.edit).unwrap();
            edit.writes = settled.writes;
            edit.result = settled.result;
        }
        let (done, open) = std::mem::take(&mut self.edits).into_iter().partition(Edit::is_done);
        self.edits = open;
        self.finished.extend::<Vec<Edit>>(done);
        self.holds.retain(|open| plan.over.iter().all(|over| over.hold != open.hold.id));
        for draft in plan.holds.clone() {
            self.hold(draft);
        }
        super::echo::hides_nothing(self);
        plan.actions.iter().any(|action| action.is_write() && action.when == crate::sync::When::Now)
    }

    /// Reconciles until nothing is left to write; how many rounds wrote something.
    pub fn settle_down(&mut self) -> usize {
        for round in 0..8 {
            self.wait(1);
            if !self.reconcile() {
                return round;
            }
        }
        panic!("does not come to rest: {:#?}", self.plan().actions);
    }

    /// Performs one action as the vendor would.
    fn perform(&mut self, payload: &Payload) -> Outcome {
        if let Some(outcome) = self.perform_in_doppler(payload) {
            return outcome;
        }
        if let Payload::CreateContact(draft) = payload {
            self.create(draft);
        } else if let Payload::UpdateContact { edit, .. } = payload {
            self.update(edit);
        } else if let Payload::AddTags { tags, .. } = payload {
            let contact = self.highlevel_mut();
            let lower: Vec<String> = tags.iter().map(|tag| tag.to_lowercase()).collect();
            contact.tags = merge_tags(contact.tags.iter().chain(&lower).map(String::as_str));
        } else if let Payload::RemoveTags { tags, .. } = payload {
            let contact = self.highlevel_mut();
            contact.tags = tags_without(&contact.tags, tags);
        } else if let Payload::DeleteContact { .. } = payload {
            self.highlevel = None;
            self.gone.push(System::HighLevel);
        } else if let Payload::CreateNote { draft, .. } = payload {
            let id = self.id().to_string();
            let (body, title) = (Some(draft.body.clone()), draft.title.clone());
            let created_at = Some(self.now);
            self.notes.push(Note { id: id.clone(), body, title, created_at, author_id: None });
            return done(Some(id));
        } else {
            return done(None);
        }
        let side = Some(Reread::HighLevel(self.highlevel.clone().map(Box::new)));
        Outcome::Done { side, result: None }
    }

    /// The same of what is done in Doppler.
    fn perform_in_doppler(&mut self, payload: &Payload) -> Option<Outcome> {
        let joins = |world: &Self| {
            assert!(!world.forbidden(), "nobody who opted out is put on a list");
        };
        let email = if let Payload::CreateSubscriber { list, edit } = payload {
            joins(self);
            self.put(&edit.email, &edit.fields, Some(list));
            &edit.email
        } else if let Payload::UpdateSubscriber { list, edit } = payload {
            self.put(&edit.email, &edit.fields, list.as_deref());
            &edit.email
        } else if let Payload::Rename { from, lists, edit, .. } = payload {
            joins(self);
            self.put(&edit.email, &edit.fields, None);
            for list in lists {
                self.put(&edit.email, &edit.fields, Some(list));
            }
            self.subscribers.get_mut(from).unwrap().lists.clear();
            &edit.email
        } else if let Payload::Subscribe { list, email } = payload {
            joins(self);
            let id = match list {
                ListTarget::Id(id) => id.clone(),
                ListTarget::Named(name) => self.make_list(name),
            };
            self.put(email, &[], Some(&id));
            email
        } else if let Payload::RemoveFromList { list, email } = payload {
            self.subscribers.get_mut(email).unwrap().lists.retain(|held| held != list);
            email
        } else if let Payload::OptOut { email } = payload {
            let subscriber = self.subscribers.get_mut(email).unwrap();
            subscriber.status = SubscriberStatus::Unsubscribed;
            subscriber.lists.clear();
            email
        } else {
            return None;
        };
        let side = Some(Reread::Doppler(self.subscribers.get(email).cloned()));
        Some(Outcome::Done { side, result: None })
    }

    fn create(&mut self, draft: &ContactDraft) {
        let custom = draft.custom_fields.iter().filter_map(|edit| {
            Some(CustomFieldValue { id: edit.id.clone(), value: wire(edit.value.as_ref()?) })
        });
        self.highlevel = Some(HighLevelContact {
            email: draft.email.clone(),
            phone: draft.phone.clone(),
            first_name: draft.first_name.clone(),
            last_name: draft.last_name.clone(),
            company_name: draft.company_name.clone(),
            birthday: draft.birthday,
            address: draft.address.clone(),
            tags: draft.tags.iter().map(|tag| tag.to_lowercase()).collect(),
            email_dnd: draft.email_dnd.map(|_| DndStatus::Active),
            custom_fields: custom.collect(),
            ..fixture::contact()
        });
    }

    /// Whether HighLevel or the person's subscriber forbids mailing.
    pub fn forbidden(&self) -> bool {
        let highlevel = self
            .highlevel
            .as_ref()
            .is_some_and(|contact| contact.email_dnd.is_some_and(|dnd| dnd != DndStatus::Inactive));
        let doppler = self.subscriber().is_some_and(|s| s.status == SubscriberStatus::Unsubscribed);
        highlevel || doppler
    }

    fn make_list(&mut self, name: &str) -> String {
        let id = i64::try_from(self.lists.len()).unwrap() + 1;
        self.lists.push(List { id, name: name.to_owned(), subscribers_count: None });
        id.to_string()
    }

    /// As Doppler does: it refuses who opted out, which no plan may try.
    fn put(&mut self, email: &str, fields: &[(String, String)], list: Option<&str>) {
        let new = Subscriber {
            email: email.to_owned(),
            lists: Vec::new(),
            fields: Vec::new(),
            ..fixture::subscriber(&[])
        };
        let subscriber = self.subscribers.entry(email.to_owned()).or_insert(new);
        assert_ne!(subscriber.status, SubscriberStatus::Unsubscribed, "Doppler refuses that");
        for (name, value) in fields {
            assert!(value.chars().count() <= 400, "Doppler refuses that");
            set_field(subscriber, name, value);
        }
        if let Some(list) = list.filter(|list| !subscriber.lists.iter().any(|held| held == list)) {
            subscriber.lists.push(list.to_owned());
        }
    }

    fn update(&mut self, edit: &ContactEdit) {
        let title_case = self.title_case;
        let contact = self.highlevel_mut();
        assign(&mut contact.email, &edit.email);
        assign(&mut contact.phone, &edit.phone);
        assign(&mut contact.first_name, &edit.first_name);
        assign(&mut contact.last_name, &edit.last_name);
        assign(&mut contact.birthday, &edit.birthday);
        assign(&mut contact.address.line1, &edit.address_line1);
        assign(&mut contact.address.city, &edit.city);
        assign(&mut contact.address.state, &edit.state);
        contact.address.country = edit.country.clone().or(contact.address.country.take());
        let code = edit.postal_code.clone();
        contact.address.postal_code = code.or(contact.address.postal_code.take());
        if title_case && let Some(name) = &mut contact.first_name {
            let mut chars = name.chars();
            let first = chars.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
            *name = first + &chars.as_str().to_lowercase();
        }
        if let Some(dnd) = &edit.email_dnd {
            assert_ne!(contact.email_dnd, Some(DndStatus::Permanent), "HighLevel refuses that");
            contact.email_dnd =
                Some(if dnd.on() { DndStatus::Active } else { DndStatus::Inactive });
        }
        for custom in &edit.custom_fields {
            contact.custom_fields.retain(|held| held.id != custom.id);
            if let Some(value) = &custom.value {
                let value = wire(value);
                contact.custom_fields.push(CustomFieldValue { id: custom.id.clone(), value });
            }
        }
    }
}

fn done(result: Option<String>) -> Outcome {
    Outcome::Done { side: None, result }
}

fn assign<T: Clone>(member: &mut Option<T>, change: &Assign<T>) {
    match change {
        Assign::Keep => {}
        Assign::Clear => *member = None,
        Assign::Set(value) => *member = Some(value.clone()),
    }
}

fn wire(value: &CustomValue) -> Value {
    match value {
        CustomValue::Text(text) => json!(text),
        CustomValue::Number(number) => json!(number),
        CustomValue::Date(day) => json!(day.to_string()),
        CustomValue::Texts(texts) => json!(texts),
    }
}

/// Sets a field of a subscriber; an empty value takes it away.
pub fn set_field(subscriber: &mut Subscriber, name: &str, value: &str) {
    subscriber.fields.retain(|field| field.name != name);
    if !value.is_empty() {
        subscriber.fields.push(SubscriberField {
            name: name.to_owned(),
            value: Some(value.to_owned()),
            kind: "string".to_owned(),
            predefined: false,
            read_only: false,
        });
    }
}
