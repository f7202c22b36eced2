# `just` runs the whole gate; each part can be run alone.

# fmt, clippy, all tests, licences and bans
default: fmt lint test deny

# formatting as rustfmt.toml says
fmt:
    cargo fmt --all --check

# lints, as errors
lint:
    cargo clippy --workspace --all-targets --locked -- -D warnings

# every test
test:
    cargo test --workspace --locked

# every test, with cargo-nextest and documentation tests
nextest:
    cargo nextest run --workspace --locked
    cargo test --workspace --doc --locked

# licences, banned crates, sources (needs cargo-deny)
deny:
    cargo deny check bans licenses sources

# instructions of the bench programs against the recorded counts (needs valgrind)
count:
    cargo build --release --locked -p ilu-cli
    bench/count.py

# cost per element from a thousand to ten million
scale:
    cargo build --release --locked -p ilu-cli
    bench/scale.py

# what the README's first command does
example:
    mkdir -p out && cargo run --release -- run --dir Cargo.lock:/in/Cargo.lock --dir out:/out:rw --grant capde,capio examples/lockfile.ilu
