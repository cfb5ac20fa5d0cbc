//! Faults that take the place of an answer: from a redirect to a stream that never ends.
//!
//! Nothing here is unbounded: the wire stops at [`wire::ANSWER_LIMIT`] bytes, and [`answer`] after [`wire::PATIENCE`].

use std::sync::Arc;
use std::time::Duration;

use super::behaviour::{Behaviour, EndlessKind, Step};
use super::exchange::Exchange;
use super::http::{Response, render_head};
use super::refusals::Situation;
use super::voice::word;
use super::wire::{self, Ended};
use super::{gzip, pages};

/// Plays a behaviour instead of the usual answer, for as long as patience lasts.
pub(crate) async fn answer(exchange: &mut Exchange<'_>, behaviour: &Arc<Behaviour>) -> Result<(), Ended> {
    match tokio::time::timeout(wire::PATIENCE, play(exchange, behaviour)).await {
        Ok(result) => result,
        Err(_) => Err(Ended::Close),
    }
}

async fn play(exchange: &mut Exchange<'_>, behaviour: &Behaviour) -> Result<(), Ended> {
    match behaviour {
        Behaviour::Respond { status, headers, body, json, delay } => {
            exchange.wire.sleep(*delay).await?;
            let headers = headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.clone()));
            let mut response = Response::new(*status).with_headers(headers);
            let typed = response.headers.iter().any(|(name, _)| name == "content-type");
            response = match (body, json) {
                (_, Some(json)) if typed => Response { body: json.to_string().into_bytes(), ..response },
                (_, Some(json)) => response.with_body("application/json", json.to_string().into_bytes()),
                (Some(body), None) if typed => Response { body: body.clone().into_bytes(), ..response },
                (Some(body), None) => {
                    let kind =
                        if body.trim_start().starts_with(['{', '[']) { "application/json" } else { "text/plain" };
                    response.with_body(kind, body.clone().into_bytes())
                }
                (None, None) => response,
            };
            exchange.wire.send(response).await
        }
        Behaviour::Hang {} => Err(exchange.wire.hang().await),
        Behaviour::HangAfterHeaders {} => {
            let kind = stream_type(exchange);
            exchange.wire.begin(200, vec![("content-type".to_owned(), kind.to_owned())]).await?;
            Err(exchange.wire.hang().await)
        }
        Behaviour::Close {} => Err(Ended::Close),
        Behaviour::Reset {} => Err(Ended::Reset),
        Behaviour::EndlessLine {} => {
            begin_stream(exchange).await?;
            exchange.wire.piece(b"data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"").await?;
            repeat(exchange, &"never ending ".repeat(1024), Duration::ZERO).await
        }
        Behaviour::EndlessStream { kind, every } => {
            begin_stream(exchange).await?;
            let event = endless_event(exchange, *kind);
            repeat(exchange, &event, *every).await
        }
        Behaviour::EndlessHeaders {} => {
            exchange.wire.note_status(200);
            exchange.wire.write(render_head(200, &[]).as_bytes()).await?;
            loop {
                let line = format!("x-endless: {}\r\n", "a".repeat(1000));
                exchange.wire.write(line.as_bytes()).await?;
            }
        }
        Behaviour::EndlessBody {} => {
            exchange.wire.begin(200, vec![("content-type".to_owned(), "application/json".to_owned())]).await?;
            exchange.wire.piece(b"{\"data\":[").await?;
            repeat(exchange, &"{\"id\":\"m\"},".repeat(1024), Duration::ZERO).await
        }
        Behaviour::Bomb { size } => bomb(exchange, *size).await,
        Behaviour::Redirect { to, status } => {
            let to = exchange.provider.fill_addresses(to);
            exchange.wire.send(Response::new(*status).header("location", &to)).await
        }
        Behaviour::Html { which, status } => exchange.wire.send(pages::page(*which, *status)).await,
        Behaviour::Stream(steps) => script(exchange, steps).await,
        Behaviour::HalfJson {} => {
            let body =
                b"{\"id\":\"chatcmpl-sim\",\"object\":\"chat.completion\",\"choices\":[{\"index\":0,\"mess".to_vec();
            exchange.wire.send(Response::new(200).with_body("application/json", body)).await
        }
        Behaviour::Garbage {} => {
            exchange.wire.write(GARBAGE).await?;
            Err(Ended::Close)
        }
        Behaviour::ControlCharacters { status } => exchange.wire.send(pages::control_characters(*status)).await,
        Behaviour::Error(situation) => exchange.refuse(*situation, &[]).await,
        Behaviour::Overloaded {} => exchange.refuse(Situation::Overloaded, &[]).await,
        Behaviour::UpstreamError {} => exchange.refuse(Situation::UpstreamError, &[]).await,
        Behaviour::RateLimited {} => {
            let response = exchange.error(Situation::RateLimited, &[]).header("retry-after", "20");
            exchange.wire.send(response).await
        }
        // The rest changes an answer and is applied before this is called.
        _ => Ok(()),
    }
}

/// Bytes that begin like nothing that speaks HTTP.
pub(crate) const GARBAGE: &[u8] = b"\x00\x01\x02SSH-2.0-OpenSSH_9.9\r\n\xff\xfe\x00garbage\r\n";

fn is_ndjson(exchange: &Exchange<'_>) -> bool {
    matches!(exchange.request.path.as_str(), "/api/chat" | "/api/generate")
}

fn stream_type(exchange: &Exchange<'_>) -> &'static str {
    if is_ndjson(exchange) { "application/x-ndjson" } else { "text/event-stream; charset=utf-8" }
}

async fn begin_stream(exchange: &mut Exchange<'_>) -> Result<(), Ended> {
    let kind = stream_type(exchange);
    exchange.wire.begin(200, vec![("content-type".to_owned(), kind.to_owned())]).await
}

/// The event that an endless stream repeats, in the dialect of the request.
fn endless_event(exchange: &Exchange<'_>, kind: EndlessKind) -> String {
    let anthropic = exchange.request.path.ends_with("/messages");
    let text = word(0);
    match kind {
        EndlessKind::Comments if is_ndjson(exchange) => "\n".to_owned(),
        EndlessKind::Comments if anthropic => "event: ping\ndata: {\"type\": \"ping\"}\n\n".to_owned(),
        EndlessKind::Comments => ": keep-alive\n\n".to_owned(),
        EndlessKind::Roles if is_ndjson(exchange) => {
            "{\"model\":\"m\",\"message\":{\"role\":\"assistant\",\"content\":\"\"},\"done\":false}\n".to_owned()
        }
        EndlessKind::Roles if anthropic => {
            "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_sim\",\"type\":\"message\",\"role\":\"assistant\",\"content\":[]}}\n\n".to_owned()
        }
        EndlessKind::Roles => chunk("{\"role\":\"assistant\",\"content\":\"\"}"),
        EndlessKind::Tokens if is_ndjson(exchange) => {
            format!("{{\"model\":\"m\",\"message\":{{\"role\":\"assistant\",\"content\":\"{text}\"}},\"done\":false}}\n")
        }
        EndlessKind::Tokens if anthropic => format!(
            "event: content_block_delta\ndata: {{\"type\":\"content_block_delta\",\"index\":0,\"delta\":{{\"type\":\"text_delta\",\"text\":\"{text}\"}}}}\n\n"
        ),
        EndlessKind::Tokens => chunk(&format!("{{\"content\":\"{text}\"}}")),
    }
}

fn chunk(delta: &str) -> String {
    format!(
        "data: {{\"id\":\"chatcmpl-sim\",\"object\":\"chat.completion.chunk\",\"choices\":[{{\"index\":0,\"delta\":{delta},\"finish_reason\":null}}]}}\n\n"
    )
}

async fn repeat(exchange: &mut Exchange<'_>, text: &str, every: Duration) -> Result<(), Ended> {
    loop {
        exchange.wire.piece(text.as_bytes()).await?;
        if every.is_zero() {
            // A flood must leave the runtime to others now and then.
            tokio::task::yield_now().await;
        } else {
            exchange.wire.sleep(every).await?;
        }
    }
}

async fn bomb(exchange: &mut Exchange<'_>, size: u64) -> Result<(), Ended> {
    let headers = [("content-type", "application/json"), ("content-encoding", "gzip")];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    exchange.wire.begin(200, headers).await?;
    exchange.wire.piece(&gzip::head()).await?;
    let mut left = gzip::blocks(size);
    while left > 0 {
        let count = left.min(1024);
        exchange.wire.piece(&gzip::body(count)).await?;
        left -= count;
    }
    exchange.wire.piece(&gzip::tail(size)).await?;
    exchange.wire.finish().await
}

async fn script(exchange: &mut Exchange<'_>, steps: &[Step]) -> Result<(), Ended> {
    begin_stream(exchange).await?;
    for step in steps {
        exchange.wire.sleep(step.delay).await?;
        exchange.wire.piece(step.raw.as_bytes()).await?;
    }
    exchange.wire.finish().await
}
