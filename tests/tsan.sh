#!/usr/bin/env bash
# The dispatcher's tests under ThreadSanitizer: tests/tsan.sh [TEST FILTER..]
# Needs the nightly toolchain with rust-src: the standard library is instrumented too.
#   SIGMILL_REQUIRE  lists tsan: a toolchain that lacks it fails
set -euo pipefail
cd "$(dirname "$0")/.."

absent() {
    echo "skipped: ThreadSanitizer: $1"
    case ",${SIGMILL_REQUIRE:-}," in *,tsan,*) exit 1 ;; esac
    exit 0
}
host=$(rustc -vV | sed -n 's/^host: //p')
root=$(rustc +nightly --print sysroot 2>/dev/null) || absent "no nightly toolchain"
runtime=("$root/lib/rustlib/$host/lib/"*tsan*)
[ -e "${runtime[0]}" ] || absent "no runtime of it for $host"
# Locks of a standard library that is not instrumented order nothing in its eyes.
[ -d "$root/lib/rustlib/src/rust/library" ] ||
    absent "no sources of the standard library: rustup component add rust-src --toolchain nightly"
export RUSTFLAGS="-Zsanitizer=thread" CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-target}/tsan"
# With --target the flags stay away from build scripts.
test=(cargo +nightly test --release --no-default-features --target "$host" -Zbuild-std)
if [ $# -gt 0 ]; then
    "${test[@]}" --lib --test faults -- "$@"
else
    "${test[@]}" --lib -- dispatch:: engine::
    "${test[@]}" --test faults
fi
