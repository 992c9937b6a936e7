# Sourced by the scripts beside it: where the repository is, and how to become root.
# shellcheck shell=bash disable=SC2034

repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
venv=$repository/.venv

say() { printf '%s: %s\n' "$(basename "$0")" "$*" >&2; }

die() {
    say "$@"
    exit 1
}

# Run a command as root: as it is for root, through sudo for others.
as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        die "root's rights are needed for: $*; run this as root, or install sudo"
    fi
}

# What was written here as root goes to the checkout's owner.
give_back() {
    [ "$(id -u)" -eq 0 ] || as_root chown -R --from=0 "$(id -u):$(id -g)" "$repository"
}
