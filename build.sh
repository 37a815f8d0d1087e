#!/usr/bin/env bash
# The checks that must hold before a commit: those of continuous integration. docs/checks.md describes them.
exec "$(dirname "$0")/.ci/run" "$@"
