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
cd "$build/../rtl"
source "$build/image.sh" hx8k
cp "${files[@]}" "$build/hx8k.pcf" "$work"
cd "$work"

quiet yosys -p "read_verilog -sv ${modules[*]}; chparam -set BUILD_HASH $build_hash hx8k
    synth_ice40 -top hx8k -json hx8k.json"
quiet nextpnr-ice40 --hx8k --package ct256 --pcf hx8k.pcf --seed $seed --freq $mhz \
    --json hx8k.json --asc hx8k.asc
show ICESTORM_LC: 'Max frequency'
quiet icepack hx8k.asc hx8k.bin

publish hx8k.bin "$out" ice40-hx8k ice40 \
    "yosys $(yosys -V | cut -d ' ' -f 2)" \
    "nextpnr-ice40 $(nextpnr-ice40 --version 2>&1 | sed 's/.*Version \([^)]*\)).*/\1/')" \
    "icestorm $(dpkg-query -W -f '${Version}' fpga-icestorm 2>/dev/null || echo unknown)"
