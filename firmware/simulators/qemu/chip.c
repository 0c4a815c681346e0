/* pipe2(), prctl() and the choice of a processor are Linux's. */
#define _GNU_SOURCE
#include "chip.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* One instruction takes 2^10 ns of simulated time, 25.6 ticks of a 25 MHz counter and 16.4 of one of 16 MHz: enough to tell instructions
 * apart. */
#define COUNT_INSTRUCTIONS "shift=10,align=off,sleep=off"
#define LINE_PIPE 4096            /* bytes; little, so that the chip soon notices a host that does not read */

/* Ends of the pipes that QEMU gets as its standard input and output and under numbers of their own. */
enum { CHIP_CODES = 3, CHIP_PROFILE = 4, CHIP_FIRST_FREE = 5 };

static struct {
    int line_in, line_out, codes, profile;
} chip_side;

_Noreturn static void fail(const char *what)
{
    fprintf(stderr, "mtjlearn-qemu-sim: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void make_pipe(int *reading, int *writing)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        fail("cannot make a pipe");
    /* Beyond the numbers that the chip's ends will get, so that none is overwritten. */
    *reading = fcntl(ends[0], F_DUPFD_CLOEXEC, CHIP_FIRST_FREE);
    *writing = fcntl(ends[1], F_DUPFD_CLOEXEC, CHIP_FIRST_FREE);
    if (*reading < 0 || *writing < 0)
        fail("cannot make a pipe");
    close(ends[0]);
    close(ends[1]);
}

static void unblock(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
        fail("cannot make a pipe non-blocking");
}

void chip_connect(struct chip *chip)
{
    make_pipe(&chip_side.line_in, &chip->line_in);
    make_pipe(&chip->line_out, &chip_side.line_out);
    make_pipe(&chip_side.codes, &chip->codes);
    make_pipe(&chip->profile, &chip_side.profile);
    chip->codes_unread = chip_side.codes;
    fcntl(chip->line_in, F_SETPIPE_SZ, LINE_PIPE);
    fcntl(chip->line_out, F_SETPIPE_SZ, LINE_PIPE);
    unblock(chip->line_in);
    unblock(chip->line_out);
    unblock(chip->codes);
    unblock(chip->profile);
}

/* QEMU's two threads hand every byte of the line to each other, which is more than twice as fast when they share a processor. */
static void choose_processor(void)
{
    cpu_set_t allowed, one;
    if (sched_getaffinity(0, sizeof allowed, &allowed) < 0)
        return;
    int skip = (int)getpid() % CPU_COUNT(&allowed);
    size_t processor = 0;
    while (!CPU_ISSET(processor, &allowed) || skip-- > 0)
        processor++;
    CPU_ZERO(&one);
    CPU_SET(processor, &one);
    sched_setaffinity(0, sizeof one, &one);
}

struct machine {
    const char *name;             /* QEMU's */
    const char *setting;          /* of a part of it, or NULL */
};

/* The micro:bit has 16 KB of RAM, too little for the networks that the host tests with. */
static struct machine machine_of(const char *board)
{
    if (strcmp(board, "m0") == 0)
        return (struct machine){"microbit", "nrf51-soc.sram-size=262144"};
    return (struct machine){"mps2-an386", NULL};
}

_Noreturn static void become_qemu(const struct options *options, pid_t parent)
{
    const struct machine chosen = machine_of(options->chip), *machine = &chosen;
    /* The parent may have ended before the kernel knew of it. */
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
        _exit(1);
    if (dup2(chip_side.line_in, STDIN_FILENO) < 0 || dup2(chip_side.line_out, STDOUT_FILENO) < 0 ||
        dup2(chip_side.codes, CHIP_CODES) < 0 || dup2(chip_side.profile, CHIP_PROFILE) < 0)
        _exit(1);
    choose_processor();

    char semihosting[160];
    int length = snprintf(semihosting, sizeof semihosting,
                          "enable=on,target=native,arg=image,arg=codes=/dev/fd/%d,arg=virtual-clock=%u", CHIP_CODES,
                          options->world.virtual_clock);
    if (options->profile)
        snprintf(semihosting + length, sizeof semihosting - (size_t)length, ",arg=profile=/dev/fd/%d", CHIP_PROFILE);
    const char *arguments[32] = {
        options->qemu, "-nodefaults",   "-no-user-config",     "-machine", machine->name,  "-kernel",
        options->elf,  "-nic",          "none",                "-display", "none",         "-chardev",
        "stdio,id=line,signal=off",     "-serial",             "chardev:line",             "-semihosting-config",
        semihosting,
    };
    unsigned count = 0;
    while (arguments[count])
        count++;
    if (machine->setting) {
        arguments[count++] = "-global";
        arguments[count++] = machine->setting;
    }
    if (options->profile) {
        arguments[count++] = "-icount";
        arguments[count] = COUNT_INSTRUCTIONS;
    }
    execvp(options->qemu, (char *const *)(uintptr_t)arguments);
    fprintf(stderr, "mtjlearn-qemu-sim: %s: %s; install it with: apt-get install qemu-system-arm\n", options->qemu, strerror(errno));
    _exit(127);
}

void chip_start(struct chip *chip, const struct options *options)
{
    pid_t self = getpid();
    chip->process = fork();
    if (chip->process < 0)
        fail("cannot start QEMU");
    if (chip->process == 0)
        become_qemu(options, self);
    /* What is left open here would hide that QEMU has ended. */
    close(chip_side.line_in);
    close(chip_side.line_out);
    close(chip_side.profile);
}

int chip_unread(const struct chip *chip)
{
    int bytes = 0;
    if (ioctl(chip->codes_unread, FIONREAD, &bytes) < 0)
        fail("cannot look into a pipe");
    return bytes;
}

bool chip_ended(struct chip *chip)
{
    int status;
    if (waitpid(chip->process, &status, WNOHANG) != chip->process)
        return false;
    chip->process = 0;
    if (WIFSIGNALED(status))
        fprintf(stderr, "mtjlearn-qemu-sim: QEMU was ended by signal %d; is the image one for this machine?\n", WTERMSIG(status));
    return true;
}

void chip_kill(struct chip *chip)
{
    if (chip->process == 0)
        return;
    kill(chip->process, SIGKILL);
    waitpid(chip->process, NULL, 0);
    chip->process = 0;
}
