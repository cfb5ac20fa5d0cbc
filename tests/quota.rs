//! The quota, by the real binary against a simulated Synthetic whose time is sped up: what probes take is what the
//! simulator has counted.

use std::time::Duration;

use pilotlight::probe::clock::Clock;
use pilotlight::run::SystemClock;
use serde_json::{Value, json};

use crate::daemon::service::{Place, Service};
use crate::scenarios::Sim;

/// One pack of Synthetic's, so fast that a tick of a quarter of an hour takes two seconds.
const SPEED: f64 = 450.0;
const TICK: Duration = Duration::from_secs(2);
/// 30 % of the 25 requests of a tick.
const SHARE_OF_A_TICK: f64 = 7.5;

fn synthetic(quota: &Value, models: &[(&str, f64)]) -> Sim {
    let models: Vec<Value> = models
        .iter()
        .map(|(id, price)| json!({ "id": id, "first_token": "1ms", "tokens": 2, "price": price }))
        .collect();
    let scenario =
        json!({ "flavour": "synthetic", "accounts": [{ "key": "syn_test" }], "models": models, "quota": quota });
    Sim::start(&scenario, SPEED)
}

fn probes(sim: &Sim, targets: &[&str], provider: &Value) -> Value {
    let url = sim.doors.values().next().unwrap();
    let tick = format!("{}s", TICK.as_secs());
    let mut synthetic = json!({
        "preset": "synthetic",
        "base_url": format!("{url}/openai/v1"),
        "api_key": { "file": "key" },
        "limits": [{ "name": "five-hour", "requests": 500, "refill": { "part": "5%", "every": tick } }],
    });
    synthetic.as_object_mut().unwrap().extend(provider.as_object().unwrap().clone());
    let targets: Vec<Value> = targets
        .iter()
        .map(|name| json!({ "name": name, "provider": "synthetic", "model": format!("hf:a/{name}") }))
        .collect();
    json!({
        "version": 1,
        "defaults": { "warm": { "every": "1s" } },
        "providers": { "synthetic": synthetic },
        "targets": targets,
    })
}

fn start(place: &Place) -> Service {
    std::fs::write(place.path("key"), "syn_test").unwrap();
    place.start()
}

fn charged(sim: &Sim) -> f64 {
    let state = sim.admin("GET", "/_sim/state");
    let find = |value: &Value| value.pointer("/quota/charged_requests").and_then(Value::as_f64);
    let accounts = state["accounts"].as_array().cloned().unwrap_or_default();
    find(&state).or_else(|| accounts.iter().find_map(find)).unwrap_or_else(|| panic!("no count in {state:#}"))
}

/// How many warm-ups of a log were made, and what they cost by their own account.
fn warmed(log: &[Value]) -> (usize, f64) {
    let costs =
        log.iter().filter(|line| line["event"] == "probe.finished").filter_map(|line| line["price_requests"].as_f64());
    costs.fold((0, 0.0), |(count, sum), cost| (count + 1, sum + cost))
}

#[test]
fn a_greedy_schedule_stays_within_its_share_to_the_request() {
    let models = ["a", "b", "c", "d", "e"];
    let ids: Vec<(String, f64)> = models.iter().map(|name| (format!("hf:a/{name}"), 1.0)).collect();
    let ids: Vec<(&str, f64)> = ids.iter().map(|(id, price)| (id.as_str(), *price)).collect();
    let sim = synthetic(&json!({ "packs": 1 }), &ids);
    let place = Place::new(&probes(&sim, &models, &json!({})));
    let began = SystemClock.now();
    let mut service = start(&place);
    // Five requests a second are asked for, and 3.75 may be made.
    let withheld = service.until("probe.finished", |line| line["code"] == "quota-withheld");
    assert_eq!(withheld["verdict"], "unknown");
    assert_eq!(withheld["stage"], "warm", "all that is free was climbed");
    let evidence = withheld["evidence"].as_str().unwrap();
    let short = ["the probes' share of 30 % is spent", "the share is enough for one every"];
    assert!(short.iter().any(|why| evidence.starts_with(why)), "{withheld}");
    // The share is spent twice over, and comes again.
    for _ in 0..22 {
        service.until("probe.finished", |line| line["verdict"] == "ready");
    }
    let log = service.end();
    let ticks = began.elapsed().as_secs() / TICK.as_secs();
    let (count, cost) = warmed(&log);
    let spent = charged(&sim);
    let odd: Vec<&Value> =
        log.iter().filter(|line| line["price_requests"].is_number() && line["verdict"] != "ready").collect();
    let counted = f64::from(u32::try_from(count).unwrap());
    assert_eq!(spent, counted, "what the provider has counted is what we have: {odd:#?}");
    assert_eq!(spent, cost);
    #[expect(clippy::cast_precision_loss, reason = "a few ticks")]
    let may = SHARE_OF_A_TICK * (ticks + 1) as f64;
    assert!(spent <= may, "{spent} of {may}");

    // The ledger outlives the process: another one does not begin with a full share.
    let mut service = start(&place);
    service.until("probe.finished", |line| line["code"] == "quota-withheld");
    service.end();
    let ticks = began.elapsed().as_secs() / TICK.as_secs();
    #[expect(clippy::cast_precision_loss, reason = "a few ticks")]
    let may = SHARE_OF_A_TICK * (ticks + 1) as f64;
    assert!(charged(&sim) <= may, "{} of {may}", charged(&sim));
}

#[test]
fn a_spent_window_silences_it_until_the_tick_and_it_goes_on_by_itself() {
    let sim = synthetic(&json!({ "packs": 1, "used": { "five_hour": 1.0 } }), &[("hf:a/a", 1.0)]);
    let place = Place::new(&probes(&sim, &["a"], &json!({ "floor": "1%" })));
    let mut service = start(&place);
    let first = service.finished("a");
    assert_eq!((&first["code"], &first["verdict"]), (&json!("quota-withheld"), &json!("unknown")));
    assert_eq!(first["quota_remaining"], 0.0);
    assert!(first["retry_after_s"].as_f64().unwrap() <= 2.0, "{first}");
    assert_eq!(charged(&sim), 0.0);
    assert_eq!(service.status_of("a")["paused"], "the provider refuses for now");
    // The tick brings 25, and 5 have to be left.
    let ready = service.until("probe.finished", |line| line["verdict"] == "ready");
    assert!(ready["quota_remaining"].as_f64().unwrap() >= 20.0, "{ready}");
    assert_eq!(service.status_of("a").get("paused"), None);
    service.end();
    assert!(charged(&sim) >= 1.0);
}

#[test]
fn a_refusal_without_a_report_of_the_quota_is_not_repeated_until_the_stated_time() {
    // A pay-as-you-go account has no quota to read; its window is spent, and it says for how long: four seconds of ours.
    let quota = json!({ "generation": "none", "used": { "five_hour": 1.0 }, "retry_after": "30m" });
    let sim = synthetic(&quota, &[("hf:a/a", 1.0)]);
    let place = Place::new(&probes(&sim, &["a"], &json!({})));
    let mut service = start(&place);
    let refused = service.until("probe.finished", |line| line["http_status"] == 429);
    assert_eq!(refused["verdict"], "failed");
    assert_eq!(refused.get("price_requests"), None, "what is refused costs nothing");
    let withheld = service.until("probe.finished", |line| line["code"] == "quota-withheld");
    assert!(withheld["evidence"].as_str().unwrap().starts_with("the provider refuses for now; again in"), "{withheld}");
    assert_eq!(withheld.get("quota_remaining"), None, "`{{}}` is not known, never zero");
    service.until("probe.finished", |line| line["verdict"] == "ready");
    service.end();
    assert!(charged(&sim) >= 1.0);
}

#[test]
fn prices_are_read_off_the_providers_own_counter() {
    let sim = synthetic(&json!({ "packs": 1 }), &[("hf:a/a", 0.1)]);
    // Nobody has said that it is cheap.
    let place = Place::new(&probes(&sim, &["a"], &json!({})));
    let mut service = start(&place);
    let cheap = service.until("probe.finished", |line| line["price_requests"] == 0.1);
    assert_eq!(cheap["verdict"], "ready");
    let log = service.end();
    let costs: Vec<f64> = log.iter().filter_map(|line| line["price_requests"].as_f64()).collect();
    assert_eq!(costs.first(), Some(&1.0), "as long as nothing is known, one: {costs:?}");
}

#[test]
fn a_failure_is_not_hidden_by_a_retry_that_is_withheld() {
    // Two schedules ask for more than the share, and one of the models fails.
    let models: Vec<Value> =
        ["a", "b"].iter().map(|name| json!({ "id": format!("hf:a/{name}"), "first_token": "1ms" })).collect();
    let scenario = json!({
        "flavour": "synthetic", "accounts": [{ "key": "syn_test" }], "models": models, "quota": { "packs": 1 },
        "faults": [{ "on": { "model": "hf:a/b" }, "then": "overloaded" }],
    });
    let sim = Sim::start(&scenario, SPEED);
    let place = Place::new(&probes(&sim, &["a", "b"], &json!({ "share": "10%" })));
    let mut service = start(&place);
    for _ in 0..3 {
        let failed = service.until("probe.finished", |line| line["target"] == "b" && line["code"] != "quota-withheld");
        assert_eq!((&failed["code"], &failed["verdict"]), (&json!("overloaded"), &json!("failed")), "{failed}");
    }
    let log = service.end();
    assert!(
        log.iter().any(|line| line["event"] == "target.status" && line["to"] == "down"),
        "it is down, and that is told"
    );
}

#[test]
fn two_passes_from_a_timer_spend_one_share() {
    let names = ["a", "b", "c", "d"];
    let ids: Vec<String> = names.iter().map(|name| format!("hf:a/{name}")).collect();
    let sim = synthetic(&json!({ "packs": 1 }), &ids.iter().map(|id| (id.as_str(), 1.0)).collect::<Vec<_>>());
    // A tick of an hour gives 2.5; the first pass has that for two, and one more has to wait for its turn.
    let hourly = json!({ "limits": [{ "name": "own", "requests": 100, "refill": { "part": "10%", "every": "1h" } }], "share": "25%" });
    let place = Place::new(&probes(&sim, &names, &hourly));
    std::fs::write(place.path("key"), "syn_test").unwrap();
    place.once(&["--now"]);
    let spent = charged(&sim);
    place.once(&["--now"]);
    assert_eq!(charged(&sim), spent, "the share is spent, and another process knows it");
    assert_eq!(spent, 2.0);
}
