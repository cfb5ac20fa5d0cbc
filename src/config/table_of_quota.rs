//! The table of keys, continued: what a provider allows, what its models cost.

use super::forms::{AMOUNT, MONEY, NAME, PERCENT, PERIOD, PRICE_OF_TOKENS, WEIGHT};
use super::keys::{Key, Kind, Section};

/// The word for a window that begins anew on the first of each month.
pub(super) const MONTH: &str = "month";

/// A limit of a provider.
pub(super) static LIMIT: Section = Section {
    name: "limit",
    noun: "a limit",
    doc: "What a provider allows: so many `requests` or `tokens`, or so much money (`usd`), and how it comes back: in steps (`refill`), all at once (`every`), or each part some time after it was used (`over`); with none of these it does not.",
    keys: &[
        Key::new("name", Kind::Scalar(&NAME), "Its name, in logs, metrics and plans. One that the provider itself reports has to have the same name.")
            .required()
            .example("requests-day"),
        Key::new("requests", Kind::Scalar(&AMOUNT), "So many requests, each at its price in `prices`.").example("500"),
        Key::new("tokens", Kind::Scalar(&AMOUNT), "So many tokens.").example("1_000_000"),
        Key::new("usd", Kind::Scalar(&MONEY), "So many US dollars.").example("$24"),
        Key::new("per_pack", Kind::Boolean, "Whether each of `packs` adds so much.").default("`false`").example("true"),
        Key::new("refill", Kind::Section(&REFILL), "It comes back in steps.").example("{ part: 5%, every: 15m }"),
        Key::new(
            "every",
            Kind::OrWord(MONTH, &Kind::Scalar(&PERIOD)),
            "All of it comes back at once, at moments so far apart (`1d`: at midnight UTC), or on the first of each `month`.",
        )
        .example("1d")
        .also(&["per", "window"]),
        Key::new("over", Kind::Scalar(&PERIOD), "Each part comes back so long after it was used.")
            .example("24h")
            .also(&["rolling"]),
    ],
};

/// Steps in which a limit comes back.
pub(super) static REFILL: Section = Section {
    name: "refill",
    noun: "`refill`",
    doc: "Steps in which a limit comes back.",
    keys: &[
        Key::new("part", Kind::Scalar(&PERCENT), "What a step gives back, of the whole.").required().example("5%"),
        Key::new("every", Kind::Scalar(&PERIOD), "The time between two steps.").required().example("15m"),
    ],
};

/// What a model's requests cost.
pub(super) static PRICE: Section = Section {
    name: "price",
    noun: "a price",
    doc: "What a model's requests cost.",
    keys: &[
        Key::new("requests", Kind::Scalar(&WEIGHT), "How many requests one counts as.").default("1").example("0.1"),
        Key::new("input", Kind::Scalar(&PRICE_OF_TOKENS), "US dollars for a million tokens of prompt.")
            .default("the provider's catalogue, where it says")
            .example("$0.60"),
        Key::new("output", Kind::Scalar(&PRICE_OF_TOKENS), "US dollars for a million generated tokens.")
            .default("the provider's catalogue, where it says")
            .example("$2.20"),
    ],
};
