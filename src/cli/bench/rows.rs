//! What is measured, as a table.

use super::super::failure::Failure;

/// One thing that is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// Its name: what it is of, then what is done.
    pub name: &'static str,
    /// The row that it is compared with; none for the disk itself.
    pub ceiling: Option<&'static str>,
    /// What is driven.
    pub server: Server,
    /// With what.
    pub work: Work,
}

/// What is driven.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Server {
    /// No server: a file.
    Disk,
    /// A server that appends and syncs, and does nothing else.
    Ceiling,
    /// The broker.
    Broker,
}

/// What a server is driven with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// The bytes of so many creates before each sync.
    Append {
        /// Creates.
        together: usize,
    },
    /// Creates over so many connections, each waiting for its answer.
    Accepts {
        /// Connections.
        lines: usize,
    },
    /// The same with many creates in each call.
    AcceptsBatched {
        /// Connections.
        lines: usize,
    },
    /// From the create to the result, as many as go through.
    Cycles(Receiver),
    /// From the write of a create to its arrival, at a fixed pace.
    Latency(Receiver),
}

/// Who receives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Receiver {
    /// Listeners over event streams; each result is a call.
    Stream,
    /// Pollers; each result is a call.
    Poll,
    /// Pollers that report all results of a poll in one call.
    PollBatched,
    /// A server on loopback that is called, and answers with the result.
    Http,
}

const fn row(name: &'static str, ceiling: Option<&'static str>, server: Server, work: Work) -> Row {
    Row {
        name,
        ceiling,
        server,
        work,
    }
}

/// Every row, in the order in which they are run and told.
#[rustfmt::skip]
pub(super) const ROWS: [Row; 15] = [
    row("disk 1 per sync", None, Server::Disk, Work::Append { together: 1 }),
    row("ceiling accepts 1 in flight", Some("disk 1 per sync"), Server::Ceiling, Work::Accepts { lines: 1 }),
    row("accepts 1 in flight", Some("ceiling accepts 1 in flight"), Server::Broker, Work::Accepts { lines: 1 }),
    row("disk 64 per sync", None, Server::Disk, Work::Append { together: 64 }),
    row("ceiling accepts 64 in flight", Some("disk 64 per sync"), Server::Ceiling, Work::Accepts { lines: 64 }),
    row("accepts 64 in flight", Some("ceiling accepts 64 in flight"), Server::Broker, Work::Accepts { lines: 64 }),
    row("accepts in batches", Some("ceiling accepts 64 in flight"), Server::Broker, Work::AcceptsBatched { lines: 8 }),
    row("ceiling cycles", None, Server::Ceiling, Work::Cycles(Receiver::Stream)),
    row("cycles by stream", Some("ceiling cycles"), Server::Broker, Work::Cycles(Receiver::Stream)),
    row("cycles by poll", Some("ceiling cycles"), Server::Broker, Work::Cycles(Receiver::Poll)),
    row("cycles by poll in batches", Some("ceiling cycles"), Server::Broker, Work::Cycles(Receiver::PollBatched)),
    row("cycles by http", Some("ceiling cycles"), Server::Broker, Work::Cycles(Receiver::Http)),
    row("ceiling latency", None, Server::Ceiling, Work::Latency(Receiver::Stream)),
    row("latency by stream", Some("ceiling latency"), Server::Broker, Work::Latency(Receiver::Stream)),
    row("latency by http", Some("ceiling latency"), Server::Broker, Work::Latency(Receiver::Http)),
];

/// The rows whose names contain one of the words, and the ceilings that they are compared with; all when
/// there are no words.
///
/// # Errors
/// A word that no name contains.
pub fn chosen(words: &[String]) -> Result<Vec<Row>, Failure> {
    let lost = words
        .iter()
        .find(|word| !ROWS.iter().any(|row| row.name.contains(word.as_str())));
    if let Some(word) = lost {
        let names: Vec<&str> = ROWS.iter().map(|row| row.name).collect();
        return Err(
            Failure::usage(format!("nothing that is measured is called {word:?}"))
                .hint(format!("there are: {}", names.join("; "))),
        );
    }
    let is_meant =
        |row: &Row| words.is_empty() || words.iter().any(|word| row.name.contains(word.as_str()));
    let mut names: Vec<&str> = Vec::new();
    for row in ROWS.iter().filter(|row| is_meant(row)) {
        names.push(row.name);
        let mut above = row.ceiling;
        while let Some(name) = above {
            names.push(name);
            let found = ROWS.iter().find(|row| row.name == name);
            above = found.and_then(|row| row.ceiling);
        }
    }
    let rows = ROWS.into_iter().filter(|row| names.contains(&row.name));
    Ok(rows.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_ceiling_is_a_row_that_is_run_before() {
        for (place, row) in ROWS.iter().enumerate() {
            let Some(ceiling) = row.ceiling else { continue };
            let found = ROWS.iter().position(|other| other.name == ceiling);
            assert!(found.is_some_and(|found| found < place), "{}", row.name);
        }
    }

    #[test]
    fn a_chosen_row_brings_the_ceilings_above_it() {
        let rows = chosen(&["accepts in batches".to_owned()]).unwrap();
        let names: Vec<&str> = rows.iter().map(|row| row.name).collect();
        assert_eq!(
            names,
            [
                "disk 64 per sync",
                "ceiling accepts 64 in flight",
                "accepts in batches"
            ]
        );
        assert_eq!(chosen(&[]).unwrap().len(), ROWS.len());
        assert_eq!(chosen(&["acepts".to_owned()]).unwrap_err().exit_code(), 2);
    }
}
