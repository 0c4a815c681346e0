/* The EEPROM, one byte at a time and without waiting: a write takes 3.4 ms, during which nothing can be read or written.
 *
 *     if (eeprom_ready(NULL))
 *         eeprom_write(NULL, address, value);
 */
#ifndef EEPROM_H
#define EEPROM_H

#include <stdbool.h>
#include <stdint.h>

#define EEPROM_BYTES 1024

/* The last bytes count the starts (starts.c); the others are the device's. */
#define EEPROM_STARTS_BYTES 12
#define EEPROM_STARTS (EEPROM_BYTES - EEPROM_STARTS_BYTES)

/* The memory's callbacks of struct board. Whether the last write is done. */
bool eeprom_ready(void *context);

/* Both only when it is ready. A write erases the byte first, which wears out after 100,000; what stands there already is not written
 * again. Interrupts are off for 4 cycles. */
uint8_t eeprom_read(void *context, uint16_t address);
void eeprom_write(void *context, uint16_t address, uint8_t value);

#endif
