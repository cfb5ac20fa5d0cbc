//! Reads a provider's key from its source. Only a probe does this: validating and showing a configuration never do.
//!
//! A key is taken as it was found, but for the line break that files and commands end in; whether it has quotes or
//! spaces around it is for the `credential` stage to judge, which can say so.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use super::Environment;
use super::environment::Variable;
use crate::target::{Credential, CredentialFault, CredentialSource, Provider, Secret};

/// Largest file or output that is taken for a key, in bytes.
const MAX_BYTES: usize = 64 * 1024;
/// How long a command may take: long enough for a person to unlock a password store.
const COMMAND_TIME: Duration = Duration::from_secs(30);
/// How long a command that has closed its output may take to end.
const ENDING_TIME: Duration = Duration::from_secs(1);
const POLL: Duration = Duration::from_millis(5);
/// The one variable that is expanded in a key file's path: systemd sets it to where it puts a service's credentials.
const CREDENTIALS_DIRECTORY: &str = "CREDENTIALS_DIRECTORY";

/// Reads a provider's key. A relative file is relative to `base_directory`, the folder of probes.yaml.
///
/// A command is waited for, for 30 seconds at most: call this where blocking is allowed.
#[must_use]
pub fn read_credential(provider: &Provider, environment: &Environment, base_directory: &Path) -> Credential {
    let source = provider.key.clone();
    let found = match &source {
        CredentialSource::NotNeeded => return Credential::NotNeeded,
        CredentialSource::Env(name) => from_variable(name, environment),
        CredentialSource::File(path) => from_file(path, environment, base_directory),
        CredentialSource::Command(words) => from_command(words, base_directory, COMMAND_TIME),
        CredentialSource::Literal(secret) => Ok(secret.clone()),
    };
    match found {
        Ok(secret) => Credential::Found { source, secret },
        Err(fault) => Credential::Missing { source, fault },
    }
}

fn from_variable(name: &str, environment: &Environment) -> Result<Secret, CredentialFault> {
    match environment.look_up(name) {
        Variable::Unset => Err(CredentialFault::VariableUnset(name.to_owned())),
        Variable::NotText => Err(CredentialFault::VariableNotText(name.to_owned())),
        Variable::Text("") => Err(CredentialFault::VariableEmpty(name.to_owned())),
        Variable::Text(text) => Ok(Secret::new(text.to_owned())),
    }
}

fn from_file(path: &Path, environment: &Environment, base_directory: &Path) -> Result<Secret, CredentialFault> {
    let unreadable = |reason: String| CredentialFault::FileUnreadable { path: path.to_owned(), reason };
    let place = expand(path, environment)
        .ok_or_else(|| {
            unreadable(format!(
                "{CREDENTIALS_DIRECTORY} is not set (systemd sets it for a service with LoadCredential=)"
            ))
        })
        .map(|place| base_directory.join(place))?;
    let bytes = match super::read_at_most(&place, MAX_BYTES) {
        Ok(Some(bytes)) => bytes,
        Ok(None) => return Err(CredentialFault::FileTooLarge(path.to_owned())),
        Err(error) => return Err(unreadable(error.to_string())),
    };
    let text = text_of(bytes).ok_or_else(|| unreadable("it is not UTF-8 text".to_owned()))?;
    if text.is_empty() {
        return Err(CredentialFault::FileEmpty(path.to_owned()));
    }
    Ok(Secret::new(text))
}

/// A path with `${CREDENTIALS_DIRECTORY}` at its beginning replaced. `None` where that is not set.
fn expand(path: &Path, environment: &Environment) -> Option<PathBuf> {
    for form in ["${CREDENTIALS_DIRECTORY}", "$CREDENTIALS_DIRECTORY"] {
        if let Ok(rest) = path.strip_prefix(form) {
            return environment.path(CREDENTIALS_DIRECTORY).map(|folder| folder.join(rest));
        }
    }
    Some(path.to_owned())
}

fn from_command(words: &[String], directory: &Path, time: Duration) -> Result<Secret, CredentialFault> {
    let program = words.first().cloned().unwrap_or_default();
    let failed = |reason: String| CredentialFault::CommandFailed { program: program.clone(), reason };
    let mut command = Command::new(&program);
    command
        .args(words.iter().skip(1))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        // What it says there may repeat the key.
        .stderr(Stdio::null());
    if !directory.as_os_str().is_empty() {
        command.current_dir(directory);
    }
    let mut child = command.spawn().map_err(|error| failed(error.to_string()))?;
    let output = read_output(&mut child, time);
    if output.is_err() {
        // It may have ended on its own by now, which is as good.
        let _ = child.kill();
    }
    let status = end(&mut child).map_err(|error| failed(error.to_string()))?;
    let bytes = output.map_err(failed)?;
    match status {
        Some(status) if status.success() => {}
        Some(status) => return Err(failed(status.to_string())),
        None => return Err(failed("it closed its output and did not end".to_owned())),
    }
    let text = text_of(bytes).ok_or_else(|| failed("its output is not UTF-8 text".to_owned()))?;
    if text.is_empty() {
        return Err(CredentialFault::CommandSilent(program));
    }
    Ok(Secret::new(text))
}

/// All that a child prints until it closes its output. A thread reads, so that waiting can be given up.
fn read_output(child: &mut Child, time: Duration) -> Result<Vec<u8>, String> {
    let Some(stdout) = child.stdout.take() else {
        return Err("its output could not be opened".to_owned());
    };
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        // One byte more than is allowed tells that there was more.
        let limit = MAX_BYTES as u64 + 1;
        let result = stdout.take(limit).read_to_end(&mut bytes).map(|_| bytes);
        // Nobody listens any more once the time is over.
        let _ = sender.send(result);
    });
    match receiver.recv_timeout(time) {
        Ok(Ok(bytes)) if bytes.len() > MAX_BYTES => Err("it printed more than 64 KiB, so that is not a key".to_owned()),
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(error)) => Err(error.to_string()),
        Err(RecvTimeoutError::Timeout) => Err(format!("it was not done after {} s, and was stopped", time.as_secs())),
        Err(RecvTimeoutError::Disconnected) => Err("its output could not be read".to_owned()),
    }
}

/// Waits for a child that has closed its output; one that does not end soon is stopped, and has no status.
fn end(child: &mut Child) -> std::io::Result<Option<ExitStatus>> {
    let mut waited = Duration::ZERO;
    while waited < ENDING_TIME {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        std::thread::sleep(POLL);
        waited += POLL;
    }
    child.kill()?;
    child.wait()?;
    Ok(None)
}

/// Bytes as text, without the one line break that files and commands end in.
fn text_of(bytes: Vec<u8>) -> Option<String> {
    let mut text = String::from_utf8(bytes).ok()?;
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn provider(key: CredentialSource) -> Provider {
        let text = b"version: 1\nproviders: { l: { dialect: openai, base_url: 'http://127.0.0.1:1/v1' } }\n\
                     targets: [{ name: t, provider: l, model: m }]\n";
        let config = super::super::load_bytes(Path::new("x"), text, &Environment::default()).unwrap();
        let mut provider = Provider::clone(&config.providers[0]);
        provider.key = key;
        provider
    }

    fn read(key: CredentialSource, environment: &Environment, directory: &Path) -> Result<String, String> {
        match read_credential(&provider(key), environment, directory) {
            Credential::NotNeeded => Ok("not needed".to_owned()),
            Credential::Found { secret, .. } => Ok(secret.expose().to_owned()),
            Credential::Missing { fault, .. } => Err(fault.to_string()),
        }
    }

    fn command(words: &[&str]) -> Result<String, String> {
        let words = words.iter().map(|&word| word.to_owned()).collect();
        read(CredentialSource::Command(words), &Environment::default(), Path::new(""))
    }

    #[test]
    fn a_variable_is_taken_as_it_is() {
        let environment = Environment::from_pairs([("A", " key\n"), ("E", "")]);
        let read = |name: &str| read(CredentialSource::Env(name.to_owned()), &environment, Path::new("."));
        assert_eq!(read("A"), Ok(" key\n".to_owned()));
        assert_eq!(read("E"), Err("the variable E is empty".to_owned()));
        assert_eq!(read("U"), Err("the variable U is not set".to_owned()));
    }

    #[test]
    fn a_file_loses_one_line_break() {
        let directory = tempfile::tempdir().unwrap();
        for (content, expected) in [
            ("key\n", Ok("key")),
            ("key\r\n", Ok("key")),
            ("key\n\n", Ok("key\n")),
            ("\"key\" ", Ok("\"key\" ")),
            ("\n", Err("the file k is empty")),
        ] {
            std::fs::write(directory.path().join("k"), content).unwrap();
            let found = read(CredentialSource::File("k".into()), &Environment::default(), directory.path());
            assert_eq!(found.as_deref().map_err(String::as_str), expected);
        }
        std::fs::write(directory.path().join("k"), vec![b'x'; MAX_BYTES + 1]).unwrap();
        let found = read(CredentialSource::File("k".into()), &Environment::default(), directory.path());
        assert_eq!(found, Err("the file k is larger than 64 KiB, so it is not a key".to_owned()));
        std::fs::write(directory.path().join("k"), [0xff]).unwrap();
        let found = read(CredentialSource::File("k".into()), &Environment::default(), directory.path());
        assert_eq!(found, Err("the file k could not be read: it is not UTF-8 text".to_owned()));
    }

    #[test]
    fn systemd_credentials_are_found() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("synthetic"), "key").unwrap();
        let environment = Environment::from_pairs([("CREDENTIALS_DIRECTORY", directory.path().as_os_str())]);
        let source = CredentialSource::File("${CREDENTIALS_DIRECTORY}/synthetic".into());
        assert_eq!(read(source.clone(), &environment, Path::new("/nonexistent")), Ok("key".to_owned()));
        let error = read(source, &Environment::default(), Path::new("/")).unwrap_err();
        assert!(error.contains("CREDENTIALS_DIRECTORY is not set"), "{error}");
    }

    #[test]
    fn a_command_gives_its_output_or_says_why_not() {
        assert_eq!(command(&["printf", "key\\n"]), Ok("key".to_owned()));
        // No shell: nothing is expanded or split.
        assert_eq!(command(&["printf", "%s", "$HOME; x"]), Ok("$HOME; x".to_owned()));
        assert_eq!(command(&["cat"]), Err("the command cat printed nothing".to_owned()));
        let error = command(&["sh", "-c", "echo hunter2; echo hunter2 >&2; exit 3"]).unwrap_err();
        assert_eq!(error, "the command sh failed: exit status: 3");
        let error = command(&["head", "-c", "70000", "/dev/zero"]).unwrap_err();
        assert!(error.contains("more than 64 KiB"), "{error}");
        let error = command(&["/nonexistent/program"]).unwrap_err();
        assert!(error.starts_with("the command /nonexistent/program failed: "), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn a_program_beside_the_file_is_found() {
        let directory = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("/bin/echo", directory.path().join("key")).unwrap();
        let source = CredentialSource::Command(vec!["./key".to_owned(), "key".to_owned()]);
        assert_eq!(read(source, &Environment::default(), directory.path()), Ok("key".to_owned()));
    }

    #[test]
    fn a_command_that_does_not_end_is_stopped() {
        let words = ["sleep".to_owned(), "60".to_owned()];
        let fault = from_command(&words, Path::new(""), Duration::from_millis(50)).unwrap_err();
        assert!(fault.to_string().contains("was stopped"), "{fault}");
    }
}
