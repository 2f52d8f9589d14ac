# shellcheck shell=bash
# The root folder: making it and running things inside. Sourced by scripts/stack.

package_hash() { printf '%s %s' "$SUITE" "$PACKAGES" | sha256sum | cut -d' ' -f1; }

# The mirror this machine's own apt uses: the one that is known to be reachable from here.
own_mirror() {
  { cat /etc/apt/sources.list.d/*.sources /etc/apt/sources.list.d/*.list /etc/apt/sources.list 2>/dev/null || true; } |
    awk '!m && ($1 == "URIs:" || $1 == "deb") { for (i = 2; i <= NF && !m; i++) if ($i ~ /\/debian\/?$/) m = $i } END { print m }'
}

# 0: usable. 1: not there. Anything in between ends the script. A folder without a marker
# counts by its programs, so that one made by other means can be used.
root_usable() {
  local f
  [ -n "$(ls -A "$ROOT" 2>/dev/null)" ] || return 1
  if [ -e "$ROOT/$MARKER" ]; then
    [ "$(<"$ROOT/$MARKER")" = "$(package_hash)" ] ||
      die "the root folder $ROOT was made for another package list: run scripts/stack build --force"
  fi
  for f in "${NEEDED[@]}"; do
    [ -e "$ROOT$f" ] || die "the root folder $ROOT lacks $f: run scripts/stack build --force"
  done
}

# shellcheck disable=SC2120 # its argument comes from the command line
cmd_build() {
  local force=0 mirror p t0=$EPOCHREALTIME options part=$ROOT.part
  case ${1:-} in --force) force=1 ;; '') ;; *) die "build knows only --force, not '$1'" ;; esac
  mkdir -p "$(dirname "$ROOT")"
  exec 8>"$ROOT.lock"; flock 8
  if [ $force = 0 ] && root_usable; then say "the root folder $ROOT is there"; exec 8>&-; return; fi
  if [ -n "$(ls -A "$ROOT" 2>/dev/null)" ]; then
    # --force deletes the folder, so it must be one of ours and nothing may run in it
    if [ "$ROOT" = / ] || { [ ! -e "$ROOT/$MARKER" ] && [ ! -d "$ROOT$INSIDE" ]; }; then
      die "$ROOT is not a root folder of this script, it is left alone"
    fi
    for p in /proc/[0-9]*; do
      [ ! "$p/root" -ef "$ROOT" ] || die "process ${p#/proc/} runs in $ROOT: run scripts/stack down first"
    done
  fi
  command -v mmdebstrap >/dev/null || die "mmdebstrap is missing: apt-get install mmdebstrap"
  mirror=${STACK_MIRROR:-$(own_mirror)}
  [ -n "$mirror" ] || die "no Debian mirror in this machine's apt sources: set STACK_MIRROR"
  say "making $ROOT from $SUITE (about a minute)"
  # Check-Valid-Until: a mirror that lags behind serves a Release file past its date, and
  # mmdebstrap does not inherit the setting of the machine's apt. Signatures are still checked.
  options=(--quiet --variant=apt --components=main --include="$PACKAGES"
    --aptopt='Acquire::Languages "none"' --aptopt='Acquire::Check-Valid-Until "false"'
    --aptopt='APT::Install-Recommends "false"' --dpkgopt=force-unsafe-io
    --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*'
    --dpkgopt='path-exclude=/usr/share/info/*'
    # no cluster at installation: we make our own under RUN
    --essential-hook='mkdir -p "$1/srv/stack" "$1/etc/postgresql-common" && echo "create_main_cluster = false" >"$1/etc/postgresql-common/createcluster.conf"'
    --customize-hook="echo $(package_hash) >\"\$1/$MARKER\"")
  rm -rf --one-file-system "$part"; mkdir -p "$part"
  if is_root; then
    mmdebstrap --mode=root --format=directory "${options[@]}" "$SUITE" "$part" "$mirror" >&2
  else
    # through tar: everything then belongs to the caller (no sub-uids, plain rm works) and
    # the home folder need not be open to other users
    mmdebstrap --mode=unshare --format=tar "${options[@]}" "$SUITE" - "$mirror" |
      tar -x -C "$part" --no-same-owner --exclude='./dev/*'
  fi || die "mmdebstrap failed, its messages are above"
  chmod 755 "$part"
  rm -rf --one-file-system "$ROOT"; mv "$part" "$ROOT"
  exec 8>&-
  say "made $ROOT in $(since "$t0")"
}

# ---- running things inside

uid_of() { # uid:gid of a user of the root folder
  awk -F: -v u="$1" '$1 == u { print $3 ":" $4; f = 1 } END { exit !f }' "$ROOT/etc/passwd" || die "no user $1 in $ROOT"
}

# inside USER FOLDER CMD...: becomes CMD, in the root folder, with RUN at /srv/stack. Every step
# is an exec, so the pid of the caller's job is the pid of the service. The mounts are in a
# private namespace and vanish with its last process. As root the bind mount also makes RUN
# reachable for the service users when it lies under a closed folder like /root.
DETACH=()
inside() {
  local user=$1 dir=$2 ids; shift 2
  local enter='cd "$0" && exec "$@"'
  unset TMPDIR
  export LC_ALL=C.UTF-8 PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/
  if is_root; then
    ids=$(uid_of "$user")
    exec "${DETACH[@]}" unshare --mount --propagation slave -- /bin/sh -c '
      r=$1 run=$2 ids=$3; shift 3
      mount --rbind /dev "$r/dev" && mount --rbind /proc "$r/proc" && mount --bind "$run" "$r/srv/stack" || exit 125
      cd / && exec chroot --userspec="$ids" "$r" "$@"' sh "$ROOT" "$RUN" "$ids" /bin/sh -c "$enter" "$dir" "$@"
  else
    exec "${DETACH[@]}" unshare --user --map-user="$EUID" --map-group="$(id -g)" --keep-caps --mount -- /bin/sh -c '
      r=$1 run=$2; shift 2
      mount --rbind /dev "$r/dev" && mount --rbind /proc "$r/proc" && mount --bind "$run" "$r/srv/stack" &&
        mount --bind "$run/passwd" "$r/etc/passwd" || exit 125
      cd / && exec chroot "$r" "$@"' sh "$ROOT" "$RUN" /bin/sh -c "$enter" "$dir" "$@"
  fi
}

prepare() { # what inside() needs
  root_usable || die "no root folder at $ROOT: run scripts/stack build"
  mkdir -p "$RUN/pid" "$RUN/log" "$RUN/sock" || die "cannot write to $RUN"
  [ -d "$ROOT$INSIDE" ] || mkdir -p "$ROOT$INSIDE" || die "cannot make $ROOT$INSIDE"
  if is_root; then
    chmod 755 "$RUN"; chown "$(uid_of postgres)" "$RUN/sock"
  else
    unshare --user --map-user="$EUID" --keep-caps --mount -- true 2>/dev/null ||
      die "not root, and this kernel does not let ordinary users make user namespaces"
    # PostgreSQL wants a name for the user it runs as; mv because others may be reading it
    { cat "$ROOT/etc/passwd"; echo "stack:x:$EUID:$(id -g)::/:/bin/sh"; } >"$RUN/passwd.$$"
    cmp -s "$RUN/passwd.$$" "$RUN/passwd" && rm "$RUN/passwd.$$" || mv "$RUN/passwd.$$" "$RUN/passwd"
  fi
}
lock() { mkdir -p "$RUN"; exec 9>"$RUN/lock"; flock -w 600 9 || die "another scripts/stack holds $RUN/lock"; }
