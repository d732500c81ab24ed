//! Round trips of arbitrary values, golden bytes, and bytes that are nothing.

mod draw;
mod draw_facts;
mod draw_jobs;
mod draw_mesh;
mod draw_runs;

use std::collections::BTreeSet;
use std::fmt::{Debug, Write as _};

use proptest::prelude::{ProptestConfig, any};
use proptest::{prop_assert, prop_assert_eq, proptest};

use super::*;

use self::draw::Draw;
use self::draw_facts::FACT_KINDS;

fn reads_back<T: Record + PartialEq + Debug>(value: &T) {
    let bytes = value.encode();
    assert_eq!(&T::decode(&bytes).unwrap(), value);
    for end in 0..bytes.len() {
        assert!(T::decode(&bytes[..end]).is_err(), "cut at {end}");
    }
    let unsealed = unsealed(bytes);
    for end in 0..unsealed.len() {
        let cut = resealed(unsealed[..end].to_vec());
        assert!(T::decode(&cut).is_err(), "cut at {end}, with a right sum");
    }
}

/// A record without its sum.
fn unsealed(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.truncate(bytes.len() - 4);
    bytes
}

/// With a right sum, so that what follows the sum's check is tried as well.
fn resealed(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.extend(seal::short_sum(&bytes));
    bytes
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
        let bytes = resealed([unsealed(bytes), vec![0]].concat());
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
        reads_back(&draw.subscription());
        reads_back(&draw.beats());
    }

    #[test]
    fn any_bytes_give_a_value_or_an_error_and_no_panic(
        mut bytes in any::<Vec<u8>>(),
        is_marked in any::<bool>(),
        id in any::<u64>(),
    ) {
        if let (true, Some(first)) = (is_marked, bytes.first_mut()) {
            *first = VERSION;
            bytes = resealed(bytes);
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
        drop(Endpoint::decode(&bytes));
        drop(Schema::decode(&bytes));
        drop(Subscription::decode(&bytes));
        drop(Beats::decode(&bytes));
    }

    #[test]
    fn a_record_with_a_changed_byte_is_refused(
        seed in any::<u64>(),
        place in any::<usize>(),
        change in 1_u8..,
    ) {
        let mut draw = Draw(seed);
        let (intent, mut bytes) = (draw.intent(), Vec::new());
        encode_intent(&intent, &mut bytes);
        let at = place % bytes.len();
        bytes[at] ^= change;
        prop_assert!(decode_intent(intent.id, &bytes).is_err());
        let fact = draw.fact(seed % FACT_KINDS);
        encode_fact(&fact, &mut bytes);
        let at = place % bytes.len();
        bytes[at] ^= change;
        prop_assert!(decode_fact(fact.intent, &bytes).is_err());
    }

    #[test]
    fn a_wrong_byte_under_a_right_sum_gives_a_value_or_an_error_and_no_panic(
        seed in any::<u64>(),
        place in any::<usize>(),
        byte in any::<u8>(),
    ) {
        let mut draw = Draw(seed);
        let (intent, mut bytes) = (draw.intent(), Vec::new());
        encode_intent(&intent, &mut bytes);
        let mut bytes = unsealed(bytes);
        let at = place % bytes.len();
        bytes[at] = byte;
        let mut bytes = resealed(bytes);
        drop(decode_intent(intent.id, &bytes));
        let fact = draw.fact(seed % FACT_KINDS);
        encode_fact(&fact, &mut bytes);
        let mut bytes = unsealed(bytes);
        let at = place % bytes.len();
        bytes[at] = byte;
        drop(decode_fact(fact.intent, &resealed(bytes)));
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
    assert_eq!(numbers, (1..=34).collect());
}

#[test]
fn a_huge_count_of_items_is_refused_without_reserving_room_for_them() {
    let mut agent = Draw(1).agent();
    (agent.secrets, agent.pause, agent.kill) = (Vec::new(), None, None);
    agent.policy = crate::domain::admission::SendPolicy::default();
    let mut bytes = unsealed(agent.encode());
    bytes.truncate(bytes.len() - 2);
    bytes.extend_from_slice(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]);
    assert_eq!(Agent::decode(&resealed(bytes)), Err(Broken::Short));
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
        ("subscription", Draw(8).subscription().encode()),
        ("beats", Draw(9).beats().encode()),
    ] {
        writeln!(seen, "{name} {}", hexadecimal(&bytes)).unwrap();
    }
    if std::env::var_os("POSTROOM_PRINT_GOLDEN").is_some() {
        println!("{seen}");
    }
    assert_eq!(seen, include_str!("version_1.txt"));
}
