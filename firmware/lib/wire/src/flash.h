/* Constant tables that stay in flash. Only an AVR needs to be told: its flash is another address space, which C++ does not know. */
#ifndef WIRE_FLASH_H
#define WIRE_FLASH_H

#if defined(__AVR__) && defined(__FLASH)
#define WIRE_FLASH __flash
#else
#define WIRE_FLASH
#endif

#endif
