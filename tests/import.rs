//! Importing what exists, with the release binary: from another tool's files to a diagnosis, and to a file that loads.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::scenarios::Sim;

const KEY: &str = "syn_hunter2hunter2";

/// A folder in which commands are run with no more of an environment than is given.
pub(crate) struct Place(TempDir);

pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    pub(crate) fn command(&self, args: &[&str], variables: &[(&str, &str)]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pilotlight"));
        command
            .args(args)
            .current_dir(&self.0)
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("XDG_CONFIG_HOME", self.path("xdg"))
            .env("STATE_DIRECTORY", self.path("state"))
            .envs(variables.iter().copied())
            .stdin(Stdio::null());
        command
    }

    pub(crate) fn run(&self, args: &[&str], variables: &[(&str, &str)]) -> Ran {
        let output = self.command(args, variables).output().unwrap();
        let ran = Ran {
            code: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        };
        assert!(!ran.out.contains("unter2") && !ran.err.contains("unter2"), "a key was shown: {}{}", ran.out, ran.err);
        ran
    }
}

/// A provider with one model and one account.
pub(crate) fn provider() -> Sim {
    let model = json!({ "id": "hf:zai-org/GLM-4.6", "first_token": "1ms", "tokens": 2 });
    let other = json!({ "id": "hf:zai-org/GLM-4.7-Flash", "first_token": "1ms", "tokens": 2 });
    Sim::start(&json!({ "flavour": "openai", "models": [model, other], "accounts": [{ "key": KEY }] }), 1.0)
}

fn kodus(sim: &Sim, model: &str, key: &str) -> String {
    let url = &sim.doors["plain"];
    format!(
        "API_NODE_ENV=production\nAPI_PG_DB_PASSWORD='hunter2'\nAPI_LLM_PROVIDER_MODEL=\"{model}\"\n\
         API_OPENAI_FORCE_BASE_URL=\"{url}/v1\"\nAPI_OPEN_AI_API_KEY={key}\n"
    )
}

#[track_caller]
fn report(ran: &Ran) -> Value {
    serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {}{}", ran.out, ran.err))
}

#[test]
fn from_a_kodus_env_to_a_diagnosis_in_one_command() {
    let sim = provider();
    let place = Place::new();
    for (model, key, code, diagnosis) in [
        ("hf:zai-org/GLM-4.6", KEY, 0, Value::Null),
        ("hf:zai-org/GLM-4.6", "syn_hunter2wrong", 11, json!("key-refused")),
        ("zai-org/GLM-4.6", KEY, 12, json!("model-not-found")),
        ("hf:zai-org/GLM-4.6", "", 11, json!("credential-missing")),
    ] {
        place.write(".env", &kodus(&sim, model, key));
        let ran = place.run(&["check", "--from", "kodus:.env", "--format", "json", "--log-level", "off"], &[]);
        assert_eq!((ran.code, &report(&ran)["results"][0]["code"]), (code, &diagnosis), "{}", ran.err);
        assert!(ran.err.contains("note: .env:3: API_LLM_PROVIDER_MODEL is in quotes"), "{}", ran.err);
        assert!(ran.err.contains("(line 4 alike)"), "{}", ran.err);
        assert!(ran.err.contains("1 more line is odd"), "not those of other variables: {}", ran.err);
    }
    let ran = place.run(&["--env-file", ".env", "check", "--from", "kodus:.env", "--depth", "auth"], &[]);
    assert_eq!(ran.err.matches(".env:3: API_LLM_PROVIDER_MODEL is in quotes").count(), 1, "{}", ran.err);
    // A variable of the process counts for more than the file.
    place.write(".env", &kodus(&sim, "hf:zai-org/GLM-4.6", "syn_hunter2wrong"));
    let ran = place.run(&["check", "--from", "kodus", "--format", "json"], &[("API_OPEN_AI_API_KEY", KEY)]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.err.contains(".env:5: API_OPEN_AI_API_KEY is set in the environment too"), "{}", ran.err);
}

#[test]
fn what_is_wrong_in_a_source_has_its_line() {
    let place = Place::new();
    place.write(
        ".env",
        "A=1\nAPI_LLM_PROVIDER_MODEL=x\nAPI_OPENAI_FORCE_BASE_URL=https://h.example/v1/chat/completions\n",
    );
    for args in [["check", "--from", "kodus:.env"], ["import", "kodus", ".env"]] {
        let ran = place.run(&args, &[]);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{}", ran.err);
        assert!(ran.err.contains(".env:3: not mapped: API_OPENAI_FORCE_BASE_URL"), "{}", ran.err);
        assert!(ran.err.contains("write https://h.example/v1"), "{}", ran.err);
    }
    let ran = place.run(&["check", "--from", "kodus:none.env"], &[]);
    assert!(ran.code == 2 && ran.err.contains("failed to read the variables of none.env"), "{}", ran.err);
    let ran = place.run(&["check", "--from", "mesrai:.env"], &[]);
    assert!(ran.code == 2 && ran.err.contains("kodus:.env, litellm:config.yaml or env"), "{}", ran.err);
    let ran = place.run(&["--config", "x.yaml", "check", "--from", "env"], &[]);
    assert!(ran.code == 2 && ran.err.contains("two configurations"), "{}", ran.err);
    place.write("config.yaml", "model_list:\n  - a: 'x\n");
    let ran = place.run(&["check", "--from", "litellm"], &[]);
    assert!(ran.code == 2 && ran.err.contains("config.yaml:"), "{}", ran.err);
}

#[test]
fn an_import_is_a_file_that_is_checked_with_it() {
    let sim = provider();
    let place = Place::new();
    place.write(".env", &kodus(&sim, "hf:zai-org/GLM-4.6", KEY));
    let ran = place.run(&["import", "kodus", ".env", "--output", "probes.yaml"], &[]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.err.contains("is the target `glm-4.6`"), "{}", ran.err);
    assert!(ran.err.contains("Next: pilotlight --env-file .env check"), "{}", ran.err);
    let text = fs::read_to_string(place.path("probes.yaml")).unwrap();
    assert!(text.contains("pilotlight --env-file .env check") && !text.contains("hunter2"), "{text}");
    let ran = place.run(&["--env-file", ".env", "check", "--format", "json"], &[]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert_eq!(place.run(&["config", "validate"], &[]).code, 0);
    // Nothing is replaced unasked.
    let ran = place.run(&["import", "kodus", ".env", "-o", "probes.yaml"], &[]);
    assert!(ran.code == 2 && ran.err.contains("--force"), "{}", ran.err);
    assert_eq!(fs::read_to_string(place.path("probes.yaml")).unwrap(), text);
    assert_eq!(place.run(&["import", "kodus", "-o", "probes.yaml", "--force"], &[]).code, 0);
    // Standard output has the file alone.
    assert_eq!(place.run(&["import", "kodus"], &[]).out, text);
}

#[test]
fn a_litellm_list_is_probed_deployment_by_deployment() {
    let sim = provider();
    let url = &sim.doors["plain"];
    let place = Place::new();
    place.write(
        "config.yaml",
        &format!(
            "model_list:\n\
             - {{ model_name: glm, litellm_params: {{ model: 'openai/hf:zai-org/GLM-4.6', api_base: '{url}/v1', api_key: os.environ/KEY }} }}\n\
             - {{ model_name: glm, litellm_params: {{ model: 'openai/hf:zai-org/GLM-4.6', api_base: os.environ/BASE, api_key: os.environ/WRONG }} }}\n\
             - {{ model_name: aws, litellm_params: {{ model: bedrock/x }} }}\n"
        ),
    );
    let base = format!("{url}/v1");
    let variables = [("KEY", KEY), ("WRONG", "syn_hunter2wrong"), ("BASE", base.as_str())];
    let ran = place.run(&["check", "--from", "litellm:config.yaml", "--format", "json"], &variables);
    assert_eq!(ran.code, 11, "{}", ran.err);
    let codes: Vec<Value> =
        report(&ran)["results"].as_array().unwrap().iter().map(|result| result["code"].clone()).collect();
    assert!(codes.contains(&Value::Null) && codes.contains(&json!("key-refused")), "{codes:?}");
    assert!(ran.err.contains("config.yaml:4: not mapped: `aws`: `bedrock` signs each request"), "{}", ran.err);

    let ran = place.run(&["import", "litellm"], &variables);
    assert!(ran.code == 0 && ran.out.contains("glm: { any: [glm, glm-2] }"), "{}{}", ran.out, ran.err);
}

#[test]
fn keys_that_are_set_are_checked_without_a_model() {
    let sim = provider();
    let url = format!("{}/v1", sim.doors["plain"]);
    let place = Place::new();
    for (key, code) in [(KEY, 0), ("syn_hunter2wrong", 11)] {
        let variables = [("OPENAI_API_KEY", key), ("OPENAI_BASE_URL", url.as_str())];
        let ran = place.run(&["check", "--from", "env", "--format", "json"], &variables);
        assert_eq!(ran.code, code, "{}{}", ran.out, ran.err);
        let ran = place.run(&["check", "--from", "env", "--depth", "warm"], &variables);
        assert!(ran.code == 2 && ran.err.contains("no model is named for openai"), "{}", ran.err);
        let ran = place.run(&["import", "env"], &variables);
        assert!(ran.code == 2 && ran.err.contains("no model is named for"), "{}", ran.err);
        let ran = place.run(&["import", "env", "--online"], &variables);
        assert_eq!(ran.code, if code == 0 { 0 } else { 2 }, "{}", ran.err);
        assert_eq!(ran.out.contains("model: \"hf:zai-org/GLM-4.6\""), code == 0, "{}", ran.out);
    }
    assert_eq!(sim.admin("GET", "/_sim/counts")["generations"], json!(0), "none of it costs anything");
    let login = [("OPENAI_API_KEY", KEY), ("OPENAI_BASE_URL", "https://me:hunter2@llm.example/v1")];
    let ran = place.run(&["import", "env", "--model", "openai=m"], &login);
    assert!(ran.code == 2 && ran.err.contains("not mapped: OPENAI_BASE_URL: "), "{}", ran.err);
    let ran = place.run(&["import", "env"], &[]);
    assert!(ran.code == 2 && ran.err.contains("looked for") && ran.err.contains("SYNTHETIC_API_KEY"), "{}", ran.err);
}

#[test]
fn a_first_file_is_written_by_arguments() {
    let place = Place::new();
    let args = ["init", "--provider", "synthetic", "--model", "syn:large:text", "--model", "syn:small:text"];
    let ran = place.run(&[args.as_slice(), &["--warm", "Mon-Fri 08:00-19:00", "--timezone", "UTC"]].concat(), &[]);
    assert_eq!((ran.code, ran.out.as_str()), (0, ""), "{}", ran.err);
    assert!(
        ran.err.contains("SYNTHETIC_API_KEY: it is not set") && ran.err.contains("Next: pilotlight check"),
        "{}",
        ran.err
    );
    let ran = place.run(&["config", "validate"], &[]);
    assert!(ran.code == 0 && ran.out.contains("is valid: 2 targets at 1 provider"), "{}{}", ran.out, ran.err);
    let ran = place.run(&args, &[]);
    assert!(ran.code == 2 && ran.err.contains("is there already"), "{}", ran.err);

    // Nobody to ask and nothing said: the file that is shipped.
    let ran = place.run(&["init", "-o", "shipped.yaml"], &[]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert_eq!(fs::read_to_string(place.path("shipped.yaml")).unwrap(), include_str!("../probes.yaml"));
    for args in [
        &["--provider", "synthetic"][..],
        &["--provider", "nobody", "--model", "m"],
        &["--provider", "openai-compatible", "--model", "m"],
    ] {
        let ran = place.run(&[&["init", "-o", "x.yaml"], args].concat(), &[]);
        assert!(ran.code == 2 && !place.path("x.yaml").exists(), "{}", ran.err);
    }
}

#[test]
fn a_key_in_place_of_its_variable_is_refused_and_not_repeated() {
    let place = Place::new();
    place.write("l.yaml", "model_list: [{ model_name: a, litellm_params: { model: openai/a } }]\n");
    for key in ["sk-hunter2hunter2", "syn_hunter2hunter2hunter2"] {
        for args in [
            &["import", "litellm", "l.yaml", "--through", "http://localhost:4000", "--key-env", key][..],
            &["init", "-o", "x.yaml", "--key-env", key],
            &["models", "https://llm.example/v1", "--key-env", key],
        ] {
            let ran = place.run(args, &[]);
            assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{}", ran.err);
            assert!(ran.err.contains("variable"), "{}", ran.err);
        }
    }
    // What is said and cannot be used is not passed over.
    for args in [["--key-env", "FOO"], ["--warm", "Mon-Fri 08:00-19:00"]] {
        let ran = place.run(&[&["init", "-o", "x.yaml"][..], &args].concat(), &[]);
        assert!(ran.code == 2 && ran.err.contains("give both --provider and --model"), "{}", ran.err);
        assert!(!place.path("x.yaml").exists());
    }
}

/// Says why a test was not run.
#[expect(clippy::print_stdout, reason = "a test that says nothing looks like one that passed")]
fn skipped(why: &str) {
    println!("skipped: {why}");
}

/// Sends keys to a pane of tmux and reads it, without waiting for real time.
struct Pane(PathBuf);

impl Pane {
    fn tmux(&self, args: &[&str]) -> String {
        let output = Command::new("tmux").arg("-S").arg(&self.0).args(args).output().unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// What the pane shows once it has a text in it; it has it within moments, or the test fails.
    #[track_caller]
    fn until(&self, text: &str) -> String {
        let mut shown = String::new();
        for _ in 0..4000 {
            shown = self.tmux(&["capture-pane", "-p", "-J", "-S", "-200"]);
            if shown.contains(text) {
                return shown;
            }
        }
        panic!("never `{text}`: {shown}");
    }
}

impl Drop for Pane {
    fn drop(&mut self) {
        self.tmux(&["kill-server"]);
    }
}

#[test]
fn on_a_terminal_init_asks_and_offers_the_live_list() {
    if Command::new("tmux").arg("-V").output().is_err() {
        return skipped("tmux is not installed");
    }
    let sim = provider();
    let place = Place::new();
    let pane = Pane(place.path("tmux.socket"));
    let command = format!(
        "env -i PATH=/usr/bin:/bin TERM=dumb KEY={KEY} STATE_DIRECTORY={} {} init",
        place.path("state").display(),
        env!("CARGO_BIN_EXE_pilotlight")
    );
    let folder = place.path("");
    pane.tmux(&["-f", "/dev/null", "new-session", "-d", "-x", "120", "-y", "60", "-c", folder.to_str().unwrap(), "sh"]);
    pane.tmux(&["send-keys", "-l", &command]);
    pane.tmux(&["send-keys", "Enter"]);
    let url = format!("{}/v1", sim.doors["plain"]);
    for (question, answer) in [
        ("number or name:", "openai-compatible"),
        ("base URL, as for its SDK", url.as_str()),
        ("variable with the key [none]:", "KEY"),
        ("word to filter by:", "flash"),
        ("1   hf:zai-org/GLM-4.7-Flash", "1"),
        ("[no more]:", ""),
        ("[no schedule]:", ""),
    ] {
        pane.until(question);
        pane.tmux(&["send-keys", "-l", answer]);
        pane.tmux(&["send-keys", "Enter"]);
    }
    let shown = pane.until("Next: pilotlight check");
    assert!(shown.contains("2 models are listed") && shown.contains("KEY is set"), "{shown}");
    let ran = place.run(&["check", "--format", "json"], &[("KEY", KEY)]);
    assert_eq!(
        (ran.code, &report(&ran)["results"][0]["model"]),
        (0, &json!("hf:zai-org/GLM-4.7-Flash")),
        "{}",
        ran.err
    );
}

/// The real LiteLLM proxy with models that it answers itself: import its list, then probe through it.
#[test]
fn the_real_litellm_proxy_is_a_provider() {
    if Command::new("litellm").arg("--version").output().is_err() {
        return skipped("there is no `litellm` in the path (pip install 'litellm[proxy]')");
    }
    let place = Place::new();
    place.write(
        "config.yaml",
        "model_list:\n\
         - { model_name: mock-gpt, litellm_params: { model: openai/mock, api_key: x, mock_response: hello } }\n\
         - { model_name: mock-claude, litellm_params: { model: anthropic/mock, api_key: x, mock_response: hi } }\n\
         general_settings: { master_key: os.environ/LITELLM_MASTER_KEY }\n",
    );
    let proxy = Proxy::start(&place.path("config.yaml"));
    let through = ["import", "litellm", "--through", proxy.url.as_str(), "-o", "probes.yaml"];
    let ran = place.run(&through, &[]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    for (key, code) in [("sk-hunter2-master", 0), ("sk-hunter2-wrong", 11)] {
        let ran = place.run(&["check", "--format", "json"], &[("LITELLM_MASTER_KEY", key)]);
        assert_eq!(ran.code, code, "{}{}", ran.out, ran.err);
        let ran = place.run(&["models", "litellm"], &[("LITELLM_MASTER_KEY", key)]);
        assert_eq!((ran.code, ran.out.contains("mock-claude")), (code, code == 0), "{}{}", ran.out, ran.err);
    }
}

struct Proxy {
    child: std::process::Child,
    url: String,
}

impl Proxy {
    /// Starts it, and waits until it says that it listens.
    fn start(config: &Path) -> Self {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let mut child = Command::new("litellm")
            .args(["--host", "127.0.0.1", "--port", &port.to_string(), "--config"])
            .arg(config)
            .env("LITELLM_MASTER_KEY", "sk-hunter2-master")
            .env("LITELLM_LOCAL_MODEL_COST_MAP", "True")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = std::io::BufRead::lines(std::io::BufReader::new(child.stderr.take().unwrap()));
        assert!(lines.any(|line| line.is_ok_and(|line| line.contains("Uvicorn running"))), "it ended");
        // Whatever else it says has to go somewhere.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, url: format!("http://127.0.0.1:{port}") }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
