/* Pseudo-terminals and the program's name are extensions of C11. */
#define _GNU_SOURCE
#include "line.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <termios.h>
#include <time.h>
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
    line->listener = line->leaving = -1;
    line->greeted = true;
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
    line->fd = line->slave = line->leaving = -1;
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

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void welcome_client(struct line *line, int fd)
{
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    line->fd = fd;
    line->greeted = line->knocked = false;
    line->since = now_ms();
    wire_decoder_init(&line->knock, line->knock_buffer, WIRE_MIN_PAYLOAD);
}

static bool tell_of_other(int fd)
{
    uint8_t frame[WIRE_TRANSMIT_BYTES(WIRE_SIZE_ERR)];
    struct wire_err err = {.command = WIRE_TYPE_HELLO, .code = WIRE_ERROR_ANOTHER_HOST};
    memcpy(frame + WIRE_TRANSMIT_PAYLOAD, &err, sizeof err);
    wire_encode(frame, WIRE_TYPE_ERR, WIRE_SESSION_NONE, 0, sizeof err, 0);
    return write(fd, frame + 1, WIRE_ENCODED_BYTES(sizeof err)) > 0 && shutdown(fd, SHUT_WR) == 0;
}

/* Once it has sent something, for a host may discard what comes before. Its end is awaited: closed at once, with a HELLO unread, it would
 * be reset, and might never see the frame. */
static void turn_away(struct line *line)
{
    uint8_t bytes[256];
    ssize_t got;
    bool stays = true;
    int reads = 0;
    while (stays && (got = read(line->leaving, bytes, sizeof bytes)) > 0 && reads++ < LINE_LEAVING_READS) {
        stays = line->told || (bytes[0] == 0 && tell_of_other(line->leaving));
        line->told = true;
    }
    if (stays && (got > 0 || (got < 0 && is_temporary(errno))) && now_ms() - line->leaving_since < LINE_LEAVING_MS)
        return;
    close(line->leaving);
    line->leaving = -1;
}

/* A client that has closed its end is gone as soon as the rest is read: the next one is only early. */
static bool is_leaving(int fd)
{
    struct pollfd place = {.fd = fd, .events = POLLRDHUP};
    return poll(&place, 1, 0) > 0;
}

void line_accept(struct line *line)
{
    if (line->listener < 0)
        return;
    if (line->leaving >= 0)
        turn_away(line);
    if (line->fd >= 0 && !line->greeted && now_ms() - line->since >= LINE_GREETING_MS)
        drop_client(line);
    if (line->leaving >= 0 || (line->fd >= 0 && is_leaving(line->fd)))
        return;
    int fd = accept(line->listener, NULL, NULL);
    if (fd < 0)
        return;
    unblock(fd);
    if (line->fd < 0) {
        welcome_client(line, fd);
        return;
    }
    line->leaving = fd;
    line->leaving_since = now_ms();
    line->told = false;
    turn_away(line);
}

/* Looks for the HELLO in what came. False: this is not a host. */
static bool knocks(struct line *line, const uint8_t *bytes, uint16_t count)
{
    uint16_t taken = 0;
    if (!line->knocked && bytes[0] != 0)
        return false;
    line->knocked = true;
    for (; count && !line->greeted; bytes += taken, count = (uint16_t)(count - taken)) {
        bool frame = wire_decode(&line->knock, bytes, count, &taken) == WIRE_FRAME;
        line->greeted = frame && wire_frame_type(&line->knock) == WIRE_TYPE_HELLO && wire_frame_session(&line->knock) == WIRE_SESSION_NONE;
    }
    return true;
}

uint16_t line_read(struct line *line, uint8_t *bytes, uint16_t most)
{
    if (line->receive_start == line->receive_end) {
        if (line->fd < 0)
            return 0;
        ssize_t got = read(line->fd, line->receive, sizeof line->receive);
        if (got == 0 || (got < 0 && !is_temporary(errno)) || (got > 0 && !line->greeted && !knocks(line, line->receive, (uint16_t)got))) {
            drop_client(line);
            return 0;
        }
        if (got < 0)
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
    return line->fd < 0 || !line->greeted ? 0 : (uint16_t)(LINE_TRANSMIT - line->transmit_count);
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
