//! The page that decides, in a real browser.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::broker::Broker;

/// Nobody takes its mails: the links are made by whoever opens them.
const SETTINGS: [&str; 5] = [
    "mail.host=127.0.0.1",
    "mail.port=9",
    "mail.tls=none",
    "mail.from=postroom@example.test",
    "mail.page_url=https://page.example.test",
];

/// Chromium as the distribution has it, and `playwright-core` of npm where `.ci/run` put it.
#[test]
fn a_browser_opens_the_page_decides_and_finds_it_shut() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let modules = root.join("target/node/node_modules");
    let Some(chromium) = chromium().filter(|_| modules.join("playwright-core").exists()) else {
        let is = |name: &str, value: &str| std::env::var(name).is_ok_and(|text| text == value);
        assert!(
            !is("POSTROOM_TEST_CLIENTS_REQUIRED", "1"),
            "apt-get install chromium; npm install --prefix target/node playwright-core"
        );
        eprintln!(
            "NOT RUN: no chromium, or no playwright-core in target/node; .ci/run says how to have them"
        );
        return;
    };
    let broker = Broker::start(&SETTINGS);
    let ended = Command::new("node")
        .arg(root.join("tests/clients/page.cjs"))
        .env("NODE_PATH", &modules)
        .env("POSTROOM_CHROMIUM", chromium)
        .env("POSTROOM_URL", &broker.url)
        .env("POSTROOM_KEY", &broker.key)
        .env("POSTROOM_DATA", broker.data())
        .output()
        .unwrap();
    let out = String::from_utf8_lossy(&ended.stdout);
    let err = String::from_utf8_lossy(&ended.stderr);
    assert!(ended.status.success(), "{}\n{out}{err}", ended.status);
    eprint!("{out}");
}

/// The browser on the path, if there is one.
fn chromium() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .flat_map(|folder| {
            ["chromium", "chromium-browser", "google-chrome"].map(|name| folder.join(name))
        })
        .find(|program| program.is_file())
}
