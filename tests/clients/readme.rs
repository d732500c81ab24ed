//! The first thing that somebody tries: the README's quick start, word for word.

use std::path::Path;

use crate::broker::Broker;
use crate::python::{Walking, walk};

#[test]
fn the_quick_start_of_the_readme_does_what_it_says() {
    let broker = Broker::start(&[]);
    if !walk(&broker, "identity.py", &["the_broker_is_reached"]) {
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let share = home.path().join(".local/share");
    std::fs::create_dir_all(&share).unwrap();
    std::os::unix::fs::symlink(broker.data(), share.join("postroom")).unwrap();

    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md"));
    let readme = readme.unwrap();
    let mut blocks = readme.split("```python\n").skip(1);
    let mut block = || blocks.next().unwrap().split("```").next().unwrap();
    let (receiver, sender) = (block(), block());
    let (client, _) = receiver.split_once("for row").unwrap();
    assert!(sender.starts_with("# client as above\n"), "{sender}");

    // Only the port and the home directory are not as written.
    let save = |name: &str, text: &str| {
        let path = home.path().join(name);
        let home = format!("import os; os.environ['HOME'] = {:?}\n", home.path());
        let text = text.replace("http://127.0.0.1:8100", &broker.url);
        assert!(text.contains(&broker.url), "the README names another port");
        std::fs::write(&path, home + &text).unwrap();
        path
    };
    let receiver = save("receiver.py", receiver);
    let sender = save("sender.py", &format!("{client}{sender}"));
    let start = |path: &Path| Walking::start(&broker, path.to_str().unwrap(), &[]).unwrap();
    let mut receiving = start(&receiver);
    let mut sending = start(&sender);
    assert_eq!(sending.line(), "COMPLETED");
    assert_eq!(receiving.line(), "got {'order_id': 'ORD-1'}");
    sending.end();
}
