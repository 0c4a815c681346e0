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
    if (eeprom->file >= 0 && pwrite(eeprom->file, eeprom->bytes + address, count, (off_t)address) != (ssize_t)count)
        fail("the EEPROM's file", errno ? strerror(errno) : "it cannot be written");
}

static uint32_t open_file(struct eeprom *eeprom, const char *path, uint32_t bytes)
{
    eeprom->file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    struct stat status;
    if (eeprom->file < 0 || fstat(eeprom->file, &status) < 0)
        fail(path, strerror(errno));
    /* A board whose host was killed notices within a second, and ends. */
    for (unsigned waits = 0; flock(eeprom->file, LOCK_EX | LOCK_NB) < 0; waits++) {
        if (errno != EWOULDBLOCK || waits == LOCK_WAITS)
            fail(path, errno == EWOULDBLOCK ? "another board has this EEPROM" : strerror(errno));
        usleep(LOCK_WAIT_MICROS);
    }
    if (status.st_size == 0)
        return 0;
    char what[80];
    if (bytes && status.st_size != bytes) {
        snprintf(what, sizeof what, "holds %lld bytes, not the %u of --eeprom-bytes", (long long)status.st_size, bytes);
        fail(path, what);
    }
    if (status.st_size < EEPROM_LEAST || status.st_size > EEPROM_MOST) {
        snprintf(what, sizeof what, "is no EEPROM: %lld bytes, not %u to %u", (long long)status.st_size, EEPROM_LEAST, EEPROM_MOST);
        fail(path, what);
    }
    return (uint32_t)status.st_size;
}

void eeprom_open(struct eeprom *eeprom, const char *path, uint32_t bytes)
{
    eeprom->file = -1;
    uint32_t held = path ? open_file(eeprom, path, bytes) : 0;
    uint32_t whole = held ? held : bytes ? bytes : EEPROM_DEFAULT;
    eeprom->size = whole - STARTS_BYTES;
    eeprom->bytes = malloc(whole);
    if (!eeprom->bytes)
        fail("EEPROM", "out of memory");
    memset(eeprom->bytes, ERASED, whole);
    if (held && pread(eeprom->file, eeprom->bytes, whole, 0) != (ssize_t)whole)
        fail(path, "cannot be read");
    if (!held)
        keep(eeprom, 0, whole);
}

void eeprom_write(struct eeprom *eeprom, uint16_t address, uint8_t value)
{
    eeprom->bytes[address] = value;
    keep(eeprom, address, 1);
}

uint16_t eeprom_count_start(struct eeprom *eeprom)
{
    uint8_t *place = eeprom->bytes + eeprom->size;
    bool valid = (place[0] ^ place[2]) == 0xff && (place[1] ^ place[3]) == 0xff;
    uint16_t count = (uint16_t)((valid ? place[0] | place[1] << 8 : 0) + 1);
    for (unsigned i = 0; i < 2; i++) {
        place[i] = (uint8_t)(count >> 8 * i);
        place[i + 2] = (uint8_t)~place[i];
    }
    keep(eeprom, eeprom->size, STARTS_BYTES);
    return count;
}
