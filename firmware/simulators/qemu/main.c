/* The virtual boards m0-sim and m4-sim: QEMU runs the firmware's image for a Cortex-M; this program is everything around the chip, that
 * is the virtual sMTJ at its ADC and the line to the host. */
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

#include "adc.h"
#include "chip.h"
#include "converter.h"
#include "line.h"
#include "options.h"
#include "process.h"
#include "profile.h"

#define PARENT_CHECK_MS 100       /* how often to look whether the program that started this one still lives */
#define START_CHECK_MS 5          /* how often to look whether the chip runs */
#define BLOCK 512                 /* codes made at once */
#define CHUNK 1024                /* bytes of the line moved at once */

struct simulator {
    struct line line;
    struct converter converter;
    struct chip chip;
    struct profile profile;
    uint16_t codes[BLOCK];
    size_t codes_sent;            /* bytes of them */
    uint8_t to_chip[CHUNK];
    size_t to_chip_start;
    size_t to_chip_end;
};

/* Writes codes until the pipe is full: the chip takes them when they are due. */
static void send_codes(struct simulator *simulator)
{
    for (;;) {
        if (simulator->codes_sent == sizeof simulator->codes) {
            converter_run(&simulator->converter, BLOCK);
            converter_take(&simulator->converter, simulator->codes, BLOCK);
            simulator->codes_sent = 0;
        }
        const uint8_t *bytes = (const uint8_t *)simulator->codes;
        ssize_t sent = write(simulator->chip.codes, bytes + simulator->codes_sent, sizeof simulator->codes - simulator->codes_sent);
        if (sent <= 0)
            return;
        simulator->codes_sent += (size_t)sent;
    }
}

static void send_to_chip(struct simulator *simulator)
{
    for (;;) {
        if (simulator->to_chip_start == simulator->to_chip_end) {
            simulator->to_chip_start = 0;
            simulator->to_chip_end = line_read(&simulator->line, simulator->to_chip, CHUNK);
            if (simulator->to_chip_end == 0)
                return;
        }
        size_t count = simulator->to_chip_end - simulator->to_chip_start;
        ssize_t sent = write(simulator->chip.line_in, simulator->to_chip + simulator->to_chip_start, count);
        if (sent <= 0)
            return;
        simulator->to_chip_start += (size_t)sent;
    }
}

/* False when the chip has closed its end. */
static bool take_from_chip(struct simulator *simulator)
{
    for (;;) {
        uint8_t bytes[CHUNK];
        line_flush(&simulator->line);
        uint16_t room = line_room(&simulator->line);
        if (room == 0)
            return true;
        ssize_t got = read(simulator->chip.line_out, bytes, room < CHUNK ? room : CHUNK);
        if (got <= 0)
            return got < 0 && (errno == EAGAIN || errno == EINTR);
        line_write(&simulator->line, bytes, (uint16_t)got);
    }
}

/* Waits until the image runs: then it reads its first codes. False when it ended instead. */
static bool await_chip(struct simulator *simulator)
{
    int written = chip_unread(&simulator->chip);
    while (!process_ended() && chip_unread(&simulator->chip) == written) {
        if (chip_ended(&simulator->chip))
            return false;
        process_wait(&simulator->line, false, START_CHECK_MS);
    }
    return true;
}

/* Moves bytes and codes. False when QEMU has ended. */
static bool serve(struct simulator *simulator)
{
    struct chip *chip = &simulator->chip;
    struct line *line = &simulator->line;
    while (!process_ended()) {
        bool to_chip = simulator->to_chip_start < simulator->to_chip_end;
        struct pollfd places[] = {
            {.fd = line->fd, .events = (short)((to_chip ? 0 : POLLIN) | (line->transmit_count ? POLLOUT : 0))},
            {.fd = to_chip ? chip->line_in : -1, .events = POLLOUT},
            {.fd = line_room(line) ? chip->line_out : -1, .events = POLLIN},
            {.fd = chip->codes, .events = POLLOUT},
            {.fd = chip->profile, .events = POLLIN},
        };
        if (poll(places, sizeof places / sizeof places[0], PARENT_CHECK_MS) > 0) {
            send_codes(simulator);
            profile_take(&simulator->profile, chip->profile);
            send_to_chip(simulator);
            if (!take_from_chip(simulator) && chip_ended(chip))
                return false;
        }
        process_wait(line, false, 0);
    }
    return true;
}

int main(int argc, char **argv)
{
    static struct simulator simulator;
    struct options options = options_read(argc, argv);
    struct chip *chip = &simulator.chip;
    process_begin();
    world_source(&options.world, &simulator.converter.source);
    converter_init(&simulator.converter, ADC_BITS, ADC_RATE, ADC_REFERENCE);
    simulator.codes_sent = sizeof simulator.codes;
    chip_connect(chip);
    send_codes(&simulator);
    line_open_pty(&simulator.line);
    chip_start(chip, &options);
    if (!await_chip(&simulator))
        return 1;
    printf("{\"port\": \"%s\"}\n", simulator.line.url);
    fflush(stdout);
    bool alive = serve(&simulator);
    chip_kill(chip);
    profile_take(&simulator.profile, chip->profile);
    if (options.profile)
        profile_write(&simulator.profile, options.profile);
    return alive ? 0 : 1;
}
