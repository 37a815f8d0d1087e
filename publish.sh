#!/usr/bin/env bash
# The tool as a native program, compiled ahead of time: one file that needs no .NET.
#   ./publish.sh              all that can be made here, and a table of sizes and start-up times
#   ./publish.sh TARGET…      of linux-x64-v3 linux-x64-v4 linux-arm64
#   ./publish.sh --to FOLDER  in place of artifacts/publish
# Needs clang or gcc and zlib's headers; for linux-arm64 on another processor Debian's gcc-aarch64-linux-gnu and
# libc6-dev-arm64-cross, and to try it there qemu-user. docs/portability.md has the results.
set -uo pipefail
cd "$(dirname "$(readlink -f "$0")")"
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
to=artifacts/publish targets=()
while (($#)); do
    case $1 in
        --to) to=${2:?--to needs a folder}; shift 2 ;;
        linux-x64-v3 | linux-x64-v4 | linux-arm64) targets+=("$1"); shift ;;
        *) sed -n 's/^# \{0,1\}//; 2,7p' "$0" >&2; exit 2 ;;
    esac
done
asked=${#targets[@]}
((asked)) || targets=(linux-x64-v3 linux-x64-v4 linux-arm64)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
here=$(uname -m) root=/usr/aarch64-linux-gnu
mkdir -p "$to"

# TARGET: what is missing here to make it; nothing where nothing is.
missing() {
    case $1-$here in
        linux-x64-*-x86_64 | linux-arm64-aarch64)
            command -v clang > /dev/null || command -v gcc > /dev/null || echo "a linker: clang or gcc" ;;
        linux-arm64-x86_64)
            if ! command -v aarch64-linux-gnu-gcc > /dev/null || [[ ! -e $root/include/stdio.h ]]; then
                echo "a linker for ARM64: apt-get install gcc-aarch64-linux-gnu libc6-dev-arm64-cross"
            fi ;;
        *) echo "nothing that links $1 on $here is known" ;;
    esac
}

# TARGET: makes TO/TARGET/adjoint.
publish() {
    local target=$1 system=linux-x64 options=() log=$scratch/$1.log out=$to/$1
    case $target in
        # Without this the compiler emits 128-bit vectors only.
        linux-x64-*) options=(-p:IlcInstructionSet=x86-64-"${target##*-}") ;;
        linux-arm64)
            system=linux-arm64
            if [[ $here != aarch64 ]]; then
                # GCC's linker for ARM64 knows no other target, and no option to name it.
                cat > "$scratch/link-arm64" << 'LINK'
#!/bin/sh
for word; do
    shift
    case $word in --target=*) ;; *) set -- "$@" "$word" ;; esac
done
exec aarch64-linux-gnu-gcc "$@"
LINK
                chmod +x "$scratch/link-arm64"
                options=(-p:CppCompilerAndLinker="$scratch/link-arm64" -p:ObjCopyName=aarch64-linux-gnu-objcopy)
            fi ;;
    esac
    rm -rf "$out"
    dotnet publish src/Adjoint.Cli -c Release -r $system -v q -p:PublishAot=true -p:RunAnalyzers=false \
        -p:ContinuousIntegrationBuild=true -o "$out" "${options[@]}" > "$log" 2>&1 || { cat "$log"; return 1; }
    # Two packages use reflection in parts that Adjoint never calls (src/Adjoint.Cli/Adjoint.Cli.csproj says which);
    # a warning of any other assembly is a defect.
    if grep -E "warning" "$log" | grep -vE "Assembly '(OxyPlot|Parquet)' produced (trim|AOT analysis) warnings"; then
        echo "$target: compiled with the warnings above" >&2
        return 1
    fi
    mv "$out/Adjoint.Cli" "$out/adjoint" && mkdir -p "$scratch/symbols" && mv "$out"/*.dbg "$scratch/symbols/" &&
        rm -f "$out"/*.pdb "$out"/*.xml
}

# TARGET: the words that run it here; nothing where it cannot run.
runner() {
    case $1 in
        linux-x64-v4) grep -q avx512bw /proc/cpuinfo || return 1 ;;
        linux-x64-v3) grep -q avx2 /proc/cpuinfo || return 1 ;;
        linux-arm64)
            [[ $here == aarch64 ]] && return 0
            command -v qemu-aarch64 > /dev/null || return 1
            echo "qemu-aarch64 -L $root" ;;
    esac
}

# PROGRAM…: the median of 20 starts, in milliseconds.
start_up() {
    local i begin
    for i in $(seq 20); do
        begin=${EPOCHREALTIME/./}
        "$@" --version > /dev/null || return 1
        echo $((${EPOCHREALTIME/./} - begin))
    done | sort -n | sed -n 10p | awk '{ printf "%.1f", $1 / 1000 }'
}

failed=0 table=()
for target in "${targets[@]}"; do
    lack=$(missing "$target")
    if [[ -n $lack ]]; then
        echo "$target: not made; it needs $lack"
        ((asked)) && failed=1
        continue
    fi
    echo "$target: compiling, some minutes"
    if ! publish "$target"; then failed=1; continue; fi
    size=$(stat -c %s "$to/$target/adjoint" | awk '{ printf "%.1f MB", $1 / 1e6 }')
    if run=$(runner "$target"); then
        # shellcheck disable=SC2086 # The runner is words.
        started="$(start_up $run "$to/$target/adjoint") ms${run:+ (emulated)}"
    else
        started="not run here"
    fi
    table+=("$(printf '| %-12s | %8s | %-20s |' "$target" "$size" "$started")")
done
if ((${#table[@]})); then
    printf '\n| %-12s | %8s | %-20s |\n|---|---|---|\n' target size "start-up"
    printf '%s\n' "${table[@]}"
    echo "in $to"
fi
exit $failed
