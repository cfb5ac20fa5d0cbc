//! The pages. Each is a question to the daemon, put in words; none reads a request's body or changes anything.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore};

use super::access::{Access, Answer, Audience};
use super::negotiate;
use crate::telemetry::Exposition;

/// What the pages tell of, and all that they know of the daemon. `health` and `ready` are asked on the thread that probes
/// and must return at once; `metrics` and `status` are asked on another.
pub trait Source: Send + Sync + 'static {
    /// The metrics in a format.
    fn metrics(&self, format: Exposition) -> String;
    /// Whether the scheduler advances.
    fn health(&self) -> Health;
    /// Whether a configuration is loaded and armed, and the daemon is not about to stop.
    fn ready(&self) -> Health;
    /// The standing of the targets.
    fn status(&self) -> serde_json::Value;
}

/// An answer to "are you well?".
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Health {
    /// Yes.
    Ok,
    /// No, and why: a few words, on one line.
    Failing(String),
}

/// How many long answers may be in memory at once; a thousand targets are 4 MiB. Others wait for their turn.
pub(super) const LONG_ANSWERS: usize = 2;

const PLAIN: &str = "text/plain; charset=utf-8";

const INDEX: &str = "pilotlight\n\n\
    /metrics  for Prometheus\n\
    /status   the targets and how they stand, as JSON\n\
    /healthz  200 while the scheduler advances\n\
    /readyz   200 once a configuration is in force\n";

/// What all pages share.
struct Shared {
    source: Arc<dyn Source>,
    access: Access,
    long: Arc<Semaphore>,
    /// Held while a long answer is made. Two at a time would be two threads, and the allocator keeps a heap for each.
    making: Mutex<()>,
}

type Site = State<Arc<Shared>>;

/// All pages, behind the rule of who may ask.
pub(super) fn router(source: Arc<dyn Source>, access: Access) -> Router {
    let shared =
        Arc::new(Shared { source, access, long: Arc::new(Semaphore::new(LONG_ANSWERS)), making: Mutex::new(()) });
    Router::new()
        .route("/", get(async || page(StatusCode::OK, INDEX)))
        .route("/healthz", get(async |State(shared): Site| health(shared.source.health())))
        .route("/readyz", get(async |State(shared): Site| health(shared.source.ready())))
        .route("/metrics", get(metrics))
        .route("/status", get(status))
        .fallback(async || page(StatusCode::NOT_FOUND, "there is no such page; / lists them\n"))
        .method_not_allowed_fallback(async || page(StatusCode::METHOD_NOT_ALLOWED, "pages can only be read\n"))
        .layer(middleware::from_fn_with_state(Arc::clone(&shared), guard))
        .with_state(shared)
}

/// Lets in who may ask, and marks every answer.
async fn guard(State(shared): Site, request: Request, next: Next) -> Response {
    let audience = match request.uri().path() {
        "/metrics" | "/status" => Audience::Trusted,
        _ => Audience::Anybody,
    };
    let mut response = match shared.access.judge(audience, request.version(), request.headers()) {
        Answer::Granted => next.run(request).await,
        Answer::Unauthorized => {
            let mut response =
                page(StatusCode::UNAUTHORIZED, "this page needs `Authorization: Bearer` with the token\n");
            response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"pilotlight\""));
            response
        }
        Answer::WrongHost => page(
            StatusCode::FORBIDDEN,
            "without a token, only this machine's own name or address is answered (localhost, 127.0.0.1)\n",
        ),
    };
    let headers = response.headers_mut();
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

async fn metrics(State(shared): Site, headers: HeaderMap) -> Response {
    let accept: Vec<&str> = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok()).collect();
    let format = negotiate::exposition(&accept.join(","));
    long(&shared, format.content_type(), move |source| source.metrics(format)).await
}

async fn status(State(shared): Site) -> Response {
    long(&shared, "application/json", |source| format!("{}\n", source.status())).await
}

fn health(health: Health) -> Response {
    match health {
        Health::Ok => page(StatusCode::OK, "ok\n"),
        Health::Failing(reason) => page(StatusCode::SERVICE_UNAVAILABLE, format!("{reason}\n")),
    }
}

fn page(status: StatusCode, text: impl Into<Body>) -> Response {
    (status, [(CONTENT_TYPE, PLAIN)], text.into()).into_response()
}

/// An answer that takes long to make and much room, made on another thread: this one has probes to time.
async fn long(
    shared: &Shared,
    content_type: &'static str,
    make: impl FnOnce(&dyn Source) -> String + Send + 'static,
) -> Response {
    // The semaphore is never closed; were it, the answer would be made without it.
    let turn = Arc::clone(&shared.long).acquire_owned().await.ok();
    let source = Arc::clone(&shared.source);
    let _making = shared.making.lock().await;
    let made = tokio::task::spawn_blocking(move || Long { text: make(&*source), _turn: turn }).await;
    match made {
        Ok(text) => {
            (StatusCode::OK, [(CONTENT_TYPE, content_type)], Body::from(Bytes::from_owner(text))).into_response()
        }
        // It panicked; whoever takes panics has told of it.
        Err(_) => page(StatusCode::INTERNAL_SERVER_ERROR, "pilotlight failed to make this page; its log says why\n"),
    }
}

/// A text that keeps its turn for as long as it is in memory: that is until the last byte is sent, or given up. (A body
/// would be done with it as soon as hyper has taken the text over.)
struct Long {
    text: String,
    _turn: Option<OwnedSemaphorePermit>,
}

impl AsRef<[u8]> for Long {
    fn as_ref(&self) -> &[u8] {
        self.text.as_bytes()
    }
}
