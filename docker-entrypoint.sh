#!/bin/sh
# Runs poc-governor as the service's user. Started as root, as on fly.io, where a new volume belongs
# to root, it first gives that user the data folder.
set -eu

user=${SERVICE_USER:-governor}

if [ "$(id -u)" = 0 ]; then
    mkdir -p "$DATA_DIR"
    find "$DATA_DIR" ! -user "$user" -exec chown -h "$user:" {} +
    HOME=$(getent passwd "$user" | cut -d: -f6)
    export HOME
    exec setpriv --reuid="$user" --regid="$(id -g "$user")" --init-groups --no-new-privs poc-governor "$@"
fi

exec poc-governor "$@"
