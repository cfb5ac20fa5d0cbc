//! The pages of docs/ that tell how to do a task: every command on them is run, as a reader would run it, from top to bottom,
//! against the simulated provider.
//!
//! What a page says of its blocks, in comments that a reader does not see:
//! - `<!-- file: NAME -->` before a block: the block is that file, in the folder where the commands run;
//! - `<!-- not run: WHY -->` before a block of commands: it cannot be run here.
//!
//! Blocks of `console` have commands after `$ `, and under a command what it prints, of which every line must be there (`…`
//! stands for anything). A command ends with 0, or as its comment `# exit N` says. Blocks of `cron` are crontab lines,
//! whose commands are run. A block of `sh` must be one that is not run, so that nothing is left out by mistake.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::json;

use crate::scenarios::Sim;

/// The pages.
const PAGES: [&str; 6] =
    ["containers.md", "cron.md", "gate-a-pipeline.md", "keep-warm-in-working-hours.md", "prometheus.md", "systemd.md"];

/// A fenced block, with what the comment before it says.
#[derive(Debug, Default, PartialEq, Eq)]
struct Block {
    line: usize,
    language: String,
    file: Option<String>,
    not_run: Option<String>,
    text: String,
}

/// A command with what it must print and how it must end.
#[derive(Debug, PartialEq, Eq)]
struct Step {
    line: usize,
    command: String,
    prints: Vec<String>,
    exit: i32,
}

fn blocks(page: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let (mut next, mut inside) = (Block::default(), false);
    for (number, line) in (1..).zip(page.lines()) {
        match line.strip_prefix("```") {
            Some(_) if inside => {
                blocks.push(std::mem::take(&mut next));
                inside = false;
            }
            Some(language) => {
                next.language = language.trim().to_owned();
                next.line = number;
                inside = true;
            }
            None if inside => {
                next.text.push_str(line);
                next.text.push('\n');
            }
            None => {
                let comment = line.strip_prefix("<!-- ").and_then(|rest| rest.strip_suffix(" -->"));
                if let Some(file) = comment.and_then(|comment| comment.strip_prefix("file: ")) {
                    next.file = Some(file.to_owned());
                } else if let Some(why) = comment.and_then(|comment| comment.strip_prefix("not run: ")) {
                    next.not_run = Some(why.to_owned());
                } else if !line.trim().is_empty() {
                    next = Block::default();
                }
            }
        }
    }
    assert!(!inside, "a block has no end");
    blocks
}

/// The commands of a block, in order.
fn steps(block: &Block) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut goes_on = false;
    for (number, line) in (block.line + 1..).zip(block.text.lines()) {
        let command = match block.language.as_str() {
            // Five fields say when.
            "cron" => line.splitn(6, ' ').nth(5),
            _ => line.strip_prefix("$ "),
        };
        match (command, steps.last_mut()) {
            (None, Some(step)) if goes_on => {
                step.command.push('\n');
                step.command.push_str(line);
            }
            (None, Some(step)) => step.prints.push(line.to_owned()),
            (None, None) => panic!("line {number} is no command"),
            (Some(command), _) => {
                let exit = command.rsplit_once("# exit ").map_or(0, |(_, code)| code.trim().parse().unwrap());
                steps.push(Step { line: number, command: command.to_owned(), prints: Vec::new(), exit });
            }
        }
        goes_on = line.ends_with('\\');
    }
    steps
}

/// Whether a line of a page is among those that were printed; `…` stands for anything.
fn printed(wanted: &str, output: &str) -> bool {
    let parts: Vec<&str> = wanted.trim().split('…').map(str::trim).collect();
    output.lines().any(|line| {
        let mut rest = line.trim();
        if parts.len() == 1 {
            return rest == parts[0];
        }
        parts.iter().all(|part| match rest.find(part) {
            Some(at) => {
                rest = &rest[at + part.len()..];
                true
            }
            None => false,
        })
    })
}

/// A port that was free a moment ago.
fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A page, played in a folder of its own.
struct Reader {
    folder: tempfile::TempDir,
    provider: String,
    port: u16,
}

impl Reader {
    /// What stands on a page, with the simulated provider in place of the real one and a port that nobody has.
    fn localized(&self, text: &str) -> String {
        let at_provider = format!("base_url: \"{}/openai/v1\"", self.provider);
        let mut out = String::new();
        for line in text.lines() {
            let bare = line.trim_start();
            if bare.starts_with("preset: synthetic") {
                let indent = &line[..line.len() - bare.len()];
                out.push_str(&format!("{line}\n{indent}{at_provider}\n"));
            } else {
                out.push_str(&line.replace("preset: synthetic", &format!("preset: synthetic, {at_provider}")));
                out.push('\n');
            }
        }
        out.replace("https://api.synthetic.new", &self.provider)
            .replace("syn_your_key", "syn_good")
            .replace(":9477", &format!(":{}", self.port))
            .replace("/usr/bin/pilotlight", "pilotlight")
            .replace("/etc/pilotlight/", &format!("{}/", self.folder.path().display()))
    }

    fn write(&self, file: &str, text: &str) {
        fs::write(self.folder.path().join(file), self.localized(text)).unwrap();
    }

    /// Runs commands in one shell, so that variables and what runs in the background stay; gives each one's exit and output.
    fn run(&self, steps: &[&Step]) -> Vec<(i32, String)> {
        let said = self.folder.path().join("said");
        fs::create_dir(&said).unwrap();
        let mut script = "trap 'kill $(jobs -p) 2> /dev/null; wait' EXIT\n".to_owned();
        for (n, step) in steps.iter().enumerate() {
            let command = self.localized(&step.command);
            script.push_str(&format!("{{ {command}\n}} > said/{n} 2>&1 < /dev/null\necho $? > said/{n}.exit\n"));
        }
        let binaries = Path::new(env!("CARGO_BIN_EXE_pilotlight")).parent().unwrap().display().to_string();
        // A command that waits for ever is ended, and its page fails.
        let ran = Command::new("timeout")
            .args(["--kill-after=5", "120", "bash", "-c", &script])
            .current_dir(&self.folder)
            .env_clear()
            .env("PATH", format!("{binaries}:/usr/local/bin:/usr/bin:/bin"))
            .env("HOME", self.folder.path())
            .env("STATE_DIRECTORY", self.folder.path().join("state"))
            .stdin(Stdio::null())
            .output()
            .unwrap();
        assert!(ran.stderr.is_empty(), "{}", String::from_utf8_lossy(&ran.stderr));
        let read = |name: String| fs::read_to_string(said.join(name)).unwrap_or_default();
        (0..steps.len())
            .map(|n| (read(format!("{n}.exit")).trim().parse().unwrap_or(-1), read(n.to_string())))
            .collect()
    }
}

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs")
}

fn play(name: &str) {
    let page = fs::read_to_string(docs().join(name)).unwrap();
    let sim = Sim::start(&provider(), 20.0);
    let reader =
        Reader { folder: tempfile::tempdir().unwrap(), provider: sim.doors["plain"].clone(), port: free_port() };
    let blocks = blocks(&page);
    let mut all = Vec::new();
    for block in &blocks {
        match (&block.file, &block.not_run, block.language.as_str()) {
            (Some(file), ..) => reader.write(file, &block.text),
            (None, Some(why), _) => assert!(why.len() > 10, "{name}:{}: say why", block.line),
            (None, None, "console" | "cron") => all.extend(steps(block)),
            (None, None, "sh" | "bash" | "shell" | "") => {
                panic!("{name}:{}: make it `console`, or say why it is not run", block.line)
            }
            (None, None, _) => {}
        }
    }
    let ran = reader.run(&all.iter().collect::<Vec<_>>());
    for (step, (exit, output)) in all.iter().zip(ran) {
        assert_eq!(exit, step.exit, "{name}:{}: $ {}\n{output}", step.line, step.command);
        for line in &step.prints {
            assert!(printed(line, &output), "{name}:{}: $ {}\nprints no `{line}`:\n{output}", step.line, step.command);
        }
    }
}

/// What the pages' provider is like: the models they name, one of them cold.
fn provider() -> serde_json::Value {
    json!({
        "flavour": "synthetic",
        "quota": { "packs": 1, "generation": 4 },
        "accounts": [{ "name": "good", "key": "syn_good" }, { "name": "bad", "key": "syn_bad", "state": "bad" }],
        "models": [
            { "id": "hf:zai-org/GLM-4.6", "aliases": ["syn:large:text"], "load": "3s", "idle_timeout": "5m", "first_token": "100ms" },
            { "id": "hf:zai-org/GLM-4.7-Flash", "aliases": ["syn:small:text"], "always_on": true, "first_token": "50ms" },
        ],
    })
}

#[test]
fn every_command_of_the_task_pages_holds() {
    std::thread::scope(|scope| {
        let players: Vec<_> = PAGES.iter().map(|page| (page, scope.spawn(|| play(page)))).collect();
        let failed: Vec<_> =
            players.into_iter().filter_map(|(page, player)| player.join().err().map(|_| page)).collect();
        assert!(failed.is_empty(), "{failed:?}");
    });
}

#[test]
fn a_page_is_read_as_its_reader_reads_it() {
    let page = "text\n<!-- file: a.yaml -->\n```yaml\nversion: 1\n```\n\n```console\n$ one \\\n  more\nprinted …\n$ two    # exit 3\n```\n\
                <!-- not run: there is none here -->\n\n```sh\nthree\n```\n```cron\n*/5 * * * * /bin/four five\n```\n";
    let blocks = blocks(page);
    assert_eq!(blocks[0].file.as_deref(), Some("a.yaml"));
    assert_eq!(blocks[2].not_run.as_deref(), Some("there is none here"));
    let step = |line, command: &str, prints: &[&str], exit| Step {
        line,
        command: command.to_owned(),
        prints: prints.iter().map(|&line| line.to_owned()).collect(),
        exit,
    };
    assert_eq!(steps(&blocks[1]), [step(8, "one \\\n  more", &["printed …"], 0), step(11, "two    # exit 3", &[], 3)]);
    assert_eq!(steps(&blocks[3]), [step(19, "/bin/four five", &[], 0)]);
    assert!(
        printed("✓ ready … 3s", "x\n  ✓ ready  glm 3s\n")
            && !printed("ready", "not ready\n")
            && !printed("a … b", "b a")
    );
}
