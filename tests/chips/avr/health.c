/* The noise tests on the chip: a made-up source, batches as the Uno takes them, the cycles of health_take() by the chip's timer. One line:
 * codes, cycles of all batches, of the slowest batch, of the calibration, and what the tests counted. */
#include <avr/interrupt.h>
#include <avr/io.h>
#include <avr/sleep.h>

#include "anp.h"
#include "health.h"

#define BATCH 16

static struct anp_noise noise;
static struct health health;
static uint32_t generator = 1;
static uint8_t junction;

static void put(char c)
{
    while (!(UCSR0A & (1 << UDRE0)))
        ;
    UDR0 = (uint8_t)c;
}

static void print_number(uint32_t value)
{
    char digits[11];
    uint8_t at = sizeof digits;
    do
        digits[--at] = (char)('0' + value % 10);
    while (value /= 10);
    while (at < sizeof digits)
        put(digits[at++]);
    put(' ');
}

static uint16_t next_code(void)
{
    generator = generator * 1664525u + 1013904223u;
    if ((uint8_t)(generator >> 24) < SWITCHING)
        junction ^= 1;
    return (uint16_t)((junction ? 43 : 32) + ((generator >> 16) & 3));
}

static uint16_t timed(const uint16_t *codes, uint8_t count)
{
    uint32_t number = noise.received;
    anp_noise_put_all(&noise, codes, count);
    uint16_t before = TCNT1;
    health_take(&health, &noise, codes, count, number);
    return (uint16_t)(TCNT1 - before);
}

int main(void)
{
    UCSR0B = 1 << TXEN0;
    TCCR1A = 0;
    TCCR1B = 1 << CS10;
    anp_noise_init(&noise);
    health_init(&health, RATE, 1023);
    uint16_t codes[BATCH];
    uint32_t cycles = 0, calibration = 0;
    uint16_t most = 0;
    for (uint16_t batch = 0; batch < BATCHES; batch++) {
        for (uint8_t i = 0; i < BATCH; i++)
            codes[i] = next_code();
        uint16_t took = timed(codes, BATCH);
        if (health.level_high) {
            cycles += took;
            if (took > most)
                most = took;
        } else if (anp_noise_ready(&noise)) {
            TCCR1B = 1 << CS11;   /* by eights: it may take longer than the timer's round */
            uint16_t before = TCNT1;
            health_calibrate(&health, &noise, noise.received - 1);
            calibration = 8 * (uint32_t)(uint16_t)(TCNT1 - before);
            TCCR1B = 1 << CS10;
        }
    }
    put('h');
    put(' ');
    uint32_t told[] = {noise.received, cycles, most, calibration, health.level_low, health.level_high, health.run, health.ones,
                       health.switches, health.different, health.lag, health.last_ones, health.last_switches, health.windows, health.fault};
    for (uint8_t i = 0; i < sizeof told / sizeof told[0]; i++)
        print_number(told[i]);
    put('e');
    put('\n');
    cli();
    sleep_enable();
    sleep_cpu();
}
