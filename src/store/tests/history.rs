//! What was written is read back.

use super::super::*;
use super::*;
use crate::outcome::{Cost, Verdict, Warmth, Withholding};
use crate::target::Depth;

#[tokio::test(flavor = "current_thread")]
async fn a_record_comes_back_whole() {
    let place = tempfile::tempdir().unwrap();
    let store = open(place.path()).await;
    let entries = vec![ready("glm", 60), failed("glm", 30)];
    let records: Vec<serde_json::Value> =
        entries.iter().rev().map(|entry| serde_json::to_value(&entry.record).unwrap()).collect();
    store.append(entries).await.unwrap();
    let reader = reader(place.path()).await;
    let past = reader.history("glm", Filter::default()).await.unwrap();
    reader.close().await;
    let read: Vec<serde_json::Value> = past.iter().map(|past| serde_json::to_value(past).unwrap()).collect();
    assert_eq!(read, records, "every field, the newest first");
    assert_eq!(past[0].at, ago(30));
    assert_eq!(past[0].known_code(), Some(Code::KeyRefused));
    store.close().await;
    assert!(!files::beside(&files::database(place.path()), "-wal").exists(), "closing leaves one file");
}

#[test]
fn a_past_outcome_has_every_field_of_a_record() {
    let mut outcome = sample::ready("synthetic", "glm", "glm");
    outcome.request_id = Some("req".to_owned());
    outcome.certificate_ends = Some(now());
    outcome.timings.queued = Some(sample::ms(3));
    outcome.cost = Cost { requests: Some(0.1), usd: Some(0.000_04) };
    outcome.quota.read_before(vec![sample::left_of_five_hours(364.0)]);
    outcome.withheld = Some(Withholding::Floor);
    let mut diagnosis = sample::diagnosis(Code::RateLimited, Stage::Warm, "429", "wait");
    diagnosis.reset = Some(sample::reset_after(7));
    outcome.diagnosis = Some(diagnosis);
    let record = serde_json::to_value(Record::of(&outcome)).unwrap();
    let past: PastOutcome = serde_json::from_value(record.clone()).unwrap();
    assert_eq!(serde_json::to_value(past).unwrap(), record);
}

#[tokio::test(flavor = "current_thread")]
async fn history_can_be_narrowed() {
    let place = tempfile::tempdir().unwrap();
    let store = open(place.path()).await;
    let mut auth = ready("glm", 20);
    auth.record.depth = Depth::Auth;
    store.append(vec![ready("glm", 50), failed("glm", 40), ready("other", 30), auth, failed("glm", 10)]).await.unwrap();
    let reader = reader(place.path()).await;
    let ages = async |filter| {
        let past = reader.history("glm", filter).await.unwrap();
        past.iter().map(|past| now().duration_since(past.at).as_secs()).collect::<Vec<_>>()
    };
    let all = Filter::default();
    assert_eq!(ages(all).await, [10, 20, 40, 50]);
    assert_eq!(ages(Filter { since: Some(ago(40)), ..all }).await, [10, 20, 40]);
    assert_eq!(ages(Filter { limit: 2, ..all }).await, [10, 20]);
    assert_eq!(ages(Filter { depth: Some(Depth::Auth), ..all }).await, [20]);
    assert_eq!(ages(Filter { only_failures: true, ..all }).await, [10, 40]);
    assert_eq!(reader.code_counts("glm", None).await.unwrap(), [("key-refused".to_owned(), 2)]);
    assert_eq!(reader.code_counts("glm", Some(ago(10))).await.unwrap(), [("key-refused".to_owned(), 1)]);
    assert_eq!(reader.history("' OR 1=1 --", all).await.unwrap(), []);
}

#[tokio::test(flavor = "current_thread")]
async fn what_follows_from_an_outcome_lands_with_it() {
    let place = tempfile::tempdir().unwrap();
    let store = open(place.path()).await;
    let mut down = failed("glm", 30);
    down.standing = Some(r#"{"status":"down"}"#.to_owned());
    down.past = Some("{}".to_owned());
    down.flip = Some(flip("glm", 29, Status::Up, Status::Down));
    let mut up = ready("kimi", 20);
    up.flip = Some(flip("kimi", 19, Status::Unknown, Status::Up));
    store.append(vec![down, up]).await.unwrap();
    store.put_state(StateKind::Outage, "synthetic", "1").await.unwrap();
    store.put_state(StateKind::Outage, "synthetic", "2").await.unwrap();
    let reader = reader(place.path()).await;
    let standing = [("glm".to_owned(), r#"{"status":"down"}"#.to_owned())];
    assert_eq!(reader.states(StateKind::Standing).await.unwrap(), standing);
    assert_eq!(store.states(StateKind::Standing).await.unwrap(), standing);
    assert_eq!(reader.states(StateKind::Past).await.unwrap(), [("glm".to_owned(), "{}".to_owned())]);
    assert_eq!(reader.states(StateKind::Outage).await.unwrap(), [("synthetic".to_owned(), "2".to_owned())]);
    assert_eq!(reader.states(StateKind::Learned).await.unwrap(), []);
    let flips = reader.flips(None, None, 10).await.unwrap();
    let told: Vec<_> = flips.iter().map(|flip| (flip.target.as_str(), flip.from, flip.to)).collect();
    assert_eq!(told, [("kimi", Status::Unknown, Status::Up), ("glm", Status::Up, Status::Down)]);
    assert_eq!(reader.flips(Some("glm"), None, 10).await.unwrap().len(), 1);
    assert_eq!(reader.flips(None, Some(ago(20)), 10).await.unwrap().len(), 1);
    assert_eq!(reader.flips(None, None, 1).await.unwrap().len(), 1);
}

#[tokio::test(flavor = "current_thread")]
async fn a_summary_tells_of_the_last_day_and_week() {
    const HOUR: i64 = 3600;
    let place = tempfile::tempdir().unwrap();
    let store = open(place.path()).await;
    let mut entries: Vec<Entry> = (0..40).map(|index| ready("glm", 100 * HOUR + index)).collect();
    entries.extend([failed("glm", 2 * HOUR), ready("glm", HOUR), failed("kimi", 300 * HOUR)]);
    let mut unknown = failed("glm", 60);
    unknown.record.verdict = Verdict::Unknown;
    unknown.standing = Some("{}".to_owned());
    entries.insert(0, unknown);
    store.append(entries).await.unwrap();
    let summaries = reader(place.path()).await.summaries(now()).await.unwrap();
    let [glm, kimi] = &summaries[..] else { panic!("{summaries:?}") };
    assert_eq!((glm.target.as_str(), glm.latest.at, glm.latest.verdict), ("glm", ago(60), Verdict::Unknown));
    assert_eq!(glm.day, Uptime { good: 1, bad: 1, unknown: 1 });
    assert_eq!(glm.week, Uptime { good: 41, bad: 1, unknown: 1 });
    assert_eq!(glm.day.share(), Some(0.5));
    let days: Vec<(String, u64)> =
        glm.days.iter().map(|day| (day.day.strftime("%F").to_string(), day.uptime.probes())).collect();
    assert_eq!(days, [("2026-11-16".to_owned(), 40), ("2026-11-20".to_owned(), 3)]);
    assert_eq!(glm.samples.len(), 30);
    assert!(glm.samples.is_sorted_by_key(|sample| sample.at));
    let last = glm.samples.last().unwrap();
    assert_eq!((last.at, last.first_token_ms, last.warmth), (ago(HOUR), 350.0, Warmth::Warm));
    assert_eq!(glm.first_token_ms, Some(350.0));
    assert_eq!(glm.standing.as_deref(), Some("{}"));
    assert_eq!((kimi.week, kimi.week.share(), kimi.samples.len()), (Uptime::default(), None, 0));
}

#[tokio::test(flavor = "current_thread")]
async fn there_is_no_store_yet() {
    let place = tempfile::tempdir().unwrap();
    assert!(Reader::open(place.path()).await.unwrap().is_none());
    std::fs::write(files::database(place.path()), "").unwrap();
    assert!(Reader::open(place.path()).await.unwrap().is_none(), "it is being made");
}
