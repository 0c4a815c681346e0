/* The loop over the rows. Reports, WELCOME, CONFIGURE and checkpoints call it. */
#include "fields.h"

void fields_copy(void *to, const void *from, const WIRE_FLASH struct field *field, uint8_t count)
{
    for (; count; count--, field++) {
        uint8_t *into = (uint8_t *)to + field->to;
        const uint8_t *value = (const uint8_t *)from + field->from;
        for (uint8_t left = field->bytes; left; left--)
            *into++ = *value++;
    }
}
