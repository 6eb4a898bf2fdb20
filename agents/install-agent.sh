#!/usr/bin/env bash
# Installs one agent's command line as its lock says: into PREFIX/NAME, and linked as PREFIX/bin/NAME.
# The images and `make agents` take these same steps. What is installed already is left alone.
#   agents/install-agent.sh NAME PREFIX
# Settings: TARGETARCH, amd64 or arm64 (the machine's own); PIP (python3 -m pip); AIDER_PYTHON, the Python that
# runs Aider, which every user must be able to execute (/usr/bin/python3).
set -euo pipefail
umask 022

fail() {
  echo "install-agent.sh: $*" >&2
  exit 1
}

processor() {
  case $1 in
    amd64 | x86_64) echo x64 ;;
    arm64 | aarch64) echo arm64 ;;
    *) fail "no agent is built for the architecture $1" ;;
  esac
}

install_from_npm() {
  command -v npm > /dev/null || fail "npm installs $name, and is not on PATH"
  cp "$folder/package.json" "$folder/package-lock.json" "$target"
  npm ci --prefix "$target" --ignore-scripts --omit=dev --no-audit --no-fund --loglevel=error \
    --os=linux --cpu="$cpu" --libc=glibc > /dev/null
}

# The package's own script would unpack it too, but into the home of whoever installs.
unpack_grok() {
  local packed=$target/node_modules/@xai-official/grok-linux-$cpu/bin/grok.br
  [[ -f $packed ]] || fail "the lock of grok has no build for linux-$cpu"
  node -e 'const {readFileSync, writeFileSync} = require("fs"), [packed, unpacked] = process.argv.slice(1);
    writeFileSync(unpacked, require("zlib").brotliDecompressSync(readFileSync(packed)), {mode: 0o755})' \
    "$packed" "$target/grok"
  rm "$packed"
}

install_from_pypi() {
  "$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 13))' \
    || fail "aider runs on Python 3.11 or 3.12, and $python is neither: set AIDER_PYTHON to one"
  "$python" -m venv --without-pip "$target"
  PIP_ROOT_USER_ACTION=ignore ${PIP:-python3 -m pip} --python "$target/bin/python" install --quiet --quiet \
    --disable-pip-version-check --no-deps --only-binary :all: --require-hashes --requirement "$folder/requirements.txt"
}

# As an unprivileged user where that can be chosen, and in a home to throw away: every start writes to its home.
reported_version() {
  local home
  local -a as_nobody=()
  home=$(mktemp -d)
  if [[ $(id -u) -eq 0 ]]; then
    chown 65534:65534 "$home"
    as_nobody=(setpriv --reuid=65534 --regid=65534 --clear-groups)
  fi
  (cd / && "${as_nobody[@]}" env -i HOME="$home" PATH="$PATH" "$target/$executable" --version 2>&1) || true
  rm -rf "$home"
}

[[ $# -eq 2 ]] || fail "usage: agents/install-agent.sh NAME PREFIX"
name=$1
folder=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/$name
own_cpu=$(processor "$(uname -m)")
cpu=$(processor "${TARGETARCH:-$(uname -m)}")
python=${AIDER_PYTHON:-/usr/bin/python3}
declare -A rust_names=([x64]=x86_64 [arm64]=aarch64)

case $name in
  claude) executable=node_modules/@anthropic-ai/claude-code-linux-$cpu/claude ;;
  codex) executable=node_modules/@openai/codex-linux-$cpu/vendor/${rust_names[$cpu]}-unknown-linux-musl/bin/codex ;;
  gemini) executable=node_modules/@google/gemini-cli/bundle/gemini.js ;;
  grok) executable=grok ;;
  aider) executable=bin/aider ;;
  *) fail "there is no command line to install by the name of $name" ;;
esac
case $name in
  aider) lock=requirements.txt && wanted=$(sed -n 's/.*==//p' "$folder/requirements.in") ;;
  *) lock=package-lock.json && wanted=$(sed -n 's/.*"@.*": "\(.*\)"/\1/p' "$folder/package.json") ;;
esac

mkdir -p "$2/bin"
prefix=$(cd "$2" && pwd)
target=$prefix/$name
exec 9< "$prefix" # two at once would remove each other's files
flock 9
state=$({ cat "$folder/$lock" "${BASH_SOURCE[0]}" && echo "$cpu $target $python"; } | sha256sum)
if [[ -x $prefix/bin/$name && -f $target/.installed && $(< "$target/.installed") == "$state" ]]; then
  exit 0
fi

rm -rf "$target" "${prefix:?}/bin/$name"
mkdir -p "$target"
case $name in
  aider) install_from_pypi ;;
  *) install_from_npm ;;
esac
[[ $name != grok ]] || unpack_grok
[[ -x $target/$executable ]] || fail "the lock of $name has no build for linux-$cpu"
if [[ $cpu == "$own_cpu" ]]; then
  reported=$(reported_version)
  [[ $reported == *"$wanted"* ]] || fail "$name says that its version is '$reported', not $wanted"
fi
ln -s "../$name/$executable" "$prefix/bin/$name"
echo "$state" > "$target/.installed"
echo "$name $wanted"
