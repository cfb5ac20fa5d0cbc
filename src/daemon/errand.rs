//! Work that is done on another thread, at most one at a time: what takes long does not pile up.

use tokio::task::{JoinHandle, spawn_blocking};

/// One kind of work.
#[derive(Debug, Default)]
pub(super) struct Errand(Option<JoinHandle<()>>);

/// Whether it was begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sent {
    Begun,
    /// The one before is still under way.
    NotYet,
}

impl Errand {
    /// Begins it, unless the one before is still under way.
    pub(super) fn send(&mut self, work: impl FnOnce() + Send + 'static) -> Sent {
        if self.0.as_ref().is_some_and(|task| !task.is_finished()) {
            return Sent::NotYet;
        }
        self.0 = Some(spawn_blocking(work));
        Sent::Begun
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[tokio::test]
    async fn a_slow_one_is_not_begun_twice() {
        let mut errand = Errand::default();
        let (go, wait) = mpsc::channel::<()>();
        assert_eq!(errand.send(move || wait.recv().unwrap()), Sent::Begun);
        for _ in 0..3 {
            assert_eq!(errand.send(|| ()), Sent::NotYet, "there is one under way");
        }
        go.send(()).unwrap();
        errand.0.take().unwrap().await.unwrap();
        assert_eq!(errand.send(|| ()), Sent::Begun);
    }
}
