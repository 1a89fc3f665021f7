# shellcheck shell=bash
# What install, start, stop and bin have in common: where each server is kept and how it is called.
# Sourced, never run.

# Raise this when a recipe changes: an old cache is then left alone and a new one made.
readonly recipe=1

# Those that every test on "each server" runs on.
readonly all_servers=(mariadb-10.11 mariadb-11.4 mariadb-11.8 mysql-5.6 mysql-5.7 mysql-8.0 mysql-9.7)
# Older than what is promised. The tests of what is refused there start it themselves.
readonly old_servers=(mariadb-10.2)

# Outside the work tree, so that `git clean` and a fresh clone cost no download.
cache=${DUMPA_TEST_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/dumpa-tests}

die() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

# Programs that were needed and are not there, with the way to get them.
absent=()

# need PROGRAM PACKAGE: notes a program that is not there, and the Debian package that it comes with.
need() {
    if ! command -v "$1" >/dev/null; then absent+=("$1 (Debian: apt-get install $2)"); fi
}

# end_if_absent TITLE: ends, with the list of what was needed and is not there.
end_if_absent() {
    if ((${#absent[@]} == 0)); then return 0; fi
    {
        printf '%s\n' "$1"
        printf '    %s\n' "${absent[@]}" | sort -u
    } >&2
    exit 1
}

# The finished install of a server: `root/` its programs, `template/` a pristine data directory.
# It is renamed into place when complete, so its being there is the proof that it is complete.
home_of() { printf '%s/%s.v%s' "$cache" "$1" "$recipe"; }

known_server() {
    local known
    for known in "${all_servers[@]}" "${old_servers[@]}"; do
        if [[ $known == "$1" ]]; then return 0; fi
    done
    die "no server is called '$1'; there are: ${all_servers[*]} ${old_servers[*]}"
}

# run_in ROOT PROGRAM: sets `program`, the command that runs a program unpacked from Debian packages.
# They come with their own libc, which need not be the machine's: so with its own loader, too.
run_in() {
    local root=$1 path=$2 loader
    for loader in "$root"/lib64/ld-linux-x86-64.so.2 "$root"/usr/lib64/ld-linux-x86-64.so.2; do
        [[ -e $loader ]] && break
    done
    local lib=$root/usr/lib
    program=("$loader"
        --library-path "$root/lib/x86_64-linux-gnu:$lib/x86_64-linux-gnu:$lib/mysql/private:$root/server/lib"
        "$root/$path")
}

# server_command NAME HOME: sets `program`, the server with the flags that name its own files.
server_command() {
    local root=$2/root base share
    case $1 in
        mariadb-10.11) base=$root/usr share=$root/usr/share/mysql ;;
        mariadb-11.8) base=$root/usr share=$root/usr/share/mariadb ;;
        mysql-9.7) base=$root/usr share=$root/usr/share/mysql ;;
        mysql-5.6) base=$root share=$root/share ;;
        # From Maven; see `maven_server` in install.
        *) base=$root/server share=$root/server/share ;;
    esac
    case $1 in
        mariadb-10.11 | mariadb-11.8) run_in "$root" usr/sbin/mariadbd ;;
        mariadb-11.4) run_in "$root" server/bin/mariadbd ;;
        mysql-9.7) run_in "$root" usr/sbin/mysqld ;;
        mysql-5.7 | mysql-8.0 | mariadb-10.2) run_in "$root" server/bin/mysqld ;;
        # Its libaio lies beside it; the rest is the machine's.
        mysql-5.6) program=(env "LD_LIBRARY_PATH=$root" "$root/mysqld") ;;
    esac
    program+=(--no-defaults --basedir="$base" --lc-messages-dir="$share" --character-sets-dir="$share/charsets")
    if [[ $base == "$root/usr" ]]; then program+=(--plugin-dir="$base/lib/mysql/plugin"); fi
    program+=(--user="$(id -un)" "${storage_flags[@]}")
    case $1 in
        mysql-9.7) program+=(--secure-file-priv= --mysqlx=OFF --innodb-redo-log-capacity=256M) ;;
        mysql-8.0) program+=(--secure-file-priv= --mysqlx=OFF --innodb-log-file-size=256M) ;;
        mysql-5.7) program+=(--secure-file-priv= --innodb-log-file-size=256M) ;;
        # 5.6 refuses a value larger than a tenth of its logs. They are sparse, so they cost nothing.
        *) program+=(--innodb-log-file-size=256M) ;;
    esac
}

# Nothing here has to survive a power cut, and a killed server loses nothing that reached the kernel.
# Hence no fsync at all, but the redo log is written at each commit (2, not 0): tests do kill servers.
# Native AIO is a small, machine-wide resource that many servers at once would use up.
readonly storage_flags=(
    --innodb-flush-method=nosync
    --innodb-flush-log-at-trx-commit=2
    --innodb-doublewrite=0
    --innodb-use-native-aio=0
    --innodb-buffer-pool-size=64M
)

# server_pid DIR: prints the pid of the server that runs in DIR, if one does.
# A pid may be another process's by now, so its command line must name DIR; a zombie's is empty.
server_pid() {
    local pid
    [[ -e $1/server ]] || return 1
    pid=$(sed -n 's/^pid=//p' "$1/server")
    { tr "\0" "\n" <"/proc/$pid/cmdline"; } 2>/dev/null | grep -xF -e "--datadir=$1/data" >/dev/null || return 1
    printf '%s' "$pid"
}

# Makes a folder for servers and prints it. A unix socket's path must be short, so a long TMPDIR is of no use.
short_temporary_folder() {
    local base=${TMPDIR:-/tmp}
    if ((${#base} > 40)); then base=/tmp; fi
    mktemp -d "$base/dumpa-XXXXXX"
}
