//! What was learned is kept with the outcome, in a ring, and of one LLM at a time.

use super::super::*;
use super::*;
use crate::warmth::{HISTORY, Hours, Moment, Observation, Reply, Sight, Span};

fn observation(number: u32) -> Observation {
    Observation {
        at: Moment::from_seconds(f64::from(number)),
        gap: (number > 0).then(|| Span::from_seconds(600.0)),
        slack: Span::ZERO,
        reply: Reply::FirstToken(Span::from_seconds(0.35)),
        sight: Sight::CounterStill,
        hours: Hours::Inside,
    }
}

fn taught(target: &str, llm: &str, number: u32) -> Entry {
    let observed = Some(Observed { llm: llm.to_owned(), observation: observation(number) });
    let learned = Some(Learned { kept: format!("{{\"number\":{number}}}"), observed });
    Entry { learned, ..ready(target, 10_000 - i64::from(number)) }
}

#[tokio::test(flavor = "current_thread")]
async fn an_observation_lands_with_its_outcome_and_reads_back_to_the_bit() {
    let place = tempfile::tempdir().unwrap();
    let store = open(place.path()).await;
    store.append((0..3).map(|number| taught("glm", "one", number)).collect()).await.unwrap();
    let expected: Vec<Observation> = (0..3).map(observation).collect();
    assert_eq!(store.observations("glm", None).await.unwrap(), expected);
    let reader = reader(place.path()).await;
    assert_eq!(reader.observations("glm", None).await.unwrap(), expected);
    assert_eq!(reader.observations("kimi", None).await.unwrap(), []);
    let kept = reader.states(StateKind::Learned).await.unwrap();
    assert_eq!(kept, [("glm".to_owned(), "{\"number\":2}".to_owned())]);
}

#[tokio::test(flavor = "current_thread")]
async fn of_another_llm_under_the_same_name_nothing_is_told() {
    let place = tempfile::tempdir().unwrap();
    let store = open(place.path()).await;
    let entries = [("one", 0), ("one", 1), ("two", 2), ("two", 3)];
    store.append(entries.map(|(llm, number)| taught("glm", llm, number)).into()).await.unwrap();
    assert_eq!(store.observations("glm", None).await.unwrap(), [observation(2), observation(3)]);
    // What was kept may be of the one before, and its observations are asked for then.
    assert_eq!(store.observations("glm", Some("one")).await.unwrap(), [observation(0), observation(1)]);
    assert_eq!(store.observations("glm", Some("three")).await.unwrap(), []);
    // Two targets of one LLM have learned together.
    store.append(vec![taught("kimi", "two", 4)]).await.unwrap();
    for target in ["glm", "kimi"] {
        let together = store.observations(target, None).await.unwrap();
        assert_eq!(together, [observation(2), observation(3), observation(4)], "{target}");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn the_ring_keeps_the_last_few_hundred_of_each_target() {
    let place = tempfile::tempdir().unwrap();
    let store = open(place.path()).await;
    let most = u32::try_from(HISTORY).unwrap();
    store.append((0..most + 20).map(|number| taught("glm", "one", number)).collect()).await.unwrap();
    store.append((0..5).map(|number| taught("kimi", "other", number)).collect()).await.unwrap();
    store.sweep(AMPLE, now()).await.unwrap();
    let kept = store.observations("glm", None).await.unwrap();
    assert_eq!((kept.len(), kept[0]), (HISTORY, observation(20)));
    assert_eq!(store.observations("kimi", None).await.unwrap().len(), 5);
    let mut hand = store.hand().await;
    let (rows,): (i64,) =
        sqlx::query_as("SELECT COUNT(*) FROM observations").fetch_one(&mut hand.connection).await.unwrap();
    assert_eq!(rows, i64::from(most) + 5, "the others are gone from the disk too");
}

#[tokio::test(flavor = "current_thread")]
async fn a_target_whose_last_outcome_went_by_age_is_forgotten() {
    let place = tempfile::tempdir().unwrap();
    let store = open(place.path()).await;
    store.append(vec![taught("glm", "one", 0)]).await.unwrap();
    let brief = Retention { age: Duration::from_secs(3600), ..AMPLE };
    store.sweep(brief, now()).await.unwrap();
    assert_eq!(store.observations("glm", None).await.unwrap(), []);
}
