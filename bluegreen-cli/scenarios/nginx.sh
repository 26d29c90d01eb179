#!/bin/sh
# Runs nginx from Debian as the server of one machine, in the foreground:
#
#     instance_command = "sh '{here}/nginx.sh' '{folder}'"
#
# Every machine answers with its version, colour and id. If the file VERSION.conf is in the folder,
# it is a part of what the machines of that version do with a request, errors and all.
#
#     sh nginx.sh FOLDER reload
#
# lets every nginx of the folder read its configuration anew. If there is a file `hosts` in the
# folder when nginx is started, it knows the names of that file (Debian's libnss-wrapper).
set -eu
PATH="${PATH:-/usr/bin:/bin}:/usr/sbin"
folder="$1"
if ! command -v nginx >/dev/null; then
    echo 'nginx is missing: install it, on Debian with `apt-get install nginx-light`' >&2
    exit 1
fi


# Runs nginx with a folder of its own.
run() {
    if [ -e "$folder/hosts" ]; then
        NSS_WRAPPER_HOSTS="$folder/hosts"
        LD_PRELOAD=libnss_wrapper.so
        export NSS_WRAPPER_HOSTS LD_PRELOAD
    fi
    exec nginx -e stderr -p "$@"
}

if [ $# -gt 1 ]; then
    for machine in "$folder"/i-*; do
        (run "$machine" -c "$machine/nginx.conf" -s "$2")
    done
    exit
fi

own="$folder/$INSTANCE"
mkdir -p "$own"
{
    # Workers that are somebody else could not read the folder.
    [ "$(id -u)" -ne 0 ] || echo 'user root;'
    cat <<END
daemon off;
worker_processes 1;
pid nginx.pid;
error_log stderr;
events {}
http {
    access_log off;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    scgi_temp_path scgi;
    uwsgi_temp_path uwsgi;
    server {
END
    for port in $PORTS; do
        echo "        listen $ADDRESS:$port;"
    done
    # A pattern may match nothing; the name of a file must not.
    cat <<END
        location / {
            set \$release "$VERSION";
            include "$folder/$VERSION*.conf";
            add_header X-Version \$release always;
            add_header X-Color "$COLOR" always;
            add_header X-Instance "$INSTANCE" always;
            return 200 "\$release on $INSTANCE\n";
        }
    }
}
END
} >"$own/nginx.conf"
run "$own" -c "$own/nginx.conf"
