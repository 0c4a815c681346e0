/* Signals are an extension of C11. */
#define _GNU_SOURCE
#include "process.h"

#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

static volatile sig_atomic_t ended;
static pid_t parent;              /* ends with it; 0: independent */

static void end(int signal)
{
    (void)signal;
    ended = 1;
}

/* A program that starts a board holds the other end of a pipe; at a terminal or under nohup nobody does. */
static bool input_is_pipe(void)
{
    struct stat status;
    return fstat(STDIN_FILENO, &status) == 0 && (S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode));
}

void process_begin(void)
{
    parent = input_is_pipe() ? getppid() : 0;
    struct sigaction action = {.sa_handler = end};
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    action.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &action, NULL);
}

bool process_ended(void)
{
    return ended;
}

void process_wait(struct line *line, bool reads, int timeout)
{
    struct pollfd places[3] = {
        {.fd = parent ? STDIN_FILENO : -1, .events = POLLIN},
        {.fd = line->fd, .events = (short)((reads ? POLLIN : 0) | (line->transmit_count ? POLLOUT : 0))},
        {.fd = line->leaving < 0 ? line->listener : line->leaving, .events = POLLIN},
    };
    if (poll(places, 3, timeout) > 0 && places[0].revents) {
        char ignored[64];
        if (read(STDIN_FILENO, ignored, sizeof ignored) <= 0)
            ended = 1;
    }
    /* A sibling process may have inherited the pipe and keep it open. */
    if (parent && getppid() != parent)
        ended = 1;
    line_accept(line);
}
