//! Whether anything may be written: HighLevel's credential decides for both systems, so that no person is
//! half written.
//!
//! While it is known to only read, work in the background waits as it is, and nothing counts as tried. Whoever
//! watches the credential brings it forward once it may write. Where only a refused write told of it, nobody
//! hears when the token is given the right: what was put off is due when the refusal does not count any more,
//! and the first write tells again.

use crate::store::{Lease, Next, Record};
use crate::upstream::{Directory, REFUSAL_COUNTS, Writing};

use super::{Error, Inner};

impl Inner {
    /// What is known of whether HighLevel's credential may write.
    pub(super) fn writing(&self) -> Writing {
        Directory::status(&*self.parts.crm).writing
    }

    /// Puts work off that may not write anything, with all that is due beside it; whether it did.
    pub(super) async fn put_off(&self, lease: &Lease) -> Result<bool, Error> {
        let barred = self.writing().is_read_only();
        if barred {
            let now = self.parts.clock.now();
            let until = now + REFUSAL_COUNTS;
            let record = Record { next: Next::Again(until), ..Record::default() };
            self.parts.store.record(lease, record, now).await?;
            self.parts.store.put_off(&lease.workspace, lease.kind, now, until).await?;
        }
        Ok(barred)
    }
}
