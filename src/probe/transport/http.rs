//! The network on reqwest: one client for each probe, so that one fresh connection is all it can use. What goes through a
//! proxy is dialled in `proxied.rs`, for reqwest does not tell what a proxy answered.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, StatusCode};

use super::fault::{body_fault, dial_fault, exchange_fault, is_held};
use super::hold::Hold;
use super::marks::Marks;
use super::names::Names;
use super::proxied;
use super::tls::Trust;
use super::{
    Answer, Body, BodyFault, Boxed, DialFault, Dialled, ExchangeFault, Head, Line, Method, Network, Request, TlsFault,
};
use crate::probe::clock::Clock;
use crate::target::{BaseUrl, Provider};

/// More headers than this are an attack or a fault; hyper's own limit on their size (about 400 KiB) is behind it.
const HEADERS_KEPT: usize = 128;
/// Longer values are not read: no header we look at is.
const HEADER_VALUE_KEPT: usize = 8 * 1024;

/// The real network.
pub struct HttpNetwork {
    clock: Arc<dyn Clock>,
    trust: Arc<Trust>,
}

impl HttpNetwork {
    /// A network. Nothing is loaded or opened yet.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, trust: Arc::new(Trust::new()) }
    }

    /// A client of its own for one probe. Redirects and reqwest's own retries are off: a key must not travel, and
    /// `run/` alone decides what is tried again.
    fn client(&self, provider: &Provider, marks: &Marks, hold: &Hold) -> Result<Client, DialFault> {
        let mut builder = Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .http1_only()
            .pool_idle_timeout(None)
            .dns_resolver(Names::new(marks.clone(), &provider.network))
            .connector_layer(hold.clone());
        // reqwest builds a TLS connector for every client; one that trusts nobody spares a plain endpoint the loading
        // of the system's authorities.
        let tls = if provider.base_url.is_https() {
            self.trust.config(&provider.network, marks.clone())
        } else {
            self.trust.unused()
        };
        builder = builder.tls_backend_preconfigured(tls?);
        builder.build().map_err(|error| DialFault::Settings(format!("set up the HTTP client: {error}")))
    }

    async fn dial_provider(&self, provider: &Provider, limit: Duration) -> Dialled {
        let marks = Marks::new(Arc::clone(&self.clock));
        let hold = Hold::new(marks.clone());
        let client = match self.client(provider, &marks, &hold) {
            Ok(client) => client,
            Err(fault) => return Dialled { marks: marks.read(), line: Err(fault) },
        };
        let mut dialling = Box::pin(client.get(provider.base_url.join("")).send());
        let ended = match tokio::time::timeout(limit, &mut dialling).await {
            Ok(ended) => Some(ended),
            // TLS has a limit of its own, from the moment it began.
            Err(_) => {
                let hello = marks.lock().hello;
                match hello {
                    None => None,
                    Some(hello) => {
                        let left = limit.saturating_sub(marks.clock().now().saturating_duration_since(hello));
                        tokio::time::timeout(left, dialling).await.ok()
                    }
                }
            }
        };
        let (resolving, shaking_hands) = {
            let marks = marks.lock();
            (marks.resolving.is_some() && marks.resolved.is_none(), marks.hello.is_some())
        };
        let line: Result<Box<dyn Line>, DialFault> = match ended {
            None if shaking_hands => Err(DialFault::Tls(TlsFault::Timeout)),
            None => Err(DialFault::ConnectTimeout { resolving }),
            Some(Err(error)) if is_held(&error) => Ok(Box::new(HttpLine {
                client,
                base_url: provider.base_url.clone(),
                clock: Arc::clone(&self.clock),
                hold,
                sent: 0,
            })),
            Some(Err(error)) => Err(dial_fault(&error, resolving, shaking_hands)),
            // The hold ends every dial before a request is written; a response here would be a fault of ours.
            Some(Ok(_)) => Err(DialFault::Settings("hold the connection: a request was sent too soon".to_owned())),
        };
        Dialled { marks: marks.read(), line }
    }
}

impl Network for HttpNetwork {
    fn dial<'a>(&'a self, provider: &'a Provider, limit: Duration) -> Boxed<'a, Dialled> {
        if provider.network.proxy.forward().is_some() {
            return Box::pin(proxied::dial(Arc::clone(&self.trust), Arc::clone(&self.clock), provider.clone(), limit));
        }
        Box::pin(self.dial_provider(provider, limit))
    }
}

struct HttpLine {
    client: Client,
    base_url: BaseUrl,
    clock: Arc<dyn Clock>,
    hold: Hold,
    sent: u32,
}

impl HttpLine {
    async fn exchange(&mut self, request: Request) -> Result<Answer, ExchangeFault> {
        if self.sent > 0 {
            // The connection returns to reqwest's pool when its task has seen the end of the last body. Without a
            // pause the next request may come first and open a second connection.
            for _ in 0..8 {
                tokio::task::yield_now().await;
            }
        }
        self.sent += 1;
        let headers = headers(&request)?;
        let url = self.base_url.join(&request.path);
        let built = match request.method {
            Method::Get => self.client.get(url),
            Method::Post => self.client.post(url),
        };
        let built = built.headers(headers);
        let built = match request.body {
            Some(body) => built.body(body),
            None => built,
        };
        let sent = self.clock.now();
        let response = built.send().await.map_err(|error| exchange_fault(&error))?;
        let answered = self.clock.now();
        let head = head(response.status(), response.headers());
        Ok(Answer { head, sent, answered, body: Box::new(HttpBody(response)) })
    }
}

/// A request's headers, each marked as sensitive.
pub(super) fn headers(request: &Request) -> Result<HeaderMap, ExchangeFault> {
    let mut headers = HeaderMap::with_capacity(request.headers.len());
    for (name, value) in &request.headers {
        let parsed = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value));
        let (Ok(name), Ok(mut value)) = parsed else {
            // The `credential` stage and `config/` refuse these; a value is never shown.
            return Err(ExchangeFault::Lost(format!("the header {name} cannot be sent")));
        };
        value.set_sensitive(true);
        headers.insert(name, value);
    }
    Ok(headers)
}

/// What is kept of a response's head.
pub(super) fn head(status: StatusCode, headers: &HeaderMap) -> Head {
    Head {
        status: status.as_u16(),
        headers: headers
            .iter()
            .take(HEADERS_KEPT)
            .filter(|(_, value)| value.len() <= HEADER_VALUE_KEPT)
            .filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())))
            .collect(),
    }
}

impl Line for HttpLine {
    fn send<'a>(&'a mut self, request: Request) -> Boxed<'a, Result<Answer, ExchangeFault>> {
        Box::pin(self.exchange(request))
    }

    fn reopened(&self) -> bool {
        self.hold.made() > 1
    }
}

struct HttpBody(reqwest::Response);

impl Body for HttpBody {
    fn chunk(&mut self) -> Boxed<'_, Result<Option<Bytes>, BodyFault>> {
        Box::pin(async { self.0.chunk().await.map_err(|error| body_fault(&error)) })
    }
}
