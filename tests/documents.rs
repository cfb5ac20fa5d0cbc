//! Documents that are made from tables in the code are what the code would make now.
//!
//! `UPDATE_DOCS=1 cargo test --release` writes them anew.

use std::path::Path;

use pilotlight::outcome::Withholding;
use pilotlight::{report, telemetry};

/// Compares a file of the repository with what the code makes, or writes it.
#[track_caller]
fn compare(path: &str, made: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    #[expect(clippy::disallowed_methods, reason = "the switch of a test is no setting of the program")]
    let update = std::env::var_os("UPDATE_DOCS").is_some();
    if update {
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, made).unwrap();
        return;
    }
    let found = std::fs::read_to_string(&file).unwrap_or_default();
    if found != made {
        let (number, line) = (1..)
            .zip(made.lines())
            .find(|(number, line)| found.lines().nth(number - 1) != Some(line))
            .unwrap_or((found.lines().count(), "(the end)"));
        panic!(
            "{path} is not what the code makes, from line {number} on:\n  {line}\n\
             Run `UPDATE_DOCS=1 cargo test --release` and commit the result."
        );
    }
}

#[test]
fn docs_diagnoses() {
    compare("docs/diagnoses.md", &report::diagnoses_markdown());
}

#[test]
fn docs_exit_codes() {
    compare("docs/exit-codes.md", &report::exit_codes_markdown());
}

#[test]
fn docs_log() {
    compare("docs/log.md", &telemetry::log_markdown());
}

#[test]
fn docs_metrics() {
    compare("docs/metrics.md", &telemetry::metrics_markdown());
}

#[test]
fn the_reasons_of_docs_quota_are_the_reasons() {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/quota.md")).unwrap();
    let section = text.split("## What is withheld, and why").nth(1).unwrap().split("\n### ").next().unwrap();
    let found: Vec<&str> =
        section.lines().filter_map(|line| line.strip_prefix("| `")).filter_map(|row| row.split('`').next()).collect();
    assert_eq!(found, Withholding::ALL.map(Withholding::name), "in the order in which the governor asks");
}

#[test]
fn docs_quota_names_the_limits_of_the_presets() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |path: &str| std::fs::read_to_string(folder.join(path)).unwrap();
    let (presets, text) = (read("src/config/presets/presets.yaml"), read("docs/quota.md"));
    let mut limited = 0;
    for preset in presets.split("\n---\n") {
        let Some(name) = preset.lines().find_map(|line| line.strip_prefix("name: ")) else { continue };
        for limit in preset.lines().filter_map(|line| line.trim().strip_prefix("- { name: ")) {
            let limit = limit.split(',').next().unwrap();
            let is_told = |row: &str| row.contains(&format!("`{name}`")) && row.contains(&format!("`{limit}`:"));
            assert!(text.lines().any(is_told), "docs/quota.md lacks the limit `{limit}` of `{name}`");
            limited += 1;
        }
    }
    assert!(limited >= 4, "Synthetic's are there");
}

#[test]
fn the_readmes_exit_codes_are_the_codes() {
    let readme = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let section = readme.split("## Exit codes").nth(1).unwrap().split("\n## ").next().unwrap();
    let found: Vec<&str> =
        section.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| code")).collect();
    assert_eq!(found, report::exit_table_rows());
}
