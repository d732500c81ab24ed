//! Short texts: addresses, patterns, ids, instants, cursors, rules of the guard, secrets, answers of receivers.

use std::str::FromStr;

use http::{HeaderMap, HeaderValue, StatusCode};
use postroom::bindings::guard::Rule;
use postroom::bindings::http::{Answer, classify};
use postroom::bindings::signature::{check_secret, public_key, sign};
use postroom::domain::address::{Address, Home};
use postroom::domain::admission::SenderPattern;
use postroom::domain::agent::Secret;
use postroom::domain::ids::{
    AccountId, AttemptId, AuditId, HoldId, IntentId, JobId, KeyId, PolicyEntryId, SessionId,
    ThreadId,
};
use postroom::domain::subscription::SubscriptionId;
use postroom::domain::time::{Span, Timestamp};
use postroom::store::error::StoreError;
use postroom::store::memory::MemoryStore;
use postroom::store::query::{
    AttemptFilter, AuditFilter, IntentFilter, LetterFilter, PageRequest, ThreadFilter,
};
use postroom::store::sqlite::{Settings, SqliteStore};
use postroom::store::{Reader, Store};

use crate::bodies::reads_back;
use crate::{Campaign, Verdict, is_sentence, text_of};

const NOW: Timestamp = Timestamp::from_millis(1_775_901_600_000);

const ADDRESSES: [&str; 12] = [
    "agent://acme/production/order-processor",
    "orders",
    "local/default/orders",
    "initiator://ann",
    "human",
    "ops@example.test",
    "team/receiver",
    "webhook://x",
    "agent://local/default/orders/",
    "ORDERS",
    "*",
    "agent://acme/*",
];

const PARTS: [&str; 14] = [
    "/",
    "//",
    "://",
    "agent://",
    "initiator://",
    "webhook://",
    "AGENT://",
    "*",
    "/*",
    "@",
    ".",
    "human",
    "local",
    " ",
];

#[test]
fn addresses() {
    let homes = [
        Home::default(),
        Home {
            org: "acme".to_owned(),
            workspace: "production".to_owned(),
        },
    ];
    Campaign::new("addresses")
        .seeds(ADDRESSES)
        .seeds([
            format!("agent://acme/production/{}", "x".repeat(360)),
            "y".repeat(383),
        ])
        .words(&PARTS)
        .cases(2000)
        .run(|input| {
            let text = text_of(input);
            let mut answers = Vec::new();
            for home in &homes {
                match Address::parse(&text, home) {
                    Ok(address) => {
                        reads_back(&address, home)?;
                        if address.is_webhook() {
                            return Err("somebody gave a reserved address".to_owned());
                        }
                        if Address::parse(address.key(), home).as_ref() != Ok(&address) {
                            return Err("a key is not the address it is the key of".to_owned());
                        }
                        answers.push(address.key().split('/').count().to_string());
                    }
                    Err(error) => {
                        is_sentence(&error.to_string())?;
                        answers.push(error.to_string());
                    }
                }
                match SenderPattern::parse(&text, home) {
                    Ok(pattern) => {
                        let again = SenderPattern::parse(pattern.key(), home);
                        if again.as_ref() != Ok(&pattern) {
                            return Err(format!("a pattern reads back as {again:?}"));
                        }
                        answers.push("pattern".to_owned());
                    }
                    Err(error) => answers.push(error.to_string()),
                }
            }
            Ok(answers.join(" "))
        });
}

/// A text that is read prints as something that is read as the same.
fn prints<T>(text: &str) -> Result<&'static str, String>
where
    T: FromStr + ToString + PartialEq,
    T::Err: std::fmt::Display,
{
    match text.parse::<T>() {
        Ok(read) => match read.to_string().parse::<T>() {
            Ok(again) if again == read => Ok("yes"),
            Ok(again) => Err(format!(
                "it prints as \"{}\" and then as \"{}\"",
                read.to_string(),
                again.to_string()
            )),
            Err(error) => Err(format!("what it prints is refused: {error}")),
        },
        Err(error) => is_sentence(&error.to_string()).map(|()| "no"),
    }
}

#[test]
fn ids() {
    Campaign::new("ids")
        .seeds([
            "018f3c5e-7a10-7c3a-9b1e-5d2f6a7b8c9d",
            "018f3c5e7a107c3a9b1e5d2f6a7b8c9d",
            "att_7",
            "hld_3",
            "job_1",
            "sa_1",
            "key_18446744073709551615",
            "ses_0",
            "pol_9",
            "aud_12",
            "urn:uuid:018f3c5e-7a10-7c3a-9b1e-5d2f6a7b8c9d",
            "{018f3c5e-7a10-7c3a-9b1e-5d2f6a7b8c9d}",
        ])
        .words(&[
            "att_",
            "hld_",
            "job_",
            "sa_",
            "key_",
            "ses_",
            "pol_",
            "aud_",
            "-",
            "+1",
            "{",
            "}",
            "urn:uuid:",
        ])
        .cases(2000)
        .run(|input| {
            let text = text_of(input);
            let answers = [
                prints::<IntentId>(&text)?,
                prints::<ThreadId>(&text)?,
                prints::<SubscriptionId>(&text)?,
                prints::<AttemptId>(&text)?,
                prints::<HoldId>(&text)?,
                prints::<JobId>(&text)?,
                prints::<AccountId>(&text)?,
                prints::<KeyId>(&text)?,
                prints::<SessionId>(&text)?,
                prints::<PolicyEntryId>(&text)?,
                prints::<AuditId>(&text)?,
            ];
            Ok(answers.join(" "))
        });
}

#[test]
fn instants_and_rules() {
    Campaign::new("instants")
        .seeds([
            "2026-04-11T10:00:00Z",
            "2026-04-11T12:00:00.042+02:00",
            "9999-12-31T23:59:59Z",
            "-009999-01-02T00:00:00Z",
            "2016-12-31T23:59:60Z",
            "2026-04-11 10:00:00.123456789-23:59",
            "20260411T100000Z",
            "10.0.0.0/8",
            "[::1]",
            "fe80::1/64",
            "*.internal.example",
            "::ffff:127.0.0.1",
            "b\u{fc}cher.example",
        ])
        .words(&[
            "T",
            "Z",
            "+24:00",
            "-00:00",
            ":60",
            "[Europe/Berlin]",
            "/0",
            "/129",
            "::",
            "*.",
            "xn--",
            "0x7f.1",
        ])
        .cases(2000)
        .run(|input| {
            let text = text_of(input);
            Ok([prints::<Timestamp>(&text)?, prints::<Rule>(&text)?].join(" "))
        });
}

/// Every list of a memory under one foreign cursor.
fn pages(reader: &mut dyn Reader, cursor: &str) -> Verdict {
    let page = PageRequest {
        limit: 3,
        cursor: Some(cursor.to_owned()),
    };
    let lists = [
        reader
            .intents(&IntentFilter::default(), &page)
            .map(|page| page.next),
        reader
            .attempts(&AttemptFilter::default(), &page)
            .map(|page| page.next),
        reader
            .letters(&LetterFilter::default(), &page)
            .map(|page| page.next),
        reader
            .threads(&ThreadFilter::default(), &page)
            .map(|page| page.next),
        reader
            .audit(&AuditFilter::default(), &page)
            .map(|page| page.next),
        reader.jobs(None, &page).map(|page| page.next),
        reader.job_items(JobId(1), &page).map(|page| page.next),
    ];
    let mut answers = Vec::new();
    for list in lists {
        answers.push(match list {
            Ok(None) => "end",
            Ok(Some(_)) => return Err("an empty memory has another page".to_owned()),
            Err(StoreError::BadCursor(given)) if given == cursor => "bad",
            Err(error) => return Err(format!("a cursor is a fault: {error}")),
        });
    }
    Ok(answers.join(" "))
}

#[test]
fn cursors() {
    let scratch = tempfile::tempdir().unwrap();
    let on_disk =
        SqliteStore::open(&scratch.path().join("postroom.db"), Settings::default()).unwrap();
    let mut readers = [
        MemoryStore::new().reader().unwrap(),
        on_disk.reader().unwrap(),
    ];
    // One of each list: its letter, and a number or two.
    let seeds = ["i", "a", "l", "t", "d", "u", "j", "m"].map(|letter| {
        use base64::Engine as _;
        let mut bytes = letter.as_bytes().to_vec();
        bytes.extend_from_slice(&7_i64.to_be_bytes());
        base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
    });
    Campaign::new("cursors")
        .seeds(seeds)
        .seeds(["bAAAAAAAAAAcAAAAAAAAABw", "dH__________f_________8", ""])
        .words(&["A", "=", "==", "_", "-", "+", "/"])
        .run(|input| {
            let text = text_of(input);
            let one = pages(&mut *readers[0], &text)?;
            let other = pages(&mut *readers[1], &text)?;
            if one == other {
                Ok(one)
            } else {
                Err(format!(
                    "two memories take a cursor differently: {one}, {other}"
                ))
            }
        });
}

/// The first line is a status, the second a `Retry-After`, the third a `Location`, the rest the body.
#[test]
fn answers_of_receivers() {
    Campaign::new("answers")
        .seeds([
            "503\n120\n\n",
            "429\nSat, 11 Apr 2026 10:01:00 GMT\n\n",
            "503\nSaturday, 11-Apr-26 10:01:00 GMT\n\n",
            "503\nSat Apr 11 10:01:00 2026\n\n",
            "301\n\nhttp://elsewhere.example/\n",
            "200\n\n\n{\"action\":\"Done\",\"n\":1}",
            "200\n\n\n{\"result\":{\"order\":1}}",
            "204\n\n\n",
            "599\n-1\n\n",
            "410\n\n\ngone",
        ])
        .words(&[
            "200", "301", "429", "503", "999", "GMT", "UTC", "Sat", "Apr", "Feb 29", "23:59:60",
            "action", "result", "complete", "fail", "progress", "{", "}", "\"", "\n", "+", ",",
        ])
        .cases(3000)
        .run(|input| {
            let mut lines = input.splitn(4, |byte| *byte == b'\n');
            let mut line = || lines.next().unwrap_or_default();
            let status = StatusCode::from_bytes(line()).unwrap_or(StatusCode::OK);
            let mut headers = HeaderMap::new();
            for name in [http::header::RETRY_AFTER, http::header::LOCATION] {
                if let Ok(value) = HeaderValue::from_bytes(line()) {
                    headers.insert(name, value);
                }
            }
            match classify(status, &headers, Some(line()), NOW) {
                Answer::Acknowledged if status.is_success() => Ok("acknowledged".to_owned()),
                Answer::Resumed(body) if status.is_success() => {
                    if body.get("action").is_none() && body.get("result").is_none() {
                        return Err("a resume that says nothing".to_owned());
                    }
                    Ok(format!("resumed {:?}", body.get("action")))
                }
                Answer::Failed(failure) if !status.is_success() => {
                    is_sentence(&failure.message)?;
                    if failure.retry_after.is_some_and(|after| after < Span::ZERO) {
                        return Err("a time to wait that is over".to_owned());
                    }
                    let class = failure.class.name();
                    Ok(format!("{class} {}", failure.retry_after.is_some()))
                }
                other => Err(format!("{status} means {other:?}")),
            }
        });
}

#[test]
fn secrets() {
    let body = b"{\"a\":1}";
    Campaign::new("secrets")
        .seeds([
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg==",
            "any text of sixteen or more", "whsec_", "whsk_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "whpk_ebVWLo/mVPlAeLES6KmLp5AfhTrmlb7X4OORC60ElmQ=",
        ])
        .words(&["whsec_", "whsk_", "whpk_", "=", "==", "A", "/", "+", "-", "_"])
        .run(|input| {
            let text = text_of(input);
            let secret = Secret {
                text: text.clone(),
                valid_until: None,
            };
            let signed = sign(&[secret], "msg_1", NOW, body);
            match (check_secret(&text), signed) {
                (Ok(()), Ok(Some(signatures))) => {
                    let is_signing = public_key(&text).is_some();
                    if signatures.axme.is_some() == is_signing {
                        return Err("a key of one kind signs as one of the other".to_owned());
                    }
                    let Some(shared) = text.strip_prefix("whsec_") else {
                        return Ok(format!("signed {is_signing}"));
                    };
                    // The other side, which nobody here wrote, takes the signature.
                    // It wants the padding of base64, which we do not.
                    let Ok(verifier) = standardwebhooks::Webhook::new(shared) else {
                        return Ok("signed, and others refuse".to_owned());
                    };
                    let theirs = verifier.sign("msg_1", NOW.as_seconds(), body);
                    if theirs.is_ok_and(|theirs| theirs == signatures.standard) {
                        Ok("signed shared".to_owned())
                    } else {
                        Err("others sign differently".to_owned())
                    }
                }
                (Err(bad), Err(_)) => {
                    let sentence = bad.to_string();
                    is_sentence(&sentence)?;
                    if text.len() > 12 && sentence.contains(&text) {
                        return Err("a refusal tells the secret".to_owned());
                    }
                    Ok(sentence)
                }
                (checked, signed) => Err(format!("checked as {checked:?}, signed as {signed:?}")),
            }
        });
}
