//! `docs/log.md`: what a log line holds, as a table that is compared with what is written.

use std::fmt::Write as _;

use super::log::{LOG, PROBE_ENTERED, PROBE_FINISHED, PROBE_RETRYING, PROBE_STARTED};
use super::{gates, service};

/// The fields of `probe.finished` in their order: name, unit or form, meaning.
const FIELDS: [(&str, &str, &str); 38] = [
    ("ts", "RFC 3339, UTC, ms", "when the line was written"),
    ("level", "word", "`info` when ready, `warn` when degraded or unknown, `error` when failed"),
    ("event", "word", "`probe.finished`"),
    ("started", "RFC 3339, UTC, ms", "when the probe began"),
    ("schema", "number", "the version of this layout; only a change that breaks readers raises it"),
    ("run_id", "text", "the pass it belongs to; every request of the pass carries it too"),
    ("target", "text", "the target's name in probes.yaml"),
    ("provider", "text", "the provider's name in probes.yaml"),
    ("model", "text", "the model's id as its provider spells it"),
    ("depth", "word", "how far it was asked to climb: `connect`, `auth`, `warm`"),
    ("stage", "word", "where it ended: the highest stage when it succeeded, the broken one when it did not"),
    ("verdict", "word", "`ready`, `degraded`, `unknown`, `failed`"),
    ("warmth", "word", "what the first-token time says of the model: `warm`, `cold`, `unknown`"),
    ("proof", "word", "what the verdict rests on, such as `key-accepted` or `token-generated`"),
    ("code", "word", "what went wrong, or the first warning: see [diagnoses](diagnoses.md)"),
    ("http_status", "number", "the last HTTP status"),
    ("attempts", "number", "how many attempts it took; 0 when it was stopped before it began"),
    ("connection", "word", "`fresh`: one connection for all stages; `reopened`: the server closed it in between"),
    ("proxy", "text", "the proxy on the way, without its user and password: see [networks](networks.md#proxy)"),
    ("dns_ms", "milliseconds", "resolving the name; absent where the URL holds an address"),
    ("tcp_ms", "milliseconds", "the TCP handshake: with the proxy, where there is one"),
    ("tls_ms", "milliseconds", "the TLS handshake, with the check of the certificate"),
    ("headers_ms", "milliseconds", "from writing the last request to its response head"),
    ("first_token_ms", "milliseconds", "from writing the warm-up to its first generated content of any kind"),
    ("last_token_ms", "milliseconds", "from writing the warm-up to the end of its stream"),
    ("queued_ms", "milliseconds", "from being due to being started: our own queueing, in no other figure"),
    ("total_ms", "milliseconds", "the whole probe, all attempts and pauses included"),
    ("input_tokens", "tokens", "the prompt, as the provider counts it"),
    ("output_tokens", "tokens", "generated, reasoning included"),
    ("price_requests", "requests", "what it cost, as the provider weighs requests"),
    ("price_usd", "US dollars", "what it cost"),
    (
        "quota_remaining",
        "unit of the limit",
        "what the provider said last is left of its foremost limit: of `five-hour`, `requests-day`, `requests-minute`, \
         `requests`, `week`, `key`, `balance` the first that it spoke of",
    ),
    (
        "withheld",
        "word",
        "why the warm-up was not made, to spare the quota: see [quotas](quota.md#what-is-withheld-and-why)",
    ),
    ("retry_after_s", "seconds", "until the provider says to come back, from the moment of its answer"),
    ("certificate_ends", "RFC 3339, UTC", "when the server's certificate ends"),
    ("request_id", "text", "the provider's id of the last request, for its support"),
    ("evidence", "text", "what was seen"),
    ("remedy", "text", "what to do about it"),
];

/// The events: name, level, when.
const EVENTS: [(&str, &str, &str); 5] = [
    (PROBE_STARTED, "debug", "a probe begins: `target`, `depth`"),
    (PROBE_ENTERED, "trace", "a probe enters a stage: `target`, `stage`"),
    (
        PROBE_RETRYING,
        "info",
        "a probe will be tried again: `target`, `attempt` (from 2), `code` of the last one. Where the model goes on \
         loading, the level is debug",
    ),
    (
        PROBE_FINISHED,
        "info, warn, error",
        "a probe ended: the fields below. Where `wait` asks again and comes to the same, or stops what it does not need any \
         more, the level is debug",
    ),
    (LOG, "any", "a line of a library: `origin` (its module), `message`, and what else it gives"),
];

/// `docs/log.md`.
#[must_use]
pub fn log_markdown() -> String {
    let mut text = "# The log\n\n\
        <!-- Made from the code by `UPDATE_DOCS=1 cargo test --release`. Do not edit. -->\n\n\
        Lines go to standard error; standard output is for the report alone. As JSON each line is one flat object: \
        snake_case names with the unit in the name. What was not measured is absent, never zero. There is never a key or \
        a prompt in it, and control characters, DEL and the marks that reorder text are escaped.\n\n\
        Every line begins with `ts`, `level`, `event`, and has `schema`.\n\n\
        ## Events\n\n\
        | event | level | when, and its fields |\n|---|---|---|\n"
        .to_owned();
    for (name, level, when) in EVENTS.into_iter().chain(gates::EVENTS).chain(service::EVENTS) {
        let _ = writeln!(text, "| `{name}` | {level} | {when} |");
    }
    text.push_str(
        "\n## Fields of `probe.finished`\n\n\
         A result of `--format json` and a line of `--format jsonl` have the same fields, but for the first three.\n\n\
         | field | unit | meaning |\n|---|---|---|\n",
    );
    for (name, unit, meaning) in FIELDS {
        let _ = writeln!(text, "| `{name}` | {unit} | {meaning} |");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::line::Pairs;
    use super::*;
    use crate::outcome::{Code, Connection, Proof, Record, SCHEMA, Stage, Verdict, Warmth, Withholding};
    use crate::target::Depth;

    /// A record with every field, written out so that a new one cannot be forgotten here.
    fn full() -> Record {
        let text = || Some("text".to_owned());
        Record {
            started: "2026-11-20T19:02:11.123Z".to_owned(),
            schema: SCHEMA,
            run_id: "20261120T190211Z-3f9a2c".to_owned(),
            target: "glm".to_owned(),
            provider: "synthetic".to_owned(),
            model: "hf:zai-org/GLM-4.6".to_owned(),
            depth: Depth::Warm,
            stage: Stage::Warm,
            verdict: Verdict::Degraded,
            warmth: Warmth::Cold,
            proof: Proof::TokenGenerated,
            code: Some(Code::ColdStart),
            http_status: Some(200),
            attempts: 1,
            connection: Some(Connection::Fresh),
            proxy: text(),
            dns_ms: Some(1.0),
            tcp_ms: Some(1.0),
            tls_ms: Some(1.0),
            headers_ms: Some(1.0),
            first_token_ms: Some(1.0),
            last_token_ms: Some(1.0),
            queued_ms: Some(1.0),
            total_ms: 1.0,
            input_tokens: Some(1),
            output_tokens: Some(1),
            price_requests: Some(1.0),
            price_usd: Some(1.0),
            quota_remaining: Some(1.0),
            withheld: Some(Withholding::Floor),
            retry_after_s: Some(1.0),
            certificate_ends: text(),
            request_id: text(),
            evidence: text(),
            remedy: text(),
        }
    }

    #[test]
    fn the_table_has_the_fields_of_a_record_in_their_order() {
        let Pairs(pairs) = serde_json::from_str(&serde_json::to_string(&full()).unwrap()).unwrap();
        let written: Vec<_> =
            ["ts", "level", "event"].into_iter().chain(pairs.iter().map(|(name, _)| &**name)).collect();
        let listed: Vec<_> = FIELDS.iter().map(|(name, _, _)| *name).collect();
        assert_eq!(written, listed, "src/telemetry/fields.rs lists other fields than a record has");
    }

    #[test]
    fn a_field_says_its_unit_in_its_name() {
        for (name, unit, _) in FIELDS {
            assert_eq!(unit == "milliseconds", name.ends_with("_ms"), "{name}");
            assert_eq!(unit == "seconds", name.ends_with("_s"), "{name}");
            assert_eq!(unit == "tokens", name.ends_with("_tokens"), "{name}");
            assert_eq!(unit == "US dollars", name.ends_with("_usd"), "{name}");
        }
    }
}
