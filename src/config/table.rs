//! The table of keys: everything that probes.yaml can say.
//!
//! To add a key: add a row here, read it in `resolve/`, and run the ignored test `generated_files_are_written`, which
//! writes the documentation. The compiler and the tests find what is forgotten.

use super::forms::{
    ARGUMENT, BASE_URL, CERTIFICATE, FILE, HEADER_NAME, HEADER_VALUE, KEEP_ALIVE, KEY_HEADER, LINE, LITERAL_KEY, MODEL,
    MONEY, NAME, PAGE, PATH, PATTERN, PERCENT, PRESET, PROVIDER_NAME, TAG, VARIABLE, VERSION, WAIT, WITNESS,
};
use super::keep_alive::FOREVER;
use super::keys::{Key, Kind, Section};
use super::table_of_networks::{ADDRESS_KEY, ADDRESSES_KEY, CA_FILE_KEY, CLIENT_CERTIFICATE_KEY, PROXY_KEY};
pub(super) use super::table_of_networks::{CLIENT_CERTIFICATE, HEADER, PROXY};
pub(super) use super::table_of_quota::{LIMIT, PRICE, REFILL};
pub(super) use super::table_of_times::{ASSUME, AUTH, HISTORY, MAINTENANCE, STATUS, WARM};
use super::words::{CAP_FIELDS, DEPTHS, DIALECTS, FAMILIES, KINDS, PROVES, REASONING, SHAPES, STATES};

/// The whole file.
pub(super) static ROOT: Section = Section {
    name: "probes",
    noun: "probes.yaml",
    doc: "What pilotlight probes: providers, the models wanted of them, and what is expected.",
    keys: &[
        Key::new("version", Kind::Scalar(&VERSION), "The version of this file's format: 1.").required().example("1"),
        Key::new("defaults", Kind::Section(&DEFAULTS), "What holds for every target that does not say otherwise.")
            .example("{ expect: { first_token: 10s } }"),
        Key::new(
            "providers",
            Kind::Map { key: &NAME, value: &Kind::Section(&PROVIDER) },
            "The accounts, each under a name of your own.",
        )
        .required()
        .example("{ synthetic: { preset: synthetic } }")
        .also(&["provider", "endpoints", "apis"]),
        Key::new("targets", Kind::List(&Kind::Section(&TARGET)), "What is probed: models at those providers.")
            .required()
            .example("[{ name: glm, provider: synthetic, model: \"hf:zai-org/GLM-4.6\" }]")
            .also(&["target", "models", "probes"]),
        Key::new(
            "gates",
            Kind::Map { key: &NAME, value: &Kind::Section(&GATE) },
            "Readiness rules over several targets, each under a name of your own.",
        )
        .example("{ review: { main: glm, fallback: [gpt] } }"),
        Key::new("status", Kind::Section(&STATUS), "How many outcomes it takes to change a target's status.")
            .example("{ fail_after: 2, recover_after: 1 }")
            .also(&["damping"]),
        Key::new(
            "maintenance",
            Kind::List(&Kind::Section(&MAINTENANCE)),
            "When somebody works on a provider or a model: what probes find then is not held against it.",
        )
        .example("[{ during: \"Sun 02:00-04:00\", timezone: Europe/Berlin, providers: [local] }]")
        .also(&["maintenances", "downtime", "silences"]),
        Key::new(
            "witness",
            Kind::OrWord("none", &Kind::List(&Kind::Scalar(&WITNESS))),
            "Addresses to tell whether this machine is online at all, before a target is blamed; or `none`.",
        )
        .default("the hosts of the other providers")
        .example("[\"example.com:443\"]")
        .also(&["witnesses"]),
        Key::new("history", Kind::Section(&HISTORY), "For how long outcomes are kept.")
            .example("{ keep: 90d, size: 256MiB }")
            .also(&["retention"]),
    ],
};

/// What holds for every target.
pub(super) static DEFAULTS: Section = Section {
    name: "defaults",
    noun: "`defaults`",
    doc: "What holds for every target that does not say otherwise.",
    keys: &[
        Key::new("expect", Kind::Section(&EXPECT), "Deadlines.").example("{ first_token: 10s }"),
        Key::new("depth", Kind::Word(&DEPTHS), "How far a probe climbs when nothing else is asked for.")
            .default("`warm`")
            .example("warm"),
        Key::new("max_output_tokens", MAX_OUTPUT_TOKENS, "How many tokens a warm-up asks for.")
            .default("16")
            .example("16"),
        Key::new("tags", Kind::List(&Kind::Scalar(&TAG)), "Words that every target has besides its own.")
            .example("[production]"),
        Key::new("auth", Kind::Section(&AUTH), "When the key and the list of models are checked.")
            .example("{ every: 1m }"),
        Key::new("warm", Kind::Section(&WARM), "When the models are warmed. Each warm-up costs a request.")
            .example("{ every: auto }"),
        Key::new("assume", Kind::Section(&ASSUME), "What you know of their use, for planning.")
            .example("{ requests_per_hour: 20 }"),
        PROXY_KEY,
        CA_FILE_KEY,
        ADDRESSES_KEY,
    ],
};

/// An account at an API. Presets are written in these keys too.
pub(super) static PROVIDER: Section = Section {
    name: "provider",
    noun: "a provider",
    doc: "An account at an API. With a `preset` all else is optional, and whatever the preset says can be overridden.",
    keys: &[
        Key::new("preset", Kind::Scalar(&PRESET), "A provider that pilotlight knows (docs/presets.md).")
            .example("synthetic")
            .also(&["type", "template"]),
        Key::new("dialect", Kind::Word(&DIALECTS), "The wire format, for an API without a preset.")
            .default("the preset's")
            .example("openai")
            .also(&["format", "api", "protocol"]),
        Key::new(
            "base_url",
            Kind::Scalar(&BASE_URL),
            "What one would paste into the dialect's SDK: with `/v1` for `openai`, with or without it for `anthropic`, the root for `ollama`.",
        )
        .default("the preset's")
        .example("http://127.0.0.1:8000/v1")
        .also(&["url", "endpoint", "api_base", "host", "base"]),
        Key::new(
            "api_key",
            Kind::OrWord("none", &Kind::SectionOrScalar(&CREDENTIAL, &LITERAL_KEY)),
            "Where the key comes from. The key itself may be written for a loopback address only.",
        )
        .default("the preset's; `none` at a loopback address")
        .example("{ env: OPENAI_API_KEY }")
        .also(&["key", "token", "auth", "credential", "secret", "api_key_env", "key_env"]),
        Key::new("key_header", Kind::Scalar(&KEY_HEADER), "`bearer` (`Authorization: Bearer …`), or the name of the header that carries the key.")
            .default("`bearer`")
            .example("api-key"),
        Key::new(
            "headers",
            Kind::Map { key: &HEADER_NAME, value: &Kind::SectionOrScalar(&HEADER, &HEADER_VALUE) },
            "Further request headers. Their values are never shown.",
        )
        .example("{ x-team: review }"),
        Key::new("concurrency", Kind::Number { min: 1, max: 1000 }, "How many probes may run at once here. The same model is never probed twice at once.")
            .default("8")
            .example("8")
            .also(&["max_concurrency", "parallel", "parallelism"]),
        Key::new("expect", Kind::Section(&EXPECT), "Deadlines for this provider's targets.")
            .example("{ first_token: 20s }"),
        Key::new("assume", Kind::Section(&ASSUME), "What you know of its models and their use, for planning.")
            .example("{ idle_timeout: 15m }"),
        Key::new("packs", Kind::Number { min: 1, max: 1000 }, "How many packs the subscription has (Synthetic: 1 to 5).")
            .example("1")
            .also(&["pack"]),
        Key::new("share", Kind::Scalar(&PERCENT), "The part of what regenerates that probes may spend; users keep the rest.")
            .default("`30%`")
            .example("30%"),
        Key::new("floor", Kind::Scalar(&PERCENT), "What must be left of each limit for a warm-up to be made.")
            .default("`15%`")
            .example("15%")
            .also(&["reserve"]),
        Key::new("long_floor", Kind::Scalar(&PERCENT), "The same, of limits that span more than a day.")
            .default("`10%`")
            .example("10%"),
        Key::new("daily_cap", Kind::Scalar(&MONEY), "What all probes together may cost in a day (UTC), in US dollars, whoever asks for them.")
            .default("none")
            .example("$1")
            .also(&["budget", "max_cost", "cap"]),
        Key::new("limits", Kind::OrWord("none", &Kind::List(&Kind::Section(&LIMIT))), "What the provider allows.")
            .default("the preset's")
            .example("[{ name: requests-day, requests: 1000, every: 1d }]")
            .also(&["quota", "quotas", "windows", "rate_limits"]),
        Key::new(
            "prices",
            Kind::OrWord("none", &Kind::Map { key: &PATTERN, value: &Kind::Section(&PRICE) }),
            "What models' requests cost, by the model's id, or its beginning and a star. The first that fits counts; the preset's come last.",
        )
        .default("the preset's, else one request each")
        .example("{ \"hf:zai-org/*\": { requests: 1 } }")
        .also(&["price", "pricing"]),
        Key::new("parallel", Kind::Number { min: 1, max: 1000 }, "How many requests of one model the provider works on at once; others wait there.")
            .default("the preset's, else as many as come")
            .example("1"),
        PROXY_KEY,
        CA_FILE_KEY,
        CLIENT_CERTIFICATE_KEY,
        ADDRESSES_KEY,
        ADDRESS_KEY,
        Key::new("keep_alive", Kind::OrWord(FOREVER, &Kind::Scalar(&KEEP_ALIVE)), "For how long Ollama is asked to keep a model loaded: a second at least, or `forever`.")
            .default("the server's own")
            .example("30m"),
        Key::new("unloads", Kind::Boolean, "Whether models unload when idle. Where they do not, warming buys nothing.")
            .default("`true`")
            .example("true"),
        Key::new("free_check", Kind::OrWord("none", &Kind::Section(&FREE_CHECK)), "A request that costs nothing and needs a valid key.")
            .example("{ path: /v2/quotas, proves: key }"),
        Key::new("catalogue", Kind::OrWord("none", &Kind::Section(&CATALOGUE)), "The list of models.")
            .example("{ path: models }")
            .also(&["catalog"]),
        Key::new("state", Kind::OrWord("none", &Kind::Word(&STATES)), "A free endpoint that tells which models are loaded.")
            .default("`none`")
            .example("llama-swap"),
        Key::new("cap_field", Kind::Word(&CAP_FIELDS), "The request field that caps a chat completion's output.")
            .default("`max_tokens`")
            .example("max_completion_tokens"),
        Key::new("reasoning_off", Kind::Word(&REASONING), "How a model is asked not to reason before it answers a warm-up.")
            .default("`not-sent`")
            .example("effort-none")
            .also(&["reasoning"]),
        Key::new("family", Kind::Word(&FAMILIES), "Whose error bodies and headers it speaks.")
            .default("`generic`")
            .example("vllm"),
        Key::new("title", Kind::Scalar(&LINE), "What people call it.")
            .default("its name")
            .example("Our vLLM"),
        Key::new("key_prefix", Kind::OrWord("none", &Kind::Scalar(&LINE)), "How its keys begin, for a hint when one does not.")
            .example("sk-"),
        Key::new("key_page", Kind::OrWord("none", &Kind::Scalar(&PAGE)), "Where a person makes a key.")
            .example("https://example.com/keys"),
        Key::new("billing_page", Kind::OrWord("none", &Kind::Scalar(&PAGE)), "Where a person pays.")
            .example("https://example.com/billing"),
        Key::new("status_page", Kind::OrWord("none", &Kind::Scalar(&PAGE)), "Where the provider reports its incidents.")
            .example("https://status.example.com"),
    ],
};

/// Where a key comes from.
pub(super) static CREDENTIAL: Section = Section {
    name: "api_key",
    noun: "`api_key`",
    doc: "Where a key comes from: exactly one of `env`, `file` and `command`.",
    keys: &[
        Key::new("env", Kind::OneOrMore(&VARIABLE), "The variable that holds it; of several, the first that is set.")
            .example("OPENAI_API_KEY")
            .also(&["variable", "var", "environment"]),
        Key::new(
            "file",
            Kind::Scalar(&FILE),
            "The file that holds it, relative to this file. `${CREDENTIALS_DIRECTORY}` at its beginning is systemd's.",
        )
        .example("/run/secrets/openai")
        .also(&["path"]),
        Key::new(
            "command",
            Kind::List(&Kind::Scalar(&ARGUMENT)),
            "A program and its arguments, run without a shell, that prints it.",
        )
        .example("[pass, show, openai]")
        .also(&["cmd", "exec"]),
        Key::new("optional", Kind::Boolean, "With `env`: send no key where no variable is set.")
            .default("`false`")
            .example("true"),
    ],
};

/// A free request.
pub(super) static FREE_CHECK: Section = Section {
    name: "free_check",
    noun: "`free_check`",
    doc: "A request that costs nothing and needs a valid key.",
    keys: &[
        Key::new(
            "path",
            Kind::Scalar(&PATH),
            "Path of the GET: after the base URL, or at its host when it begins with a slash.",
        )
        .default("the preset's")
        .example("/v2/quotas"),
        Key::new("proves", Kind::Word(&PROVES), "What a good answer proves.")
            .default("the preset's, else `key`")
            .example("key"),
        Key::new("name", Kind::Scalar(&LINE), "What it is called in evidence.")
            .default("the preset's, else \"the free check\"")
            .example("the quota endpoint"),
    ],
};

/// The list of models.
pub(super) static CATALOGUE: Section = Section {
    name: "catalogue",
    noun: "`catalogue`",
    doc: "The list of models that a provider offers.",
    keys: &[
        Key::new("path", Kind::Scalar(&PATH), "Path of the GET, as in `free_check`.")
            .default("the preset's")
            .example("models"),
        Key::new("shape", Kind::Word(&SHAPES), "How the list is laid out.")
            .default("the preset's, else `data`")
            .example("data"),
        Key::new("public", Kind::Boolean, "Whether it answers without a valid key too.")
            .default("the preset's, else `false`")
            .example("true"),
        Key::new(
            "id_prefix",
            Kind::OrWord("none", &Kind::Scalar(&LINE)),
            "Text before every id that a request does not need.",
        )
        .example("models/"),
        Key::new("partial", Kind::Boolean, "Whether models that are not listed can still be asked for.")
            .default("the preset's, else `false`")
            .example("true"),
    ],
};

/// A model at a provider.
pub(super) static TARGET: Section = Section {
    name: "target",
    noun: "a target",
    doc: "A model at a provider, with what is expected of it.",
    keys: &[
        Key::new("name", Kind::Scalar(&NAME), "Its name, in logs, metrics, gates and on the command line.")
            .required()
            .example("glm")
            .also(&["id"]),
        Key::new("provider", Kind::Scalar(&PROVIDER_NAME), "The name of a provider above.")
            .required()
            .example("synthetic"),
        Key::new("model", Kind::Scalar(&MODEL), "The model's id, as the provider spells it.")
            .required()
            .example("hf:zai-org/GLM-4.6")
            .also(&["model_id", "llm", "deployment"]),
        Key::new("kind", Kind::Word(&KINDS), "What the model does.")
            .default("`chat`")
            .example("embedding")
            .also(&["type", "mode"]),
        Key::new("depth", Kind::Word(&DEPTHS), "How far a probe climbs when nothing else is asked for.")
            .default("`defaults`, else `warm`")
            .example("auth")
            .also(&["level", "check"]),
        Key::new("tags", Kind::List(&Kind::Scalar(&TAG)), "Words to select it by, besides those of `defaults`.")
            .example("[review]")
            .also(&["labels", "groups"]),
        Key::new("expect", Kind::Section(&EXPECT), "Deadlines.")
            .default("the provider's, else `defaults`")
            .example("{ first_token: 10s, cold_start: 180s }")
            .also(&["timeout", "timeouts", "deadline", "deadlines"]),
        Key::new("max_output_tokens", MAX_OUTPUT_TOKENS, "How many tokens a warm-up asks for.")
            .default("`defaults`, else 16")
            .example("16")
            .also(&["max_tokens"]),
        Key::new("auth", Kind::Section(&AUTH), "When the key and the list of models are checked, which is free.")
            .default("`defaults`, else never")
            .example("{ every: 1m }"),
        Key::new("warm", Kind::Section(&WARM), "When it is warmed. Each warm-up costs a request.")
            .default("`defaults`, else never")
            .example("{ every: auto, during: \"Mon-Fri 08:00-19:00\", timezone: Europe/Berlin }"),
        Key::new("assume", Kind::Section(&ASSUME), "What you know of its use, for planning.")
            .default("the provider's, else `defaults`")
            .example("{ requests_per_hour: 20, idle_timeout: 15m, cold_start: 30s }")
            .also(&["assumptions", "assumed", "usage"]),
    ],
};

/// Deadlines.
pub(super) static EXPECT: Section = Section {
    name: "expect",
    noun: "`expect`",
    doc: "Deadlines: a target's come before its provider's, before `defaults`, before those built in.",
    keys: &[
        Key::new("first_token", Kind::Scalar(&WAIT), "First token of a warm model.")
            .default("`10s`")
            .example("10s")
            .also(&["ttft", "warm", "timeout"]),
        Key::new("cold_start", Kind::Scalar(&WAIT), "First token of a cold model; not shorter than `first_token`.")
            .default("`3m`")
            .example("180s")
            .also(&["cold"]),
        Key::new("stall", Kind::Scalar(&WAIT), "Longest silence within an answer that has begun.")
            .default("`30s`")
            .example("30s")
            .also(&["idle"]),
        Key::new("connect", Kind::Scalar(&WAIT), "Name and connection together, and TLS, each.")
            .default("`10s`")
            .example("10s")
            .also(&["connect_timeout"]),
        Key::new("answer", Kind::Scalar(&WAIT), "Answers of the free endpoints.")
            .default("`15s`")
            .example("15s")
            .also(&["response"]),
        Key::new("certificate", Kind::Scalar(&CERTIFICATE), "Warn when the certificate ends sooner than this.")
            .default("`14d`")
            .example("14d")
            .also(&["tls", "cert"]),
    ],
};

/// A readiness rule.
pub(super) static GATE: Section = Section {
    name: "gate",
    noun: "a gate",
    doc: "A readiness rule: `main` with `fallback`, or `any`, or `all`, or `at_least` with `of`.",
    keys: &[
        Key::new("main", Kind::Scalar(&NAME), "The target that is wanted.").example("glm").also(&["target", "primary"]),
        Key::new("fallback", Kind::List(&Kind::Scalar(&NAME)), "What will do instead, in order.")
            .example("[gpt]")
            .also(&["fallbacks"]),
        Key::new("any", Kind::List(&Kind::Scalar(&NAME)), "Open when one of these is ready.").example("[glm, gpt]"),
        Key::new("all", Kind::List(&Kind::Scalar(&NAME)), "Open when all of these are ready.").example("[glm, gpt]"),
        Key::new("at_least", Kind::Number { min: 1, max: 1000 }, "Open when so many of `of` are ready.")
            .example("2")
            .also(&["quorum", "atleast", "min"]),
        Key::new("of", Kind::List(&Kind::Scalar(&NAME)), "The targets of `at_least`.").example("[a, b, c]"),
    ],
};

const MAX_OUTPUT_TOKENS: Kind = Kind::Number { min: 1, max: 4096 };
