//! One connection as bytes: reading requests, writing answers, and damaging them on the way.
//!
//! Every byte of an answer passes through [`Wire::write`], so that "reset after byte N" and "one byte at a time" work
//! for any answer, inside its head too. Every wait happens in [`Wire::wait_for`], which ends when the peer leaves.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::clock::{Clock, Moment};
use super::http::{self, BadRequest, BodyLength, Request, Response};
use super::provider::Provider;
use super::socket::Socket;

/// The most bytes that one answer may have, whatever a fault asks for: a test cannot run away.
pub(crate) const ANSWER_LIMIT: u64 = 256 * 1024 * 1024;
/// The longest real time that a connection waits for a request, or a fault keeps it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(600);
/// Bytes that a client may send ahead while it waits for an answer.
const PIPELINE_LIMIT: usize = 2 * 1024 * 1024;

/// Why an exchange ended before its answer was complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// The peer closed, or its patience or ours is over.
    Gone,
    /// A fault closes the connection here, in an orderly way.
    Close,
    /// A fault resets the connection here.
    Reset,
}

/// Damage that a fault does to an answer.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Damage {
    /// End the connection this way once so many bytes of the answer are sent.
    pub(crate) cut: Option<(u64, Ended)>,
    /// Send one byte at a time, at this virtual interval.
    pub(crate) drip: Option<Duration>,
    /// Seconds by which its `Date` is ahead of the truth.
    pub(crate) date_ahead_s: i64,
}

/// Why no request could be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoRequest {
    Gone,
    Bad(BadRequest),
}

/// Bytes that crossed all connections of a simulator.
#[derive(Debug, Default)]
pub(crate) struct Traffic {
    pub(crate) received: AtomicU64,
    pub(crate) sent: AtomicU64,
}

/// How the end of a streamed body is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Framing {
    Chunked,
    UntilClose,
}

/// A connection with its buffers.
#[derive(Debug)]
pub(crate) struct Wire {
    socket: Socket,
    clock: Clock,
    inbound: Vec<u8>,
    damage: Damage,
    written: u64,
    framing: Framing,
    /// The body is not wanted (HEAD).
    head_only: bool,
    old_version: bool,
    /// The connection ends with this answer.
    pub(crate) closing: bool,
    provider: Arc<Provider>,
    /// The number of the request being answered, when it is one that counts.
    pub(crate) number: Option<u64>,
}

impl Wire {
    pub(crate) fn new(socket: Socket, provider: Arc<Provider>) -> Self {
        Self {
            socket,
            clock: provider.clock,
            provider,
            number: None,
            inbound: Vec::new(),
            damage: Damage::default(),
            written: 0,
            framing: Framing::Chunked,
            head_only: false,
            old_version: false,
            closing: false,
        }
    }

    /// Reads one request, however it is split into packets.
    pub(crate) async fn read_request(&mut self) -> Result<Request, NoRequest> {
        let head = loop {
            match http::parse_head(&self.inbound).map_err(NoRequest::Bad)? {
                Some(head) => break head,
                None => self.receive().await?,
            }
        };
        self.inbound.drain(..head.length);
        if head.expects_continue {
            self.socket.write(b"HTTP/1.1 100 Continue\r\n\r\n").await.map_err(|_| NoRequest::Gone)?;
        }
        let mut request = head.request;
        let (body, taken) = loop {
            let complete = match head.body {
                BodyLength::Exactly(length) => self.inbound.get(..length).map(|body| (body.to_vec(), length)),
                BodyLength::Chunked => http::parse_chunks(&self.inbound).map_err(NoRequest::Bad)?,
            };
            match complete {
                Some(found) => break found,
                None => self.receive().await?,
            }
        };
        self.inbound.drain(..taken);
        request.json = serde_json::from_slice(&body).unwrap_or_default();
        request.body = body;
        self.written = 0;
        self.number = None;
        self.damage = Damage::default();
        self.closing = request.closes();
        self.head_only = request.method == "HEAD";
        self.old_version = request.old_version;
        Ok(request)
    }

    /// Damages the answer that follows.
    pub(crate) fn set_damage(&mut self, damage: Damage) {
        self.damage = damage;
    }

    async fn receive(&mut self) -> Result<(), NoRequest> {
        let mut buffer = [0; 16 * 1024];
        let read = tokio::time::timeout(PATIENCE, self.socket.read(&mut buffer)).await;
        match read {
            Ok(Ok(count)) if count > 0 => {
                self.accept_bytes(buffer.get(..count).unwrap_or_default());
                Ok(())
            }
            _ => Err(NoRequest::Gone),
        }
    }

    fn accept_bytes(&mut self, bytes: &[u8]) {
        self.provider.traffic.received.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        self.inbound.extend_from_slice(bytes);
    }

    /// Waits for something while the peer stays connected.
    pub(crate) async fn wait_for<T>(&mut self, future: impl Future<Output = T>) -> Result<T, Ended> {
        let mut future = pin!(future);
        let mut buffer = [0; 4096];
        loop {
            tokio::select! {
                biased;
                output = &mut future => return Ok(output),
                read = self.socket.read(&mut buffer) => match read {
                    Ok(count) if count > 0 && self.inbound.len() < PIPELINE_LIMIT => {
                        self.accept_bytes(buffer.get(..count).unwrap_or_default());
                    }
                    _ => return Err(Ended::Gone),
                },
            }
        }
    }

    /// Sleeps for a virtual span while the peer stays connected.
    pub(crate) async fn sleep(&mut self, span: Duration) -> Result<(), Ended> {
        let clock = self.clock;
        self.wait_for(clock.sleep(span)).await
    }

    /// Sleeps until a virtual moment while the peer stays connected.
    pub(crate) async fn sleep_until(&mut self, moment: Moment) -> Result<(), Ended> {
        let clock = self.clock;
        self.wait_for(clock.sleep_until(moment)).await
    }

    /// Does nothing until the peer leaves or patience ends.
    pub(crate) async fn hang(&mut self) -> Ended {
        match self.wait_for(tokio::time::sleep(PATIENCE)).await {
            Ok(()) => Ended::Close,
            Err(ended) => ended,
        }
    }

    /// Writes bytes, as the damage allows.
    pub(crate) async fn write(&mut self, bytes: &[u8]) -> Result<(), Ended> {
        if let Some(every) = self.damage.drip {
            for byte in bytes {
                self.write_cut(std::slice::from_ref(byte)).await?;
                self.sleep(every).await?;
            }
            return Ok(());
        }
        self.write_cut(bytes).await
    }

    async fn write_cut(&mut self, bytes: &[u8]) -> Result<(), Ended> {
        let (limit, ended) = self.damage.cut.unwrap_or((ANSWER_LIMIT, Ended::Close));
        let room = usize::try_from(limit.saturating_sub(self.written)).unwrap_or(usize::MAX);
        let allowed = bytes.get(..room.min(bytes.len())).unwrap_or_default();
        // Without a deadline a client that stops reading would hold this task for ever.
        let write = tokio::time::timeout(PATIENCE, self.socket.write(allowed));
        write.await.map_err(|_| Ended::Gone)?.map_err(|_| Ended::Gone)?;
        self.written += allowed.len() as u64;
        self.provider.traffic.sent.fetch_add(allowed.len() as u64, Ordering::Relaxed);
        if allowed.len() < bytes.len() || (self.damage.cut.is_some() && self.written >= limit) {
            return Err(ended);
        }
        Ok(())
    }

    /// Sends a complete answer.
    pub(crate) async fn send(&mut self, response: Response) -> Result<(), Ended> {
        let length = response.body.len().to_string();
        let mut bytes = self.head(response.status, response.headers, &[("content-length", &length)]);
        if !self.head_only {
            bytes.extend_from_slice(&response.body);
        }
        self.write(&bytes).await
    }

    /// Sends the head of an answer whose body follows in pieces.
    pub(crate) async fn begin(&mut self, status: u16, headers: Vec<(String, String)>) -> Result<(), Ended> {
        let bytes = if self.old_version {
            self.framing = Framing::UntilClose;
            self.head(status, headers, &[])
        } else {
            self.framing = Framing::Chunked;
            self.head(status, headers, &[("transfer-encoding", "chunked")])
        };
        self.write(&bytes).await
    }

    /// Sends a piece of the body at once.
    pub(crate) async fn piece(&mut self, data: &[u8]) -> Result<(), Ended> {
        if data.is_empty() || self.head_only {
            return Ok(());
        }
        match self.framing {
            Framing::UntilClose => self.write(data).await,
            Framing::Chunked => {
                // One write, so that a piece is one packet and its time is its own.
                let mut bytes = format!("{:x}\r\n", data.len()).into_bytes();
                bytes.extend_from_slice(data);
                bytes.extend_from_slice(b"\r\n");
                self.write(&bytes).await
            }
        }
    }

    /// Ends a body that was sent in pieces.
    pub(crate) async fn finish(&mut self) -> Result<(), Ended> {
        match self.framing {
            Framing::Chunked if !self.head_only => self.write(b"0\r\n\r\n").await,
            Framing::Chunked => Ok(()),
            Framing::UntilClose => {
                self.closing = true;
                Ok(())
            }
        }
    }

    /// Counts the status of the answer that begins.
    pub(crate) fn note_status(&mut self, status: u16) {
        if let Some(number) = self.number {
            self.provider.ledger.answering(number, status);
        }
    }

    /// Renders a head with what every answer carries, up to and including the blank line.
    fn head(&mut self, status: u16, given: Vec<(String, String)>, framing: &[(&str, &str)]) -> Vec<u8> {
        self.note_status(status);
        let mut headers = given;
        let missing =
            |headers: &[(String, String)], name: &str| !headers.iter().any(|(held, _)| held.eq_ignore_ascii_case(name));
        let mut own = vec![("date", self.clock.http_date(self.damage.date_ahead_s))];
        own.extend(self.provider.scenario.server.clone().map(|server| ("server", server)));
        own.extend(framing.iter().map(|(name, value)| (*name, (*value).to_owned())));
        if self.closing {
            own.push(("connection", "close".to_owned()));
        }
        for (name, value) in own {
            if missing(&headers, name) {
                headers.push((name.to_owned(), value));
            }
        }
        let mut head = http::render_head(status, &headers);
        head.push_str("\r\n");
        head.into_bytes()
    }

    /// Ends the connection: with a reset, or in an orderly way that lets the peer read all that was sent.
    pub(crate) async fn end(mut self, how: Ended) {
        match how {
            Ended::Gone => {}
            Ended::Reset => self.socket.reset_on_drop(),
            Ended::Close => {
                // Closing while unread bytes wait would reset the connection and lose the answer on its way.
                let drain = async {
                    let mut buffer = [0; 4096];
                    if self.socket.shutdown().await.is_ok() {
                        while matches!(self.socket.read(&mut buffer).await, Ok(count) if count > 0) {}
                    }
                };
                let _late = tokio::time::timeout(Duration::from_secs(2), drain).await;
            }
        }
    }
}
