//! What the machine allows: a POST answered after a group-committed, synced append, delivered over an event
//! stream, and one POST that says it is done. No rules, no memory, no keys.

use std::fs::File;
use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use axum::routing::{get, post};
use axum::serve::ListenerExt as _;
use serde_json::value::RawValue;
use tokio::sync::{mpsc, oneshot};

use crate::cli::failure::Failure;
use crate::shutdown::Tasks;

pub(super) const ACCEPT: &str = "/accept";
pub(super) const DONE: &str = "/done";
pub(super) const STREAM: &str = "/stream";

/// Appends in one sync, and appends that wait: as the broker's.
const QUEUE_MAX: usize = 4096;
/// Listeners that wait to be let in.
const LISTENERS_MAX: usize = 64;
/// Bytes of an event stream that are written together.
const PIECE: usize = 64 * 1024;

struct Append {
    bytes: Bytes,
    is_new: bool,
    /// The number of the append; dropped when it could not be written.
    done: oneshot::Sender<u64>,
}

struct Server {
    appends: mpsc::Sender<Append>,
    listeners: mpsc::Sender<mpsc::Sender<Bytes>>,
}

/// Why a file cannot be written, and what helps.
pub(super) fn unwritable(path: &Path, error: &std::io::Error) -> Failure {
    let failure = Failure::refused(format!("write {}: {error}", path.display()));
    if error.kind() == std::io::ErrorKind::StorageFull {
        return failure
            .hint("make room, name another directory with --dir, or give it fewer --seconds");
    }
    failure.hint("name a directory that you may write to with --dir")
}

/// Serves on a free port of loopback until `tasks` stop; the log lies in `directory`.
///
/// # Errors
/// What the system said no to.
pub async fn serve(directory: &Path, tasks: &Tasks) -> Result<SocketAddr, Failure> {
    let path = directory.join("log");
    let file = File::create(&path).map_err(|error| unwritable(&path, &error))?;
    let fault = |error: std::io::Error| Failure::refused(format!("start the ceiling: {error}"));
    let (appends, queue) = mpsc::channel(QUEUE_MAX);
    let (listeners, joining) = mpsc::channel(LISTENERS_MAX);
    tasks
        .spawn_thread("ceiling writer", move || write(file, queue, joining))
        .map_err(fault)?;
    let app = Router::new()
        .route(ACCEPT, post(accept))
        .route(DONE, post(done))
        .route(STREAM, get(stream))
        .with_state(Arc::new(Server { appends, listeners }));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .map_err(fault)?;
    let address = listener.local_addr().map_err(fault)?;
    let stop = tasks.token().clone();
    tasks.spawn("ceiling", async move {
        let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
        let serving = axum::serve(listener, app);
        // Both may be dropped: connections end with the load that made them.
        tokio::select! {
            () = stop.cancelled() => {}
            ended = serving => {
                if let Err(error) = ended {
                    tracing::warn!(%error, "the ceiling stopped");
                }
            }
        }
    });
    Ok(address)
}

/// Appends what is queued, syncs once, and only then answers and delivers. Ends with the last connection, or
/// when it cannot write.
fn write(
    mut file: File,
    mut queue: mpsc::Receiver<Append>,
    mut joining: mpsc::Receiver<mpsc::Sender<Bytes>>,
) {
    let mut streams: Vec<mpsc::Sender<Bytes>> = Vec::new();
    let (mut id, mut turn) = (0_u64, 0_usize);
    while let Some(first) = queue.blocking_recv() {
        let mut batch = vec![first];
        while batch.len() < QUEUE_MAX
            && let Ok(more) = queue.try_recv()
        {
            batch.push(more);
        }
        let bytes: Vec<u8> = batch.iter().flat_map(|one| one.bytes.to_vec()).collect();
        let written = file.write_all(&bytes).and_then(|()| file.sync_data());
        if let Err(error) = written {
            // Whoever waits is answered by the end of this thread.
            tracing::error!(%error, "the ceiling cannot write");
            return;
        }
        while let Ok(stream) = joining.try_recv() {
            streams.push(stream);
        }
        streams.retain(|stream| !stream.is_closed());
        for append in batch {
            id = id.saturating_add(1);
            // At the end of a run callers hang up.
            let _gone = append.done.send(id);
            if !append.is_new {
                continue;
            }
            turn = turn.wrapping_add(1);
            let next = turn.checked_rem(streams.len()).unwrap_or(0);
            if let Some(stream) = streams.get(next) {
                let body = String::from_utf8_lossy(&append.bytes);
                let frame = format!(
                    "id: {id}\nevent: intent.delivered\ndata: {{\"intent_id\":\"{id}\",\"body\":{body}}}\n\n"
                );
                // The window of the load is smaller than the channel.
                drop(stream.try_send(Bytes::from(frame)));
            }
        }
    }
}

async fn append(server: &Server, bytes: Bytes, is_new: bool) -> Result<Response, StatusCode> {
    let parsed: Result<&RawValue, _> = serde_json::from_slice(&bytes);
    if parsed.is_err() {
        return Err(StatusCode::BAD_REQUEST);
    }
    let (done, answer) = oneshot::channel();
    let append = Append {
        bytes,
        is_new,
        done,
    };
    let sent = server.appends.send(append).await;
    sent.map_err(|_writer_gone| StatusCode::INSUFFICIENT_STORAGE)?;
    let id = answer.await;
    let id = id.map_err(|_unwritten| StatusCode::INSUFFICIENT_STORAGE)?;
    let body = format!("{{\"ok\":true,\"intent_id\":\"{id}\",\"status\":\"DELIVERED\"}}");
    let mut response = Response::new(Body::from(body));
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    Ok(response)
}

async fn accept(State(server): State<Arc<Server>>, bytes: Bytes) -> Result<Response, StatusCode> {
    append(&server, bytes, true).await
}

async fn done(State(server): State<Arc<Server>>, bytes: Bytes) -> Result<Response, StatusCode> {
    append(&server, bytes, false).await
}

async fn stream(State(server): State<Arc<Server>>) -> Result<Response, StatusCode> {
    let (sender, receiver) = mpsc::channel(QUEUE_MAX);
    let joined = server.listeners.send(sender).await;
    joined.map_err(|_writer_gone| StatusCode::INSUFFICIENT_STORAGE)?;
    let pieces = futures_util::stream::unfold(receiver, |mut receiver| async move {
        let mut piece = receiver.recv().await?.to_vec();
        while piece.len() < PIECE
            && let Ok(more) = receiver.try_recv()
        {
            piece.extend_from_slice(&more);
        }
        Some((
            Ok::<_, std::convert::Infallible>(Bytes::from(piece)),
            receiver,
        ))
    });
    Ok(Response::new(Body::from_stream(pieces)))
}
