/* Constant tables that stay in flash. Only an AVR needs to be told: its flash is another address space. */
#ifndef ANP_FLASH_H
#define ANP_FLASH_H

#include <stdint.h>

#ifdef __AVR__
#include <avr/pgmspace.h>
#define ANP_FLASH PROGMEM
static inline uint16_t anp_flash16(const uint16_t *entry) { return pgm_read_word(entry); }
/* Lets the compiler forget which struct a pointer points to: short offsets from a register are half the code of known addresses. */
#define ANP_NEAR(pointer) __asm__("" : "+b"(pointer))
#else
#define ANP_FLASH
static inline uint16_t anp_flash16(const uint16_t *entry) { return *entry; }
#define ANP_NEAR(pointer) ((void)(pointer))
#endif

#endif
