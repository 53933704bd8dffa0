#!/usr/bin/env bash
# Runs every fuzz target for a bounded time: fuzz/run.sh [SECONDS a target, default 20]
# Works with stable Rust: libFuzzer's coverage comes from compiler flags alone.
set -euo pipefail
cd "$(dirname "$0")"
seconds=${1:-20}
host=$(rustc -vV | sed -n 's/^host: //p')
export RUSTFLAGS="--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
-Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
-Ccodegen-units=1"
# With --target the flags stay away from build scripts.
cargo build --quiet --release --target "$host"
seed() { # seed TARGET FILE..: short files become seeds
    local target=$1 file
    shift
    mkdir -p "corpus/$target"
    for file in "$@"; do
        if [ -f "$file" ]; then
            head -c 200000 "$file" > "corpus/$target/$(basename "$file")"
        fi
    done
}
targets=(der key jobs bitcoin_block ethereum_block records bitstream manifest isolated
    transaction block certificate genesis proof evidence checkpoint draft monitor)
for target in "${targets[@]}"; do seed "$target"; done
seed bitstream ../fpga/images/*.bin
seed manifest ../fpga/images/*.toml
seed monitor seeds/monitor/*
seed genesis seeds/genesis/*
seed draft seeds/draft/*
seed evidence ../consensus/tests/refusals/*.json ../consensus/tests/refusals/*.proof
seed checkpoint ../consensus/tests/refusals/sets.toml
for target in transaction block certificate proof; do
    for file in seeds/"$target"/*.hex; do
        printf '%b' "$(tr -d '\n' <"$file" | sed 's/../\\x&/g')" \
            >"corpus/$target/$(basename "$file" .hex)"
    done
done
if [ -n "${SIGMILL_DATA:-}" ]; then
    seed bitcoin_block "$SIGMILL_DATA"/bitcoin/block{482683,1087400,210000}.raw
    seed ethereum_block "$SIGMILL_DATA"/ethereum/blocks/{46147,116525,19933122}.json
    seed records "$SIGMILL_DATA"/bitcoin/block1087400.sigchk "$SIGMILL_DATA"/ethereum/blocks.ethrcv
fi
for target in "${targets[@]}"; do
    log=$(mktemp)
    if "target/$host/release/$target" "corpus/$target" -max_total_time="$seconds" -timeout=10 \
        -rss_limit_mb=1024 -max_len=200000 -len_control=50 -artifact_prefix="./" \
        >"$log" 2>&1; then
        echo "fuzz $target: $(grep -E '^Done' "$log" || tail -n 1 "$log")"
    else
        tail -n 40 "$log"
        echo "fuzz $target: failed" >&2
        exit 1
    fi
    rm -f "$log"
done
