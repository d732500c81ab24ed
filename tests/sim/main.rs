//! The simulator: a seed gives a workload and faults over the real engine and the real writer.
//!
//! Every step is checked against the invariants, every seed is run twice and must give the same log.
//! `SIM_SEEDS=100000 cargo test --release --test sim` runs a long campaign; a seed that fails is printed and
//! `SIM_SEED=1234 cargo test --test sim` runs it alone.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a simulation that cannot go on must stop"
)]

mod calls;
mod chance;
mod checker;
mod faults;
mod healing;
mod jobs;
mod people;
mod receivers;
mod runs;
mod senders;
mod world;

use world::World;

/// Seeds beyond the first that found something once.
const FOUND: [u64; 3] = [28_576, 37_778, 89_065];

/// Steps of one seed's story, before everything heals.
const STEPS: usize = 100;

fn run(seed: u64) -> Result<Vec<String>, String> {
    let mut world = World::new(seed);
    let verdict = world.run(STEPS);
    if let Err(violation) = verdict {
        // A seed that is run alone tells its whole story.
        let shown = number("SIM_SEED").map_or(12, |_alone| usize::MAX);
        let tail = world.log.len().saturating_sub(shown);
        let story = world.log[tail..].join("\n  ");
        return Err(format!(
            "seed {seed}: {violation}\n  {story}\nagain with: SIM_SEED={seed} cargo test --test sim"
        ));
    }
    Ok(world.log)
}

fn campaign(seeds: impl Iterator<Item = u64>) {
    for seed in seeds {
        let first = run(seed).unwrap_or_else(|failure| panic!("{failure}"));
        let second = run(seed).unwrap_or_else(|failure| panic!("{failure}"));
        assert!(
            first == second,
            "seed {seed} did not give the same log twice"
        );
    }
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

/// The seeds of one of four shares, so that four processes can work at once.
fn share(of: u64) {
    if let Some(seed) = number("SIM_SEED") {
        if seed % 4 == of {
            campaign(std::iter::once(seed));
        }
        return;
    }
    let seeds = number("SIM_SEEDS").unwrap_or(2000);
    campaign((0..seeds).chain(FOUND).filter(|seed| seed % 4 == of));
}

#[test]
fn invariants_hold_under_crashes_and_late_outcomes_first_share() {
    share(0);
}

#[test]
fn invariants_hold_under_crashes_and_late_outcomes_second_share() {
    share(1);
}

#[test]
fn invariants_hold_under_crashes_and_late_outcomes_third_share() {
    share(2);
}

#[test]
fn invariants_hold_under_crashes_and_late_outcomes_fourth_share() {
    share(3);
}

#[test]
fn the_stories_reach_every_kind_of_fact() {
    let mut seen = std::collections::BTreeSet::new();
    for seed in 0..200 {
        let log = run(seed).unwrap_or_else(|failure| panic!("{failure}"));
        for line in log {
            for (part, name) in [
                ("\"breaker\":\"open\"", "breaker open"),
                ("\"breaker\":\"closed\"", "breaker closed"),
                ("intent.endpoint.gone.v1", "endpoint gone"),
            ] {
                if line.contains(part) {
                    seen.insert(name.to_owned());
                }
            }
            if line.contains("refused: ") {
                let is_full = line.contains("is_full: true");
                let name = if is_full { "disk full" } else { "disk low" };
                seen.insert(name.to_owned());
            }
            if line == "removed" || line == "jump" {
                seen.insert(line);
            } else if line.contains(" job.") {
                seen.extend(line.split(' ').nth(1).map(str::to_owned));
            } else if let Some((_, body)) = line.split_once("body: ") {
                let name: String = body.chars().take_while(|c| c.is_alphanumeric()).collect();
                seen.insert(name);
            }
        }
    }
    let all = [
        "breaker open",
        "breaker closed",
        "endpoint gone",
        "Created",
        "Submitted",
        "Delivered",
        "Waiting",
        "TaskOpened",
        "AttemptStarted",
        "AttemptFailed",
        "Offered",
        "Acknowledged",
        "InProgress",
        "LeaseExtended",
        "RetriedNow",
        "ControlsChanged",
        "TaskDecided",
        "Reminded",
        "Escalated",
        "DeliveryFailed",
        "Completed",
        "Failed",
        "Canceled",
        "TimedOut",
        "DeadLetterOpened",
        "DeadLetterReplayed",
        "DeadLetterDiscarded",
        "HoldPlaced",
        "HoldCanceled",
        "HoldElapsed",
        "ResultRejected",
        "removed",
        "jump",
        "StepStarted",
        "StepEnded",
        "disk full",
        "disk low",
        "job.started",
        "job.progress",
        "job.finished",
    ];
    for name in all {
        assert!(seen.contains(name), "no story has {name}");
    }
}
