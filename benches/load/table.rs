//! The one table, and where the gateway stands by it.

use crate::client::Pace;
use crate::world::Kind;

/// What was seen of one server in one round.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    pub pace: Pace,
    pub peak_mib: f64,
    /// Shares of a CPU.
    pub server: f64,
    pub sandbox: f64,
    pub generator: f64,
}

/// One line of the table.
#[derive(Clone, Debug)]
pub struct Row {
    pub case: &'static str,
    pub key: &'static str,
    /// `None`: the upstream itself.
    pub kind: Option<Kind>,
    /// Upstream calls for one answer.
    pub calls: f64,
    pub samples: Vec<Sample>,
}

impl Row {
    /// The median over the rounds.
    pub fn median(&self, pick: impl Fn(&Sample) -> f64) -> f64 {
        let mut values: Vec<f64> = self.samples.iter().map(pick).collect();
        values.sort_by(f64::total_cmp);
        let middle = values.len() / 2;
        match values.len() % 2 {
            _ if values.is_empty() => f64::NAN,
            0 => f64::midpoint(values[middle - 1], values[middle]),
            _ => values[middle],
        }
    }

    fn per_second(&self) -> f64 {
        self.median(|sample| sample.pace.per_second)
    }

    /// CPU time of the server for one answer, in microseconds: suffers less than the pace from what
    /// else runs on the machine.
    fn cpu_us(&self) -> f64 {
        self.median(|sample| sample.server / sample.pace.per_second) * 1e6
    }

    fn p99(&self) -> f64 {
        self.median(|sample| sample.pace.p99_ms)
    }

    fn peak(&self) -> f64 {
        self.samples.iter().map(|sample| sample.peak_mib).fold(f64::NAN, f64::max)
    }

    /// (largest - smallest) / median, in percent.
    fn spread(&self) -> f64 {
        let paces = || self.samples.iter().map(|sample| sample.pace.per_second);
        let (low, high) = (paces().fold(f64::NAN, f64::min), paces().fold(f64::NAN, f64::max));
        (high - low) / self.per_second() * 100.0
    }
}

/// Prints all rows.
pub fn print(rows: &[Row]) {
    println!(
        "{:<22} {:<10} {:>9} {:>6} {:>8} {:>8} {:>9} {:>8} {:>8}  {:>6} {:>7} {:>9}",
        "case",
        "server",
        "req/s",
        "±%",
        "p50 ms",
        "p99 ms",
        "calls/s",
        "CPU µs",
        "peak MiB",
        "server",
        "sandbox",
        "generator"
    );
    for row in rows {
        let percent = |pick: fn(&Sample) -> f64| row.median(pick) * 100.0;
        println!(
            "{:<22} {:<10} {:>9.0} {:>6.0} {:>8.2} {:>8.2} {:>9.0} {:>8.0} {:>8.1}  {:>5.0}% {:>6.0}% {:>8.0}%",
            row.case,
            row.kind.map_or("-", Kind::name),
            row.per_second(),
            row.spread(),
            row.median(|sample| sample.pace.p50_ms),
            row.p99(),
            row.per_second() * row.calls,
            row.cpu_us(),
            row.peak(),
            percent(|sample| sample.server),
            percent(|sample| sample.sandbox),
            percent(|sample| sample.generator),
        );
    }
}

/// Prints each goal and where we stand.
pub fn print_goals(rows: &[Row]) {
    let find =
        |key: &str, kind: Kind| rows.iter().find(|row| row.key == key && row.kind == Some(kind));
    let line = |goal: &str, value: f64, holds: bool| {
        println!("{} {goal}: {value:.3}", if holds { "holds  " } else { "MISSED " });
    };
    println!();
    if let (Some(ours), Some(theirs)) = (find("list", Kind::Tandem), find("list", Kind::Unbounded))
    {
        let pace = ours.per_second() / theirs.per_second();
        line("changing list, pace over the unbounded baseline's, at least 2.5", pace, pace >= 2.5);
        let p99 = ours.p99() / theirs.p99();
        line("changing list, p99 over the unbounded baseline's, at most 0.4", p99, p99 <= 0.4);
    }
    for (key, title) in [("same-contact", "same contact"), ("same-list", "same list")] {
        if let (Some(ours), Some(bare)) = (find(key, Kind::Tandem), find(key, Kind::Bare)) {
            let share = ours.per_second() / bare.per_second();
            let goal = format!("{title}, pace over the bare handler's, at least 0.6");
            line(&goal, share, share >= 0.6);
        }
    }
    let ours = rows.iter().filter(|row| row.kind == Some(Kind::Tandem));
    let peak = ours.map(Row::peak).fold(f64::NAN, f64::max);
    if !peak.is_nan() {
        line("peak memory in MiB, under 64", peak, peak < 64.0);
    }
}

/// Says where something else than the server was the limit.
pub fn print_bottlenecks(rows: &[Row]) {
    const BUSY: f64 = 0.9;
    println!();
    let mut none = true;
    for row in rows.iter().filter(|row| row.kind.is_some()) {
        let server = row.median(|sample| sample.server);
        let (sandbox, generator) =
            (row.median(|sample| sample.sandbox), row.median(|sample| sample.generator));
        if server < BUSY {
            none = false;
            let name = row.kind.map_or("-", Kind::name);
            let what = if sandbox + generator < BUSY {
                "neither CPU was full"
            } else if sandbox > generator {
                "the sandbox was the limit"
            } else {
                "the load generator was the limit"
            };
            println!(
                "{}, {name}: the server used {:.0} % of its CPU; {what}",
                row.case,
                server * 100.0
            );
        }
    }
    if none {
        println!("In every case the server under test was the limit, not the sandbox.");
    }
}
