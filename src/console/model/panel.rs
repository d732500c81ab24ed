//! A panel: what would happen, what has to be said first, a button that never has the focus at first.

use crate::clock::Mono;
use crate::console::action::place::Place;
use crate::console::task::ExportOf;
use crate::console::widgets::field::{Field, Lines};
use crate::domain::address::Address;
use crate::domain::agent::AgentLimit;
use crate::domain::group::GroupChange;
use crate::domain::ids::{Cursor, IntentId, JobId};
use crate::domain::job::{JobControl, NewJob, Selection};
use crate::domain::payload::Payload;

/// What a panel would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Deed {
    /// Say something of a group of dead letters.
    Mark(String, GroupChange),
    /// Write rows to a file.
    Export(Box<ExportOf>),
    /// Make a waiting retry due at once.
    RetryNow(IntentId),
    /// Withdraw unfinished intents.
    Cancel(Vec<IntentId>),
    /// Decide tasks, each at the version that was seen, with one outcome.
    Decide(Vec<(IntentId, u32)>, String),
    /// Hold an agent's intents back.
    Pause(Address),
    /// Let them go on.
    Unpause(Address),
    /// Stop an agent.
    Kill(Address),
    /// Let it go on.
    Revive(Address),
    /// Hand a task on, at the version that was seen.
    Delegate(IntentId, u32),
    /// Take a task at the version that was seen, or give it back to its owner.
    Take(IntentId, u32, Option<Address>),
    /// Send an intent, as the fields say.
    Send,
    /// Keep a filter of a desk under the name that is typed.
    SaveView(Place, String),
    /// Bound how fast an agent is served.
    Limit(Address, AgentLimit),
    /// Take an agent's endpoint for well.
    ResetBreaker(Address),
    /// Order a job; and how many it would take, once the dry run has said so.
    Order(Box<NewJob>, Option<u64>),
    /// Pause a job, let it go on, or end it.
    Control(JobId, JobControl),
    /// End the console and the broker in it.
    Quit,
}

/// What has to stand in a field before the button works.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Rule {
    /// Words.
    Required,
    /// Words, or nothing.
    Optional,
    /// A JSON object.
    Object,
    /// A number within these bounds.
    Number(f64, f64),
    /// A number within these bounds, or nothing for the usual.
    Usual(f64, f64),
    /// This number, typed by hand, so that nobody acts on many by accident.
    Count(u64),
}

/// One of several, chosen with a key instead of typed.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Choice {
    options: Vec<String>,
    at: usize,
}

/// A field of a panel.
#[derive(Debug)]
pub(crate) struct Ask {
    /// Its name.
    pub(crate) name: &'static str,
    /// What is typed.
    pub(crate) field: Field,
    /// What has to be.
    pub(crate) rule: Rule,
    /// The letter that leads to it after `-`.
    pub(crate) letter: Option<char>,
    choice: Option<Choice>,
}

impl Ask {
    /// One of several; the first one is chosen.
    pub(crate) fn choice(name: &'static str, options: Vec<String>) -> Self {
        Self {
            choice: Some(Choice { options, at: 0 }),
            ..Self::new(name, Rule::Optional)
        }
    }

    /// The same, led to by a letter.
    pub(crate) fn on(self, letter: char) -> Self {
        Self {
            letter: Some(letter),
            ..self
        }
    }

    /// What can be chosen; empty for a text.
    pub(crate) fn options(&self) -> &[String] {
        self.choice.as_ref().map_or(&[], |choice| &choice.options)
    }

    /// The place of what is chosen; none for a text.
    pub(crate) fn chosen(&self) -> Option<usize> {
        self.choice.as_ref().map(|choice| choice.at)
    }

    /// Puts a text into it, or chooses the option of that name.
    pub(crate) fn set(&mut self, value: &str) {
        match &mut self.choice {
            Some(choice) => {
                let place = choice.options.iter().position(|one| one == value);
                choice.at = place.unwrap_or(choice.at);
            }
            None => self.field.set_text(value),
        }
    }

    /// One more option, which is chosen.
    pub(crate) fn offer(&mut self, option: &str) {
        if let Some(choice) = &mut self.choice {
            choice.at = choice.options.len();
            choice.options.push(option.to_owned());
        }
    }

    /// An empty field.
    pub(crate) fn new(name: &'static str, rule: Rule) -> Self {
        Self {
            name,
            field: Field::new(Lines::One),
            rule,
            letter: None,
            choice: None,
        }
    }

    /// A number that can be changed.
    pub(crate) fn number(name: &'static str, text: &str, least: f64, most: f64) -> Self {
        Self {
            name,
            field: Field::with_text(Lines::One, text),
            ..Self::new(name, Rule::Number(least, most))
        }
    }

    /// What is typed, without the blanks around it.
    pub(crate) fn text(&self) -> String {
        match &self.choice {
            Some(choice) => choice.options.get(choice.at).cloned().unwrap_or_default(),
            None => self.field.text().trim().to_owned(),
        }
    }

    /// Whether the button may work.
    ///
    /// # Errors
    /// What is missing.
    pub(crate) fn check(&self) -> Result<(), String> {
        let text = self.text();
        match self.rule {
            Rule::Required if text.is_empty() && self.name != "why" => {
                Err(format!("{} is required", self.name))
            }
            Rule::Object => Payload::typed(&text)
                .map(drop)
                .map_err(|bad| format!("{}: {bad}", self.name)),
            Rule::Required if text.is_empty() => {
                Err("a reason is required; it stays on record".to_owned())
            }
            Rule::Count(count) if text.replace([',', ' '], "") != count.to_string() => {
                Err(format!("type {count} to enable"))
            }
            Rule::Usual(..) if text.is_empty() => Ok(()),
            Rule::Number(least, most) | Rule::Usual(least, most) => match text.parse::<f64>() {
                Ok(number) if (least..=most).contains(&number) => Ok(()),
                _ => Err(format!("{}: a number from {least} to {most}", self.name)),
            },
            Rule::Required | Rule::Optional | Rule::Count(_) => Ok(()),
        }
    }
}

/// What has the focus.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Focus {
    /// The field of that number.
    Ask(usize),
    /// The button.
    Button,
    /// Nothing, where nothing is asked.
    Nothing,
}

/// A panel: the consequence, what is asked, a button.
#[derive(Debug)]
pub(crate) struct Panel {
    /// What it would do.
    pub(crate) deed: Deed,
    /// Its title: `Discard 3 dead letters`.
    pub(crate) title: String,
    /// What the deed leads to, in sentences.
    pub(crate) facts: Vec<(String, String)>,
    /// What is asked.
    pub(crate) asks: Vec<Ask>,
    /// What has the focus.
    pub(crate) focus: Focus,
    /// The words on the button.
    pub(crate) button: &'static str,
    /// When it opened.
    pub(crate) opened: Mono,
    /// Why Enter did nothing.
    pub(crate) problem: Option<String>,
    /// What each option of the scope stands for.
    pub(crate) scopes: Vec<Selection>,
    /// Why the dry run leaves some out, and how many.
    pub(crate) skipped: Vec<(String, u64)>,
    /// How far the feed had come when the dry run was answered.
    pub(crate) planned_at: Option<Cursor>,
    /// Whether those reasons are shown in the place of the options.
    pub(crate) is_listing: bool,
    /// Lines of the facts that were scrolled away.
    pub(crate) scrolled: usize,
}

impl Panel {
    /// Whether a text field has the focus.
    pub(crate) fn is_typing(&self) -> bool {
        match self.focus {
            Focus::Ask(index) => self.asks.get(index).is_some_and(|ask| ask.choice.is_none()),
            Focus::Button | Focus::Nothing => false,
        }
    }

    /// The place of what is chosen in the choice of that name.
    pub(crate) fn chosen(&self, name: &str) -> Option<usize> {
        self.asks.iter().find(|ask| ask.name == name)?.chosen()
    }

    /// The choice that has the focus goes on by one; returns its name.
    pub(crate) fn choose_next(&mut self) -> Option<&'static str> {
        let Focus::Ask(index) = self.focus else {
            return None;
        };
        let ask = self.asks.get_mut(index)?;
        let choice = ask.choice.as_mut()?;
        choice.at = (choice.at + 1) % choice.options.len().max(1);
        Some(ask.name)
    }

    /// Whether the button has the focus.
    pub(crate) fn is_on_button(&self) -> bool {
        self.focus == Focus::Button
    }

    /// The field that has the focus.
    pub(crate) fn field(&mut self) -> Option<&mut Field> {
        match self.focus {
            Focus::Ask(index) => self
                .asks
                .get_mut(index)
                .filter(|ask| ask.choice.is_none())
                .map(|ask| &mut ask.field),
            Focus::Button | Focus::Nothing => None,
        }
    }

    /// The words of the field of that name.
    pub(crate) fn text(&self, name: &str) -> String {
        let ask = self.asks.iter().find(|ask| ask.name == name);
        ask.map(Ask::text).unwrap_or_default()
    }

    /// The reason as it stands.
    pub(crate) fn reason_text(&self) -> String {
        self.text("why")
    }

    /// The next field, or the one before; the button comes after the last.
    pub(crate) fn turn(&mut self, is_forward: bool) {
        let count = self.asks.len();
        let here = match self.focus {
            Focus::Ask(index) => index,
            Focus::Button | Focus::Nothing => count,
        };
        self.focus = match (self.focus, count) {
            (Focus::Nothing, 0) => Focus::Button,
            (Focus::Button, 0) => Focus::Nothing,
            _ => {
                let next = (here + if is_forward { 1 } else { count }) % (count + 1);
                if next == count {
                    Focus::Button
                } else {
                    Focus::Ask(next)
                }
            }
        };
        self.problem = None;
    }

    /// Asks nothing.
    pub(crate) fn ask_nothing(&mut self) {
        self.asks.clear();
        self.focus = Focus::Nothing;
    }

    /// Whether Enter may carry it out, apart from how fast it came.
    ///
    /// # Errors
    /// What is missing.
    pub(crate) fn check(&self) -> Result<(), String> {
        for ask in &self.asks {
            ask.check()?;
        }
        let has_words = match self.focus {
            Focus::Ask(index) => self
                .asks
                .get(index)
                .is_some_and(|ask| ask.choice.is_none() && !ask.text().is_empty()),
            Focus::Button => true,
            Focus::Nothing => false,
        };
        if has_words {
            Ok(())
        } else {
            Err("Tab goes to the button, Enter on it acts".to_owned())
        }
    }
}
