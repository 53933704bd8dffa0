#!/usr/bin/env bash
# Estimates a module's area on UltraScale+ by Yosys; no place and route, so no clock.
#   usage: estimate.sh MODULE [PARAMETER=VALUE ..]
# Yosys maps carries to CARRY4, which these parts lack: orders of size only.
set -euo pipefail
[ $# -ge 1 ] || { sed -n '2,4s/^# *//p' "$0" >&2; exit 2; }

module=$1 title=$*
shift
parameters=()
for parameter in "$@"; do parameters+=(-chparam "${parameter%%=*}" "${parameter#*=}"); done

cd "$(dirname "$0")/../rtl"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
yosys -p "read_verilog -sv -defer $(echo *.sv); hierarchy -check -top $module ${parameters[*]}
    synth_xilinx -family xcup -flatten -noiopad -top $module; tee -o $log stat" >/dev/null
awk -v title="$title" '
    $1 ~ /^(LUT[1-6]|INV)$/ { lut += $2 }
    $1 ~ /^FD[CPRS]E(_1)?$/ { ff += $2 }
    $1 ~ /^SRL/ { srl += $2 }
    $1 ~ /^RAM[0-9]+[MXDS]/ { ram += $2 }
    $1 ~ /^(RAMB|URAM)/ { block += $2 }
    $1 ~ /^DSP/ { dsp += $2 }
    END {
        printf "%s: %d LUT, %d FF, %d DSP, %d SRL, %d LUT RAM, %d block RAM\n",
            title, lut, ff, dsp, srl, ram, block
    }' "$log"
