//! What is judged by more than one value: what a list proves at another address, the file of authorities, and which
//! notes concern what is selected.

use super::*;
use crate::target::KeepAlive;

#[test]
fn a_list_proves_a_key_only_where_it_is_known_to() {
    let proven = |keys: &str| {
        let provider = Arc::clone(&with_provider(keys).providers[0]);
        (provider.free_check.as_ref().unwrap().proves, provider.catalogue.as_ref().unwrap().public)
    };
    let (key, open) = ((FreeCheckProves::Key, false), (FreeCheckProves::Reachable, true));
    for (keys, expected) in [
        ("preset: openai", key),
        ("preset: openai, base_url: 'https://API.openai.com:443/v2'", key),
        ("preset: openai, base_url: 'https://proxy.example.com/v1'", open),
        ("preset: openai, base_url: 'http://127.0.0.1:8000/v1'", open),
        ("preset: openai, base_url: 'https://api.openai.com:8443/v1'", open),
        ("preset: openai, base_url: 'https://proxy.example.com/v1', catalogue: { path: other }", open),
        ("preset: openai, base_url: 'https://proxy.example.com/v1', free_check: { proves: key }", key),
        ("preset: anthropic, base_url: 'https://proxy.example.com'", open),
        // The account's own endpoint cannot be answered without knowing the account.
        ("preset: moonshot, base_url: 'https://proxy.example.com/v1'", key),
    ] {
        assert_eq!(proven(keys), expected, "{keys}");
    }
    let synthetic = with_provider("preset: synthetic, base_url: 'http://127.0.0.1:1/openai/v1'");
    assert_eq!(synthetic.providers[0].free_check.as_ref().unwrap().proves, FreeCheckProves::Key);
    let shown = with_provider("preset: openai, base_url: 'https://proxy.example.com/v1'").show();
    assert!(shown.contains("proves: reachable"), "{shown}");
}

#[test]
fn the_time_to_keep_a_model_is_read_and_shown() {
    for (text, expected) in
        [("30m", KeepAlive::For(std::time::Duration::from_secs(1800))), ("forever", KeepAlive::Forever)]
    {
        let config = with_provider(&format!("preset: ollama, keep_alive: {text}"));
        assert_eq!(config.providers[0].keep_alive, Some(expected));
        assert!(config.show().contains(&format!("keep_alive: {text}  # provider")), "{}", config.show());
    }
}

#[test]
fn authorities_are_looked_for_beside_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("probes.yaml");
    let text = "version: 1\nproviders: { p: { preset: openai, ca_file: ca.pem } }\ntargets: [{ name: t, provider: p, model: m }]\n";
    let reason = || match load_bytes(&path, text.as_bytes(), &environment()) {
        Ok(_) => "none".to_owned(),
        Err(LoadError::Mistakes(mistakes)) => {
            mistakes.lines().map(|(line, reason)| format!("{line}: {reason}")).collect()
        }
        Err(other) => panic!("{other}"),
    };
    let file = folder.path().join("ca.pem");
    assert_eq!(reason(), format!("2: there is no file `{}`", file.display()));
    std::fs::write(&file, "not a certificate").unwrap();
    assert!(reason().ends_with("holds no certificate in PEM form"), "{}", reason());
    std::fs::write(&file, "-----BEGIN CERTIFICATE-----\n").unwrap();
    assert_eq!(reason(), "none");
    #[cfg(unix)]
    {
        std::fs::remove_file(&file).unwrap();
        assert!(std::process::Command::new("mkfifo").arg(&file).status().unwrap().success());
        assert_eq!(reason(), format!("2: `{}` is no regular file", file.display()));
    }
}

#[test]
fn notes_are_of_what_is_selected_and_many_are_one() {
    let mut text = "version: 1\ndefaults: { warm: { during: 'Mon 08:00-09:00' } }\n\
                    providers: { s: { preset: synthetic }, o: { preset: openai }, x: { preset: openai } }\ntargets:\n\
                    - { name: first, provider: o, model: m }\n"
        .to_owned();
    for number in 1..=300 {
        text.push_str(&format!("- {{ name: t{number}, provider: s, model: m{number} }}\n"));
    }
    let config = load_text(&text);
    let select = |names: &[&str]| config.notes_for(&config.select(names, &[], &[]).unwrap());
    let during = "line 2: `during` is meant in UTC, because there is no `timezone` beside it";
    let prefix = |number: u32| {
        format!("line {}: the ids of Synthetic begin with `hf:` or `syn:`, and `m{number}` does not", number + 5)
    };
    assert_eq!(select(&["t7"]), [during.to_owned(), prefix(7)]);
    assert_eq!(select(&["t7", "t8"]), [during.to_owned(), prefix(7), prefix(8)]);
    let all = config.notes_for(&config.targets);
    assert_eq!(all.len(), 3, "{all:#?}");
    assert_eq!(all[2], format!("{} (and 299 more like it)", prefix(1)));
    assert!(config.all_notes().iter().any(|(_, text)| text == "no target uses the provider `x`"));
    assert!(!all.iter().any(|note| note.contains("no target uses")), "{all:#?}");

    let warm = "warm: { timezone: UTC }";
    let same: String = (1..=4).map(|n| format!("- {{ name: t{n}, provider: o, model: m{n}, {warm} }}\n")).collect();
    let config = load_text(&format!("version: 1\nproviders: {{ o: {{ preset: openai }} }}\ntargets:\n{same}"));
    assert!(config.notes_for(&config.targets)[0].ends_with("for free (and 3 more like it)"));
}

#[test]
fn an_unknown_name_lists_ten() {
    let targets: String = (1..=200).map(|n| format!("- {{ name: t{n}, provider: o, model: m{n} }}\n")).collect();
    let config = load_text(&format!("version: 1\nproviders: {{ o: {{ preset: openai }} }}\ntargets:\n{targets}"));
    let error = config.select(&["nonsense"], &[], &[]).unwrap_err().to_string();
    assert_eq!(error, "there is no target `nonsense`. Targets: t1, t2, t3, t4, t5, t6, t7, t8, t9, t10 and 190 more");
}

#[test]
fn what_lasts_is_read_and_has_defaults() {
    let path = |name: &str| package().join("tests/fixtures/config/good").join(name);
    let config = load(&path("everything.yaml"), &environment()).unwrap();
    assert_eq!(config.damping, Damping { fail_after: 3, recover_after: 2 });
    assert_eq!(config.retention.age.as_secs(), 30 * 86400);
    assert_eq!(config.retention.bytes, 64 << 20);
    let Witness::Addresses(addresses) = &config.witness else { panic!() };
    assert_eq!(addresses[1].host(), "2001:db8::1");
    let moment = |text: &str| text.parse::<jiff::Timestamp>().unwrap();
    let ends = |index: usize, at: &str| config.maintenance[index].ends(moment(at));
    assert_eq!(ends(0, "2026-11-22T03:00+01:00"), Some(moment("2026-11-22T04:00+01:00")));
    assert_eq!(ends(0, "2026-12-27T03:00+01:00"), None);
    assert_eq!(ends(1, "2026-12-01T22:00+01:00"), Some(moment("2026-12-02T02:00+01:00")));
    assert_eq!(ends(2, "2026-12-01T22:00+01:00"), Some(moment("2026-12-02T02:00Z")));
    let covered = |index: usize| -> Vec<&str> {
        let about = config.targets.iter().filter(|target| config.maintenance[index].selection.has(target));
        about.map(|target| target.id.as_str()).collect()
    };
    assert_eq!(covered(0).len(), 6);
    assert_eq!(covered(1), ["qwen", "own"]);
    assert_eq!(covered(2), ["glm"]);
    let lead = |config: &Config, name: &str| {
        config.schedules[&crate::target::TargetId::new(name).unwrap()].warm.as_ref().unwrap().lead
    };
    assert_eq!(lead(&config, "glm").unwrap().as_secs(), 180);
    assert_eq!(lead(&config, "qwen"), None);

    let daemon = load(&path("daemon.yaml"), &environment()).unwrap();
    assert_eq!(daemon.damping, Damping { fail_after: 2, recover_after: 5 });
    assert_eq!((daemon.retention.age, daemon.retention.bytes), (Retention::default().age, 1 << 30));
    assert_eq!((&daemon.witness, daemon.maintenance.len()), (&Witness::None, 0));
    assert_eq!(lead(&daemon, "glm"), Some(std::time::Duration::ZERO));

    let smallest = load(&path("smallest.yaml"), &environment()).unwrap();
    assert_eq!((smallest.damping, smallest.retention), (Damping::default(), Retention::default()));
    assert_eq!((smallest.witness, smallest.maintenance), (Witness::Providers, Vec::new()));
}

#[test]
fn times_without_a_zone_and_a_lead_without_a_window_are_noted() {
    let config = load_text(
        "version: 1\nproviders: { s: { preset: synthetic } }\ntargets:\n\
         - { name: a, provider: s, model: 'hf:m', warm: { every: 5m, lead: 3m } }\n\
         maintenance:\n- { during: 'Sun 02:00-04:00' }\n- { from: 2026-12-01T22:00, to: 2026-12-02T02:00Z }\n\
         - { from: 2026-12-01T22:00Z, to: 2026-12-02T02:00Z }\n",
    );
    let expected = "4: `lead` is the time before `during` begins, and there is no `during` beside it\n\
                    6: `during` is meant in UTC, because there is no `timezone` beside it\n\
                    7: `from` is meant in UTC, because there is no `timezone` beside it\n";
    assert_eq!(notes(&config), expected);
}
