//! Further request headers. Their values may be secrets and are never repeated.

use super::super::environment::Variable;
use super::super::fields::Fields;
use super::super::mistakes::Mistake;
use super::super::node::{Key, Node};
use super::super::table::HEADER;
use super::super::values;
use super::Context;
use super::layers::{Origin, Origins};
use crate::target::KeyHeader;

/// Headers that belong to the connection or to the dialect: to set them would break every request.
const OURS: [&str; 9] = [
    "host",
    "content-length",
    "content-type",
    "transfer-encoding",
    "connection",
    "accept",
    "accept-encoding",
    "te",
    "upgrade",
];

/// The headers of a provider, in the order of the text.
pub(super) fn resolve(
    context: &mut Context<'_>,
    own: Fields<'_, '_>,
    key_header: &KeyHeader,
    origins: &mut Origins,
) -> Vec<(String, String)> {
    let key_header = match key_header {
        KeyHeader::Bearer => "authorization",
        KeyHeader::Named(name) => name,
    };
    let mut headers: Vec<(String, String)> = Vec::new();
    for (key, node) in own.map("headers") {
        origins.set("headers", Origin::Provider);
        let name = &*key.text;
        let twice = headers.iter().any(|(known, _)| known.eq_ignore_ascii_case(name));
        let refused = if name.eq_ignore_ascii_case(key_header) {
            Some((
                "is the header of the key",
                "say where the key comes from under `api_key`, and its header under `key_header`",
            ))
        } else if OURS.iter().any(|ours| ours.eq_ignore_ascii_case(name)) {
            Some(("is set by pilotlight", "remove the line"))
        } else if twice {
            Some(("is written twice: case does not matter in headers", "keep one of them"))
        } else {
            None
        };
        if let Some((reason, fix)) = refused {
            context.report(Mistake::at(key.span, format!("`{name}` {reason}")).fix(fix));
        } else if let Some(value) = value(context, key, node) {
            headers.push((name.to_owned(), value));
        }
    }
    headers
}

/// A value that is written, or that of a variable.
fn value(context: &mut Context<'_>, key: &Key<'_>, node: &Node<'_>) -> Option<String> {
    if let Some(text) = node.text() {
        return Some(text.to_owned());
    }
    let fields = Fields::of(node, &HEADER)?;
    let variable = fields.text("env")?;
    let reason = match context.environment.look_up(variable) {
        Variable::Text(text) if values::header_value(text).is_ok() => return Some(text.to_owned()),
        Variable::Text(_) => "has a character in it that a header cannot have",
        Variable::NotText => "is not UTF-8 text",
        Variable::Unset => "is not set",
    };
    // The name was checked already, unless it is a mistake of its own.
    if values::variable(variable).is_ok() {
        context.report(
            Mistake::at(
                fields.span_of("env"),
                format!("the variable {variable}, which the header {} needs, {reason}", key.text),
            )
            .fix(format!("set {variable}, or remove the header: without it requests would not be those you meant")),
        );
    }
    None
}
