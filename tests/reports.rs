//! Reports for other programs, by the real binary: read by what reads them elsewhere (a schema of JUnit, Perl's TAP consumer,
//! promtool), opened before the first probe, whole or not there.
//!
//! That every form says the same of every target is tested beside the code (`src/cli/reports_tests.rs`).

use std::fs;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::scenarios::Sim;

/// A provider with what can be wrong, and a folder in which commands run.
struct Place {
    sim: Sim,
    folder: TempDir,
}

/// Targets by name and LLM: one is ready, one is not in the catalogue, one is overloaded.
const ALL: &[(&str, &str)] = &[("glm", "m0"), ("absent", "nothing-like-it"), ("busy", "m1")];

impl Place {
    fn new(targets: &[(&str, &str)], faults: &Value) -> Self {
        let models = [("m0", "1ms"), ("m1", "1ms"), ("m2", "100ms")];
        let models = models.map(|(id, first)| json!({ "id": id, "first_token": first, "tokens": 2 }));
        let sim = Sim::start(&json!({ "flavour": "openai", "models": models, "faults": faults }), 1.0);
        let place = Self { sim, folder: tempfile::tempdir().unwrap() };
        // A target in each line, from the sixth on.
        let mut text = format!(
            "version: 1\nproviders:\n  p: {{ dialect: openai, base_url: '{}/v1', api_key: none }}\n\ntargets:\n",
            place.sim.doors["plain"]
        );
        for (name, llm) in targets {
            text += &format!("  - {{ name: {name}, provider: p, model: '{llm}' }}\n");
        }
        fs::write(place.path("probes.yaml"), text).unwrap();
        place
    }

    fn usual() -> Self {
        Self::new(ALL, &json!([{ "on": { "model": "m1" }, "then": "overloaded" }]))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pilotlight"));
        command.arg("check").args(args).current_dir(&self.folder).env_clear();
        command.env("STATE_DIRECTORY", self.path("state")).env("PATH", "/usr/bin:/bin").stdin(Stdio::null());
        command
    }

    fn check(&self, args: &[&str]) -> Ran {
        ran(self.command(args).args(["--attempts", "1"]).output().unwrap())
    }

    /// How many connections were made since the beginning.
    fn connections(&self) -> u64 {
        self.sim.admin("GET", "/_sim/counts")["connections"].as_u64().unwrap()
    }

    /// What is in the folder beside the configuration.
    fn files(&self) -> Vec<String> {
        let entries =
            fs::read_dir(&self.folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = entries.filter(|name| name != "probes.yaml" && name != "state").collect();
        names.sort();
        names
    }
}

struct Ran {
    code: i32,
    out: String,
    err: String,
}

fn ran(output: Output) -> Ran {
    Ran {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Runs a program of the machine on a text. `None` where it is missing, unless this is CI, where it must be.
fn program(name: &str, package: &str, args: &[&str], input: &str) -> Option<Ran> {
    let child =
        Command::new(name).args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = match child {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            #[expect(clippy::disallowed_methods, reason = "the switch of a test is no setting of the program")]
            let ci = std::env::var_os("CI").is_some_and(|value| value == "true");
            assert!(!ci, "CI needs {name} (Debian: the package `{package}`)");
            #[expect(clippy::print_stderr, reason = "a test that did nothing must say so")]
            {
                eprintln!("skipped: there is no {name} here (Debian: the package `{package}`)");
            }
            return None;
        }
        child => child.unwrap(),
    };
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    Some(ran(child.wait_with_output().unwrap()))
}

#[test]
fn junit_is_what_the_schema_of_ci_servers_accepts() {
    let place = Place::usual();
    let ran = place.check(&["--report", "junit=report.xml"]);
    assert_eq!(ran.code, 12, "{}", ran.err);
    assert!(ran.out.contains("model-not-found at warm"), "the report for people is still there: {}", ran.out);
    let report = place.read("report.xml");
    assert!(report.contains("tests=\"3\" failures=\"2\" errors=\"0\""), "{report}");
    assert!(report.contains("<testcase classname=\"p\" name=\"absent\" time=\"0."), "{report}");
    assert!(report.contains("<failure type=\"model-not-found\" message=\"model-not-found at warm: "), "{report}");
    let Some(checked) = xmllint(&report) else { return };
    assert_eq!((checked.code, checked.err.as_str()), (0, "- validates\n"), "{report}");
    // The schema can refuse.
    let broken = report.replace("<failure ", "<broken ").replace("</failure>", "</broken>");
    assert_ne!(xmllint(&broken).unwrap().code, 0);
}

/// Checks a report against the schema of Jenkins' xUnit plugin.
fn xmllint(report: &str) -> Option<Ran> {
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/junit/junit-10.xsd");
    program("xmllint", "libxml2-utils", &["--noout", "--schema", schema.to_str().unwrap(), "-"], report)
}

#[test]
fn tap_is_read_by_perls_consumer() {
    const CONSUMER: &str = r#"
        use TAP::Parser; binmode STDOUT, ":utf8";
        my $parser = TAP::Parser->new({ tap => do { local $/; <STDIN> } });
        while (my $result = $parser->next) {
            print join(" ", $result->is_ok ? "ok" : "not ok", $result->number, $result->description), "\n" if $result->is_test;
            print "  ", $result->data->{verdict}, ": ", $result->data->{says}, "\n" if $result->is_yaml;
        }
        print "planned ", $parser->tests_planned, ", wrong ", scalar $parser->parse_errors, "\n";
    "#;
    let place = Place::usual();
    let ran = place.check(&["--format", "tap"]);
    assert_eq!(ran.code, 12, "{}", ran.err);
    let Some(read) = program("perl", "perl", &["-e", CONSUMER], &ran.out) else { return };
    let first = read.out.lines().nth(1).unwrap().to_owned();
    assert!(first.starts_with("  ready: first token "), "{}", read.out);
    assert_eq!(
        read.out.replace(&first, "  ready"),
        "ok 1 - glm\n  ready\nnot ok 2 - absent\n  failed: model-not-found at warm\nnot ok 3 - busy\n  failed: \
         overloaded at warm\nplanned 3, wrong 0\n",
        "{}",
        read.err
    );
}

#[test]
fn the_text_for_prometheus_is_what_promtool_accepts() {
    let place = Place::usual();
    let ran = place.check(&["--report", "prometheus=pilotlight.prom"]);
    assert_eq!(ran.code, 12, "{}", ran.err);
    let text = place.read("pilotlight.prom");
    for sample in [
        "pilotlight_target_up{target=\"glm\",provider=\"p\",model=\"m0\"} 1",
        "pilotlight_target_up{target=\"busy\",provider=\"p\",model=\"m1\"} 0",
        "pilotlight_probes_total{target=\"absent\",depth=\"warm\",verdict=\"failed\"} 1",
        "pilotlight_probe_failures_total{target=\"absent\",code=\"model-not-found\"} 1",
    ] {
        assert!(text.lines().any(|line| line == sample), "{sample}\n{text}");
    }
    assert!(!text.contains("process_"), "those of whoever reads the file");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(place.path("pilotlight.prom")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o644, "the collector runs as another user");
    }
    let Some(said) = program("promtool", "prometheus", &["check", "metrics"], &text) else { return };
    assert_eq!((said.code, format!("{}{}", said.out, said.err).as_str()), (0, ""));
}

#[test]
fn annotations_stand_at_the_lines_of_the_targets_and_the_summary_of_the_step_is_added_to() {
    let place = Place::usual();
    fs::write(place.path("summary.md"), "what an earlier command wrote\n").unwrap();
    fs::create_dir(place.path("sub")).unwrap();
    let mut command = place.command(&["--report", "github", "--attempts", "1", "--config", "../probes.yaml"]);
    command.current_dir(place.path("sub")).env("GITHUB_ACTIONS", "true");
    command.env("GITHUB_WORKSPACE", place.folder.path()).env("GITHUB_STEP_SUMMARY", place.path("summary.md"));
    let ran = ran(command.output().unwrap());
    assert_eq!(ran.code, 12, "{}", ran.err);
    let (people, annotations) = ran.out.split_once("::error ").unwrap();
    assert!(people.contains("✗ failed") && !people.contains("::"), "{people}");
    let lines: Vec<&str> = annotations.lines().collect();
    assert!(
        lines[0].starts_with("file=probes.yaml,line=7,title=absent failed%3A model-not-found at warm::seen: "),
        "{lines:?}"
    );
    assert!(
        lines[1].starts_with("::error file=probes.yaml,line=8,title=busy failed%3A overloaded at warm::seen: "),
        "{lines:?}"
    );
    assert!(lines[2].starts_with("pilotlight: 1 ready, 2 failed of 3 in "), "{lines:?}");
    let summary = place.read("summary.md");
    assert!(
        summary.starts_with("what an earlier command wrote\n### ✗ pilotlight: failed\n\n| target | verdict |"),
        "{summary}"
    );
    assert!(summary.contains("| `busy` | ✗ failed | `m1` |"), "{summary}");
    // Without annotations there is no summary.
    let mut command = place.command(&["--attempts", "1"]);
    command.env("GITHUB_ACTIONS", "true").env("GITHUB_STEP_SUMMARY", place.path("summary.md"));
    command.output().unwrap();
    assert_eq!(place.read("summary.md"), summary);
}

#[test]
fn what_a_provider_or_a_name_says_is_no_order_to_a_runner() {
    // The nearest id, the id asked for and the log all carry it.
    let evil = r#"::error::owned ##[add-mask]x <a&"b"> ]]> c|d`e"#;
    let place = Place::new(&[("evil", evil)], &json!([]));
    for format in ["human", "json", "jsonl", "junit", "markdown", "tap", "nagios", "prometheus", "github"] {
        let mut command = place.command(&["--format", format, "--attempts", "1", "--log-format", "text"]);
        let ran = ran(command.env("GITHUB_ACTIONS", "true").output().unwrap());
        assert!(ran.err.contains("probe.finished") && ran.out.contains("owned"), "{format}: {}\n{}", ran.out, ran.err);
        let lines = ran.out.lines().chain(ran.err.lines()).filter(|line| line.trim_start().starts_with("::"));
        let orders: Vec<&str> = lines.collect();
        assert_eq!(orders.len(), usize::from(format == "github"), "{format}: {orders:?}");
        let older = ran
            .out
            .lines()
            .chain(ran.err.lines())
            .filter(|line| !orders.contains(line))
            .any(|line| line.contains("##["));
        assert!(!older, "{format}: {}\n{}", ran.out, ran.err);
        if format == "junit" {
            let checked = xmllint(&ran.out);
            assert!(checked.is_none_or(|checked| checked.code == 0), "{}", ran.out);
        }
        if format == "json" {
            let report: Value = serde_json::from_str(&ran.out).unwrap();
            assert_eq!(report["results"][0]["model"], json!(evil), "it means the same");
        }
    }
}

#[test]
fn nagios_has_its_own_exit_codes() {
    let busy = json!([{ "on": { "model": "m1" }, "then": "overloaded" }]);
    let place = Place::new(&[("glm", "m0"), ("busy", "m1"), ("slow", "m2")], &busy);
    // What is slow beyond what was expected is degraded.
    let text = place.read("probes.yaml");
    let text = text.replace("model: 'm2' }", "model: 'm2', expect: { first_token: 1ms, cold_start: 60s } }");
    fs::write(place.path("probes.yaml"), text).unwrap();
    let first = |ran: &Ran| ran.out.lines().next().unwrap_or_default().to_owned();
    let ok = place.check(&["glm", "--format", "nagios"]);
    assert_eq!(ok.code, 0, "{}", ok.err);
    assert!(first(&ok).starts_with("PILOTLIGHT OK - 1 ready of 1 | 'ready'=1;;;0;1 'degraded'=0;;;0;1 "), "{}", ok.out);
    assert!(
        first(&ok).contains(" 'glm first token'=0.") && first(&ok).contains("s;10;180;0 'glm total'=0."),
        "{}",
        ok.out
    );
    let critical = place.check(&["glm", "busy", "--format=nagios"]);
    assert_eq!(critical.code, 2, "{}", critical.err);
    assert!(
        first(&critical)
            .starts_with("PILOTLIGHT CRITICAL - 1 ready, 1 failed of 2; worst: busy overloaded at warm (HTTP 503) | "),
        "{}",
        critical.out
    );
    let warning = place.check(&["slow", "--report", "nagios"]);
    assert_eq!(warning.code, 1, "{}{}", warning.out, warning.err);
    assert!(first(&warning).starts_with("PILOTLIGHT WARNING - 1 degraded of 1; worst: slow "), "{}", warning.out);
    let unknown = place.check(&["busy", "glm", "--format", "nagios", "--timeout", "1ms"]);
    assert_eq!(unknown.code, 3, "{}{}", unknown.out, unknown.err);
    assert!(first(&unknown).starts_with("PILOTLIGHT UNKNOWN - 2 unknown of 2; "), "{}", unknown.out);
    // A file for it changes nothing of the exit.
    let other = place.check(&["glm", "busy", "--report", "nagios=state"]);
    assert_eq!((other.code, place.read("state").starts_with("PILOTLIGHT CRITICAL")), (15, true), "{}", other.err);
}

#[test]
fn a_mistake_is_one_line_and_unknown_to_nagios() {
    let place = Place::usual();
    for (args, said) in [
        (&["--format", "nagios", "nobody"][..], "there is no target `nobody`"),
        (&["--format", "nagios", "--no-such-flag"], "the arguments are not valid"),
        (&["--format", "nagios", "--config", "bad.yaml"], "(standard error has more)"),
        (&["--format", "nagios", "--report", "junit=no/where.xml"], "failed to open the report no/where.xml"),
    ] {
        fs::write(place.path("bad.yaml"), "version: 1\nproviders: 7\ntargets: 8\n").unwrap();
        let ran = ran(place.command(args).output().unwrap());
        assert_eq!((ran.code, ran.out.lines().count()), (3, 1), "{args:?}: {}{}", ran.out, ran.err);
        assert!(ran.out.starts_with("PILOTLIGHT UNKNOWN - ") && ran.out.contains(said), "{args:?}: {}", ran.out);
        assert!(!ran.err.is_empty(), "{args:?}");
    }
    assert_eq!(place.connections(), 0);
}

#[test]
fn a_bad_path_ends_before_anything_is_asked() {
    let place = Place::usual();
    fs::create_dir(place.path("folder")).unwrap();
    for (report, said) in [
        ("junit=no/such/report.xml", "failed to open the report no/such/report.xml: there is no folder "),
        ("tap=folder", "failed to open the report folder: that is a folder; name a file in it"),
        ("json=report.json/", "failed to open the report report.json/: "),
    ] {
        let ran = place.check(&["--report", "markdown=good.md", "--report", report]);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{report}: {}", ran.err);
        assert!(ran.err.contains(said), "{report}: {}", ran.err);
    }
    let twice = place.check(&["--report", "json=one", "--report", "tap=./one"]);
    assert!(twice.code == 2 && twice.err.contains("two reports are to go there"), "{}", twice.err);
    let both = place.check(&["--format", "json", "--report", "tap"]);
    assert!(both.code == 2 && both.err.contains("--report tap=FILE"), "{}", both.err);
    let mut command = place.command(&["--format", "github"]);
    let summary = ran(command.env("GITHUB_STEP_SUMMARY", place.path("no/summary.md")).output().unwrap());
    assert!(summary.code == 2 && summary.err.contains("GITHUB_STEP_SUMMARY"), "{}", summary.err);
    assert_eq!(place.connections(), 0, "nothing was asked of anybody");
    assert_eq!(place.files(), ["folder"], "and nothing is left behind");
}

#[test]
#[cfg(target_os = "linux")]
fn what_is_redirected_to_a_file_stays_there() {
    let place = Place::new(&ALL[..1], &json!([]));
    let redirected = |report: &str| {
        fs::write(place.path("log"), "before\n").unwrap();
        let log = || fs::OpenOptions::new().append(true).open(place.path("log")).unwrap();
        let mut command = place.command(&["--report", report]);
        assert!(command.stdout(log()).stderr(log()).status().unwrap().success(), "{}", place.read("log"));
        place.read("log")
    };
    for report in ["tap=/dev/stdout", "tap=/proc/self/fd/1", "tap=/dev/stderr"] {
        let log = redirected(report);
        assert!(log.starts_with("before\n") && log.contains("ok 1 - glm"), "{report}: {log}");
    }
    let ran = place.check(&["--report", "tap=/dev/stdout", "--format", "json"]);
    assert!(ran.code == 2 && ran.err.contains("--report tap=FILE"), "{}", ran.err);
}

#[test]
fn several_reports_are_of_one_pass() {
    let place = Place::usual();
    fs::write(place.path("b.json"), "old").unwrap();
    let ran = place.check(&[
        "--format",
        "jsonl",
        "--report",
        "junit=a.xml",
        "--report",
        "json=b.json",
        "--report",
        "human=c.txt",
        "--color",
        "always",
    ]);
    assert_eq!(ran.code, 12, "{}", ran.err);
    assert_eq!(place.files(), ["a.xml", "b.json", "c.txt"]);
    let document: Value = serde_json::from_str(&place.read("b.json")).unwrap();
    let run = document["run_id"].as_str().unwrap();
    assert!(place.read("a.xml").contains(run) && place.read("c.txt").contains(run) && ran.out.contains(run));
    assert_eq!(ran.out.lines().count(), 3);
    assert!(!place.read("c.txt").contains('\u{1b}'), "a file is not a terminal");
    assert_eq!(place.connections(), 3, "one pass");
}

#[test]
fn a_signal_still_leaves_whole_reports() {
    let place = Place::new(
        &[("glm", "m0"), ("hangs", "m1")],
        &json!([{ "on": { "model": "m1", "path": "/v1/chat/completions" }, "then": "hang" }]),
    );
    fs::write(place.path("report.xml"), "old").unwrap();
    let mut command = place.command(&["--report", "junit=report.xml", "--format", "json"]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let asked =
        |counts: &Value| counts["by_path"]["POST /v1/chat/completions"] == json!(2) && counts["completed"] == json!(1);
    assert!((0..20_000).any(|_| asked(&place.sim.admin("GET", "/_sim/counts"))), "never");
    assert_eq!(place.read("report.xml"), "old", "until the end the old one stands");
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let ran = ran(child.wait_with_output().unwrap());
    assert_eq!(ran.code, 130);
    let report = place.read("report.xml");
    assert!(report.contains("name=\"hangs\"") && report.contains("<error type=\"interrupted\""), "{report}");
    assert!(report.contains("failures=\"0\" errors=\"1\"") && report.ends_with("</testsuites>\n"), "{report}");
    assert_eq!(place.files(), ["report.xml"], "nothing is left beside it");
}
