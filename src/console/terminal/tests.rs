use ratatui::layout::Rect;
use ratatui::widgets::Widget as _;
use ratatui::{TerminalOptions, Viewport};

use super::*;
use crate::console::theme::depth::Depth;
use crate::console::theme::glyphs::UNICODE;
use crate::console::theme::{Role, Themes};
use crate::console::widgets::Paint;
use crate::console::widgets::section::{Look, Section};

/// Remembers every write.
#[derive(Debug, Clone, Default)]
struct Tape(Arc<Mutex<Vec<Vec<u8>>>>);

impl Write for Tape {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().push(bytes.to_vec());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn screen(tape: &Tape, columns: u16, rows: u16) -> Screen<Tape> {
    style::force_color_output(true);
    let is_open = Arc::new(AtomicBool::new(false));
    let backend = CrosstermBackend::new(FrameWriter::new(
        tape.clone(),
        Arc::clone(&is_open),
        Reach::Memory,
    ));
    let viewport = Viewport::Fixed(Rect::new(0, 0, columns, rows));
    let terminal = Terminal::with_options(backend, TerminalOptions { viewport }).unwrap();
    Screen {
        terminal,
        is_open,
        is_stale: true,
        options: Options::default(),
    }
}

fn replay(tape: &Tape, columns: u16, rows: u16) -> vt100::Parser {
    let mut parser = vt100::Parser::new(rows.try_into().unwrap(), columns.try_into().unwrap(), 0);
    for write in tape.0.lock().iter() {
        parser.process(write);
    }
    parser
}

#[test]
fn a_frame_is_one_write_inside_a_synchronized_update() {
    let tape = Tape::default();
    let mut screen = screen(&tape, 20, 2);
    for text in ["first", "second"] {
        screen
            .draw(|frame| text.render(frame.area(), frame.buffer_mut()))
            .unwrap();
    }
    let writes = tape.0.lock().clone();
    assert_eq!(writes.len(), 2);
    for write in &writes {
        let text = String::from_utf8(write.clone()).unwrap();
        assert!(
            text.starts_with("\x1b[?2026h") && text.ends_with("\x1b[?2026l"),
            "{text:?}"
        );
    }
    assert!(
        !String::from_utf8(writes[1].clone())
            .unwrap()
            .contains("\x1b[2J")
    );
    assert!(
        replay(&tape, 20, 2)
            .screen()
            .contents()
            .starts_with("second")
    );
}

#[test]
fn a_redraw_sends_every_cell_again_without_asking_the_terminal() {
    let tape = Tape::default();
    let mut screen = screen(&tape, 20, 1);
    let draw = |screen: &mut Screen<Tape>| {
        screen
            .draw(|frame| "standing".render(frame.area(), frame.buffer_mut()))
            .unwrap();
        String::from_utf8(tape.0.lock().last().unwrap().clone()).unwrap()
    };
    assert!(draw(&mut screen).contains("standing"));
    assert!(!draw(&mut screen).contains("standing"));
    screen.redraw();
    let again = draw(&mut screen);
    assert!(
        again.contains("standing") && !again.contains("\x1b[6n"),
        "{again:?}"
    );
}

#[test]
fn mono_keeps_the_cursor_row_reversed() {
    let (theme, _) = Themes::built_in().load("mono", Depth::Ansi16);
    let tape = Tape::default();
    let mut screen = screen(&tape, 10, 1);
    screen
        .draw(|frame| {
            let area = frame.area();
            frame
                .buffer_mut()
                .set_string(0, 0, "row", theme.style(Role::Cursor));
            frame
                .buffer_mut()
                .set_style(area, theme.style(Role::Cursor));
        })
        .unwrap();
    let parser = replay(&tape, 10, 1);
    assert!(parser.screen().cell(0, 9).unwrap().inverse());
}

#[test]
fn wide_combining_and_hostile_text_moves_no_border() {
    let (theme, _) = Themes::built_in().load("terminal", Depth::Ansi16);
    let paint = Paint {
        theme: &theme,
        glyphs: &UNICODE,
    };
    for text in [
        "北京市北京市北京市北京市",
        "e\u{301}\u{301}\u{301}\u{301}x",
        "\u{202E}abc\x1b[2J",
        "👨‍👩‍👧 🇩🇪",
    ] {
        let tape = Tape::default();
        let mut screen = screen(&tape, 30, 3);
        screen
            .draw(|frame| {
                let section = Section::new(text, "", Look::Light);
                let inner = section.draw(frame.area(), frame.buffer_mut(), paint);
                let style = theme.style(Role::Text);
                crate::console::widgets::put(
                    frame.buffer_mut(),
                    inner.x,
                    inner.y,
                    text,
                    inner.width,
                    style,
                );
            })
            .unwrap();
        let parser = replay(&tape, 30, 3);
        let at = |row, column| {
            parser
                .screen()
                .cell(row, column)
                .unwrap()
                .contents()
                .to_owned()
        };
        assert_eq!(
            (at(0, 0), at(0, 29)),
            ("┌".to_owned(), "┐".to_owned()),
            "{text:?}"
        );
        assert_eq!(
            (at(1, 0), at(1, 29)),
            ("│".to_owned(), "│".to_owned()),
            "{text:?}"
        );
    }
}

#[test]
fn what_is_taken_is_given_back() {
    let enter = String::from_utf8(enter_sequence(Options { mouse: true })).unwrap();
    let leave = String::from_utf8(leave_sequence()).unwrap();
    let modes = |text: &str, end: char| -> Vec<String> {
        let sequences = text.split("\x1b[?").skip(1);
        let mut modes: Vec<String> = sequences
            .filter_map(|rest| rest.split_once(end).map(|(mode, _)| mode.to_owned()))
            .filter(|mode| mode.chars().all(|letter| letter.is_ascii_digit()))
            .collect();
        modes.sort();
        modes
    };
    for mode in modes(&enter, 'h') {
        assert!(modes(&leave, 'l').contains(&mode), "mode {mode} stays set");
    }
    assert!(enter.contains("\x1b[?25l") && leave.contains("\x1b[?25h"));
    assert!(
        !String::from_utf8(enter_sequence(Options::default()))
            .unwrap()
            .contains("1000h")
    );
}

#[test]
fn a_copy_is_wrapped_for_what_stands_between_and_has_a_limit() {
    let tape = Tape::default();
    let mut screen = screen(&tape, 10, 1);
    screen.copy("91b4f6c3", Between::Nothing).unwrap();
    assert_eq!(tape.0.lock().last().unwrap(), b"\x1b]52;c;OTFiNGY2YzM=\x07");
    screen.copy("x", Between::Tmux).unwrap();
    assert_eq!(
        tape.0.lock().last().unwrap(),
        b"\x1bPtmux;\x1b\x1b]52;c;eA==\x07\x1b\\"
    );
    let long = "x".repeat(COPY_BYTES_MAX + 1);
    assert!(matches!(
        screen.copy(&long, Between::Screen),
        Err(TerminalError::CopyTooLong(_))
    ));
    assert_eq!(
        Between::announced(Some("/tmp/tmux"), Some("screen")),
        Between::Tmux
    );
    assert_eq!(
        Between::announced(None, Some("screen-256color")),
        Between::Screen
    );
}

#[test]
fn restoring_what_nobody_took_does_nothing() {
    restore();
    restore();
    assert!(!*HELD.lock());
}
