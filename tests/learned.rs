//! `pilotlight learned` and `pilotlight replay --target` with the binary, beside a store that is being written; and the
//! examples of docs/learning.md.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use pilotlight::probe::clock::Clock;
use pilotlight::run::SystemClock;
use pilotlight::store::{Reader, StateKind, Store};
use pilotlight::warmth::{Filter, Hours, Keeper, Moment, Observation, Reply, Settings, Sight, Span, Visibility};
use serde_json::{Value, json};
use sqlx::Connection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};

use crate::replay::fits;

const LLM: &str = "hf:zai-org/GLM-4.6 at https://api.synthetic.new/openai/v1";

fn command(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pilotlight"));
    command.args(args).current_dir(folder).env_clear().env("PILOTLIGHT_STATE_DIR", "state").stdin(Stdio::null());
    command
}

fn run(folder: &Path, args: &[&str]) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } = command(folder, args).output().unwrap();
    (status.code(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

/// What a model with an idle timeout of 15 minutes and cold starts of half a minute teaches in some 60 warm-ups, the
/// last one 100 seconds ago.
fn history() -> (Keeper, Vec<Observation>) {
    const TIMEOUT: f64 = 900.0;
    let settings = Settings::default();
    let mut planner = Keeper::new(settings);
    let (mut at, mut gap) = (0.0, None);
    let mut history = Vec::new();
    for number in 0..60 {
        let cold = gap.is_none_or(|gap: f64| gap > TIMEOUT);
        let jitter = 0.8 + f64::from(number * 7 % 11) / 20.0;
        let took = if cold { 26.0 * jitter } else { 0.35 * jitter };
        at += gap.unwrap_or(0.0) + took;
        history.push(Observation {
            at: Moment::from_seconds(at),
            gap: gap.map(Span::from_seconds),
            slack: Span::ZERO,
            reply: Reply::FirstToken(Span::from_seconds(took)),
            sight: Sight::CounterStill,
            hours: Hours::Inside,
        });
        planner.observe(history.last().unwrap());
        gap = planner.answer(Moment::from_seconds(at)).next_gap.map(Span::seconds);
    }
    let last = f64::from(i32::try_from(SystemClock.wall().as_second()).unwrap()) - 100.0;
    for observation in &mut history {
        observation.at = Moment::from_seconds(observation.at.seconds() + last - at);
    }
    (Keeper::rebuild(settings, &history), history)
}

/// A store that knows of `glm` what [`history`] taught, and of `kimi` nothing but its name. It is still open.
async fn store(folder: &Path) -> (Store, Keeper, Vec<Observation>) {
    let state = folder.join("state");
    let store = Store::open(&state, Duration::from_secs(1), SystemClock.wall()).await.unwrap();
    let (keeper, history) = history();
    let kept = keeper.keep().replacen('{', r#"{"model":"hf:zai-org/GLM-4.6","#, 1);
    store.put_state(StateKind::Learned, "glm", &kept).await.unwrap();
    store.put_state(StateKind::Learned, "kimi", "{}").await.unwrap();
    let options = SqliteConnectOptions::new().filename(state.join("pilotlight.db"));
    let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
    for (id, observation) in (1_i64..).zip(&history) {
        #[expect(clippy::cast_possible_truncation, reason = "a time of today")]
        let at = (observation.at.seconds() * 1000.0) as i64;
        sqlx::query("INSERT INTO observations (target, at_ms, id, llm, json) VALUES ('glm', $1, $2, $3, $4)")
            .bind(at)
            .bind(id)
            .bind(LLM)
            .bind(serde_json::to_string(observation).unwrap())
            .execute(&mut connection)
            .await
            .unwrap();
    }
    connection.close().await.unwrap();
    (store, keeper, history)
}

/// A text in which every day and every time of day is the same, and nothing is told of how long ago or away they are.
fn timeless(text: &str) -> String {
    let is_time = |word: &str| matches!(word.len(), 8 | 10) && word.bytes().all(|byte| b"0123456789-:".contains(&byte));
    let word = |word: &str| if is_time(word) { "T".repeat(word.len()) } else { word.to_owned() };
    let line = |line: &str| {
        let kept = match line {
            gap if gap.starts_with("next gap") => gap.split(": due").next().unwrap_or_default(),
            used if used.starts_with("last use") => "last use",
            other => other,
        };
        kept.split(' ').map(word).collect::<Vec<_>>().join(" ") + "\n"
    };
    text.lines().map(line).collect()
}

#[tokio::test(flavor = "current_thread")]
async fn the_examples_of_the_manual_are_true() {
    let place = tempfile::tempdir().unwrap();
    let (_open, _, _) = store(place.path()).await;
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/learning.md");
    #[expect(clippy::disallowed_methods, reason = "the switch of a test is no setting of the program")]
    let update = std::env::var_os("UPDATE_DOCS").is_some();
    let mut manual = fs::read_to_string(&path).unwrap();
    let blocks: Vec<String> =
        manual.split("```console\n").skip(1).map(|block| block.split("```").next().unwrap().to_owned()).collect();
    assert!(blocks.len() >= 2, "{} examples", blocks.len());
    for block in blocks {
        let (first, expected) = block.split_once('\n').unwrap();
        let args: Vec<&str> = first.strip_prefix("$ pilotlight ").unwrap().split(' ').collect();
        let (code, out, err) = run(place.path(), &args);
        assert_eq!((code, err.as_str()), (Some(0), ""), "{first}");
        if !fits(&timeless(expected), &timeless(&out)) {
            assert!(update, "{first} gives\n{out}\nRun `UPDATE_DOCS=1 cargo test --release` and commit the result.");
            manual = manual.replace(&block, &format!("{first}\n{out}"));
        }
    }
    if update {
        fs::write(&path, manual).unwrap();
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_replayed_history_gives_the_same_belief_to_the_bit() {
    let place = tempfile::tempdir().unwrap();
    let (open, keeper, history) = store(place.path()).await;
    let reader = Reader::open(&place.path().join("state")).await.unwrap().unwrap();
    let stored = reader.observations("glm", None).await.unwrap();
    assert_eq!(stored, history);
    assert_eq!(open.observations("glm", None).await.unwrap(), history);
    let mut filter = Filter::new(Settings::default(), Visibility::Blind);
    let lines: String = stored.iter().map(|observation| filter.replay(observation) + "\n").collect();
    assert_eq!(filter.keeper(), &keeper, "belief, replies and counts");
    assert_eq!(filter.keeper().keep(), keeper.keep(), "as it is written down, three bytes a weight");

    let (code, replayed, err) = run(place.path(), &["replay", "--target", "glm"]);
    assert_eq!((code, err.as_str()), (Some(0), ""));
    assert_eq!(replayed, lines);

    // What `learned` lists is what the filter reads.
    let (_, document, _) = run(place.path(), &["learned", "glm", "--all", "--format", "json"]);
    let document: Value = serde_json::from_str(&document).unwrap();
    let events = document["observations"].as_array().unwrap().iter().rev();
    let events: String = events.map(|event| format!("{event}\n")).collect();
    let mut child = command(place.path(), &["replay"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || input.write_all(events.as_bytes()).unwrap());
    let answered = String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap();
    writer.join().unwrap();
    assert_eq!(answered, lines);
}

#[tokio::test(flavor = "current_thread")]
async fn what_is_shown_is_what_was_kept() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path();
    let (code, _, err) = run(folder, &["learned", "glm"]);
    assert!(code == Some(3) && err.contains("there is no history in state"), "{code:?} {err}");
    let (code, _, err) = run(folder, &["replay", "--target", "glm"]);
    assert!(code == Some(3) && err.contains("there is no history in state"), "{code:?} {err}");

    let (_open, keeper, history) = store(folder).await;
    let (code, out, err) = run(folder, &["learned", "glm", "--format", "json"]);
    assert_eq!((code, err.as_str()), (Some(0), ""));
    let document: Value = serde_json::from_str(&out).unwrap();
    let answer = keeper.answer(history.last().unwrap().at);
    assert_eq!(document["learned"], true);
    assert_eq!(document["model"], "hf:zai-org/GLM-4.6");
    assert_eq!(document["state"], "known");
    assert_eq!(document["says"], answer.says.to_string());
    assert_eq!(document["next_gap_s"].as_f64(), answer.next_gap.map(Span::seconds));
    assert_eq!(document["stored"], history.len());
    assert_eq!(document["observations"].as_array().unwrap().len(), 12);
    let (_, all, _) = run(folder, &["learned", "glm", "--all"]);
    assert!(!all.contains("--all") && !all.contains('\u{1b}'), "{all}");
    assert!(run(folder, &["learned", "glm", "--color", "always"]).1.contains('\u{1b}'));
    assert!(run(folder, &["learned", "glm"]).1.ends_with("48 older: --all\n"));

    let (code, out, _) = run(folder, &["learned", "kimi"]);
    assert_eq!(code, Some(0));
    assert!(out.starts_with("kimi: nothing is learned yet"), "{out}");
    let (code, out, err) = run(folder, &["replay", "--target", "kimi"]);
    assert_eq!((code, out.as_str(), err.as_str()), (Some(0), "", "nothing is stored of kimi that a warm-up taught\n"));
    for args in [["learned", "gml"].as_slice(), &["replay", "--target", "gml"]] {
        let (code, out, err) = run(folder, args);
        assert_eq!((code, out.as_str()), (Some(2), ""));
        assert_eq!(err, "error: there is no target `gml`; did you mean `glm`? Targets: glm, kimi\n");
    }
    assert_eq!(run(folder, &["replay", "--target", "glm", "--visibility", "blind"]).0, Some(2));

    // With a configuration it is told what to do, and what no longer holds.
    let warm = |every: &str| json!({ "every": every });
    let targets = json!([
        { "name": "kimi", "provider": "p", "model": "k", "warm": warm("auto") },
        { "name": "qwen", "provider": "p", "model": "q", "warm": warm("10m") },
        { "name": "glm", "provider": "p", "model": "GLM-5", "warm": warm("auto") },
    ]);
    let provider = json!({ "dialect": "openai", "base_url": "http://127.0.0.1:1/v1", "api_key": "none" });
    let probes = json!({ "version": 1, "providers": { "p": provider }, "targets": targets });
    fs::write(folder.join("probes.yaml"), probes.to_string()).unwrap();
    assert!(run(folder, &["learned", "kimi"]).1.contains("Its first warm-up by `pilotlight run` begins it"));
    assert!(run(folder, &["learned", "qwen"]).1.contains("Set `warm: { every: auto }` for it in probes.yaml"));
    let out = run(folder, &["learned", "glm"]).1;
    let words: Vec<&str> = out.split_whitespace().collect();
    let note =
        "note: this was learned of hf:zai-org/GLM-4.6; probes.yaml names GLM-5 now, of which nothing is learned yet";
    assert!(words.join(" ").ends_with(note), "{out}");
}
