//! What became of an e-mail sent to a contact.

use async_graphql::{ID, Object};

use super::enums::DeliveryStatus;
use crate::graphql::ids::GlobalId;
use crate::graphql::scalars::DateTime;
use crate::unified::{self, ContactId};

/// A campaign's delivery to a contact, by Doppler.
pub struct Delivery {
    pub delivery: unified::Delivery,
    pub to: ContactId,
    pub first_seen_at: Option<chrono::DateTime<chrono::Utc>>,
}

/// What became of one campaign's e-mail to a contact, by Doppler.
#[Object]
impl Delivery {
    /// The delivery's global id.
    pub async fn id(&self) -> ID {
        GlobalId::Delivery(self.to, self.delivery.campaign_id.clone()).encode()
    }

    /// Doppler's campaign.
    async fn campaign_id(&self) -> &str {
        &self.delivery.campaign_id
    }

    /// The campaign's name, for example `March news`.
    async fn campaign_name(&self) -> Option<&str> {
        self.delivery.campaign_name.as_deref()
    }

    /// The subject line.
    async fn campaign_subject(&self) -> Option<&str> {
        self.delivery.campaign_subject.as_deref()
    }

    /// What became of it.
    async fn status(&self) -> DeliveryStatus {
        self.delivery.status.into()
    }

    /// How often a link in it was followed.
    async fn clicks(&self) -> u32 {
        self.delivery.clicks
    }

    /// When Tandem saw this delivery for the first time; Doppler tells no times.
    async fn first_seen_at(&self) -> Option<DateTime> {
        self.first_seen_at.map(DateTime)
    }
}
