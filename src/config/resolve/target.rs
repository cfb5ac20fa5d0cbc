//! Targets: each at a provider that is there, under a name of its own.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::super::fields::{Fields, number, word};
use super::super::keys::nearest;
use super::super::mask::quote;
use super::super::mistakes::Mistake;
use super::super::node::{Node, Span};
use super::super::table::{ASSUME, AUTH, DEFAULTS, EXPECT, TARGET, WARM};
use super::super::words::{DEPTHS, KINDS};
use super::super::{Config, Subject};
use super::layers::{Layers, Origin, Origins};
use super::{Context, KnownProvider, assume, expect, schedule};
use crate::plan::TargetSchedule;
use crate::target::{Depth, Family, Kind, ModelId, Provider, Target, TargetId};

/// How many tokens a warm-up asks for: fewer are refused by some LLMs.
const MAX_OUTPUT_TOKENS: u32 = 16;
/// How many known names an error lists.
const LISTED: usize = 20;

/// Resolves all targets into the configuration.
pub(super) fn targets<'n, 'a>(
    context: &mut Context<'_>,
    root: &Fields<'n, 'a>,
    providers: &mut BTreeMap<&'n str, KnownProvider<'n, 'a>>,
    config: &mut Config,
) {
    let defaults = root.section("defaults", &DEFAULTS);
    if let Some(defaults) = defaults {
        // Once, rather than once for each target that takes them.
        let layers = [(Origin::Defaults, defaults.section("expect", &EXPECT))];
        expect::resolve(context, layers, defaults.span, &mut Origins::default());
    }
    let mut names: HashMap<&str, Span> = HashMap::new();
    let mut llms: HashMap<(&str, &str), &str> = HashMap::new();
    for node in root.items("targets") {
        let Some(own) = Fields::of(node, &TARGET) else {
            continue;
        };
        context.subject = own.text("name").and_then(|name| TargetId::new(name).ok()).map(Subject::Target);
        if let (Some(name), Some(node)) = (own.text("name"), own.get("name"))
            && let Some(first) = names.insert(name, node.span)
        {
            context.report(
                Mistake::at(node.span, format!("two targets are named {}", quote(name)))
                    .label("again here")
                    .also(first, "first here")
                    .fix("give each a name of its own"),
            );
        }
        if let (Some(name), Some(provider), Some(model)) = (own.text("name"), own.text("provider"), own.text("model"))
            && let Some(first) = llms.insert((provider, model), name)
        {
            context.note(own.span, format!("{} probes the same model as {}", quote(name), quote(first)));
        }
        resolve(context, own, defaults, providers, config);
    }
    context.subject = None;
    if root.get("targets").and_then(Node::items).is_some_and(<[_]>::is_empty) {
        context.report(
            Mistake::at(root.span_of("targets"), "there are no targets, so there is nothing to probe")
                .fix("add one, such as `- { name: glm, provider: synthetic, model: \"hf:zai-org/GLM-4.6\" }`"),
        );
    }
}

/// Resolves one target.
fn resolve<'n, 'a>(
    context: &mut Context<'_>,
    own: Fields<'n, 'a>,
    defaults: Option<Fields<'n, 'a>>,
    providers: &mut BTreeMap<&'n str, KnownProvider<'n, 'a>>,
    config: &mut Config,
) {
    let mut origins = Origins::default();
    let provider = own.get("provider").and_then(|node| {
        let name = node.text()?;
        // Where there are no providers at all, that is the mistake.
        if !providers.contains_key(name) && !providers.is_empty() {
            let known: Vec<&str> = providers.keys().copied().collect();
            context.report(unknown_provider(node, name, &known));
        }
        providers.get_mut(name)
    });
    let expect = {
        let of = |fields: Option<Fields<'n, 'a>>| fields.and_then(|fields| fields.section("expect", &EXPECT));
        let layers = [
            (Origin::Target, of(Some(own))),
            (Origin::Provider, provider.as_ref().and_then(|provider| provider.expect)),
            (Origin::Defaults, of(defaults)),
        ];
        expect::resolve(context, layers, own.span, &mut origins)
    };
    let layers = Layers::new([(Origin::Target, Some(own)), (Origin::Defaults, defaults)]);
    let depth = layers.value(&mut origins, "depth", Depth::Warm, |node| word(&DEPTHS, node));
    let max_output_tokens = layers.value(&mut origins, "max_output_tokens", MAX_OUTPUT_TOKENS, |node| {
        number(node).and_then(|number| u32::try_from(number).ok())
    });
    let kind = own.get("kind").and_then(|node| {
        origins.set("kind", Origin::Target);
        word(&KINDS, node)
    });
    let mut section = |key: &'static str, section| {
        let (origin, node) = layers.find(key)?;
        origins.set(key, origin);
        Fields::of(node, section)
    };
    let auth = section("auth", &AUTH).and_then(|fields| schedule::auth(context, fields));
    let warm_fields = section("warm", &WARM);
    let warm = warm_fields.and_then(|fields| schedule::warm(context, fields));
    let assumed = {
        let of = |fields: Option<Fields<'n, 'a>>| fields.and_then(|fields| fields.section("assume", &ASSUME));
        let layers = [
            (Origin::Target, of(Some(own))),
            (Origin::Provider, provider.as_ref().and_then(|provider| provider.assume)),
            (Origin::Defaults, of(defaults)),
        ];
        assume::resolve(context, layers, warm.as_ref())
    };
    let tags = tags(own, defaults, &mut origins);

    let Some(provider) = provider else { return };
    provider.used = true;
    let Some(resolved) = &provider.resolved else {
        return;
    };
    let (Some(name), Some(model)) = (own.text("name"), own.get("model")) else {
        return;
    };
    let (Ok(id), Some(model_id)) = (TargetId::new(name), model.text()) else {
        return;
    };
    hints(context, &resolved.provider, model, model_id, warm_fields);
    if auth.is_some() || warm.is_some() {
        let schedule = TargetSchedule { target: id.clone(), auth, warm };
        config.schedules.insert(id.clone(), schedule);
    }
    if !assumed.is_empty() {
        config.assumptions.insert(id.clone(), assumed);
    }
    config.target_origins.insert(id.clone(), origins);
    config.targets.push(Target {
        id,
        provider: Arc::clone(&resolved.provider),
        model: ModelId::new(model_id),
        kind: kind.unwrap_or(Kind::Chat),
        depth,
        tags,
        expect,
        max_output_tokens,
        line: own.span_of("name").line,
    });
}

/// The tags of the defaults, then the target's own, each once.
fn tags(own: Fields<'_, '_>, defaults: Option<Fields<'_, '_>>, origins: &mut Origins) -> Vec<String> {
    let mut tags: Vec<String> = Vec::new();
    let layers = [(Origin::Defaults, defaults), (Origin::Target, Some(own))];
    for (origin, fields) in layers {
        let Some(fields) = fields else { continue };
        let items = fields.items("tags");
        for text in items.iter().filter_map(Node::text) {
            if tags.iter().all(|tag| tag != text) {
                tags.push(text.to_owned());
            }
        }
        if !items.is_empty() {
            origins.set("tags", origin);
        }
    }
    tags
}

/// What is allowed and probably not meant.
fn hints(context: &mut Context<'_>, provider: &Provider, model: &Node<'_>, id: &str, warm: Option<Fields<'_, '_>>) {
    let routed = ["hf:", "syn:"].iter().any(|prefix| id.starts_with(prefix));
    if provider.family == Family::Synthetic && !routed {
        context
            .note(model.span, format!("the ids of Synthetic begin with `hf:` or `syn:`, and {} does not", quote(id)));
    }
    if let Some(warm) = warm
        && !provider.unloads
    {
        context.note(
            warm.span,
            format!(
                "warming buys nothing here: no model of {} is known to unload; `auth` checks it for free",
                provider.title
            ),
        );
    }
}

fn unknown_provider(node: &Node<'_>, name: &str, known: &[&str]) -> Mistake {
    let mistake = Mistake::at(node.span, format!("there is no provider {}", quote(name)));
    if let Some(near) = nearest(name, known.iter().copied()) {
        return mistake.label(format!("did you mean `{near}`?"));
    }
    if super::super::presets::names().any(|preset| preset == name) {
        return mistake.fix(format!("add it under `providers`: `{name}: {{ preset: {name} }}`"));
    }
    mistake.fix(format!("the providers are: {}", some_of(known)))
}

/// The first of some names, and how many more there are.
pub(super) fn some_of(names: &[&str]) -> String {
    let mut out = names.iter().take(LISTED).copied().collect::<Vec<_>>().join(", ");
    let more = names.len().saturating_sub(LISTED);
    if more > 0 {
        out.push_str(&format!(" and {more} more"));
    }
    out
}
