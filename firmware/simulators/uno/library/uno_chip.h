/* The simulated ATmega328P as flat functions; mtjlearn.inprocess.uno reads the declarations between the two
 * marks. */
#ifndef UNO_CHIP_H
#define UNO_CHIP_H

#include <stdbool.h>
#include <stdint.h>

/* BEGIN */
struct uno_chip;

struct uno_handler {
    uint32_t calls;
    uint32_t shortest;
    uint32_t longest;
};

struct uno_chip *uno_create(const char *elf, uint64_t seed, uint8_t preset, uint8_t noise, const uint8_t *eeprom,
                            bool profiled);
void uno_destroy(struct uno_chip *uno);

bool uno_run(struct uno_chip *uno, uint64_t cycles);
/* From now on uno_run() is fast: it measures nothing, and may end up to 2,000 cycles late. */
void uno_hurry(struct uno_chip *uno);
uint64_t uno_cycle(const struct uno_chip *uno);

void uno_reset(struct uno_chip *uno);

/* From now on pin A1 .. A7 carries these voltages in mV, `per_second` of them since the start; the last one stays. They are the caller's. */
void uno_play(struct uno_chip *uno, uint8_t pin, const float *millivolts, uint32_t count, double per_second);

void uno_push(struct uno_chip *uno, const uint8_t *bytes, uint32_t count);
uint32_t uno_take(struct uno_chip *uno, uint8_t *bytes, uint32_t most);
uint32_t uno_queued(const struct uno_chip *uno);
uint32_t uno_line_overruns(const struct uno_chip *uno);

uint8_t *uno_memory(struct uno_chip *uno);
uint8_t *uno_flash(struct uno_chip *uno);
uint8_t *uno_eeprom(struct uno_chip *uno);
uint32_t uno_eeprom_writes(const struct uno_chip *uno);
void uno_cut_power(struct uno_chip *uno, uint32_t writes, uint64_t seed);
bool uno_is_cut(const struct uno_chip *uno);

uint32_t uno_program_counter(const struct uno_chip *uno);
void uno_call(struct uno_chip *uno, uint32_t address);
void uno_start_at(struct uno_chip *uno, uint32_t address);
bool uno_run_to(struct uno_chip *uno, uint32_t address, uint64_t most_cycles);

void uno_paint(struct uno_chip *uno, uint16_t from);
uint16_t uno_untouched(const struct uno_chip *uno, uint16_t from);

void uno_measure(struct uno_chip *uno);
uint64_t uno_asleep(const struct uno_chip *uno);
uint16_t uno_lowest_stack(const struct uno_chip *uno);
uint32_t uno_longest_masked(const struct uno_chip *uno);
struct uno_handler uno_handler(const struct uno_chip *uno, uint8_t vector);

bool uno_write_profile(const struct uno_chip *uno, const char *path);
/* END */

#endif
