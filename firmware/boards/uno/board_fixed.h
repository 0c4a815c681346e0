/* The Uno as constants and direct calls (firmware/src/board.h): a callback through a table in flash takes 20 bytes per call. */
#ifndef BOARD_FIXED_H
#define BOARD_FIXED_H

#include "clock.h"
#include "converter.h"
#include "eeprom.h"
#include "line.h"
#include "uno.h"

#define BOARD(board, field) ((void)(board), UNO_##field)
#define BOARD_HAS(board, callback) ((void)(board), UNO_has_##callback)
#define BOARD_DO(board, callback) ((void)(board), UNO_##callback())
#define BOARD_CALL(board, callback, ...) ((void)(board), UNO_##callback(__VA_ARGS__))

#define BOARD_DEVICE uno_device

#define UNO_name "uno"
#define UNO_arena uno_arena
#define UNO_arena_bytes ((uint16_t)UNO_ARENA)
#define UNO_receive_window ((uint16_t)UNO_RECEIVE_WINDOW)
#define UNO_max_payload ((uint8_t)DEVICE_MAX_PAYLOAD)
#define UNO_features WIRE_FEATURES_ADC_LIVE
#define UNO_adc_bits ((uint8_t)10)
#define UNO_adc_rate (F_CPU / UNO_CYCLES_PER_CODE)
#define UNO_adc_reference ((uint16_t)UNO_REFERENCE_MV)
#define UNO_line_rate LINE_BYTES_PER_SECOND
#define UNO_memory_bytes ((uint16_t)EEPROM_STARTS)
#define UNO_memory_block ((uint16_t)1)

#define UNO_look(bytes) line_look(bytes)
#define UNO_took(count) line_took(count)
#define UNO_input_waits() line_waiting()
#define UNO_adc_read(codes, most) converter_read(NULL, codes, most)
#define UNO_adc_lost() converter_lost(NULL)
#define UNO_has_adc_few true
#define UNO_adc_few() converter_few(NULL)
#define UNO_advance() ((void)0) /* time passes by itself */
#define UNO_micros() clock_micros(NULL)
#define UNO_led(on) uno_led(on)
#define UNO_memory_ready() eeprom_ready(NULL)
#define UNO_memory_read(address) eeprom_read(NULL, address)
#define UNO_memory_write(address, value) eeprom_write(NULL, address, value)
#define UNO_memory_flush() ((void)0) /* bytes are written alone */
#ifdef UNO_NO_LIVE                    /* a build that is short of flash */
#define UNO_has_analog false
#define UNO_analog(pin) ((uint16_t)0)
#else
#define UNO_has_analog true
#define UNO_analog(pin) converter_analog(NULL, pin)
#endif
#define UNO_reset() starts_again()

struct device;
extern struct device uno_device;
extern uint8_t uno_arena[];
void uno_led(uint8_t on);
_Noreturn void starts_again(void);

#endif
