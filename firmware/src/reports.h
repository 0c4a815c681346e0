/* Answers of fixed fields: what the device reports about itself (shared/protocol.toml). */
#ifndef REPORTS_H
#define REPORTS_H

#include "device.h"
#include "fields.h"

/* A message of fixed fields and where they come from; what is not a field of the device stays 0 at first. */
struct report {
    uint8_t type;
    uint8_t size;
    uint8_t rows;
    const WIRE_FLASH struct field *fields;
};

#define REPORT(name, fields) {WIRE_TYPE_##name, WIRE_SIZE_##name, sizeof fields / sizeof fields[0], fields}

/* The message to be filled further, 0 but for its fields; NULL: later. */
void *report_begin(struct device *device, const WIRE_FLASH struct report *report);

enum wire_result report_end(struct device *device, const WIRE_FLASH struct report *report);

#endif
