# Shortcuts for developers. `just` lists them; nothing needs them.

_default:
    @just --list

# Show what pilotlight does, against simulated providers
demo:
    cargo run --release --locked -- demo

# Run all tests, or those whose name contains a word
test *filter:
    cargo test --release --locked {{ filter }}

# Formatting, lints and documentation, as strict as CI
lint:
    cargo fmt --check
    cargo clippy --all-targets --locked -- -D warnings
    RUSTDOCFLAGS="-D warnings" cargo doc --no-deps --locked

# Measure what probes cost and how true their times are, or only some sections (docs/benchmarks.md)
bench *filter:
    cargo bench --locked --bench probe -- {{ filter }}

# Live through weeks of warming in simulated worlds, the learned policy beside others (docs/benchmarks.md)
bench-warmth *seeds:
    cargo bench --locked --bench warmth -- {{ seeds }}

# Fuzz one target for a minute (needs cargo-fuzz)
fuzz target seconds="60":
    mkdir -p fuzz/corpus/{{ target }}
    RUSTC_BOOTSTRAP=1 cargo fuzz run -s none {{ target }} fuzz/corpus/{{ target }} fuzz/seeds/{{ target }} -- -max_total_time={{ seconds }}

# Run the systemd units on a real systemd, in a container (root, Debian: debootstrap, systemd-container)
systemd-test *binary:
    bash tests/systemd/run {{ binary }}

# Build the release archive, the image and the Debian package, and use them (root, Debian: buildah, systemd-container, cargo-deb)
packages-test *parts:
    bash packaging/test {{ parts }}

# A week of the daemon in 17 minutes, with its clocks sped up: does anything grow? (Debian: faketime)
soak *arguments:
    bash tests/soak/run {{ arguments }}

# Everything that CI checks
ci:
    bash .ci/run

# Write the documents that are made from the code, and accept changed snapshots
docs:
    UPDATE_DOCS=1 INSTA_UPDATE=always cargo test --release --locked
