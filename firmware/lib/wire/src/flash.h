/* Constant tables that stay in flash. Only an AVR needs to be told: its flash is another address space, which C++ does not know. */
#ifndef WIRE_FLASH_H
#define WIRE_FLASH_H

#if defined(__AVR__) && defined(__FLASH)
#define WIRE_FLASH __flash
#else
#define WIRE_FLASH
#endif

/* Lets the compiler forget which struct a pointer points to. An AVR then reaches its fields by short offsets from a register, in half the
 * code that it takes to reach known addresses. */
#ifdef __AVR__
#define WIRE_NEAR(pointer) __asm__("" : "+b"(pointer))
#else
#define WIRE_NEAR(pointer) ((void)(pointer))
#endif

#endif
