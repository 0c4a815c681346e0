/* File locks and the program's name are extensions of C11. */
#define _GNU_SOURCE
#include "eeprom.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAGIC "MTJEEPRM"          /* then the version and the bytes of the memory, 32 bits each, low byte first */
#define MAGIC_BYTES 8
#define VERSION 1u
#define HEAD_BYTES (MAGIC_BYTES + 8)
#define STARTS_BYTES 4            /* the count, low byte first, and its complement */
#define ERASED 0xff
#define LOCK_WAITS 150
#define LOCK_WAIT_MICROS 10000

_Noreturn static void fail(const char *path, const char *what)
{
    fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, path, what);
    exit(1);
}

/* At once into the system's memory, which outlives the process. */
static void keep(const struct eeprom *eeprom, uint32_t address, uint32_t count)
{
    errno = ENOSPC;
    if (eeprom->file >= 0 &&
        pwrite(eeprom->file, eeprom->bytes + address, count, (off_t)(eeprom->head + address)) != (ssize_t)count)
        fail("the EEPROM's file", strerror(errno));
}

/* Opens the file and locks it; what it holds is read only then, since another board may have just made it. The name must still
 * lead to what was locked. */
static void open_locked(struct eeprom *eeprom, const char *path, struct stat *status)
{
    struct stat named;
    do {
        if (eeprom->file >= 0)
            close(eeprom->file);
        eeprom->file = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY, 0666);
        if (eeprom->file < 0)
            fail(path, strerror(errno));
        /* A board whose host was killed notices within a second, and ends. */
        for (unsigned waits = 0; flock(eeprom->file, LOCK_EX | LOCK_NB) < 0; waits++) {
            if (errno != EWOULDBLOCK || waits == LOCK_WAITS)
                fail(path, errno == EWOULDBLOCK ? "another board has this EEPROM" : strerror(errno));
            usleep(LOCK_WAIT_MICROS);
        }
        if (fstat(eeprom->file, status) < 0)
            fail(path, strerror(errno));
    } while (stat(path, &named) < 0 || named.st_dev != status->st_dev || named.st_ino != status->st_ino);
    if (!S_ISREG(status->st_mode))
        fail(path, "is not a file; name another one");
}

static uint32_t number(const uint8_t *from, unsigned bytes)
{
    uint32_t value = 0;
    while (bytes--)
        value = value << 8 | from[bytes];
    return value;
}

static void put_number(uint8_t *to, uint32_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        to[i] = (uint8_t)(value >> 8 * i);
}

static bool is_count(const uint8_t *place)
{
    return (place[0] ^ place[2]) == 0xff && (place[1] ^ place[3]) == 0xff;
}

/* Files of version 0.1.0 hold the memory alone. They are known by the count of starts at their end, which is all ones if the
 * board was killed before its first count. */
static bool is_raw(const struct eeprom *eeprom, off_t bytes)
{
    uint8_t count[STARTS_BYTES];
    if (bytes < EEPROM_LEAST || bytes > EEPROM_MOST ||
        pread(eeprom->file, count, sizeof count, bytes - STARTS_BYTES) != STARTS_BYTES)
        return false;
    return is_count(count) || number(count, STARTS_BYTES) == UINT32_MAX;
}

/* Bytes of the memory that the file holds; 0: it is new. */
static uint32_t read_head(struct eeprom *eeprom, const char *path, off_t bytes)
{
    uint8_t head[HEAD_BYTES];
    char what[120];
    if (bytes == 0)
        return 0;
    ssize_t got = pread(eeprom->file, head, sizeof head, 0);
    if (got < 0)
        fail(path, strerror(errno));
    if (memcmp(head, MAGIC, got < MAGIC_BYTES ? (size_t)got : MAGIC_BYTES) != 0) {
        if (!is_raw(eeprom, bytes))
            fail(path, "is not an EEPROM of this board; name another file");
        eeprom->head = 0;
        return (uint32_t)bytes;
    }
    if (got < HEAD_BYTES)
        fail(path, "is torn: it ends within its heading; remove it or restore a copy");
    uint32_t version = number(head + MAGIC_BYTES, 4), held = number(head + MAGIC_BYTES + 4, 4);
    if (version != VERSION) {
        snprintf(what, sizeof what, "has version %u, this board reads %u; use the mtjlearn that made it", version, VERSION);
        fail(path, what);
    }
    if (held < EEPROM_LEAST || held > EEPROM_MOST)
        fail(path, "is damaged: its heading states an impossible size; remove it or restore a copy");
    if (bytes != (off_t)(HEAD_BYTES + held)) {
        snprintf(what, sizeof what, "is torn: it has %lld bytes where its heading says %u; remove it or restore a copy",
                 (long long)bytes, HEAD_BYTES + held);
        fail(path, what);
    }
    return held;
}

static uint32_t open_file(struct eeprom *eeprom, const char *path, uint32_t bytes)
{
    struct stat status;
    open_locked(eeprom, path, &status);
    uint32_t held = read_head(eeprom, path, status.st_size);
    if (held && bytes && held != bytes) {
        char what[80];
        snprintf(what, sizeof what, "holds %u bytes, not the %u of --eeprom-bytes", held, bytes);
        fail(path, what);
    }
    return held;
}

/* In one write, so that a killed process leaves a whole file or an empty one; a full disk leaves an empty one. */
static void make_file(const struct eeprom *eeprom, const char *path, uint32_t bytes)
{
    uint8_t *whole = malloc(HEAD_BYTES + bytes);
    if (!whole)
        fail("EEPROM", "out of memory");
    memcpy(whole, MAGIC, MAGIC_BYTES);
    put_number(whole + MAGIC_BYTES, VERSION, 4);
    put_number(whole + MAGIC_BYTES + 4, bytes, 4);
    memcpy(whole + HEAD_BYTES, eeprom->bytes, bytes);
    errno = ENOSPC;
    if (pwrite(eeprom->file, whole, HEAD_BYTES + bytes, 0) != (ssize_t)(HEAD_BYTES + bytes)) {
        const char *what = strerror(errno);
        if (ftruncate(eeprom->file, 0) < 0)
            what = "is torn: the disk is full; make room and remove it";
        fail(path, what);
    }
    free(whole);
}

void eeprom_open(struct eeprom *eeprom, const char *path, uint32_t bytes)
{
    eeprom->file = -1;
    eeprom->head = HEAD_BYTES;
    uint32_t held = path ? open_file(eeprom, path, bytes) : 0;
    uint32_t whole = held ? held : bytes ? bytes : EEPROM_DEFAULT;
    eeprom->size = whole - STARTS_BYTES;
    eeprom->bytes = malloc(whole);
    if (!eeprom->bytes)
        fail("EEPROM", "out of memory");
    memset(eeprom->bytes, ERASED, whole);
    if (held && pread(eeprom->file, eeprom->bytes, whole, eeprom->head) != (ssize_t)whole)
        fail(path, "cannot be read");
    if (path && !held)
        make_file(eeprom, path, whole);
}

void eeprom_write(struct eeprom *eeprom, uint16_t address, uint8_t value)
{
    eeprom->bytes[address] = value;
    keep(eeprom, address, 1);
}

uint16_t eeprom_count_start(struct eeprom *eeprom)
{
    uint8_t *place = eeprom->bytes + eeprom->size;
    uint16_t count = (uint16_t)((is_count(place) ? number(place, 2) : 0) + 1);
    put_number(place, count, 2);
    put_number(place + 2, (uint16_t)~count, 2);
    keep(eeprom, eeprom->size, STARTS_BYTES);
    return count;
}
