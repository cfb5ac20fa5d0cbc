//! A request as a `curl` command: for whoever wants to see for himself, without us in between.
//!
//! What it writes is for a POSIX shell. Secrets are variables of that shell, in double quotes; all else is in single quotes,
//! where a shell reads nothing.

use std::fmt::Write as _;
use std::path::Path;

use crate::outcome::words::is_unsafe;
use crate::outcome::{ProxySeen, RequestSeen};

/// The command, on several lines that a shell reads as one. The line feed at its end is missing.
#[must_use]
pub(super) fn curl(request: &RequestSeen) -> String {
    // Brackets of an IPv6 address are no pattern of ours.
    let globs = request.url.contains(['[', ']', '{', '}']);
    let family = match request.only {
        Some("v4") => " -4",
        Some("v6") => " -6",
        _ => "",
    };
    let mut words =
        vec![format!("curl -sS -i -N --http1.1{family}{} {}", if globs { " -g" } else { "" }, quoted(&request.url))];
    if let Some((host, port, address)) = &request.address {
        let address = if address.is_ipv6() { format!("[{address}]") } else { address.to_string() };
        words.push(format!("--resolve {}", quoted(&format!("{host}:{port}:{address}"))));
    }
    match &request.proxy {
        ProxySeen::Through(proxy) => words.push(format!("--proxy {}", quoted(proxy))),
        ProxySeen::Avoided => words.push("--noproxy '*'".to_owned()),
        ProxySeen::Nothing => {}
    }
    if let Some(file) = &request.ca_file {
        words.push(format!("--cacert {}", path(file)));
    }
    if let Some((certificate, key)) = &request.client_certificate {
        words.push(format!("--cert {} --key {}", path(certificate), path(key)));
    }
    for header in &request.headers {
        let text = quoted(&format!("{}: {}", header.name, header.text));
        words.push(match &header.variable {
            Some(variable) => format!("-H {text}\"${variable}\""),
            None => format!("-H {text}"),
        });
    }
    // `--data-raw`, because a body that begins with `@` would be a file's name.
    words.push(format!("--data-raw {}", quoted(&visible(&request.body))));
    words.join(" \\\n  ")
}

/// A word of a shell that stands for exactly this text.
#[must_use]
pub(super) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// A path. One that is not UTF-8 cannot be written here, and its gaps show.
fn path(path: &Path) -> String {
    let text = path.to_string_lossy();
    // A file whose name begins with a hyphen would be an option.
    quoted(&if text.starts_with('-') { format!("./{text}") } else { text.into_owned() })
}

/// JSON with the characters that could act on a terminal written as JSON escapes them: the same JSON to any reader.
pub(super) fn visible(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for character in json.chars() {
        if is_unsafe(character) {
            let mut units = [0; 2];
            for unit in character.encode_utf16(&mut units) {
                // Writing to a String cannot fail.
                let _ = write!(text, "\\u{unit:04x}");
            }
        } else {
            text.push(character);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use proptest::prelude::*;

    use super::*;
    use crate::outcome::{HeaderSeen, Made};

    fn request() -> RequestSeen {
        let header = |name: &str, text: &str, variable: Option<&str>| HeaderSeen {
            name: name.to_owned(),
            text: text.to_owned(),
            variable: variable.map(str::to_owned),
        };
        RequestSeen {
            made: Made::Sent,
            url: "https://api.example.com/v1/chat/completions".to_owned(),
            headers: vec![
                header("authorization", "Bearer ", Some("SYNTHETIC_API_KEY")),
                header("content-type", "application/json", None),
            ],
            body: r#"{"model":"it's $HOME `x`","messages":[]}"#.to_owned(),
            key_source: None,
            ca_file: Some("/etc/my ca.pem".into()),
            proxy: ProxySeen::Through("http://proxy.example.test:3128".to_owned()),
            only: None,
            client_certificate: Some(("own.pem".into(), "-own.key".into())),
            address: Some(("api.example.com".to_owned(), 443, "2001:db8::1".parse().unwrap())),
        }
    }

    #[test]
    fn everything_that_was_set_is_in_it() {
        assert_eq!(
            curl(&request()),
            r#"curl -sS -i -N --http1.1 'https://api.example.com/v1/chat/completions' \
  --resolve 'api.example.com:443:[2001:db8::1]' \
  --proxy 'http://proxy.example.test:3128' \
  --cacert '/etc/my ca.pem' \
  --cert 'own.pem' --key './-own.key' \
  -H 'authorization: Bearer '"$SYNTHETIC_API_KEY" \
  -H 'content-type: application/json' \
  --data-raw '{"model":"it'\''s $HOME `x`","messages":[]}'"#
        );
        let v6 = RequestSeen {
            url: "http://[::1]:8080/v1".to_owned(),
            only: Some("v6"),
            proxy: ProxySeen::Avoided,
            address: None,
            ..request()
        };
        let line = curl(&v6);
        let start = "curl -sS -i -N --http1.1 -6 -g 'http://[::1]:8080/v1' \\\n  --noproxy '*' \\\n";
        assert!(line.starts_with(start), "{line}");
    }

    #[test]
    fn a_shell_accepts_it() {
        let status = Command::new("sh").args(["-n", "-c", &curl(&request())]).stdin(Stdio::null()).status().unwrap();
        assert!(status.success());
    }

    #[test]
    fn what_could_act_on_a_terminal_is_the_same_json_otherwise_written() {
        let body = serde_json::json!({ "model": "a\u{9b}2J\u{202e}b\u{7f} é" }).to_string();
        let shown = visible(&body);
        assert_eq!(shown, "{\"model\":\"a\\u009b2J\\u202eb\\u007f é\"}");
        let read = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
        assert_eq!(read(&shown), read(&body));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn a_shell_reads_a_quoted_text_as_it_was(text in "[ -~\\n\u{e9}\u{4e2d}]{0,40}") {
            let output = Command::new("sh")
                .args(["-c", &format!("printf %s {}", quoted(&text))])
                .stdin(Stdio::null())
                .output()
                .unwrap();
            prop_assert_eq!(String::from_utf8(output.stdout).unwrap(), text);
        }
    }
}
