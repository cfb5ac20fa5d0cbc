//! How providers are reached, with the release binary: what a proxy gets to see, what the provider gets to see, and what
//! people get to see. The codes of each fault are in `tests/scenarios/networks.yaml`.

use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv6Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Command, Output};

use pilotlight::sim::{Options, Scenario, Simulator};
use serde_json::{Value, json};

const KEY: &str = "syn_hunter2hunter2";
const PASSWORD: &str = "open-sesame";

fn run(folder: &Path, provider: &Value, env: &[(&str, &str)], args: &[&str]) -> Output {
    let path = folder.join("probes.yaml");
    let targets = json!([{ "name": "t", "provider": "p", "model": "m", "expect": { "connect": "2s" } }]);
    fs::write(&path, json!({ "version": 1, "providers": { "p": provider }, "targets": targets }).to_string()).unwrap();
    Command::new(env!("CARGO_BIN_EXE_pilotlight"))
        .args(args)
        .arg("--config")
        .arg(&path)
        .env_clear()
        .env("STATE_DIRECTORY", folder.join("state"))
        .env("PATH", "/usr/bin:/bin")
        .env("KEY", KEY)
        .envs(env.iter().copied())
        .output()
        .unwrap()
}

/// `check` as JSON, one attempt, with everything in the log.
fn check(folder: &Path, provider: &Value, env: &[(&str, &str)]) -> (Value, String) {
    let args = ["check", "--format", "json", "--attempts", "1", "--log-format", "json", "--log-level", "trace"];
    let output = run(folder, provider, env, &args);
    let both = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {both}"));
    (report["results"][0].clone(), both)
}

/// The simulator within this process, so that what its proxies were asked can be looked at.
struct World {
    sim: Simulator,
    folder: tempfile::TempDir,
}

impl World {
    async fn new(listeners: &Value, listen: SocketAddr) -> Self {
        let scenario = json!({
            "flavour": "openai", "models": [{ "id": "m", "first_token": "1ms" }],
            "accounts": [{ "name": "ours", "key": KEY }], "listeners": listeners,
        });
        let scenario = Scenario::from_yaml(&scenario.to_string()).unwrap();
        let sim = Simulator::start(scenario, Options { listen, ..Options::default() }).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("ca.pem"), sim.ca_pem()).unwrap();
        fs::write(folder.path().join("client.pem"), sim.client_pem().unwrap()).unwrap();
        Self { sim, folder }
    }

    fn port(&self, door: &str) -> u16 {
        self.sim.listener(door).unwrap().address.port()
    }

    /// Runs the binary on another thread, for the simulator lives on this one.
    async fn check(&self, provider: &Value, env: &[(&str, &str)]) -> (Value, String) {
        let (folder, provider) = (self.folder.path().to_owned(), provider.clone());
        let env: Vec<(String, String)> = env.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        let run = move || {
            let env: Vec<(&str, &str)> = env.iter().map(|(name, value)| (&**name, &**value)).collect();
            check(&folder, &provider, &env)
        };
        tokio::task::spawn_blocking(run).await.unwrap()
    }
}

fn loopback() -> SocketAddr {
    "127.0.0.1:0".parse().unwrap()
}

fn provider(base_url: &str, more: &Value) -> Value {
    let mut provider =
        json!({ "dialect": "openai", "base_url": base_url, "api_key": { "env": "KEY" }, "ca_file": "ca.pem" });
    provider.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    provider
}

#[tokio::test]
async fn a_proxy_sees_host_and_port_and_nothing_of_the_request() {
    let world = World::new(
        &json!([{ "name": "good", "tls": "good" }, { "name": "strict", "proxy": { "login": format!("me:{PASSWORD}") } }]),
        loopback(),
    )
    .await;
    let target = format!("llm.example.test:{}", world.port("good"));
    let proxy = format!("http://me:{PASSWORD}@127.0.0.1:{}", world.port("strict"));
    let headers = json!({ "headers": { "x-team": "review-team" } });
    let (result, shown) =
        world.check(&provider(&format!("https://{target}/v1"), &headers), &[("HTTPS_PROXY", &proxy)]).await;
    assert_eq!((&result["verdict"], &result["stage"]), (&json!("ready"), &json!("warm")), "{shown}");
    assert_eq!(result["proxy"], json!(format!("http://127.0.0.1:{}", world.port("strict"))));
    assert!(!shown.contains(PASSWORD) && !shown.contains(KEY), "{shown}");

    let asked = world.sim.proxied();
    assert_eq!(asked.len(), 1, "one connection serves the whole probe: {asked:?}");
    let head = asked[0].head.to_ascii_lowercase();
    assert_eq!((asked[0].method.as_str(), &asked[0].target, asked[0].status), ("CONNECT", &target, 200));
    assert!(!head.contains(KEY) && !head.contains("review-team") && !head.contains("/v1"), "{head}");
    let names: Vec<&str> = head.lines().skip(1).filter_map(|line| Some(line.split_once(':')?.0)).collect();
    assert_eq!(names, ["host", "user-agent", "proxy-authorization"], "{head}");
}

#[tokio::test]
async fn the_password_of_a_proxy_reaches_nobody_else() {
    let world =
        World::new(&json!([{ "name": "strict", "proxy": { "login": format!("me:{PASSWORD}") } }]), loopback()).await;
    let origin = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = origin.local_addr().unwrap().port();
    let overheard = std::thread::spawn(move || {
        let (mut stream, _) = origin.accept().unwrap();
        let mut bytes = Vec::new();
        let mut buffer = [0; 4096];
        while !bytes.windows(4).any(|window| window == b"\r\n\r\n") {
            let read = stream.read(&mut buffer).unwrap();
            assert!(read > 0, "the request ended too soon");
            bytes.extend_from_slice(&buffer[..read]);
        }
        let body = "{\"error\":{\"code\":\"invalid_api_key\"}}";
        let length = body.len();
        write!(stream, "HTTP/1.1 401 No\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}").unwrap();
        String::from_utf8(bytes).unwrap()
    });
    let proxy = format!("http://me:{PASSWORD}@127.0.0.1:{}", world.port("strict"));
    let base_url = format!("http://llm.example.test:{port}/v1");
    let (result, shown) = world.check(&provider(&base_url, &json!({})), &[("http_proxy", &proxy)]).await;
    assert_eq!(result["code"], json!("key-refused"), "{shown}");
    let head = overheard.join().unwrap();
    assert!(head.starts_with("GET /v1/models HTTP/1.1\r\n"), "{head}");
    assert!(head.contains(KEY), "a plain provider gets its key, through a proxy too: {head}");
    assert!(!head.to_ascii_lowercase().contains("proxy-") && !head.contains(PASSWORD), "{head}");
    assert!(!shown.contains(PASSWORD), "{shown}");
    let asked = world.sim.proxied();
    assert_eq!(asked[0].target, format!("{base_url}/models"));
}

#[test]
fn no_password_is_in_what_config_shows() {
    let folder = tempfile::tempdir().unwrap();
    let far = json!({ "dialect": "openai", "base_url": "https://llm.example.test/v1", "api_key": { "env": "KEY" } });
    let proxy = format!("http://me:{PASSWORD}@proxy.example.test:3128");
    let output = run(folder.path(), &far, &[("HTTPS_PROXY", &proxy)], &["config", "show"]);
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(text.contains("# proxy in effect: http://proxy.example.test:3128 by HTTPS_PROXY"), "{text}");
    assert!(!text.contains(PASSWORD), "{text}");
    let mut written = far.clone();
    written["proxy"] = json!(proxy);
    let output = run(folder.path(), &written, &[], &["config", "validate"]);
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(text.contains("a user or a password of the proxy is written in this file"), "{text}");
    assert!(!text.contains(PASSWORD), "{text}");
}

#[tokio::test]
async fn a_certificate_of_another_authority_or_with_anothers_key_is_told_apart() {
    let doors = json!([{ "name": "mutual", "tls": "client-certificate" }]);
    let (world, stranger) = (World::new(&doors, loopback()).await, World::new(&doors, loopback()).await);
    let base_url = format!("https://127.0.0.1:{}/v1", world.port("mutual"));
    let theirs = stranger.folder.path().join("client.pem");
    let with =
        |cert: &Path, key: &Path| provider(&base_url, &json!({ "client_certificate": { "cert": cert, "key": key } }));
    let own = world.folder.path().join("client.pem");
    let (result, shown) = world.check(&with(&own, &own), &[]).await;
    assert_eq!(result["verdict"], json!("ready"), "{shown}");
    let (result, shown) = world.check(&with(&theirs, &theirs), &[]).await;
    assert_eq!(result["code"], json!("client-certificate-refused"), "{shown}");
    assert!(result["evidence"].as_str().unwrap().contains("it was shown the certificate in"), "{shown}");
    let (result, shown) = world.check(&with(&own, &theirs), &[]).await;
    assert_eq!((&result["code"], &result["stage"]), (&json!("client-certificate-unusable"), &json!("tls")), "{shown}");
    assert!(result["evidence"].as_str().unwrap().contains("does not belong to the certificate"), "{shown}");
    assert!(!shown.contains("BEGIN PRIVATE KEY"), "{shown}");
}

#[tokio::test]
async fn only_the_allowed_family_is_tried() {
    if TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).is_err() {
        // The loopback of this machine has no ::1, so there is nothing to tell apart.
        return;
    }
    let world = World::new(&json!([{ "name": "good", "tls": "good" }]), "[::1]:0".parse().unwrap()).await;
    let port = world.port("good");
    let (result, shown) = world
        .check(
            &provider(&format!("https://llm.example.test:{port}/v1"), &json!({ "address": "::1", "addresses": "v6" })),
            &[],
        )
        .await;
    assert_eq!(result["verdict"], json!("ready"), "{shown}");
    // Nobody listens at that port of 127.0.0.1.
    let base_url = format!("https://localhost:{port}/v1");
    let (result, shown) = world.check(&provider(&base_url, &json!({ "addresses": "v4" })), &[]).await;
    assert_eq!(result["code"], json!("connect-refused"), "{shown}");
    assert!(!result["evidence"].as_str().unwrap().contains("::1"), "{shown}");
}

#[test]
fn a_proxy_that_echoes_its_password_is_not_repeated() {
    let proxy = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://me:{PASSWORD}@{}", proxy.local_addr().unwrap());
    let heard = std::thread::spawn(move || {
        let (mut stream, _) = proxy.accept().unwrap();
        let mut buffer = [0; 4096];
        let read = stream.read(&mut buffer).unwrap();
        let head = String::from_utf8_lossy(&buffer[..read]).into_owned();
        let sent = head.lines().find_map(|line| line.strip_prefix("Proxy-Authorization: Basic ")).unwrap().to_owned();
        write!(stream, "HTTP/1.1 403 not {PASSWORD}\r\nX-Squid-Error: {sent}\r\ncontent-length: 0\r\n\r\n").unwrap();
        sent
    });
    let folder = tempfile::tempdir().unwrap();
    let far = json!({ "dialect": "openai", "base_url": "https://llm.example.test/v1", "api_key": { "env": "KEY" } });
    let (result, shown) = check(folder.path(), &far, &[("HTTPS_PROXY", &url)]);
    let sent = heard.join().unwrap();
    assert_eq!(result["code"], json!("proxy-refused"), "{shown}");
    assert!(result["evidence"].as_str().unwrap().contains("403 not ***"), "{shown}");
    assert!(!shown.contains(PASSWORD) && !shown.contains(&sent), "{shown}");
}

#[tokio::test]
async fn a_bundle_without_one_usable_authority_is_to_be_mended_and_one_broken_of_two_does_not_matter() {
    let world = World::new(&json!([{ "name": "good", "tls": "good" }]), loopback()).await;
    let far = provider(&format!("https://127.0.0.1:{}/v1", world.port("good")), &json!({}));
    let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let file = world.folder.path().join("ca.pem");
    fs::write(&file, format!("{broken}{}", world.sim.ca_pem())).unwrap();
    let (result, shown) = world.check(&far, &[]).await;
    assert_eq!(result["verdict"], json!("ready"), "{shown}");
    fs::write(&file, broken).unwrap();
    let (result, shown) = world.check(&far, &[]).await;
    assert_eq!((&result["code"], &result["stage"]), (&json!("tls-failed"), &json!("tls")), "{shown}");
    assert!(result["evidence"].as_str().unwrap().contains("1 of 1 certificates cannot be used, number 1"), "{shown}");
    let remedy = result["remedy"].as_str().unwrap();
    assert!(remedy.contains("ca.pem") && !remedy.contains("https address"), "{shown}");
}
