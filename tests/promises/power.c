/* Preloaded by tests/promises/power.rs: a disk that forgets, when the power fails, what was not synced.
 *
 * DISK is the folder that stands for the disk, PLATTER keeps what is durable, as ext4 does it:
 *   PLATTER/INODE   the bytes of a file at its last fsync or fdatasync
 *   PLATTER/names   which names stood where at the last sync of anything: "INODE PATH" a line, folders with inode 0
 *   PLATTER/syncs   one byte for each sync
 * At sync number CUT the power fails before the sync has done anything. sync_file_range is no sync. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;
static const char *disk;
static FILE *names;

static void broken(const char *what) {
    perror(what);
    _exit(99);
}

static void at(char *path, const char *name) {
    snprintf(path, 4096, "%s/%s", getenv("PLATTER"), name);
}

static void copy(const char *from, const char *to) {
    char buffer[65536];
    int in = open(from, O_RDONLY), out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (in < 0 || out < 0) broken(to);
    for (ssize_t n; (n = read(in, buffer, sizeof buffer)) > 0;)
        if (write(out, buffer, (size_t)n) != n) broken(to);
    close(in);
    close(out);
}

static int name(const char *path, const struct stat *st, int type, struct FTW *walk) {
    (void)walk;
    if (type == FTW_F || type == FTW_D)
        fprintf(names, "%lu %s\n", type == FTW_F ? (unsigned long)st->st_ino : 0, path + strlen(disk));
    return 0;
}

static int sync_of(int fd, long call) {
    char link[64], path[4096] = "", data[4096], beside[4096], number[32];
    struct stat st, count;
    disk = getenv("DISK");
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    if (!disk || readlink(link, path, sizeof path - 1) < 0 || strncmp(path, disk, strlen(disk)) != 0)
        return (int)syscall(call, fd);
    pthread_mutex_lock(&one_at_a_time);
    at(data, "syncs");
    int syncs = open(data, O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (syncs < 0 || flock(syncs, LOCK_EX) || write(syncs, ".", 1) != 1 || fstat(syncs, &count) || fstat(fd, &st))
        broken(data);
    const char *cut = getenv("CUT");
    if (cut && count.st_size >= atol(cut)) kill(getpid(), SIGKILL);
    at(beside, "beside");
    if (S_ISREG(st.st_mode)) {
        snprintf(number, sizeof number, "%lu", (unsigned long)st.st_ino);
        at(data, number);
        copy(link, beside);
        if (rename(beside, data)) broken(data);
    }
    names = fopen(beside, "w");
    if (!names || nftw(disk, name, 16, FTW_PHYS) || fclose(names)) broken(beside);
    at(data, "names");
    if (rename(beside, data)) broken(data);
    close(syncs);
    pthread_mutex_unlock(&one_at_a_time);
    return 0;
}

int fsync(int fd) {
    return sync_of(fd, SYS_fsync);
}

int fdatasync(int fd) {
    return sync_of(fd, SYS_fdatasync);
}
