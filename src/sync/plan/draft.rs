//! The plan while it is made.

use crate::unified::{
    ActionKind, Agreement, Edit, EditId, System, SystemWrite, UserError, UserErrorCode,
    WriteOutcome,
};

use super::{
    Action, EditPart, HoldDraft, Input, Known, Need, Over, Part, Payload, Plan, When, holds, others,
};

/// The plan while it is made: each topic adds to it.
pub(super) struct Draft<'a> {
    pub input: &'a Input<'a>,
    pub actions: Vec<Action>,
    /// Every hold that is called for, whether it is open already or not.
    pub wanted: Vec<HoldDraft>,
    /// Holds that a decision ended.
    pub decided: Vec<Over>,
    pub reasons: Vec<String>,
    pub needs: Vec<Need>,
    pub agreement: Agreement,
    /// A tag that says where the person was deleted.
    pub deleted_tag: Option<&'static str>,
    /// Where the person is opted out because they were deleted in the other system.
    pub opt_out_of: Option<System>,
    /// Whether nothing but consent is planned for now.
    pub waits: bool,
    known: Vec<(EditId, System, Known)>,
    depends: Vec<(EditId, System, usize)>,
}

impl<'a> Draft<'a> {
    pub fn new(input: &'a Input<'a>) -> Self {
        Self {
            input,
            actions: Vec::new(),
            wanted: Vec::new(),
            decided: Vec::new(),
            reasons: Vec::new(),
            needs: Vec::new(),
            agreement: input.agreement.clone(),
            deleted_tag: None,
            opt_out_of: None,
            waits: false,
            known: Vec::new(),
            depends: Vec::new(),
        }
    }

    /// Adds an action that edits wait for; now, or when the system can be read.
    pub fn act(&mut self, mut action: Action, edits: &[EditId]) {
        if action.when == When::Now
            && let Some(code) = self.input.unread(action.system)
        {
            if self.input.other(action.system).is_some() {
                others::hold_back(self, action.system, (action.system, edits));
                return;
            }
            action.when = When::Later { code: code.to_owned() };
        }
        let index = self.actions.len();
        self.depends.extend(edits.iter().map(|edit| (*edit, action.system, index)));
        self.actions.push(action);
    }

    /// Says that something is not done, and why.
    pub fn skip(&mut self, system: System, reason: impl Into<String>, edits: &[EditId]) {
        let reason = reason.into();
        let mut action = Action::new(system, ActionKind::Skip, Payload::Nothing, reason.clone());
        action.when = When::Never;
        self.actions.push(action);
        for edit in edits {
            self.know(*edit, system, WriteOutcome::Skipped, Some(reason.clone()));
        }
    }

    /// Adds an action that waits until a system, not always its own, can be read.
    pub fn wait(&mut self, mut action: Action, code: &str, edits: &[EditId]) {
        let unread = |system: &System| self.input.unread(*system) == Some(code);
        let other = System::ALL.into_iter().filter(unread);
        if let Some(of) = { other }.find(|system| self.input.other(*system).is_some()) {
            others::hold_back(self, of, (action.system, edits));
            return;
        }
        action.when = When::Later { code: code.to_owned() };
        self.act(action, edits);
    }

    /// Asks for something that has to be read before the rest can be planned.
    pub fn ask(&mut self, need: Need) {
        if !self.needs.contains(&need) {
            self.needs.push(need);
        }
    }

    /// Whether anything is said yet of what an edit comes to in a system.
    pub fn says(&self, edit: EditId, system: System) -> bool {
        let is = |other: &EditId, in_system: &System| *other == edit && *in_system == system;
        self.known.iter().any(|(other, at, _)| is(other, at))
            || self.depends.iter().any(|(other, at, _)| is(other, at))
    }

    /// Makes edits wait for an action that is planned already.
    pub fn depend(&mut self, index: usize, edits: &[EditId]) {
        let Some(system) = self.actions.get(index).map(|action| action.system) else { return };
        self.depends.extend(edits.iter().map(|edit| (*edit, system, index)));
    }

    /// Makes an edit wait for every write of a system.
    pub fn depend_on_all(&mut self, edit: EditId, system: System) {
        let writes = self
            .actions
            .iter()
            .enumerate()
            .filter(|(_, action)| action.system == system && action.when != When::Never);
        self.depends.extend(writes.map(|(index, _)| (edit, system, index)));
    }

    /// What an edit comes to in a system without a call.
    pub fn know(
        &mut self,
        edit: EditId,
        system: System,
        outcome: WriteOutcome,
        reason: Option<String>,
    ) {
        let write = SystemWrite { system, outcome, reason, code: None };
        self.known.push((edit, system, Known { write, error: None, result: None }));
    }

    /// The same, with everything that can be said.
    pub fn know_all(&mut self, edit: EditId, known: Known) {
        self.known.push((edit, known.write.system, known));
    }

    /// Refuses an edit in a system, because of what it asks for.
    pub fn refuse(&mut self, edit: &Edit, system: System, code: UserErrorCode, message: &str) {
        let write = SystemWrite {
            system,
            // What a system cannot do is not asked of it.
            outcome: if code == UserErrorCode::NotSupported {
                WriteOutcome::Skipped
            } else {
                WriteOutcome::Rejected
            },
            reason: Some(message.to_owned()),
            code: None,
        };
        let error = Some(UserError::new(code, message, ["input"]));
        self.known.push((edit.id, system, Known { write, error, result: None }));
    }

    /// Adds a reason once.
    pub fn because(&mut self, reason: impl Into<String>) {
        let reason = reason.into();
        if !self.reasons.contains(&reason) {
            self.reasons.push(reason);
        }
    }

    /// The plan, with the holds that are new and those that are over.
    pub fn finish(self) -> Plan {
        let (holds, over) = holds::compare(self.input, (self.wanted, self.decided), self.waits);
        let mut edits: Vec<EditPart> = Vec::new();
        for (edit, system, known) in self.known {
            edits.push(EditPart { edit, system, part: Part::Known(known) });
        }
        for (edit, system, index) in self.depends {
            let found = edits.iter_mut().find_map(|part| match &mut part.part {
                Part::Depends(on) if part.edit == edit && part.system == system => Some(on),
                Part::Depends(_) | Part::Known(_) => None,
            });
            match found {
                Some(on) if on.contains(&index) => {}
                Some(on) => on.push(index),
                None => {
                    edits.push(EditPart { edit, system, part: Part::Depends(vec![index]) });
                }
            }
        }
        Plan {
            contact: self.input.contact,
            actions: self.actions,
            holds,
            over,
            reasons: self.reasons,
            edits,
            needs: self.needs,
            agreement: self.agreement,
        }
    }
}
