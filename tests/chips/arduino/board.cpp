/* The device on a fake Arduino, driven through standard input: one command a line, one line of answer each.
 *   push HEX     bytes arrive in the receiver          take N       the host reads up to N bytes, answered in hexadecimal
 *   loop N US    N turns of loop(), US microseconds each            dtr 0|1      the host closes or opens the port
 *   world        what is seen of the board: receiver's losses, resolution, LED, microseconds */
#include <cinttypes>
#include <cstdio>
#include <cstring>

#include "Arduino.h"
#include "fake.h"

static void push(const char *hex)
{
    unsigned byte;
    for (; sscanf(hex, "%2x", &byte) == 1; hex += 2) {
        if (fake.received.size() < LINE_RECEIVER)
            fake.received.push_back((uint8_t)byte);
        else
            fake.dropped++;
    }
    puts("");
}

static void take(unsigned most)
{
    for (; most && !fake.sent.empty(); most--) {
        printf("%02x", fake.sent.front());
        fake.sent.pop_front();
    }
    puts("");
}

static void turn(unsigned count, unsigned micros)
{
    for (; count; count--) {
        fake.micros += micros;
        loop();
    }
    puts("");
}

int main()
{
    static char line[1 << 16];
    setup();
    while (fgets(line, sizeof line, stdin)) {
        unsigned first = 0, second = 0;
        const char *rest = strchr(line, ' ');
        if (rest)
            sscanf(rest, "%u %u", &first, &second);
        if (!strncmp(line, "push ", 5))
            push(line + 5);
        else if (!strncmp(line, "take ", 5))
            take(first);
        else if (!strncmp(line, "loop ", 5))
            turn(first, second);
        else if (!strncmp(line, "dtr ", 4))
            puts((fake.dtr = first != 0) ? "up" : "down");
        else
            printf("%u %d %d %" PRIu64 "\n", fake.dropped, fake.resolution, fake.led, fake.micros);
        fflush(stdout);
    }
    return 0;
}
