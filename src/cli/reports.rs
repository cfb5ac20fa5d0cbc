//! `--format` and `--report`: which reports are wanted, opening their files before the first probe, and writing all of them
//! when the pass has ended.
//!
//! What a report says is made elsewhere (`forms.rs`); this decides where it goes.

use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use clap::Args;

use super::ended::Ended;
use super::forms::Form;
use super::pending::{self, Pending};
use super::readers::Records;
use super::step_summary::StepSummary;
use super::terminal::{self, PIPE_WIDTH, Usage};
use crate::config::Environment;
use crate::exit::Exit;
use crate::report::{Look, NagiosState, Report, Style};

/// Which reports are wanted. For every command that ends with the report of a pass.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct ReportArgs {
    /// Form of the report on standard output [default: human]
    #[arg(long, short, value_name = "FORMAT", value_parser = Form::parser())]
    format: Option<Form>,
    /// Write a report to a file too, in any form of --format; without =FILE to standard output. Can be given several times:
    /// --report junit=report.xml --report github
    #[arg(long = "report", value_name = "FORMAT[=FILE]", value_parser = wanted)]
    reports: Vec<Wanted>,
}

/// One `--report`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Wanted {
    form: Form,
    /// `None` is standard output.
    path: Option<PathBuf>,
}

fn wanted(text: &str) -> Result<Wanted, String> {
    let (name, path) = match text.split_once('=') {
        Some((name, path)) => (name, Some(path)),
        None => (text, None),
    };
    let form = Form::from_name(name).ok_or_else(|| {
        format!("`{name}` is no form of a report; there are {}", Form::ALL.map(Form::name).join(", "))
    })?;
    match path {
        Some("") => Err(format!("there is no file after `{name}=`; write --report {name}=FILE, or --report {name}")),
        Some("-") | None => Ok(Wanted { form, path: None }),
        // By whatever name it goes: opened anew, it would be written over from its beginning.
        Some(path) if pending::descriptor(Path::new(path)) == Some(pending::STDOUT) => Ok(Wanted { form, path: None }),
        Some(path) => Ok(Wanted { form, path: Some(path.into()) }),
    }
}

/// The open reports of a pass. Dropped before they are written, they leave nothing behind.
#[derive(Debug)]
pub(super) struct Reports {
    /// What goes to standard output, in this order.
    output: Vec<Form>,
    files: Vec<(Form, Pending)>,
    summary: Option<StepSummary>,
    workspace: Option<PathBuf>,
    host: Option<String>,
    look: Look,
}

impl ReportArgs {
    /// Opens everything that is to be written. `look` is that of standard output.
    ///
    /// # Errors
    /// [`Usage`], with the place, the reason and the fix: before anything is asked of anybody.
    pub(super) fn open(&self, environment: &Environment, look: &Look) -> anyhow::Result<Reports> {
        let output = self.output()?;
        let mut files: Vec<(Form, Pending)> = Vec::new();
        for Wanted { form, path } in &self.reports {
            let Some(path) = path else { continue };
            let readers = match form {
                Form::Prometheus => pending::Readers::Anybody,
                _ => pending::Readers::AsIsUsual,
            };
            let wrong = |reason: &str| Usage(format!("failed to open the report {}: {reason}", path.display()));
            let pending = Pending::open(path, readers).map_err(|reason| wrong(&reason))?;
            if files.iter().any(|(_, other)| other.place() == pending.place()) {
                return Err(wrong("two reports are to go there; give each a file of its own").into());
            }
            files.push((*form, pending));
        }
        let mut forms = output.iter().chain(files.iter().map(|(form, _)| form));
        let named = |name| environment.get(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let summary = match named("GITHUB_STEP_SUMMARY").filter(|_| forms.any(|form| *form == Form::Github)) {
            Some(path) => Some(StepSummary::open(path)?),
            None => None,
        };
        let workspace = named("GITHUB_WORKSPACE");
        Ok(Reports { output, files, summary, workspace, host: host(environment), look: look.clone() })
    }

    /// What goes to standard output: one report, and annotations beside the one for people.
    fn output(&self) -> Result<Vec<Form>, Usage> {
        let unnamed: Vec<Form> =
            self.reports.iter().filter(|wanted| wanted.path.is_none()).map(|wanted| wanted.form).collect();
        let others: Vec<Form> = unnamed.iter().copied().filter(|form| *form != Form::Github).collect();
        let first = match (self.format, others.as_slice()) {
            (format, []) => format,
            (None, [only]) => Some(*only),
            (Some(format), [only]) if format == *only => Some(format),
            (None, [one, other, ..]) => return Err(both(*one, *other)),
            (Some(one), [other, ..]) => return Err(both(one, *other)),
        };
        let annotated = unnamed.contains(&Form::Github);
        match first {
            None if annotated => Ok(vec![Form::Human, Form::Github]),
            None => Ok(vec![Form::Human]),
            Some(Form::Human) if annotated => Ok(vec![Form::Human, Form::Github]),
            Some(form) if annotated && form != Form::Github => Err(Usage(format!(
                "the annotations of `github` would stand in the middle of `{0}` on standard output; give that a file: \
                 --report {0}=FILE",
                form.name()
            ))),
            Some(form) => Ok(vec![form]),
        }
    }
}

/// Two reports that are to stand at the same place.
fn both(one: Form, other: Form) -> Usage {
    let (one, other) = (one.name(), other.name());
    Usage(format!(
        "`{one}` and `{other}` are both to go to standard output; give one of them a file, as in --report {other}=FILE"
    ))
}

impl Reports {
    /// Whether records are written the moment each probe ends.
    pub(super) fn records(&self) -> Records {
        if self.output == [Form::Jsonl] { Records::Streamed } else { Records::Kept }
    }

    /// Writes all of them: files first, then standard output, because what a failure to write is told with stands there
    /// in some forms. `streamed` is why records that were streamed could not be written. What was found outranks that it
    /// could not be written.
    pub(super) fn write(self, report: &Report<'_>, streamed: Option<&io::Error>) -> anyhow::Result<Ended> {
        let source = report.source.map(|source| self.shown(source));
        let report = Report { source: source.as_deref(), host: self.host.as_deref(), ..report.clone() };
        let plain = Look { width: PIPE_WIDTH, style: Style::Plain, ..self.look.clone() };
        let mut wrong: Vec<anyhow::Error> = streamed.map(|error| anyhow!("{error}")).into_iter().collect();
        for (form, file) in self.files {
            let place = file.place().to_owned();
            let written = form.text(&report, &plain).and_then(|text| file.finish(&text));
            wrong.extend(written.with_context(|| format!("write {}", place.display())).err());
        }
        wrong.extend(self.summary.and_then(|summary| summary.write(&report, &plain).err()));
        let nagios = (self.output == [Form::Nagios]).then(|| NagiosState::of(&report));
        let is_well = matches!(report.exit, Exit::Ready | Exit::Degraded);
        // Two status lines would be two answers.
        let is_told_otherwise = nagios.is_some() && is_well && !wrong.is_empty();
        if self.output != [Form::Jsonl] && !is_told_otherwise {
            for form in &self.output {
                let written = form.text(&report, &self.look).map_err(anyhow::Error::from).and_then(|text| match form {
                    Form::Github => terminal::output_as_is(&text),
                    _ => terminal::output(|out| out.write_all(&text)),
                });
                wrong.extend(written.err());
            }
        }
        let ended = nagios.map_or(Ended::Exit(report.exit), Ended::Nagios);
        let mut wrong = wrong.into_iter();
        let first = wrong.next();
        for other in wrong {
            terminal::tell(&format!("error: failed to write the report: {other:#}"));
        }
        match first {
            Some(error) if is_well => Err(error.context("failed to write the report")),
            Some(error) => {
                terminal::tell(&format!("error: failed to write the report: {error:#}"));
                Ok(ended)
            }
            None => Ok(ended),
        }
    }

    /// A file as the repository knows it, where it is in one that is checked out.
    fn shown(&self, source: &Path) -> PathBuf {
        let inside = || {
            let workspace = self.workspace.as_ref()?.canonicalize().ok()?;
            source.canonicalize().ok()?.strip_prefix(workspace).ok().map(Path::to_owned)
        };
        inside().unwrap_or_else(|| source.to_owned())
    }
}

/// The name of this machine.
fn host(environment: &Environment) -> Option<String> {
    let kernel = std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let told = || environment.get("HOSTNAME").or_else(|| environment.get("COMPUTERNAME")).map(str::to_owned);
    kernel.or_else(told).map(|name| name.trim().to_owned()).filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit::Strictness;
    use crate::report::sample::{look, ms, run_id, started};

    fn args(format: Option<Form>, reports: &[&str]) -> ReportArgs {
        ReportArgs { format, reports: reports.iter().map(|text| wanted(text).unwrap()).collect() }
    }

    #[test]
    fn standard_output_has_one_report_and_annotations_beside_that_for_people() {
        use Form::{Github, Human, Json, Junit, Tap};
        for (format, reports, output) in [
            (None, &[][..], vec![Human]),
            (Some(Json), &[], vec![Json]),
            (None, &["tap"], vec![Tap]),
            (None, &["tap=-"], vec![Tap]),
            (None, &["tap=/dev/stdout"], vec![Tap]),
            (Some(Tap), &["tap"], vec![Tap]),
            (None, &["github"], vec![Human, Github]),
            (Some(Human), &["junit=a", "github"], vec![Human, Github]),
            (Some(Github), &[], vec![Github]),
            (Some(Github), &["github"], vec![Github]),
            (Some(Junit), &["github=annotations"], vec![Junit]),
        ] {
            assert_eq!(args(format, reports).output().unwrap(), output, "{format:?} {reports:?}");
        }
        for (format, reports, said) in [
            (Some(Json), &["junit"][..], "--report junit=FILE"),
            (None, &["tap", "nagios"], "--report nagios=FILE"),
            (Some(Json), &["junit=/dev/fd/1"], "--report junit=FILE"),
            (Some(Json), &["github"], "--report json=FILE"),
        ] {
            let error = args(format, reports).output().unwrap_err().to_string();
            assert!(error.contains(said), "{error}");
        }
    }

    #[test]
    fn a_report_is_a_form_and_a_file() {
        assert_eq!(wanted("junit=a=b.xml").unwrap(), Wanted { form: Form::Junit, path: Some("a=b.xml".into()) });
        assert!(wanted("xunit=a").unwrap_err().contains("there are human, json, jsonl, junit,"));
        assert!(wanted("junit=").unwrap_err().contains("--report junit=FILE"));
    }

    #[test]
    fn what_was_found_outranks_that_it_could_not_be_written() {
        let written = |exit: Exit| {
            let folder = tempfile::tempdir().unwrap();
            let file = Pending::open(&folder.path().join("report.xml"), pending::Readers::AsIsUsual).unwrap();
            drop(folder);
            let reports = Reports {
                output: Vec::new(),
                files: vec![(Form::Junit, file)],
                summary: None,
                workspace: None,
                host: None,
                look: look(80),
            };
            let report = Report {
                run_id: &run_id(),
                started: started(),
                total: ms(1),
                outcomes: &[],
                exit,
                notes: &[],
                source: None,
                gates: &[],
                strictness: Strictness::Lenient,
                host: None,
            };
            reports.write(&report, None)
        };
        let error = format!("{:#}", written(Exit::Ready).unwrap_err());
        assert!(
            error.starts_with("failed to write the report: write /") && error.contains("report.xml: No such"),
            "{error}"
        );
        assert_eq!(written(Exit::NotFound).unwrap(), Ended::Exit(Exit::NotFound));
    }
}
