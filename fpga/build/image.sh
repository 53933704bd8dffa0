# What the builds of images share; sourced, in the folder rtl, with the name of the image.

mapfile -t files <"$1.f"
# In the list's order, which placement depends on; what is included is not named to the tools.
modules=()
for file in "${files[@]}"; do case $file in *.sv) modules+=("$file") ;; esac; done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

source_hash=$(cat "${files[@]}" | sha256sum | cut -d ' ' -f 1)
# The parameter as a number: byte i of the hash is its bits 8 i + 7 .. 8 i, so bytes stand in reverse.
build_hash="256'h$(sed 's/../&\n/g' <<<"$source_hash" | tac | tr -d '\n')"
abi_version=$(sed -n "s/.* ABI_VERSION *= 32'd\([0-9]*\);/\1/p" "$1.sv")

# Runs a tool, and shows what it said only if it fails; the log stays for a look.
quiet() { "$@" >"$work/log" 2>&1 || { tail -n 20 "$work/log" >&2; exit 1; }; }

# Shows the last line of the log with each of these words.
show() { for word in "$@"; do grep -F "$word" "$work/log" | tail -n 1 | sed 's/^Info: *//'; done; }

# usage: publish FILE FOLDER DEVICE FORMAT "TOOL VERSION" ..: copies an image and writes its manifest.
publish() {
    local file=$1 folder=$2 device=$3 format=$4 name=${1##*/}
    shift 4
    {
        printf 'image_sha256 = "%s"\n' "$(sha256sum "$file" | cut -d ' ' -f 1)"
        printf 'device = "%s"\nformat = "%s"\n' "$device" "$format"
        printf 'abi_version = %s\ncores = ["sha256"]\n' "$abi_version"
        printf 'source_hash = "%s"\n\n[tools]\n' "$source_hash"
        for tool in "$@"; do printf '%s = "%s"\n' "${tool%% *}" "${tool#* }"; done
    } >"$folder/${name%.*}.toml"
    cp "$file" "$folder/"
}
