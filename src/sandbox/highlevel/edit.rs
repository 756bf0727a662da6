//! What a person does inside HighLevel (`POST /control/edit`): the same changes as through the
//! API, with the same webhooks, but by e-mail address and without its refusals.

use serde_json::{Map, Value, json};

use super::HighLevel;
use super::appointment::{Wanted, time};
use super::dto;
use super::event;
use super::model::{Appointment, CHANNELS, Contact, Dnd, Id, Note, Task};
use super::reply::Refusal;
use super::when::Millis;
use super::write;
use crate::sandbox::control::edit::{Change, EditOp, Target};

const HOUR_MS: i64 = 60 * 60 * 1000;

impl HighLevel {
    /// Does one edit and answers what it changed; an error is one clear line.
    pub fn edit(&self, edit: &EditOp) -> Result<Value, String> {
        match &edit.change {
            Change::Install {} => {
                self.install();
                Ok(json!({"installed": true}))
            }
            Change::Uninstall { agency } => {
                self.uninstall(*agency);
                Ok(json!({"installed": false}))
            }
            Change::DeleteField { name } => self.edit_field(name),
            Change::DeleteList { list } => self.edit_tag(list),
            Change::Upsert { fields, tags, list } => {
                if list.is_some() {
                    return Err("HighLevel has no lists, use `tags`".to_owned());
                }
                self.edit_upsert(edit.target.as_ref(), fields, tags.as_deref())
            }
            Change::Subscribe { .. } | Change::Open { .. } | Change::Click { .. } => {
                Err("this `op` is of DOPPLER only".to_owned())
            }
            Change::Delete {}
            | Change::Merge { .. }
            | Change::ChangeEmail { .. }
            | Change::Tag { .. }
            | Change::Untag { .. }
            | Change::Note { .. }
            | Change::Task { .. }
            | Change::Appointment { .. }
            | Change::Unsubscribe { .. }
            | Change::Resubscribe {}
            | Change::Bounce { .. } => {
                let id = self.target(edit.target.as_ref())?;
                self.edit_contact(&id, &edit.change)
            }
        }
    }

    fn edit_contact(&self, id: &Id, change: &Change) -> Result<Value, String> {
        match change {
            Change::Delete {} => {
                self.remove(&mut self.write(), id).map_err(|refusal| line(&refusal))?;
                Ok(json!({"contactId": &**id, "deleted": true}))
            }
            Change::Merge { into } => self.edit_merge(id, into),
            Change::ChangeEmail { to } => {
                self.change(id, |contact| contact.email = Some(to.clone()))
            }
            Change::Tag { tags } => self.change(id, |contact| {
                contact.add_tags(tags);
            }),
            Change::Untag { tags } => self.change(id, |contact| {
                contact.remove_tags(tags);
            }),
            Change::Unsubscribe { kind } => self.edit_unsubscribe(id, kind.as_deref()),
            Change::Resubscribe {} => self.change(id, |contact| {
                contact.dnd = false;
                contact.unsubscribe_email = false;
                contact.dnd_settings.email = Some(dnd("inactive", "Resubscribed in the sandbox"));
            }),
            Change::Bounce { .. } => self.change(id, |contact| {
                contact.bounce_email = true;
                contact.dnd_settings.email = Some(dnd("permanent", "Hard bounce"));
            }),
            Change::Note { body } => self.edit_note(id, body),
            Change::Task { title } => self.edit_task(id, title),
            Change::Appointment { appointment_id, delete, status, title, start_time, end_time } => {
                let wanted = Wanted {
                    title: title.as_deref(),
                    status: status.as_deref(),
                    start: start_time.as_deref().map(time).transpose()?,
                    end: end_time.as_deref().map(time).transpose()?,
                };
                match (appointment_id, delete) {
                    (None, false) => self.book(id, wanted),
                    (Some(held), false) => self.rebook(id, held, wanted),
                    (Some(held), true) => self.cancel(id, held),
                    (None, true) => Err("`delete` needs `appointmentId`".to_owned()),
                }
            }
            Change::Subscribe { .. }
            | Change::Open { .. }
            | Change::Click { .. }
            | Change::Upsert { .. }
            | Change::DeleteField { .. }
            | Change::DeleteList { .. }
            | Change::Install {}
            | Change::Uninstall { .. } => Err("this `op` names no contact".to_owned()),
        }
    }

    /// Fires `INSTALL` unless the app is installed already.
    pub(super) fn install(&self) {
        if !self.webhooks.is_installed() {
            self.webhooks.set_installed(true);
            self.webhooks.fire(&self.shared, event::install());
        }
    }

    fn uninstall(&self, agency: bool) {
        let revoke = super::TokenControl { revoke_all: true, ..super::TokenControl::default() };
        self.tokens.control(revoke);
        self.webhooks.set_installed(false);
        self.webhooks.fire(&self.shared, event::uninstall(agency));
    }

    fn target(&self, target: Option<&Target>) -> Result<Id, String> {
        let directory = self.read();
        let found = match target {
            None => return Err("give `email` or `contactId`".to_owned()),
            Some(Target::ContactId(id)) => directory.contact(id).map(|contact| &contact.id),
            Some(Target::Email(email)) => directory.with_email(email).first(),
        };
        found.cloned().ok_or_else(|| "no such contact".to_owned())
    }

    fn change(&self, id: &Id, change: impl FnOnce(&mut Contact)) -> Result<Value, String> {
        let mut directory = self.write();
        let before = directory.contact(id).ok_or("no such contact")?;
        let mut contact = Contact::clone(before);
        change(&mut contact);
        let contact = self.save(&mut directory, contact);
        Ok(shown(&contact))
    }

    fn edit_upsert(
        &self,
        target: Option<&Target>,
        fields: &Map<String, Value>,
        tags: Option<&[String]>,
    ) -> Result<Value, String> {
        let mut body = fields.clone();
        body.remove("companyName");
        let id = self.target(target).ok();
        if let Some(tags) = tags {
            body.insert("tags".to_owned(), json!(tags));
        }
        let checked = dto::check(Value::Object(body), write::UPDATE).map_err(|r| line(&r))?;
        let mut directory = self.write();
        let mut contact = match (&id, target) {
            (Some(id), _) => Contact::clone(directory.contact(id).ok_or("no such contact")?),
            (None, Some(Target::ContactId(_))) => return Err("no such contact".to_owned()),
            (None, Some(Target::Email(email))) => {
                let id = self.shared.ids.alphanumeric().into();
                let mut contact = Contact::blank(id, self.now());
                contact.email = Some(email.clone());
                contact
            }
            (None, None) => {
                if !checked.contains_key("email") && !checked.contains_key("phone") {
                    return Err("give `email`, `contactId`, or a phone in `fields`".to_owned());
                }
                Contact::blank(self.shared.ids.alphanumeric().into(), self.now())
            }
        };
        write::apply(&checked, &mut contact, &directory).map_err(|refusal| line(&refusal))?;
        if let Some(company) = fields.get("companyName") {
            contact.company_name = company.as_str().map(str::to_owned);
        }
        let contact = self.save(&mut directory, contact);
        Ok(shown(&contact))
    }

    /// The other contact survives, with both sets of tags, notes and tasks.
    fn edit_merge(&self, id: &Id, into: &str) -> Result<Value, String> {
        let mut directory = self.write();
        let survivor = directory.contact(into).map(|contact| contact.id.clone());
        let survivor = survivor.or_else(|| directory.with_email(into).first().cloned());
        let survivor = survivor.filter(|other| other != id).ok_or("`into` is no other contact")?;
        let gone = directory.remove(id, self.now()).ok_or("no such contact")?;
        self.webhooks.fire(&self.shared, event::contact("ContactDelete", &gone.contact));
        let mut contact = Contact::clone(directory.contact(&survivor).ok_or("no such contact")?);
        contact.add_tags(&gone.contact.tags);
        if contact.phone.is_none() {
            contact.phone.clone_from(&gone.contact.phone);
        }
        if contact.email.is_none() {
            contact.email.clone_from(&gone.contact.email);
        }
        let contact = self.save(&mut directory, contact);
        if let Some(entry) = directory.get_mut(&survivor) {
            let here = || survivor.clone();
            entry.notes.extend(gone.notes.into_iter().map(|n| Note { contact_id: here(), ..n }));
            entry.tasks.extend(gone.tasks.into_iter().map(|t| Task { contact_id: here(), ..t }));
            let moved = gone.appointments.into_iter();
            entry.appointments.extend(moved.map(|a| Appointment { contact_id: here(), ..a }));
        }
        Ok(shown(&contact))
    }

    fn edit_unsubscribe(&self, id: &Id, channel: Option<&str>) -> Result<Value, String> {
        let channel = channel.unwrap_or("Email");
        if channel != "all" && !CHANNELS.contains(&channel) {
            return Err(format!("`type` must be one of all, {}", CHANNELS.join(", ")));
        }
        self.change(id, |contact| {
            if channel == "all" {
                contact.dnd = true;
            }
            if channel == "Email" {
                contact.unsubscribe_email = true;
            }
            if let Some(place) = contact.dnd_settings.channel(channel) {
                *place = Some(dnd("active", "Unsubscribed in the sandbox"));
            }
        })
    }

    fn edit_note(&self, id: &Id, body: &str) -> Result<Value, String> {
        let mut directory = self.write();
        let entry = directory.get_mut(id).ok_or("no such contact")?;
        let note_id = self.shared.ids.alphanumeric().into();
        let mut note = Note::blank(note_id, id.clone(), self.now());
        body.clone_into(&mut note.body);
        entry.notes.push(note.clone());
        self.webhooks.fire(&self.shared, event::note("NoteCreate", &note));
        Ok(json!({"contactId": &**id, "noteId": &*note.id}))
    }

    fn edit_task(&self, id: &Id, title: &str) -> Result<Value, String> {
        let mut directory = self.write();
        let entry = directory.get_mut(id).ok_or("no such contact")?;
        let task_id = self.shared.ids.alphanumeric().into();
        let mut task = Task::blank(task_id, id.clone(), self.now());
        title.clone_into(&mut task.title);
        task.due_date = Millis(self.now().0 + 24 * HOUR_MS);
        entry.tasks.push(task.clone());
        self.webhooks.fire(&self.shared, event::task("TaskCreate", &task));
        Ok(json!({"contactId": &**id, "taskId": &*task.id}))
    }

    fn edit_field(&self, name: &str) -> Result<Value, String> {
        let mut directory = self.write();
        let field = directory.fields.iter().find(|field| field.is_called(name));
        let id = field.ok_or("no such field")?.id.clone();
        self.delete_field(&mut directory, &id).map_err(|refusal| line(&refusal))?;
        Ok(json!({"fieldId": &*id, "deleted": true}))
    }

    fn edit_tag(&self, name: &str) -> Result<Value, String> {
        let wanted = name.to_lowercase();
        let held = self.read().tags.iter().find(|tag| tag.name == wanted).map(|tag| tag.id.clone());
        let id = held.ok_or("no such tag")?;
        self.replace_tag(&id, None).map_err(|refusal| line(&refusal))?;
        self.write().tags.retain(|tag| tag.id != id);
        Ok(json!({"tagId": &*id, "deleted": true}))
    }
}

fn dnd(status: &str, message: &str) -> Dnd {
    Dnd { status: status.to_owned(), message: Some(message.to_owned()), code: None }
}

fn shown(contact: &Contact) -> Value {
    json!({"contactId": &*contact.id, "contact": super::view::ById::from(contact)})
}

/// A refusal's message in one line.
fn line(refusal: &Refusal) -> String {
    let message = &refusal.body["message"];
    if let Some(all) = message.as_array() {
        return all.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("; ");
    }
    message.as_str().unwrap_or("refused").to_owned()
}
