//! Calls that the fakes make to the outside: webhooks and import callbacks.

use std::sync::OnceLock;
use std::time::Duration;

/// Answers later than this count as none.
const TIMEOUT: Duration = Duration::from_secs(10);

/// A client made when first used, since most sandboxes call nobody.
#[derive(Debug, Default)]
pub struct Outbound(OnceLock<reqwest::Client>);

impl Outbound {
    /// Posts JSON and answers the status, or `None` when no answer came.
    pub async fn post(
        &self,
        url: url::Url,
        headers: &[(&str, String)],
        body: Vec<u8>,
    ) -> Option<u16> {
        let client = self.client()?;
        let mut request = client.post(url).header("Content-Type", "application/json").body(body);
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        let answer = client.execute(request.build().ok()?).await.ok()?;
        Some(answer.status().as_u16())
    }

    fn client(&self) -> Option<&reqwest::Client> {
        if self.0.get().is_none() {
            let none = reqwest::redirect::Policy::none();
            let client = reqwest::Client::builder()
                .timeout(TIMEOUT)
                .redirect(none)
                .user_agent("tandem-sandbox")
                .no_proxy()
                .build();
            let _ = self.0.set(client.ok()?);
        }
        self.0.get()
    }
}
