//! A mail server for one process: takes mails, or refuses them as told.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};

use tokio::sync::mpsc;

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct Sink {
    pub(crate) port: u16,
    taken: mpsc::Receiver<Taken>,
}

/// A mail that was taken.
#[derive(Debug, Clone)]
pub(crate) struct Taken {
    pub(crate) to: String,
    head: String,
    pub(crate) text: String,
}

impl Taken {
    pub(crate) fn header(&self, name: &str) -> String {
        let folded = self.head.replace("\r\n ", " ");
        let mut lines = folded.lines();
        let line = lines.find_map(|line| line.strip_prefix(&format!("{name}: ")));
        line.unwrap_or_default().to_owned()
    }

    /// The path of the link in it.
    pub(crate) fn link(&self) -> String {
        let at = self.text.find("/decide/").expect("a link");
        let (_, rest) = self.text.split_at(at);
        rest.split_whitespace().next().unwrap().to_owned()
    }
}

impl Sink {
    /// A server that answers so to the first recipients, and takes the others.
    pub(crate) fn open(answers: &[&str]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (sender, taken) = mpsc::channel(64);
        let answers: VecDeque<String> = answers.iter().map(|one| (*one).to_owned()).collect();
        let answers = Arc::new(Mutex::new(answers));
        std::thread::spawn(move || {
            while let Ok((stream, _)) = listener.accept() {
                let (answers, sender) = (Arc::clone(&answers), sender.clone());
                std::thread::spawn(move || serve(stream, &answers, &sender));
            }
        });
        Self { port, taken }
    }

    /// The next mail.
    pub(crate) async fn next(&mut self) -> Taken {
        let next = tokio::time::timeout(PATIENCE, self.taken.recv()).await;
        next.expect("a mail in time").unwrap()
    }

    /// True when no more has come.
    pub(crate) fn is_empty(&mut self) -> bool {
        self.taken.try_recv().is_err()
    }
}

fn serve(
    mut stream: TcpStream,
    answers: &Mutex<VecDeque<String>>,
    taken: &mpsc::Sender<Taken>,
) -> Option<()> {
    let mut lines = BufReader::new(stream.try_clone().ok()?).lines();
    stream.write_all(b"220 sink\r\n").ok()?;
    let mut to = String::new();
    while let Some(Ok(line)) = lines.next() {
        let verb = line
            .split([' ', ':'])
            .next()
            .unwrap_or_default()
            .to_uppercase();
        let answer = match verb.as_str() {
            "RCPT" => {
                line.split(['<', '>'])
                    .nth(1)
                    .unwrap_or_default()
                    .clone_into(&mut to);
                let answer = answers.lock().unwrap().pop_front();
                answer.unwrap_or_else(|| "250 ok".to_owned())
            }
            "DATA" => {
                stream.write_all(b"354 go on\r\n").ok()?;
                let mut mail = String::new();
                while let Some(Ok(line)) = lines.next() {
                    if line == "." {
                        break;
                    }
                    mail.push_str(line.strip_prefix('.').unwrap_or(&line));
                    mail.push_str("\r\n");
                }
                let (head, body) = mail.split_once("\r\n\r\n").unwrap_or((&mail, ""));
                let head = head.to_owned();
                let text = if head.contains("quoted-printable") {
                    unquoted(body)
                } else {
                    body.to_owned()
                };
                let to = to.clone();
                taken.blocking_send(Taken { to, head, text }).ok()?;
                "250 taken".to_owned()
            }
            "QUIT" => {
                stream.write_all(b"221 bye\r\n").ok()?;
                return Some(());
            }
            _ => "250 ok".to_owned(),
        };
        stream.write_all(format!("{answer}\r\n").as_bytes()).ok()?;
    }
    Some(())
}

/// RFC 2045, section 6.7.
fn unquoted(body: &str) -> String {
    let joined = body.replace("=\r\n", "");
    let mut bytes = Vec::new();
    let mut rest = joined.as_bytes().iter().copied();
    while let Some(byte) = rest.next() {
        if byte == b'=' {
            let hex = [rest.next().unwrap(), rest.next().unwrap()];
            let hex = std::str::from_utf8(&hex).unwrap().to_owned();
            bytes.push(u8::from_str_radix(&hex, 16).unwrap());
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).unwrap()
}
