#!/usr/bin/env bash
# Writes the files of secrets that the base refers to (base/NAME/.NAME.secrets) from the forms in secrets/, with passwords in place of
# ${NAME}. Passwords are taken from the environment (POSTGRES_PASSWORD for ${postgres-password}), else from an earlier run (.passwords),
# else made up. None of what it writes belongs into git.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")"
umask 077
touch .passwords

password_of() {
  local variable found
  variable="$(printf %s "$1" | tr 'a-z-' 'A-Z_')"
  found="${!variable:-$(sed -n "s/^$1=//p" .passwords)}"
  # Letters and digits only: a comma or semicolon would end a value in a connection string.
  if [ -z "$found" ]; then found="$(head -c 512 /dev/urandom | LC_ALL=C tr -dc 'A-Za-z0-9' | head -c 32)"; fi
  sed -i.old "/^$1=/d" .passwords && rm -f .passwords.old
  printf '%s=%s\n' "$1" "$found" >>.passwords
  printf %s "$found"
}

for form in secrets/*.secrets; do
  name="$(basename "$form" .secrets)"
  text="$(cat "$form")"
  for parameter in $(grep -o '\${[a-z-]*}' "$form" | tr -d '${}' | sort -u || true); do
    text="${text//\$\{$parameter\}/$(password_of "$parameter")}"
  done
  printf '%s\n' "$text" >"base/$name/.$name.secrets"
done
echo "Secrets written for: $(ls secrets | sed 's/\.secrets$//' | tr '\n' ' ')"
