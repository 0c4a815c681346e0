/* Runs a fuzz target without libFuzzer: every file given, then mutations of them by a generator with a seed, so that a run repeats.
 *
 *     driver [-runs=N] [-seconds=N] [-seed=N] [-timeout=N] [-artifact_prefix=PATH] FILE...
 *
 * An input that crashes the target, or takes longer than the time-out (seconds), is written to PATHcrash-HASH; `driver THAT_FILE` runs it again. */
#define _GNU_SOURCE               /* a clock, also with -std=c11 */
#include <sanitizer/common_interface_defs.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MOST 1024                 /* bytes of an input */
#define SEEDS 2048

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
const char *__ubsan_default_options(void);

/* The second sanitizer has a run-time library of its own, which does not know of the death callback. */
const char *__ubsan_default_options(void)
{
    return "abort_on_error=1:print_stacktrace=1";
}

static struct seed {
    uint16_t size;
    uint8_t bytes[MOST];
} seeds[SEEDS];
static uint32_t seed_count;

static uint8_t *input;            /* a block of exactly its size, so that the sanitizer sees a read beyond it */
static size_t input_size;
static uint64_t state;
static const char *prefix = "";
static const char *program;
static unsigned patience = 30;    /* seconds for one input */
static uint64_t done;             /* executions */

static uint32_t draw(uint32_t below)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)((state >> 32) % below);
}

static void save_crash(void)
{
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < input_size; i++)
        hash = (hash ^ input[i]) * 16777619u;
    char name[512];
    snprintf(name, sizeof name, "%scrash-%08x", prefix, (unsigned)hash);
    FILE *file = fopen(name, "wb");
    if (file) {
        fwrite(input, 1, input_size, file);
        fclose(file);
        fprintf(stderr, "input written to %s after %llu executions\nrerun: %s %s\n", name, (unsigned long long)done, program, name);
    }
}

static void aborted(int number)
{
    save_crash();
    signal(number, SIG_DFL);
    raise(number);
}

static void hung(int number)
{
    static const char message[] = "an input takes too long\n";
    if (write(STDERR_FILENO, message, sizeof message - 1) > 0)
        aborted(number);
}

static void run(const uint8_t *bytes, size_t size)
{
    input = malloc(size ? size : 1);
    if (!input)
        exit(3);
    memcpy(input, bytes, size);
    input_size = size;
    alarm(patience);
    LLVMFuzzerTestOneInput(input, size);
    alarm(0);
    free(input);
}

static void load(const char *name)
{
    FILE *file = fopen(name, "rb");
    if (!file || seed_count == SEEDS) {
        fprintf(stderr, "cannot read %s\n", name);
        exit(2);
    }
    struct seed *seed = &seeds[seed_count++];
    seed->size = (uint16_t)fread(seed->bytes, 1, MOST, file);
    fclose(file);
}

static void erase(struct seed *seed, uint32_t at, uint32_t count)
{
    memmove(seed->bytes + at, seed->bytes + at + count, seed->size - at - count);
    seed->size = (uint16_t)(seed->size - count);
}

static void insert(struct seed *seed, uint32_t at, const uint8_t *bytes, uint32_t count)
{
    if (count > (uint32_t)(MOST - seed->size))
        count = (uint32_t)(MOST - seed->size);
    memmove(seed->bytes + at + count, seed->bytes + at, seed->size - at);
    memcpy(seed->bytes + at, bytes, count);
    seed->size = (uint16_t)(seed->size + count);
}

static void mutate(struct seed *seed)
{
    static const uint8_t telling[] = {0, 1, 2, 0x7f, 0x80, 0x81, 0xff, 0xfe, 0x40, 0x20, 8, 16};
    uint8_t piece[64];
    uint32_t at = draw(seed->size + 1u), left = seed->size - at;
    const struct seed *other = &seeds[draw(seed_count)];
    switch (left ? draw(8) : 4 + draw(3)) {
    case 0:
        seed->bytes[at] ^= (uint8_t)(1u << draw(8));
        break;
    case 1:
        seed->bytes[at] = telling[draw(sizeof telling)];
        break;
    case 2:
        seed->bytes[at] = (uint8_t)draw(256);
        break;
    case 3:
        erase(seed, at, 1 + draw(left < 16 ? left : 16));
        break;
    case 4:
        for (uint32_t i = 0; i < sizeof piece; i++)
            piece[i] = (uint8_t)draw(256);
        insert(seed, at, piece, 1 + draw(16));
        break;
    case 5: /* a piece of its own or of another seed */
    case 6:
        if (other->size > 1) {
            uint32_t from = draw(other->size), count = 1 + draw(64);
            memcpy(piece, other->bytes + from, count < other->size - from ? count : other->size - from);
            insert(seed, at, piece, count < other->size - from ? count : other->size - from);
        }
        break;
    default: /* the other one's end */
        if (other->size > at) {
            memcpy(seed->bytes + at, other->bytes + at, other->size - at);
            seed->size = other->size;
        }
    }
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

int main(int count, char **arguments)
{
    uint64_t runs = 0;
    double seconds = 0, start = now();
    program = arguments[0];
    state = 1;
    for (int i = 1; i < count; i++) {
        const char *value = strchr(arguments[i], '=');
        if (arguments[i][0] != '-' || !value)
            load(arguments[i]);
        else if (strncmp(arguments[i], "-runs=", 6) == 0)
            runs = strtoull(value + 1, NULL, 10);
        else if (strncmp(arguments[i], "-seconds=", 9) == 0)
            seconds = strtod(value + 1, NULL);
        else if (strncmp(arguments[i], "-seed=", 6) == 0)
            state = strtoull(value + 1, NULL, 10) * 2654435761u + 1;
        else if (strncmp(arguments[i], "-timeout=", 9) == 0)
            patience = (unsigned)strtoul(value + 1, NULL, 10);
        else if (strncmp(arguments[i], "-artifact_prefix=", 17) == 0)
            prefix = value + 1;
    }
    __sanitizer_set_death_callback(save_crash);
    signal(SIGABRT, aborted);
    signal(SIGALRM, hung);
    for (uint32_t i = 0; i < seed_count; i++, done++)
        run(seeds[i].bytes, seeds[i].size);
    static struct seed trial;
    while (seed_count && (done < runs || (seconds > 0 && now() - start < seconds))) {
        trial = seeds[draw(seed_count)];
        for (uint32_t changes = 1 + draw(6); changes; changes--)
            mutate(&trial);
        run(trial.bytes, trial.size);
        done++;
    }
    printf("%llu executions in %.1f s\n", (unsigned long long)done, now() - start);
    return 0;
}
