//! One connection from its first byte to its last: handshake, requests, faults, records.

use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::accounts::credential;
use super::admin;
use super::behaviour::Behaviour;
use super::counts::RequestRecord;
use super::exchange::{Bend, Ending, Exchange};
use super::http::Request;
use super::misbehave::{self, GARBAGE};
use super::provider::{Listener, Provider};
use super::proxy;
use super::routes;
use super::scenario::OnConnect;
use super::socket::Socket;
use super::tls::{OLD_PROTOCOL_ALERT, TlsMode};
use super::wire::{Damage, Ended, NoRequest, PATIENCE, Wire};

/// The most of a request's body that a record keeps.
const BODY_KEPT: usize = 4096;

/// Counts a connection as open for as long as it lives, however it ends.
struct Presence {
    provider: Arc<Provider>,
    number: u64,
    counted: bool,
}

impl Presence {
    fn new(provider: &Arc<Provider>) -> Self {
        Self { number: provider.ledger.connected(), provider: Arc::clone(provider), counted: true }
    }

    /// Takes the connection out of the counts: it is an administrator's.
    fn uncount(&mut self) {
        if std::mem::replace(&mut self.counted, false) {
            self.provider.ledger.uncount_connection();
        }
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        if self.counted {
            self.provider.ledger.disconnected();
        }
    }
}

/// Serves one connection.
pub(crate) async fn serve(mut stream: TcpStream, listener: Arc<Listener>, provider: Arc<Provider>) {
    let mut presence = Presence::new(&provider);
    // Without this a small write would wait for the last one's acknowledgement, and no time would be true.
    if stream.set_nodelay(true).is_err() {
        return;
    }
    match listener.on_connect {
        OnConnect::Serve => {}
        OnConnect::Close => return,
        OnConnect::Reset => {
            let _gone = stream.set_zero_linger();
            return;
        }
        OnConnect::Hang => return hold(&mut stream).await,
        OnConnect::Garbage => return say_and_close(stream, GARBAGE).await,
    }
    let Some(socket) = handshake(stream, &listener, &provider).await else {
        return;
    };
    if let Some(spec) = &listener.proxy {
        return match socket {
            Socket::Plain(stream) => proxy::serve(stream, spec, &listener.name, &provider).await,
            Socket::Tls(stream) => proxy::serve(*stream, spec, &listener.name, &provider).await,
        };
    }
    let mut wire = Wire::new(socket, Arc::clone(&provider));
    let mut first = true;
    loop {
        let request = match wire.read_request().await {
            Ok(request) => request,
            Err(NoRequest::Gone) => return,
            Err(NoRequest::Bad(reason)) => {
                provider.ledger.malformed();
                wire.closing = true;
                let ended = wire.send(reason.response()).await.err().unwrap_or(Ended::Close);
                return wire.end(ended).await;
            }
        };
        let administrative = request.path.starts_with(admin::PREFIX);
        if std::mem::replace(&mut first, false) && administrative {
            presence.uncount();
        }
        let result = if administrative {
            let mut exchange = exchange(&mut wire, &request, &provider, &listener);
            admin::answer(&mut exchange).await
        } else {
            answer(&mut wire, &request, &provider, &listener, presence.number).await
        };
        match result {
            Ok(()) if !wire.closing => {}
            Ok(()) => return wire.end(Ended::Close).await,
            Err(ended) => return wire.end(ended).await,
        }
    }
}

fn exchange<'a>(
    wire: &'a mut Wire,
    request: &'a Request,
    provider: &'a Arc<Provider>,
    listener: &'a Listener,
) -> Exchange<'a> {
    let received = provider.clock.now();
    Exchange { wire, request, provider, listener, received, bend: Bend::default() }
}

/// Completes the TLS handshake, or does instead what the door is there for.
async fn handshake(mut stream: TcpStream, listener: &Listener, provider: &Provider) -> Option<Socket> {
    match (listener.tls, &listener.acceptor) {
        (TlsMode::Off, _) => return Some(Socket::Plain(stream)),
        (_, Some(acceptor)) => {
            if let Ok(Ok(stream)) = tokio::time::timeout(PATIENCE, acceptor.accept(stream)).await {
                return Some(Socket::Tls(Box::new(stream)));
            }
        }
        (TlsMode::Garbage, None) => {
            read_some(&mut stream).await;
            say_and_close(stream, b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").await;
        }
        (TlsMode::OldProtocol, None) => {
            read_some(&mut stream).await;
            say_and_close(stream, OLD_PROTOCOL_ALERT).await;
        }
        (_, None) => hold(&mut stream).await,
    }
    provider.ledger.handshake_failed();
    None
}

/// Reads what a client says first, and forgets it.
async fn read_some(stream: &mut TcpStream) {
    let mut buffer = [0; 4096];
    // Silence is as good as a greeting here.
    let _said = tokio::time::timeout(PATIENCE, stream.read(&mut buffer)).await;
}

/// Says nothing until the peer leaves or patience ends.
async fn hold(stream: &mut TcpStream) {
    let silence = async {
        let mut buffer = [0; 4096];
        while matches!(stream.read(&mut buffer).await, Ok(count) if count > 0) {}
    };
    let _late = tokio::time::timeout(PATIENCE, silence).await;
}

async fn say_and_close(mut stream: TcpStream, bytes: &[u8]) {
    // The peer may have gone; then there is nobody to say it to.
    if stream.write_all(bytes).await.is_ok() && stream.shutdown().await.is_ok() {
        let drain = hold(&mut stream);
        let _late = tokio::time::timeout(std::time::Duration::from_secs(2), drain).await;
    }
}

/// Records a request and answers it, as the faults allow.
async fn answer(
    wire: &mut Wire,
    request: &Request,
    provider: &Arc<Provider>,
    listener: &Listener,
    connection: u64,
) -> Result<(), Ended> {
    let misplaced = provider.accounts.misplaced(request);
    let number = provider.ledger.requested(record(request, provider, listener, connection), misplaced);
    wire.number = Some(number);
    let mut exchange = exchange(wire, request, provider, listener);
    let mut damage = Damage::default();
    let mut replacement = None;
    for behaviour in listener.faults.consult(&request.method, &request.path, request.model()) {
        match &*behaviour {
            Behaviour::Delay { by } => exchange.wire.sleep(*by).await?,
            Behaviour::ResetAfter { bytes } => damage.cut = Some((*bytes, Ended::Reset)),
            Behaviour::CloseAfter { bytes } => damage.cut = Some((*bytes, Ended::Close)),
            Behaviour::Drip { every } => damage.drip = Some(*every),
            Behaviour::DateSkew { ahead_s } => damage.date_ahead_s = *ahead_s,
            Behaviour::HangMidStream { after_tokens } => exchange.bend.hang_after_tokens = Some(*after_tokens),
            Behaviour::ErrorInStream { after_tokens, body } => {
                exchange.bend.error_after_tokens = Some((*after_tokens, body.clone()));
            }
            Behaviour::NoDone {} => exchange.bend.ending = Ending::NoDone,
            Behaviour::FinishWithoutContent {} => exchange.bend.ending = Ending::WithoutContent,
            Behaviour::EmptyStream {} => exchange.bend.ending = Ending::Empty,
            _ => replacement = Some(behaviour),
        }
    }
    exchange.wire.set_damage(damage);
    let result = match replacement {
        Some(behaviour) => misbehave::answer(&mut exchange, &behaviour).await,
        None => routes::answer(&mut exchange).await,
    };
    if result.is_ok() {
        provider.ledger.answered(number);
    }
    result
}

/// What is kept of a request: never a key.
fn record(request: &Request, provider: &Provider, listener: &Listener, connection: u64) -> RequestRecord {
    let clock = &provider.clock;
    let at = clock.real(clock.now().elapsed());
    let kept = request.body.get(..request.body.len().min(BODY_KEPT)).unwrap_or_default();
    let keys = provider.scenario.accounts.iter().map(|account| account.key.as_str());
    let body = keys.fold(String::from_utf8_lossy(kept).into_owned(), |body, key| body.replace(key, "[key]"));
    RequestRecord {
        number: 0,
        connection,
        at_ms: u64::try_from(at.as_millis()).unwrap_or(u64::MAX),
        listener: listener.name.clone(),
        method: request.method.clone(),
        path: request.path.clone(),
        model: request.model().map(str::to_owned),
        credential: credential(request).map(|credential| credential.place.to_owned()),
        account: provider.accounts.holder(request).map(|account| account.name.clone()),
        user_agent: request.header("user-agent").map(str::to_owned),
        body,
        status: None,
        complete: false,
    }
}
