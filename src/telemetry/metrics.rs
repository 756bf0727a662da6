//! The Prometheus recorder, without a listener of its own: `/metrics` is a route like any other.

use std::sync::OnceLock;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

use super::names;

/// Seconds. Fine where the budget of a cached answer is (a millisecond), coarse up to a time-out.
const DURATIONS: [f64; 13] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

static INSTALLED: OnceLock<PrometheusHandle> = OnceLock::new();

/// A handle on the metrics of this process. Clones show the same.
#[derive(Clone, Debug)]
pub struct Metrics(PrometheusHandle);

impl Metrics {
    pub(super) fn install() -> Self {
        Self(INSTALLED.get_or_init(start).clone())
    }

    /// Everything measured so far, in Prometheus's text format.
    pub fn render(&self) -> String {
        self.0.render()
    }

    /// Folds samples taken since the last call into their histograms. Without it, or [`render`],
    /// each sample stays in memory: call it every few seconds.
    ///
    /// [`render`]: Metrics::render
    pub fn upkeep(&self) {
        self.0.run_upkeep();
    }
}

fn start() -> PrometheusHandle {
    let recorder = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix(names::SECONDS.to_owned()), &DURATIONS)
        .expect("the list of buckets is not empty")
        .build_recorder();
    let handle = recorder.handle();
    // Someone else's recorder stays where it is; ours then shows nothing, which harms no one.
    let _ = metrics::set_global_recorder(recorder);
    describe();
    handle
}

fn describe() {
    for (name, help) in names::COUNTERS {
        metrics::describe_counter!(name, help);
    }
    for (name, help) in names::GAUGES {
        metrics::describe_gauge!(name, help);
    }
    for (name, help) in names::HISTOGRAMS {
        metrics::describe_histogram!(name, metrics::Unit::Seconds, help);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_installs_show_the_same() {
        let (one, other) = (Metrics::install(), Metrics::install());
        // Labels of its own, because all tests of the program count into the same metrics.
        metrics::counter!(names::CACHE_READS, "outcome" => "ours").increment(3);
        metrics::histogram!(names::UPSTREAM_DURATION, "system" => "OURS").record(0.2);
        other.upkeep();
        for shown in [one.render(), other.render()] {
            assert!(shown.contains("# HELP tandem_cache_reads_total"), "{shown}");
            assert!(shown.contains(r#"tandem_cache_reads_total{outcome="ours"} 3"#), "{shown}");
            let bucket =
                r#"tandem_upstream_call_duration_seconds_bucket{system="OURS",le="0.25"} 1"#;
            assert!(shown.contains(bucket), "{shown}");
        }
    }
}
