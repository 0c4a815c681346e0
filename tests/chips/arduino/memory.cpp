/* The device's memory over fake flash, driven through standard input: "write A V", "read A", "flush", "cut N" (the power, after this many bytes
 * of work), "dump" (what the flash holds, in hexadecimal), "size"; one line of answer each. A power cut ends it with a dump. */
#include "memory.h"

#include <cstdio>
#include <cstring>

#include "fake.h"

static void dump()
{
    for (uint8_t byte : fake_flash.bytes)
        printf("%02x", byte);
    puts("");
}

int main()
{
    char command[8];
    try {
        while (scanf("%7s", command) == 1) {
            unsigned address, value;
            if (!strcmp(command, "write") && scanf("%u %u", &address, &value) == 2) {
                memory_write(nullptr, (uint16_t)address, (uint8_t)value);
                puts(memory_ready(nullptr) ? "ready" : "busy");
            } else if (!strcmp(command, "read") && scanf("%u", &address) == 1) {
                printf("%u\n", memory_read(nullptr, (uint16_t)address));
            } else if (!strcmp(command, "cut") && scanf("%u", &value) == 1) {
                fake_flash.until_cut = (long)value;
                fake_flash.garbage = value + 1;
                puts("");
            } else if (!strcmp(command, "flush")) {
                memory_flush(nullptr);
                printf("%u\n", fake_flash.erases[0] + fake_flash.erases[1]);
            } else if (!strcmp(command, "size")) {
                printf("%u %u\n", memory_bytes(), memory_block());
            } else {
                dump();
            }
        }
    } catch (const PowerCut &) {
        dump();
    }
    return 0;
}
