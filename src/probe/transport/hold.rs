//! A connector layer that makes the connection first and hands it to the first request later.
//!
//! reqwest connects only when a request is sent. A ladder needs the connection before it decides whether to send
//! anything (depth `connect` never does), and it needs a broken connection to be told apart from a broken exchange. So
//! the dial runs a request whose connector stops the moment the connection stands: the connection is kept here, and
//! the first real request takes it.

use std::any::Any;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use tower_layer::Layer;
use tower_service::Service;

use super::marks::Marks;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Ends the dial on purpose. Nobody outside this folder sees it.
#[derive(Debug, thiserror::Error)]
#[error("the connection stands and is held")]
pub(super) struct Held;

/// The held connection, and how many were made.
#[derive(Clone)]
pub(super) struct Hold {
    marks: Marks,
    // reqwest's connection type cannot be named, so it is kept as `Any` and comes back through the same service type.
    held: Arc<Mutex<Option<Box<dyn Any + Send>>>>,
    made: Arc<AtomicU32>,
}

impl Hold {
    pub(super) fn new(marks: Marks) -> Self {
        Self { marks, held: Arc::default(), made: Arc::default() }
    }

    /// How many connections were made so far.
    pub(super) fn made(&self) -> u32 {
        self.made.load(Ordering::Relaxed)
    }

    fn put(&self, connection: Box<dyn Any + Send>) {
        *self.held.lock().unwrap_or_else(PoisonError::into_inner) = Some(connection);
    }

    fn take(&self) -> Option<Box<dyn Any + Send>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl<S> Layer<S> for Hold {
    type Service = Holding<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Holding { inner, hold: self.clone() }
    }
}

/// The connector with the hold round it.
#[derive(Clone)]
pub(super) struct Holding<S> {
    inner: S,
    hold: Hold,
}

impl<S, R> Service<R> for Holding<S>
where
    S: Service<R, Error = BoxError> + Clone + Send + 'static,
    S::Response: Send + 'static,
    S::Future: Send + 'static,
    R: Send + 'static,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: R) -> Self::Future {
        if let Some(connection) = self.hold.take()
            && let Ok(connection) = connection.downcast::<S::Response>()
        {
            return Box::pin(std::future::ready(Ok(*connection)));
        }
        let first = self.hold.made() == 0;
        let hold = self.hold.clone();
        if first {
            hold.marks.set(|marks, now| marks.begun = Some(now));
        }
        let connecting = self.inner.call(request);
        Box::pin(async move {
            let connection = connecting.await?;
            hold.made.fetch_add(1, Ordering::Relaxed);
            if first {
                hold.marks.set(|marks, now| marks.done = Some(now));
                hold.put(Box::new(connection));
                return Err(Held.into());
            }
            Ok(connection)
        })
    }
}
