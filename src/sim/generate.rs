//! Running a model: queue, cold start, tokens. What is said in which dialect is the [`Voice`]'s.
//!
//! Times are promises: the first token leaves at `ready + first_token` after the request was read, and the answer says
//! beforehand how long that will be (`x-sim-first-token-ms`), so that a client's own measurement can be compared.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use super::admission::{self, Admitted};
use super::exchange::{Ending, Exchange};
use super::http::Response;
use super::model_spec::{BelowCap, ColdSignal, FirstEvent, HeadersAt};
use super::models::{Entry, Found, KeepAlive, Phase, Seat};
use super::refusals::{self, Situation};
use super::voice::{Ask, Finish, Reasoning, Turn, Voice, word, words};
use super::wire::Ended;

/// Runs a model and answers in the given voice.
pub(crate) async fn run(exchange: &mut Exchange<'_>, ask: &Ask, voice: &mut dyn Voice) -> Result<(), Ended> {
    let mut admitted = match admission::admit(exchange, ask) {
        Ok(admitted) => admitted,
        Err(response) => return exchange.wire.send(*response).await,
    };
    if let Some(response) = admission::refuse_cold(exchange, &admitted.entry).await? {
        return exchange.wire.send(response).await;
    }
    admitted.headers.extend(admission::charge(exchange, &admitted.entry));
    let mut run = Run::new(exchange, ask, admitted);
    run.play(exchange, voice).await
}

/// A generation under way.
struct Run {
    entry: Arc<Entry>,
    headers: Vec<(String, String)>,
    below_cap: Option<BelowCap>,
    stream: bool,
    keep_alive: Option<KeepAlive>,
    turn: Turn,
    begun: bool,
}

impl Run {
    fn new(exchange: &Exchange<'_>, ask: &Ask, admitted: Admitted) -> Self {
        let spec = &admitted.entry.spec;
        let reasons = spec.reasoning && ask.reasoning == Reasoning::On;
        let wanted_reasoning = if reasons { spec.reasoning_tokens } else { 0 };
        let wanted = wanted_reasoning + spec.tokens;
        let granted = match (ask.cap, admitted.below_cap) {
            (_, Some(_)) => 0,
            (Some(cap), None) => wanted.min(cap.tokens),
            (None, None) => wanted,
        };
        let empty = exchange.bend.ending == Ending::WithoutContent;
        let granted = if empty { 0 } else { granted };
        let reasoning_tokens = granted.min(wanted_reasoning);
        let turn = Turn {
            model: spec.served_as.clone().unwrap_or_else(|| ask.model.clone()),
            created: exchange.provider.clock.timestamp().as_second(),
            prompt_tokens: ask.prompt_tokens,
            reasoning_tokens,
            content_tokens: granted - reasoning_tokens,
            finish: if granted < wanted && !empty { Finish::Length } else { Finish::Stop },
            load: Duration::ZERO,
            total: Duration::ZERO,
            reasoning_field: spec.reasoning_field.name(),
            first_token_ms: None,
        };
        Self {
            entry: admitted.entry,
            headers: admitted.headers,
            below_cap: admitted.below_cap,
            stream: ask.stream,
            keep_alive: ask.keep_alive,
            turn,
            begun: false,
        }
    }

    async fn play(&mut self, exchange: &mut Exchange<'_>, voice: &mut dyn Voice) -> Result<(), Ended> {
        let provider = Arc::clone(exchange.provider);
        let entry = Arc::clone(&self.entry);
        let spec = &entry.spec;
        let cold = provider.models.phase(&entry) != Phase::Loaded;
        let signals = cold && spec.cold_signal.shows_in_stream();
        let early = if self.stream {
            spec.headers == HeadersAt::AtOnce || signals
        } else {
            cold && spec.cold_signal == ColdSignal::BlankLines
        };
        let signal = signals.then(|| self.signal(voice));
        let mut seat = provider.models.try_seat(&entry);
        if let Some(seat) = &mut seat {
            self.sit(exchange, seat, 0);
        }
        if early {
            self.begin(exchange, voice).await?;
        }
        let signal = signal.filter(|_| early);
        if seat.is_none() {
            let queue = provider.models.wait_seat(&entry);
            seat = self.wait(exchange, signal.as_deref(), queue).await?;
            if let Some(seat) = &mut seat {
                self.sit(exchange, seat, 1);
            }
        }
        let Some(seat) = seat else {
            return Err(Ended::Close);
        };
        let loaded = provider.clock.sleep_until(seat.ready_at);
        self.wait(exchange, signal.as_deref(), loaded).await?;
        self.speak(exchange, voice, &seat).await?;
        drop(seat);
        Ok(())
    }

    /// Counts a generation as soon as it has its seat, and notes what is known from then on.
    fn sit(&mut self, exchange: &Exchange<'_>, seat: &mut Seat, queued: u64) {
        let provider = exchange.provider;
        let id = &self.entry.spec.id;
        seat.keep_alive(self.keep_alive.unwrap_or(KeepAlive::Default));
        provider.ledger.found(id, seat.found);
        provider.ledger.on_model(id, |all, model| {
            all.generations += 1;
            model.generations += 1;
            model.waited_cold += u64::from(seat.found != Found::Warm);
            model.queued += queued;
        });
        self.turn.load = provider.clock.real(seat.ready_at.since(exchange.received));
        self.promise(exchange, seat);
    }

    /// States the true time to the first token in the headers, while they can still be changed.
    fn promise(&mut self, exchange: &Exchange<'_>, seat: &Seat) {
        let span = seat.ready_at.plus(seat.first_token).since(exchange.received);
        let millis = exchange.provider.clock.real(span).as_secs_f64() * 1000.0;
        self.headers.retain(|(name, _)| name != "x-sim-first-token-ms");
        self.headers.push(("x-sim-first-token-ms".to_owned(), format!("{millis:.3}")));
        self.turn.first_token_ms = Some(millis);
    }

    /// What shows a cold start while it lasts.
    fn signal(&self, voice: &mut dyn Voice) -> String {
        match self.entry.spec.cold_signal {
            ColdSignal::KeepaliveComments => voice.comment().to_owned(),
            ColdSignal::FakeReasoning => {
                // Its chunks have no id, unlike a server's.
                let text = format!("llama-swap loading model: {}\n", self.entry.spec.id);
                let chunk = serde_json::json!({ "choices": [{ "delta": { "reasoning_content": text } }] });
                format!("data: {chunk}\n\n")
            }
            _ => "\n".to_owned(),
        }
    }

    /// Waits for something, showing signs of life if there are any to show.
    async fn wait<T>(
        &self,
        exchange: &mut Exchange<'_>,
        signal: Option<&str>,
        future: impl Future<Output = T>,
    ) -> Result<T, Ended> {
        let Some(signal) = signal else {
            return exchange.wire.wait_for(future).await;
        };
        let every = exchange.provider.clock.real(self.entry.spec.signal_every);
        let mut future = pin!(future);
        loop {
            exchange.wire.piece(signal.as_bytes()).await?;
            if let Ok(output) = exchange.wire.wait_for(tokio::time::timeout(every, &mut future)).await? {
                return Ok(output);
            }
        }
    }

    async fn begin(&mut self, exchange: &mut Exchange<'_>, voice: &dyn Voice) -> Result<(), Ended> {
        if self.begun {
            return Ok(());
        }
        self.begun = true;
        let mut headers = std::mem::take(&mut self.headers);
        let content_type = if self.stream { voice.stream_type() } else { "application/json" };
        headers.push(("content-type".to_owned(), content_type.to_owned()));
        if self.stream {
            headers.push(("cache-control".to_owned(), "no-cache".to_owned()));
        }
        exchange.wire.begin(200, headers).await
    }

    /// Says what the model says, once it is loaded.
    async fn speak(&mut self, exchange: &mut Exchange<'_>, voice: &mut dyn Voice, seat: &Seat) -> Result<(), Ended> {
        let first_at = seat.ready_at.plus(seat.first_token);
        let fails = self.below_cap == Some(BelowCap::CouldNotFinish);
        if self.stream && !fails && self.entry.spec.headers != HeadersAt::WithFirstToken {
            self.open(exchange, voice).await?;
        }
        exchange.wire.sleep_until(first_at).await?;
        if fails {
            let response = exchange.error(Situation::CouldNotFinish, &[]);
            if !self.begun {
                return exchange.wire.send(response.with_headers(std::mem::take(&mut self.headers))).await;
            }
            let event = voice.error(&String::from_utf8_lossy(&response.body));
            exchange.wire.piece(event.as_bytes()).await?;
            return exchange.wire.finish().await;
        }
        if self.stream {
            if self.entry.spec.headers == HeadersAt::WithFirstToken {
                self.open(exchange, voice).await?;
            }
            self.stream_tokens(exchange, voice).await
        } else {
            self.send_whole(exchange, voice).await
        }
    }

    /// Begins a stream with whatever comes before its first token.
    async fn open(&mut self, exchange: &mut Exchange<'_>, voice: &mut dyn Voice) -> Result<(), Ended> {
        self.begin(exchange, voice).await?;
        let opening = match self.entry.spec.first_event {
            _ if exchange.bend.ending == Ending::Empty => return Ok(()),
            FirstEvent::RolePrelude => voice.prelude(&Turn { first_token_ms: None, ..self.turn.clone() }),
            FirstEvent::Comment => voice.comment().to_owned(),
            FirstEvent::Token => return Ok(()),
        };
        exchange.wire.piece(opening.as_bytes()).await
    }

    async fn stream_tokens(&mut self, exchange: &mut Exchange<'_>, voice: &mut dyn Voice) -> Result<(), Ended> {
        if exchange.bend.ending == Ending::Empty {
            return exchange.wire.finish().await;
        }
        let total = self.turn.reasoning_tokens + self.turn.content_tokens;
        for index in 0..total {
            self.strike(exchange, voice, index).await?;
            if index > 0 {
                let gap = exchange.provider.models.token_gap(&self.entry);
                exchange.wire.sleep(gap).await?;
            }
            let event = if index < self.turn.reasoning_tokens {
                voice.reasoning(&self.turn, word(index))
            } else {
                voice.content(&self.turn, word(index - self.turn.reasoning_tokens))
            };
            self.turn.first_token_ms = None;
            exchange.wire.piece(event.as_bytes()).await?;
        }
        self.strike(exchange, voice, total).await?;
        self.close_turn(exchange, total);
        let mut end = voice.finish(&self.turn);
        if exchange.bend.ending != Ending::NoDone {
            end.push_str(&voice.done(&self.turn));
        }
        exchange.wire.piece(end.as_bytes()).await?;
        exchange.wire.finish().await
    }

    /// Lets a fault strike before the token of that index.
    async fn strike(&self, exchange: &mut Exchange<'_>, voice: &dyn Voice, index: u64) -> Result<(), Ended> {
        // A fault that is set for later than the last token strikes after it.
        let total = self.turn.reasoning_tokens + self.turn.content_tokens;
        if exchange.bend.hang_after_tokens.map(|after| after.min(total)) == Some(index) {
            return Err(exchange.wire.hang().await);
        }
        let Some((after, body)) = exchange.bend.error_after_tokens.clone() else {
            return Ok(());
        };
        if after.min(total) != index {
            return Ok(());
        }
        let body = body.unwrap_or_else(|| refusals::body(exchange.listener.flavour, Situation::Overloaded, &[]).1);
        exchange.wire.piece(voice.error(&body).as_bytes()).await?;
        exchange.wire.finish().await?;
        Err(Ended::Close)
    }

    async fn send_whole(&mut self, exchange: &mut Exchange<'_>, voice: &mut dyn Voice) -> Result<(), Ended> {
        let total = self.turn.reasoning_tokens + self.turn.content_tokens;
        for _ in 1..total {
            let gap = exchange.provider.models.token_gap(&self.entry);
            exchange.wire.sleep(gap).await?;
        }
        if exchange.bend.hang_after_tokens.is_some() {
            return Err(exchange.wire.hang().await);
        }
        self.close_turn(exchange, total);
        let body = match &exchange.bend.error_after_tokens {
            // OpenRouter puts a late error into a 200.
            Some((_, Some(body))) => body.clone(),
            Some((_, None)) => refusals::body(exchange.listener.flavour, Situation::Overloaded, &[]).1,
            None if exchange.bend.ending == Ending::Empty => String::new(),
            None => {
                let reasoning = words(self.turn.reasoning_tokens);
                voice.whole(&self.turn, &reasoning, &words(self.turn.content_tokens)).to_string()
            }
        };
        if self.begun {
            exchange.wire.piece(body.as_bytes()).await?;
            return exchange.wire.finish().await;
        }
        let response = Response::new(200).with_headers(std::mem::take(&mut self.headers));
        exchange.wire.send(response.with_body("application/json", body.into_bytes())).await
    }

    /// Settles times and counters just before the last bytes, so that whoever has read them finds all counted.
    fn close_turn(&mut self, exchange: &Exchange<'_>, tokens: u64) {
        let clock = exchange.provider.clock;
        self.turn.total = clock.real(clock.now().since(exchange.received));
        exchange.provider.ledger.on_model(&self.entry.spec.id, |all, model| {
            all.completed += 1;
            model.tokens += tokens;
        });
    }
}
