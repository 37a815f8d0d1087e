#!/usr/bin/env bash
# Everything that must hold before a commit, cheapest first: format, build without warnings, tests.
set -euo pipefail
cd "$(dirname "$0")"
dotnet restore
dotnet format --no-restore --verify-no-changes
dotnet build --no-restore
dotnet test --no-build
