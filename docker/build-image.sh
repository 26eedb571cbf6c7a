#!/bin/sh
# Builds the container image `gradd` and starts it once: with Docker where an engine answers, else with buildah on a Debian
# base made by mmdebstrap (both from Debian's packages; needs root). Ends with status 0 if the container was healthy.
set -eu
cd "$(dirname "$0")/.."
image=${IMAGE:-gradd}
work=$(mktemp -d)
started='' # the container, or its mounted copy's name
cleanup() {
    status=$?
    trap - EXIT
    if [ -n "$started" ] && [ "$engine" = docker ]; then docker rm --force "$started" >/dev/null 2>&1 || true; fi
    if [ -n "$started" ] && [ "$engine" = buildah ]; then
        [ -z "${server:-}" ] || { kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; }
        buildah rm "$started" >/dev/null 2>&1 || true
    fi
    rm -rf "$work"
    exit $status
}
engine=buildah
if command -v docker >/dev/null && docker info >/dev/null 2>&1; then engine=docker; fi
trap cleanup EXIT
trap 'exit 130' INT TERM
say() { echo "image: $*"; }
head -c 24 /dev/urandom | base64 >"$work/gradd_token"
chmod 755 "$work" && chmod 444 "$work/gradd_token"

# wait_healthy COMMAND…: until it succeeds, for 10 seconds.
wait_healthy() {
    for _ in $(seq 100); do
        if "$@" >/dev/null 2>&1; then return 0; fi
        sleep 0.1
    done
    say "the container did not become healthy"
    return 1
}

with_docker() {
    docker build --file docker/Dockerfile --tag "$image" .
    started=$(docker run --detach --read-only --cap-drop ALL --security-opt no-new-privileges \
        --volume "$work/gradd_token:/run/secrets/gradd_token:ro" "$image")
    wait_healthy docker exec "$started" gradd healthcheck || { docker logs "$started"; return 1; }
    docker stop --time 35 "$started" >/dev/null
    [ "$(docker inspect --format '{{.State.ExitCode}}' "$started")" = 0 ]
    docker image inspect --format 'image: {{.Size}} bytes' "$image"
}

need() {
    missing=''
    for p in "$@"; do dpkg-query -W -f='${Status}' "$p" 2>/dev/null | grep -q 'install ok installed' || missing="$missing $p"; done
    [ -n "$missing" ] || return 0
    say "installing Debian packages:$missing"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
}

# debian:bookworm-slim as an engine would pull it, from Debian's archive.
make_base() {
    buildah inspect --type image docker.io/library/debian:bookworm-slim >/dev/null 2>&1 && return 0
    say "making the base image from Debian's archive"
    mmdebstrap --quiet --variant=minbase --include=ca-certificates \
        --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-include=/usr/share/doc/*/copyright' \
        --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' bookworm "$work/base.tar"
    printf 'FROM scratch\nADD base.tar /\nCMD ["bash"]\n' >"$work/Dockerfile"
    buildah bud --quiet --tag docker.io/library/debian:bookworm-slim --file "$work/Dockerfile" "$work" >/dev/null
}

# Without an engine there is no network of its own for the container: it uses this machine's, on a port that is free.
with_buildah() {
    [ "$(id -u)" = 0 ] || { say "without a Docker engine this needs root"; exit 1; }
    need buildah mmdebstrap crun ca-certificates
    export BUILDAH_ISOLATION=chroot STORAGE_DRIVER=vfs
    make_base
    buildah bud --pull-never --format docker --layers=false --ignorefile docker/Dockerfile.dockerignore \
        --file docker/Dockerfile --tag "$image" .
    started=$(buildah from --pull-never "$image")
    port=$(awk 'BEGIN { srand(); print 20000 + int(rand() * 20000) }')
    # `run` takes words, not the image's entry point; the settings are the image's environment.
    buildah run --isolation chroot --user 10001:10001 --env "GRADD_LISTEN=0.0.0.0:$port" \
        --volume "$work/gradd_token:/run/secrets/gradd_token:ro" "$started" -- gradd serve >"$work/log" 2>&1 &
    server=$!
    wait_healthy buildah run --isolation chroot --user 10001:10001 --env "GRADD_LISTEN=0.0.0.0:$port" "$started" -- gradd healthcheck ||
        { cat "$work/log"; return 1; }
    say "$(du -sm "$(buildah mount "$started")" | cut -f1) MB unpacked"
    buildah umount "$started" >/dev/null
}

"with_$engine"
say "$image was built and answered its health check"
