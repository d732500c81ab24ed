//! Round trips of arbitrary values, golden bytes, and bytes that are nothing.

mod draw;
mod draw_facts;
mod draw_jobs;
mod draw_runs;

use std::collections::BTreeSet;
use std::fmt::{Debug, Write as _};

use proptest::prelude::{ProptestConfig, any};
use proptest::{prop_assert_eq, proptest};

use super::*;

use self::draw::Draw;
use self::draw_facts::FACT_KINDS;

fn reads_back<T: Record + PartialEq + Debug>(value: &T) {
    let bytes = value.encode();
    assert_eq!(&T::decode(&bytes).unwrap(), value);
    for end in 0..bytes.len() {
        assert!(T::decode(&bytes[..end]).is_err(), "cut at {end}");
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn every_intent_reads_back_as_it_was_written(seed in any::<u64>()) {
        let intent = Draw(seed).intent();
        let mut bytes = vec![9, 9];
        encode_intent(&intent, &mut bytes);
        prop_assert_eq!(decode_intent(intent.id, &bytes), Ok(intent));
        bytes.push(0);
        prop_assert_eq!(decode_intent(Draw(seed).id(), &bytes), Err(Broken::Long));
    }

    #[test]
    fn every_kind_of_fact_reads_back_as_it_was_written(seed in any::<u64>()) {
        let mut draw = Draw(seed);
        for kind in 0..FACT_KINDS {
            let fact = draw.fact(kind);
            let mut bytes = Vec::new();
            encode_fact(&fact, &mut bytes);
            prop_assert_eq!(decode_fact(fact.intent, &bytes), Ok(fact));
        }
    }

    #[test]
    fn whatever_lies_beside_intents_reads_back_and_never_from_less(seed in any::<u64>()) {
        let mut draw = Draw(seed);
        reads_back(&draw.notice());
        reads_back(&draw.agent());
        reads_back(&draw.key());
        reads_back(&draw.audit());
        reads_back(&draw.endpoint());
        reads_back(&draw.schema());
        reads_back(&draw.job());
        reads_back(&draw.job_item());
    }

    #[test]
    fn any_bytes_give_a_value_or_an_error_and_no_panic(
        mut bytes in any::<Vec<u8>>(),
        is_marked in any::<bool>(),
        id in any::<u64>(),
    ) {
        if let (true, Some(first)) = (is_marked, bytes.first_mut()) {
            *first = VERSION;
        }
        let id = Draw(id).id();
        drop(decode_intent(id, &bytes));
        drop(decode_fact(id, &bytes));
        drop(Notice::decode(&bytes));
        drop(Agent::decode(&bytes));
        drop(Key::decode(&bytes));
        drop(AuditEntry::decode(&bytes));
        drop(Job::decode(&bytes));
        drop(JobItem::decode(&bytes));
    }

    #[test]
    fn a_record_with_a_wrong_byte_gives_a_value_or_an_error_and_no_panic(
        seed in any::<u64>(),
        place in any::<usize>(),
        byte in any::<u8>(),
    ) {
        let mut draw = Draw(seed);
        let (intent, mut bytes) = (draw.intent(), Vec::new());
        encode_intent(&intent, &mut bytes);
        let place = place % bytes.len();
        bytes[place] = byte;
        drop(decode_intent(intent.id, &bytes));
        let fact = draw.fact(seed % FACT_KINDS);
        encode_fact(&fact, &mut bytes);
        let place = place % bytes.len();
        bytes[place] = byte;
        drop(decode_fact(fact.intent, &bytes));
    }
}

#[test]
fn every_kind_of_fact_has_a_number_of_its_own() {
    let numbers: BTreeSet<u8> = (0..FACT_KINDS)
        .map(|kind| {
            let mut bytes = Vec::new();
            encode_fact(&Draw(kind).fact(kind), &mut bytes);
            bytes[1]
        })
        .collect();
    assert_eq!(numbers, (1..=33).collect());
}

#[test]
fn a_huge_count_of_items_is_refused_without_reserving_room_for_them() {
    let mut agent = Draw(1).agent();
    (agent.secrets, agent.pause, agent.kill) = (Vec::new(), None, None);
    agent.policy = crate::domain::admission::SendPolicy::default();
    let mut bytes = agent.encode();
    bytes.truncate(bytes.len() - 2);
    bytes.extend_from_slice(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]);
    assert_eq!(Agent::decode(&bytes), Err(Broken::Short));
}

#[test]
fn a_record_of_a_later_version_is_named_as_such() {
    let mut bytes = Draw(1).notice().encode();
    bytes[0] = 2;
    assert_eq!(Notice::decode(&bytes), Err(Broken::Version(2)));
    let error = Broken::Version(2).of("notice 7");
    assert_eq!(
        error.to_string(),
        "read notice 7: record version 2 is unknown"
    );
}

/// What version 1 looks like. These bytes are in users' files: they may be added to, never changed.
#[test]
fn records_of_version_1_have_these_bytes() {
    let mut bytes = Vec::new();
    let mut seen = String::new();
    let mut draw = Draw(4);
    let intent = draw.intent();
    encode_intent(&intent, &mut bytes);
    writeln!(seen, "intent {}", hexadecimal(&bytes)).unwrap();
    for kind in 0..27 {
        encode_fact(&draw.fact(kind), &mut bytes);
        writeln!(seen, "fact {} {}", kind + 1, hexadecimal(&bytes)).unwrap();
    }
    for (name, bytes) in [
        ("notice", draw.notice().encode()),
        ("agent", draw.agent().encode()),
        ("key", draw.key().encode()),
        ("audit", draw.audit().encode()),
    ] {
        writeln!(seen, "{name} {}", hexadecimal(&bytes)).unwrap();
    }
    // Kinds that came later have draws of their own, so that the lines above stay as they are.
    for kind in 27..FACT_KINDS {
        encode_fact(&Draw(kind).fact(kind), &mut bytes);
        writeln!(seen, "fact {} {}", kind + 1, hexadecimal(&bytes)).unwrap();
    }
    let endpoint = Draw(40).endpoint().encode();
    writeln!(seen, "endpoint {}", hexadecimal(&endpoint)).unwrap();
    for (name, bytes) in [
        ("job", Draw(5).job().encode()),
        ("job item", Draw(6).job_item().encode()),
        ("schema", Draw(7).schema().encode()),
    ] {
        writeln!(seen, "{name} {}", hexadecimal(&bytes)).unwrap();
    }
    if std::env::var_os("POSTROOM_PRINT_GOLDEN").is_some() {
        println!("{seen}");
    }
    assert_eq!(seen, include_str!("version_1.txt"));
}
