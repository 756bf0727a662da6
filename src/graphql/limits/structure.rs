//! What a document becomes when all its fragments are written out.
//!
//! It looks at every operation and every fragment, used or not: validation does so too, and would
//! be kept busy by the ones that are not run.

use std::collections::HashMap;

use async_graphql::Name;
use async_graphql::parser::types::{ExecutableDocument, Selection, SelectionSet};

use super::{Limits, Refusal};

/// A selection set, written out.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
struct Size {
    selections: u64,
    /// Levels of fields and fragments below.
    height: usize,
}

/// What is known of a fragment.
#[derive(Clone, Copy)]
enum Known {
    /// It is being counted: who meets it now is inside it.
    Open,
    Counted(Size),
}

struct Counter<'a> {
    document: &'a ExecutableDocument,
    limits: &'a Limits,
    known: HashMap<&'a Name, Known>,
    /// Selections looked at, for the tests: how much work it was.
    visited: u64,
    /// Directives of the definitions that are being looked at.
    directives: u64,
}

/// Refuses fragments that never end, and documents that are too large or too deep once they are
/// written out.
pub(super) fn check(document: &ExecutableDocument, limits: &Limits) -> Result<(), Refusal> {
    count(document, limits).map(|_| ())
}

/// How many selections were looked at.
pub(super) fn count(document: &ExecutableDocument, limits: &Limits) -> Result<u64, Refusal> {
    let mut counter =
        Counter { document, limits, known: HashMap::new(), visited: 0, directives: 0 };
    let mut total = 0_u64;
    for (_, operation) in document.operations.iter() {
        counter.directives = super::outer_directives(&operation.node);
        let size = counter.set(&operation.node.selection_set.node, 1)?;
        total = total.saturating_add(size.selections);
        counter.fits_directives()?;
    }
    for name in document.fragments.keys() {
        counter.directives = 0;
        total = total.saturating_add(counter.fragment(name, 1)?.selections);
        counter.fits_directives()?;
    }
    if total > limits.selections as u64 {
        return Err(Refusal::too_complex(
            "selections, with all fragments written out",
            total,
            limits.selections,
        ));
    }
    Ok(counter.visited)
}

impl<'a> Counter<'a> {
    /// Sizes a selection set that is `level` levels inside what is being counted.
    fn set(&mut self, set: &'a SelectionSet, level: usize) -> Result<Size, Refusal> {
        self.fits(level)?;
        let mut size = Size::default();
        for item in &set.items {
            self.visited += 1;
            self.directives += item.node.directives().len() as u64;
            let inner = match &item.node {
                Selection::Field(field) => self.set(&field.node.selection_set.node, level + 1)?,
                Selection::InlineFragment(inline) => {
                    self.set(&inline.node.selection_set.node, level + 1)?
                }
                Selection::FragmentSpread(spread) => {
                    self.fragment(&spread.node.fragment_name.node, level + 1)?
                }
            };
            size.selections = size.selections.saturating_add(inner.selections).saturating_add(1);
            size.height = size.height.max(inner.height + 1);
        }
        Ok(size)
    }

    /// Sizes a fragment, once. One that is not there is for validation to find.
    fn fragment(&mut self, name: &'a Name, level: usize) -> Result<Size, Refusal> {
        match self.known.get(name) {
            Some(Known::Open) => return Err(Refusal::cycle(name)),
            Some(Known::Counted(size)) => {
                let size = *size;
                self.fits(level + size.height)?;
                return Ok(size);
            }
            None => {}
        }
        let Some(fragment) = self.document.fragments.get(name) else { return Ok(Size::default()) };
        self.known.insert(name, Known::Open);
        self.directives += fragment.node.directives.len() as u64;
        let size = self.set(&fragment.node.selection_set.node, level)?;
        self.known.insert(name, Known::Counted(size));
        Ok(size)
    }

    /// Each is validated, wherever it stands.
    fn fits_directives(&self) -> Result<(), Refusal> {
        let limit = self.limits.directives;
        if self.directives > limit as u64 {
            return Err(Refusal::too_complex("directives", self.directives, limit));
        }
        Ok(())
    }

    /// This is also what keeps the recursion here, and later in validation, off the stack's end.
    fn fits(&self, level: usize) -> Result<(), Refusal> {
        let limit = self.limits.nesting;
        if level > limit {
            return Err(Refusal::too_deep("with all fragments written out it is", level, limit));
        }
        Ok(())
    }
}
