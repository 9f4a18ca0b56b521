#!/bin/sh
# Make the hashed pins of requirements/ again from pyproject.toml. Needs uv; keeps every pin that still fits.
# To move them all to their newest: ./tools/pins.sh --upgrade
set -eu
cd "$(dirname "$0")/.."
compile() { # compile OUTPUT ARGUMENT...
    output=requirements/$1.txt; shift
    uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --output-file "$output" "$@"
}
compile build requirements/build.in "$@"
compile base pyproject.toml "$@"
compile test pyproject.toml --extra test "$@"
compile dev pyproject.toml --extra dev --extra docs "$@"
