/* The fake flash behind nonvolatile.h: it refuses what a real one would, and can lose its power. */
#include <cstdlib>
#include <cstring>

#include "fake.h"
#include "nonvolatile.h"

FakeFlash fake_flash;

FakeFlash::FakeFlash() : bytes(FAKE_BLOCKS * FAKE_BLOCK_BYTES, 0xff), programmed(FAKE_BLOCKS * FAKE_BLOCK_BYTES, false)
{
}

static uint8_t random_byte()
{
    fake_flash.garbage = fake_flash.garbage * 1664525u + 1013904223u;
    return (uint8_t)(fake_flash.garbage >> 24);
}

static bool power_fails()
{
    return fake_flash.until_cut >= 0 && fake_flash.until_cut-- == 0;
}

static size_t place(uint16_t block, uint16_t offset, uint16_t count)
{
    if (block >= FAKE_BLOCKS || offset + count > FAKE_BLOCK_BYTES)
        abort();
    return (size_t)block * FAKE_BLOCK_BYTES + offset;
}

uint16_t nonvolatile_blocks(void)
{
    return FAKE_BLOCKS;
}

uint16_t nonvolatile_block_bytes(void)
{
    return FAKE_BLOCK_BYTES;
}

bool nonvolatile_read(uint16_t block, uint16_t offset, void *bytes, uint16_t count)
{
    memcpy(bytes, &fake_flash.bytes[place(block, offset, count)], count);
    return true;
}

bool nonvolatile_program(uint16_t block, uint16_t offset, const void *bytes, uint16_t count)
{
    size_t at = place(block, offset, count);
    for (uint16_t i = 0; i < count; i++, at++) {
        uint8_t wanted = static_cast<const uint8_t *>(bytes)[i];
        if (fake_flash.programmed[at] || fake_flash.bytes[at] != 0xff)
            abort();
        if (power_fails()) {
            /* Some bits were programmed; a byte where none was still counts as erased. */
            fake_flash.bytes[at] = (uint8_t)(wanted | random_byte());
            fake_flash.programmed[at] = fake_flash.bytes[at] != 0xff;
            throw PowerCut();
        }
        fake_flash.bytes[at] = wanted;
        fake_flash.programmed[at] = true;
    }
    return true;
}

bool nonvolatile_erase(uint16_t block)
{
    size_t at = place(block, 0, FAKE_BLOCK_BYTES);
    fake_flash.erases[block]++;
    bool fails = power_fails();
    for (uint16_t i = 0; i < FAKE_BLOCK_BYTES; i++) {
        /* An erase sets bits; one that is cut has set some of them. */
        fake_flash.bytes[at + i] = (uint8_t)(fake_flash.bytes[at + i] | (fails ? random_byte() : 0xff));
        fake_flash.programmed[at + i] = fails;
    }
    if (fails)
        throw PowerCut();
    return true;
}
