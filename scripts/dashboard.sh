# Sourced by ./run, after setup.sh: gets the Aspire dashboard, which comes with the Aspire CLI, from npm. Functions only.

ASPIRE_CLI_VERSION=13.5.4
ASPIRE_TOOLS="$PWD/.tools/aspire-$ASPIRE_CLI_VERSION"

# Names the npm package for this machine; nothing where there is none.
aspire_package() {
  case "$(uname -s)-$(uname -m)" in
    Linux-x86_64) echo "@microsoft/aspire-cli-linux-x64" ;;
    Linux-aarch64) echo "@microsoft/aspire-cli-linux-arm64" ;;
    Darwin-arm64) echo "@microsoft/aspire-cli-osx-arm64" ;;
    Darwin-x86_64) echo "@microsoft/aspire-cli-osx-x64" ;;
  esac
}

# Sets ASPIRE_DASHBOARD_PATH, which both Aspire and its stand-in read. The first time it downloads about 130 MB. A dashboard is no
# condition for a run: what goes wrong here is told in one line.
provide_dashboard() {
  [ -z "${ASPIRE_DASHBOARD_PATH:-}" ] || return 0
  local program="$ASPIRE_TOOLS/aspire-managed" package problem
  if [ ! -x "$program" ]; then
    package="$(aspire_package)"
    [ -n "$package" ] || { say "No Aspire dashboard: there is none for $(uname -sm); the run goes on without it"; return 0; }
    has npm || { say "No Aspire dashboard: npm, which has it, is not installed; the run goes on without it"; return 0; }
    say "Getting the Aspire dashboard ($package@$ASPIRE_CLI_VERSION from npm) into $ASPIRE_TOOLS ..."
    problem="$(unpack_dashboard "$package@$ASPIRE_CLI_VERSION" 2>&1)" || {
      say "No Aspire dashboard: $(grep -v '^npm warn' <<<"$problem" | head -n 1 | cut -c1-200); the run goes on without it"
      return 0
    }
  fi
  export ASPIRE_DASHBOARD_PATH="$program"
}

# unpack_dashboard PACKAGE: npm checks the package's hash; the CLI in it unpacks what it carries, of which only the dashboard is kept.
# Each step ends it by itself: the shell ignores set -e where the caller asks for the result.
unpack_dashboard() (
  mkdir -p "${ASPIRE_TOOLS%/*}" || exit 1
  work="$(mktemp -d "${ASPIRE_TOOLS%/*}/unpack.XXXXXX")" || exit 1
  trap 'rm -rf "$work"' EXIT
  archive="$(npm pack "$1" --silent --pack-destination "$work")" || { echo "npm cannot get $1"; exit 1; }
  tar xzf "$work/$archive" -C "$work" || exit 1
  # It unpacks into its own folder, two levels up; a home of its own keeps its logs and caches out of the user's.
  HOME="$work" ASPIRE_CLI_TELEMETRY_OPTOUT=1 "$work/package/bin/aspire" setup --nologo >"$work/log" 2>&1 || { grep -v '^ *$' "$work/log" | head -n 3 | tr '\n' ' '; exit 1; }
  managed="$(find "$work/package/versions" -maxdepth 2 -name managed -type d | head -n 1)"
  [ -x "$managed/aspire-managed" ] || { echo "the package $1 has no dashboard"; exit 1; }
  rm -rf "$ASPIRE_TOOLS" || exit 1
  mv "$managed" "$ASPIRE_TOOLS"
)
