//! From the tree to what it means: layers are merged, names are looked up, and what depends on more than one value is
//! judged. Everything wrong is collected; nothing stops at the first.

mod address;
mod assume;
mod credential;
mod expect;
mod gates;
mod headers;
mod lasting;
mod layers;
mod maintenance;
mod network;
mod provider;
mod quota;
mod schedule;
mod target;

use std::collections::BTreeMap;
use std::path::Path;

pub(super) use layers::{Origin, Origins};

use super::environment::Environment;
use super::fields::Fields;
use super::mistakes::Mistake;
use super::node::{Node, Span};
use super::table::{ASSUME, DEFAULTS, EXPECT, PROVIDER, ROOT};
use super::zones::Zones;
use super::{Config, Note, Subject};
use crate::plan::CronBook;
use crate::target::{ProviderId, TargetId};

/// What every part of the resolution needs.
struct Context<'c> {
    environment: &'c Environment,
    directory: &'c Path,
    mistakes: &'c mut Vec<Mistake>,
    notes: Vec<Note>,
    /// What is being resolved, for the notes on it.
    subject: Option<Subject>,
    zones: Zones,
    crons: CronBook,
}

impl Context<'_> {
    fn report(&mut self, mistake: Mistake) {
        self.mistakes.push(mistake);
    }

    fn note(&mut self, span: Span, text: impl Into<String>) {
        let about = self.subject.iter().cloned().collect();
        self.notes.push(Note { line: span.line, text: text.into(), about });
    }
}

/// A provider as its targets see it.
struct KnownProvider<'n, 'a> {
    /// `None` where it has a mistake, which is reported; its targets are not to blame.
    resolved: Option<provider::Resolved>,
    expect: Option<Fields<'n, 'a>>,
    assume: Option<Fields<'n, 'a>>,
    span: Span,
    used: bool,
}

/// Makes a configuration of a tree whose shape was checked. Mistakes are added; where there are any, what is returned
/// is incomplete.
pub(super) fn resolve(
    root: &Node<'_>,
    path: &Path,
    environment: &Environment,
    mistakes: &mut Vec<Mistake>,
) -> Option<Config> {
    let directory = path.parent().unwrap_or(Path::new(""));
    let fields = Fields::of(root, &ROOT)?;
    let mut context = Context {
        environment,
        directory,
        mistakes,
        notes: Vec::new(),
        subject: None,
        zones: Zones::default(),
        crons: CronBook::default(),
    };
    let mut config = Config::empty(path, directory);
    let mut known = providers(&mut context, &fields);
    target::targets(&mut context, &fields, &mut known, &mut config);
    config.gates = gates::gates(&mut context, &fields);
    config.damping = lasting::damping(&fields);
    config.retention = lasting::retention(&fields);
    config.witness = lasting::witness(&mut context, &fields);
    config.maintenance = maintenance::maintenance(&mut context, &fields, &config.targets);
    // In the order of the text, which a map of names does not keep.
    let mut used: Vec<(&str, KnownProvider<'_, '_>)> = known.into_iter().collect();
    used.sort_by_key(|(_, provider)| provider.span.start);
    for (name, provider) in used {
        if !provider.used {
            context.subject = ProviderId::new(name).ok().map(Subject::Provider);
            context.note(provider.span, format!("no target uses the provider `{name}`"));
        }
        if let Some(resolved) = provider.resolved {
            let id = resolved.provider.id.clone();
            config.quotas.insert(id.clone(), resolved.quota);
            config.provider_origins.insert(id, resolved.origins);
            config.providers.push(resolved.provider);
        }
    }
    context.notes.sort_by(|a, b| (a.line, &a.text).cmp(&(b.line, &b.text)));
    // What `defaults` says is noted for each target that takes it, and is one note about all of them.
    context.notes.dedup_by(|later, first| {
        let same = later.line == first.line && later.text == first.text;
        if same {
            first.about.append(&mut later.about);
        }
        same
    });
    config.notes = context.notes;
    Some(config)
}

/// All providers, by name.
fn providers<'n, 'a>(context: &mut Context<'_>, root: &Fields<'n, 'a>) -> BTreeMap<&'n str, KnownProvider<'n, 'a>> {
    let mut known = BTreeMap::new();
    let defaults = root.section("defaults", &DEFAULTS);
    if let Some(defaults) = defaults {
        network::check_defaults(context, defaults);
    }
    for (key, node) in root.map("providers") {
        let own = Fields::of(node, &PROVIDER);
        let resolved = match (ProviderId::new(&key.text), own) {
            (Ok(id), Some(own)) => {
                context.subject = Some(Subject::Provider(id.clone()));
                provider::resolve(context, provider::Named { id, span: key.span, own }, defaults)
            }
            _ => None,
        };
        known.insert(
            &*key.text,
            KnownProvider {
                resolved,
                expect: own.and_then(|own| own.section("expect", &EXPECT)),
                assume: own.and_then(|own| own.section("assume", &ASSUME)),
                span: key.span,
                used: false,
            },
        );
    }
    if known.is_empty() && root.get("providers").is_some() {
        context.report(
            Mistake::at(root.span_of("providers"), "there are no providers")
                .fix("add one, such as `synthetic: { preset: synthetic }`"),
        );
    }
    known
}

/// The tables of origins, for `show`.
pub(super) type ProviderOrigins = BTreeMap<ProviderId, Origins>;
/// The tables of origins, for `show`.
pub(super) type TargetOrigins = BTreeMap<TargetId, Origins>;
