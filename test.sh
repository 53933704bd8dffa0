#!/usr/bin/env bash
# Builds and tests everything. Installs what it may (apt, as root on Debian) and names what it may not.
#   SIGMILL_DATA     folder of real blocks and vectors; without it those tests say what they skip
#   SIGMILL_REQUIRE  comma-separated: data, gpu, fpga, browser, prometheus; absence then fails
#   SIGMILL_FUZZ     seconds for each fuzz target (default 6)
set -euo pipefail
cd "$(dirname "$0")"

step() { printf '\n== %s (%ss)\n' "$1" "$SECONDS"; }

step "tools"
missing=()
for tool in cc c++ git; do command -v "$tool" >/dev/null || missing+=("$tool"); done
if [ ${#missing[@]} -gt 0 ]; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        apt-get update -qq
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq build-essential git
    else
        echo "missing: ${missing[*]}; on Debian: apt-get install build-essential git" >&2
        exit 1
    fi
fi
# A GPU in software, for the shaders: the loader and Mesa's driver.
drivers() { ls /usr/share/vulkan/icd.d/*lvp* /usr/local/share/vulkan/icd.d/*lvp* 2>/dev/null; }
loader() { ldconfig -p 2>/dev/null | grep -q 'libvulkan\.so\.1'; }
if [ -z "$(drivers)" ] || ! loader; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        apt-get update -qq
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
            mesa-vulkan-drivers libvulkan1
    else
        echo "no software Vulkan driver: GPU tests say what they skip;" \
            "on Debian: apt-get install mesa-vulkan-drivers libvulkan1" >&2
    fi
fi
# The open tools of the FPGA: simulators, synthesis, place and route, bitstreams.
missing=()
for tool in verilator iverilog yosys nextpnr-ice40 icepack; do command -v "$tool" >/dev/null || missing+=("$tool"); done
if [ ${#missing[@]} -gt 0 ]; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        apt-get update -qq
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
            verilator iverilog yosys nextpnr-ice40 fpga-icestorm
    else
        echo "missing: ${missing[*]}: FPGA tests say what they skip; on Debian: apt-get install" \
            "verilator iverilog yosys nextpnr-ice40 fpga-icestorm" >&2
    fi
fi
# What reports are looked at with, and what scrapes metrics.
missing=()
for tool in chromium prometheus curl; do command -v "$tool" >/dev/null || missing+=("$tool"); done
if [ ${#missing[@]} -gt 0 ]; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        apt-get update -qq
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" fonts-dejavu-core
    else
        echo "missing: ${missing[*]}: tests of reports and metrics say what they skip; on Debian: apt-get install ${missing[*]}" >&2
    fi
fi
# Mesa keeps compiled kernels there from run to run.
export MESA_SHADER_CACHE_DIR="${MESA_SHADER_CACHE_DIR:-$PWD/target/mesa-shader-cache}"
mkdir -p "$MESA_SHADER_CACHE_DIR"
if [ -z "${XDG_RUNTIME_DIR:-}" ]; then
    XDG_RUNTIME_DIR=$(mktemp -d)
    export XDG_RUNTIME_DIR
fi
if ! command -v cargo >/dev/null; then
    echo "missing: Rust 1.95 or newer (https://rustup.rs)" >&2
    exit 1
fi
for component in rustfmt clippy; do
    if ! cargo "${component/rustfmt/fmt}" --version >/dev/null 2>&1; then
        echo "missing: rustup component add $component" >&2
        exit 1
    fi
done
if [ -z "${SIGMILL_DATA:-}" ]; then
    echo "SIGMILL_DATA is not set: tests on real files say what they skip"
fi

step "format"
cargo fmt --all --check

step "lints"
# As the tests: the simulated card is compiled once.
cargo clippy --quiet --profile ci --workspace --all-targets --features fpga-sim,baseline -- -D warnings
cargo clippy --quiet --profile ci --lib --no-default-features -- -D warnings
cargo clippy --quiet --profile ci -p sigmill-consensus --lib --no-default-features -- -D warnings

step "tests of the simulated card"
cargo test --profile ci --no-fail-fast -p fpga-microcode -p fpga-sim

step "interleavings"
cargo test --quiet --profile ci -p sigmill-loom

step "tests"
cargo test --profile ci --no-fail-fast --features fpga-sim

step "documentation"
# With the features of the lints, whose dependencies it shares.
RUSTDOCFLAGS="-D warnings" cargo doc --quiet --profile ci --workspace --features fpga-sim,baseline --no-deps --lib

step "the built-in block"
# The one that the tests have built.
"${CARGO_TARGET_DIR:-target}/ci/sigmill" check

step "benches run"
cargo bench --quiet --profile ci --features fpga-sim --bench versus -- --quick
cargo bench --quiet --profile ci --features fpga-sim --bench dispatch -- --quick
cargo bench --quiet --profile ci --features fpga-sim --bench gpu -- --software --quick adapter end-to-end stages merkle

cargo bench --quiet --profile ci -p fpga-sim --bench cycles

step "the consensus core"
cargo test --profile ci --no-fail-fast -p sigmill-consensus

step "fuzz targets"
fuzz/run.sh "${SIGMILL_FUZZ:-6}"

step "done"
