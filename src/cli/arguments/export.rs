//! Lists for programs.

use clap::{Args, ValueEnum};

/// How a list is written for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// A JSON object a line.
    Ndjson,
    /// A heading, then a row a line (RFC 4180); what is nested is JSON in its cell.
    Csv,
}

/// A list for programs.
#[derive(Debug, Clone, Copy, Default, Args)]
pub struct Export {
    /// Write all of it, every page, for programs: `ndjson` or `csv`.
    #[arg(long, value_name = "FORMAT")]
    pub format: Option<Format>,
}

/// How much of a list, and for whom.
#[derive(Debug, Clone, Args)]
pub struct Window {
    /// Most rows: 50, with --format all.
    #[arg(long, value_name = "N")]
    pub limit: Option<u32>,
    /// Where the last page ended.
    #[arg(long, value_name = "CURSOR")]
    pub cursor: Option<String>,
    /// For programs.
    #[command(flatten)]
    pub export: Export,
}

impl Window {
    /// All of a list, from its beginning.
    #[must_use]
    pub const fn whole(export: Export) -> Self {
        Self {
            limit: None,
            cursor: None,
            export,
        }
    }

    /// Rows of a page for people.
    #[must_use]
    pub fn page(&self) -> u32 {
        self.limit.unwrap_or(50)
    }
}
