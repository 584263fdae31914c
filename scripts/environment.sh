# shellcheck shell=sh disable=SC2154
# Sourced by quickstart.sh and test.sh, which set $root: `prepare LOCK` makes .venv, or mends it, and installs LOCK and the project.

venv=$root/.venv

# Written last, so that .venv is known to hold what it should: the lock, a checksum, the Python and the folder.
stamp=$venv/simstudy-installed

export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1 PIP_USER=0

fail() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

say() {
    printf '%s: %s\n' "${0##*/}" "$*"
}

# The interpreter itself, not a virtual environment's link to it: .venv may be active while it is made anew.
find_python() {
    for name in python3 python3.14 python3.13 python3.12 python3.11; do
        python=$("$name" -c 'import sys; print(sys._base_executable if sys.version_info >= (3, 11) else "")' 2>/dev/null) || continue
        [ -z "$python" ] || return 0
    done
    fail "Python 3.11 or newer is needed; python3 here is $(python3 --version 2>/dev/null || echo missing)"
}

# One set-up of a checkout at a time. The lock lies on this shell's descriptor 9 and goes with the last process that holds it.
take_turn() {
    exec 9<"$root"
    "$python" - "${0##*/}" <<'EOF'
import fcntl
import sys

try:
    fcntl.flock(9, fcntl.LOCK_EX | fcntl.LOCK_NB)
except BlockingIOError:
    print(f"{sys.argv[1]}: waiting for another set-up of this checkout", flush=True)
    fcntl.flock(9, fcntl.LOCK_EX)
except OSError:  # a file system without locks
    pass
EOF
}

place() {
    "$venv/bin/python" - "$venv" 2>/dev/null <<'EOF'
import sys

if sys.version_info < (3, 11):
    sys.exit(1)
print("Python %d.%d in %s" % (*sys.version_info[:2], sys.argv[1]))
EOF
}

# One's own .venv, without a stamp, is used as it is; one that was interrupted or moved, or has no Python that serves, is not.
usable() {
    here=$(place) || return 1
    [ -e "$stamp" ] || return 0
    case $(cat "$stamp") in *" $here") return 0 ;; *) return 1 ;; esac
}

make_venv() {
    rm -rf "$venv"
    mkdir "$venv"
    echo unfinished >"$stamp"
    if command -v uv >/dev/null || ! "$python" -m venv "$venv" >/dev/null 2>&1; then
        "$python" -m venv --without-pip "$venv" || fail "python3 -m venv --without-pip .venv failed, see above"
    fi
}

install() {
    if command -v uv >/dev/null; then
        uv pip install --quiet --python "$venv/bin/python" "$@"
    elif "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
        "$venv/bin/python" -m pip install --quiet "$@"
    elif "$python" -m pip --version >/dev/null 2>&1; then
        "$python" -m pip --python "$venv/bin/python" install --quiet "$@"
    elif command -v pip3 >/dev/null; then
        pip3 --python "$venv/bin/python" install --quiet "$@"
    else
        fail "pip is missing: install Python's pip or ensurepip (Debian: python3-pip or python3-venv), or uv"
    fi
}

prepare() {
    lock=$1
    find_python
    take_turn
    content=$(cd "$root" && cat pyproject.toml requirements.lock requirements-dev.lock | cksum)
    case $(cat "$stamp" 2>/dev/null || true) in
        "$lock $content $(place)" | "requirements-dev.lock $content $(place)") ;;
        *)
            usable || make_venv
            echo unfinished >"$stamp"
            say "installing $lock into .venv; this takes a minute or two, once"
            {
                install --require-hashes --only-binary :all: -r "$root/$lock" &&
                    install --no-build-isolation --no-deps -e "$root"
            } || fail "the installation did not finish, see above; run this again to start it afresh"
            echo "$lock $content $(place)" >"$stamp"
            ;;
    esac
    exec 9<&-
}
