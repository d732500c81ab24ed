//! Examples behind the options of a verb's help. A test reads each of them as the program would.

pub(super) const SEND: &str = "\
Examples:
  postroom send intent.order.process.v1 orders --payload '{\"order_id\":\"ORD-1\"}'
  postroom send intent.order.process.v1 orders --payload @order.json --wait --timeout 60
  postroom send intent.refund.v1 finance --human-task '{\"title\":\"Refund ORD-1?\"}' --deadline 2h";

pub(super) const LISTEN: &str = "\
Examples:
  postroom listen orders --exec 'jq \"{charged: .amount}\"'
  postroom listen orders --exec ./handle-order --workers 4";

pub(super) const TASKS_DECIDE: &str = "\
Examples:
  postroom tasks decide 08bf2d77 --outcome approved --comment 'as agreed'
  postroom tasks decide 08bf2d77 --outcome submitted --field amount_minor=4990 --field reason=damaged
  postroom tasks decide 08bf2d77 --outcome rejected --hold 10";

pub(super) const SCENARIOS_APPLY: &str = "\
Examples:
  postroom scenarios apply refund.json --watch
  generate-bundle | postroom scenarios apply - --key nightly-2026-11-30";

pub(super) const JOBS_START: &str = "\
Examples:
  postroom jobs start replay --agent orders
  postroom jobs start replay --agent orders --rate 50 --canary 5 --apply --why 'orders is back'
  postroom jobs start cancel --agent orders --until 2026-11-30T00:00:00Z --apply --why 'too late'";

pub(super) const REPLAY: &str = "\
Examples:
  postroom replay 08bf2d77 --why 'the receiver is mended'
  postroom replay 08bf2d77 --edit @payload.json --to orders-2
  postroom replay --filter 'agent:orders class:http_5xx' --rate 20 --apply";

pub(super) const KEYS_CREATE: &str = "\
Examples:
  postroom keys create orders
  postroom keys create web --role sender --expires 2027-01-01T00:00:00Z";

pub(super) const AGENTS_ADD: &str = "\
Examples:
  postroom agents add orders
  postroom agents add billing --binding http --callback https://billing.example.com/intents
  postroom agents add finance --binding inbox";

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::arguments::Arguments;

    /// Words as a shell cuts them, as far as the examples need it.
    fn words(line: &str) -> Vec<String> {
        let (mut all, mut word, mut is_quoted) = (Vec::new(), String::new(), false);
        for letter in line.chars() {
            match letter {
                '\'' => is_quoted = !is_quoted,
                ' ' if !is_quoted => all.push(std::mem::take(&mut word)),
                _ => word.push(letter),
            }
        }
        all.push(word);
        all
    }

    #[test]
    fn every_example_is_a_command_of_this_program() {
        let mut count = 0;
        for text in [
            SEND,
            LISTEN,
            TASKS_DECIDE,
            SCENARIOS_APPLY,
            JOBS_START,
            REPLAY,
            KEYS_CREATE,
            AGENTS_ADD,
        ] {
            for line in text.lines().skip(1) {
                let line = line.rsplit(" | ").next().unwrap_or(line).trim();
                let read = Arguments::try_parse_from(words(line));
                assert!(read.is_ok(), "{line}: {read:?}");
                count += 1;
            }
        }
        assert!(count > 15, "{count}");
    }
}
