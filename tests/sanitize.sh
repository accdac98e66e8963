#!/usr/bin/env bash
# Run the tests of the compiled parts under AddressSanitizer and UndefinedBehaviorSanitizer, on many more tiny networks.
# usage: tests/sanitize.sh [python]; everything is written below build/sanitized, or $WIRENAS_SANITIZED.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
python=$(command -v "${1:-python3}")
python=$(cd "$(dirname "$python")" && pwd)/$(basename "$python")
PATH=$(dirname "$python"):$PATH  # where cmake may lie beside it
build=${WIRENAS_SANITIZED:-$root/build/sanitized}
tree=$build/tree

cmake -S "$root" -B "$build" \
    -DWIRENAS_SANITIZE=ON -DCMAKE_BUILD_TYPE=Release -DCMAKE_CXX_FLAGS_RELEASE="-O1 -g1" -DCMAKE_CXX_COMPILER=g++ \
    -DPython_EXECUTABLE="$python" >/dev/null
cmake --build "$build" --parallel

# A copy of the sources with the sanitized extensions in the place of the others.
rm -rf "$tree" && mkdir -p "$tree"
cp -r "$root"/{wirenas,priors,predictors,nas,tests,pyproject.toml} "$tree"
find "$tree" -name '_native*.so' -delete
for extension in "$build"/*/native/_native*.so "$build"/*/*/native/_native*.so; do
    [ -e "$extension" ] || continue
    folder=${extension#"$build"/}
    cp "$extension" "$tree/${folder%/native/*}"
done

# Python itself is not sanitized: the sanitizer, and libstdc++ for its exceptions, must be there first. Leaks are not
# looked for, as the interpreter leaves plenty behind. An editable installation would lead back to the sources.
cd "$tree"
export LD_PRELOAD="$(gcc -print-file-name=libasan.so) $(gcc -print-file-name=libstdc++.so)"
export ASAN_OPTIONS=detect_leaks=0 UBSAN_OPTIONS=print_stacktrace=1 OMP_NUM_THREADS=1
export WIRENAS_TEST_TAMPERED=${WIRENAS_TEST_TAMPERED:-1000}
export WIRENAS_TEST_WIRINGS=${WIRENAS_TEST_WIRINGS:-10000} WIRENAS_TEST_PAIRS=${WIRENAS_TEST_PAIRS:-20}

check() {
    "$python" tests/sanitized.py "$@" --quiet --capture=sys --timeout=1200 -p no:cacheprovider
}

check tests/nas/training/test_native_*.py tests/nas/training/test_weights.py tests/nas/reservoirs &
engine=$!
check tests/nas/reliability/test_tampered.py tests/priors/test_compiled_*.py tests/priors/families/test_family_bounds.py tests/predictors/test_{features_compiled,features_degenerate,members}.py
wait $engine
