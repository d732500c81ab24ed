//! The order of the end: one step after the other, each with a budget.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::{Shutdown, Tasks};
use crate::clock::{Clock, Mono};

/// The end of the process, step by step.
#[derive(Debug)]
pub struct StopOrder {
    shutdown: Shutdown,
    clock: Arc<dyn Clock>,
    report: StopReport,
}

/// What stopping took, and what it left behind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StopReport {
    /// The steps in the order they were taken.
    pub steps: Vec<StopStep>,
}

/// One step of stopping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StopStep {
    /// What was stopped.
    pub name: &'static str,
    /// How long the step took.
    pub took: Duration,
    /// What did not end within the budget; empty after a clean step.
    pub left: Vec<String>,
}

impl StopOrder {
    /// No step taken yet.
    #[must_use]
    pub fn new(shutdown: &Shutdown, clock: Arc<dyn Clock>) -> Self {
        Self {
            shutdown: shutdown.clone(),
            clock,
            report: StopReport::default(),
        }
    }

    /// Stops a set and waits for it, `budget` at most.
    pub async fn tasks(&mut self, tasks: &Tasks, budget: Duration) {
        let start = self.clock.elapsed();
        tasks.stop();
        let is_done = self.wait(budget, tasks.stopped()).await;
        let left = if is_done {
            Vec::new()
        } else {
            let running = tasks.running().into_iter();
            running.map(|(name, count)| counted(name, count)).collect()
        };
        self.note(tasks.name(), start, left);
    }

    /// Takes any other step, such as closing the store, `budget` at most.
    pub async fn step(
        &mut self,
        name: &'static str,
        budget: Duration,
        work: impl Future<Output = ()>,
    ) {
        let start = self.clock.elapsed();
        let is_done = self.wait(budget, work).await;
        let left = if is_done {
            Vec::new()
        } else {
            vec![name.to_owned()]
        };
        self.note(name, start, left);
    }

    /// The steps taken.
    #[must_use]
    pub fn finish(self) -> StopReport {
        self.report
    }

    async fn wait(&self, budget: Duration, work: impl Future<Output = ()>) -> bool {
        // `work` is dropped unfinished when the time is up or somebody hurries; that is the point.
        tokio::select! {
            biased;
            () = work => true,
            () = self.shutdown.shared.hurried.cancelled() => false,
            () = tokio::time::sleep(budget) => false,
        }
    }

    fn note(&mut self, name: &'static str, start: Mono, left: Vec<String>) {
        let took = self.clock.elapsed().since(start);
        if left.is_empty() {
            tracing::info!(step = name, ?took, "stopped");
        } else {
            tracing::warn!(step = name, ?took, ?left, "left behind");
        }
        self.report.steps.push(StopStep { name, took, left });
    }
}

impl StopReport {
    /// True when every step ended within its budget.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.steps.iter().all(|step| step.left.is_empty())
    }
}

/// One line: `stopped; nothing left behind` or `stopped; left behind: bindings (push x2)`.
impl fmt::Display for StopReport {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_clean() {
            return write!(formatter, "stopped; nothing left behind");
        }
        let mut separator = "stopped; left behind: ";
        for step in self.steps.iter().filter(|step| !step.left.is_empty()) {
            write!(
                formatter,
                "{separator}{} ({})",
                step.name,
                step.left.join(", ")
            )?;
            separator = ", ";
        }
        Ok(())
    }
}

fn counted(name: &str, count: usize) -> String {
    if count == 1 {
        name.to_owned()
    } else {
        format!("{name} x{count}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;
    use crate::domain::time::Timestamp;
    use std::future::pending;
    use tokio::runtime::Handle;

    fn order(shutdown: &Shutdown) -> StopOrder {
        StopOrder::new(
            shutdown,
            Arc::new(ManualClock::at(Timestamp::from_millis(0))),
        )
    }

    #[tokio::test]
    async fn a_set_stops_when_its_tasks_obey_the_token() {
        let shutdown = Shutdown::new(Handle::current());
        let tasks = shutdown.tasks("doors");
        let token = tasks.token().clone();
        tasks.spawn("listener", async move { token.cancelled().await });
        let thread_token = tasks.token().clone();
        let runtime = Handle::current();
        tasks
            .spawn_thread("writer", move || {
                runtime.block_on(thread_token.cancelled());
            })
            .unwrap();
        assert_eq!(tasks.running(), [("listener", 1), ("writer", 1)]);
        let mut order = order(&shutdown);
        order.tasks(&tasks, Duration::from_secs(30)).await;
        let report = order.finish();
        assert_eq!(report.to_string(), "stopped; nothing left behind");
        assert!(tasks.running().is_empty());
    }

    #[tokio::test]
    async fn a_step_over_budget_names_what_it_left_behind_and_the_next_one_runs() {
        let shutdown = Shutdown::new(Handle::current());
        let bindings = shutdown.tasks("bindings");
        bindings.spawn("push", pending());
        bindings.spawn("push", pending());
        let mut order = order(&shutdown);
        order.tasks(&bindings, Duration::from_millis(5)).await;
        order.step("store", Duration::from_secs(30), async {}).await;
        let report = order.finish();
        assert_eq!(
            report.to_string(),
            "stopped; left behind: bindings (push x2)"
        );
        assert!(report.steps[1].left.is_empty());
    }

    #[tokio::test]
    async fn asking_twice_skips_the_waiting() {
        let shutdown = Shutdown::new(Handle::current());
        let tasks = shutdown.tasks("bindings");
        tasks.spawn("push", pending());
        shutdown.request();
        shutdown.request();
        let mut order = order(&shutdown);
        order.tasks(&tasks, Duration::from_hours(1)).await;
        assert!(!order.finish().is_clean());
    }
}
