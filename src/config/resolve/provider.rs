//! Providers: a preset with what probes.yaml lays over it.

use std::sync::Arc;

use super::super::fields::{Fields, boolean, number, word};
use super::super::keep_alive::keep_alive;
use super::super::keys::nearest;
use super::super::mask::quote;
use super::super::mistakes::Mistake;
use super::super::node::{Node, Span};
use super::super::presets;
use super::super::table::{CATALOGUE, FREE_CHECK, PROVIDER};
use super::super::words::{CAP_FIELDS, DIALECTS, FAMILIES, PROVES, REASONING, SHAPES, STATES};
use super::layers::{Layers, Origin, Origins};
use super::{Context, address, credential, headers, network, quota};
use crate::quota::QuotaSettings;
use crate::target::{
    BaseUrl, CapField, Catalogue, CatalogueShape, CredentialSource, Dialect, Family, FreeCheck, FreeCheckProves,
    KeyHeader, Provider, ProviderId, ReasoningOff, Secret,
};

/// How many probes may run at once where neither the preset nor probes.yaml says.
const CONCURRENCY: usize = 8;

/// A provider with what belongs to it elsewhere.
pub(super) struct Resolved {
    pub(super) provider: Arc<Provider>,
    pub(super) quota: QuotaSettings,
    pub(super) origins: Origins,
}

/// What a provider is named and where.
pub(super) struct Named<'n, 'a> {
    pub(super) id: ProviderId,
    pub(super) span: Span,
    pub(super) own: Fields<'n, 'a>,
}

/// Resolves one provider. `None` where something in it is wrong, which is reported.
pub(super) fn resolve(
    context: &mut Context<'_>,
    named: Named<'_, '_>,
    defaults: Option<Fields<'_, '_>>,
) -> Option<Resolved> {
    let own = named.own;
    let preset_name = preset_name(context, &named)?;
    let preset = presets::read(preset_name)?;
    let layers = Layers::new([(Origin::Provider, Some(own)), (Origin::Preset, Fields::of(&preset, &PROVIDER))]);
    let mut origins = Origins::default();
    if own.get("preset").is_some() {
        origins.set("preset", Origin::Provider);
    }
    let dialect = layers.value(&mut origins, "dialect", Dialect::OpenAi, |node| word(&DIALECTS, node));
    let key_header = key_header(&layers, &mut origins);
    let headers = headers::resolve(context, own, &key_header, &mut origins);
    let base_url = address::resolve(context, &named, &layers, dialect, &mut origins)?;
    let key = credential::resolve(context, &named, &layers, &base_url, &mut origins)?;

    let network = network::resolve(context, &named, defaults, &base_url, &mut origins);

    let mut provider = Provider {
        preset: preset_name.to_owned(),
        family: layers.value(&mut origins, "family", Family::Generic, |node| word(&FAMILIES, node)),
        title: layers.value(&mut origins, "title", named.id.to_string(), |node| node.text().map(str::to_owned)),
        dialect,
        base_url,
        key,
        key_header,
        key_prefix: layers.text_or_none(&mut origins, "key_prefix"),
        key_page: layers.text_or_none(&mut origins, "key_page"),
        billing_page: layers.text_or_none(&mut origins, "billing_page"),
        status_page: layers.text_or_none(&mut origins, "status_page"),
        headers: headers.into_iter().map(|(name, value)| (name, Secret::new(value))).collect(),
        free_check: free_check(context, &named, &layers, &mut origins),
        catalogue: catalogue(context, &named, &layers, &mut origins),
        state: layers.value(&mut origins, "state", None, |node| Some(word(&STATES, node))),
        cap_field: layers.value(&mut origins, "cap_field", CapField::default(), |node| word(&CAP_FIELDS, node)),
        reasoning_off: layers
            .value(&mut origins, "reasoning_off", ReasoningOff::default(), |node| word(&REASONING, node)),
        unloads: layers.value(&mut origins, "unloads", true, boolean),
        concurrency: layers.value(&mut origins, "concurrency", CONCURRENCY, |node| {
            number(node).and_then(|number| usize::try_from(number).ok())
        }),
        network,
        keep_alive: layers
            .value(&mut origins, "keep_alive", None, |node| Some(node.text().and_then(|text| keep_alive(text).ok()))),
        id: named.id.clone(),
    };
    if let Some(node) = own.get("keep_alive")
        && dialect != Dialect::Ollama
    {
        context.note(node.span, "`keep_alive` is sent to Ollama's own API only (`dialect: ollama`)");
    }
    doubt_the_list(context, &named, &layers, &mut provider);
    let quota = quota::quota(context, own, &layers, &provider, &mut origins);
    Some(Resolved { provider: Arc::new(provider), quota, origins })
}

/// The preset that is named, or the one that stands for the dialect.
fn preset_name(context: &mut Context<'_>, named: &Named<'_, '_>) -> Option<&'static str> {
    let own = named.own;
    if let Some(node) = own.get("preset") {
        let name = node.text()?;
        if let Some(known) = presets::names().find(|known| *known == name) {
            return Some(known);
        }
        let mistake = Mistake::at(node.span, format!("there is no preset {}", quote(name))).fix(format!(
            "the presets are: {}; any other API needs `dialect` and `base_url`",
            presets::names().collect::<Vec<_>>().join(", ")
        ));
        context.report(match nearest(name, presets::names()) {
            Some(near) => mistake.label(format!("did you mean `{near}`?")),
            None => mistake,
        });
        return None;
    }
    if own.mentions("preset") {
        return None;
    }
    if own.mentions("dialect") {
        return word(&DIALECTS, own.get("dialect")?).map(presets::plain);
    }
    let mistake =
        Mistake::at(named.span, format!("the provider `{}` has neither a `preset` nor a `dialect`", named.id));
    let fix = if presets::names().any(|preset| preset == named.id.as_str()) {
        format!("add `preset: {}`", named.id)
    } else {
        "add `preset: …` (docs/presets.md), or `dialect: openai` and `base_url: …`".to_owned()
    };
    context.report(mistake.fix(fix));
    None
}

/// The header that carries the key.
fn key_header(layers: &Layers<'_, '_>, origins: &mut Origins) -> KeyHeader {
    layers.value(origins, "key_header", KeyHeader::Bearer, |node| {
        node.text().map(|text| {
            if text.eq_ignore_ascii_case("bearer") { KeyHeader::Bearer } else { KeyHeader::Named(text.to_owned()) }
        })
    })
}

/// The request that proves the key.
fn free_check(
    context: &mut Context<'_>,
    named: &Named<'_, '_>,
    layers: &Layers<'_, '_>,
    origins: &mut Origins,
) -> Option<FreeCheck> {
    let inner = section(context, named, layers, origins, "free_check", &FREE_CHECK)?;
    let mut unseen = Origins::default();
    Some(FreeCheck {
        path: inner.value(&mut unseen, "path", String::new(), |node| node.text().map(str::to_owned)),
        proves: inner.value(&mut unseen, "proves", FreeCheckProves::Key, |node| word(&PROVES, node)),
        name: inner.value(&mut unseen, "name", "the free check".to_owned(), |node| node.text().map(str::to_owned)),
    })
}

/// A preset's list of models is known to refuse a wrong key at the preset's own address. At another one (a gateway, a
/// mirror, a server of one's own) nobody knows, and many answer anybody; so there the list proves no key, unless
/// `free_check` is written out. A dedicated endpoint (a quota, a balance) cannot be answered without knowing the account.
fn doubt_the_list(context: &mut Context<'_>, named: &Named<'_, '_>, layers: &Layers<'_, '_>, provider: &mut Provider) {
    let preset_url = layers.behind("base_url").and_then(Node::text).and_then(|text| BaseUrl::parse(text).ok());
    let elsewhere = preset_url.is_some_and(|preset| preset.join("").origin() != provider.base_url.join("").origin());
    if !elsewhere || named.own.get("free_check").is_some() {
        return;
    }
    let Some(check) = provider.free_check.as_mut().filter(|check| check.proves == FreeCheckProves::Key) else {
        return;
    };
    let bare = |path: &str| path.split('?').next().unwrap_or_default().to_owned();
    let lists = layers.section("catalogue", &CATALOGUE);
    let preset_list = lists.behind("path").and_then(Node::text);
    let own_list = provider.catalogue.as_ref().map(|catalogue| catalogue.path.as_str());
    if !preset_list.into_iter().chain(own_list).any(|list| bare(list) == bare(&check.path)) {
        return;
    }
    check.proves = FreeCheckProves::Reachable;
    let says_public = named.own.section("catalogue", &CATALOGUE).is_some_and(|own| own.get("public").is_some());
    if let Some(catalogue) = provider.catalogue.as_mut().filter(|_| !says_public) {
        catalogue.public = true;
    }
    if provider.key != CredentialSource::NotNeeded {
        let text = format!(
            "that {} at {} answers does not prove the key: if it refuses a wrong one, write `free_check: {{ path: {}, proves: key }}`",
            check.name,
            provider.base_url.host(),
            check.path
        );
        context.note(named.own.span_of("base_url"), text);
    }
}

/// The list of LLMs.
fn catalogue(
    context: &mut Context<'_>,
    named: &Named<'_, '_>,
    layers: &Layers<'_, '_>,
    origins: &mut Origins,
) -> Option<Catalogue> {
    let inner = section(context, named, layers, origins, "catalogue", &CATALOGUE)?;
    let mut unseen = Origins::default();
    Some(Catalogue {
        path: inner.value(&mut unseen, "path", String::new(), |node| node.text().map(str::to_owned)),
        shape: inner.value(&mut unseen, "shape", CatalogueShape::Data, |node| word(&SHAPES, node)),
        public: inner.value(&mut unseen, "public", false, boolean),
        id_prefix: inner.text_or_none(&mut unseen, "id_prefix"),
        partial: inner.value(&mut unseen, "partial", false, boolean),
    })
}

/// The layers of a mapping within, which must have a path between them. `None` where it is switched off or not there.
fn section<'n, 'a>(
    context: &mut Context<'_>,
    named: &Named<'_, '_>,
    layers: &Layers<'n, 'a>,
    origins: &mut Origins,
    key: &'static str,
    table: &'static super::super::keys::Section,
) -> Option<Layers<'n, 'a>> {
    let (origin, _) = layers.find(key)?;
    origins.set(key, origin);
    let inner = layers.section(key, table);
    if inner.is_empty() {
        return None;
    }
    if inner.find("path").is_none() {
        context.report(Mistake::at(named.own.span_of(key), format!("`{key}` has no `path`")).fix("add `path: models`"));
    }
    Some(inner)
}
