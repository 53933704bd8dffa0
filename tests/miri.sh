#!/usr/bin/env bash
# Unsafe code that Miri can run, under Miri: tests/miri.sh [TEST FILTER..]
# That is the vector kernels of SHA-256 and Keccak-256, whose loads and stores go through pointers; a test takes minutes.
# Mapped devices, GPU drivers and foreign code are beyond it.
#   SIGMILL_REQUIRE  lists miri: a toolchain that lacks it fails
set -euo pipefail
cd "$(dirname "$0")/.."

if ! cargo +nightly miri --version >/dev/null 2>&1; then
    echo "skipped: Miri: rustup component add miri rust-src --toolchain nightly"
    case ",${SIGMILL_REQUIRE:-}," in *,miri,*) exit 1 ;; esac
    exit 0
fi
# Levels that Miri interprets in part only are left out: it says so of an instruction that it does not know.
export RUSTFLAGS="-Ctarget-feature=+avx2,+sha,+ssse3,+sse4.1"
export MIRIFLAGS="-Zmiri-disable-isolation"
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-target}/miri"
[ $# -gt 0 ] || set -- algorithms::sha256::tests algorithms::keccak256::tests dispatch::slab dispatch::spares
cargo +nightly miri test --no-default-features --lib -- "$@"
