//! One connection: one request, one answer, with a limit on everything that the other side could draw out.
//!
//! There is no keep-alive. A collector comes every few seconds, a connection on this machine costs next to nothing, and
//! one that is done cannot be held open.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tower_service::Service;

/// From the connection to the end of the request's head.
pub(super) const HEAD: Duration = Duration::from_secs(5);
/// From the connection to the end of the answer: a collector reads 4 MiB in less.
const WHOLE: Duration = Duration::from_secs(30);
/// How many headers a request may have.
const HEADERS: usize = 64;
/// How long its head may be, in bytes.
const LONGEST_HEAD: usize = 16 * 1024;

/// Answers one request. When `stop` changes, a connection that has not asked yet is closed; others get their answer.
pub(super) async fn serve<S>(stream: S, router: Router, mut stop: watch::Receiver<()>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let asked = Arc::new(AtomicBool::new(false));
    let service = {
        let asked = Arc::clone(&asked);
        service_fn(move |request: Request<Incoming>| {
            asked.store(true, Ordering::Relaxed);
            // A router is always ready. The body is handed on unread, and nobody reads it.
            router.clone().call(request.map(Body::new))
        })
    };
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .keep_alive(false)
        // A client that says it will ask nothing more still wants its answer.
        .half_close(true)
        .max_headers(HEADERS)
        .max_buf_size(LONGEST_HEAD)
        .serve_connection(TokioIo::new(stream), service);
    let answered = tokio::time::timeout(WHOLE, connection);
    tokio::pin!(answered);
    tokio::select! {
        // What went wrong went wrong on the other side: it left, was slow, or spoke no HTTP. There is nobody to tell.
        _ = &mut answered => {}
        _ = stop.changed() => {
            if asked.load(Ordering::Relaxed) {
                let _ = answered.await;
            }
        }
    }
}
