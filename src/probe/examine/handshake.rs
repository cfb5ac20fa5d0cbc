//! A TLS handshake on a connection of its own, which nothing is sent on: version, cipher, and the whole chain as it was
//! shown.
//!
//! The certificate is verified as for a probe, and a refusal ends the handshake here too. It is done by hand because a
//! finished connector gives no look at what was agreed on before the refusal.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustls::{ClientConnection, ProtocolVersion};
use rustls_pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::certificate;
use super::route::Way;
use crate::outcome::{CertificateSeen, Code, HandshakeSeen};
use crate::probe::clock::Clock;
use crate::probe::transport::{
    DialFault, DialMarks, Marks, Onlooker, Stream, TlsFault, Trust, broken_handshake, reach, tls_fault,
};
use crate::target::authority;

/// How many certificates of a chain are read.
const CHAIN: usize = 10;

/// How long it may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// To reach the server, and then to get through a proxy.
    pub way: Duration,
    /// All of it.
    pub whole: Duration,
}

/// Shakes hands with one address, or through the proxy where there is one.
pub(super) async fn shake(
    way: &Way<'_>,
    address: Option<SocketAddr>,
    trust: &Trust,
    limits: Limits,
    clock: &Arc<dyn Clock>,
) -> HandshakeSeen {
    let chain = Arc::new(Mutex::new(Vec::new()));
    let marks = Marks::new(Arc::clone(clock));
    let mut seen = HandshakeSeen {
        address,
        took: Duration::ZERO,
        version: None,
        cipher: None,
        alpn: None,
        chain: Vec::new(),
        fault: None,
    };
    let began = clock.now();
    let ended = match connection(way, trust, &marks, &chain) {
        Err(fault) => Err(fault),
        Ok(mut connection) => {
            let shaking = async {
                let mut stream = stream(way, address, trust, &marks, limits.way).await?;
                drive(&mut connection, &mut *stream).await
            };
            let ended = tokio::time::timeout(limits.whole, shaking).await;
            seen.version = connection.protocol_version().map(version);
            let suite = connection.negotiated_cipher_suite().and_then(|suite| suite.suite().as_str());
            seen.cipher = suite.map(str::to_owned);
            // What is agreed on comes from a list of ours, so it needs no cleaning.
            seen.alpn = connection.alpn_protocol().map(|name| String::from_utf8_lossy(name).into_owned());
            ended.unwrap_or(Err(DialFault::Tls(TlsFault::Timeout)))
        }
    };
    seen.took = clock.now().saturating_duration_since(began);
    seen.chain = std::mem::take(&mut *chain.lock().unwrap_or_else(PoisonError::into_inner));
    seen.fault = ended.err().map(|fault| told(fault, way, &marks, &seen.chain));
    seen
}

/// Its code and the evidence, without the address, which stands beside it.
fn told(fault: DialFault, way: &Way<'_>, marks: &Marks, chain: &[CertificateSeen]) -> (Code, String) {
    let certificate_ends = chain.first().and_then(|own| own.until);
    let (code, evidence) = way.judged(fault, &DialMarks { certificate_ends, ..marks.read() });
    let place = authority(&way.provider.base_url.host(), way.provider.base_url.port());
    let alone = evidence.strip_prefix(&format!("{place}: ")).map(str::to_owned);
    (code, alone.unwrap_or(evidence))
}

/// The connection that TLS is spoken on.
async fn stream(
    way: &Way<'_>,
    address: Option<SocketAddr>,
    trust: &Trust,
    marks: &Marks,
    limit: Duration,
) -> Result<Box<dyn Stream>, DialFault> {
    match (way.provider.network.proxy.forward(), address) {
        (Some(proxy), _) => reach(trust, way.provider, proxy, marks, limit).await,
        (None, Some(address)) => {
            let stream = TcpStream::connect(address).await.map_err(|error| DialFault::Failed(error.to_string()))?;
            Ok(Box::new(stream))
        }
        (None, None) => Err(DialFault::Failed("there is no address".to_owned())),
    }
}

fn version(version: ProtocolVersion) -> String {
    match version {
        ProtocolVersion::TLSv1_3 => "TLS 1.3".to_owned(),
        ProtocolVersion::TLSv1_2 => "TLS 1.2".to_owned(),
        other => format!("{other:?}"),
    }
}

fn connection(
    way: &Way<'_>,
    trust: &Trust,
    marks: &Marks,
    chain: &Arc<Mutex<Vec<CertificateSeen>>>,
) -> Result<ClientConnection, DialFault> {
    // As for a probe, our own certificate included; only that somebody looks on.
    let onlooker = Arc::new(Chain(Arc::clone(chain)));
    let config = trust.watched(&way.provider.network, marks.clone(), onlooker)?;
    let host = way.provider.base_url.host();
    let settings = |text: String| DialFault::Settings(format!("set up TLS with {host}: {text}"));
    let name = ServerName::try_from(host.clone()).map_err(|error| settings(error.to_string()))?;
    ClientConnection::new(Arc::new(config), name).map_err(|error| settings(error.to_string()))
}

/// Carries the handshake's messages to and fro until it ends.
async fn drive(connection: &mut ClientConnection, stream: &mut dyn Stream) -> Result<(), DialFault> {
    let broken = |error: std::io::Error| DialFault::Tls(broken_handshake(Some(error.kind()), error.to_string()));
    let mut buffer = vec![0_u8; 8 * 1024];
    loop {
        flush(connection, stream).await.map_err(broken)?;
        if !connection.is_handshaking() {
            return Ok(());
        }
        let count = stream.read(&mut buffer).await.map_err(broken)?;
        if count == 0 {
            let text = "the server closed the connection during the handshake".to_owned();
            return Err(DialFault::Tls(TlsFault::Lost(text)));
        }
        let mut bytes = buffer.get(..count).unwrap_or_default();
        while !bytes.is_empty() {
            connection.read_tls(&mut bytes).map_err(broken)?;
            if let Err(error) = connection.process_new_packets() {
                // The server is owed the alert that says why; if it has gone, nobody minds.
                flush(connection, stream).await.ok();
                return Err(DialFault::Tls(tls_fault(&error)));
            }
        }
    }
}

async fn flush(connection: &mut ClientConnection, stream: &mut dyn Stream) -> std::io::Result<()> {
    let mut bytes = Vec::new();
    while connection.wants_write() {
        connection.write_tls(&mut bytes)?;
    }
    stream.write_all(&bytes).await
}

/// Notes the whole chain.
#[derive(Debug)]
struct Chain(Arc<Mutex<Vec<CertificateSeen>>>);

impl Onlooker for Chain {
    fn shown(&self, end_entity: &CertificateDer<'_>, intermediates: &[CertificateDer<'_>], name: &ServerName<'_>) {
        let own = certificate::read(end_entity, Some(name));
        let others = intermediates.iter().take(CHAIN - 1).map(|other| certificate::read(other, None));
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = std::iter::once(own).chain(others).collect();
    }
}
