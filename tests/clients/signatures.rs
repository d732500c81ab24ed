//! Our signatures before verifiers in JavaScript that nobody here wrote.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use postroom::bindings::signature::{new_secret, new_signing_key, public_key, sign};
use postroom::clock::{Clock as _, SystemClock};
use postroom::domain::agent::Secret;
use serde_json::json;

const BODY: &str = r#"{"type":"intent.delivered","payload":{"text":"Zürich ✓ \u2028"}}"#;
const ID: &str = "018f3c5e-7a10-7c3a-9b1e-5d2f6a7b8c9d";

/// The packages `standardwebhooks` and `svix` of npm, where `.ci/run` put them, and node's own ed25519.
#[test]
fn published_javascript_verifiers_accept_every_secret_that_overlaps() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let modules = root.join("target/node/node_modules");
    if !modules.join("svix").exists() || !modules.join("standardwebhooks").exists() {
        let is = |name: &str, value: &str| std::env::var(name).is_ok_and(|text| text == value);
        assert!(
            !is("POSTROOM_TEST_CLIENTS_REQUIRED", "1"),
            "npm install --prefix target/node standardwebhooks svix"
        );
        eprintln!("NOT RUN: target/node has no standardwebhooks and svix; .ci/run installs them");
        return;
    }
    let now = SystemClock::new().now();
    let (new, old, key) = (
        new_secret(&[7; 32]),
        new_secret(&[8; 32]),
        new_signing_key(&[9; 32]),
    );
    let secrets = [&new, &key, &old].map(|text| Secret {
        text: text.clone(),
        valid_until: None,
    });
    let signed = sign(&secrets, ID, now, BODY.as_bytes()).unwrap().unwrap();
    let told = json!({
        "body": BODY,
        "headers": {
            "webhook-id": ID,
            "webhook-timestamp": now.as_seconds().to_string(),
            "webhook-signature": signed.standard,
        },
        "secrets": [new, old],
        "stranger": new_secret(&[1; 32]),
        "public_key": public_key(&key),
    });
    let mut node = Command::new("node")
        .arg(root.join("tests/clients/signatures.cjs"))
        .env("NODE_PATH", &modules)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = node.stdin.take().unwrap();
    input.write_all(told.to_string().as_bytes()).unwrap();
    drop(input);
    let ended = node.wait_with_output().unwrap();
    let out = String::from_utf8_lossy(&ended.stdout);
    assert!(ended.status.success(), "{out}");
    assert_eq!(out.trim(), "11 checks");
}
