//! Which actions of a plan one call makes. Pure.
//!
//! An opt-out in HighLevel is an action of its own, first of all, so that nothing holds it up. Where other
//! values of the same contact follow, both are one update, at half the calls; if that is refused the opt-out
//! is made alone ([`super::act`]).

use crate::sync::plan::{Action, Payload, Plan, When};
use crate::unified::{ContactEdit, HighLevelId, System};

/// The next action that one call makes with an opt-out, and both as one action.
pub(in crate::sync) fn with_next(plan: &Plan, index: usize) -> Option<(usize, Action)> {
    let mut all = plan.actions.iter().enumerate().skip(index);
    let (id, first) = all.next().and_then(|(_, action)| updated(action))?;
    let (next, action) =
        all.find(|(_, action)| action.system == System::HighLevel && action.is_write())?;
    let (other, second) = updated(action)?;
    let email_dnd = first.email_dnd.clone();
    let alone = ContactEdit { email_dnd: email_dnd.clone(), ..ContactEdit::default() };
    if id != other || email_dnd.is_none() || *first != alone || second.email_dnd.is_some() {
        return None;
    }
    let both = ContactEdit { email_dnd, ..second.clone() };
    let mut made = plan.actions.get(index)?.clone();
    made.payload = Payload::UpdateContact { id: id.clone(), edit: Box::new(both) };
    made.fields.extend(action.fields.iter().cloned());
    Some((next, made))
}

/// The contact and its new values, where an action changes them now.
fn updated(action: &Action) -> Option<(&HighLevelId, &ContactEdit)> {
    let Payload::UpdateContact { id, edit } = &action.payload else { return None };
    (action.when == When::Now && action.edit.is_none()).then_some((id, edit))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::unified::{ActionKind, Agreement, Assign, ContactId, EmailDnd, fixture};

    fn update(edit: ContactEdit) -> Action {
        let payload = Payload::UpdateContact { id: "h1".into(), edit: Box::new(edit) };
        Action::new(System::HighLevel, ActionKind::Update, payload, "because")
    }

    fn plan(actions: Vec<Action>) -> Plan {
        Plan::only(ContactId(uuid::Uuid::nil()), actions, Agreement::default())
    }

    #[test]
    fn an_opt_out_and_the_values_after_it_are_one_update() {
        let email_dnd = Some(EmailDnd::new(true, &fixture::contact()));
        let opt_out = update(ContactEdit { email_dnd, ..ContactEdit::default() });
        let named =
            ContactEdit { first_name: Assign::Set("Ana".to_owned()), ..ContactEdit::default() };
        let values = update(named.clone());
        let doppler = Payload::OptOut { email: "ana@example.com".to_owned() };
        let doppler = Action::new(System::Doppler, ActionKind::Unsubscribe, doppler, "because");
        let tags = Payload::AddTags { id: "h1".into(), tags: Vec::new() };
        let tags = Action::new(System::HighLevel, ActionKind::Tag, tags, "because");
        let whole = plan(vec![opt_out.clone(), doppler, values.clone()]);
        let (next, both) = with_next(&whole, 0).unwrap();
        let (_, edit) = updated(&both).unwrap();
        assert_eq!((next, &edit.first_name), (2, &named.first_name));
        assert!(edit.email_dnd.is_some());
        assert!(with_next(&whole, 2).is_none(), "nothing follows");
        let later = Action { when: When::Later { code: "X".to_owned() }, ..values.clone() };
        for other in [
            vec![opt_out.clone(), tags, values.clone()],
            vec![values.clone(), values.clone()],
            vec![opt_out.clone(), later],
            vec![opt_out.clone(), opt_out],
        ] {
            assert!(with_next(&plan(other.clone()), 0).is_none(), "{other:?}");
        }
    }
}
