//! Exports: the scope of a list to a file, on record.

use crossterm::event::KeyCode;

use super::Bench;
use crate::console::export::Format;
use crate::console::task::{ExportOf, ExportOrder, Task};

fn ordered(bench: &mut Bench) -> ExportOrder {
    let tasks = bench.take(|task| matches!(task, Task::Export(_)));
    match tasks.as_slice() {
        [Task::Export(order)] => (**order).clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn e_writes_the_filtered_list_in_the_chosen_format_to_the_named_file() {
    let mut bench = Bench::at(120, 36);
    bench.keys("3/state:dead");
    bench.key(KeyCode::Enter);
    bench.keys("E");
    bench.pass(1_000);
    assert!(bench.screen().contains("state:dead"), "{}", bench.screen());
    bench.key(KeyCode::Tab);
    bench.keys(" ");
    bench.key(KeyCode::Tab);
    bench.key(KeyCode::Enter);
    let order = ordered(&mut bench);
    assert_eq!(order.format, Format::Csv);
    assert!(order.path.starts_with("postroom-intents-"));
    assert_eq!(order.path.rsplit('.').next(), Some("csv"));
    assert_eq!(order.filter, "state:dead");
    let ExportOf::Intents(filter) = order.of else {
        panic!("{:?}", order.of);
    };
    assert_eq!(filter, bench.model.intents.wanted);
}

#[test]
fn marked_rows_are_a_scope_of_their_own() {
    let mut bench = Bench::at(80, 24);
    bench.keys("3  E");
    bench.pass(1_000);
    bench.key(KeyCode::Tab);
    bench.key(KeyCode::Tab);
    bench.key(KeyCode::Enter);
    assert_eq!(ordered(&mut bench).only.len(), 2);
}

#[test]
fn what_is_written_is_on_record_with_its_count_and_its_file() {
    let mut bench = Bench::at(120, 36);
    let directory = tempfile::tempdir().unwrap();
    bench.keys("6E");
    bench.pass(1_000);
    bench.key(KeyCode::Tab);
    bench.key(KeyCode::Tab);
    bench.key(KeyCode::Enter);
    let mut order = ordered(&mut bench);
    order.path = directory.path().join("agents.ndjson").display().to_string();
    let desk = std::sync::Arc::clone(&bench.desk);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let news = runtime.block_on(crate::console::feed::work(
        desk,
        Task::Export(Box::new(order.clone())),
    ));
    bench.input(crate::console::update::Input::News(Box::new(news.unwrap())));
    let text = std::fs::read_to_string(&order.path).unwrap();
    assert_eq!(text.lines().count(), 5);
    assert!(bench.status().contains("5 rows in /"), "{}", bench.status());
    let acts = bench.acts();
    let [
        crate::desk::act::Act::Record {
            target, details, ..
        },
    ] = acts.as_slice()
    else {
        panic!("{acts:?}");
    };
    assert_eq!(target, "agents");
    assert!(details.as_str().contains("\"rows\":5"), "{details:?}");
}
