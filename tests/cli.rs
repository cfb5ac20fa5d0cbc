//! The release binary at its edges: what is refused, how it is said, and what must never be shown.
//!
//! Nothing here probes anything; `scenarios.rs` does.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// Two providers, four targets, and secrets where they may stand.
const PROBES: &str = "\
version: 1
providers:
  local:
    dialect: openai
    base_url: http://127.0.0.1:1/v1
    api_key: hunter2-literal
    headers: { x-team: hunter2-header, x-token: { env: TEAM_TOKEN } }
  ollama: { preset: ollama, base_url: 'http://127.0.0.1:1', api_key: { command: [echo, hunter2-argument] } }
targets:
  - { name: glm, provider: local, model: m1 }
  - { name: flash, provider: local, model: m2 }
  - { name: gpt, provider: local, model: m3 }
  - { name: qwen, provider: ollama, model: m4 }
";

/// A folder with a probes.yaml, in which commands are run with an environment of nothing but a path.
struct Place(TempDir);

struct Ran {
    code: i32,
    out: String,
    err: String,
}

impl Place {
    fn new(probes: &str) -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        fs::write(place.path("probes.yaml"), probes).unwrap();
        place
    }

    fn empty() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pilotlight"));
        command.args(args).current_dir(&self.0).env_clear().env("TEAM_TOKEN", "hunter2-variable");
        command
            .env("PATH", "/usr/bin:/bin")
            .env("XDG_CONFIG_HOME", self.path("xdg"))
            .env("STATE_DIRECTORY", self.path("state"));
        command
    }

    fn run(&self, args: &[&str]) -> Ran {
        ran(&mut self.command(args))
    }

    /// What a usage error says. It is told on standard error, with exit 2.
    #[track_caller]
    fn refused(&self, args: &[&str]) -> String {
        let ran = self.run(args);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{args:?}: {}", ran.err);
        ran.err
    }
}

fn ran(command: &mut Command) -> Ran {
    let output = command.stdin(Stdio::null()).output().unwrap();
    Ran {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

#[test]
fn an_unknown_target_is_named_with_the_nearest() {
    let place = Place::new(PROBES);
    assert_eq!(
        place.refused(&["check", "flsh"]),
        "error: there is no target `flsh`; did you mean `flash`? Targets: glm, flash, gpt, qwen\n"
    );
    assert_eq!(
        place.refused(&["check", "--provider", "nobody"]),
        "error: there is no provider `nobody`. Providers: local, ollama\n"
    );
}

#[test]
fn a_duration_needs_a_unit() {
    let err = Place::new(PROBES).refused(&["check", "--timeout", "90"]);
    assert!(err.contains("`90` is not a duration; write a number with a unit, as in 90s or 2m30s"), "{err}");
}

#[test]
fn where_there_is_no_configuration_the_places_are_told() {
    let place = Place::empty();
    let err = place.refused(&["check"]);
    assert!(err.starts_with("error: there is no probes.yaml; looked for\n"), "{err}");
    for line in [
        "  probes.yaml (the current folder)\n".to_owned(),
        format!("  {} (your configuration folder)\n", place.path("xdg/pilotlight/probes.yaml").display()),
        "  /etc/pilotlight/probes.yaml (the system's)\n".to_owned(),
        "pilotlight demo".to_owned(),
    ] {
        assert!(err.contains(&line), "{line}\n{err}");
    }
}

#[test]
fn a_directory_is_no_configuration() {
    let place = Place::new(PROBES);
    let folder = place.0.path().to_str().unwrap();
    assert_eq!(
        place.refused(&["check", "--config", folder]),
        format!("error: {folder} (--config) is a directory; name the file in it: {folder}/probes.yaml\n")
    );
}

#[test]
fn a_misspelt_subcommand_has_a_nearest_one() {
    let err = Place::empty().refused(&["chekc"]);
    assert!(err.contains("unrecognized subcommand 'chekc'") && err.contains("'check'"), "{err}");
}

#[test]
fn a_name_given_twice_is_probed_once() {
    let place = Place::new(PROBES);
    let ran = place.run(&["check", "glm", "glm", "--depth", "connect", "--format", "json", "--log-level", "off"]);
    let report: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(report["results"].as_array().unwrap().len(), 1, "{}", ran.out);
    assert_eq!(ran.code, 10, "{}", ran.err);
}

#[test]
fn two_targets_of_one_name_are_a_mistake() {
    let place = Place::new(&PROBES.replace("name: flash", "name: glm"));
    let err = place.refused(&["check", "glm"]);
    assert!(err.contains("two targets are named `glm`") && err.contains("probes.yaml:11:"), "{err}");
}

#[test]
fn what_cannot_be_read_is_said_once_with_the_reason() {
    let place = Place::new(PROBES);
    assert_eq!(
        place.refused(&["check", "--env-file", "nowhere.env"]),
        "error: failed to read the variables of nowhere.env: No such file or directory (os error 2)\n"
    );
    fs::write(place.path("bad.env"), [0xff, 0xfe]).unwrap();
    assert_eq!(
        place.refused(&["check", "--env-file", "bad.env"]),
        "error: failed to read the variables of bad.env: it is not UTF-8 text\n"
    );
    fs::write(place.path("large.yaml"), vec![b'#'; 1024 * 1024 + 1]).unwrap();
    assert_eq!(
        place.refused(&["check", "-c", "large.yaml"]),
        "error: failed to read large.yaml: it is larger than 1048576 bytes\n"
    );
}

#[test]
fn an_absent_authority_is_a_mistake_with_its_line() {
    let place = Place::new(&PROBES.replace("    api_key: hunter2-literal\n", "    ca_file: absent.pem\n"));
    let err = place.refused(&["check"]);
    for part in ["error: there is no file `absent.pem`", "probes.yaml:6:14", "^^^^^^^^^^"] {
        assert!(err.contains(part), "{part}\n{err}");
    }
    fs::write(place.path("absent.pem"), "-----BEGIN CERTIFICATE-----\n").unwrap();
    assert_eq!(place.run(&["config", "validate"]).code, 0);
}

#[test]
fn every_mistake_is_told_in_one_run() {
    let text = "version: 1\nprovders:\n  p: { preset: opnai, concurency: 0 }\ntargets:\n  \
                - { nmae: t, provider: p, model: m, exepct: { frist_token: 10, stall: soon } }\n";
    let err = Place::new(text).refused(&["config", "validate"]);
    for part in [
        "no key `provders`",
        "no preset `opnai`",
        "no key `concurency`",
        "`concurrency` cannot be 0",
        "no key `nmae`",
        "no key `exepct`",
        "no key `frist_token`",
        "`10` has no unit",
        "`soon` is not a duration",
        "probes.yaml: 9 mistakes",
    ] {
        assert!(err.contains(part), "{part}\n{err}");
    }
}

#[test]
fn a_missing_key_is_missed_where_it_was_looked_for() {
    let remedy = |key: &str| {
        let place = Place::new(&PROBES.replace("hunter2-literal", key));
        let ran = place.run(&["check", "glm", "--depth", "auth", "--format", "json", "--log-level", "off"]);
        let report: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
        assert_eq!((ran.code, &report["results"][0]["code"]), (11, &"credential-missing".into()), "{}", ran.out);
        report["results"][0]["remedy"].as_str().unwrap().to_owned()
    };
    let env = remedy("{ env: A_KEY }");
    assert!(env.contains("the A_KEY of a shell is absent: use `api_key: { file: … }` or `--env-file`"), "{env}");
    // Who uses a file already needs no advice to use one.
    for key in ["{ file: absent.key }", "{ command: ['false'] }"] {
        let other = remedy(key);
        assert!(!other.contains("shell") && !other.contains("env-file"), "{other}");
    }
}

#[test]
fn a_code_is_found_however_it_is_spelt() {
    let place = Place::empty();
    for spelling in ["key-refused", "KEY_REFUSED", "key_refused", " Key-Refused "] {
        let ran = place.run(&["explain", spelling]);
        assert_eq!((ran.code, ran.out.lines().next()), (0, Some("key-refused")), "{spelling}: {}", ran.err);
    }
    assert_eq!(
        place.refused(&["explain", "KEY_REFUSD"]),
        "error: there is no code `KEY_REFUSD`; did you mean `key-refused`? `pilotlight explain` lists all.\n"
    );
    assert_eq!(
        place.refused(&["explain", "xyzzy"]),
        "error: there is no code `xyzzy`. `pilotlight explain` lists all.\n"
    );
}

#[test]
fn a_scenario_that_cannot_be_read_is_named() {
    let place = Place::empty();
    fs::write(place.path("s.yaml"), "flavour: openai\nmodls: []\n").unwrap();
    let err = place.refused(&["sim", "--scenario", "s.yaml"]);
    assert!(
        err.starts_with("error: failed to read the scenario s.yaml:2:1: unknown field `modls`; did you mean `models`?"),
        "{err}"
    );
    assert_eq!((err.lines().count(), err.matches("flavour").count()), (1, 1), "{err}");
}

#[test]
fn colour_is_as_asked_for() {
    let place = Place::new(PROBES);
    let arguments: [&[&str]; 3] = [&["check", "flsh"], &["chekc"], &["explain", "key-refused"]];
    for args in arguments {
        let text = |more: &[&str], variable: Option<&str>| {
            let mut command = place.command(args);
            command.args(more).envs(variable.map(|name| (name, "1")));
            let Ran { out, err, .. } = ran(&mut command);
            out + &err
        };
        assert!(!text(&[], None).contains('\u{1b}'), "{args:?}: a pipe is not coloured");
        assert!(!text(&["--color", "never"], None).contains('\u{1b}'), "{args:?}");
        assert!(!text(&["--color=never"], Some("CLICOLOR_FORCE")).contains('\u{1b}'), "{args:?}: asked for none");
        assert!(!text(&[], Some("NO_COLOR")).contains('\u{1b}'), "{args:?}");
        assert!(text(&["--color=always"], None).contains('\u{1b}'), "{args:?}: asked for");
        assert!(text(&[], Some("CLICOLOR_FORCE")).contains('\u{1b}'), "{args:?}: forced");
    }
}

#[test]
fn help_offers_only_levels_at_which_something_is_logged() {
    let help = Place::empty().run(&["check", "--help"]).out;
    assert!(help.contains("--log-level") && !help.contains("reqwest"), "{help}");
}

#[test]
fn completions_are_there_for_every_shell() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let ran = Place::empty().run(&["completions", shell]);
        assert!(ran.code == 0 && ran.out.contains("pilotlight") && ran.out.contains("depth"), "{shell}: {}", ran.err);
    }
}

#[test]
fn the_man_page_holds_every_option_of_every_subcommand() {
    let place = Place::empty();
    let page = place.run(&["man"]).out;
    let unescaped = page.replace("\\-", "-");
    let mut commands = vec![vec![]];
    while let Some(command) = commands.pop() {
        let mut args: Vec<&str> = command.iter().map(String::as_str).collect();
        args.push("--help");
        let help = place.run(&args).out;
        for word in help.split_whitespace().filter(|word| word.starts_with("--") && word.len() > 2) {
            let option = word.trim_end_matches([',', '.', ')']);
            assert!(unescaped.contains(option), "{option} of {command:?} is not in the page");
        }
        let listed = help.split("Commands:\n").nth(1).unwrap_or_default();
        for name in listed.lines().take_while(|line| line.starts_with("  ")).filter_map(|line| {
            let name = line.strip_prefix("  ")?.split(' ').next()?;
            (!name.is_empty() && name != "help").then_some(name)
        }) {
            commands.push(command.iter().cloned().chain([name.to_owned()]).collect());
        }
        if !command.is_empty() {
            let heading = format!("PILOTLIGHT {}", command.join(" ").to_uppercase());
            assert!(page.contains(&heading), "{heading}");
            let mut args = vec!["man"];
            args.extend(command.iter().map(String::as_str));
            let own = place.run(&args);
            assert!(own.code == 0 && own.out.contains(&format!("pilotlight-{}", command.join("-"))), "{args:?}");
        }
    }
    assert!(place.refused(&["man", "chekc"]).contains("there is no subcommand `chekc`"));

    assert_eq!(place.run(&["man", "--out", "pages/man1"]).code, 0);
    for name in ["pilotlight.1", "pilotlight-check.1", "pilotlight-config-validate.1", "pilotlight-sim.1"] {
        let page = fs::read_to_string(place.path("pages/man1").join(name)).unwrap();
        assert!(page.contains(".SH NAME"), "{name}");
    }
    let check = fs::read_to_string(place.path("pages/man1/pilotlight-check.1")).unwrap().replace("\\-", "-");
    assert!(check.contains("--attempts") && check.contains("--config"), "{check}");
}

#[test]
fn the_effective_configuration_shows_no_secret() {
    let place = Place::new(PROBES);
    let shown = place.run(&["config", "show"]);
    assert_eq!(shown.code, 0, "{}", shown.err);
    assert!(shown.out.contains("api_key: \"***\"") && shown.out.contains("\"x-team\": \"***\""), "{}", shown.out);
    assert!(!(shown.out + &shown.err).contains("unter2"));
    // Nor does a mistake beside one, however the section is spelt.
    for probes in [
        PROBES.replace("headers: {", "haeders: { colour: 1,"),
        PROBES.replace("headers:", "Headers:"),
        PROBES.replace("api_key: hunter2", "api_kye: hunter2"),
    ] {
        let err = Place::new(&probes).refused(&["config", "show"]);
        assert!(!err.contains("unter2"), "{err}");
    }
}

#[test]
fn a_reader_that_goes_away_is_no_panic() {
    let place = Place::new(PROBES);
    let arguments: [&[&str]; 5] = [
        &["explain"],
        &["completions", "bash"],
        &["config", "show"],
        &["man"],
        &["check", "--depth", "connect", "--format", "json", "--log-level", "off"],
    ];
    for args in arguments {
        let mut child = place.command(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let mut err = String::new();
        child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
        let code = child.wait().unwrap().code();
        assert!(code.is_some_and(|code| code == 0 || code == 10), "{args:?}: {code:?} {err}");
        assert!(!err.contains("panicked"), "{args:?}: {err}");
    }
}

/// The relative links of a Markdown text.
fn links(text: &str) -> Vec<&str> {
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    targets.filter(|link| !link.contains("://") && !link.starts_with('#') && !link.contains(' ')).collect()
}

#[test]
fn every_relative_link_of_the_documents_leads_to_a_file() {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut documents = vec![package.join("README.md"), package.join("ARCHITECTURE.md")];
    let docs = fs::read_dir(package.join("docs")).unwrap().map(|entry| entry.unwrap().path());
    documents.extend(docs.filter(|path| path.extension().is_some_and(|extension| extension == "md")));
    let mut count = 0;
    for document in &documents {
        let text = fs::read_to_string(document).unwrap();
        for link in links(&text) {
            let file = link.split('#').next().unwrap_or_default();
            assert!(document.with_file_name(file).exists(), "{}: {link}", document.display());
            count += 1;
        }
    }
    assert!(count > 10, "{count} links");
}
