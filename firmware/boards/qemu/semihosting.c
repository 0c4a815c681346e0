/* The breakpoint that calls the simulator, and the operations used here. The ADC, the options and the profile call them. */
#include "semihosting.h"

#include <string.h>

#include "machine.h"

enum {
    SYS_OPEN = 0x01,
    SYS_CLOSE = 0x02,
    SYS_WRITE0 = 0x04,
    SYS_WRITE = 0x05,
    SYS_READ = 0x06,
    SYS_GET_CMDLINE = 0x15,
    SYS_EXIT_EXTENDED = 0x20,
};

#define APPLICATION_EXIT 0x20026u

static int call(uint32_t operation, const void *arguments)
{
    register uint32_t r0 __asm__("r0") = operation;
    register const void *r1 __asm__("r1") = arguments;
    __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
    return (int)r0;
}

static uint32_t address(const void *pointer)
{
    return (uint32_t)(uintptr_t)pointer;
}

int semihosting_open(const char *path, enum semihosting_mode mode)
{
    const uint32_t arguments[] = {address(path), mode, strlen(path)};
    return call(SYS_OPEN, arguments);
}

void semihosting_close(int file)
{
    const uint32_t arguments[] = {(uint32_t)file};
    call(SYS_CLOSE, arguments);
}

uint32_t semihosting_read(int file, void *bytes, uint32_t most)
{
    const uint32_t arguments[] = {(uint32_t)file, address(bytes), most};
    /* The call shows how many bytes it did not read. */
    int left = call(SYS_READ, arguments);
    return left < 0 ? 0 : most - (uint32_t)left;
}

void semihosting_write(int file, const void *bytes, uint32_t count)
{
    const uint32_t arguments[] = {(uint32_t)file, address(bytes), count};
    call(SYS_WRITE, arguments);
}

void semihosting_command_line(char *text, uint32_t size)
{
    const uint32_t arguments[] = {address(text), size};
    if (call(SYS_GET_CMDLINE, arguments) != 0)
        text[0] = 0;
}

void semihosting_fail(const char *message)
{
    const uint32_t arguments[] = {APPLICATION_EXIT, 1};
    call(SYS_WRITE0, MACHINE_NAME ": ");
    call(SYS_WRITE0, message);
    call(SYS_WRITE0, "\n");
    for (;;)
        call(SYS_EXIT_EXTENDED, arguments);
}
