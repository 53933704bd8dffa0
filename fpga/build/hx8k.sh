#!/usr/bin/env bash
# Builds the iCE40 HX8K image: hx8k.bin and its manifest hx8k.toml.
#   usage: hx8k.sh OUTPUT_FOLDER
# The same sources and tools give the same bytes in any folder: tools see relative names only.
set -euo pipefail
[ $# = 1 ] || { sed -n '2,3s/^# *//p' "$0" >&2; exit 2; }

# Two things fixed, as placement follows from both; nextpnr fails below the clock.
seed=1 mhz=60

build=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
out=$(cd "$1" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cd "$build/../rtl"
mapfile -t files <hx8k.f
source_hash=$(cat "${files[@]}" | sha256sum | cut -d ' ' -f 1)
# Byte i of the hash is bits 8 i + 7 .. 8 i, so as a number its bytes stand in reverse.
build_hash=$(printf '%s' "$source_hash" | sed 's/../&\n/g' | tac | tr -d '\n')
modules=()
for file in "${files[@]}"; do case $file in *.sv) modules+=("$file") ;; esac; done
abi_version=$(sed -n "s/.* ABI_VERSION *= 32'd\([0-9]*\);/\1/p" hx8k.sv)

quiet() { "$@" >"$work/log" 2>&1 || { tail -n 20 "$work/log" >&2; exit 1; }; }
quiet yosys -p "read_verilog -sv ${modules[*]}
    chparam -set BUILD_HASH 256'h$build_hash hx8k
    synth_ice40 -top hx8k -json $work/hx8k.json"
cd "$work"
cp "$build/hx8k.pcf" .
quiet nextpnr-ice40 --hx8k --package ct256 --pcf hx8k.pcf --seed $seed --freq $mhz \
    --json hx8k.json --asc hx8k.asc
for line in ICESTORM_LC: 'Max frequency'; do grep "$line" log | tail -n 1 | sed 's/^Info: *//'; done
quiet icepack hx8k.asc hx8k.bin

icestorm=$(dpkg-query -W -f '${Version}' fpga-icestorm 2>/dev/null || echo unknown)
cat >"$out/hx8k.toml" <<EOF
image_sha256 = "$(sha256sum hx8k.bin | cut -d ' ' -f 1)"
device = "iCE40 HX8K"
format = "ice40"
abi_version = $abi_version
cores = ["sha256"]
source_hash = "$source_hash"

[tools]
yosys = "$(yosys -V | cut -d ' ' -f 2)"
nextpnr-ice40 = "$(nextpnr-ice40 --version 2>&1 | sed 's/.*Version \([^)]*\)).*/\1/')"
icestorm = "$icestorm"
EOF
cp hx8k.bin "$out/"
