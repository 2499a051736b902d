#!/bin/sh
# Makes .venv and installs into it exactly what the lock files say, wheels only; `install.sh dev` adds what the tests
# need. Takes no time when nothing changed; after an interruption it begins again.
set -eu
cd "$(dirname "$0")/.."
development=${1:-}
marks=.venv/marks        # copies of the files that the environment was made from
whole=.venv/marks/place  # where it lies; only there while nothing is half installed
log=.venv/install.log

say() { # English, Spanish
    case "${LC_ALL:-${LC_MESSAGES:-${LANG:-}}}" in es*) echo "$2" ;; *) echo "$1" ;; esac
}

find_python() { # prints the newest suitable Python; the variable PYTHON names another
    if [ -n "${PYTHON:-}" ]; then set -- "$PYTHON"; else set -- python3.14 python3.13 python3.12 python3.11 python3 python; fi
    incomplete=
    for candidate; do
        "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue
        if "$candidate" -c 'import ensurepip, venv' 2>/dev/null; then echo "$candidate"; return; fi
        incomplete=$candidate
    done
    if [ -n "$incomplete" ]; then
        say "$incomplete cannot make virtual environments. On Debian and Ubuntu: sudo apt install python3-venv" \
            "$incomplete no puede crear entornos virtuales. En Debian y Ubuntu: sudo apt install python3-venv" >&2
    else
        say "Python 3.11 or newer is needed. If you have one: make setup PYTHON=/path/to/python3" \
            "Se necesita Python 3.11 o posterior. Si ya lo tiene: make setup PYTHON=/ruta/a/python3" >&2
    fi
    return 1
}

quietly() { # runs a command; its output is shown only if it fails
    if "$@" >"$log" 2>&1; then return; else status=$?; fi
    cat "$log" >&2
    say "This failed: $*" "Esto ha fallado: $*" >&2
    exit "$status"
}

unchanged() { # whether these files are the same as when the environment was made
    for file; do cmp -s "$file" "$marks/$(basename "$file")" || return 1; done
}

pip_install() {
    rm -f "$whole"
    quietly .venv/bin/python -m pip install --no-input --disable-pip-version-check "$@"
    echo "$PWD" >"$whole"
}

check_engine() { # the one thing that the wheels do not bring
    .venv/bin/python -c "import xllamacpp" 2>"$log" && return
    tail -n 1 "$log" >&2
    if grep -q libgomp "$log"; then
        say "The system library libgomp is missing. Debian, Ubuntu: sudo apt install libgomp1. Fedora: sudo dnf install libgomp" \
            "Falta la biblioteca libgomp del sistema. Debian, Ubuntu: sudo apt install libgomp1. Fedora: sudo dnf install libgomp" >&2
    fi
    exit 1
}

install() { # lock files
    for file; do
        shift
        set -- "$@" --requirement "$file"
    done
    pip_install --require-hashes --only-binary :all: "$@"
}

# A folder that was moved or copied, or a Python that was replaced, leaves an environment that no longer works.
if [ "$(cat "$whole" 2>/dev/null)" != "$PWD" ] || ! .venv/bin/python -c "" 2>/dev/null; then
    python=$(find_python)
    say "Making the environment .venv with $("$python" --version)" "Creando el entorno .venv con $("$python" --version)"
    rm -rf .venv
    mkdir .venv
    quietly "$python" -m venv .venv
    mkdir "$marks"
    echo "$PWD" >"$whole"
fi

set -- requirements/build.txt requirements/core.txt requirements/llamacpp.txt requirements/hub.txt requirements/sentence_encoder.txt requirements/starter.txt
if ! unchanged "$@"; then
    say "Installing the packages that Abierto needs (about 120 MB)" "Instalando los paquetes que Abierto necesita (unos 120 MB)"
    install "$@"
    check_engine
    cp "$@" "$marks"
fi

set -- pyproject.toml abierto/__init__.py
if ! unchanged "$@"; then
    say "Installing Abierto" "Instalando Abierto"
    pip_install --no-deps --no-build-isolation --editable .
    cp "$@" "$marks"
fi

[ "$development" ] || exit 0
set -- requirements/dev.txt requirements/openvino.txt requirements/gguf.txt requirements/keyring.txt requirements/training.txt
if ! unchanged "$@"; then
    say "Installing the packages that the tests need (about 160 MB)" "Instalando los paquetes que las pruebas necesitan (unos 160 MB)"
    install "$@"
    cp "$@" "$marks"
fi

# In no lock: its builds differ by machine, and with them the hashes. pip takes the one that its index offers here.
set -- requirements/pytorch.in
if ! unchanged "$@"; then
    say "Installing PyTorch, which the tests of the recipes need (about 200 MB)" "Instalando PyTorch, que necesitan las pruebas de las recetas (unos 200 MB)"
    pip_install --only-binary :all: --requirement "$1"
    cp "$1" "$marks"
fi
