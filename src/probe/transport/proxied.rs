//! The line through a proxy: hyper's own connection over the stream that `tunnel.rs` opened.
//!
//! reqwest can use proxies, but tells neither what a proxy answered nor how long it took, and shows our certificate to
//! the proxy too. So what goes through a proxy is dialled here, and the rest is as on a direct line.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{ACCEPT, CONTENT_LENGTH, HOST, HeaderValue, PROXY_AUTHORIZATION};
use hyper_util::rt::TokioIo;

use super::fault::{body_fault, deepest, lost_or_not_http};
use super::http::{head, headers};
use super::marks::Marks;
use super::tls::Trust;
use super::tunnel::{self, basic, refusal};
use super::{
    Answer, Body, BodyFault, Boxed, DialFault, Dialled, ExchangeFault, Head, Line, Method, ProxyFault, Request,
};
use crate::probe::clock::Clock;
use crate::target::{ForwardProxy, Provider, authority};

type Sender = SendRequest<Full<Bytes>>;
type Outgoing = hyper::Request<Full<Bytes>>;

/// Dials a provider through its proxy.
pub(super) async fn dial(trust: Arc<Trust>, clock: Arc<dyn Clock>, provider: Provider, limit: Duration) -> Dialled {
    let marks = Marks::new(Arc::clone(&clock));
    let mut line = ProxiedLine { trust, clock, provider, limit, sender: None, made: 0 };
    match line.open(&marks).await {
        Ok(()) => Dialled { marks: marks.read(), line: Ok(Box::new(line)) },
        Err(fault) => Dialled { marks: marks.read(), line: Err(fault) },
    }
}

struct ProxiedLine {
    trust: Arc<Trust>,
    clock: Arc<dyn Clock>,
    provider: Provider,
    limit: Duration,
    sender: Option<Sender>,
    made: u32,
}

impl ProxiedLine {
    fn proxy(&self) -> Result<&ForwardProxy, DialFault> {
        let proxy = self.provider.network.proxy.forward();
        proxy.ok_or_else(|| DialFault::Settings("use a proxy: there is none".to_owned()))
    }

    /// Makes a connection and keeps it.
    async fn open(&mut self, marks: &Marks) -> Result<(), DialFault> {
        let stream = tunnel::open(&self.trust, &self.provider, self.proxy()?, marks, self.limit).await?;
        let (sender, connection) =
            handshake(TokioIo::new(stream)).await.map_err(|error| DialFault::Failed(deepest(&error)))?;
        // It ends when the line and the body of its last answer are dropped; what ends it is seen by the sender.
        tokio::spawn(async move {
            let _seen_by_the_sender = connection.await;
        });
        self.sender = Some(sender);
        self.made += 1;
        Ok(())
    }

    /// A sender that can take a request: the held one, or that of a new connection.
    async fn sender(&mut self) -> Result<&mut Sender, ExchangeFault> {
        let ready = match &mut self.sender {
            Some(sender) => sender.ready().await.is_ok(),
            None => false,
        };
        if !ready {
            let marks = Marks::new(Arc::clone(&self.clock));
            self.open(&marks).await.map_err(ExchangeFault::Redial)?;
        }
        self.sender.as_mut().ok_or_else(|| ExchangeFault::Lost("there is no connection".to_owned()))
    }

    fn build(&self, request: Request) -> Result<Outgoing, ExchangeFault> {
        let base_url = &self.provider.base_url;
        let url = base_url.join(&request.path);
        // With TLS the tunnel leads to the provider itself. Without, the proxy has to be told where to go.
        let uri = if base_url.is_https() {
            url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()))
        } else {
            url.to_string()
        };
        let mut all = headers(&request)?;
        let value = |text: &str| HeaderValue::from_str(text).ok();
        let host = match url.port() {
            Some(port) => authority(&base_url.host(), port),
            None => url.host_str().unwrap_or_default().to_owned(),
        };
        all.extend(value(&host).map(|host| (HOST, host)));
        all.entry(ACCEPT).or_insert(HeaderValue::from_static("*/*"));
        if !base_url.is_https()
            && let Some(login) = &self.proxy().map_err(ExchangeFault::Redial)?.login
            && let Some(mut value) = value(&basic(login))
        {
            value.set_sensitive(true);
            all.insert(PROXY_AUTHORIZATION, value);
        }
        let body = request.body.unwrap_or_default();
        let method = match request.method {
            Method::Get => hyper::Method::GET,
            Method::Post => hyper::Method::POST,
        };
        if method == hyper::Method::POST {
            all.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
        }
        let mut built = hyper::Request::builder()
            .method(method)
            .uri(uri)
            .body(Full::new(Bytes::from(body)))
            .map_err(|error| ExchangeFault::Lost(format!("the request cannot be sent: {error}")))?;
        *built.headers_mut() = all;
        Ok(built)
    }

    async fn exchange(&mut self, request: Request) -> Result<Answer, ExchangeFault> {
        let mut outgoing = self.build(request)?;
        let mut again = true;
        loop {
            let clock = Arc::clone(&self.clock);
            let sender = self.sender().await?;
            let sent = clock.now();
            match sender.try_send_request(outgoing).await {
                Ok(response) => {
                    let answered = clock.now();
                    let head = head(response.status(), response.headers());
                    if let Some(fault) = self.proxys_own(&head) {
                        return Err(ExchangeFault::Proxy(fault));
                    }
                    return Ok(Answer { head, sent, answered, body: Box::new(ProxiedBody(response.into_body())) });
                }
                // The connection had been closed before anything of the request was written.
                Err(mut error) => match error.take_message().filter(|_| again) {
                    Some(message) => {
                        outgoing = message;
                        again = false;
                        self.sender = None;
                    }
                    None => return Err(lost_or_not_http(error.error())),
                },
            }
        }
    }

    /// Whether an answer to a whole request is the proxy's own. A tunnel has only the provider's.
    fn proxys_own(&self, head: &Head) -> Option<ProxyFault> {
        if self.provider.base_url.is_https() {
            return None;
        }
        let header = |name: &str| head.header(name).unwrap_or_default().to_owned();
        let marked = head.status >= 400 && !header("x-squid-error").is_empty();
        let secrets = self.provider.network.proxy.forward().map(ForwardProxy::secrets).unwrap_or_default();
        (head.status == 407 || marked).then(|| refusal(head.status, "", &header, &secrets))
    }
}

impl Line for ProxiedLine {
    fn send<'a>(&'a mut self, request: Request) -> Boxed<'a, Result<Answer, ExchangeFault>> {
        Box::pin(self.exchange(request))
    }

    fn reopened(&self) -> bool {
        self.made > 1
    }
}

struct ProxiedBody(Incoming);

impl Body for ProxiedBody {
    fn chunk(&mut self) -> Boxed<'_, Result<Option<Bytes>, BodyFault>> {
        Box::pin(async {
            loop {
                match self.0.frame().await {
                    None => return Ok(None),
                    Some(Err(error)) => return Err(body_fault(&error)),
                    // Trailers are no piece of a body.
                    Some(Ok(frame)) => {
                        if let Ok(piece) = frame.into_data() {
                            return Ok(Some(piece));
                        }
                    }
                }
            }
        })
    }
}
