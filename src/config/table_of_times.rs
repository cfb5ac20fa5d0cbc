//! The table of keys, continued: what is about time, and about what becomes of outcomes in time.

use super::forms::{
    AGE, CRON, DATE, DURING, HOURLY, INTERVAL, LEAD, LINE, LONG, MOMENT, PROVIDER_NAME, SIZE, TAG, TARGET_NAME,
    TIMEZONE, WAIT,
};
use super::keys::{Key, Kind, Section};
use super::words::KEEPS;

/// When a free check is made.
pub(super) static AUTH: Section = Section {
    name: "auth",
    noun: "`auth`",
    doc: "When the key and the list of models are checked: one of `every` and `cron`.",
    keys: &[
        Key::new("every", Kind::Scalar(&INTERVAL), "A time between checks.").example("1m").also(&["interval", "each"]),
        Key::new("cron", Kind::Scalar(&CRON), "Five cron fields, or six of which the first is seconds.")
            .example("\"*/5 * * * *\"")
            .also(&["schedule"]),
        Key::new("timezone", Kind::Scalar(&TIMEZONE), "The zone that `cron` is meant in.")
            .default("`UTC`")
            .example("Europe/Berlin")
            .also(&["tz", "zone"]),
    ],
};

/// When a model is warmed.
pub(super) static WARM: Section = Section {
    name: "warm",
    noun: "`warm`",
    doc: "When a model is warmed: `every` or `cron`, within `during`.",
    keys: &[
        Key::new(
            "every",
            Kind::OrWord("auto", &Kind::Scalar(&INTERVAL)),
            "A time between warm-ups, or `auto`: shortly before the model would unload, as learned.",
        )
        .default("`auto`, without `cron`")
        .example("auto")
        .also(&["interval", "each"]),
        Key::new("cron", Kind::Scalar(&CRON), "Five cron fields, or six of which the first is seconds.")
            .example("\"*/10 8-19 * * Mon-Fri\"")
            .also(&["schedule"]),
        Key::new("during", Kind::Scalar(&DURING), "The times of a week at which it is kept warm.")
            .default("always")
            .example("\"Mon-Fri 08:00-19:00\"")
            .also(&["window", "windows", "hours", "when"]),
        Key::new("timezone", Kind::Scalar(&TIMEZONE), "The zone that `during`, `except` and `cron` are meant in.")
            .default("`UTC`")
            .example("Europe/Berlin")
            .also(&["tz", "zone"]),
        Key::new("except", Kind::List(&Kind::Scalar(&DATE)), "Days on which it is not warmed.")
            .example("[2026-12-25, 2027-01-01]")
            .also(&["holidays", "skip", "not"]),
        Key::new(
            "lead",
            Kind::Scalar(&LEAD),
            "How long before `during` begins it is warmed, to be warm by then: an hour at most, `0s` for not at all.",
        )
        .default("one and a half times the longest recent cold start, else `expect.cold_start`; none with `cron`")
        .example("3m")
        .also(&["prewarm", "ahead"]),
        Key::new(
            "keep",
            Kind::Word(&KEEPS),
            "Whether `auto` goes on warming a model that nobody uses; it gives one up only where it can see that.",
        )
        .default("`while-used`")
        .example("always")
        .also(&["unused", "give_up"]),
    ],
};

/// What is stated of the world.
pub(super) static ASSUME: Section = Section {
    name: "assume",
    noun: "`assume`",
    doc: "What you know of how a model is used and how it loads, for `pilotlight plan`, and for choosing the most useful warm-up when the quota is short. A target's comes before its provider's, before `defaults`, key by key.",
    keys: &[
        Key::new(
            "requests_per_hour",
            Kind::Scalar(&HOURLY),
            "How many requests users make in an hour while they are there, on average.",
        )
        .default("not known; `plan --simulate` has nobody come")
        .example("20")
        .also(&["users", "requests", "load", "per_hour"]),
        Key::new(
            "idle_timeout",
            Kind::Scalar(&LONG),
            "After how long without a request the provider unloads the model.",
        )
        .default("not known; `plan --simulate` takes `15m`")
        .example("15m")
        .also(&["unloads_after", "idle", "timeout"]),
        Key::new("cold_start", Kind::Scalar(&WAIT), "How long it takes to load, in the middle of many.")
            .default("not known; `plan --simulate` takes `30s`")
            .example("30s")
            .also(&["cold", "load_time"]),
        Key::new("during", Kind::Scalar(&DURING), "When users are there.")
            .default("that of `warm`, else always")
            .example("\"Mon-Fri 08:00-19:00\"")
            .also(&["window", "windows", "hours", "when"]),
        Key::new("timezone", Kind::Scalar(&TIMEZONE), "The zone that `during` is meant in.")
            .default("that of `warm`, else `UTC`")
            .example("Europe/Berlin")
            .also(&["tz", "zone"]),
    ],
};

/// What makes a status.
pub(super) static STATUS: Section = Section {
    name: "status",
    noun: "`status`",
    doc: "How many outcomes in a row it takes to change a target's status.",
    keys: &[
        Key::new("fail_after", Kind::Number { min: 1, max: 100 }, "Failures until it is down.")
            .default("2")
            .example("2")
            .also(&["failures", "failure_threshold"]),
        Key::new("recover_after", Kind::Number { min: 1, max: 100 }, "Successes until it is up again.")
            .default("1")
            .example("1")
            .also(&["successes", "success_threshold"]),
    ],
};

/// An announced maintenance.
pub(super) static MAINTENANCE: Section = Section {
    name: "maintenance",
    noun: "a maintenance",
    doc: "When somebody works on some targets: every week (`during`), or once (`from`, `to`). It is about the targets that have one of `targets`, one of `tags` and one of `providers`, as on the command line; about all, where none of these is said.",
    keys: &[
        Key::new("name", Kind::Scalar(&LINE), "What people call it.").example("driver update").also(&["title"]),
        Key::new("during", Kind::Scalar(&DURING), "The times of every week.")
            .example("\"Sun 02:00-04:00\"")
            .also(&["window", "windows", "hours", "when"]),
        Key::new(
            "timezone",
            Kind::Scalar(&TIMEZONE),
            "The zone that `during`, `except`, `from` and `to` are meant in.",
        )
        .default("`UTC`")
        .example("Europe/Berlin")
        .also(&["tz", "zone"]),
        Key::new("except", Kind::List(&Kind::Scalar(&DATE)), "Days on which `during` does not begin.")
            .example("[2026-12-27]")
            .also(&["skip", "not"]),
        Key::new("from", Kind::Scalar(&MOMENT), "When it begins, once.")
            .example("2026-12-01T22:00")
            .also(&["start", "begin", "since"]),
        Key::new("to", Kind::Scalar(&MOMENT), "When it is over; later than `from`.")
            .example("2026-12-02T02:00")
            .also(&["end", "until", "till"]),
        Key::new("targets", Kind::List(&Kind::Scalar(&TARGET_NAME)), "Names of targets.")
            .default("all")
            .example("[glm]")
            .also(&["target"]),
        Key::new("tags", Kind::List(&Kind::Scalar(&TAG)), "Tags of targets.")
            .default("all")
            .example("[review]")
            .also(&["labels", "groups"]),
        Key::new("providers", Kind::List(&Kind::Scalar(&PROVIDER_NAME)), "Names of providers.")
            .default("all")
            .example("[local]")
            .also(&["provider"]),
    ],
};

/// For how long outcomes are kept.
pub(super) static HISTORY: Section = Section {
    name: "history",
    noun: "`history`",
    doc: "For how long outcomes are kept: what is over either bound goes, the oldest first.",
    keys: &[
        Key::new("keep", Kind::Scalar(&AGE), "For how long: from an hour to ten years.")
            .default("`90d`")
            .example("90d")
            .also(&["age", "days", "retention"]),
        Key::new("size", Kind::Scalar(&SIZE), "How large the store may become: `1MiB` at least.")
            .default("`256MiB`")
            .example("256MiB")
            .also(&["bytes", "max_size"]),
    ],
};
