//! Where a provider's key comes from. Only the place is settled here; the key is not read.

use std::path::PathBuf;

use super::super::fields::{Fields, boolean};
use super::super::mask::is_reference;
use super::super::mistakes::Mistake;
use super::super::node::{Node, Value};
use super::super::table::CREDENTIAL;
use super::Context;
use super::layers::{Layers, Origin, Origins};
use super::provider::Named;
use crate::target::{BaseUrl, CredentialSource, Secret};

/// The source of the key. `None` where something about it is wrong, which is reported.
pub(super) fn resolve(
    context: &mut Context<'_>,
    named: &Named<'_, '_>,
    layers: &Layers<'_, '_>,
    base_url: &BaseUrl,
    origins: &mut Origins,
) -> Option<CredentialSource> {
    let Some((origin, node)) = layers.find("api_key") else {
        if named.own.mentions("api_key") {
            return None;
        }
        if base_url.is_loopback() {
            return Some(CredentialSource::NotNeeded);
        }
        context.report(
            Mistake::at(named.span, format!("the provider `{}` has no `api_key`", named.id))
                .fix("add `api_key: { env: NAME }`, or `api_key: none` if the server asks for no key"),
        );
        return None;
    };
    origins.set("api_key", origin);
    let source = match &node.value {
        Value::Scalar(scalar) if scalar.text == "none" => CredentialSource::NotNeeded,
        Value::Scalar(scalar) => literal(context, node, &scalar.text, base_url)?,
        Value::Mapping(_) => place(context, Fields::of(node, &CREDENTIAL)?)?,
        Value::Null | Value::Sequence(_) => return None,
    };
    if source != CredentialSource::NotNeeded {
        hints(context, named, layers, base_url, (origin, &source));
    }
    Some(source)
}

/// A key that is written in the file. None of its characters is repeated.
fn literal(context: &mut Context<'_>, node: &Node<'_>, text: &str, base_url: &BaseUrl) -> Option<CredentialSource> {
    if is_reference(text) {
        let name = text.trim_start_matches('$').trim_matches(['{', '}']);
        context.report(
            Mistake::at(node.span, "this names a variable where a key would stand")
                .fix(format!("write `api_key: {{ env: {name} }}`")),
        );
        return None;
    }
    if base_url.is_loopback() {
        return Some(CredentialSource::Literal(Secret::new(text.to_owned())));
    }
    context.report(
        Mistake::at(
            node.span,
            format!("a key is written in this file, and {} is not this machine", base_url.host()),
        )
        .fix("put it into a variable or a file: `api_key: { env: NAME }` or `{ file: PATH }`; then replace the key, for this file may have been shared"),
    );
    None
}

/// Exactly one of `env`, `file` and `command`.
fn place(context: &mut Context<'_>, fields: Fields<'_, '_>) -> Option<CredentialSource> {
    let written: Vec<&str> = ["env", "file", "command"].into_iter().filter(|key| fields.mentions(key)).collect();
    match written.as_slice() {
        [_] => {}
        [] => {
            context.report(
                Mistake::at(fields.span, "`api_key` says neither `env`, `file` nor `command`")
                    .fix("write `api_key: { env: NAME }`"),
            );
            return None;
        }
        [first, second, ..] => {
            context.report(
                Mistake::at(fields.span_of(second), format!("`api_key` says both `{first}` and `{second}`"))
                    .fix("keep one of them; several variables are `env: [A, B]`"),
            );
            return None;
        }
    }
    let optional = fields.get("optional").and_then(boolean) == Some(true);
    if optional && fields.get("env").is_none() {
        context.report(
            Mistake::at(fields.span_of("optional"), "`optional` goes with `env`").fix("remove it, or name a variable"),
        );
    }
    if let Some(node) = fields.get("env") {
        return variable(context, node, optional);
    }
    if let Some(path) = fields.text("file") {
        return Some(CredentialSource::File(PathBuf::from(path)));
    }
    let node = fields.get("command")?;
    let words: Vec<String> = node.items()?.iter().filter_map(Node::text).map(str::to_owned).collect();
    if words.first().is_none_or(String::is_empty) {
        context
            .report(Mistake::at(node.span, "`command` names no program").fix("write `command: [pass, show, openai]`"));
        return None;
    }
    Some(CredentialSource::Command(words))
}

/// The first variable that is set, else the first. That it is set is looked at, what it holds is not.
fn variable(context: &Context<'_>, node: &Node<'_>, optional: bool) -> Option<CredentialSource> {
    let names: Vec<&str> = match node.text() {
        Some(name) => vec![name],
        None => node.items()?.iter().filter_map(Node::text).collect(),
    };
    let set = names.iter().find(|name| context.environment.get(name).is_some_and(|value| !value.is_empty()));
    match set.or(names.first()) {
        Some(_) if set.is_none() && optional => Some(CredentialSource::NotNeeded),
        Some(name) => Some(CredentialSource::Env((*name).to_owned())),
        None => None,
    }
}

/// Where a key goes that may not be meant to go there.
fn hints(
    context: &mut Context<'_>,
    named: &Named<'_, '_>,
    layers: &Layers<'_, '_>,
    base_url: &BaseUrl,
    (origin, source): (Origin, &CredentialSource),
) {
    let span = named.own.span_of("base_url");
    if !base_url.is_https() && !base_url.is_loopback() {
        context.note(span, format!("the key of `{}` is sent to {} without encryption", named.id, base_url.host()));
    }
    let preset_host =
        layers.behind("base_url").and_then(Node::text).and_then(|text| BaseUrl::parse(text).ok()).map(|url| url.host());
    if let Some(preset_host) = preset_host
        && origin == Origin::Preset
        && preset_host != base_url.host()
    {
        context.note(
            span,
            format!(
                "`base_url` leads to {} instead of {preset_host}, and {source} is still what is sent there",
                base_url.host()
            ),
        );
    }
}
