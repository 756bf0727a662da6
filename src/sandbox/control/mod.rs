//! The sandbox's own routes (`/control/...`): looking into both fakes and making things happen.

pub mod edit;
