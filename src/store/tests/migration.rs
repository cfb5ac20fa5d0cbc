//! An older store becomes a newer one; a newer one is left alone.

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions, Connection};

use super::super::*;
use super::*;

/// A store as its first version made it, written out so that no later change of the program changes it.
const V1: [&str; 8] = [
    "CREATE TABLE outcomes (
        target TEXT NOT NULL, at_ms BIGINT NOT NULL, id BIGINT NOT NULL,
        provider TEXT NOT NULL, model TEXT NOT NULL, depth TEXT NOT NULL, stage TEXT NOT NULL,
        verdict TEXT NOT NULL, warmth TEXT NOT NULL, code TEXT, run_id TEXT NOT NULL,
        first_token_ms DOUBLE PRECISION, total_ms DOUBLE PRECISION NOT NULL, attempts BIGINT NOT NULL,
        record TEXT NOT NULL,
        PRIMARY KEY (target, at_ms, id))",
    "CREATE INDEX outcomes_at ON outcomes (at_ms)",
    "CREATE TABLE flips (
        at_ms BIGINT NOT NULL, id BIGINT NOT NULL, target TEXT NOT NULL,
        was TEXT NOT NULL, became TEXT NOT NULL, code TEXT, run_id TEXT NOT NULL,
        PRIMARY KEY (at_ms, id))",
    "CREATE INDEX flips_target ON flips (target, at_ms)",
    "CREATE TABLE states (kind TEXT NOT NULL, name TEXT NOT NULL, json TEXT NOT NULL, PRIMARY KEY (kind, name))",
    "INSERT INTO states VALUES ('standing', 'glm', '{}')",
    "CREATE TABLE schema_version (version BIGINT NOT NULL)",
    "INSERT INTO schema_version VALUES (1)",
];

const V1_OUTCOME: &str =
    "INSERT INTO outcomes VALUES ('glm', $1, $2, 'synthetic', 'm', 'warm', 'warm', 'ready', 'warm',
    NULL, 'run', 350.0, 612.0, 1, $3)";

async fn connect(directory: &Path) -> SqliteConnection {
    std::fs::create_dir_all(directory).unwrap();
    let options = SqliteConnectOptions::new().filename(files::database(directory)).create_if_missing(true);
    options.disable_statement_logging().connect().await.unwrap()
}

#[tokio::test(flavor = "current_thread")]
async fn a_store_of_the_first_version_is_brought_up_to_date() {
    let place = tempfile::tempdir().unwrap();
    let mut connection = connect(place.path()).await;
    for sql in V1 {
        sqlx::query(sql).execute(&mut connection).await.unwrap();
    }
    for (id, seconds) in [(1, 7200), (2, 60), (3, 30)] {
        let entry = ready("glm", seconds);
        let record = serde_json::to_string(&entry.record).unwrap();
        let row = sqlx::query(V1_OUTCOME).bind(entry.at.as_millisecond()).bind(id).bind(record);
        row.execute(&mut connection).await.unwrap();
    }
    connection.close().await.unwrap();
    let error = Reader::open(place.path()).await.unwrap_err();
    assert!(matches!(error, StoreError::TooOld { found: 1, .. }), "{error}");

    let store = open(place.path()).await;
    assert_eq!(store.opened(), &Opened::default());
    store.append(vec![failed("glm", 10)]).await.unwrap();
    let reader = reader(place.path()).await;
    let [glm] = &reader.summaries(now()).await.unwrap()[..] else { panic!() };
    assert_eq!(glm.day, Uptime { good: 3, bad: 1, unknown: 0 });
    assert_eq!((glm.latest.at, glm.samples.len(), glm.standing.as_deref()), (ago(10), 3, Some("{}")));
    // What the old records tell; they know of no price.
    let spent = Spent { warm_ups: 3, input_tokens: Some(27), output_tokens: Some(48), ..Spent::default() };
    assert_eq!(glm.spent, SpentLately { day: spent, week: spent });
    assert_eq!(reader.verify().await.unwrap(), Vec::<String>::new());
    store.close().await;
    open(place.path()).await.close().await;
}

#[tokio::test(flavor = "current_thread")]
async fn old_hours_are_filled_however_many_outcomes_there_are() {
    const NUMBER: i64 = 2_345;
    let place = tempfile::tempdir().unwrap();
    let mut connection = connect(place.path()).await;
    for sql in V1.iter().chain(&["BEGIN"]) {
        sqlx::query(*sql).execute(&mut connection).await.unwrap();
    }
    let record = serde_json::to_string(&ready("glm", 0).record).unwrap();
    for id in 0..NUMBER {
        let at = ago(id * 3).as_millisecond();
        // One that nobody can read costs nothing.
        let record = if id == 7 { "{" } else { &record };
        sqlx::query(V1_OUTCOME).bind(at).bind(id).bind(record).execute(&mut connection).await.unwrap();
    }
    sqlx::query("COMMIT").execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    open(place.path()).await.close().await;
    let spent = reader(place.path()).await.spent("glm", now()).await.unwrap().week;
    let number = u64::try_from(NUMBER - 1).unwrap();
    assert_eq!((spent.warm_ups, spent.input_tokens, spent.price_requests), (number, Some(9 * number), None));
}

#[tokio::test(flavor = "current_thread")]
async fn a_newer_store_is_not_touched() {
    let place = tempfile::tempdir().unwrap();
    open(place.path()).await.close().await;
    let mut connection = connect(place.path()).await;
    sqlx::query("UPDATE schema_version SET version = 99").execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    let database = files::database(place.path());
    let before = std::fs::read(&database).unwrap();
    let error = Store::open(place.path(), NO_PATIENCE, now()).await.unwrap_err();
    assert!(matches!(error, StoreError::TooNew { found: 99, .. }), "{error}");
    assert!(error.to_string().contains("use the newer pilotlight"), "{error}");
    let error = Reader::open(place.path()).await.unwrap_err();
    assert!(matches!(error, StoreError::TooNew { found: 99, .. }), "{error}");
    assert!(std::fs::read(&database).unwrap() == before, "not a byte");
}

#[tokio::test(flavor = "current_thread")]
async fn a_migration_that_was_cut_off_is_done_again() {
    let place = tempfile::tempdir().unwrap();
    let mut connection = connect(place.path()).await;
    for sql in V1 {
        sqlx::query(sql).execute(&mut connection).await.unwrap();
    }
    // In the way of the second step's last statement.
    sqlx::query("CREATE INDEX outcomes_first_token ON flips (code)").execute(&mut connection).await.unwrap();
    Store::open(place.path(), NO_PATIENCE, now()).await.unwrap_err();
    assert_eq!(schema::version(&mut connection).await.unwrap(), 1, "all of a step, or none");
    sqlx::query("DROP INDEX outcomes_first_token").execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    open(place.path()).await.append(vec![ready("glm", 1)]).await.unwrap();
}
