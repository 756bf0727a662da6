//! How one try failed, and whether there is to be another.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use reqwest::StatusCode;

use crate::clock::jitter;
use crate::upstream::{Effect, Kind, Priority};

/// How many times a call is tried in all.
const TRIES: u32 = 3;
/// The first pause before another try; each further one doubles.
const BACKOFF: Duration = Duration::from_millis(100);

/// How far a try got.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Stage {
    /// Held back here: no budget, no connection free, no credential, or the system is known to be
    /// down.
    Held,
    /// No connection could be made, so nothing was sent.
    Unconnected,
    /// Sent, and no whole answer came.
    Unanswered,
    Answered,
}

/// A try that failed.
#[derive(Debug)]
pub(super) struct Failure {
    pub kind: Kind,
    pub stage: Stage,
    /// Whether the trouble is likely to pass within a moment.
    passing: bool,
    /// Refused for its credential, and there is another by now.
    pub renewed: bool,
    pub source: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

impl Failure {
    /// Not sent, for a reason on our side.
    pub(super) fn held(kind: Kind) -> Self {
        Self { kind, stage: Stage::Held, passing: false, renewed: false, source: None }
    }

    /// No answer came in time.
    pub(super) fn silence() -> Self {
        Self {
            kind: Kind::Timeout,
            stage: Stage::Unanswered,
            passing: false,
            renewed: false,
            source: None,
        }
    }

    /// The system answered with an error.
    pub(super) fn refusal(status: StatusCode, kind: Kind) -> Self {
        let passing = matches!(status.as_u16(), 502..=504) || kind == Kind::Malformed;
        Self { kind, stage: Stage::Answered, passing, renewed: false, source: None }
    }

    /// The answer is longer than anything we ask for.
    pub(super) fn too_long() -> Self {
        Self {
            kind: Kind::Malformed,
            stage: Stage::Answered,
            passing: false,
            renewed: false,
            source: None,
        }
    }

    /// A success whose body is not what it should be.
    pub(super) fn unreadable(error: &serde_json::Error) -> Self {
        Self {
            kind: Kind::Malformed,
            stage: Stage::Answered,
            passing: true,
            renewed: false,
            source: Some(Arc::new(Unreadable::from(error))),
        }
    }

    /// Whether a write that failed so may have taken effect: it was sent, and no answer says that it
    /// was refused. An answer that cannot be understood may hide a success, and one that speaks of
    /// trouble may come from something before the system that gave up waiting.
    pub(super) fn leaves_doubt(&self, effect: Effect) -> bool {
        let untold = match self.stage {
            Stage::Held | Stage::Unconnected => false,
            Stage::Unanswered => true,
            Stage::Answered => matches!(self.kind, Kind::Unavailable | Kind::Malformed),
        };
        effect.writes() && untold
    }

    /// How long to pause before the next of all tries; `None`: this was the last.
    ///
    /// A read may be repeated when the trouble is likely to pass, and so may a write that comes to
    /// the same however often it is sent. Any other may be repeated only if it certainly had no
    /// effect: nothing was sent, or it was refused for its rate.
    pub(super) fn pause(&self, effect: Effect, priority: Priority, tried: u32) -> Option<Duration> {
        if tried >= TRIES || self.stage == Stage::Held {
            return None;
        }
        if self.renewed {
            return Some(Duration::ZERO);
        }
        if let Kind::RateLimited { daily, .. } = self.kind {
            // The budget knows how long to wait; background work is put off instead.
            return (!daily && priority == Priority::Interactive).then_some(Duration::ZERO);
        }
        let harmless = effect != Effect::Write || self.stage == Stage::Unconnected;
        let again = self.passing && harmless && (self.kind != Kind::Malformed || tried == 1);
        again.then(|| jitter(BACKOFF * (1 << (tried - 1))))
    }
}

impl From<reqwest::Error> for Failure {
    /// The error's URL is taken out of it: it holds ids and addresses.
    fn from(error: reqwest::Error) -> Self {
        let stage = if error.is_connect() { Stage::Unconnected } else { Stage::Unanswered };
        Self {
            kind: Kind::Unavailable,
            stage,
            passing: true,
            renewed: false,
            source: Some(Arc::new(error.without_url())),
        }
    }
}

/// Where a body stopped making sense. Unlike the parser's own error it quotes nothing of it.
#[derive(Debug)]
struct Unreadable {
    category: serde_json::error::Category,
    line: usize,
    column: usize,
}

impl From<&serde_json::Error> for Unreadable {
    fn from(error: &serde_json::Error) -> Self {
        Self { category: error.classify(), line: error.line(), column: error.column() }
    }
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} error at line {} column {}", self.category, self.line, self.column)
    }
}

impl std::error::Error for Unreadable {}

#[cfg(test)]
mod tests {
    use super::*;

    fn tries(failure: &Failure, effect: Effect) -> u32 {
        let mut tried = 1;
        while failure.pause(effect, Priority::Interactive, tried).is_some() {
            tried += 1;
        }
        tried
    }

    #[test]
    fn a_read_is_repeated_when_the_trouble_may_pass() {
        let unavailable =
            |status| Failure::refusal(StatusCode::from_u16(status).unwrap(), Kind::Unavailable);
        for (failure, times) in [
            (unavailable(502), 3),
            (unavailable(503), 3),
            (unavailable(504), 3),
            (unavailable(500), 1),
            (unavailable(403), 1),
            (Failure::refusal(StatusCode::BAD_REQUEST, Kind::NotFound), 1),
            (Failure::refusal(StatusCode::NOT_FOUND, Kind::Malformed), 2),
            (Failure::too_long(), 1),
            (Failure::silence(), 1),
            (Failure::held(Kind::Unavailable), 1),
        ] {
            assert_eq!(tries(&failure, Effect::Read), times, "{failure:?}");
            assert_eq!(tries(&failure, Effect::Repeatable), times, "{failure:?}");
            assert_eq!(tries(&failure, Effect::Write), 1, "{failure:?}");
        }
    }

    #[test]
    fn a_refused_rate_is_waited_out_by_people_only() {
        let kind = |daily| Kind::RateLimited { retry_after: Duration::from_secs(1), daily };
        let limited = Failure::refusal(StatusCode::TOO_MANY_REQUESTS, kind(false));
        assert_eq!(tries(&limited, Effect::Write), 3);
        assert_eq!(limited.pause(Effect::Read, Priority::Background, 1), None);
        let spent = Failure::refusal(StatusCode::TOO_MANY_REQUESTS, kind(true));
        assert_eq!(tries(&spent, Effect::Read), 1);
    }

    #[test]
    fn an_unreadable_body_is_not_quoted() {
        let error = serde_json::from_str::<u32>("\"ana@example.com\"").unwrap_err();
        assert!(error.to_string().contains("ana@example.com"), "the parser quotes it");
        let source = Failure::unreadable(&error).source.unwrap();
        assert!(!format!("{source} {source:?}").contains("ana"));
    }
}
