# shellcheck shell=bash
# How each service is configured, started and asked whether it answers. Sourced by scripts/stack.

answers() {
  case $1 in
    pg) ( inside postgres / "$PGHOME/bin/pg_isready" -q -h "$INSIDE/sock" -p "${PORT[pg]}" ) ;;
    # the admin console: pgBouncer may be up while PostgreSQL is not
    pgbouncer) ( export PGPASSWORD=ragstone_owner
      inside postgres / psql -XqAt -h 127.0.0.1 -p "${PORT[pgbouncer]}" -U ragstone_owner -d pgbouncer -c 'show version' ) ;;
    redis) tcp_says redis 'PING\r\n' '+PONG*' ;;
    nginx) http_ok nginx /__nginx ;;
    prometheus | alertmanager) http_ok "$1" /-/ready ;;
  esac
}

start_pg() {
  local fsync=off
  [ "${STACK_DURABLE:-0}" != 1 ] || fsync=on
  if [ ! -e "$RUN/pg.ready" ]; then
    rm -rf --one-file-system "$RUN/pg"; own postgres pg; chmod 700 "$RUN/pg"
    ( inside postgres / "$PGHOME/bin/initdb" -D "$INSIDE/pg" -U postgres --auth-local=trust --auth-host=scram-sha-256 \
      --encoding=UTF8 --locale=C.UTF-8 --no-sync ) >"$RUN/log/initdb.log" 2>&1 || { cat "$RUN/log/initdb.log" >&2; die "initdb failed"; }
    # a file of its own, so that ALTER SYSTEM still wins and survives a restart
    echo "include = 'stack.conf'" >>"$RUN/pg/postgresql.conf"
  fi
  cat >"$RUN/pg/stack.conf" <<EOF
listen_addresses = '127.0.0.1'
port = ${PORT[pg]}
unix_socket_directories = '$INSIDE/sock'
shared_preload_libraries = 'pg_textsearch,age,pg_stat_statements'
max_connections = 200
shared_buffers = ${STACK_SHARED_BUFFERS:-512MB}
maintenance_work_mem = 256MB
max_wal_size = 8GB
jit = off
fsync = $fsync
synchronous_commit = $fsync
full_page_writes = $fsync
EOF
  if is_root; then chown "$(uid_of postgres)" "$RUN/pg/stack.conf"; fi
  # our postmaster is dead, but while it is a zombie its pid in the lock files looks alive to PostgreSQL
  rm -f "$RUN/pg/postmaster.pid" "$RUN/sock/.s.PGSQL.${PORT[pg]}"*
  spawn pg postgres "$PGHOME/bin/postgres" -D "$INSIDE/pg"
}

first_start() { # roles, extensions, database
  # In template1: a new database has the extensions, one made from template0 has none.
  ( inside postgres / psql -Xq -v ON_ERROR_STOP=1 -h "$INSIDE/sock" -p "${PORT[pg]}" -U postgres -d template1 ) <<EOF || die "could not make the roles and the database"
create extension vector;
create extension pg_textsearch;
create extension pg_stat_statements;
create role ragstone_owner login createdb createrole password 'ragstone_owner';
grant pg_signal_backend to ragstone_owner; -- drop database ... with (force)
create role ragstone login password 'ragstone';
\connect postgres
create database ragstone owner ragstone_owner template template1;
\connect ragstone
create extension age;
grant usage on schema ag_catalog to ragstone_owner;
EOF
  touch "$RUN/pg.ready"
}

start_pgbouncer() {
  own postgres pgbouncer
  printf '"%s" "%s"\n' ragstone ragstone ragstone_owner ragstone_owner >"$RUN/pgbouncer/users.txt"
  # server_login_retry: the default of 15 s would go on refusing long after PostgreSQL is back
  cat >"$RUN/pgbouncer/pgbouncer.ini" <<EOF
[databases]
* = host=$INSIDE/sock port=${PORT[pg]}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${PORT[pgbouncer]}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = $INSIDE/pgbouncer/users.txt
admin_users = ragstone_owner
stats_users = ragstone_owner
pool_mode = transaction
max_prepared_statements = 200
max_client_conn = 1000
default_pool_size = ${STACK_POOL_SIZE:-20}
server_login_retry = 1
server_reset_query =
ignore_startup_parameters = extra_float_digits
log_connections = 0
log_disconnections = 0
EOF
  own postgres pgbouncer
  spawn pgbouncer postgres /usr/sbin/pgbouncer "$INSIDE/pgbouncer/pgbouncer.ini"
}

start_redis() {
  own redis redis
  spawn redis redis /usr/bin/redis-server --bind 127.0.0.1 --port "${PORT[redis]}" --dir "$INSIDE/redis" \
    --save '' --appendonly no --daemonize no --maxmemory-policy noeviction
}

start_nginx() {
  own www-data nginx
  # proxy_buffering off: answers are streamed
  cat >"$RUN/nginx/nginx.conf" <<EOF
daemon off; worker_processes 2; pid $INSIDE/nginx/nginx.pid; error_log stderr warn;
events { worker_connections 1024; }
http {
  access_log off;
  client_max_body_size 100m;
  client_body_temp_path $INSIDE/nginx/body; proxy_temp_path $INSIDE/nginx/proxy; fastcgi_temp_path $INSIDE/nginx/fcgi;
  uwsgi_temp_path $INSIDE/nginx/uwsgi; scgi_temp_path $INSIDE/nginx/scgi;
  upstream app { server $UPSTREAM; keepalive 32; }
  server {
    listen 127.0.0.1:${PORT[nginx]};
    location = /__nginx { return 200 "ok\n"; }
    location / {
      proxy_pass http://app; proxy_http_version 1.1; proxy_buffering off; proxy_read_timeout 300s;
      proxy_set_header Connection ""; proxy_set_header Host \$host;
      proxy_set_header X-Forwarded-For \$proxy_add_x_forwarded_for; proxy_set_header X-Forwarded-Proto \$scheme;
    }
  }
}
EOF
  spawn nginx www-data /usr/sbin/nginx -e stderr -c "$INSIDE/nginx/nginx.conf"
}

start_prometheus() {
  own prometheus prometheus
  cat >"$RUN/prometheus/prometheus.yml" <<EOF
global: {scrape_interval: 1s, evaluation_interval: 1s}
alerting: {alertmanagers: [{static_configs: [{targets: ['127.0.0.1:${PORT[alertmanager]}']}]}]}
scrape_configs:
  - {job_name: app, static_configs: [{targets: ['$UPSTREAM']}]}
  - {job_name: prometheus, static_configs: [{targets: ['127.0.0.1:${PORT[prometheus]}']}]}
EOF
  spawn prometheus prometheus /usr/bin/prometheus --config.file="$INSIDE/prometheus/prometheus.yml" \
    --storage.tsdb.path="$INSIDE/prometheus/data" --web.listen-address=127.0.0.1:"${PORT[prometheus]}" --web.enable-lifecycle
}

start_alertmanager() {
  own prometheus alertmanager
  printf 'route: {receiver: none}\nreceivers: [{name: none}]\n' >"$RUN/alertmanager/alertmanager.yml"
  # no cluster address: a single instance needs no gossip port
  spawn alertmanager prometheus /usr/bin/prometheus-alertmanager --config.file="$INSIDE/alertmanager/alertmanager.yml" \
    --storage.path="$INSIDE/alertmanager/data" --web.listen-address=127.0.0.1:"${PORT[alertmanager]}" --cluster.listen-address=
}
