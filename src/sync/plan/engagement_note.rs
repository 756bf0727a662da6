//! Notes about what a person did with a campaign's mail: one a campaign and person, changed when more
//! happens and not repeated. Off by default.
//!
//! What is written is what [`Engagement::noted`] says: nothing that was there before somebody asked for
//! notes. A note that somebody deleted is not written again.

use crate::unified::{
    ActionKind, Base, Canonical, DeliveryStatus, Engagement, HighLevelId, MappingRule, Note,
    NoteDraft, NoteEdit, System,
};

use super::draft::Draft;
use super::{Action, Payload, PlannedField, Scope, due, notes};

/// What the agreement calls a campaign's note begins so. The base's value is the note's id, and what
/// was sent is its text.
const PREFIX: &str = "notes.engagement.";
const REASON: &str = "the person did something with a campaign's mail";

/// Plans the notes that are missing or say too little.
pub(super) fn plan(draft: &mut Draft<'_>) {
    let input = draft.input;
    let asked = input.mapping.notes.engagement_notes && input.scope == Scope::Everything;
    if !asked || !input.is_open(System::HighLevel) {
        return;
    }
    let Some(contact) = input.highlevel.present().map(|contact| contact.id.clone()) else { return };
    for engagement in input.extra.engagements.iter().filter(|one| one.noted) {
        if let Some(text) = text(engagement) {
            one(draft, &contact, (&engagement.campaign, text));
        }
    }
}

fn one(draft: &mut Draft<'_>, contact: &HighLevelId, (campaign, text): (&str, String)) {
    let key = format!("{PREFIX}{campaign}");
    let base = draft.agreement.highlevel.get(&key);
    let has_note = base.is_some_and(|base| note_of(&key, base).is_some());
    if !has_note && look_it_up(draft, &key) {
        return;
    }
    let old = draft.agreement.highlevel.get(&key).cloned();
    let before = old.as_ref().and_then(|base| base.sent.as_ref()).map(ToString::to_string);
    if before.as_ref() == Some(&text) {
        due::is_over(draft, &key);
        return;
    }
    let wanted = Canonical::Text(text.clone());
    if due::is_given_up(draft, &key, (System::HighLevel, &wanted)) {
        let value = old.map_or(Canonical::Null, |base| base.value);
        due::is_over(draft, &key);
        draft.agreement.highlevel.insert(key, Base { value, sent: Some(wanted) });
        return;
    }
    let contact = contact.clone();
    let payload = match old.map(|base| base.value) {
        Some(Canonical::Text(note)) => {
            let edit = NoteEdit { body: Some(text.clone()), title: None };
            Payload::UpdateNote { contact, note, edit }
        }
        Some(Canonical::Null | Canonical::Set(_)) | None => {
            Payload::CreateNote { contact, draft: NoteDraft { body: text.clone(), title: None } }
        }
    };
    let planned = PlannedField {
        field: key,
        before,
        after: Some(text),
        rule: MappingRule::Owner,
        reason: Some(REASON.to_owned()),
    };
    let action = Action::new(System::HighLevel, ActionKind::Note, payload, REASON);
    draft.act(action.with(vec![planned]), &[]);
}

/// Looks for the note where a call may have written it; whether the notes have to be read first.
fn look_it_up(draft: &mut Draft<'_>, key: &str) -> bool {
    let input = draft.input;
    let in_doubt = input.extra.pending.iter().filter(|one| one.fields.iter().any(|f| f == key));
    let sent = in_doubt.filter_map(|one| match serde_json::from_str(&one.body) {
        Ok(Payload::CreateNote { draft, .. }) => Some(draft.body),
        Ok(_) | Err(_) => None,
    });
    let sent: Vec<String> = sent.collect();
    if sent.is_empty() {
        return false;
    }
    let Some(notes) = notes::read(draft, &[]) else { return true };
    let body = |note: &Note| note.body.as_deref().map(str::trim).unwrap_or_default().to_owned();
    let found = notes.iter().find_map(|note| {
        let body = body(note);
        sent.iter().find(|sent| sent.trim() == body).map(|sent| (note.id.clone(), sent.clone()))
    });
    if let Some((id, sent)) = found {
        let base = Base { value: Canonical::Text(id), sent: Some(Canonical::Text(sent)) };
        draft.agreement.highlevel.insert(key.to_owned(), base);
    }
    false
}

/// What the note says; `None`: nothing worth one.
fn text(engagement: &Engagement) -> Option<String> {
    let name = engagement.name.as_deref().unwrap_or(&engagement.campaign);
    let clicks = match engagement.clicks {
        0 => String::new(),
        1 => ", followed a link".to_owned(),
        many => format!(", followed a link {many} times"),
    };
    let what = match engagement.status {
        DeliveryStatus::Opened => "opened",
        DeliveryStatus::SoftBounced => "could not be delivered for now",
        DeliveryStatus::HardBounced => "could not be delivered, for good",
        DeliveryStatus::NotOpened | DeliveryStatus::Unknown if clicks.is_empty() => return None,
        DeliveryStatus::NotOpened | DeliveryStatus::Unknown => "sent",
    };
    Some(format!("Doppler campaign {name}: {what}{clicks}"))
}

/// Whether the agreement's name of something is that of such a note.
pub(in crate::sync) fn is_it(field: &str) -> bool {
    field.starts_with(PREFIX)
}

/// The id of the note where a base is about one of these notes.
pub(in crate::sync) fn note_of<'a>(field: &str, base: &'a Base) -> Option<&'a str> {
    match &base.value {
        Canonical::Text(id) if is_it(field) => Some(id),
        Canonical::Text(_) | Canonical::Null | Canonical::Set(_) => None,
    }
}

/// What is agreed once an action wrote a note; `result`: its id.
pub(in crate::sync) fn written(
    action: &Action,
    result: Option<&str>,
) -> impl Iterator<Item = (String, Base)> {
    let (id, text) = if let Payload::CreateNote { draft, .. } = &action.payload {
        (result, Some(&draft.body))
    } else if let Payload::UpdateNote { note, edit, .. } = &action.payload {
        (Some(note.as_str()), edit.body.as_ref())
    } else {
        (None, None)
    };
    let base = id.zip(text).map(|(id, text)| Base {
        value: Canonical::Text(id.to_owned()),
        sent: Some(Canonical::Text(text.clone())),
    });
    let fields = action.fields.iter().filter(|planned| is_it(&planned.field));
    fields.filter_map(move |planned| Some((planned.field.clone(), base.clone()?)))
}
