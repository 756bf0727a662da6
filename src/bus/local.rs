//! The bus inside one process.

use tokio::sync::broadcast;

use super::{Bus, Heard, Listener, News};

/// How much news a slow listener may have waiting before it loses the oldest.
const BACKLOG: usize = 1024;

/// Inside one process. Clones are the same bus.
#[derive(Clone, Debug)]
pub struct Local(broadcast::Sender<Heard>);

impl Local {
    /// A bus without listeners.
    pub fn new() -> Self {
        Self(broadcast::channel(BACKLOG).0)
    }

    /// Tells the listeners of this process.
    pub fn tell(&self, heard: Heard) {
        // An error only says that nobody listens.
        let _ = self.0.send(heard);
    }
}

impl Bus for Local {
    fn publish(&self, news: News) {
        self.tell(Heard::News { news, ours: true });
    }

    fn listen(&self) -> Listener {
        Listener(self.0.subscribe())
    }

    fn reaches_others(&self) -> bool {
        false
    }
}
