# Sourced by ./run and ./test: checks what the machine has, installs what it may, decides about stand-ins. Needs the repository root as
# the current folder. Functions only; nothing runs on sourcing.

say() { printf '%s\n' "$*"; }
fail() { printf 'error: %s\n' "$*" >&2; exit 1; }

has() { command -v "$1" >/dev/null 2>&1; }

# PostgreSQL's server programs are not on PATH in Debian.
has_postgres() { has postgres || compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null; }

require_dotnet() {
  has dotnet || fail "the .NET SDK 10 is missing: install it from https://dotnet.microsoft.com/download/dotnet/10.0 and run this again"
  # `dotnet --version` fails in this folder when no installed SDK satisfies global.json.
  dotnet --version >/dev/null 2>&1 || fail ".NET SDK 10.0.100 or newer is needed, found: $(cd / && dotnet --list-sdks | tr '\n' ' ')"
}

# require_programs PACKAGE...: installs the Debian packages whose programs are missing, as root on Debian or Ubuntu; else names them.
require_programs() {
  local missing=() package
  for package in "$@"; do
    case "$package" in
      redis-server) has redis-server || missing+=("$package") ;;
      nodejs) has node || missing+=("$package") ;;
      postgresql) has_postgres || missing+=("$package") ;;
      default-jre-headless) has java || [ -x "${JAVA_HOME:-/nonexistent}/bin/java" ] || missing+=("$package") ;;
      *) has "$package" || missing+=("$package") ;;
    esac
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  if [ "$(id -u)" != 0 ] || ! has apt-get; then
    fail "missing: ${missing[*]} (names of Debian packages). Install them, then run this again; as root on Debian or Ubuntu this script installs them itself"
  fi
  say "Installing with apt-get: ${missing[*]}"
  local log; log="$(mktemp)"
  { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}"; } >"$log" 2>&1 ||
    { tail -n 20 "$log" >&2; fail "apt-get could not install ${missing[*]} (the end of its output is above)"; }
  rm -f "$log"
}

# npm_install FOLDER: the npm packages of the folder's lock file, unless they are there.
npm_install() {
  [ ! "$1/node_modules/.package-lock.json" -nt "$1/package-lock.json" ] || return 0
  require_programs nodejs npm
  say "Installing the npm packages of $1"
  local log; log="$(mktemp)"
  (cd "$1" && npm ci --no-audit --no-fund --ignore-scripts) >"$log" 2>&1 || { tail -n 20 "$log" >&2; fail "npm could not install the packages of $1 (the end of its output is above)"; }
  rm -f "$log"
}

# Real Kafka needs Java; KAFKA_HOME without it would fail much later.
require_java_for_kafka() { [ -z "${KAFKA_HOME:-}" ] || require_programs default-jre-headless; }

# Asks the NuGet source once whether it has Aspire; the answer is kept in local.props (docs/adr/0002-stand-ins.md).
decide_stand_ins() {
  [ ! -f local.props ] || return 0
  local probe version answer; probe="$(mktemp -d)"
  version="$(sed -n 's:.*<AspireVersion>\(.*\)</AspireVersion>.*:\1:p' Directory.Packages.props)"
  cat >"$probe/probe.csproj" <<P
<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup><TargetFramework>net10.0</TargetFramework></PropertyGroup>
  <ItemGroup><PackageReference Include="Aspire.Hosting.AppHost" Version="$version" /></ItemGroup>
</Project>
P
  if answer="$(dotnet restore "$probe/probe.csproj" 2>&1)"; then
    write_local_props false
  elif grep -qE 'NU1101|NU1102' <<<"$answer"; then
    say "The NuGet source has no Aspire $version: building with the stand-ins in standins/ (remembered in local.props)"
    write_local_props true
  else
    printf '%s\n' "$answer" | tail -n 5 >&2
    fail "the NuGet source could not be asked for Aspire $version (see above)"
  fi
  rm -rf "$probe"
}

write_local_props() {
  cat >local.props <<P
<Project>
  <!-- Written by ./run and ./test. Delete this file to have the NuGet source asked again. -->
  <PropertyGroup>
    <UseStandIns>$1</UseStandIns>
  </PropertyGroup>
</Project>
P
}

# build PROJECT: quiet when it succeeds. Restores first, so that the first build of a fresh clone needs no other command.
build() {
  local log; log="$(mktemp)"
  say "Building $1 ..."
  dotnet build "$1" -c Release -v quiet -nologo -clp:NoSummary >"$log" 2>&1 || { grep -E 'error|warn' "$log" | sort -u | head -n 40 >&2; fail "the build failed (errors above)"; }
  rm -f "$log"
}
