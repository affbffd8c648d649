#!/usr/bin/env bash
# Install the servers that the tests start privately, where they are missing and apt may; else say what to install.
# With `bench`: also what puts load on a server for the benchmarks.
set -euo pipefail
missing=()
ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || missing+=(postgresql)
[ -x /usr/sbin/sshd ] || missing+=(openssh-server)
ls /usr/lib/rabbitmq/lib/*/sbin/rabbitmq-server >/dev/null 2>&1 || missing+=(rabbitmq-server)
command -v sftp >/dev/null || missing+=(openssh-client)
command -v gpg >/dev/null || missing+=(gnupg)
[ "${1:-}" != bench ] || command -v ab >/dev/null || missing+=(apache2-utils)
[ ${#missing[@]} -eq 0 ] && exit 0
if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends "${missing[@]}"
else
  echo "The tests need these servers; install them first: ${missing[*]}" >&2
  exit 1
fi
