/* Copies fields from one struct to another as a table in flash says: on an AVR an assignment of 32 bits between two structs in memory is
 * 22 bytes of code, and a row of the table is 4. */
#ifndef FIELDS_H
#define FIELDS_H

#include <stddef.h>
#include <stdint.h>

#include "flash.h"

struct field {
    uint16_t from;
    uint8_t to;
    uint8_t bytes;
};

/* A row: struct to_type's field `to` becomes struct from_type's field `from`, which must have its size. */
#define FIELD(to_type, to, from_type, from)                                                                                            \
    {offsetof(struct from_type, from), offsetof(struct to_type, to),                                                                   \
     sizeof((struct to_type *)0)->to * sizeof(char[sizeof((struct to_type *)0)->to == sizeof((struct from_type *)0)->from ? 1 : -1])}

#define FIELDS_COPY(to, from, table) fields_copy(to, from, table, sizeof table / sizeof table[0])

void fields_copy(void *to, const void *from, const WIRE_FLASH struct field *field, uint8_t count);

#endif
