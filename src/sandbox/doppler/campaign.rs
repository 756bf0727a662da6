//! Campaigns, what became of each mail, and the summaries made of it.

use serde::Serialize;

use super::answer::{Href, Link};
use super::stamp::Stamp;

/// A mailing.
#[derive(Clone, Debug)]
pub struct Campaign {
    /// For the account's owner.
    pub name: String,
    /// What recipients see first.
    pub subject: String,
    /// `Automation` or `Manual`.
    pub kind: &'static str,
    /// How far it is.
    pub status: CampaignStatus,
    /// When it goes or went out, epoch milliseconds.
    pub scheduled: Option<i64>,
    /// Ids of the lists it goes to.
    pub recipients: Vec<u64>,
    /// What came of it.
    pub tally: Tally,
}

/// How far a campaign is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum CampaignStatus {
    /// Being written.
    Draft,
    /// Waiting for its time.
    Scheduled,
    /// On its way.
    Shipping,
    /// Done.
    Shipped,
}

impl CampaignStatus {
    /// As in `?state=`.
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "draft" => Self::Draft,
            "scheduled" => Self::Scheduled,
            "shipping" => Self::Shipping,
            "shipped" => Self::Shipped,
            _ => return None,
        })
    }
}

/// One campaign's mail to one person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Which campaign.
    pub campaign: u64,
    /// What became of it.
    pub status: DeliveryStatus,
    /// How often its links were followed.
    pub clicks: u32,
}

/// What became of a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum DeliveryStatus {
    /// At least once.
    Opened,
    /// Not yet.
    NotOpened,
    /// Refused for now.
    SoftBounced,
    /// Refused for good.
    HardBounced,
}

/// The numbers of a campaign, kept up to date with every delivery.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    sent: u32,
    opened: u32,
    opens: u32,
    clickers: u32,
    clicks: u32,
    soft: u32,
    hard: u32,
    unsubscribed: u32,
    last_open: Option<i64>,
    last_click: Option<i64>,
}

impl Tally {
    /// Counts a mail as sent, with what has become of it so far.
    pub fn sent(&mut self, delivery: Delivery, at: i64) {
        self.sent += 1;
        match delivery.status {
            DeliveryStatus::Opened => self.opened(true, at),
            DeliveryStatus::NotOpened => {}
            DeliveryStatus::SoftBounced => self.soft += 1,
            DeliveryStatus::HardBounced => self.hard += 1,
        }
        for click in 0..delivery.clicks {
            self.clicked(click == 0, at);
        }
    }

    /// Counts an opening.
    pub fn opened(&mut self, first: bool, at: i64) {
        self.opened += u32::from(first);
        self.opens += 1;
        self.last_open = self.last_open.max(Some(at));
    }

    /// Counts a click.
    pub fn clicked(&mut self, first: bool, at: i64) {
        self.clickers += u32::from(first);
        self.clicks += 1;
        self.last_click = self.last_click.max(Some(at));
    }

    /// Counts a hard bounce of a mail that had been taken for delivered.
    pub fn bounced(&mut self, was_opened: bool) {
        self.hard += 1;
        self.opened -= u32::from(was_opened && self.opened > 0);
    }

    /// Counts a person who left because of it.
    pub fn left(&mut self) {
        self.unsubscribed += 1;
    }
}

/// A campaign as the API shows it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Shown<'a> {
    campaign_id: u64,
    name: &'a str,
    from_name: &'static str,
    from_email: &'static str,
    subject: &'a str,
    preheader: &'static str,
    reply_to: &'static str,
    text_campaign: bool,
    status: CampaignStatus,
    scheduled_date: Option<Stamp>,
    recipients_required: bool,
    content_required: bool,
    #[serde(rename = "_links")]
    links: [Link<'a>; 3],
}

impl Campaign {
    /// As the API shows it.
    pub fn shown(&self, id: u64) -> Shown<'_> {
        Shown {
            campaign_id: id,
            name: &self.name,
            from_name: "Tandem",
            from_email: "news@tandem.test",
            subject: &self.subject,
            preheader: "",
            reply_to: "news@tandem.test",
            text_campaign: false,
            status: self.status,
            scheduled_date: self.scheduled.map(Stamp),
            recipients_required: self.recipients.is_empty(),
            content_required: self.status == CampaignStatus::Draft,
            links: [
                Link::account_home(),
                Link { href: Href::Campaign(id), description: "Get campaign.", rel: "self" },
                preview(id),
            ],
        }
    }

    /// `results-summary`; the capital F is theirs.
    pub fn summary(&self) -> Summary {
        let tally = &self.tally;
        let arrived = tally.sent.saturating_sub(tally.soft + tally.hard);
        Summary {
            total_recipients: tally.sent,
            success_full_deliveries: arrived,
            times_forwarded: 0,
            total_times_opened: tally.opens,
            last_open_date: tally.last_open.map(Stamp),
            unique_clicks: tally.clickers,
            unique_opens: tally.opened,
            total_unopened: arrived.saturating_sub(tally.opened),
            total_hard_bounces: tally.hard,
            total_soft_bounces: tally.soft,
            total_clicks: tally.clicks,
            last_click_date: tally.last_click.map(Stamp),
            total_unsubscribers: tally.unsubscribed,
            campaign_status: self.status,
            total_shipped: tally.sent,
            links: [Link::account_home()],
        }
    }
}

/// The numbers of a campaign as the API shows them.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    total_recipients: u32,
    success_full_deliveries: u32,
    times_forwarded: u32,
    total_times_opened: u32,
    last_open_date: Option<Stamp>,
    unique_clicks: u32,
    unique_opens: u32,
    total_unopened: u32,
    total_hard_bounces: u32,
    total_soft_bounces: u32,
    total_clicks: u32,
    last_click_date: Option<Stamp>,
    total_unsubscribers: u32,
    campaign_status: CampaignStatus,
    total_shipped: u32,
    #[serde(rename = "_links")]
    links: [Link<'static>; 1],
}

/// A row of a subscriber's campaign history. It has no time, and there are no rows for single
/// opens or clicks.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ShownDelivery<'a> {
    campaign_id: u64,
    campaign_type: &'static str,
    campaign_name: &'a str,
    campaign_subject: &'a str,
    delivery_status: DeliveryStatus,
    clicks_count: u32,
    is_sending_now: bool,
    #[serde(rename = "_links")]
    links: [Link<'a>; 1],
}

impl Delivery {
    /// As the API shows it.
    pub fn shown(self, campaign: &Campaign) -> ShownDelivery<'_> {
        ShownDelivery {
            campaign_id: self.campaign,
            campaign_type: campaign.kind,
            campaign_name: &campaign.name,
            campaign_subject: &campaign.subject,
            delivery_status: self.status,
            clicks_count: self.clicks,
            is_sending_now: campaign.status == CampaignStatus::Shipping,
            links: [preview(self.campaign)],
        }
    }
}

fn preview(id: u64) -> Link<'static> {
    Link {
        href: Href::Preview(id),
        description: "Get campaign preview",
        rel: "/docs/rels/get-campaign-preview",
    }
}
