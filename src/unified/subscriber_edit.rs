//! What is written to Doppler, in neutral form.

use serde::{Deserialize, Serialize};

/// A subscriber to be created or changed. Fields that are not named keep their values.
#[derive(Clone, Debug, Default, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct SubscriberEdit {
    /// The identity; Doppler cannot change it.
    pub email: String,
    /// Doppler's field name in the account's exact case, and the value; an empty one clears.
    pub fields: Vec<(String, String)>,
}

/// A field to be made in Doppler.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct FieldDraft {
    /// 1 to 50 letters and digits, unique in any case.
    pub name: String,
    /// Doppler's type name, such as `string` or `date`.
    pub kind: String,
    /// Not shown in Doppler's forms.
    pub private: bool,
}

/// An import, which Doppler works off after it was accepted.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct ImportTask {
    pub id: String,
    pub state: ImportState,
}

/// How far an import is.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum ImportState {
    /// Nothing of it can be relied on yet.
    Running,
    /// Over. Which rows failed is not told, only how many.
    Completed(ImportCounts),
    /// Given up by Doppler.
    Failed,
}

/// What became of an import's rows.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct ImportCounts {
    pub processed: u32,
    pub created: u32,
    pub updated: u32,
    pub invalid_emails: u32,
    /// Who unsubscribed and so was left alone.
    pub opted_out: u32,
    /// Who cannot be reached, by any kind of bounce, or is blocked by Doppler.
    pub undeliverable: u32,
    /// Rows with a value that its field does not take.
    pub mismatched: u32,
}
