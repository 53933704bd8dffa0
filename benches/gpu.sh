#!/usr/bin/env bash
# Builds, checks and times the GPU backend, in one call of less than ten minutes on hardware:
#   benches/gpu.sh [--software] [what `cargo bench --bench gpu` takes]
# Every step has a limit; one that fails is named, and the rest goes on. Ends with 0 if all went well, 4
# without a GPU, else 1.
#   OUT         folder for a copy of what is printed, gpu.txt
#   CARGO_ARGS  for every call of cargo, such as --offline
#   COMMIT      what is tested, where the tree is no clone
set -uo pipefail
cd "$(dirname "$0")/.."
export XDG_RUNTIME_DIR="${XDG_RUNTIME_DIR:-/tmp}"

backend=gpu
choice=hardware
patience=90
for argument in "$@"; do
    # A driver in software compiles slowly.
    [ "$argument" = --software ] && backend=gpu=software choice=software patience=400
done
read -ra cargo_args <<<"${CARGO_ARGS:-}"
failed=()

# step NAME SECONDS COMMAND..
step() {
    local name=$1 limit=$2 started=$SECONDS code
    shift 2
    printf '\n=== %s\n' "$name"
    timeout --kill-after=10 "$limit" "$@"
    code=$?
    if [ $code = 124 ] || [ $code = 137 ]; then
        echo "=== FAILED $name: not done after $limit s"
    elif [ $code != 0 ]; then
        echo "=== FAILED $name: exit code $code"
    fi
    echo "=== ($name: $((SECONDS - started)) s)"
    [ $code = 0 ] || failed+=("$name")
    return $code
}

cargo_step() {
    local name=$1 limit=$2 command=$3
    shift 3
    step "$name" "$limit" cargo "$command" "${cargo_args[@]}" "$@"
}

hardware() {
    echo "date      $(date -u '+%Y-%m-%d %H:%M UTC')"
    echo "commit    ${COMMIT:-$(git rev-parse --short HEAD 2>/dev/null || echo unknown)}$(
        git diff --quiet HEAD 2>/dev/null || echo ', with changes or no clone')"
    echo "rustc     $(rustc --version)"
    echo "cpu       $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1), $(nproc) cores"
    echo "system    $(sed -n 's/^PRETTY_NAME=//p' /etc/os-release 2>/dev/null), $(uname -r)"
    if command -v nvidia-smi >/dev/null; then
        nvidia-smi --query-gpu=name,driver_version,memory.total,clocks.max.sm,power.limit \
            --format=csv,noheader | sed 's/^/nvidia    /'
    fi
    if command -v vulkaninfo >/dev/null; then
        vulkaninfo --summary 2>/dev/null | grep -E 'deviceName|driverInfo|apiVersion' | sed 's/^/vulkan /'
    fi
}

# What a machine with a GPU may lack for Vulkan.
explain() {
    echo
    echo "No GPU was opened. Vulkan wants a loader, a driver and its manifest:"
    local library
    for library in libvulkan.so.1 libXext.so.6 libEGL.so.1 libGLX_nvidia.so.0; do
        if ldconfig -p 2>/dev/null | grep -q "$library"; then
            echo "  found    $library"
        else
            echo "  MISSING  $library"
        fi
    done
    local manifests
    manifests=$(ls /usr/share/vulkan/icd.d/*.json /etc/vulkan/icd.d/*.json 2>/dev/null | tr '\n' ' ')
    echo "  manifests: ${manifests:-none}"
    echo "  VK_DRIVER_FILES=${VK_DRIVER_FILES:-} VK_ICD_FILENAMES=${VK_ICD_FILENAMES:-}"
    echo "  NVIDIA_DRIVER_CAPABILITIES=${NVIDIA_DRIVER_CAPABILITIES:-}"
    cat <<'TEXT'
On Debian and Ubuntu: apt-get install libvulkan1 libxext6 libegl1. A server's driver for NVIDIA brings
nvidia_icd.json and libGLX_nvidia.so.0, but not the loader, so that CUDA works where Vulkan finds nothing.
In a container the driver's capability `graphics` must be on: NVIDIA_DRIVER_CAPABILITIES=all.
A manifest that lies elsewhere is named by VK_DRIVER_FILES=/path/to/nvidia_icd.json.
In software, for tests alone: apt-get install libvulkan1 mesa-vulkan-drivers, and --software.
TEXT
}

run() {
    hardware
    cargo_step "build" 420 build --release --quiet || return 1
    # Two targets at once share what they are made of.
    cargo_step "build of tests and bench" 420 bench --quiet --no-run --bench gpu
    cargo_step "build of the suite" 420 test --quiet --release --no-run --test conformance
    local devices=(devices)
    [ $choice = software ] && devices+=(--software)
    step "devices and self-test" "$patience" target/release/sigmill "${devices[@]}"
    step "the built-in block" "$patience" target/release/sigmill check --backend "$backend"
    local code=$?
    if [ $code != 0 ]; then
        explain
        [ $code = 4 ] && return 4
    fi
    SIGMILL_GPU=$choice cargo_step "conformance" $((2 * patience)) \
        test --quiet --release --test conformance gpu
    cargo_step "bench" $((240 + patience)) bench --quiet --bench gpu -- "$@"
    echo
    if [ ${#failed[@]} -gt 0 ]; then
        echo "=== failed: $(printf '%s; ' "${failed[@]}")after $SECONDS s"
        return 1
    fi
    echo "=== all well, after $SECONDS s"
}

if [ -n "${OUT:-}" ]; then
    mkdir -p "$OUT"
    run "$@" 2>&1 | tee "$OUT/gpu.txt"
    exit "${PIPESTATUS[0]}"
fi
run "$@" 2>&1
