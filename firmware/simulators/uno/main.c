/* The virtual board uno-sim: the image of an Arduino Uno R3 in a simulated chip, its USART on a pseudo-terminal, a virtual sMTJ at
 * its ADC. Between chip and host lies what a USB bridge does: it sends to the chip at the line's rate and never loses what the host
 * wrote; what the chip sends and nobody reads is kept up to a limit and then lost, and the chip never waits. */
#define _GNU_SOURCE /* inotify and dup2 with -std=c11 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "chip.h"
#include "line.h"
#include "options.h"
#include "pace.h"
#include "process.h"

#define SLICE_CYCLES 4000u        /* the bridge passes bytes on every 250 us of simulated time */
#define POWER_CUT 3               /* exit status */
#define LOOK_SLICES 64u           /* slices without a look at the world outside, at most */

struct uno {
    struct chip chip;
    struct line line;
    struct pace pace;
    int openings;                 /* inotify's; -1: opening the line does nothing */
    struct image image;
};

static bool take_byte(void *context, uint8_t *byte)
{
    struct uno *uno = context;
    if (line_read(&uno->line, byte, 1) == 0)
        return false;
    pace_moved(&uno->pace, uno->chip.avr->cycle);
    return true;
}

static void give_byte(void *context, uint8_t byte)
{
    struct uno *uno = context;
    if (line_room(&uno->line) > 0)
        line_write(&uno->line, &byte, 1);
}

static void watch_openings(struct uno *uno)
{
    uno->openings = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (uno->openings < 0 || inotify_add_watch(uno->openings, uno->line.url, IN_OPEN) < 0) {
        perror("mtjlearn-uno-sim: cannot watch the pseudo-terminal");
        exit(1);
    }
}

static bool was_opened(const struct uno *uno)
{
    char events[1024];
    return uno->openings >= 0 && read(uno->openings, events, sizeof events) > 0;
}

static void keep_eeprom(struct uno *uno, const struct options *options)
{
    if (options->eeprom && !eeprom_save(&uno->chip.eeprom, options->eeprom)) {
        perror(options->eeprom);
        exit(1);
    }
}

static bool serve(struct uno *uno, const struct options *options)
{
    struct chip *chip = &uno->chip;
    uint64_t hang = options->hang > 0.0 ? (uint64_t)(options->hang * CLOCK_HZ) : UINT64_MAX;
    for (unsigned slices = 1; !process_ended(); slices++) {
        if (chip->avr->cycle >= hang) {
            hang = UINT64_MAX;
            if (!chip_hang(chip))
                return false;
        }
        if (!chip_run(chip, chip->avr->cycle + SLICE_CYCLES))
            return false;
        usart_listen(&chip->usart);
        if (line_flush(&uno->line))
            pace_moved(&uno->pace, chip->avr->cycle);
        int wait = pace_ahead(&uno->pace, chip->avr->cycle);
        if (!wait && slices % LOOK_SLICES)
            continue;
        process_wait(&uno->line, wait && uno->pace.speed == PACE_BY_LINE, wait);
        if (was_opened(uno))
            chip_reset(chip);
        keep_eeprom(uno, options);
    }
    return true;
}

static void load_image(struct image *image, const struct options *options)
{
    image_init(image);
    if (options->elf)
        image_load_elf(image, options->elf);
    if (options->bootloader)
        image->reset_address = image_load_hex(image, options->bootloader);
}

static void set_up(struct uno *uno, const struct options *options)
{
    struct chip *chip = &uno->chip;
    load_image(&uno->image, options);
    memcpy(chip->eeprom.bytes, uno->image.eeprom, EEPROM_BYTES);
    if (options->eeprom && !eeprom_load(&chip->eeprom, options->eeprom)) {
        fprintf(stderr, "mtjlearn-uno-sim: %s is not an EEPROM image of %u bytes\n", options->eeprom, EEPROM_BYTES);
        exit(1);
    }
    world_source(&options->world, &chip->adc.source);
    chip->usart.take = take_byte;
    chip->usart.give = give_byte;
    chip->usart.context = uno;
    if (options->profile) {
        chip->profile = calloc(1, sizeof *chip->profile);
        if (!chip->profile)
            exit(1);
    }
    chip_init(chip, &uno->image, options->world.seed);
    eeprom_cut_power(&chip->eeprom, options->cut_after_writes, options->world.seed);
    pace_init(&uno->pace, options->speed);
}

int main(int argc, char **argv)
{
    static struct uno uno;
    struct options options = options_read(argc, argv);
    process_begin();
    /* libsimavr prints; standard output is for the port alone. */
    FILE *answer = fdopen(dup(STDOUT_FILENO), "w");
    if (!answer || dup2(STDERR_FILENO, STDOUT_FILENO) < 0) {
        perror("mtjlearn-uno-sim");
        return 1;
    }
    set_up(&uno, &options);
    if (options.world.tcp)
        line_open_tcp(&uno.line, options.world.tcp_port);
    else
        line_open_pty(&uno.line);
    uno.openings = -1;
    if (options.reset_on_open)
        watch_openings(&uno);
    fprintf(answer, "{\"port\": \"%s\"}\n", uno.line.url);
    fclose(answer);
    bool alive = serve(&uno, &options);
    keep_eeprom(&uno, &options);
    if (options.profile && !profile_write(uno.chip.profile, options.profile, uno.chip.usart.overruns)) {
        perror(options.profile);
        return 1;
    }
    return alive ? 0 : uno.chip.eeprom.cut ? POWER_CUT : 1;
}
