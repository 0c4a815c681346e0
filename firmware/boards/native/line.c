/* Pseudo-terminals and the program's name are extensions of C11. */
#define _GNU_SOURCE
#include "line.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

_Noreturn static void fail(const char *what)
{
    fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, what, strerror(errno));
    exit(1);
}

static void unblock(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
        fail("cannot make the line non-blocking");
}

static void clear(struct line *line)
{
    line->transmit_start = line->transmit_count = 0;
    line->receive_start = line->receive_end = 0;
}

void line_open_pty(struct line *line)
{
    clear(line);
    line->listener = -1;
    line->fd = posix_openpt(O_RDWR | O_NOCTTY);
    if (line->fd < 0 || grantpt(line->fd) < 0 || unlockpt(line->fd) < 0)
        fail("cannot open a pseudo-terminal; try --tcp 0");
    const char *name = ptsname(line->fd);
    if (!name || strlen(name) >= sizeof line->url)
        fail("cannot name the pseudo-terminal");
    strcpy(line->url, name);
    struct termios attributes;
    line->slave = open(name, O_RDWR | O_NOCTTY);
    if (line->slave < 0 || tcgetattr(line->slave, &attributes) < 0)
        fail("cannot open the pseudo-terminal");
    cfmakeraw(&attributes);
    if (tcsetattr(line->slave, TCSANOW, &attributes) < 0)
        fail("cannot set the pseudo-terminal up");
    unblock(line->fd);
}

void line_open_tcp(struct line *line, uint16_t port)
{
    clear(line);
    line->fd = line->slave = -1;
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons(port),
        .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)},
    };
    socklen_t length = sizeof address;
    int on = 1;
    line->listener = socket(AF_INET, SOCK_STREAM, 0);
    if (line->listener < 0 || setsockopt(line->listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 ||
        bind(line->listener, (const struct sockaddr *)&address, sizeof address) < 0 || listen(line->listener, 1) < 0 ||
        getsockname(line->listener, (struct sockaddr *)&address, &length) < 0) {
        char what[64];
        snprintf(what, sizeof what, "cannot serve port %u; try --tcp 0", port);
        fail(what);
    }
    unblock(line->listener);
    snprintf(line->url, sizeof line->url, "socket://127.0.0.1:%u", ntohs(address.sin_port));
}

void line_accept(struct line *line)
{
    if (line->listener < 0 || line->fd >= 0)
        return;
    line->fd = accept(line->listener, NULL, NULL);
    if (line->fd < 0)
        return;
    int on = 1;
    setsockopt(line->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    unblock(line->fd);
}

/* A TCP client is gone; what was meant for it is of no use to the next. */
static void drop_client(struct line *line)
{
    if (line->listener < 0)
        return;
    close(line->fd);
    line->fd = -1;
    clear(line);
}

static bool is_temporary(int error)
{
    return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

uint16_t line_read(struct line *line, uint8_t *bytes, uint16_t most)
{
    if (line->receive_start == line->receive_end) {
        if (line->fd < 0)
            return 0;
        ssize_t got = read(line->fd, line->receive, sizeof line->receive);
        if (got == 0 || (got < 0 && !is_temporary(errno)))
            drop_client(line);
        if (got <= 0)
            return 0;
        line->receive_start = 0;
        line->receive_end = (uint16_t)got;
    }
    uint16_t waiting = (uint16_t)(line->receive_end - line->receive_start);
    uint16_t taken = most < waiting ? most : waiting;
    memcpy(bytes, line->receive + line->receive_start, taken);
    line->receive_start = (uint16_t)(line->receive_start + taken);
    return taken;
}

uint16_t line_room(const struct line *line)
{
    return line->fd < 0 ? 0 : (uint16_t)(LINE_TRANSMIT - line->transmit_count);
}

void line_write(struct line *line, const uint8_t *bytes, uint16_t count)
{
    for (uint16_t i = 0; i < count; i++)
        line->transmit[(line->transmit_start + line->transmit_count++) % LINE_TRANSMIT] = bytes[i];
}

bool line_flush(struct line *line)
{
    uint16_t before = line->transmit_count;
    while (line->transmit_count > 0) {
        uint16_t contiguous = (uint16_t)(LINE_TRANSMIT - line->transmit_start);
        uint16_t count = line->transmit_count < contiguous ? line->transmit_count : contiguous;
        ssize_t sent = write(line->fd, line->transmit + line->transmit_start, count);
        if (sent < 0) {
            if (!is_temporary(errno))
                drop_client(line);
            break;
        }
        line->transmit_start = (uint16_t)((line->transmit_start + sent) % LINE_TRANSMIT);
        line->transmit_count = (uint16_t)(line->transmit_count - sent);
    }
    return line->transmit_count < before;
}
