# shellcheck shell=bash disable=SC2034
# Starting, finding and stopping processes. Sourced by scripts/stack.

start_time() { # kernel start time of a pid; nothing for a zombie, which is as good as gone
  local s
  { read -r s <"/proc/$1/stat"; } 2>/dev/null || return 1
  read -ra s <<<"${s##*) }"
  [ "${s[0]}" != Z ] && echo "${s[19]}"
}
alive() { # ours only when pid AND start time are those we wrote down
  local pid st
  { read -r pid st <"$RUN/pid/$1"; } 2>/dev/null && [ -n "$st" ] && [ "$(start_time "$pid")" = "$st" ]
}
pid_of() { local pid _; read -r pid _ <"$RUN/pid/$1"; echo "$pid"; }
# All processes of a service, also children that outlived a killed parent: a service runs in the
# root folder with its own data folder as working directory (and zombies have none).
procs_of() {
  local p
  for p in /proc/[0-9]*; do
    if [ "$p/cwd" -ef "$RUN/$1" ] && [ "$p/root" -ef "$ROOT" ]; then echo "${p#/proc/}"; fi
  done
}
# Wait until nothing of a dead service is left (PostgreSQL's children hold the shared memory,
# nginx's workers the port); what does not go by itself is killed.
sweep() {
  local i pids
  for i in {1..100}; do
    pids=$(procs_of "$1"); [ -n "$pids" ] || return 0
    # shellcheck disable=SC2086
    [ "$i" -lt 20 ] || kill -KILL $pids 2>/dev/null || true
    sleep 0.05
  done
  die "$1: processes" $pids "do not go away"
}
kill_one() {
  local pids
  # stopped first, so that it can't make a child between our look and the kill
  if alive "$1"; then kill -STOP "$(pid_of "$1")" 2>/dev/null || true; fi
  pids=$(procs_of "$1")
  if alive "$1"; then pids+=" $(pid_of "$1")"; fi
  # shellcheck disable=SC2086
  [ -z "${pids// /}" ] || kill -KILL $pids 2>/dev/null || true
  sweep "$1"
  rm -f "$RUN/pid/$1"
}
stop_one() {
  local sig=TERM i
  # fast ways only: pgBouncer's TERM waits for its clients, PostgreSQL's TERM too
  case $1 in pg) sig=INT ;; pgbouncer) sig=QUIT ;; esac
  if alive "$1"; then
    kill -$sig "$(pid_of "$1")" 2>/dev/null || true
    for i in {1..300}; do alive "$1" || break; sleep 0.05; done
    if alive "$1"; then say "$1 ignored SIG$sig for 15 s, killing it"; fi
  fi
  kill_one "$1"
}

own() { mkdir -p "$RUN/$2"; if is_root; then chown -R "$(uid_of "$1")" "$RUN/$2"; fi; } # own USER FOLDER
# Is there a listener (LISTEN) or any other socket (OTHER) on 127.0.0.1:PORT? From the kernel's
# table, because a connection to find out may itself be given that port and block it.
socket_on() { # socket_on LISTEN|OTHER PORT
  { cat /proc/net/tcp /proc/net/tcp6 2>/dev/null || true; } | awk -v want="$1" -v port=":$(printf %04X "$2")\$" '
    $2 ~ port && $2 ~ /^(0100007F|0+|0+FFFF00000100007F):/ && ($4 == "0A") == (want == "LISTEN") { f = 1 }
    END { exit !f }'
}
spawn() { # spawn SVC USER CMD...
  local svc=$1 user=$2; shift 2
  # a session of its own: killing the process group of the caller leaves the stack alone
  ( ulimit -Sn 65536 2>/dev/null || true; DETACH=(setsid); inside "$user" "$INSIDE/$svc" "$@" ) \
    </dev/null >>"$RUN/log/$svc.log" 2>&1 9>&- &
  echo "$! $(start_time $!)" >"$RUN/pid/$svc"
}
wait_for() { # wait_for SVC: 1 when it died
  local end=$((SECONDS + 30))
  until answers "$1" >/dev/null 2>&1; do
    alive "$1" || { rm -f "$RUN/pid/$1"; return 1; }
    [ $SECONDS -lt $end ] || { tail -n 15 "$RUN/log/$1.log" >&2; die "$1 does not answer on 127.0.0.1:${PORT[$1]}, see $RUN/log/$1.log"; }
    sleep 0.05
  done
}
tcp_says() { # tcp_says SVC REQUEST PATTERN: does the first line of the answer match?
  # shellcheck disable=SC2053
  (
    exec 3<>"/dev/tcp/127.0.0.1/${PORT[$1]}" && printf '%b' "$2" >&3 && read -r -t 2 line <&3 && [[ $line == $3 ]]
  ) 2>/dev/null
}
http_ok() { tcp_says "$1" "GET $2 HTTP/1.0\r\nHost: localhost\r\n\r\n" '* 200 *'; }

start() { # start SVC: nothing to do when it runs
  local svc=$1 port=${PORT[$1]} end=$((SECONDS + 70)) told=0
  # a cluster whose first start was cut short has no roles: it is made again
  if [ "$svc" = pg ] && [ ! -e "$RUN/pg.ready" ]; then kill_one pg; fi
  until alive "$svc" && wait_for "$svc"; do
    sweep "$svc"
    ! socket_on LISTEN "$port" ||
      die "$svc: port $port is in use by a process this script did not start; it is left alone (stop it or set STACK_PORT_BASE)"
    "start_$svc"
    wait_for "$svc" && break
    # The kernel hands ports of this range to outgoing connections too, and one that has been
    # closed holds its port for a minute.
    if ! socket_on OTHER "$port" || [ $SECONDS -ge $end ]; then
      tail -n 15 "$RUN/log/$svc.log" >&2; die "$svc died while starting, see $RUN/log/$svc.log"
    fi
    [ $told = 1 ] || say "$svc: port $port is held by an outgoing connection, trying again for up to 70 s"
    told=1; sleep 0.5
  done
  if [ "$svc" = pg ] && [ ! -e "$RUN/pg.ready" ]; then first_start; fi
}
