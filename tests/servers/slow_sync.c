/* A slow disk for the binary log (bin.000001 ...): each sync takes SLOW_SYNC_MS. Other files are not synced at all. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int sync_slowly(int file) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length <= 0) return 0;
    path[length] = 0;
    const char *name = strrchr(path, '/'), *ms = getenv("SLOW_SYNC_MS");
    if (ms && name && strncmp(name, "/bin.0", 6) == 0) usleep(1000 * (useconds_t)atoi(ms));
    return 0;
}

int fsync(int file) { return sync_slowly(file); }
int fdatasync(int file) { return sync_slowly(file); }
