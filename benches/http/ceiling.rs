//! What the machine allows: a POST answered after a group-committed, fdatasynced append, delivered over
//! an event stream, and one POST that says it is done. No rules, no memory, no keys.

use std::fs::File;
use std::io::Write;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::HeaderValue;
use axum::response::Response;
use axum::routing::{get, post};
use serde_json::value::RawValue;
use tokio::sync::{mpsc, oneshot};

struct Append {
    bytes: Bytes,
    is_new: bool,
    done: oneshot::Sender<u64>,
}

struct Server {
    appends: mpsc::Sender<Append>,
    listeners: mpsc::Sender<mpsc::Sender<Bytes>>,
}

/// Serves on a free port; the log lies in `directory`.
pub(crate) async fn serve(directory: &std::path::Path) -> SocketAddr {
    let file = File::create(directory.join("log")).unwrap();
    let (appends, queue) = mpsc::channel(4096);
    let (listeners, joining) = mpsc::channel(64);
    std::thread::Builder::new()
        .name("writer".to_owned())
        .spawn(move || write(file, queue, joining))
        .unwrap();
    let server = Arc::new(Server { appends, listeners });
    let app = Router::new()
        .route("/accept", post(accept))
        .route("/ack", post(ack))
        .route("/stream", get(stream))
        .with_state(server);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::task::spawn(async move {
        use axum::serve::ListenerExt;
        let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
        axum::serve(listener, app).await.unwrap();
    });
    address
}

fn write(
    mut file: File,
    mut queue: mpsc::Receiver<Append>,
    mut joining: mpsc::Receiver<mpsc::Sender<Bytes>>,
) {
    let mut streams: Vec<mpsc::Sender<Bytes>> = Vec::new();
    let next = AtomicU64::new(1);
    let mut turn = 0;
    while let Some(first) = queue.blocking_recv() {
        let mut batch = vec![first];
        while batch.len() < 4096
            && let Ok(more) = queue.try_recv()
        {
            batch.push(more);
        }
        let bytes: Vec<u8> = batch.iter().flat_map(|one| one.bytes.to_vec()).collect();
        file.write_all(&bytes).unwrap();
        file.sync_data().unwrap();
        while let Ok(stream) = joining.try_recv() {
            streams.push(stream);
        }
        streams.retain(|stream| !stream.is_closed());
        for append in batch {
            let id = next.fetch_add(1, Ordering::Relaxed);
            // At the end of a run callers hang up.
            let _gone = append.done.send(id);
            if append.is_new && !streams.is_empty() {
                turn = (turn + 1) % streams.len();
                let body = String::from_utf8_lossy(&append.bytes);
                let frame = format!(
                    "id: {id}\nevent: intent.delivered\ndata: {{\"intent_id\":\"{id}\",\"body\":{body}}}\n\n"
                );
                // The window of the load is smaller than the channel.
                drop(streams[turn].try_send(Bytes::from(frame)));
            }
        }
    }
}

async fn append(server: &Server, bytes: Bytes, is_new: bool) -> Response {
    let parsed: Result<&RawValue, _> = serde_json::from_slice(&bytes);
    assert!(parsed.is_ok());
    let (done, answer) = oneshot::channel();
    let append = Append {
        bytes,
        is_new,
        done,
    };
    assert!(server.appends.send(append).await.is_ok());
    let id = answer.await.unwrap();
    let body = format!("{{\"ok\":true,\"intent_id\":\"{id}\",\"status\":\"DELIVERED\"}}");
    let mut response = Response::new(Body::from(body));
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert("content-type", json);
    response
}

async fn accept(State(server): State<Arc<Server>>, bytes: Bytes) -> Response {
    append(&server, bytes, true).await
}

async fn ack(State(server): State<Arc<Server>>, bytes: Bytes) -> Response {
    append(&server, bytes, false).await
}

async fn stream(State(server): State<Arc<Server>>) -> Response {
    let (sender, receiver) = mpsc::channel(4096);
    assert!(server.listeners.send(sender).await.is_ok());
    let pieces = futures_util::stream::unfold(receiver, |mut receiver| async move {
        let mut piece = receiver.recv().await?.to_vec();
        while piece.len() < 64 * 1024
            && let Ok(more) = receiver.try_recv()
        {
            piece.extend_from_slice(&more);
        }
        Some((
            Ok::<_, std::convert::Infallible>(Bytes::from(piece)),
            receiver,
        ))
    });
    Response::new(Body::from_stream(pieces))
}
