//! Through what something was done.

use std::fmt;

/// The way a person or a program came to the broker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Via {
    /// The HTTP API.
    Api,
    /// The terminal console.
    Console,
    /// A verb of the command line.
    Command,
    /// The page for deciding, opened from a link.
    Page,
    /// A tool of the MCP endpoint.
    Mcp,
}

impl Via {
    /// Every way.
    pub const ALL: [Self; 5] = [
        Self::Api,
        Self::Console,
        Self::Command,
        Self::Page,
        Self::Mcp,
    ];

    /// The word on the wire and on screens.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Console => "console",
            Self::Command => "cli",
            Self::Page => "page",
            Self::Mcp => "mcp",
        }
    }

    /// The way of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|via| via.name() == name)
    }
}

impl fmt::Display for Via {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}
